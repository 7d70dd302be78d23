"""Draws what can be done: the environment of deep Q-learning."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from typing import Any

from accelbrainbase._accessors import Accessors
from accelbrainbase._checks import check_integer
from accelbrainbase.samplable_data import SamplableData


class PolicySampler(Accessors, SamplableData):
    """Draws possible actions, tells their rewards, and moves from state to state.

    It has a state, which is told it by `observe_state`. `draw` returns candidates: what each of
    `possible_n` actions would lead to. A batch is many agents side by side.

    Implement `draw`, `observe_state` and `observe_reward_value`. Subclasses need not call a
    constructor.
    """

    _possible_n: int = 10

    @property
    def possible_n(self) -> int:
        """Number of candidates that `draw` returns for each agent."""
        return self._possible_n

    @possible_n.setter
    def possible_n(self, value: int) -> None:
        self._possible_n = check_integer("possible_n", value, low=1)

    @abstractmethod
    def draw(self) -> Any:
        """Draw what could be done in the state.

        Returns:
            A tuple of candidates, shape `(batch, possible_n, *features)`, and what else is
            known of them, an array of shape `(batch, possible_n, …)`, or `None`.
        """

    @abstractmethod
    def observe_state(self, state_arr: Any, meta_data_arr: Any) -> None:
        """Take over a state.

        Args:
            state_arr: The state, shape `(batch, *features)`.
            meta_data_arr: What else is known of it, shape `(batch, …)`, or `None`.
        """

    @abstractmethod
    def observe_reward_value(
        self, state_arr: Any, action_arr: Any, meta_data_arr: Any = None
    ) -> Any:
        """Tell how good an action is. The state does not change.

        Args:
            state_arr: The state, shape `(batch, *features)`; `None` before the first is known,
                and where a controller does not follow the states.
            action_arr: The candidate, shape `(batch, *features)`.
            meta_data_arr: What else is known of the candidate, shape `(batch, …)`, or `None`.

        Returns:
            The rewards, shape `(batch, 1)` or `(batch,)`.
        """

    def update_state(self, action_arr: Any, meta_data_arr: Any = None) -> tuple[Any, Any]:
        """Hook: do an action.

        Args:
            action_arr: The candidate that was chosen, shape `(batch, *features)`.
            meta_data_arr: What else is known of it, shape `(batch, …)`, or `None`.

        Returns:
            The next state, and what else is known of it. By default the candidate is the next
            state.
        """
        return action_arr, meta_data_arr

    def check_the_end_flag(self, state_arr: Any, meta_data_arr: Any = None) -> Any:  # noqa: ARG002
        """Hook: tell whether a state is the end.

        Args:
            state_arr: The state, shape `(batch, *features)`.
            meta_data_arr: What else is known of it, shape `(batch, …)`, or `None`.

        Returns:
            Whether it is: then a learning that follows the states stops. Or of each agent,
            shape `(batch,)`, where they begin anew by themselves: then what comes after the
            end of an agent counts as worth nothing. (One flag for several agents does not say
            which of them: it values nothing.) By default there is no end.
        """
        return False

    # -- looking ahead -----------------------------------------------------------------

    def look_ahead(self, action_arr: Any, meta_data_arr: Any = None) -> tuple[Any, Any, Any]:
        """Template: draw what could be done after an action. The state stays as it is.

        Args:
            action_arr: The candidate, shape `(batch, *features)`.
            meta_data_arr: What else is known of it, shape `(batch, …)`, or `None`.

        Returns:
            What `draw` returns in the state after the action, and whether that is the end.
        """
        kept = self.remember()
        try:
            state_arr, meta_data_arr = self.update_state(action_arr, meta_data_arr)
            self.observe_state(state_arr, meta_data_arr)
            ended = self.check_the_end_flag(state_arr, meta_data_arr)
            next_action_arr, next_meta_data_arr = self.draw()
        finally:
            self.recall(kept)
        return next_action_arr, next_meta_data_arr, ended

    def remember(self) -> Any:
        """Hook: return what `recall` needs to go back to the state as it is now.

        By default all attributes; arrays, lists, sets and dictionaries are copied, and those
        within them. Other objects are taken to stay as they are: override both hooks where one
        of them is part of the state. Random numbers, and mini-batches of iterators, go on.
        """
        return {name: _copied(value) for name, value in vars(self).items()}

    def recall(self, kept: Any) -> None:
        """Hook: go back to what `remember` returned."""
        for name in [name for name in vars(self) if name not in kept]:
            del self.__dict__[name]
        self.__dict__.update(kept)


def _copied(value: Any) -> Any:
    """Copy an array of any library, and containers of such; return all else as it is."""
    kind = type(value)
    if kind in (list, tuple, set):
        return kind(_copied(entry) for entry in value)
    if kind is deque:
        return deque((_copied(entry) for entry in value), value.maxlen)
    if kind is dict:
        return {key: _copied(entry) for key, entry in value.items()}
    return value.copy() if hasattr(value, "shape") and hasattr(value, "copy") else value
