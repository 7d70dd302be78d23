"""What the discriminator of an energy-based GAN minimises."""

from __future__ import annotations

from typing import Any

from accelbrainbase._checks import check_integer, check_number
from accelbrainbase.computableloss._mxnet.discriminatorloss.score_loss import ScoreLoss


class EBDiscriminatorLoss(ScoreLoss):
    r"""Low energies for true data points, energies of at least a margin for generated ones.

    .. math:: L = D(x) + \max(0, m - D(G(z)))

    The margin :math:`m` is multiplied by `margin_decay_rate` after every `margin_decay_epoch`
    epochs, so that the discriminator puts up with better and better generated data points.
    The controller says which epoch it is; how often the loss is computed has no influence.

    Args:
        weight: Factor on the loss; `None` is 1.
        batch_axis: The axis of the samples.
        margin: The margin at the beginning, above 0.
        margin_decay_rate: Factor on it, at least 0; 1 keeps it.
        margin_decay_epoch: Number of epochs between two decays.
        **kwargs: `prefix` and `params`, as in Gluon.

    Raises:
        ValueError: If a number is out of its range.

    Attributes:
        epoch: The epoch, from 0.

    References:
        - Zhao, J., Mathieu, M., & LeCun, Y. (2016). Energy-based generative adversarial
          network. arXiv:1609.03126. Equation 1.
    """

    def __init__(
        self,
        weight: float | None = None,
        batch_axis: int = 0,
        margin: float = 1.0,
        margin_decay_rate: float = 0.1,
        margin_decay_epoch: int = 50,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self.first_margin = check_number("margin", margin, low=0.0, low_open=True)
        self.margin_decay_rate = check_number("margin_decay_rate", margin_decay_rate, low=0.0)
        self.margin_decay_epoch = check_integer("margin_decay_epoch", margin_decay_epoch, low=1)
        self.epoch = 0

    @property
    def margin(self) -> float:
        """The margin in this epoch."""
        return self.first_margin * self.margin_decay_rate ** (self.epoch // self.margin_decay_epoch)

    def true_term(self, F: Any, true_posterior_arr: Any) -> Any:  # noqa: ARG002
        """Return the energies."""
        return true_posterior_arr

    def generated_term(self, F: Any, generated_posterior_arr: Any) -> Any:
        """Return what the energies lack to the margin."""
        return F.relu(self.margin - generated_posterior_arr)
