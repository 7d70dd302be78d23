"""What the generator of an energy-based GAN minimises."""

from __future__ import annotations

from typing import Any

from accelbrainbase.computableloss._mxnet.generator_loss import GeneratorLoss


class EBGeneratorLoss(GeneratorLoss):
    r"""The energies of generated data points.

    .. math:: L = D(G(z))

    Args:
        weight: Factor on the loss; `None` is 1.
        batch_axis: The axis of the samples.
        prefix: As in Gluon.
        params: As in Gluon.

    References:
        - Zhao, J., Mathieu, M., & LeCun, Y. (2016). Energy-based generative adversarial
          network. arXiv:1609.03126. Equation 2.
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

    def generated_term(self, F: Any, generated_posterior_arr: Any) -> Any:  # noqa: ARG002
        """Return the energies."""
        return generated_posterior_arr
