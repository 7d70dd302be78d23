"""What the tests of the loop share: a learner in NumPy, its backend, a pretended device."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.callback import Callback


class Learner:
    """Parameters by name, and a rate."""

    def __init__(self, learning_rate: float = 1.0, **parameters: Any) -> None:
        self.learning_rate = learning_rate
        self.parameters = {name: np.array(value, float) for name, value in parameters.items()}


class ArrayBackend(Backend):
    """Copies and restores `learner.parameters`, as one of a tensor library does."""

    def __init__(self, learner: Learner) -> None:
        super().__init__(learner)
        self.restored_n = 0

    def snapshot(self) -> dict[str, np.ndarray] | None:
        arrays = self.learner.parameters
        if not all(np.isfinite(arr).all() for arr in arrays.values()):
            return None
        return {name: arr.copy() for name, arr in arrays.items()}

    def restore(self, snapshot: dict[str, np.ndarray]) -> None:
        self.restored_n += 1
        self.learner.parameters = {name: arr.copy() for name, arr in snapshot.items()}


class OnDevice:
    """A loss that is not fetched yet."""

    def __init__(self, value: Any, step: int) -> None:
        self.value = value
        self.step = step


class DeviceBackend(Backend):
    """Writes down for which steps it waited, and after how many steps it read which ones."""

    def __init__(self) -> None:
        super().__init__()
        self.step = 0  # the test counts it
        self.waited: list[tuple[int, int]] = []
        self.read_log: list[tuple[int, list[int]]] = []

    def loss(self, value: Any = 0.0) -> OnDevice:
        self.step += 1
        return OnDevice(value, self.step)

    def wait(self, value: OnDevice) -> None:
        self.waited.append((self.step, value.step))

    def read(self, values: Any) -> list[np.ndarray]:
        self.read_log.append((self.step, [value.step for value in values]))
        return super().read([value.value for value in values])


class Recorder(Callback):
    """Writes down which hook was called when."""

    def __init__(self, log: list[Any] | None = None, name: str = "") -> None:
        self.log: list[Any] = [] if log is None else log
        self.name = name
        self.state: Any = None

    def _note(self, hook: str, number: int) -> None:
        self.log.append((self.name, hook, number) if self.name else (hook, number))

    def on_train_begin(self, state):
        self.state = state
        self._note("begin", state.step)

    def on_step_end(self, state):
        self._note("step", state.step)

    def on_row_end(self, state):
        self._note("row", state.row)

    def on_train_end(self, state):
        self._note("end", state.step)


class At(Callback):
    """Calls a function at one hook, when the step or row has a number."""

    def __init__(self, hook: str, number: int, function: Any) -> None:
        self.hook, self.number, self.function = hook, number, function

    def _call(self, hook: str, number: int, state: Any) -> None:
        if (hook, number) == (self.hook, self.number):
            self.function(state)

    def on_train_begin(self, state):
        self._call("begin", 0, state)

    def on_step_end(self, state):
        self._call("step", state.step, state)

    def on_row_end(self, state):
        self._call("row", state.row, state)

    def on_train_end(self, state):
        self._call("end", 0, state)
