"""Returns over several steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer, check_number
from accelbrainbase._described import Described


class NStepReturns(Described):
    r"""Makes transitions over n steps of single steps.

    .. math:: R_t = \sum_{k=0}^{m-1} \gamma^k r_{t+k}, \quad
        y_t = R_t + \gamma^m \max_a Q(s_{t+m}, a)

    m is n, or as many steps as there were until the episode ended: then nothing comes after, or
    was cut off: then the value of the last state counts.

    Args:
        n: Number of steps.
        gamma_value: The discount γ in [0, 1].

    References:
        - Watkins, C. J. C. H. (1989). Learning from delayed rewards. Thesis, Cambridge.
        - Hessel, M., et al. (2018). Rainbow: combining improvements in deep reinforcement
          learning. AAAI. "Multi-step learning".
    """

    def __init__(self, n: int = 1, gamma_value: float = 0.99) -> None:
        self.n = check_integer("n", n, low=1)
        self.gamma_value = check_number("gamma_value", gamma_value, low=0.0, high=1.0)
        self._open: list[list[tuple[Any, int, float]]] = []

    def step(
        self,
        observed_arr: np.ndarray,
        action_arr: np.ndarray,
        reward_arr: np.ndarray,
        next_arr: np.ndarray,
        terminated_arr: np.ndarray,
        truncated_arr: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Take one step of each environment; return the transitions that are complete now.

        Args:
            observed_arr: What was observed, shape `(env_n, *features)`.
            action_arr: Numbers of the actions, shape `(env_n,)`.
            reward_arr: The rewards, shape `(env_n,)`.
            next_arr: What was observed then, shape `(env_n, *features)`.
            terminated_arr: Whether the episode ended, shape `(env_n,)`.
            truncated_arr: Whether it was cut off, shape `(env_n,)`.

        Returns:
            What `ReplayMemory.append` takes.
        """
        if self.n == 1:
            discount_arr = np.where(terminated_arr, 0.0, self.gamma_value)
            return observed_arr, action_arr, reward_arr, discount_arr, next_arr
        if not self._open:
            self._open = [[] for _ in range(len(observed_arr))]
        done: list[tuple[Any, int, float, float, Any]] = []
        for number, steps in enumerate(self._open):
            steps.append((observed_arr[number], int(action_arr[number]), float(reward_arr[number])))
            ended = bool(terminated_arr[number] or truncated_arr[number])
            while len(steps) >= self.n or (ended and steps):
                total = sum(self.gamma_value**k * reward for k, (_, _, reward) in enumerate(steps))
                discount = 0.0 if terminated_arr[number] else self.gamma_value ** len(steps)
                done.append((*steps[0][:2], total, discount, next_arr[number]))
                del steps[0]
        if not done:
            nothing = np.empty(0, np.float32)
            return observed_arr[:0], nothing, nothing, nothing, next_arr[:0]
        columns = list(zip(*done))
        numbers = (np.array(column, np.float32) for column in columns[1:4])
        action_arr, return_arr, discount_arr = numbers
        return np.stack(columns[0]), action_arr, return_arr, discount_arr, np.stack(columns[4])

    def forget(self) -> None:
        """Forget the steps that are not complete: their episodes do not go on."""
        self._open = []

    def capture(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the steps that are not complete, for a checkpoint."""
        steps = [step for steps in self._open for step in steps]
        arrays = {"observed": np.stack([step[0] for step in steps])} if steps else {}
        return arrays, {"steps": [[list(step[1:]) for step in steps] for steps in self._open]}

    def resume(self, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> None:
        """Set what `capture` returned."""
        observed = iter(arrays.get("observed", ()))
        self._open = [
            [(next(observed), action, reward) for action, reward in steps]
            for steps in values["steps"]
        ]
