"""What the generator of a Wasserstein GAN, or one with a hinge loss, minimises."""

from __future__ import annotations

from typing import Any

from accelbrainbase.computableloss._mxnet.generator_loss import GeneratorLoss


class WassersteinGeneratorLoss(GeneratorLoss):
    r"""Minus the scores of generated data points.

    .. math:: L = -D(G(z))

    Args:
        weight: Factor on the loss; `None` is 1.
        batch_axis: The axis of the samples.
        prefix: As in Gluon.
        params: As in Gluon.

    References:
        - Arjovsky, M., Chintala, S., & Bottou, L. (2017). Wasserstein generative adversarial
          networks. International conference on machine learning. Theorem 3.
        - Miyato, T., et al. (2018). Spectral normalization for generative adversarial
          networks. ICLR. Equation 17.
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
        """Return minus the scores."""
        return -generated_posterior_arr
