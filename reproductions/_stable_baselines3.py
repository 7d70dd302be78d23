"""Stable-Baselines3's DQN on what reinforcement.py learns; `--peer PYTHON` calls it.

    PYTHON reproductions/_stable_baselines3.py cartpole --steps 50000 --seed 0
    PYTHON reproductions/_stable_baselines3.py breakout --steps 100000 --seed 0

PYTHON is that of an environment with `stable-baselines3` and `minatar`, such as the one which
`make bench` builds. It prints JSON: mean returns over 100 fresh episodes of the parameters that
did best in an evaluation during the learning, and of the last, and the returns of the episodes
that were played while learning.

- `cartpole`: the settings of Stable-Baselines3's zoo.
- `breakout`: network, mini-batch, frequency of gradient steps, rate, memory and ε are those of
  reinforcement.py. It has no double DQN.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import gymnasium
import torch
from _breakout import Breakout
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

EVERY = 2560  # steps between two evaluations of 10 episodes on CartPole, as in reinforcement.py


class Convolution(BaseFeaturesExtractor):
    """The network of MinAtar's paper: 16 maps of 3x3; 128 units follow."""

    def __init__(self, observation_space: gymnasium.spaces.Box) -> None:
        channel_n, height, width = observation_space.shape
        super().__init__(observation_space, 16 * (height - 2) * (width - 2))
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(channel_n, 16, 3), torch.nn.ReLU(), torch.nn.Flatten()
        )

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return self.layers(observations)


def cartpole(_: int) -> tuple[Any, dict[str, Any], int]:
    settings = {
        "learning_rate": 2.3e-3, "batch_size": 64, "buffer_size": 100_000,
        "learning_starts": 1000, "gamma": 0.99, "target_update_interval": 10, "train_freq": 256,
        "gradient_steps": 128, "exploration_fraction": 0.16, "exploration_final_eps": 0.04,
        "policy_kwargs": {"net_arch": [256, 256]},
    }  # fmt: skip
    return lambda: gymnasium.make("CartPole-v1"), settings, EVERY


def breakout(steps: int) -> tuple[Any, dict[str, Any], int]:
    settings = {
        "learning_rate": 2.5e-4, "batch_size": 32, "buffer_size": 100_000,
        "learning_starts": min(5000, steps // 10), "gamma": 0.99, "target_update_interval": 4000,
        "train_freq": 4, "gradient_steps": 1, "exploration_fraction": 0.2,
        "exploration_final_eps": 0.1,
        "policy_kwargs": {"net_arch": [128], "features_extractor_class": Convolution},
    }  # fmt: skip
    return Breakout, settings, max(1, steps // 10)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = {"cartpole": cartpole, "breakout": breakout}
    made.add_argument("part", choices=parts)
    made.add_argument("--steps", type=int, required=True)
    made.add_argument("--seed", type=int, default=0)
    options = made.parse_args()
    torch.set_num_threads(1)
    make_env, settings, every = parts[options.part](options.steps)
    learns = Monitor(make_env())
    model = DQN("MlpPolicy", learns, seed=options.seed, device="cpu", **settings)
    with tempfile.TemporaryDirectory() as folder:
        evaluates = Monitor(make_env())
        evaluates.reset(seed=10_000 + options.seed)
        model.learn(
            options.steps,
            callback=EvalCallback(
                evaluates, n_eval_episodes=10, eval_freq=every, best_model_save_path=folder,
                verbose=0,
            ),
        )  # fmt: skip
        means = []
        for one in (DQN.load(Path(folder) / "best_model", device="cpu"), model):
            fresh = make_vec_env(make_env, 1, seed=20_000 + options.seed)
            means.append(float(evaluate_policy(one, fresh, n_eval_episodes=100)[0]))
    returns = [float(total) for total in learns.get_episode_rewards()]
    print(json.dumps({"best": means[0], "last": means[1], "returns": returns}))


if __name__ == "__main__":
    main()
