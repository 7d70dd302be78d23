"""What losses of domain adaptation share: cross-entropies, and limits on them."""

from __future__ import annotations

from typing import Any

from mxnet import gluon, nd

from accelbrainbase._checks import check_is_a, check_number
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.computableloss._mxnet.discriminator_loss import (
    minus_log,
    minus_log_of_complement,
    weighted,
)


class ClassificationLoss(gluon.loss.Loss, ComputableLoss):
    r"""Cross-entropy of classes, to which subclasses add other terms.

    Args:
        axis: The axis of the classes.
        sparse_label: Whether labels are class numbers, shape `(batch,)`, instead of one-hot.
        from_logits: Whether predictions are log-probabilities (as Gluon calls it).
        log_softmax_flag: Whether predictions are scores, of which the softmax is taken. If
            neither, they are probabilities, clipped to [1e-7, 1 − 1e-7].
        weight: Factor on all terms; `None` is 1.
        classification_weight: Factor on the classification term; `None` is 1.
        grad_clip_threshold: The largest Euclidean norm that the vector of the losses of a
            mini-batch may have, for each term that has one: above it, the losses, and so their
            gradients, are scaled down to it. 0 for no limit.
        batch_axis: The axis of the samples.
        **kwargs: `prefix` and `params`, as in Gluon.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a weight is not finite, or the threshold is below 0.
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
        grad_clip_threshold: float = 0.0,
        batch_axis: int = 0,
        **kwargs: Any,
    ) -> None:
        check_is_a("axis", axis, int)
        super().__init__(None if weight is None else check_number("weight", weight), batch_axis,
                         **kwargs)  # fmt: skip
        self.axis = axis
        self.sparse_label = bool(sparse_label)
        self.from_logits = bool(from_logits)
        self.log_softmax_flag = bool(log_softmax_flag)
        self.classification_weight = factor("classification_weight", classification_weight)
        self.grad_clip_threshold = check_number("grad_clip_threshold", grad_clip_threshold, low=0.0)

    def cross_entropy(self, F: Any, pred_arr: Any, label_arr: Any, sparse: bool) -> Any:
        """Return the cross-entropy of each sample, shape `(batch,)`, within the limit.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            pred_arr: Predictions, shape `(batch, classes)`; further axes are averaged over.
            label_arr: One-hot, of the same shape, or class numbers.
            sparse: Whether labels are class numbers.
        """
        if self.from_logits:
            cost_arr = -pred_arr
        elif self.log_softmax_flag:
            cost_arr = -F.log_softmax(pred_arr, axis=self.axis)
        else:
            cost_arr = minus_log(F, pred_arr, from_logits=False)
        of_each = cost_arr.shape[self.axis] if F is nd and sparse else 1
        if F is nd and label_arr.size * of_each != cost_arr.size:
            raise ValueError(
                f"Scores of shape {pred_arr.shape} do not fit "
                f"{'class numbers' if sparse else 'one-hot labels'} of shape {label_arr.shape}. "
                f"The last layer needs one unit for each class, or for each answer of the pretext "
                f"task; class numbers need `sparse_label=True`, one-hot labels "
                f"`sparse_label=False`."
            )
        if sparse:
            cost_arr = F.pick(cost_arr, label_arr, axis=self.axis, keepdims=True)
        else:
            product_arr = cost_arr * F.reshape_like(label_arr, cost_arr)
            cost_arr = F.sum(product_arr, axis=self.axis, keepdims=True)
        return self.limited(F, F.mean(cost_arr, axis=self._batch_axis, exclude=True))

    def classification_term(self, F: Any, pred_arr: Any, label_arr: Any) -> Any:
        """Return what the classes of each sample cost, shape `(batch,)`, without `weight`."""
        cost_arr = self.cross_entropy(F, pred_arr, label_arr, self.sparse_label)
        return cost_arr * self.classification_weight

    def limited(self, F: Any, loss_arr: Any) -> Any:
        """Return losses whose norm, as a vector, is at most `grad_clip_threshold`."""
        if self.grad_clip_threshold == 0.0:
            return loss_arr
        norm_arr = F.sqrt(F.sum(F.square(loss_arr), keepdims=True))
        limit = self.grad_clip_threshold
        # A constant for the gradient, which so is that of the losses, scaled.
        return F.broadcast_mul(loss_arr, F.BlockGrad(limit / F.maximum(norm_arr, limit)))

    def weigh(self, F: Any, loss_arr: Any, sample_weight: Any) -> Any:
        """Return losses times `weight` and the weights of the samples, where there are any."""
        return weighted(F, loss_arr, self._weight, sample_weight)


def factor(name: str, value: float | None) -> float:
    """Return a weight as a number; `None` is 1."""
    return 1.0 if value is None else check_number(name, value)


def paired(F: Any, loss_arr: Any, other_arr: Any) -> Any:
    """Add losses of other samples; where there are more or less of them, add their mean.

    The mean of the sum is the sum of the means either way.
    """
    if F is nd and loss_arr.shape != other_arr.shape:
        return F.broadcast_add(loss_arr, F.mean(other_arr, keepdims=True))
    return loss_arr + other_arr


def domain_term(
    F: Any,
    source_posterior_arr: Any,
    target_posterior_arr: Any,
    source_share: float,
    from_logits: bool,
    batch_axis: int,
) -> Any:
    """Return what a discriminator of domains pays for each pair of samples, shape `(batch,)`.

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        source_posterior_arr: What it gives for the source domain, shape `(batch, 1)`.
        target_posterior_arr: What it gives for the target domain.
        source_share: Weight of the source domain, in [0, 1]; the rest is that of the target.
        from_logits: Whether it gives logits.
        batch_axis: The axis of the samples.
    """
    if F is nd:
        for arr in (source_posterior_arr, target_posterior_arr):
            if arr.ndim == 2 and arr.shape[1] != 1:
                raise ValueError(
                    f"A discriminator of domains must give one number for each data point, shape "
                    f"(batch, 1), but gave {arr.shape}. Let its last layer have one unit."
                )
    source_arr = minus_log(F, source_posterior_arr, from_logits)
    target_arr = minus_log_of_complement(F, target_posterior_arr, from_logits)
    source_arr = F.mean(source_arr, axis=batch_axis, exclude=True)
    target_arr = F.mean(target_arr, axis=batch_axis, exclude=True)
    return paired(F, source_share * source_arr, (1.0 - source_share) * target_arr)
