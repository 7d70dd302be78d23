"""A step of a restricted Boltzmann machine 784-500: CD-1, momentum 0.5, batch 100.

All peers take the same mini-batches of binary pixels and record the reconstruction error, as this
library does. scikit-learn's `BernoulliRBM` learns by persistent contrastive divergence, without
momentum, in the float64 that images come in. `limit` is MXNet's five matrix products of these
shapes and nothing else, by its fastest operator, with both gradient products as one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.ours import learns

TITLE = "restricted Boltzmann machine 784-500, CD-1, step"
WARM_UP, REPEAT = 20, 100
GOALS = {"torch_eager": 1.0, "numpy": 1.0, "sklearn": 5.0, "limit": 0.8}

VISIBLE, HIDDEN, BATCH, BATCHES = 784, 500, 100, 60
RATE, MOMENTUM = 0.05, 0.5


def data() -> np.ndarray:
    """Binary pixels, 13 % of them on, as in MNIST."""
    on = np.random.default_rng(0).random((BATCHES * BATCH, VISIBLE)) < 0.13
    return on.astype(np.float32)


def _turns(n: int) -> range:
    """Return the first rows of `n` mini-batches."""
    return range(0, n * BATCH, BATCH)


def ours() -> Callable[[int], None]:
    """This library, through `learn`."""
    import accelbrainbase as ab

    rbm = ab.RestrictedBoltzmannMachines(
        ab.L2NormLoss(), visible_dim=VISIBLE, hidden_dim=HIDDEN, learning_rate=RATE,
        momentum=MOMENTUM,
    )  # fmt: skip
    return learns(rbm, ab.ArrayIterator(data(), batch_size=BATCH, epochs=1, seed=0))


def limit() -> Callable[[int], None]:
    """The five products of a step, by MXNet."""
    import accelbrainbase  # noqa: F401 - before MXNet

    # isort: split
    from mxnet import nd

    arr = nd.array(data())
    weight = nd.random.normal(0, 0.036, (HIDDEN, VISIBLE))
    transposed = weight.T.copy()
    hidden = nd.random.uniform(shape=(BATCH, HIDDEN))
    left = nd.random.uniform(shape=(HIDDEN, 2 * BATCH))
    right = nd.random.uniform(shape=(VISIBLE, 2 * BATCH))

    def run(n: int) -> None:
        for turn in _turns(n):
            row = turn % len(arr)
            v0 = arr[row : row + BATCH]
            nd.FullyConnected(v0, weight, num_hidden=HIDDEN, no_bias=True)
            v1 = nd.FullyConnected(hidden, transposed, num_hidden=VISIBLE, no_bias=True)
            nd.FullyConnected(v1, weight, num_hidden=HIDDEN, no_bias=True)
            nd.FullyConnected(left, right, num_hidden=VISIBLE, no_bias=True)
        nd.waitall()

    return run


def numpy() -> Callable[[int], None]:
    """NumPy, as a user would write it."""
    images, rng = data(), np.random.default_rng(0)
    weight = rng.normal(0, 0.036, (VISIBLE, HIDDEN)).astype(np.float32)
    a, b = np.zeros(VISIBLE, np.float32), np.zeros(HIDDEN, np.float32)
    dw, da, db = np.zeros_like(weight), np.zeros_like(a), np.zeros_like(b)

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-x))

    def run(n: int) -> None:
        nonlocal weight, a, b, dw, da, db
        for turn in _turns(n):
            row = turn % len(images)
            v0 = images[row : row + BATCH]
            p0 = sigmoid(v0 @ weight + b)
            h0 = (rng.random(p0.shape, dtype=np.float32) < p0).astype(np.float32)
            v1 = sigmoid(h0 @ weight.T + a)
            p1 = sigmoid(v1 @ weight + b)
            dw = MOMENTUM * dw + RATE / BATCH * (v0.T @ p0 - v1.T @ p1)
            da = MOMENTUM * da + RATE / BATCH * (v0 - v1).sum(axis=0)
            db = MOMENTUM * db + RATE / BATCH * (p0 - p1).sum(axis=0)
            weight += dw
            a += da
            b += db
            np.sqrt(np.square(v0 - v1).mean(axis=1))

    return run


def torch_eager() -> Callable[[int], None]:
    """PyTorch, by operators that work in place."""
    import torch

    torch.set_num_threads(1)
    images = torch.from_numpy(data())
    weight = torch.randn(HIDDEN, VISIBLE) * 0.036
    a, b = torch.zeros(VISIBLE), torch.zeros(HIDDEN)
    dw, da, db = torch.zeros_like(weight), torch.zeros_like(a), torch.zeros_like(b)

    @torch.no_grad()
    def run(n: int) -> None:
        for turn in _turns(n):
            row = turn % len(images)
            v0 = images[row : row + BATCH]
            p0 = torch.addmm(b, v0, weight.t()).sigmoid_()
            h0 = (torch.rand_like(p0) < p0).float()
            v1 = torch.addmm(a, h0, weight).sigmoid_()
            p1 = torch.addmm(b, v1, weight.t()).sigmoid_()
            dw.addmm_(p0.t(), v0, beta=MOMENTUM, alpha=RATE / BATCH)
            dw.addmm_(p1.t(), v1, beta=1.0, alpha=-RATE / BATCH)
            weight.add_(dw)
            difference = v0 - v1
            da.mul_(MOMENTUM).add_(difference.sum(0), alpha=RATE / BATCH)
            db.mul_(MOMENTUM).add_((p0 - p1).sum(0), alpha=RATE / BATCH)
            a.add_(da)
            b.add_(db)
            difference.square().mean(1).sqrt()

    return run


def sklearn() -> Callable[[int], None]:
    """scikit-learn's `BernoulliRBM`."""
    from sklearn.neural_network import BernoulliRBM

    images = data().astype(np.float64)
    rbm = BernoulliRBM(
        n_components=HIDDEN, learning_rate=RATE, batch_size=BATCH, n_iter=1, random_state=0
    )

    def run(n: int) -> None:
        for begin in range(0, n, BATCHES):
            rbm.fit(images[: min(BATCHES, n - begin) * BATCH])

    return run
