"""What self-supervised domain adaptation minimises."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase.computableloss._mxnet.classification_loss import (
    ClassificationLoss,
    factor,
    paired,
)


class SSDALoss(ClassificationLoss):
    r"""Classification of the source domain, and of a pretext task.

    .. math:: \mathcal{L}_0(S) + \mathcal{L}_1(S, T)

    Both are cross-entropies (Sun et al. 2019, section 3).

    Args:
        axis: The axis of the classes, also of those of the pretext task.
        sparse_label: Whether labels are class numbers, shape `(batch,)`, instead of one-hot.
            Those of the pretext task are always one-hot.
        from_logits: Whether predictions are log-probabilities (as Gluon calls it).
        log_softmax_flag: Whether predictions are scores, of which the softmax is taken. If
            neither, they are probabilities.
        weight: Factor on all terms; `None` is 1.
        classification_weight: Factor on the classification term; `None` is 1.
        pretext_weight: Factor on the term of the pretext task; `None` is 1.
        grad_clip_threshold: The largest Euclidean norm that the vector of the losses of a
            mini-batch may have, for each term: above it, losses and gradients are scaled down to
            it. 0 for no limit.
        batch_axis: The axis of the samples.
        **kwargs: `prefix` and `params`, as in Gluon.

    Raises:
        ValueError: If a weight is not finite, or the threshold is below 0.

    References:
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
        grad_clip_threshold: float = 0.0,
        batch_axis: int = 0,
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
        self.pretext_weight = factor("pretext_weight", pretext_weight)

    def compute(  # type: ignore[override]  # the contract's names
        self,
        pretext_pred_arr: nd.NDArray,
        pred_arr: nd.NDArray,
        pretext_label_arr: nd.NDArray,
        label_arr: nd.NDArray,
    ) -> tuple[nd.NDArray, nd.NDArray, nd.NDArray]:
        """Return the losses of each sample.

        Args:
            pretext_pred_arr: Predictions of the pretext task, shape `(batch, pretext classes)`;
                where it has several questions, `(batch, questions, answers)`.
            pred_arr: Predictions of classes, shape `(batch, classes)`.
            pretext_label_arr: Answers of the pretext task, one-hot.
            label_arr: The classes.

        Returns:
            Total, classification and pretext losses, weighted, shape `(batch,)` each. If the two
            mini-batches differ in size, the total has a mean of the pretext term.
        """
        return self(pretext_pred_arr, pred_arr, pretext_label_arr, label_arr)

    def pretext_term(self, F: Any, pretext_pred_arr: Any, pretext_label_arr: Any) -> Any:
        """Return what the pretext task of each sample costs, shape `(batch,)`."""
        cost_arr = self.cross_entropy(F, pretext_pred_arr, pretext_label_arr, sparse=False)
        return cost_arr * self.pretext_weight

    def hybrid_forward(
        self,
        F: Any,
        pretext_pred_arr: Any,
        pred_arr: Any,
        pretext_label_arr: Any,
        label_arr: Any,
        sample_weight: Any = None,
    ) -> Any:
        """Return the losses of each sample. The arguments are those of `compute`.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            pretext_pred_arr: Predictions of the pretext task.
            pred_arr: Predictions of classes.
            pretext_label_arr: Answers of the pretext task.
            label_arr: The classes.
            sample_weight: A factor for each sample, shape `(batch,)` or `(batch, 1)`.
        """
        classification_arr = self.classification_term(F, pred_arr, label_arr)
        pretext_arr = self.pretext_term(F, pretext_pred_arr, pretext_label_arr)
        classification_arr = self.weigh(F, classification_arr, sample_weight)
        pretext_arr = self.weigh(F, pretext_arr, sample_weight)
        return paired(F, classification_arr, pretext_arr), classification_arr, pretext_arr
