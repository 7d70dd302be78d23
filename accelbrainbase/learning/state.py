"""Where a learning stands: what callbacks see."""

from __future__ import annotations

from typing import Any

from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.history import History


class LearningState:
    """Where a learning stands.

    Attributes:
        rows: Number of rows (epochs, or turns of a controller) that are planned.
        steps: Number of steps that are planned.
        row: Number of rows that are closed and read; in `on_row_end`, the number of the row.
        step: Number of steps done.
        samples: Number of data points seen, or 0 where steps have no mini-batches.
        losses: Values of the row that was closed last, by column.
        history: What was recorded so far.
        backend: Reads losses, copies and restores parameters.
        stop_reason: Why the learning is to end early, or `None`.
        error: The exception that ended the learning, or `None`.
    """

    def __init__(self, rows: int, steps: int, history: History, backend: Backend) -> None:
        self.rows = rows
        self.steps = steps
        self.row = 0
        self.step = 0
        self.samples = 0
        self.losses: dict[str, float] = {}
        self.history = history
        self.backend = backend
        self.stop_reason: str | None = None
        self.error: BaseException | None = None
        self._settled: dict[str, Any] | None = None

    @property
    def learning_rate(self) -> float | None:
        """The learning rate now, or `None` where there is none."""
        return self.backend.learning_rate

    def stop(self, reason: str) -> None:
        """End the learning after the current step.

        Args:
            reason: Why, for people.
        """
        self.stop_reason = reason

    def recent_losses(self) -> dict[str, float]:
        """Return the losses of a step that is surely computed: reading them does not wait.

        Returns:
            Means over the mini-batch, by name; empty before there are any.
        """
        if self._settled is None:
            return {}
        means = self.backend.read(list(self._settled.values()))
        return {name: float(mean.mean()) for name, mean in zip(self._settled, means)}
