"""A step of learning of a dense auto-encoder: 784-256-64-256-784, batch 128, Adam."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.ours import learns

TITLE = "dense auto-encoder 784-256-64, step"
WARM_UP, REPEAT = 30, 100
GOALS = {"torch_eager": 1.0, "gluon": 0.97, "predecessor": 3.0}

BATCH, WIDTHS = 128, (784, 256, 64)


def data(n: int = 20) -> np.ndarray:
    """Mini-batches of noise in [0, 1]."""
    return np.random.default_rng(0).random((n * BATCH, WIDTHS[0]), dtype=np.float32)


def ours() -> Callable[[int], None]:
    """This library, through `learn`, with all that it does beside the step."""
    import accelbrainbase as ab

    def network(units: list[int], last: str) -> ab.NeuralNetworks:
        return ab.NeuralNetworks(
            ab.L2NormLoss(), units_list=units, activation_list=["relu"] * (len(units) - 1) + [last]
        )

    model = ab.AutoEncoder(
        network([256, 64], "identity"), network([256, 784], "sigmoid"), ab.L2NormLoss(),
        optimizer_name="Adam", learning_rate=1e-3,
    )  # fmt: skip
    iterator = ab.ArrayIterator(data(), batch_size=BATCH, epochs=1, seed=0)
    return learns(model, iterator)


def limit() -> Callable[[int], None]:
    """The eleven products of a step, by MXNet, and nothing else."""
    import accelbrainbase  # noqa: F401 - before MXNet

    # isort: split
    from mxnet import nd

    layers = [784, 256, 64, 256, 784]
    weights = [nd.random.normal(0, 0.03, (n, m)) for m, n in zip(layers, layers[1:])]
    inputs = [nd.random.normal(0, 1, (BATCH, m)) for m in layers]

    def run(n: int) -> None:
        for _ in range(n):
            for number, weight in enumerate(weights):
                below, above = inputs[number], inputs[number + 1]
                nd.FullyConnected(below, weight, num_hidden=len(weight), no_bias=True)
                nd.dot(above, below, transpose_a=True)
                if number:
                    nd.dot(above, weight)
        nd.waitall()

    return run


def gluon() -> Callable[[int], None]:
    """The same network and loss in a bare Gluon loop: what the skeleton of learning costs."""
    import accelbrainbase as ab  # before MXNet

    # isort: split
    from mxnet import autograd, gluon, nd

    net = gluon.nn.HybridSequential()
    net.add(
        gluon.nn.Dense(256, activation="relu"), gluon.nn.Dense(64),
        gluon.nn.Dense(256, activation="relu"), gluon.nn.Dense(784, activation="sigmoid"),
    )  # fmt: skip
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    loss = ab.L2NormLoss()
    trainer = gluon.Trainer(net.collect_params(), "Adam", {"learning_rate": 1e-3})
    arr = nd.array(data())
    order = np.random.default_rng(0)

    def run(n: int) -> None:
        done = 0
        while done < n:
            rows = nd.array(order.permutation(arr.shape[0]), dtype=np.int32)
            for begin in range(0, arr.shape[0], BATCH):
                batch = nd.take(arr, rows[begin : begin + BATCH])
                with autograd.record():
                    value = loss(net(batch), batch)
                value.backward()
                trainer.step(BATCH)
                done += 1
                if done == n:
                    break
        nd.waitall()

    return run


def _torch() -> tuple:
    import torch
    from torch import nn

    torch.set_num_threads(1)
    net = nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 64),
        nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid(),
    )  # fmt: skip
    return torch, net


def torch_eager(compiled: bool = False) -> Callable[[int], None]:
    """PyTorch, as a user would write it."""
    torch, net = _torch()
    arr = torch.from_numpy(data())
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def step(batch):
        return torch.sqrt(torch.square(net(batch) - batch).mean(dim=1)).mean()

    compute = torch.compile(step) if compiled else step

    def run(n: int) -> None:
        done = 0
        while done < n:
            for rows in torch.randperm(len(arr)).split(BATCH):
                batch = arr[rows]
                optimizer.zero_grad()
                loss = compute(batch)
                loss.backward()
                optimizer.step()
                done += 1
                if done == n:
                    break
        loss.item()

    return run


def torch_compile() -> Callable[[int], None]:
    """The same, compiled."""
    return torch_eager(compiled=True)


def predecessor() -> Callable[[int], None]:
    """The published 1.1.0."""
    import mxnet as mx

    from accelbrainbase.computableloss._mxnet.l2_norm_loss import L2NormLoss
    from accelbrainbase.iteratable_data import IteratableData
    from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks
    from accelbrainbase.observabledata._mxnet.neuralnetworks.auto_encoder import AutoEncoder

    def network(units: list[int], last: str) -> NeuralNetworks:
        return NeuralNetworks(
            computable_loss=L2NormLoss(), units_list=units, dropout_rate_list=[0.0, 0.0],
            activation_list=["relu", last], hidden_batch_norm_list=[None, None], ctx=mx.cpu(),
        )  # fmt: skip

    model = AutoEncoder(
        encoder=network([256, 64], "identity"), decoder=network([256, 784], "sigmoid"),
        computable_loss=L2NormLoss(), optimizer_name="Adam", learning_rate=1e-3, ctx=mx.cpu(),
    )  # fmt: skip
    arr = mx.nd.array(data())

    class Batches(IteratableData):
        epochs, batch_size = 1, BATCH

        def __init__(self, n: int) -> None:
            self.iter_n = n

        def generate_learned_samples(self):
            for number in range(self.iter_n):
                begin = number * BATCH % arr.shape[0]
                batch = arr[begin : begin + BATCH]
                yield batch, batch, batch, batch

        def generate_inferenced_samples(self):
            yield from ()

    def run(n: int) -> None:
        model.learn(Batches(n))
        mx.nd.waitall()

    return run
