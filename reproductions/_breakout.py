"""MinAtar's Breakout as an environment, for this library and for Stable-Baselines3."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np


class Breakout(gymnasium.Wrapper):
    """MinAtar's Breakout; channels first, in bytes, and at most 1000 steps an episode."""

    def __init__(self) -> None:
        from minatar.gym import BaseEnv

        super().__init__(gymnasium.wrappers.TimeLimit(BaseEnv(game="breakout"), 1000))
        height, width, channel_n = self.env.observation_space.shape
        self.observation_space = gymnasium.spaces.Box(0, 1, (channel_n, height, width), np.uint8)

    def reset(self, **kwargs: Any) -> Any:
        observed, told = self.env.reset(**kwargs)
        return observed.transpose(2, 0, 1).astype(np.uint8), told

    def step(self, action: Any) -> Any:
        observed, *told = self.env.step(action)
        return observed.transpose(2, 0, 1).astype(np.uint8), *told
