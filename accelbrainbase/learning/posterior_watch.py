"""Tells when one player of an adversarial game has won."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer, check_number
from accelbrainbase.errors import GameOverWarning
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.state import LearningState


class PosteriorWatch(Callback):
    """Warns once when a mean posterior has been at 0 or 1 for many turns.

    Then the generator has hardly a gradient to learn from.

    Args:
        column: Column of the history with the posterior of generated data points.
        patience: Number of turns in a row.
        tolerance: How near to 0 or 1 counts as there, in (0, 0.5).
    """

    def __init__(self, column: str, *, patience: int = 100, tolerance: float = 1e-3) -> None:
        self.column = column
        self.patience = check_integer("patience", patience, low=1)
        self.tolerance = check_number("tolerance", tolerance, low=0.0, high=0.5, low_open=True)
        self._stuck_n = 0
        self._warned = False

    def on_train_begin(self, state: LearningState) -> None:  # noqa: ARG002
        """Count from 0."""
        self._stuck_n, self._warned = 0, False

    def on_row_end(self, state: LearningState) -> None:
        """Count, and warn when it is time."""
        posterior = state.losses.get(self.column, 0.5)
        stuck = not self.tolerance < posterior < 1.0 - self.tolerance
        self._stuck_n = self._stuck_n + 1 if stuck else 0
        if self._stuck_n >= self.patience and not self._warned:
            self._warned = True
            winner = "discriminator" if posterior < 0.5 else "generator"
            advice = (
                "Try a smaller learning rate or fewer units for the discriminator, a smaller "
                "`k_step`, one-sided label smoothing, `from_logits=True` for both losses, noise "
                "on the true data points, or a Wasserstein loss with a gradient penalty"
                if winner == "discriminator"
                else "Try more steps (`k_step`) or more units for the discriminator"
            )
            warnings.warn(
                f"The {winner} has won: the mean posterior of generated data points has been "
                f"{posterior:.3g} for {self._stuck_n} turns (turn {state.row}). {advice}.",
                GameOverWarning,
                stacklevel=2,
            )

    def capture(self, state: LearningState) -> tuple[dict[str, np.ndarray], dict[str, Any]]:  # noqa: ARG002
        """Return for how many turns it has been stuck."""
        return {}, {"stuck_n": self._stuck_n, "warned": self._warned}

    def on_resume(
        self,
        state: LearningState,  # noqa: ARG002
        arrays: Mapping[str, np.ndarray],  # noqa: ARG002
        values: Mapping[str, Any],
    ) -> None:
        """Go on counting."""
        self._stuck_n, self._warned = values["stuck_n"], values["warned"]
