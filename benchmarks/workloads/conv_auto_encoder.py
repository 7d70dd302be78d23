"""A step of learning of a convolutional auto-encoder on 28×28, batch 128, Adam.

Convolutions to 16 and 32 channels with strides of 2, and back by transposed convolutions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.ours import learns

TITLE = "convolutional auto-encoder 28×28, 16-32, batch 128, step"
WARM_UP, REPEAT = 10, 30
GOALS = {"torch_eager": 1.5, "predecessor": 1.0}

BATCH, BATCHES = 128, 8


def data(batch: int, n: int = BATCHES) -> np.ndarray:
    """Mini-batches of noise in [0, 1]."""
    return np.random.default_rng(0).random((n * batch, 1, 28, 28), dtype=np.float32)


def run_of(model: Any, arr: np.ndarray, batch: int) -> Callable[[int], None]:
    """Learn for so many steps, through `learn`, with all that it does beside the step."""
    import accelbrainbase as ab

    iterator = ab.ArrayIterator(arr, batch_size=batch, epochs=1, seed=0)
    return learns(model, iterator)


def maps(layers: list[Any], activation_list: list[str]) -> Any:
    """Convolutions of this library."""
    import accelbrainbase as ab

    return ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=layers, hidden_activation_list=activation_list,
        hidden_dropout_rate_list=[0.0] * len(layers),
    )  # fmt: skip


def ours(batch: int = BATCH, batches: int = BATCHES) -> Callable[[int], None]:
    """This library."""
    import accelbrainbase as ab

    # isort: split
    from mxnet.gluon import nn

    model = ab.ConvolutionalAutoEncoder(
        maps(
            [nn.Conv2D(16, 3, strides=2, padding=1), nn.Conv2D(32, 3, strides=2, padding=1)],
            ["relu", "relu"],
        ),
        maps(
            [
                nn.Conv2DTranspose(16, 4, strides=2, padding=1),
                nn.Conv2DTranspose(1, 4, strides=2, padding=1),
            ],
            ["relu", "sigmoid"],
        ),
        ab.L2NormLoss(), tied_weights_flag=False, optimizer_name="Adam", learning_rate=1e-3,
    )  # fmt: skip
    return run_of(model, data(batch, batches), batch)


def torch_run(
    net: Any, step: Any, batch: int, compiled: bool, batches: int = BATCHES
) -> Callable[[int], None]:
    """Learn with PyTorch, `step(batch)` giving the loss."""
    import torch

    arr = torch.from_numpy(data(batch, batches))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    compute = torch.compile(step) if compiled else step

    def run(n: int) -> None:
        done = 0
        while done < n:
            for rows in torch.randperm(len(arr)).split(batch):
                optimizer.zero_grad()
                loss = compute(arr[rows])
                loss.backward()
                optimizer.step()
                done += 1
                if done == n:
                    break
        loss.item()

    return run


def torch_eager(
    batch: int = BATCH, batches: int = BATCHES, compiled: bool = False
) -> Callable[[int], None]:
    """PyTorch, as a user would write it."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Sigmoid(),
    )  # fmt: skip

    def step(arr):
        return torch.sqrt(torch.square(net(arr) - arr).flatten(1).mean(dim=1)).mean()

    return torch_run(net, step, batch, compiled, batches)


def torch_compile(batch: int = BATCH) -> Callable[[int], None]:
    """The same, compiled."""
    return torch_eager(batch, compiled=True)


def predecessor(batch: int = BATCH, batches: int = BATCHES) -> Callable[[int], None]:
    """The published 1.1.0; its last layer has two channels, since one does not run there."""
    import mxnet as mx

    from accelbrainbase.computableloss._mxnet.l2_norm_loss import L2NormLoss
    from accelbrainbase.iteratable_data import IteratableData
    from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
        ConvolutionalNeuralNetworks,
    )
    from accelbrainbase.observabledata._mxnet.convolutionalneuralnetworks.convolutional_auto_encoder import (  # noqa: E501
        ConvolutionalAutoEncoder,
    )

    nn = mx.gluon.nn

    def part(layers: list[Any], activation_list: list[str]) -> Any:
        return ConvolutionalNeuralNetworks(
            computable_loss=L2NormLoss(), hidden_units_list=layers,
            hidden_dropout_rate_list=[0.0, 0.0], hidden_batch_norm_list=[None, None],
            hidden_activation_list=activation_list, ctx=mx.cpu(),
        )  # fmt: skip

    model = ConvolutionalAutoEncoder(
        encoder=part(
            [nn.Conv2D(16, 3, strides=2, padding=1), nn.Conv2D(32, 3, strides=2, padding=1)],
            ["relu", "relu"],
        ),
        decoder=part(
            [
                nn.Conv2DTranspose(16, 4, strides=2, padding=1),
                nn.Conv2DTranspose(2, 4, strides=2, padding=1),
            ],
            ["relu", "sigmoid"],
        ),
        computable_loss=L2NormLoss(), tied_weights_flag=False, optimizer_name="Adam",
        learning_rate=1e-3, ctx=mx.cpu(),
    )  # fmt: skip
    arr = mx.nd.array(np.repeat(data(batch, batches), 2, axis=1))

    class Batches(IteratableData):
        epochs, batch_size = 1, batch

        def __init__(self, n: int) -> None:
            self.iter_n = n

        def generate_learned_samples(self):
            for number in range(self.iter_n):
                begin = number * batch % arr.shape[0]
                rows = arr[begin : begin + batch]
                yield rows, rows, rows, rows

        def generate_inferenced_samples(self):
            yield from ()

    def run(n: int) -> None:
        model.learn(Batches(n))
        mx.nd.waitall()

    return run
