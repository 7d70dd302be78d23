"""One iteration of a DCGAN on pictures of 28×28: this library beside PyTorch.

    python benchmarks/adversarial.py

Batch 64, Adam, one step of the discriminator and one of the generator, the same networks, one
thread: 100 → 7×7×64 → 14×14×32 → 28×28×1 with batch normalisation, and its mirror image. Both
take turns in one process, so the ratios hold on a busy machine too; absolute times do not. Both
generate once an iteration, and PyTorch's generator step computes no gradients of the
discriminator either (`requires_grad_(False)`): the algorithm at its best on both sides.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import argparse  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from statistics import median  # noqa: E402

import numpy as np  # noqa: E402

import accelbrainbase as ab  # noqa: E402

BATCH, LATENT = 64, 100
Run = Callable[[int], None]


def pictures() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (10 * BATCH, 1, 28, 28)).astype(np.float32)


def ours() -> Run:
    """Through `learn`, with loop, history, samplers and all."""
    import mxnet as mx
    from mxnet.gluon import nn

    loss, normal = ab.L2NormLoss(), mx.init.Normal(0.02)
    generator = ab.ConvolutionalNeuralNetworks(
        loss, normal,
        input_nn=ab.NeuralNetworks(
            loss, normal, units_list=[64 * 49], activation_list=["relu"],
            hidden_batch_norm_list=[None],
        ),
        input_result_channel=64, input_result_height=7, input_result_width=7,
        hidden_units_list=[
            nn.Conv2DTranspose(32, 4, strides=2, padding=1),
            nn.Conv2DTranspose(1, 4, strides=2, padding=1),
        ],
        hidden_activation_list=["relu", "tanh"], hidden_dropout_rate_list=[0.0, 0.0],
        hidden_batch_norm_list=[nn.BatchNorm(), None],
    )  # fmt: skip
    judge = ab.ConvolutionalNeuralNetworks(
        loss, normal,
        hidden_units_list=[
            nn.Conv2D(32, 4, strides=2, padding=1), nn.Conv2D(64, 4, strides=2, padding=1)
        ],
        hidden_activation_list=["leaky", "leaky"], hidden_dropout_rate_list=[0.0, 0.0],
        hidden_batch_norm_list=[None, nn.BatchNorm()],
        output_nn=ab.NeuralNetworks(
            loss, normal, units_list=[1], activation_list=["identity"]
        ),
    )  # fmt: skip
    true_sampler = ab.TrueSampler()
    true_sampler.iteratorable_data = ab.ArrayIterator(pictures(), batch_size=BATCH, epochs=100)
    controller = ab.GANController(
        true_sampler,
        ab.GenerativeModel(ab.NormalNoiseSampler(shape_tuple=(BATCH, LATENT)), generator),
        ab.DiscriminativeModel(judge),
        ab.GeneratorLoss(from_logits=True), ab.DiscriminatorLoss(from_logits=True),
        optimizer_name="Adam", learning_rate=2e-4, optimizer_params={"beta1": 0.5},
    )  # fmt: skip
    quiet = [ab.ProgressBar(show=False)]

    def run(n: int) -> None:
        controller.learn(n, 1, callbacks=quiet)

    return run


def pytorch() -> Run | None:
    try:
        import torch
        from torch import nn
    except ImportError:
        return None
    torch.set_num_threads(1)
    generator = nn.Sequential(
        nn.Linear(LATENT, 64 * 49), nn.ReLU(), nn.Unflatten(1, (64, 7, 7)),
        nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(32),
        nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    judge = nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.01), nn.Conv2d(32, 64, 4, 2, 1),
        nn.LeakyReLU(0.01), nn.BatchNorm2d(64), nn.Flatten(), nn.Linear(64 * 49, 1),
    )  # fmt: skip
    rates = {"lr": 2e-4, "betas": (0.5, 0.999)}
    for_generator = torch.optim.Adam(generator.parameters(), **rates)
    for_judge = torch.optim.Adam(judge.parameters(), **rates)
    loss = nn.functional.softplus
    data = torch.from_numpy(pictures())

    def run(n: int) -> None:
        for step in range(n):
            begin = step % 10 * BATCH
            true = data[begin : begin + BATCH]
            fake = generator(torch.randn(BATCH, LATENT))
            for_judge.zero_grad()
            (loss(-judge(true)).mean() + loss(judge(fake.detach())).mean()).backward()
            for_judge.step()
            judge.requires_grad_(False)
            for_generator.zero_grad()
            loss(-judge(fake)).mean().backward()
            for_generator.step()
            judge.requires_grad_(True)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--iterations", type=int, default=20, help="iterations of a turn")
    options = parser.parse_args()
    contenders = {"accelbrainbase": ours(), "PyTorch": pytorch()}
    runs = {name: run for name, run in contenders.items() if run is not None}
    for run in runs.values():
        run(5)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.turns):
        for name, run in runs.items():
            start = time.perf_counter()
            run(options.iterations)
            times[name].append(time.perf_counter() - start)
    mine = times["accelbrainbase"]
    print(f"{options.turns} turns of {options.iterations} iterations, batch {BATCH}, one thread")
    print(f"{'':16}{'ms an iteration':>20}{'this library is so many times as fast':>42}")
    print(f"{'':16}{'min':>10}{'median':>10}{'min':>21}{'median':>21}")
    for name, seconds in times.items():
        shown = [1000 * f(seconds) / options.iterations for f in (min, median)]
        ratios = [min(seconds) / min(mine), median(s / o for s, o in zip(seconds, mine))]
        print(f"{name:16}{shown[0]:10.1f}{shown[1]:10.1f}{ratios[0]:21.2f}{ratios[1]:21.2f}")
    if "PyTorch" not in runs:
        print("PyTorch is not installed here")


if __name__ == "__main__":
    main()
