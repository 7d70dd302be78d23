"""Stopping when nothing improves any more."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from accelbrainbase._checks import check_choice, check_integer, check_number
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.state import LearningState

logger = logging.getLogger(__name__)


class EarlyStopping(Callback):
    """Ends a learning when a loss has stopped improving, and restores the best parameters.

    They are also restored when the learning ends otherwise: after its last step, by Ctrl-C,
    or by an error. Where several rows are read at a time (`read_every`, controllers), those
    of the reading are kept, which may be some steps younger than the row.

    Rows that do not record the column are passed over.

    Args:
        patience: Number of rows without improvement after which the learning ends.
        monitor: Column to watch. If omitted: `test_loss` where the first losses have it, else
            `train_loss`. Patience counts all rows: where few have the column, such as the
            `test_return` of a deep Q-network, let it be a multiple of their distance.
        min_delta: Smallest change that counts as an improvement.
        mode: `"min"` if lower is better, `"max"` if higher is (an accuracy).
        restore_best: Whether the parameters of the best row are restored at the end.

    Attributes:
        best_value: The best value of the column.
        best_row: Number of the row where it was reached, from 1; 0 before there is one.
    """

    def __init__(
        self,
        patience: int = 10,
        *,
        monitor: str | None = None,
        min_delta: float = 0.0,
        mode: str = "min",
        restore_best: bool = True,
    ) -> None:
        check_choice("mode", mode, ("min", "max"))
        self.patience = check_integer("patience", patience, low=1)
        self.monitor = monitor
        self.min_delta = check_number("min_delta", min_delta, low=0.0)
        self.mode = mode
        self.restore_best = restore_best
        self.best_value = math.inf if mode == "min" else -math.inf
        self.best_row = 0
        self._best: Any = None
        self._best_step = 0
        self._watched: str | None = None

    def on_train_begin(self, state: LearningState) -> None:  # noqa: ARG002
        """Forget what an earlier learning reached."""
        self.best_value = math.inf if self.mode == "min" else -math.inf
        self.best_row, self._best, self._watched = 0, None, None

    def on_row_end(self, state: LearningState) -> None:
        """Compare the row with the best one.

        Raises:
            ValueError: If the column to watch is not recorded.
        """
        if self._watched is None:
            if not state.losses.keys() - {"learning_rate"}:  # a turn before learning begins
                return
            self._watched = self._column(state)
        value = state.losses.get(self._watched)
        if value is None:  # a row that Ctrl-C cut short has no test
            return
        gain = self.best_value - value if self.mode == "min" else value - self.best_value
        if gain > self.min_delta:
            snapshot = state.backend.snapshot() if self.restore_best else None
            if snapshot is None and self._best is not None:  # they are no longer finite
                return
            self.best_value, self.best_row = value, state.row
            self._best, self._best_step = snapshot, state.step
        else:
            self._stop_if_patience_ended(state)

    def _stop_if_patience_ended(self, state: LearningState) -> None:
        if state.row - self.best_row >= self.patience:
            state.stop(
                f"no improvement for {self.patience} {state.history.unit}s "
                f"(best: {self.best_value:g} in {state.history.unit} {self.best_row})"
            )

    def capture(self, state: LearningState) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the best row, and its parameters."""
        arrays = {} if self._best is None else state.backend.export_snapshot(self._best)
        names = ("best_value", "best_row", "_best_step", "_watched")
        return arrays, {name: getattr(self, name) for name in names}

    def on_resume(
        self, state: LearningState, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]
    ) -> None:
        """Go on watching where it was left."""
        self._best = state.backend.import_snapshot(arrays) if arrays else None
        vars(self).update(values)
        if self._watched is not None:
            self._stop_if_patience_ended(state)

    def on_train_end(self, state: LearningState) -> None:
        """Restore the parameters of the best row, unless nothing was learned since."""
        changed = state.step > self._best_step or state.error is not None
        if self._best is not None and changed:
            state.backend.restore(self._best)
            logger.info("restored the parameters of %s %d", state.history.unit, self.best_row)
        self._best = None

    def _column(self, state: LearningState) -> str:
        name = self.monitor
        if name is None:
            name = "test_loss" if "test_loss" in state.losses else "train_loss"
        columns = {*state.losses, *state.later_columns}
        if name not in columns and not state.history.interrupted:
            raise ValueError(
                f"`monitor` must be a recorded column, but {name!r} is none of {sorted(columns)}."
            )
        return name
