"""The learning loop: the one algorithm whose step varies."""

from __future__ import annotations

import math
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer, check_is_a, check_number
from accelbrainbase.errors import LearningInterruptedWarning, NonFiniteLossError
from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.callback import Callback, checked_callbacks
from accelbrainbase.learning.history import History
from accelbrainbase.learning.losses import Weighted, by_name
from accelbrainbase.learning.randomness import OwnRandomness
from accelbrainbase.learning.state import LearningState


class LearningLoop:
    """Runs steps, and owns all that is the same whatever a step does.

    That is: counting epochs, recording, attenuating the learning rate, callbacks,
    Ctrl-C, and the guard against losses that are not finite. The loop knows neither
    the loss, nor the optimiser, nor the tensor library, and keeps nothing between runs.

    Losses stay on the device until their row is closed. So that a fast program does not
    run ahead of a slow device without end (each mini-batch that waits takes memory), the
    loop waits for the loss of the step `max_ahead` steps ago, which costs nothing when it
    is long computed.

    Args:
        max_ahead: Largest number of steps that may be waiting for the device.
        snapshot_every: The parameters are copied at the end of a row when at least so many
            steps have passed since the last copy; when a loss is not finite the last copy
            is what the model is left with. `None` keeps no copies.
    """

    def __init__(self, *, max_ahead: int = 16, snapshot_every: int | None = 50) -> None:
        self.max_ahead = check_integer("max_ahead", max_ahead, low=1)
        if snapshot_every is not None:
            snapshot_every = check_integer("snapshot_every", snapshot_every, low=1)
        self.snapshot_every = snapshot_every

    def run(
        self,
        step: Callable[[Any], Any],
        batches: Iterable[Any],
        *,
        rows: int,
        steps: int | None = None,
        evaluate: Callable[[Any], Any] | None = None,
        prepare: Callable[[Any], None] | None = None,
        batch_size: Callable[[Any], int] | None = None,
        attenuate_rate: float = 1.0,
        attenuate_every: int = 50,
        read_every: int = 1,
        callbacks: Iterable[Callback] = (),
        backend: Backend | None = None,
        history: History | None = None,
        later_columns: Iterable[str] = (),
    ) -> History:
        """Learn.

        Row `e` closes after step ⌈e·steps/rows⌉, so there are exactly `rows` rows, also
        when `steps` is no multiple of `rows`.

        Args:
            step: Updates the learner once. It gets a mini-batch and returns losses: a
                number, an array (one entry for each sample), or a mapping of these by name.
                They are read when the row closes: do not change them in place.
            batches: The mini-batches; at most `steps` of them are taken.
            rows: Number of rows to record: epochs, or turns of a controller.
            steps: Number of steps. One for each row if omitted.
            evaluate: Scores held-out data at the end of each row. It gets the last
                mini-batch and returns what `step` returns, or `None` if there is nothing to
                score.
            prepare: Called once, with the first mini-batch, before the first step.
            batch_size: Tells how many data points a mini-batch has, for the rate of progress, and
                for what one number from a step counts in its row.
            attenuate_rate: Factor on the learning rate after each `attenuate_every` rows.
            attenuate_every: Number of rows between two attenuations.
            read_every: Number of rows between two reads of the device. Callbacks hear of
                rows when they are read.
            callbacks: Take part in the learning, in this order.
            backend: Touches the tensors; the one for NumPy if omitted.
            history: Where to record; a new one if omitted.
            later_columns: Names of columns that some rows have, but not the first ones. So a
                callback can tell them from a misspelt name.

        Returns:
            The history.

        Raises:
            TypeError: If an argument is of the wrong kind.
            ValueError: If a number is out of its range.
            NonFiniteLossError: If a loss is infinite or not a number.
        """
        for name, function in (
            ("step", step),
            ("evaluate", evaluate),
            ("prepare", prepare),
            ("batch_size", batch_size),
        ):
            check_is_a(name, function, _CALLABLE, optional=name != "step")
        check_is_a("batches", batches, Iterable)
        check_is_a("backend", backend, Backend, optional=True)
        check_is_a("history", history, History, optional=True)
        plan = _Plan(
            rows=check_integer("rows", rows, low=1),
            steps=check_integer("steps", rows if steps is None else steps, low=1),
            read_every=check_integer("read_every", read_every, low=1),
            attenuate_rate=check_number("attenuate_rate", attenuate_rate, low=0.0),
            attenuate_every=check_integer("attenuate_every", attenuate_every, low=1),
        )
        callback_list = checked_callbacks(callbacks)
        callback_list.sort(key=lambda callback: callback.order)
        run = _Run(
            loop=self,
            plan=plan,
            state=LearningState(
                plan.rows,
                plan.steps,
                History() if history is None else history,
                Backend() if backend is None else backend,
                callback_list,
                later_columns,
            ),
            callbacks=callback_list,
            evaluate=evaluate,
        )
        run.learn(step, iter(batches), prepare, batch_size)
        return run.state.history


