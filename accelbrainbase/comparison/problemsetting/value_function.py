"""Which model values actions so well that acting by it pays?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer
from accelbrainbase.comparison import calls
from accelbrainbase.comparison.problem_setting import ProblemSetting


class ValueFunction(ProblemSetting):
    """Episodes are played by what a model says is best, and their returns are counted.

    A model acts by `predict(states)`, which returns actions, or by `inference(states)`, which
    returns the values of all actions, shape `(batch, actions)`: the greatest is taken. For other
    models, such as those that value candidates, say how by `act`. A controller learns by `iter_n`
    turns, in the environment that it was given; others must have learned before.

    Measures: `mean return`, `least return`, `mean length` of the episodes.

    Args:
        make_environment: Returns an environment with gymnasium's `reset(seed=…)` and
            `step(action)`.
        episode_n: Number of episodes.
        max_steps: Largest number of steps of an episode; `None`: until it ends.
        act: Chooses an action, by `act(model, state)`.
        iter_n: Number of turns of a controller.
        seed: Seed of the first episode, the next has the next number.

    Raises:
        TypeError: If `make_environment` is no function.
    """

    better: Mapping[str, str] = MappingProxyType(
        {"mean return": "higher", "least return": "higher"}
    )

    def __init__(
        self,
        make_environment: Callable[[], Any],
        *,
        episode_n: int = 20,
        max_steps: int | None = None,
        act: Callable[[Any, Any], Any] | None = None,
        iter_n: int = 1000,
        seed: int = 0,
    ) -> None:
        if not callable(make_environment):
            raise TypeError(
                "`make_environment` must be a function that returns an environment, such as "
                f"`lambda: gymnasium.make('CartPole-v1')`, but got {make_environment!r}."
            )
        self.make_environment = make_environment
        self.episode_n = check_integer("episode_n", episode_n, low=1)
        self.max_steps = None if max_steps is None else check_integer("max_steps", max_steps, low=1)
        self.act = act or greedy
        self.iter_n = check_integer("iter_n", iter_n, low=1)
        self.seed = check_integer("seed", seed, low=0)

    def learn(self, model: Any) -> None:
        """Let a controller take its turns, or an estimator fit.

        Args:
            model: The model.
        """
        if not calls.has(model, "learn"):
            super().learn(model)
        model.learn(self.iter_n)

    def returns(self, model: Any) -> tuple[np.ndarray, np.ndarray]:
        """Play the episodes.

        Args:
            model: The model.

        Returns:
            The returns and the lengths of the episodes, each of shape `(episodes,)`.
        """
        environment = self.make_environment()
        played = [self._play(environment, model, self.seed + n) for n in range(self.episode_n)]
        if calls.has(environment, "close"):
            environment.close()
        total, length = zip(*played)
        return np.array(total, dtype=np.float64), np.array(length)

    def _play(self, environment: Any, model: Any, seed: int) -> tuple[float, int]:
        state, _ = environment.reset(seed=seed)
        total, length, ended = 0.0, 0, False
        while not ended and (self.max_steps is None or length < self.max_steps):
            state, reward, terminated, truncated, _ = environment.step(self.act(model, state))
            total, length = total + float(reward), length + 1
            ended = bool(terminated or truncated)
        return total, length

    def quality(self, model: Any) -> dict[str, float]:
        """Measure the returns.

        Args:
            model: The model.

        Returns:
            `mean return`, `least return` and `mean length`.
        """
        total, length = self.returns(model)
        return {
            "mean return": float(total.mean()),
            "least return": float(total.min()),
            "mean length": float(length.mean()),
        }


def greedy(model: Any, state: Any) -> int:
    """Return the action that a model predicts, or the one that it values most.

    Args:
        model: Has `predict`, or `inference`.
        state: One state.

    Returns:
        Number of the action.
    """
    states = np.asarray(state)[np.newaxis]
    if calls.has(model, "predict"):
        return int(np.ravel(calls.to_array(model.predict(states)))[0])
    if not calls.has(model, "inference"):
        raise calls.lacks(model, "`predict`", "`inference`")
    return int(calls.to_array(model.inference(states.astype(np.float32))).reshape(-1).argmax())
