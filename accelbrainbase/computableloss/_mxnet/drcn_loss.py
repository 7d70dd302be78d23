"""What a deep reconstruction-classification network minimises."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase._checks import check_number
from accelbrainbase.computableloss._mxnet.classification_loss import (
    ClassificationLoss,
    factor,
    paired,
)


class DRCNLoss(ClassificationLoss):
    r"""Classification of the source domain, and reconstruction of the target domain.

    .. math:: \lambda \mathcal{L}_c(f_c(x^s), y^s) + (1 - \lambda) \mathcal{L}_r(f_r(x^t), x^t)

    (Ghifary et al. 2016, section 3, where :math:`\mathcal{L}_c` is the cross-entropy and
    :math:`\mathcal{L}_r` the squared error). The squared error is here half its mean over the
    features, as in 1.1.0 and Gluon's `L2Loss`; with `reconstruction_weight` twice their number it
    is their sum.

    Args:
        axis: The axis of the classes.
        sparse_label: Whether labels are class numbers, shape `(batch,)`, instead of one-hot.
        rc_lambda: The :math:`\lambda` in [0, 1]: the weight of classification.
        from_logits: Whether predictions are log-probabilities (as Gluon calls it).
        log_softmax_flag: Whether predictions are scores, of which the softmax is taken. If
            neither, they are probabilities.
        weight: Factor on both terms; `None` is 1.
        classification_weight: Factor on the classification term; `None` is 1.
        reconstruction_weight: Factor on the reconstruction term; `None` is 1.
        grad_clip_threshold: The largest Euclidean norm that the vector of the losses of a
            mini-batch may have, for each term: above it, losses and gradients are scaled down to
            it. 0 for no limit.
        batch_axis: The axis of the samples.
        **kwargs: `prefix` and `params`, as in Gluon.

    Raises:
        ValueError: If `rc_lambda` is not in [0, 1], a weight is not finite, or the threshold is
            below 0.

    References:
        - Ghifary, M., Kleijn, W. B., Zhang, M., Balduzzi, D., & Li, W. (2016). Deep
          reconstruction-classification networks for unsupervised domain adaptation. ECCV.
    """

    def __init__(
        self,
        axis: int = -1,
        sparse_label: bool = False,
        rc_lambda: float = 0.75,
        from_logits: bool = False,
        log_softmax_flag: bool = True,
        weight: float | None = 1.0,
        classification_weight: float | None = None,
        reconstruction_weight: float | None = None,
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
        self.rc_lambda = check_number("rc_lambda", rc_lambda, low=0.0, high=1.0)
        self.reconstruction_weight = factor("reconstruction_weight", reconstruction_weight)

    def compute(  # type: ignore[override]  # the contract's names
        self,
        decoded_arr: nd.NDArray,
        pred_arr: nd.NDArray,
        observed_arr: nd.NDArray,
        label_arr: nd.NDArray,
    ) -> tuple[nd.NDArray, nd.NDArray, nd.NDArray]:
        """Return the losses of each sample.

        Args:
            decoded_arr: Reconstructions of the target domain, shape `(batch, *features)`.
            pred_arr: Predictions of classes of the source domain, shape `(batch, classes)`.
            observed_arr: What was to be reconstructed.
            label_arr: The classes.

        Returns:
            Total, classification and reconstruction losses, weighted, shape `(batch,)` each. If
            the two mini-batches differ in size, the total has a mean of the reconstruction term.
        """
        return self(decoded_arr, pred_arr, observed_arr, label_arr)

    def hybrid_forward(
        self,
        F: Any,
        decoded_arr: Any,
        pred_arr: Any,
        observed_arr: Any,
        label_arr: Any,
        sample_weight: Any = None,
    ) -> Any:
        """Return the losses of each sample. The arguments are those of `compute`.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            decoded_arr: Reconstructions.
            pred_arr: Predictions of classes.
            observed_arr: What was to be reconstructed.
            label_arr: The classes.
            sample_weight: A factor for each sample, shape `(batch,)` or `(batch, 1)`.
        """
        classification_arr = self.classification_term(F, pred_arr, label_arr) * self.rc_lambda
        square_arr = F.square(decoded_arr - F.reshape_like(observed_arr, decoded_arr)) / 2
        error_arr = self.limited(F, F.mean(square_arr, axis=self._batch_axis, exclude=True))
        reconstruction_arr = error_arr * (self.reconstruction_weight * (1.0 - self.rc_lambda))
        classification_arr = self.weigh(F, classification_arr, sample_weight)
        reconstruction_arr = self.weigh(F, reconstruction_arr, sample_weight)
        total_arr = paired(F, classification_arr, reconstruction_arr)
        return total_arr, classification_arr, reconstruction_arr
