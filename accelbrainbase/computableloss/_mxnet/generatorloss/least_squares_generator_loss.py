"""What the generator of a least-squares GAN minimises."""

from __future__ import annotations

from typing import Any

from accelbrainbase.computableloss._mxnet.generator_loss import GeneratorLoss


class LeastSquaresGeneratorLoss(GeneratorLoss):
    r"""Squared distance of the scores of generated data points from 1.

    .. math:: L = \tfrac12 (D(G(z)) - 1)^2

    Args:
        weight: Factor on the loss; `None` is 1.
        batch_axis: The axis of the samples.
        prefix: As in Gluon.
        params: As in Gluon.

    References:
        - Mao, X., et al. (2017). Least squares generative adversarial networks. Proceedings
          of the IEEE international conference on computer vision. Equation 9.
    """

    def __init__(
        self,
        weight: float | None = None,
        batch_axis: int = 0,
        *,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix=prefix, params=params)

    def generated_term(self, F: Any, generated_posterior_arr: Any) -> Any:
        """Return half of the squared distance from 1."""
        return 0.5 * F.square(generated_posterior_arr - 1.0)
