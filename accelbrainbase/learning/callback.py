"""What may hook into the learning loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from accelbrainbase._checks import check_is_a
from accelbrainbase._described import Described

if TYPE_CHECKING:
    from accelbrainbase.learning.state import LearningState


class Callback(Described):
    """Takes part in a learning without being the learner. Override the hooks you need.

    A callback may call ``state.stop("why")``; the loop then ends after the current step,
    with its row closed.

    Attributes:
        order: Callbacks are called in ascending order of this number, those of one number in
            the order in which they were given.
    """

    order: int = 0

    def on_train_begin(self, state: LearningState) -> None:
        """Hook: before the first step."""

    def on_step_end(self, state: LearningState) -> None:
        """Hook: after each step. The losses may still be being computed."""

    def on_row_end(self, state: LearningState) -> None:
        """Hook: after each row (epoch or turn); its losses are in `state.losses`."""

    def on_train_end(self, state: LearningState) -> None:
        """Hook: after the last step, also when an error or an interrupt ended it.

        It is called if `on_train_begin` was, even if that or another callback raised.
        """

    def capture(
        self,
        state: LearningState,  # noqa: ARG002
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Hook: return what a checkpoint must hold of this callback.

        Returns:
            Arrays by name, and what JSON can hold by name.
        """
        return {}, {}

    def on_resume(
        self, state: LearningState, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]
    ) -> None:
        """Hook: set what `capture` returned. Called when a learning goes on."""


def checked_callbacks(callbacks: Iterable[Callback] | None) -> list[Callback]:
    """Return callbacks as a new list.

    Args:
        callbacks: The callbacks; `None` for none.

    Raises:
        TypeError: If they are no list or the like, or one of them is no `Callback`.
    """
    if isinstance(callbacks, Callback):
        raise TypeError(
            f"`callbacks` must be a list, also of one: `[{type(callbacks).__name__}(…)]`."
        )
    check_is_a("callbacks", callbacks, Iterable, optional=True)
    callback_list = list(callbacks or ())
    for callback in callback_list:
        check_is_a("callbacks", callback, Callback)
    return callback_list
