"""Environments of gymnasium, many side by side."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer
from accelbrainbase._optional import import_optional
from accelbrainbase.errors import CheckpointError
from accelbrainbase.learning.randomness import seed_of
from accelbrainbase.samplabledata.policy_sampler import PolicySampler


class GymnasiumPolicy(PolicySampler):
    """Environments of gymnasium with discrete actions, stepped side by side.

    `step` takes one action for each environment; one that has ended begins its next episode by
    itself. Frames are stacked and pictures prepared by gymnasium's own wrappers: give a function
    that makes the wrapped environment.

    Each episode begins by `reset(seed=…)` with a seed that follows from `seed`, the number of the
    environment and that of the episode. So a learning can go on from a checkpoint: the episode is
    begun again and its actions are repeated. That is exact where an environment follows from the
    seed of `reset` and the actions, as those of gymnasium do.

    As a `PolicySampler` it has a candidate for each action: the state, flat, and the action,
    one-hot. To tell rewards and to look ahead it copies the environments, which must allow that.

    Args:
        env: Name of a registered environment, or a function that makes one.
        env_n: Number of environments.
        seed: Seed of all episodes, at least 0; `None`: drawn from NumPy's global state.
        **kwargs: Arguments of `gymnasium.make`, for a name.

    Raises:
        ImportError: If gymnasium is not installed.
        TypeError: If `env` is neither, or makes a vector environment, or the actions are not
            discrete.

    Attributes:
        observed_arr: What is observed now, shape `(env_n, *features)`: float32, or uint8 where
            that is what the environment gives.
        episode_list: Of each episode that has ended: the number of its environment, its return
            (the sum of rewards), and its length in steps.

    Example:
        >>> policy = GymnasiumPolicy("CartPole-v1", env_n=4, seed=0)
        >>> next_arr, reward_arr, terminated_arr, truncated_arr = policy.step([0, 1, 0, 1])
    """

    def __init__(
        self,
        env: str | Callable[[], Any],
        env_n: int = 1,
        *,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        gymnasium = import_optional("gymnasium", extra="rl", purpose="GymnasiumPolicy")
        vector = gymnasium.vector.VectorEnv
        if isinstance(env, vector):
            raise TypeError(_vector_message(env))
        if not (isinstance(env, str) or callable(env)):
            raise TypeError(
                f"`env` must be the name of an environment or a function that makes one, but got "
                f"{env!r}. For an environment that you have, give `lambda: …` that makes it."
            )
        self._env = env
        self.make_env = partial(gymnasium.make, env, **kwargs) if isinstance(env, str) else env
        self.env_n = check_integer("env_n", env_n, low=1)
        self.seed = (
            int(np.random.randint(2**31)) if seed is None else check_integer("seed", seed, low=0)
        )
        self._env_list = [self.make_env()]
        if isinstance(self._env_list[0], vector):
            raise TypeError(_vector_message(self._env_list[0]))
        self._env_list += [self.make_env() for _ in range(env_n - 1)]
        space = self._env_list[0].action_space
        if not isinstance(space, gymnasium.spaces.Discrete):
            raise TypeError(
                f"`env` must have discrete actions, `gymnasium.spaces.Discrete`, but has {space}."
            )
        self._first_action = int(space.start)
        self._action_n = int(space.n)
        observed = self._env_list[0].observation_space
        if observed.shape is None:
            raise TypeError(f"`env` must give arrays as observations, but gives {observed}.")
        self._dtype = np.dtype(np.uint8 if observed.dtype == np.uint8 else np.float32)
        self.observed_arr = np.zeros((env_n, *observed.shape), dtype=self._dtype)
        self.begin()

    def begin(self) -> None:
        """Begin anew, with the first episode of each environment."""
        self._number_list = [-1] * self.env_n
        self._action_lists: list[list[int]] = [[] for _ in range(self.env_n)]
        self._sum_list = [0.0] * self.env_n
        self._ended_arr = np.zeros(self.env_n, dtype=bool)
        self.episode_list: list[tuple[int, float, int]] = []
        for number in range(self.env_n):
            self._begin_episode(number)

    def _begin_episode(self, number: int) -> None:
        self._number_list[number] += 1
        self._action_lists[number] = []
        self._sum_list[number] = 0.0
        seed = seed_of(self.seed, f"{number}/{self._number_list[number]}")
        self.observed_arr[number] = self._env_list[number].reset(seed=seed)[0]

    # -- deep Q-networks ---------------------------------------------------------------

    @read_only
    def possible_n(self) -> int:  # type: ignore[override]  # here it is not to be chosen
        """Number of candidates: that of the actions."""
        return self._action_n

    @read_only
    def action_n(self) -> int:
        """Number of actions."""
        return self._action_n

    @read_only
    def observed_shape(self) -> tuple[int, ...]:
        """Shape of what is observed of one environment."""
        return self.observed_arr.shape[1:]

    def step(
        self, action_arr: Sequence[int] | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Do one action in each environment. Those that have ended begin anew.

        Args:
            action_arr: Numbers of the actions, from 0, shape `(env_n,)`.

        Returns:
            What is observed next, at the end of an episode too, shape `(env_n, *features)`; the
            rewards; whether the episode has ended; and whether it was cut off: all of shape
            `(env_n,)`. What is observed now, in the next episode where one has ended, is in
            `observed_arr`.
        """
        next_arr = np.empty_like(self.observed_arr)
        reward_arr = np.empty(self.env_n, dtype=np.float32)
        terminated_arr = np.zeros(self.env_n, dtype=bool)
        truncated_arr = np.zeros(self.env_n, dtype=bool)
        ended = []
        for number, env in enumerate(self._env_list):
            action = int(action_arr[number])
            next_arr[number], reward, terminated, truncated, _ = env.step(
                action + self._first_action
            )
            reward_arr[number] = reward
            terminated_arr[number], truncated_arr[number] = terminated, truncated
            self._action_lists[number].append(action)
            self._sum_list[number] += float(reward)
            if terminated or truncated:
                ended.append(number)
        self.observed_arr = next_arr.copy() if ended else next_arr
        for number in ended:
            length = len(self._action_lists[number])
            self.episode_list.append((number, self._sum_list[number], length))
            self._begin_episode(number)
        self._ended_arr = terminated_arr | truncated_arr
        return next_arr, reward_arr, terminated_arr, truncated_arr

    def play(
        self, act: Callable[[np.ndarray], Any], episode_n: int, max_steps: int | None = None
    ) -> np.ndarray:
        """Play whole episodes, equally many in each environment; the open ones are given up.

        Args:
            act: Returns the numbers of the actions, given what is observed.
            episode_n: Number of episodes, at least.
            max_steps: Largest number of steps of each environment, at least 1; what was collected
                in an episode until then counts.

        Returns:
            The returns, in the order of environments, shape `(episodes,)`.

        Raises:
            ValueError: If a number is too small.
        """
        if max_steps is not None:
            check_integer("max_steps", max_steps, low=1)
        each = -(-check_integer("episode_n", episode_n, low=1) // self.env_n)
        returns: list[list[float]] = [[] for _ in range(self.env_n)]
        for number in range(self.env_n):
            self._begin_episode(number)
        steps = 0
        while min(map(len, returns)) < each:
            seen = len(self.episode_list)
            self.step(act(self.observed_arr))
            for number, total, _ in self.episode_list[seen:]:
                returns[number].append(total)
            steps += 1
            if steps == max_steps:
                for number, found in enumerate(returns):
                    if self._action_lists[number]:  # else the last step was that of an end
                        found.append(self._sum_list[number])
                    found += [math.nan] * each
        flat = np.array([found[:each] for found in returns]).reshape(-1)
        return flat[~np.isnan(flat)]

    def render(self) -> np.ndarray:
        """Return a picture of the first environment, shape `(height, width, 3)`.

        Raises:
            ValueError: If it was not made with `render_mode="rgb_array"`.
        """
        picture = self._env_list[0].render()
        if not isinstance(picture, np.ndarray):
            raise ValueError(
                'The environment gives no pictures. Make it with `render_mode="rgb_array"`.'
            )
        return picture

    def another(self, env_n: int, seed: int) -> GymnasiumPolicy:
        """Return a sampler of the same kind of environment, such as for evaluation.

        Args:
            env_n: Number of environments.
            seed: Seed of all episodes.
        """
        return type(self)(self.make_env, env_n, seed=seed)

    # -- candidates --------------------------------------------------------------------

    def draw(self) -> Any:
        """Return a candidate for each action.

        Returns:
            A tuple of states and one-hot actions, shape `(env_n, actions, features + actions)`,
            and the numbers of the actions, shape `(env_n, actions)`.
        """
        n = self._action_n
        flat_arr = self.observed_arr.reshape(self.env_n, 1, -1).astype(np.float32)
        one_hot_arr = np.broadcast_to(np.eye(n, dtype=np.float32), (self.env_n, n, n))
        action_arr = np.concatenate([np.repeat(flat_arr, n, axis=1), one_hot_arr], axis=2)
        return action_arr, np.tile(np.arange(n), (self.env_n, 1))

    def observe_state(self, state_arr: Any, meta_data_arr: Any) -> None:
        """Do nothing: the environments know their states."""

    def observe_reward_value(
        self,
        state_arr: Any,  # noqa: ARG002
        action_arr: Any,
        meta_data_arr: Any = None,  # noqa: ARG002
    ) -> np.ndarray:
        """Tell the rewards of actions, by doing them in copies of the environments.

        Args:
            state_arr: It has no effect: the environments know their states.
            action_arr: The candidates, shape `(env_n, features + actions)`.
            meta_data_arr: The numbers of the actions, shape `(env_n,)`.

        Returns:
            The rewards, shape `(env_n,)`.
        """
        rewards = [
            copy.deepcopy(env).step(int(action) + self._first_action)[1]
            for env, action in zip(self._env_list, self._numbers(action_arr, meta_data_arr))
        ]
        return np.array(rewards, dtype=np.float32)

    def update_state(self, action_arr: Any, meta_data_arr: Any = None) -> tuple[Any, Any]:
        """Do actions.

        Args:
            action_arr: The candidates, shape `(env_n, features + actions)`.
            meta_data_arr: The numbers of the actions, shape `(env_n,)`.

        Returns:
            What is observed then, flat, shape `(env_n, features)`, and `meta_data_arr`.
        """
        next_arr, *_ = self.step(self._numbers(action_arr, meta_data_arr))
        return next_arr.reshape(self.env_n, -1).astype(np.float32), meta_data_arr

    def check_the_end_flag(self, state_arr: Any, meta_data_arr: Any = None) -> np.ndarray:  # noqa: ARG002
        """Tell of each environment whether its episode has ended with the last action."""
        return self._ended_arr

    def _numbers(self, action_arr: Any, meta_data_arr: Any) -> np.ndarray:
        if meta_data_arr is not None:
            return np.asarray(meta_data_arr)
        arr = action_arr.asnumpy() if hasattr(action_arr, "asnumpy") else np.asarray(action_arr)
        return arr[:, -self._action_n :].argmax(axis=1)

    def remember(self) -> Any:
        """Return the environments and what is known of them."""
        kept = {name: copy.copy(value) for name, value in vars(self).items()}
        kept["_action_lists"] = [list(actions) for actions in self._action_lists]
        # The ones that go on are copies: the originals are not touched.
        self._env_list = [copy.deepcopy(env) for env in self._env_list]
        return kept

    # -- checkpoints -------------------------------------------------------------------

    def capture(self) -> dict[str, Any]:
        """Return where the environments are, for a checkpoint."""
        return {
            "seed": self.seed,
            "numbers": list(self._number_list),
            "actions": [list(actions) for actions in self._action_lists],
            "episodes": [list(episode) for episode in self.episode_list],
        }

    def resume(self, values: Mapping[str, Any]) -> None:
        """Go where `capture` was called, by repeating the actions of the open episodes.

        Raises:
            CheckpointError: If there were more or fewer environments.
        """
        if len(values["numbers"]) != self.env_n:
            raise CheckpointError(
                f"it is of {len(values['numbers'])} environments side by side, but here `env_n` is "
                f"{self.env_n}. Build the sampler as that one was."
            )
        self.seed = values["seed"]
        self.episode_list = [tuple(episode) for episode in values["episodes"]]
        for number, (episode, actions) in enumerate(zip(values["numbers"], values["actions"])):
            self._number_list[number] = episode - 1
            self._begin_episode(number)
            for action in actions:
                observed, reward, *_ = self._env_list[number].step(action + self._first_action)
                self.observed_arr[number] = observed
                self._sum_list[number] += float(reward)
            self._action_lists[number] = list(actions)


def _vector_message(env: Any) -> str:
    return (
        f"`env` must make one environment, but is a vector environment of {env.num_envs}. Give "
        f"a function that makes one, or its name, and `env_n={env.num_envs}`: they are "
        f"stepped side by side here."
    )
