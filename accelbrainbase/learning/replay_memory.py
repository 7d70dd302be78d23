"""What has been experienced, to learn from it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer
from accelbrainbase._described import Described
from accelbrainbase.errors import CheckpointError


class ReplayMemory(Described):
    """The last transitions, of which mini-batches are drawn uniformly, with replacement.

    A transition is: what was observed, the action, the return, the discount of what comes after
    it, and what was observed then. States are kept as they are observed, such as in bytes.

    Args:
        capacity: Number of transitions that are kept; the oldest are overwritten.

    References:
        - Lin, L.-J. (1992). Self-improving reactive agents based on reinforcement learning,
          planning and teaching. Machine Learning, 8, 293-321.
        - Mnih, V., et al. (2013). Playing Atari with deep reinforcement learning.
          arXiv:1312.5602. Algorithm 1.
    """

    #: Whether mini-batches come with weights, and `set_errors` wants to know how wrong values were.
    weighted = False

    def __init__(self, capacity: int = 100_000) -> None:
        self.capacity = check_integer("capacity", capacity, low=1)
        self._arrays: dict[str, np.ndarray] = {}
        self._n = 0

    def __len__(self) -> int:
        """Return the number of transitions that are kept."""
        return min(self._n, self.capacity)

    def append(
        self,
        observed_arr: np.ndarray,
        action_arr: np.ndarray,
        return_arr: np.ndarray,
        discount_arr: np.ndarray,
        next_arr: np.ndarray,
    ) -> None:
        """Keep transitions.

        Args:
            observed_arr: What was observed, shape `(n, *features)`.
            action_arr: Numbers of the actions, shape `(n,)`.
            return_arr: What the actions paid, shape `(n,)`.
            discount_arr: Factor of the value of what was observed then; 0 at the end.
            next_arr: What was observed then, shape `(n, *features)`.
        """
        n = len(observed_arr)
        if not n:
            return
        if not self._arrays:
            # Memory is taken when it is written to.
            shape = (self.capacity, *observed_arr.shape[1:])
            self._arrays = {
                "observed": np.empty(shape, observed_arr.dtype),
                "next": np.empty(shape, observed_arr.dtype),
                "numbers": np.empty((self.capacity, 3), np.float32),
            }
        if n == 1:  # slices are faster than lists of rows
            at = self._n % self.capacity
            rows: Any = slice(at, at + 1)
        else:
            rows = (self._n + np.arange(n)) % self.capacity
        self._arrays["observed"][rows] = observed_arr
        self._arrays["next"][rows] = next_arr
        numbers = self._arrays["numbers"]
        numbers[rows, 0], numbers[rows, 1], numbers[rows, 2] = action_arr, return_arr, discount_arr
        self._n += n
        self._appended(n)

    def _appended(self, n: int) -> None:
        """Hook: called when `n` transitions, at least one, were kept.

        Args:
            n: Number of transitions.
        """

    def sample(self, batch_size: int) -> tuple[np.ndarray, ...]:
        """Draw transitions, by NumPy's global random state.

        Args:
            batch_size: How many.

        Returns:
            What was observed, what was observed then, both of shape `(batch_size, *features)`;
            and the actions, returns and discounts, shape `(batch_size, 3)`.

        Raises:
            ValueError: If nothing was kept yet.
        """
        self._check_any()
        return self._at(np.random.randint(len(self), size=batch_size))

    def _check_any(self) -> None:
        if not self._n:
            raise ValueError("There are no transitions to draw yet. Let `append` keep some first.")

    def _at(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        arrays = self._arrays
        return arrays["observed"][rows], arrays["next"][rows], arrays["numbers"][rows]

    def capture(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return what is kept, for a checkpoint."""
        return {name: arr[: len(self)] for name, arr in self._arrays.items()}, {
            "n": self._n,
            "weighted": self.weighted,
        }

    def resume(self, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> None:
        """Set what `capture` returned. A memory of another capacity keeps the newest it can.

        Raises:
            CheckpointError: If only one of that memory and this has priorities.
        """
        if values.get("weighted", False) != self.weighted:
            with_or_not = "without" if self.weighted else "with"
            raise CheckpointError(
                f"it is of a replay memory {with_or_not} priorities, but here `replay_memory` is a "
                f"`{type(self).__name__}`. Build the controller as that one was, or start afresh."
            )
        n = values["n"]
        kept = len(arrays["numbers"]) if arrays else 0
        rows = np.arange(kept)
        if kept > self.capacity or kept < min(n, self.capacity):  # another capacity
            rows = (n + rows)[-self.capacity :] % kept  # from the oldest on
            n = len(rows)
        self._n = n
        self._arrays = {}
        for name, arr in arrays.items():
            self._arrays[name] = np.empty((self.capacity, *arr.shape[1:]), arr.dtype)
            self._arrays[name][: len(rows)] = arr[rows]
