"""Showing how far a learning has got."""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from typing import Any

from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.state import LearningState


class ProgressBar(Callback):
    """A progress bar with the losses, the learning rate and the data points a second.

    Args:
        show: Whether to show it. If omitted, it shows in a terminal and in a notebook,
            and is quiet elsewhere (in files, pipes, CI).
        seconds: Least time between two changes of what is shown, in seconds.
    """

    def __init__(self, show: bool | None = None, *, seconds: float = 0.2) -> None:
        self.show = show
        self.seconds = seconds
        self._bar: Any = None
        self._begin = self._next = 0.0

    def on_train_begin(self, state: LearningState) -> None:
        """Open the bar."""
        notebook = _in_notebook()
        show = (notebook or _in_terminal()) if self.show is None else self.show
        self._bar = None
        if not show:
            return
        if notebook and find_spec("ipywidgets"):
            from tqdm.notebook import tqdm_notebook as tqdm
        else:
            from tqdm.std import tqdm  # type: ignore[assignment]
        unit = f" {state.history.unit}" if state.steps == state.rows else " step"
        self._bar = tqdm(total=state.steps, unit=unit, mininterval=self.seconds, dynamic_ncols=True)
        self._begin = time.perf_counter()
        self._next = self._begin + self.seconds

    def on_step_end(self, state: LearningState) -> None:
        """Move the bar, a few times a second."""
        if self._bar is not None and time.perf_counter() >= self._next:
            self._refresh(state, state.recent_losses())

    def on_row_end(self, state: LearningState) -> None:
        """Show the losses of the row."""
        if self._bar is not None and time.perf_counter() >= self._next:
            self._refresh(state, {})

    def on_train_end(self, state: LearningState) -> None:
        """Show the last row and close the bar."""
        if self._bar is not None:
            self._refresh(state, {})
            if state.stop_reason is not None:
                self._bar.write(f"stopped: {state.stop_reason}", file=sys.stderr)
            self._bar.close()
            self._bar = None

    def _refresh(self, state: LearningState, recent: dict[str, float]) -> None:
        now = time.perf_counter()
        self._next = now + self.seconds
        shown = {k: v for k, v in state.losses.items() if k != "learning_rate"}
        shown = shown or {f"train_{name}": value for name, value in recent.items()}
        texts = {name: f"{value:.4g}" for name, value in shown.items()}
        if state.learning_rate is not None:
            texts["rate"] = f"{state.learning_rate:.3g}"
        if state.samples and now > self._begin:
            texts["samples/s"] = f"{state.samples / (now - self._begin):.0f}"
        if state.rows != state.steps:
            self._bar.set_description(
                f"{state.history.unit} {state.row}/{state.rows}", refresh=False
            )
        self._bar.set_postfix(texts, refresh=False)
        if not self._bar.update(state.step - self._bar.n):  # else it is drawn already
            self._bar.refresh()


def _in_terminal() -> bool:
    isatty = getattr(sys.stderr, "isatty", None)  # programs without a console have no stderr
    return isatty is not None and bool(isatty())


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return type(shell).__name__ == "ZMQInteractiveShell"
