"""Telling a model that an epoch has ended."""

from __future__ import annotations

from collections.abc import Callable

from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.state import LearningState


class EpochCounter(Callback):
    """Calls a function at the end of each epoch.

    Args:
        ended: The function.
    """

    def __init__(self, ended: Callable[[], None]) -> None:
        self.ended = ended

    def on_row_end(self, state: LearningState) -> None:  # noqa: ARG002
        """Call it."""
        self.ended()
