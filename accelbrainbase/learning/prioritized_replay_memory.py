"""What has been experienced, drawn by how much there is to learn from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from accelbrainbase._checks import check_is_a, check_number
from accelbrainbase.learning.linear_decay import LinearDecay
from accelbrainbase.learning.priority_sums import PrioritySums
from accelbrainbase.learning.replay_memory import ReplayMemory

_CALLABLE: Any = Callable


class PrioritizedReplayMemory(ReplayMemory):
    r"""The last transitions, of which those are drawn more often whose values were more wrong.

    .. math:: P(i) = \frac{p_i^\alpha}{\sum_k p_k^\alpha}, \quad p_i = |\delta_i| + \epsilon, \quad
        w_i = \left(\frac{1}{N P(i)}\right)^\beta \Big/ \max_k w_k

    with the error :math:`\delta_i = Q(s, a) - y` when transition i was learned from last. One that
    was never learned from has the largest priority there is. The weights :math:`w_i`, which the
    controller puts on the losses, undo the bias of such draws, fully where β is 1. The largest
    weight, by which they are divided, is that of all transitions of the memory.

    A mini-batch of k has one transition from each k-th of the sum of priorities. In
    `DeepQNetworkController`, errors become priorities at the end of a turn, all at once.

    Args:
        capacity: Number of transitions that are kept; the oldest are overwritten.
        alpha: How much priorities matter, at least 0: 0 is to draw uniformly.
        beta: How far weights undo the bias, in [0, 1], by the number of transitions seen so far;
            `LinearDecay(0.4, 1.0, 100_000)` if omitted.
        error_offset: ε, above 0, so that transitions without error are drawn too.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has an impossible value.

    Attributes:
        row_arr: Numbers of the transitions that were drawn last, for `set_errors`.

    References:
        - Schaul, T., Quan, J., Antonoglou, I., & Silver, D. (2016). Prioritized experience replay.
          ICLR. Algorithm 1, the proportional variant; equation 1, sections 3.3 and 3.4.

    Example:
        >>> memory = PrioritizedReplayMemory(50_000, beta=LinearDecay(0.4, 1.0, 50_000))
        >>> controller = DeepQNetworkController(
        ...     FunctionApproximator(network), policy_sampler, replay_memory=memory
        ... )
    """

    weighted = True

    def __init__(
        self,
        capacity: int = 100_000,
        *,
        alpha: float = 0.6,
        beta: Callable[[int], float] | None = None,
        error_offset: float = 0.01,
    ) -> None:
        super().__init__(capacity)
        check_is_a("beta", beta, _CALLABLE, optional=True)
        self.alpha = check_number("alpha", alpha, low=0.0)
        self.beta = LinearDecay(0.4, 1.0, 100_000) if beta is None else beta
        self.error_offset = check_number("error_offset", error_offset, low=0.0, low_open=True)
        self.row_arr = np.empty(0, dtype=np.int64)
        self._sums = PrioritySums(self.capacity)  # of p^α
        self._largest = 1.0
        self._seen = 0

    def _appended(self, n: int) -> None:
        rows = (self._n - n + np.arange(n)) % self.capacity
        self._sums.set(rows, self._largest)  # algorithm 1, line 6: the largest priority there is
        self._seen += n

    def sample(self, batch_size: int) -> tuple[np.ndarray, ...]:
        """Draw transitions by their priorities, by NumPy's global random state.

        Args:
            batch_size: How many.

        Returns:
            What was observed, what was observed then, both of shape `(batch_size, *features)`;
            and the actions, returns, discounts and weights, shape `(batch_size, 4)`.

        Raises:
            ValueError: If nothing was kept yet.
        """
        self._check_any()
        places = np.arange(batch_size) + np.random.random_sample(batch_size)  # appendix B.2.1
        rows = self._sums.find(places * (self._sums.total / batch_size))
        self.row_arr = rows
        observed_arr, next_arr, number_arr = self._at(rows)
        # Section 3.4: N and the sum of priorities cancel out.
        ratio_arr = self._sums.least / self._sums.priority_arr[rows]
        weight_arr = ratio_arr ** self.beta(self._seen)
        weighted_arr = np.empty((batch_size, 4), np.float32)
        weighted_arr[:, :3], weighted_arr[:, 3] = number_arr, weight_arr
        return observed_arr, next_arr, weighted_arr

    def set_errors(self, row_arr: np.ndarray, error_arr: np.ndarray) -> None:
        """Let transitions have the priorities of their errors.

        Args:
            row_arr: Numbers of the transitions, as `row_arr` was after `sample`, shape `(n,)`. Of
                one that is named twice, the last error counts.
            error_arr: The errors δ, shape `(n,)`. One that is not finite changes
                nothing.

        Raises:
            ValueError: If there are not as many errors as transitions.
        """
        row_arr, error_arr = np.asarray(row_arr), np.asarray(error_arr, dtype=np.float64)
        if row_arr.shape != error_arr.shape:
            raise ValueError(
                f"`error_arr` must have an error for each transition, shape {row_arr.shape}, but "
                f"has shape {error_arr.shape}. Give the errors of the mini-batch whose numbers "
                f"these are."
            )
        known = np.isfinite(error_arr)
        priority_arr = (np.abs(error_arr[known]) + self.error_offset) ** self.alpha
        self._sums.set(row_arr[known], priority_arr)  # algorithm 1, line 12
        self._largest = self._sums.largest

    def capture(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return what is kept, with priorities, for a checkpoint."""
        arrays, values = super().capture()
        if arrays:
            arrays["priorities"] = self._sums.priority_arr[: len(self)]
        return arrays, {**values, "seen": self._seen, "largest": self._largest}

    def resume(self, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> None:
        """Set what `capture` returned. A memory of another capacity keeps the newest it can.

        Raises:
            CheckpointError: If that memory had no priorities.
        """
        super().resume(arrays, values)
        self._sums = PrioritySums(self.capacity)
        self._largest, self._seen = values["largest"], values["seen"]
        if self._arrays:
            kept = self._arrays.pop("priorities")[: len(self)]
            self._sums.set(np.arange(len(kept)), kept)
