"""What losses share whose discriminator gives scores, not probabilities."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase.computableloss._mxnet.discriminator_loss import DiscriminatorLoss


class ScoreLoss(DiscriminatorLoss):
    """A loss whose discriminator gives scores. Implement `true_term` and `generated_term`.

    Args:
        weight: Factor on the loss; `None` is 1.
        batch_axis: The axis of the samples.
        prefix: As in Gluon.
        params: As in Gluon.
    """

    is_probability = False

    def __init__(
        self,
        weight: float | None = None,
        batch_axis: int = 0,
        *,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(weight, batch_axis, prefix=prefix, params=params)

    def posterior(self, judged_arr: nd.NDArray) -> nd.NDArray:
        """Return the scores as they are."""
        return judged_arr
