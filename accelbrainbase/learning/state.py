"""Where a learning stands: what callbacks see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from accelbrainbase.errors import CheckpointError
from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.history import History
from accelbrainbase.learning.losses import Weighted


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
        callbacks: All that take part in the learning, in the order in which they are called.
        later_columns: Columns that some rows have, but not the first ones.
        stop_reason: Why the learning is to end early, or `None`.
        error: The exception that ended the learning, or `None`.
    """

    def __init__(
        self,
        rows: int,
        steps: int,
        history: History,
        backend: Backend,
        callbacks: Sequence[Callback] = (),
        later_columns: Iterable[str] = (),
    ) -> None:
        self.rows = rows
        self.steps = steps
        self.row = 0
        self.step = 0
        self.samples = 0
        self.losses: dict[str, float] = {}
        self.history = history
        self.backend = backend
        self.callbacks = callbacks
        self.later_columns = frozenset(later_columns)
        self.batches_seed: int | None = None
        self.pending_seed: int | None = None
        self.pending: tuple[Mapping[str, np.ndarray], Mapping[str, Any], str] | None = None
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

    def closing_step(self, row: int) -> int:
        """Return the number of the step after which a row closes, ⌈row·steps/rows⌉.

        Args:
            row: Number of the row, from 1.
        """
        return -(-row * self.steps // self.rows)

    @property
    def is_at_row_end(self) -> bool:
        """Whether all that was learned is recorded, up to the planned end of a row."""
        whole = not self.history.interrupted and self.error is None
        return whole and self.step == self.closing_step(self.row)

    def reseed(self, seed: int) -> None:
        """Seed all random numbers that steps draw, from here on.

        Args:
            seed: In [0, 2³²). In `on_train_begin` it counts from the first step on, whatever
                is drawn until then.
        """
        self.pending_seed = seed
        self.backend.reseed(seed)

    def seed_batches(self, seed: int) -> None:
        """Give the mini-batches NumPy and Python random numbers of their own.

        Args:
            seed: In [0, 2³²). It counts in `on_train_begin` only.
        """
        self.batches_seed = seed

    def capture(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return all that `resume_from` needs to go on from here.

        Returns:
            Arrays by name, and what JSON can hold by name.
        """
        arrays, values = self.backend.capture()
        captured: dict[str, Any] = {
            "rows": self.rows,
            "steps": self.steps,
            "row": self.row,
            "step": self.step,
            "samples": self.samples,
            "history": self.history.row_list,
            "backend": values,
            "callbacks": {},
        }
        arrays = {f"backend.{name}": arr for name, arr in arrays.items()}
        for key, callback in self._keyed_callbacks():
            own_arrays, captured["callbacks"][key] = callback.capture(self)
            arrays.update((f"{key}.{name}", arr) for name, arr in own_arrays.items())
        return arrays, captured

    def resume_from(
        self, arrays: Mapping[str, np.ndarray], captured: Mapping[str, Any], source: str
    ) -> None:
        """Let the loop go on from what `capture` returned. For use in `on_train_begin`.

        Args:
            arrays: The arrays.
            captured: The values.
            source: Where they come from, for messages.

        Raises:
            CheckpointError: If it was captured at a place where this learning has no row.
        """
        row, step = captured["row"], captured["step"]
        if row > self.rows or self.closing_step(row) != step:
            raise CheckpointError(
                f"{source} was written after row {row} of {captured['rows']}, step {step} of "
                f"{captured['steps']}, but this learning has {self.rows} rows and {self.steps} "
                f"steps. Use the same data and batch size, and no fewer epochs; or start afresh "
                f"with another path, or `resume=False`."
            )
        self.pending = (arrays, captured, source)

    def apply_pending(self) -> None:
        """Set everything to what `resume_from` was given. The loop calls it."""
        if self.pending is None:
            return
        arrays, captured, source = self.pending
        try:
            self.backend.resume(arrays_below(arrays, "backend"), captured["backend"])
        except CheckpointError as error:
            raise CheckpointError(f"{source}: {error}") from error
        self.row, self.step = captured["row"], captured["step"]
        self.samples = captured["samples"]
        self.history.row_list[:] = captured["history"]
        self.losses = dict(self.history.row_list[-1]) if self.history.row_list else {}
        for key, callback in self._keyed_callbacks():
            if key in captured["callbacks"]:
                callback.on_resume(self, arrays_below(arrays, key), captured["callbacks"][key])

    def _keyed_callbacks(self) -> list[tuple[str, Callback]]:
        counts: Counter[str] = Counter()
        keyed = []
        for callback in self.callbacks:
            name = type(callback).__name__
            keyed.append((f"{name}.{counts[name]}", callback))
            counts[name] += 1
        return keyed

    def recent_losses(self) -> dict[str, float]:
        """Return the losses of a step that is surely computed: reading them does not wait.

        Returns:
            Means over the mini-batch, by name, but of what is `Weighted`; empty before there
            are any.
        """
        if self._settled is None:
            return {}
        settled = {n: v for n, v in self._settled.items() if not isinstance(v, Weighted)}
        means = self.backend.read(list(settled.values()))
        return {name: float(mean.mean()) for name, mean in zip(settled, means)}


def arrays_below(arrays: Mapping[str, np.ndarray], key: str) -> dict[str, np.ndarray]:
    """Return the arrays whose names begin with `key` and a dot, by the rest of their names."""
    cut = len(key) + 1
    return {name[cut:]: arr for name, arr in arrays.items() if name.startswith(f"{key}.")}