@dataclass(frozen=True)
class _Plan:
    rows: int
    steps: int
    read_every: int
    attenuate_rate: float
    attenuate_every: int


@dataclass
class _Row:
    """A closed row whose losses are still on the device."""

    number: int
    first_step: int
    losses: list[dict[str, Any]]
    sizes: list[int]  # data points of each step
    evaluated: dict[str, Any]
    learning_rate: float | None

    @property
    def last_step(self) -> int:
        return self.first_step + len(self.losses) - 1


class _Run:
    """One run of the loop: the state that must not outlive it."""

    def __init__(
        self,
        loop: LearningLoop,
        plan: _Plan,
        state: LearningState,
        callbacks: Sequence[Callback],
        evaluate: Callable[[Any], Any] | None,
    ) -> None:
        self.loop = loop
        self.plan = plan
        self.state = state
        self.callbacks = callbacks
        self.evaluate = evaluate
        self.batch: Any = None
        self.open_losses: list[dict[str, Any]] = []
        self.open_sizes: list[int] = []
        self.open_first_step = 1
        self.closed_rows = 0
        self.unread: list[_Row] = []
        self.ahead: deque[dict[str, Any]] = deque()
        self.good: Any = None
        self.good_step = 0
        self.begun: list[Callback] = []
        self.warning: str | None = None
        self.first: tuple[Any] | None = None  # the first mini-batch, before its step
        # Which of the hooks anybody overrides: calling nothing on every step costs time.
        self.step_callbacks = [
            callback
            for callback in callbacks
            if getattr(callback.on_step_end, "__func__", None) is not Callback.on_step_end
        ]

    # -- the algorithm ---------------------------------------------------------------

    def learn(
        self,
        step: Callable[[Any], Any],
        batches: Iterator[Any],
        prepare: Callable[[Any], None] | None,
        batch_size: Callable[[Any], int] | None,
    ) -> None:
        state = self.state
        state.history.interrupted = False
        try:
            try:
                self._begin_callbacks()
                if state.batches_seed is not None:
                    batches = OwnRandomness(batches, state.batches_seed)
                self._begin(batches, prepare)
                for row in range(state.row + 1, self.plan.rows + 1):
                    if state.stop_reason is not None:
                        break
                    self._learn_row(state.closing_step(row), step, batches, batch_size)
                    if self.open_losses or state.stop_reason is None:
                        self._close_row(row, evaluate=True)
                self._read_rows()
            except KeyboardInterrupt:
                self._interrupted()
                self._read_rows()
        except BaseException as error:
            state.error = error
            raise
        finally:
            self._end_callbacks(self.begun)
        if self.warning is not None:
            _warn(self.warning)

    def _begin_callbacks(self) -> None:
        for callback in self.callbacks:
            self.begun.append(callback)
            callback.on_train_begin(self.state)

    def _end_callbacks(self, callbacks: Sequence[Callback]) -> None:
        if callbacks:
            try:
                callbacks[0].on_train_end(self.state)
            finally:  # the others are told also when this one raises
                self._end_callbacks(callbacks[1:])

    def _learn_row(
        self,
        last_step: int,
        step: Callable[[Any], Any],
        batches: Iterator[Any],
        batch_size: Callable[[Any], int] | None,
    ) -> None:
        state = self.state
        while state.step < last_step and state.stop_reason is None:
            if self.first is not None:
                (self.batch,), self.first = self.first, None
            elif not self._next(batches):
                return
            losses = by_name(step(self.batch))
            self.open_losses.append(losses)
            state.step += 1
            size = 0 if batch_size is None else batch_size(self.batch)
            self.open_sizes.append(size)
            state.samples += size
            self._hold_back(losses)
            for callback in self.step_callbacks:
                callback.on_step_end(state)

    def _next(self, batches: Iterator[Any]) -> bool:
        try:
            self.batch = next(batches)
        except StopIteration:
            self._exhausted()
            return False
        return True

    def _begin(self, batches: Iterator[Any], prepare: Callable[[Any], None] | None) -> None:
        """Look at the first mini-batch, and go to where the learning is to begin."""
        state = self.state
        if state.stop_reason is not None or not self._next(batches):
            return
        self.first = (self.batch,)
        if prepare is not None:
            prepare(self.batch)
        state.apply_pending()
        for _ in range(state.step - 1):
            if not self._next(batches):
                return
        if state.step > 0:
            self.first = None
            self.closed_rows, self.open_first_step = state.row, state.step + 1
            self.good_step = state.step
            if state.pending_seed is not None:
                state.reseed(state.pending_seed)
        if self.loop.snapshot_every is not None:
            self.good = state.backend.snapshot()

    def _hold_back(self, losses: dict[str, Any]) -> None:
        """Wait for a step long past, so that the device is never far behind."""
        self.ahead.append(losses)
        if len(self.ahead) > self.loop.max_ahead:
            settled = self.ahead.popleft()
            for value in settled.values():
                self.state.backend.wait(value.values if isinstance(value, Weighted) else value)
            self.state._settled = settled

    def _close_row(self, number: int, *, evaluate: bool) -> None:
        state, plan = self.state, self.plan
        evaluated: dict[str, Any] = {}
        if evaluate and self.evaluate is not None:
            evaluated = by_name(self.evaluate(self.batch))
        # Ctrl-C may have come between a step and the size of its mini-batch: then as before it.
        sizes = [*self.open_sizes, *(self.open_sizes[-1:] or [0])][: len(self.open_losses)]
        rate = state.learning_rate
        self.unread.append(
            _Row(number, self.open_first_step, self.open_losses, sizes, evaluated, rate)
        )
        self.open_losses, self.open_sizes = [], []
        self.open_first_step = state.step + 1
        self.closed_rows = number
        if number % plan.attenuate_every == 0 and plan.attenuate_rate != 1.0:
            state.backend.scale_learning_rate(plan.attenuate_rate)
        if number % plan.read_every == 0:
            self._read_rows()

    # -- reading what was computed ---------------------------------------------------

    def _read_rows(self) -> None:
        state = self.state
        while self.unread:
            row = self.unread[0]
            values = self._train_values(row) | self._test_values(row)
            if row.learning_rate is not None:
                values["learning_rate"] = row.learning_rate
            del self.unread[0]  # only now: an interrupt before this must not lose the row
            state.row, state.losses = row.number, values
            state.history.append(values)
            for callback in self.callbacks:
                callback.on_row_end(state)
        self._keep_good()

    def _train_values(self, row: _Row) -> dict[str, float]:
        if not row.losses:  # fewer steps than rows: the row repeats the one before
            before = self.state.losses
            return {name: before[name] for name in before if name.startswith("train_")}
        values: dict[str, float] = {}
        bad: dict[str, int] = {}
        for name in dict.fromkeys(name for losses in row.losses for name in losses):
            found = [(n, losses[name]) for n, losses in enumerate(row.losses) if name in losses]
            arrays, mean = self._read(
                [value for _, value in found], [row.sizes[n] for n, _ in found]
            )
            if mean is None:
                continue
            column = f"train_{name}"
            values[column] = mean
            if not math.isfinite(values[column]):
                finite = [bool(np.isfinite(array).all()) for array in arrays]
                first = finite.index(False) if False in finite else -1
                bad[column] = row.first_step + found[first][0]
        if bad:
            column = min(bad, key=bad.__getitem__)
            self._not_finite(column, values[column], row, bad[column])
        return values

    def _test_values(self, row: _Row) -> dict[str, float]:
        values: dict[str, float] = {}
        for name, value in row.evaluated.items():
            column = f"test_{name}"
            _, mean = self._read([value], [1])
            if mean is None:
                continue
            values[column] = mean
            if not math.isfinite(mean):
                self._not_finite(column, mean, row, row.last_step)
        return values

    def _read(
        self, values: Sequence[Any], sizes: Sequence[int]
    ) -> tuple[list[np.ndarray], float | None]:
        """Return what was recorded, and the mean; `None` where all weights are 0."""
        read = self.state.backend.read
        if not any(isinstance(value, Weighted) for value in values):
            arrays = read(values)
            return arrays, _mean(arrays, sizes)
        arrays = read([value.values for value in values])
        weights = np.concatenate(read([value.weights for value in values]))
        total = weights.sum()
        return arrays, float(np.concatenate(arrays) @ weights / total) if total else None

    def _keep_good(self) -> None:
        every, state = self.loop.snapshot_every, self.state
        if every is None or state.step - self.good_step < every:
            return
        snapshot = state.backend.snapshot()
        if snapshot is not None:
            self.good, self.good_step = snapshot, state.step

    # -- early ends ------------------------------------------------------------------

    def _not_finite(self, column: str, value: float, row: _Row, step: int) -> None:
        state = self.state
        if self.good is None:
            left = "No earlier parameters are kept: build the model anew."
        else:
            state.backend.restore(self.good)
            at = f"after step {self.good_step}" if self.good_step else "before the first step"
            left = f"The parameters were set back to what they were {at}."
        rate = row.learning_rate
        shown = "" if rate is None else f", learning rate {rate:g}"
        raise NonFiniteLossError(
            f"`{column}` is {value} in {state.history.unit} {row.number}, "
            f"step {step}{shown}. {left} Try a smaller learning rate, clipped gradients "
            f"(`max_gradient_norm`), or normalised data; check that the data have no NaN.",
            column=column,
            row=row.number,
            iteration=step,
            learning_rate=rate,
        )

    def _exhausted(self) -> None:
        state = self.state
        state.stop("the data ended")
        state.history.interrupted = True
        self.warning = f"the mini-batches ended after {state.step} of {state.steps} steps"

    def _interrupted(self) -> None:
        state = self.state
        state.stop("interrupted")
        state.history.interrupted = True
        row = min(self.closed_rows + 1, state.rows)
        self.warning = (
            f"learning was interrupted in {state.history.unit} {row} of {state.rows}, "
            f"after {state.step} of {state.steps} steps"
        )
        if self.open_losses:  # what the open row has, without waiting for a test
            self._close_row(row, evaluate=False)


# A value, since `Callable` itself is no type to a type checker.
_CALLABLE: Any = Callable


def _mean(arrays: Sequence[np.ndarray], sizes: Sequence[int]) -> float:
    """Return the mean over data points; one number from a step counts for all of its own."""
    values = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    if values.size == 1:  # a turn of a controller
        return float(values[0])
    with np.errstate(all="ignore"):  # what is not finite gets an error of its own
        if len(set(sizes)) > 1 and all(arr.size == 1 for arr in arrays):
            return float(values @ np.array(sizes) / sum(sizes))
        return float(values.mean())


def _warn(message: str) -> None:
    """Warn at the line outside of this package which asked for the learning."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("accelbrainbase."):
        frame, level = frame.f_back, level + 1
    warnings.warn(
        f"{message}; what was learned and recorded until then is kept",
        LearningInterruptedWarning,
        stacklevel=level,
    )
