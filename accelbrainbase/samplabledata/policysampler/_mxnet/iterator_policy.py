"""What policies share whose candidates are the data points of an iterator."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase.samplabledata.iterator_sampler import IteratorSampler
from accelbrainbase.samplabledata.policy_sampler import PolicySampler

_PASSED_OVER_N = 100


class IteratorPolicy(IteratorSampler, PolicySampler):
    """Candidates are data points of an iterator; the one that is chosen is the next state.

    Each draw takes `possible_n` mini-batches. Subclasses tell the rewards.
    """

    _state_arr: nd.NDArray | None = None
    _state_meta_data_arr: Any = None
    _first: tuple[Any, int] | None = None

    def draw(self) -> Any:
        """Draw candidates.

        Returns:
            A tuple of candidates, shape `(batch, possible_n, *features)`, and what `_meta_of`
            tells of them.

        Raises:
            ValueError: If there is no iterator.
        """
        batches = [self._next_whole() for _ in range(self.possible_n)]
        action_arr = nd.stack(*[batch[0] for batch in batches], axis=1)
        return action_arr, self._meta_of(action_arr, [batch[1] for batch in batches])

    def _next_whole(self) -> tuple[Any, ...]:
        """Return the next mini-batch that has a data point for each agent.

        The last one of an epoch may be smaller than the others; it is passed over.

        Raises:
            ValueError: If the iterator generates mini-batches of another size now.
        """
        batch = self.next_mini_batch()
        if self._first is None or self._first[0] is not self.iteratorable_data:
            self._first = self.iteratorable_data, len(batch[0])
        for _ in range(_PASSED_OVER_N):
            if len(batch[0]) == self._first[1]:
                return batch
            batch = self.next_mini_batch()
        raise ValueError(
            f"`iteratorable_data` of {type(self).__name__} must generate mini-batches of one size, "
            f"but after the first one, of {self._first[1]} data points, the last "
            f"{_PASSED_OVER_N} had others, such as {len(batch[0])}. For another `batch_size` build "
            f"another iterator, and set it here."
        )

    def _meta_of(self, action_arr: nd.NDArray, target_list: list[nd.NDArray]) -> Any:  # noqa: ARG002
        """Hook: return what else is known of the candidates; by default `None`.

        Args:
            action_arr: The candidates, shape `(batch, possible_n, *features)`.
            target_list: The targets of the mini-batches, each of shape `(batch, …)`.
        """
        return None

    def observe_state(self, state_arr: Any, meta_data_arr: Any) -> None:
        """Take over a state: a data point for each agent.

        Args:
            state_arr: The state, shape `(batch, *features)`.
            meta_data_arr: What else is known of it, or `None`.
        """
        self._state_arr, self._state_meta_data_arr = state_arr, meta_data_arr

    def remember(self) -> Any:
        """Return the state. The draws of the iterator go on."""
        return self._state_arr, self._state_meta_data_arr

    def recall(self, kept: Any) -> None:
        """Go back to the state that `remember` returned."""
        self._state_arr, self._state_meta_data_arr = kept
