"""A learning rate that falls in a line."""

from __future__ import annotations

from accelbrainbase._checks import check_number
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.state import LearningState


class FallingRate(Callback):
    r"""Keeps the learning rate for a share of the rows, then lets it fall towards 0 in a line.

    Row r (an epoch, or a turn), counted from 0, of R has the rate

    .. math:: \eta_r = \eta_0 \min\left(1, \frac{R - r}{R (1 - \textrm{flat})}\right)

    so that the last row still learns. It goes with the optimisers of all parts. Afterwards the rate
    stays where it fell to, as with `learning_attenuate_rate`.

    Args:
        flat: Share of the rows at whose rate nothing changes, in [0, 1).

    References:
        - Rasmus, A., et al. (2015). Semi-supervised learning with ladder networks. NIPS.
          Section 4.1: constant for two thirds of the epochs.
    """

    def __init__(self, flat: float = 2 / 3) -> None:
        self.flat = check_number("flat", flat, low=0.0, high=1.0, high_open=True)

    def on_row_end(self, state: LearningState) -> None:
        """Set the rate of the next row."""
        if state.row < state.rows:
            before, now = (self._share(row, state.rows) for row in (state.row - 1, state.row))
            if now != before:
                state.backend.scale_learning_rate(now / before)

    def _share(self, row: int, rows: int) -> float:
        return min(1.0, (rows - row) / (rows * (1.0 - self.flat)))
