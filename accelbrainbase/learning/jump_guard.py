"""Slows a learning down whose loss jumps up."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from accelbrainbase._checks import check_number
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.state import LearningState

logger = logging.getLogger(__name__)


class JumpGuard(Callback):
    """Halves the learning rate after a row whose training loss jumped up, and says so.

    The rate is not halved again where it would fall below a floor, so it is never 0.

    Args:
        tol: By how much the loss may exceed that of the row before.
        floor: The least rate that halving may lead to.
    """

    def __init__(self, tol: float = 3.0, floor: float = 1e-08) -> None:
        self.tol = check_number("tol", tol, low=0.0)
        self.floor = check_number("est", floor, low=0.0)
        self._last: float | None = None

    def on_train_begin(self, state: LearningState) -> None:  # noqa: ARG002
        """Forget an earlier learning."""
        self._last = None

    def on_row_end(self, state: LearningState) -> None:
        """Compare the row with the one before."""
        loss, last = state.losses.get("train_loss"), self._last
        self._last = loss
        rate = state.learning_rate
        if loss is None or last is None or loss - last <= self.tol or not rate:
            return
        if rate / 2 >= self.floor:
            state.backend.scale_learning_rate(0.5)
            logger.warning(
                "the training loss jumped from %g to %g in %s %d: the learning rate is now %g",
                last, loss, state.history.unit, state.row, rate / 2,
            )  # fmt: skip

    def capture(self, state: LearningState) -> tuple[dict[str, np.ndarray], dict[str, Any]]:  # noqa: ARG002
        """Return the loss of the last row."""
        return {}, {"last": self._last}

    def on_resume(
        self,
        state: LearningState,  # noqa: ARG002
        arrays: Mapping[str, np.ndarray],  # noqa: ARG002
        values: Mapping[str, Any],
    ) -> None:
        """Go on comparing where it was left."""
        self._last = values["last"]
