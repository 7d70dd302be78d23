"""What a discriminator minimises in a generative adversarial network."""

from __future__ import annotations

from typing import Any

from mxnet import gluon, nd

from accelbrainbase._checks import check_number
from accelbrainbase.computable_loss import ComputableLoss

_SMALLEST = 1e-7  # nearest to 0 and 1 that float32 tells apart from them


class DiscriminatorLoss(gluon.loss.Loss, ComputableLoss):
    r"""Cross-entropy of a discriminator that tells true from generated data points.

    .. math:: L = -\log D(x) - \log(1 - D(G(z)))

    is what the discriminator minimises: the negative of what the paper lets it maximise. With
    `label_smoothing` :math:`s` the truth counts as :math:`1 - s` for true data points only, so
    that the discriminator is never rewarded for certainty.

    Args:
        weight: Factor on the loss; `None` is 1.
        batch_axis: The axis of the samples.
        from_logits: Whether the discriminator gives logits (its last activation is `identity`)
            instead of probabilities. That is stable where it is sure of itself; probabilities
            are clipped to [1e-7, 1 − 1e-7], beyond which there is no gradient.
        label_smoothing: The :math:`s`, in [0, 1). The papers use 0.1.
        **kwargs: `prefix` and `params`, as in Gluon.

    Raises:
        ValueError: If `label_smoothing` is out of its range.

    References:
        - Goodfellow, I., et al. (2014). Generative adversarial nets. Advances in neural
          information processing systems, 27. Equation 1, Algorithm 1.
        - Salimans, T., et al. (2016). Improved techniques for training GANs. Advances in
          neural information processing systems, 29. Section 3.4.
    """

    is_probability: bool = True
    """Whether `posterior` is a probability, not just a score."""

    def __init__(
        self,
        weight: float | None = None,
        batch_axis: int = 0,
        *,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self.from_logits = bool(from_logits)
        self.label_smoothing = check_number(
            "label_smoothing", label_smoothing, low=0.0, high=1.0, high_open=True
        )

    # -- what varies -------------------------------------------------------------------

    def true_term(self, F: Any, true_posterior_arr: Any) -> Any:
        """Hook: what each true data point costs, in the shape of its argument."""
        cost = minus_log(F, true_posterior_arr, self.from_logits)
        if self.label_smoothing == 0.0:
            return cost
        other = minus_log_of_complement(F, true_posterior_arr, self.from_logits)
        return (1.0 - self.label_smoothing) * cost + self.label_smoothing * other

    def generated_term(self, F: Any, generated_posterior_arr: Any) -> Any:
        """Hook: what each generated data point costs, in the shape of its argument."""
        return minus_log_of_complement(F, generated_posterior_arr, self.from_logits)

    def posterior(self, judged_arr: nd.NDArray) -> nd.NDArray:
        """Hook: what the discriminator gave, as the history shall show it.

        Args:
            judged_arr: Output of the discriminator.

        Returns:
            The probability of being true; a score where `is_probability` is `False`.
        """
        return nd.Activation(judged_arr, act_type="sigmoid") if self.from_logits else judged_arr

    # -- the loss ----------------------------------------------------------------------

    def compute(
        self, true_posterior_arr: nd.NDArray, generated_posterior_arr: nd.NDArray
    ) -> nd.NDArray:
        """Return the loss of each pair of a true and a generated data point.

        Args:
            true_posterior_arr: What the discriminator gives for true data points, shape
                `(batch, 1)`, or with more axes, over which the loss is averaged.
            generated_posterior_arr: The same for generated ones. If there are more or less of
                them, each true one is paired with their mean.

        Returns:
            Losses of shape `(batch,)`.
        """
        return self(true_posterior_arr, generated_posterior_arr)

    def hybrid_forward(
        self,
        F: Any,
        true_posterior_arr: Any,
        generated_posterior_arr: Any,
        sample_weight: Any = None,
    ) -> Any:
        """Return the loss of each pair, shape `(batch,)`. The arguments are those of `compute`.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            true_posterior_arr: What the discriminator gives for true data points.
            generated_posterior_arr: What it gives for generated ones.
            sample_weight: A factor for each pair, shape `(batch,)` or `(batch, 1)`.
        """
        true_arr = self.for_each_sample(F, self.true_term(F, true_posterior_arr))
        generated_arr = self.for_each_sample(F, self.generated_term(F, generated_posterior_arr))
        if F is nd and true_arr.shape != generated_arr.shape:
            loss_arr = F.broadcast_add(true_arr, F.mean(generated_arr))
        else:
            loss_arr = true_arr + generated_arr
        return weighted(F, loss_arr, self._weight, sample_weight)

    def for_each_sample(self, F: Any, cost_arr: Any) -> Any:
        """Average over all axes but the batch, shape `(batch,)`."""
        return F.mean(cost_arr, axis=self._batch_axis, exclude=True)


def minus_log(F: Any, arr: Any, from_logits: bool) -> Any:
    """Return −log p, where `arr` is p or its logit."""
    if from_logits:
        return F.Activation(-arr, act_type="softrelu")
    return -F.log(F.clip(arr, _SMALLEST, 1.0 - _SMALLEST))


def minus_log_of_complement(F: Any, arr: Any, from_logits: bool) -> Any:
    """Return −log(1 − p), where `arr` is p or its logit."""
    if from_logits:
        return F.Activation(arr, act_type="softrelu")
    return -F.log(1.0 - F.clip(arr, _SMALLEST, 1.0 - _SMALLEST))


def weighted(F: Any, loss_arr: Any, weight: float | None, sample_weight: Any) -> Any:
    """Return losses of shape `(batch,)` times the weights that are not `None`."""
    if sample_weight is not None:
        loss_arr = loss_arr * F.reshape_like(sample_weight, loss_arr)
    return loss_arr if weight is None else loss_arr * weight
