"""What a generator minimises in a generative adversarial network."""

from __future__ import annotations

from typing import Any

from mxnet import gluon, nd

from accelbrainbase.computableloss._mxnet.discriminator_loss import (
    minus_log,
    minus_log_of_complement,
    weighted,
)


class GeneratorLoss(gluon.loss.Loss):
    r"""How far the generator is from passing its data points off as true ones.

    .. math:: L = -\log D(G(z)) \qquad\text{or}\qquad L = \log(1 - D(G(z)))

    The second is the minimax game, in which the generator has no gradient where it loses
    clearly. The first has the same fixed point and a strong gradient there; the paper
    recommends it, and it is the default.

    Args:
        weight: Factor on the loss; `None` is 1.
        batch_axis: The axis of the samples.
        minimax: Whether the loss is the second.
        from_logits: Whether the discriminator gives logits instead of probabilities.
        **kwargs: `prefix` and `params`, as in Gluon.

    References:
        - Goodfellow, I., et al. (2014). Generative adversarial nets. Advances in neural
          information processing systems, 27. Equation 1 and the end of section 3.
    """

    def __init__(
        self,
        weight: float | None = None,
        batch_axis: int = 0,
        *,
        minimax: bool = False,
        from_logits: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self.minimax = bool(minimax)
        self.from_logits = bool(from_logits)

    def generated_term(self, F: Any, generated_posterior_arr: Any) -> Any:
        """Hook: what each generated data point costs, in the shape of its argument."""
        if self.minimax:
            return -minus_log_of_complement(F, generated_posterior_arr, self.from_logits)
        return minus_log(F, generated_posterior_arr, self.from_logits)

    def compute(self, generated_posterior_arr: nd.NDArray) -> nd.NDArray:
        """Return the loss of each generated data point.

        Args:
            generated_posterior_arr: What the discriminator gives for them, shape `(batch, 1)`,
                or with more axes, over which the loss is averaged.

        Returns:
            Losses of shape `(batch,)`.
        """
        return self(generated_posterior_arr)

    def hybrid_forward(
        self, F: Any, generated_posterior_arr: Any, sample_weight: Any = None
    ) -> Any:
        """Return the loss of each generated data point, shape `(batch,)`.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            generated_posterior_arr: What the discriminator gives for them.
            sample_weight: A factor for each, shape `(batch,)` or `(batch, 1)`.
        """
        cost_arr = self.generated_term(F, generated_posterior_arr)
        loss_arr = F.mean(cost_arr, axis=self._batch_axis, exclude=True)
        return weighted(F, loss_arr, self._weight, sample_weight)
