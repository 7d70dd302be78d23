"""What a classifier minimises whose features a discriminator of domains judges."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase._checks import check_number
from accelbrainbase.computableloss._mxnet.classification_loss import (
    ClassificationLoss,
    domain_term,
    factor,
    paired,
)


class DomainAdversarialLoss(ClassificationLoss):
    r"""Classification of the source domain, and the cross-entropy of a discriminator of domains.

    .. math:: \mathcal{L}_y - \alpha \log D(f(x^s)) - (1 - \alpha) \log(1 - D(f(x^t)))

    The discriminator minimises it, and gives the probability that features are of the source
    domain. That the encoder maximises the second part is left to a reversal of gradients.

    Args:
        axis: The axis of the classes.
        sparse_label: Whether labels are class numbers, shape `(batch,)`, instead of one-hot.
        from_logits: Whether predictions are log-probabilities (as Gluon calls it).
        log_softmax_flag: Whether predictions are scores, of which the softmax is taken. If
            neither, they are probabilities.
        weight: Factor on both terms; `None` is 1.
        classification_weight: Factor on the classification term; `None` is 1.
        adversarial_weight: Factor on the term of the discriminator; `None` is 1.
        adversarial_lambda: The share :math:`\alpha` of the source domain, in [0, 1].
        grad_clip_threshold: The largest norm of the classification losses of a mini-batch; 0 for
            no limit.
        batch_axis: The axis of the samples.
        posterior_from_logits: Whether the discriminator gives logits (its last activation is
            `identity`) instead of probabilities.
        **kwargs: `prefix` and `params`, as in Gluon.

    Raises:
        ValueError: If `adversarial_lambda` is not in [0, 1], or a weight is not finite.

    References:
        - Ganin, Y., & Lempitsky, V. (2015). Unsupervised domain adaptation by backpropagation.
          ICML. Equations 1 to 6.
    """

    def __init__(
        self,
        *,
        axis: int = -1,
        sparse_label: bool = False,
        from_logits: bool = False,
        log_softmax_flag: bool = True,
        weight: float | None = 1.0,
        classification_weight: float | None = None,
        adversarial_weight: float | None = None,
        adversarial_lambda: float = 0.5,
        grad_clip_threshold: float = 0.0,
        batch_axis: int = 0,
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
            grad_clip_threshold=grad_clip_threshold,
            batch_axis=batch_axis,
            **kwargs,
        )
        self.adversarial_weight = factor("adversarial_weight", adversarial_weight)
        self.adversarial_lambda = check_number(
            "adversarial_lambda", adversarial_lambda, low=0.0, high=1.0
        )
        self.posterior_from_logits = bool(posterior_from_logits)

    def compute(  # type: ignore[override]  # four arrays
        self,
        pred_arr: nd.NDArray,
        label_arr: nd.NDArray,
        source_posterior_arr: nd.NDArray,
        target_posterior_arr: nd.NDArray,
    ) -> tuple[nd.NDArray, nd.NDArray, nd.NDArray]:
        """Return the losses of each sample.

        Args:
            pred_arr: Predictions of classes, shape `(batch, classes)`.
            label_arr: The classes.
            source_posterior_arr: What the discriminator gives for the source domain, shape
                `(batch, 1)`.
            target_posterior_arr: What it gives for the target domain.

        Returns:
            Total, classification and adversarial losses, weighted, shape `(batch,)` each. Where
            mini-batches differ in size, means stand for the terms of the others.
        """
        return self(pred_arr, label_arr, source_posterior_arr, target_posterior_arr)

    def hybrid_forward(
        self,
        F: Any,
        pred_arr: Any,
        label_arr: Any,
        source_posterior_arr: Any,
        target_posterior_arr: Any,
        sample_weight: Any = None,
    ) -> Any:
        """Return the losses of each sample. The arguments are those of `compute`.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            pred_arr: Predictions of classes.
            label_arr: The classes.
            source_posterior_arr: What the discriminator gives for the source domain.
            target_posterior_arr: What it gives for the target domain.
            sample_weight: A factor for each sample, shape `(batch,)` or `(batch, 1)`.
        """
        classification_arr = self.classification_term(F, pred_arr, label_arr)
        adversarial_arr = self.adversarial_weight * domain_term(
            F, source_posterior_arr, target_posterior_arr,
            self.adversarial_lambda, self.posterior_from_logits, self._batch_axis,
        )  # fmt: skip
        classification_arr = self.weigh(F, classification_arr, sample_weight)
        adversarial_arr = self.weigh(F, adversarial_arr, sample_weight)
        total_arr = paired(F, classification_arr, adversarial_arr)
        return total_arr, classification_arr, adversarial_arr
