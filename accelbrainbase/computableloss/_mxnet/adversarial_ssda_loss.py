"""What self-supervised domain adaptation with a discriminator of domains minimises."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase._checks import check_number
from accelbrainbase.computableloss._mxnet.classification_loss import domain_term, factor, paired
from accelbrainbase.computableloss._mxnet.ssda_loss import SSDALoss


class AdversarialSSDALoss(SSDALoss):
    r"""An `SSDALoss`, and the cross-entropy of a discriminator of domains.

    .. math:: -\alpha \log D(f(x^s)) - (1 - \alpha) \log(1 - D(f(x^t)))

    is what the discriminator minimises, so that it gives the probability that features are of
    the source domain. The encoder is to maximise it. The loss has one sign; that of the encoder
    is turned on the way back, by a reversal of gradients between encoder and discriminator
    (Ganin & Lempitsky 2015), which is the controller's part.

    Args:
        axis: As in `SSDALoss`.
        sparse_label: As in `SSDALoss`.
        from_logits: As in `SSDALoss`.
        log_softmax_flag: As in `SSDALoss`.
        weight: Factor on all terms; `None` is 1.
        classification_weight: Factor on the classification term; `None` is 1.
        pretext_weight: Factor on the term of the pretext task; `None` is 1.
        adversarial_weight: Factor on the term of the discriminator; `None` is 1.
        adversarial_lambda: The share :math:`\alpha` of the source domain, in [0, 1].
        grad_clip_threshold: As in `SSDALoss`; it does not limit the adversarial term.
        batch_axis: The axis of the samples.
        posterior_from_logits: Whether the discriminator gives logits (its last activation is
            `identity`) instead of probabilities.
        **kwargs: `prefix` and `params`, as in Gluon.

    Raises:
        ValueError: If `adversarial_lambda` is not in [0, 1], a weight is not finite, or the
            threshold is below 0.

    References:
        - Ganin, Y., & Lempitsky, V. (2015). Unsupervised domain adaptation by backpropagation.
          ICML. Equations 1 to 6.
        - Sun, Y., Tzeng, E., Darrell, T., & Efros, A. A. (2019). Unsupervised domain adaptation
          through self-supervision. arXiv:1909.11825.
    """

    def __init__(
        self,
        axis: int = -1,
        sparse_label: bool = False,
        from_logits: bool = False,
        log_softmax_flag: bool = True,
        weight: float | None = 1.0,
        classification_weight: float | None = None,
        pretext_weight: float | None = None,
        adversarial_weight: float | None = None,
        adversarial_lambda: float = 0.5,
        grad_clip_threshold: float = 0.0,
        batch_axis: int = 0,
        *,
        posterior_from_logits: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis=axis,
            sparse_label=sparse_label,
            from_logits=from_logits,
            log_softmax_flag=log_softmax_flag,
            weight=weight,
            classification_weight=classification_weight,
            pretext_weight=pretext_weight,
            grad_clip_threshold=grad_clip_threshold,
            batch_axis=batch_axis,
            **kwargs,
        )
        self.adversarial_weight = factor("adversarial_weight", adversarial_weight)
        self.adversarial_lambda = check_number(
            "adversarial_lambda", adversarial_lambda, low=0.0, high=1.0
        )
        self.posterior_from_logits = bool(posterior_from_logits)

    def compute(  # type: ignore[override]  # the contract's names
        self,
        pretext_pred_arr: nd.NDArray,
        pred_arr: nd.NDArray,
        pretext_label_arr: nd.NDArray,
        label_arr: nd.NDArray,
        source_posterior_arr: nd.NDArray,
        target_posterior_arr: nd.NDArray,
    ) -> tuple[nd.NDArray, nd.NDArray, nd.NDArray, nd.NDArray]:
        """Return the losses of each sample.

        Args:
            pretext_pred_arr: Predictions of the pretext task, shape `(batch, pretext classes)`;
                where it has several questions, `(batch, questions, answers)`.
            pred_arr: Predictions of classes, shape `(batch, classes)`.
            pretext_label_arr: Answers of the pretext task, one-hot.
            label_arr: The classes.
            source_posterior_arr: What the discriminator gives for the source domain, shape
                `(batch, 1)`.
            target_posterior_arr: What it gives for the target domain.

        Returns:
            Total, classification, pretext and adversarial losses, weighted, shape `(batch,)`
            each. Where mini-batches differ in size, means stand for the terms of the others.
        """
        return self(
            pretext_pred_arr, pred_arr, pretext_label_arr, label_arr,
            source_posterior_arr, target_posterior_arr,
        )  # fmt: skip

    def adversarial_term(self, F: Any, source_posterior_arr: Any, target_posterior_arr: Any) -> Any:
        """Return what the discriminator pays for each pair, shape `(batch,)`."""
        return self.adversarial_weight * domain_term(
            F, source_posterior_arr, target_posterior_arr,
            self.adversarial_lambda, self.posterior_from_logits, self._batch_axis,
        )  # fmt: skip

    def hybrid_forward(  # type: ignore[override]  # the contract's names
        self,
        F: Any,
        pretext_pred_arr: Any,
        pred_arr: Any,
        pretext_label_arr: Any,
        label_arr: Any,
        source_posterior_arr: Any,
        target_posterior_arr: Any,
        sample_weight: Any = None,
    ) -> Any:
        """Return the losses of each sample. The arguments are those of `compute`.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            pretext_pred_arr: Predictions of the pretext task.
            pred_arr: Predictions of classes.
            pretext_label_arr: Answers of the pretext task.
            label_arr: The classes.
            source_posterior_arr: What the discriminator gives for the source domain.
            target_posterior_arr: What it gives for the target domain.
            sample_weight: A factor for each sample, shape `(batch,)` or `(batch, 1)`.
        """
        total_arr, classification_arr, pretext_arr = super().hybrid_forward(
            F, pretext_pred_arr, pred_arr, pretext_label_arr, label_arr, sample_weight
        )
        adversarial_arr = self.adversarial_term(F, source_posterior_arr, target_posterior_arr)
        adversarial_arr = self.weigh(F, adversarial_arr, sample_weight)
        total_arr = paired(F, total_arr, adversarial_arr)
        return total_arr, classification_arr, pretext_arr, adversarial_arr
