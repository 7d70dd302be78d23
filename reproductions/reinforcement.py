"""Deep Q-networks: CartPole, CartPole without velocities, and MinAtar's Breakout.

    python reproductions/reinforcement.py cartpole
    python reproductions/reinforcement.py networks
    python reproductions/reinforcement.py breakout --frames 500000 --peer PYTHON

Each part writes a section of docs/reproductions.md:

- `cartpole`: CartPole-v1 with one setting, 50,000 steps, five seeds. The parameters that did best
  in an evaluation during the learning are evaluated on 100 fresh episodes, and the last ones too.
- `networks`: networks as functional equivalents on CartPole without velocities, where what is to be
  done cannot be told from one observation: dense on the last observation, dense, convolutional and
  recurrent ones on the last observations.
- `breakout`: MinAtar's Breakout (package `minatar`) with convolutions and with a MobileNetV2.

With `--peer PYTHON`, that of an environment with `stable-baselines3` and `minatar`, its DQN learns
CartPole with the settings of its zoo, and Breakout with the same network, mini-batches and
frequency of gradient steps.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _breakout import Breakout
from _harness import Row, parser, report

import accelbrainbase as ab

# isort: split
import gymnasium
import mxnet as mx
from mxnet import gluon

QUIET = [ab.ProgressBar(show=False)]
LOSS = gluon.loss.HuberLoss()

#: The one setting of CartPole. Steps are those of all environments together.
CARTPOLE: dict[str, Any] = {
    "units": [128, 128],
    "learning_rate": 1e-3,
    "learning_attenuate_rate": 0.95,
    "attenuate_epoch": 20,
    "gamma_value": 0.99,
    "n_step": 8,
    "next_value": ab.DoubleNextValue(),
    "epsilon": ab.LinearDecay(1.0, 0.02, 8000),
    "batch_size": 128,
    "update_n": 32,
    "learning_starts": 1000,
    "target_every": 200,
    "memory": 10_000,  # old transitions are of worse behaviour, which returns over n steps tell
}


def he() -> Any:
    return mx.init.Xavier(rnd_type="gaussian", factor_type="in", magnitude=2)


def dense(units: list[int], **kwargs: Any) -> ab.NeuralNetworks:
    activation_list = ["relu"] * (len(units) - 1) + ["identity"]
    return ab.NeuralNetworks(
        LOSS, he(), units_list=units, activation_list=activation_list, **kwargs
    )


def learned(
    network: Any,
    make_env: str | Callable[[], Any],
    seed: int,
    steps: int,
    *,
    env_n: int = 4,
    step_n: int = 16,
    evaluate_every: int = 40,
    memory: int = 100_000,
    **settings: Any,
) -> ab.DeepQNetworkController:
    """Let a network learn for a number of steps of all environments together."""
    controller = ab.DeepQNetworkController(
        ab.FunctionApproximator(network),
        ab.GymnasiumPolicy(make_env, env_n=env_n, seed=seed),
        evaluation_sampler=ab.GymnasiumPolicy(make_env, env_n=10, seed=10_000 + seed),
        evaluate_every=evaluate_every,
        replay_memory=ab.ReplayMemory(memory),
        evaluation_episode_n=10,
        step_n=step_n,
        **settings,
    )
    controller.learn(steps // (env_n * step_n), callbacks=QUIET)
    return controller


def judged(controller: ab.DeepQNetworkController, make_env: Any, seed: int) -> tuple[float, float]:
    """Mean returns over 100 fresh episodes: of the best parameters, and of the last."""
    means = []
    for number in (1, 2):
        fresh = ab.GymnasiumPolicy(make_env, env_n=20, seed=20_000 * number + seed)
        means.append(float(controller.evaluate(100, fresh).mean()))
        controller.restore_best()
    return means[1], means[0]


def returns_by_tenths(returns: Sequence[float]) -> str:
    pieces = np.array_split(np.asarray(returns), 10)
    return " ".join(f"{piece.mean():.1f}" for piece in pieces if len(piece))


def of_peer(options: argparse.Namespace, part: str, steps: int, seed: int) -> dict[str, Any]:
    """Let Stable-Baselines3 learn the same; return what it prints."""
    script = Path(__file__).with_name("_stable_baselines3.py")
    command = [options.peer, script, part, "--steps", str(steps), "--seed", str(seed)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    print("Stable-Baselines3", part, seed, told["best"], told["last"], flush=True)
    return told


# -- CartPole ------------------------------------------------------------------------------


def told(settings: dict[str, Any]) -> str:
    plain = {name: v for name, v in settings.items() if isinstance(v, (int, float, list))}
    return ", ".join(f"{name} {value}" for name, value in plain.items())


def cartpole(options: argparse.Namespace) -> None:
    rows, seeds = [], [options.seed + number for number in range(5)]
    begin = time.monotonic()
    settings = {**CARTPOLE}
    units = settings.pop("units")
    steps = options.steps or 50_000
    for seed in seeds:
        ab.seed(seed)
        controller = learned(dense([*units, 2]), "CartPole-v1", seed, steps, **settings)
        best, last = judged(controller, "CartPole-v1", seed)
        what = f"DQN, dense {'-'.join(map(str, units))}, seed {seed}"
        rows.append(Row(what, "mean return of 100 episodes, best parameters", best, 500.0,
                        "Stable-Baselines3's zoo: 500"))  # fmt: skip
        rows.append(Row(what, "the same, last parameters", last))
        print(what, best, last, flush=True)
    for seed in seeds[:2] if options.peer else ():
        peer = of_peer(options, "cartpole", steps, seed)
        what, source = f"Stable-Baselines3's DQN, seed {seed}", "measured here, its zoo's settings"
        rows.append(Row(what, "mean return of 100 episodes, best parameters", "", peer["best"],
                        source))  # fmt: skip
        rows.append(Row(what, "the same, last parameters", "", peer["last"], source))
    picture = options.page.parent / "reproductions" / "cartpole.gif"
    picture.parent.mkdir(parents=True, exist_ok=True)
    controller.record_gif(
        picture, ab.GymnasiumPolicy("CartPole-v1", seed=7, render_mode="rgb_array"), max_steps=100
    )
    report(
        "reinforcement-cartpole", "Deep Q-network on CartPole", rows,
        budget=f"{steps:,} steps a seed, {(time.monotonic() - begin) / 60:.0f} minutes in all",
        seeds=seeds, page=options.page, pictures=[picture],
        notes=f"Double DQN, 4 environments, 16 steps of each in a turn, ε from 1 to 0.02 in 8000 "
        f"steps; the rest of the setting: {told(CARTPOLE)}. A mean of 475 counts as solved.",
    )  # fmt: skip


# -- networks ------------------------------------------------------------------------------


class Window(gymnasium.Wrapper):
    """CartPole without velocities; the last `n` observations, zeros before the first."""

    def __init__(self, n: int, flat: bool = False) -> None:
        super().__init__(gymnasium.make("CartPole-v1"))
        shape = (n, 2) if n > 1 or not flat else (2,)
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float32)
        self.n = n

    def _seen(self, observed: np.ndarray) -> np.ndarray:
        self.window = np.concatenate([self.window[1:], observed[np.newaxis, [0, 2]]])
        return self.window.reshape(self.observation_space.shape)

    def reset(self, **kwargs: Any) -> Any:
        observed, told = self.env.reset(**kwargs)
        self.window = np.zeros((self.n, 2), np.float32)
        return self._seen(observed), told

    def step(self, action: Any) -> Any:
        observed, *told = self.env.step(action)
        return self._seen(observed), *told


def recurrent(convolution: Any = None, burn_in_n: int = 2) -> ab.CLDNNetworks:
    lstm = ab.LSTMNetworks(
        computable_loss=LOSS, hidden_n=64, dropout_rate=0.0, output_layer_flag=False
    )
    return ab.CLDNNetworks(lstm, dense([64, 2]), LOSS, convolution, burn_in_n=burn_in_n)


def convolutions(layers: list[Any], output_nn: Any = None) -> ab.ConvolutionalNeuralNetworks:
    return ab.ConvolutionalNeuralNetworks(
        LOSS, he(), hidden_units_list=layers, hidden_activation_list=["relu"] * len(layers),
        hidden_dropout_rate_list=[0.0] * len(layers), hidden_batch_norm_list=[None] * len(layers),
        output_nn=output_nn,
    )  # fmt: skip


class Reshaped(gymnasium.ObservationWrapper):
    """Observations in another shape."""

    def __init__(self, env: Any, shape: tuple[int, ...]) -> None:
        super().__init__(env)
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float32)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        return observation.reshape(self.observation_space.shape)


def rows_of(what: str, found: list[tuple[float, float]]) -> list[Row]:
    """Return the rows of a network, given what `judged` returned for each seed."""
    best, last = np.mean(found, axis=0)
    of_seeds = " ".join(f"{one:.0f}" for one, _ in found)
    return [
        Row(what, "mean return of 100 episodes, best parameters", best),
        Row(what, "of each seed", of_seeds),
        Row(what, "mean return of 100 episodes, last parameters", last),
    ]


def networks(options: argparse.Namespace) -> None:
    n = 8
    made: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "dense, the last observation": (lambda: dense([128, 128, 2]), lambda: Window(1, flat=True)),
        f"dense, the last {n}": (lambda: dense([128, 128, 2]), lambda: Window(n)),
        f"convolutional, the last {n}": (
            lambda: convolutions(
                [gluon.nn.Conv2D(32, (3, 2)), gluon.nn.Conv2D(32, (3, 1))], dense([64, 2])
            ),
            lambda: Reshaped(Window(n), (1, n, 2)),
        ),
        f"LSTM, the last {n}": (recurrent, lambda: Window(n)),
        f"CLDNN, the last {n}": (
            lambda: recurrent(convolutions([gluon.nn.Conv2D(16, (1, 2))])),
            lambda: Reshaped(Window(n), (n, 1, 1, 2)),
        ),
    }
    steps = options.steps or 50_000
    seeds = [options.seed + number for number in range(1 if options.short else 3)]
    rows, begin = [], time.monotonic()
    settings = {name: value for name, value in CARTPOLE.items() if name != "units"}
    for what, (network, make_env) in made.items():
        if not any(what.startswith(name) for name in options.network or [what]):
            continue
        found = []
        for seed in seeds:
            ab.seed(seed)
            controller = learned(network(), make_env, seed, steps, **settings)
            found.append(judged(controller, make_env, seed))
            print(what, seed, found[-1], flush=True)
        rows += rows_of(what, found)
    report(
        "reinforcement-networks", "Networks as equivalents: CartPole without velocities", rows,
        budget=f"{steps:,} steps a seed, {(time.monotonic() - begin) / 60:.0f} minutes in all",
        seeds=seeds, page=options.page,
        notes="The setting is that of CartPole. Of recurrent networks, the first two of the "
        "observations bring the state to where it should be and get no gradients.",
    )  # fmt: skip


# -- Breakout ------------------------------------------------------------------------------


def mobile() -> ab.MobileNetV2:
    groups = [
        {"filter_rate": 1, "filter_n": 16, "block_n": 1, "stride": 1},
        {"filter_rate": 4, "filter_n": 24, "block_n": 2, "stride": 2},
        {"filter_rate": 4, "filter_n": 32, "block_n": 1, "stride": 1},
    ]
    return ab.MobileNetV2(
        LOSS, input_filter_n=16, input_strides=(1, 1), bottleneck_dict_list=groups,
        hidden_filter_n=128, pool_size="global", output_nn=dense([6]),
    )  # fmt: skip


def breakout(options: argparse.Namespace) -> None:
    def convolutional() -> ab.ConvolutionalNeuralNetworks:
        """Make the network of MinAtar's paper: 16 maps of 3x3, 128 units."""
        return convolutions([gluon.nn.Conv2D(16, 3)], dense([128, 6]))

    peer_frames = options.peer_frames or options.frames
    made = {
        "convolutional": (convolutional, options.frames),
        "MobileNetV2, reduced strides": (mobile, options.frames // 5),
    }
    if options.peer and peer_frames != options.frames:
        made["convolutional, as long as Stable-Baselines3's"] = (convolutional, peer_frames)
    rows, begin = [], time.monotonic()
    for what, (network, frames) in made.items():
        ab.seed(options.seed)
        controller = learned(
            network(), Breakout, options.seed, frames, env_n=4, step_n=4, update_n=4,
            evaluate_every=max(1, frames // 16 // 10), learning_rate=2.5e-4, batch_size=32,
            learning_starts=min(5000, frames // 10), target_every=1000,
            epsilon=ab.LinearDecay(1.0, 0.1, max(1, frames // 5)),
            next_value=ab.DoubleNextValue(),
        )  # fmt: skip
        best, last = judged(controller, Breakout, options.seed)
        curve = controller.history.column("train_return")
        told = returns_by_tenths(curve[~np.isnan(curve)])
        rows.append(Row(what, f"mean return of 100 episodes after {frames:,} frames", best))
        rows.append(Row(what, "the same, last parameters", last))
        rows.append(Row(what, "returns while learning, by tenths", told))
        print(what, best, last, told, flush=True)
    notes = "Young & Tian (2019) learned for 5 million frames."
    if options.peer:
        peer = of_peer(options, "breakout", peer_frames, options.seed)
        what, source = "Stable-Baselines3's DQN, convolutional", "measured here"
        measure = f"mean return of 100 episodes after {peer_frames:,} frames"
        rows.append(Row(what, measure, "", peer["best"], source))
        rows.append(Row(what, "the same, last parameters", "", peer["last"], source))
        told = returns_by_tenths(peer["returns"])
        rows.append(Row(what, "returns while learning, by tenths", "", told, source))
        notes += " Stable-Baselines3's DQN has the same network, mini-batches, memory, rate, ε and "
        notes += "frequency of gradient steps; this library's is double, in 4 environments."
    report(
        "reinforcement-breakout", "Deep Q-network on MinAtar's Breakout", rows,
        budget=f"{options.frames:,} frames, {(time.monotonic() - begin) / 60:.0f} minutes in all",
        seeds=[options.seed], page=options.page,
        notes=notes,
    )  # fmt: skip


def main() -> None:
    made = parser(__doc__.splitlines()[0], needs_data=False)
    parts = {"cartpole": cartpole, "networks": networks, "breakout": breakout}
    made.add_argument("parts", nargs="+", choices=parts)
    made.add_argument("--steps", type=int, help="steps of CartPole instead of 50,000")
    made.add_argument("--frames", type=int, default=100_000, help="frames of Breakout")
    made.add_argument("--short", action="store_true", help="one seed for the table of networks")
    made.add_argument("--network", nargs="+", help="only networks whose names begin so")
    made.add_argument("--peer", help="Python of an environment with Stable-Baselines3")
    made.add_argument("--peer-frames", type=int, help="its frames of Breakout, if others")
    options = made.parse_args()
    for part in options.parts:
        parts[part](options)


if __name__ == "__main__":
    main()
