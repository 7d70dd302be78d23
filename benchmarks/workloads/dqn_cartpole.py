"""Deep Q-learning on CartPole: 256 steps of one environment, then 128 gradient steps.

Network 4-256-256-2, batch 64, Adam, Huber's loss, gradients limited to a norm of 10, the target
network copied every 128 gradient steps: the settings of Stable-Baselines3's zoo, but for the
target network, which it copies every 10 steps of the environment, though nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable

TITLE = "DQN on CartPole, 256 steps and 128 updates"
WARM_UP, REPEAT = 8, 8
GOALS = {"stable_baselines3": 1.5}

STEPS, UPDATES, BATCH, RATE, GAMMA = 256, 128, 64, 2.3e-3, 0.99


def ours() -> Callable[[int], None]:
    """This library, through `learn`."""
    import accelbrainbase as ab  # before MXNet

    # isort: split
    from mxnet import gluon, init

    ab.seed(0)
    network = ab.NeuralNetworks(
        gluon.loss.HuberLoss(), init.Xavier("gaussian", "in", 2), units_list=[256, 256, 2],
        activation_list=["relu", "relu", "identity"],
    )  # fmt: skip
    controller = ab.DeepQNetworkController(
        ab.FunctionApproximator(network), ab.GymnasiumPolicy("CartPole-v1", seed=0),
        learning_rate=RATE, max_gradient_norm=10.0, gamma_value=GAMMA, batch_size=BATCH,
        step_n=STEPS, update_n=UPDATES, target_every=UPDATES, learning_starts=STEPS,
        epsilon=ab.LinearDecay(0.04, 0.04),
    )  # fmt: skip

    def run(n: int) -> None:
        controller.learn(n, callbacks=[ab.ProgressBar(show=False)])

    return run


def stable_baselines3() -> Callable[[int], None]:
    """Stable-Baselines3's DQN, as its users write it."""
    import torch
    from stable_baselines3 import DQN

    torch.set_num_threads(1)
    model = DQN(
        "MlpPolicy", "CartPole-v1", learning_rate=RATE, batch_size=BATCH, buffer_size=100_000,
        learning_starts=STEPS, gamma=GAMMA, target_update_interval=STEPS, train_freq=STEPS,
        gradient_steps=UPDATES, exploration_initial_eps=0.04, exploration_final_eps=0.04,
        policy_kwargs={"net_arch": [256, 256]}, max_grad_norm=10, seed=0, device="cpu",
    )  # fmt: skip
    model.learn(2 * STEPS)

    def run(n: int) -> None:
        model.learn(n * STEPS, reset_num_timesteps=False)

    return run
