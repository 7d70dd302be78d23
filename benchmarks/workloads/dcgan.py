"""One iteration of a DCGAN on pictures of 28×28, batch 64: a step of each network, Adam.

100 → 7×7×64 → 14×14×32 → 28×28×1 with batch normalisation, and its mirror image. Both sides
generate once an iteration, and PyTorch's generator step computes no gradients of the discriminator
either (`requires_grad_(False)`): the algorithm at its best on both sides.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

TITLE = "DCGAN 28×28, iteration"
WARM_UP, REPEAT = 10, 20
GOALS = {"torch_eager": 1.0}

BATCH, LATENT, RATE, BETA = 64, 100, 2e-4, 0.5


def data() -> np.ndarray:
    """Pictures of noise in [-1, 1]."""
    return np.random.default_rng(0).uniform(-1, 1, (10 * BATCH, 1, 28, 28)).astype(np.float32)


def ours() -> Callable[[int], None]:
    """Through `learn`, with loop, history, samplers and all."""
    import accelbrainbase as ab  # before MXNet

    # isort: split
    from mxnet import init, nd
    from mxnet.gluon import nn

    loss, normal = ab.L2NormLoss(), init.Normal(0.02)
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
        output_nn=ab.NeuralNetworks(loss, normal, units_list=[1], activation_list=["identity"]),
    )  # fmt: skip
    true_sampler = ab.TrueSampler()
    true_sampler.iteratorable_data = ab.ArrayIterator(data(), batch_size=BATCH, epochs=1000)
    controller = ab.GANController(
        true_sampler,
        ab.GenerativeModel(ab.NormalNoiseSampler(shape_tuple=(BATCH, LATENT)), generator),
        ab.DiscriminativeModel(judge),
        ab.GeneratorLoss(from_logits=True), ab.DiscriminatorLoss(from_logits=True),
        optimizer_name="Adam", learning_rate=RATE, optimizer_params={"beta1": BETA},
    )  # fmt: skip

    def run(n: int) -> None:
        controller.learn(n, 1, callbacks=[ab.ProgressBar(show=False)])
        nd.waitall()

    return run


def torch_eager() -> Callable[[int], None]:
    """PyTorch, as a user would write it."""
    import torch
    from torch import nn

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
    rates = {"lr": RATE, "betas": (BETA, 0.999)}
    for_generator = torch.optim.Adam(generator.parameters(), **rates)
    for_judge = torch.optim.Adam(judge.parameters(), **rates)
    loss = nn.functional.softplus
    arr = torch.from_numpy(data())

    def run(n: int) -> None:
        for step in range(n):
            begin = step * BATCH % len(arr)
            true = arr[begin : begin + BATCH]
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
