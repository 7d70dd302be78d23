"""One epoch of MNIST through a restricted Boltzmann machine: this library and its peers.

    python benchmarks/boltzmann.py --data mnist.npz

784 visible and 500 hidden units, mini-batches of 100, CD-1, momentum 0.5, one thread. All take the
same mini-batches in turn, interleaved, in one process, so the ratios hold on a busy machine too;
absolute times do not. scikit-learn's `BernoulliRBM` learns by persistent contrastive divergence,
without momentum. `products` is MXNet's five matrix products of these shapes and nothing else: what
no machine on MXNet can undercut.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import argparse  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from statistics import median  # noqa: E402

import numpy as np  # noqa: E402

import accelbrainbase as ab  # noqa: E402

VISIBLE, HIDDEN, BATCH = 784, 500, 100
RATE, MOMENTUM = 0.05, 0.5

Run = Callable[[int, int], None]
"""Learns from the images of these numbers."""


def load(path: str | None) -> np.ndarray:
    rng = np.random.default_rng(0)
    if path is None:
        return (rng.random((6000, VISIBLE)) < 0.13).astype(np.float32)
    grey = np.load(path)["x_train"].reshape(-1, VISIBLE) / 255.0
    return (rng.random(grey.shape) < grey).astype(np.float32)


def numpy_steps(images: np.ndarray) -> Run:
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 0.036, (VISIBLE, HIDDEN)).astype(np.float32)
    a, b = np.zeros(VISIBLE, np.float32), np.zeros(HIDDEN, np.float32)
    dw, da, db = np.zeros_like(weight), np.zeros_like(a), np.zeros_like(b)

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-x))

    def run(begin: int, end: int) -> None:
        nonlocal weight, a, b, dw, da, db
        for row in range(begin, end, BATCH):
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


def torch_steps(images: np.ndarray) -> Run | None:
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    data = torch.from_numpy(images)
    weight = torch.randn(HIDDEN, VISIBLE) * 0.036
    a, b = torch.zeros(VISIBLE), torch.zeros(HIDDEN)
    dw, da, db = torch.zeros_like(weight), torch.zeros_like(a), torch.zeros_like(b)

    @torch.no_grad()
    def run(begin: int, end: int) -> None:
        for row in range(begin, end, BATCH):
            v0 = data[row : row + BATCH]
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


def sklearn_steps(images: np.ndarray) -> Run:
    """In the type of the data: images / 255 are float64, as they usually come."""
    from sklearn.neural_network import BernoulliRBM

    rbm = BernoulliRBM(
        n_components=HIDDEN, learning_rate=RATE, batch_size=BATCH, n_iter=1, random_state=0
    )

    def run(begin: int, end: int) -> None:
        rbm.fit(images[begin:end])  # `partial_fit` makes float64 of everything

    return run


class Turns(ab.IteratableData):
    """One epoch; between the turns the others have theirs, and the clock of ours stands still."""

    def __init__(self, arr, turn: int, between: Callable[[int, int], None]) -> None:
        self.arr, self.turn, self.between = arr, turn, between
        self.epochs, self.iter_n = 1, len(arr) // BATCH
        self.seconds: list[float] = []

    def generate_learned_samples(self):
        from mxnet import nd

        for begin in range(0, len(self.arr), self.turn):
            end = begin + self.turn
            nd.waitall()
            start = time.perf_counter()
            for row in range(begin, end, BATCH):
                batch_arr = self.arr[row : row + BATCH]
                yield batch_arr, batch_arr, None, None
            nd.waitall()
            self.seconds.append(time.perf_counter() - start)
            self.between(begin, end)

    def generate_inferenced_samples(self):
        yield from ()


def library_epoch(images: np.ndarray, turn: int, between: Run) -> list[float]:
    """`learn` as a user calls it: loop, history, loss and all. Returns seconds of each turn."""
    from mxnet import nd

    data = nd.array(images)
    rbm = ab.RestrictedBoltzmannMachines(
        ab.L2NormLoss(), visible_dim=VISIBLE, hidden_dim=HIDDEN, learning_rate=RATE,
        momentum=MOMENTUM, ctx=data.context,
    )  # fmt: skip
    quiet = [ab.ProgressBar(show=False)]
    rbm.learn(Turns(data[: 5 * BATCH], 5 * BATCH, lambda *_: None), callbacks=quiet)
    turns = Turns(data, turn, between)
    rbm.learn(turns, callbacks=quiet)
    return turns.seconds


def product_steps(images: np.ndarray) -> Run:
    from mxnet import nd

    data = nd.array(images)
    weight = nd.random.normal(0, 0.036, (HIDDEN, VISIBLE))
    dw = nd.zeros_like(weight)
    hidden = nd.random.uniform(shape=(BATCH, HIDDEN))

    def run(begin: int, end: int) -> None:
        for row in range(begin, end, BATCH):
            v0 = data[row : row + BATCH]
            nd.FullyConnected(v0, weight, num_hidden=HIDDEN, no_bias=True)
            v1 = nd.dot(hidden, weight)
            nd.FullyConnected(v1, weight, num_hidden=HIDDEN, no_bias=True)
            nd.linalg_gemm(hidden, v0, dw, transpose_a=True, alpha=0.1, beta=0.5, out=dw)
            nd.linalg_gemm(hidden, v1, dw, transpose_a=True, alpha=-0.1, beta=1.0, out=dw)
        nd.waitall()

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="mnist.npz; without it, random bits")
    parser.add_argument("--rows", type=int, default=60_000, help="images of the epoch")
    parser.add_argument("--turn", type=int, default=2_000, help="images of one turn")
    options = parser.parse_args()
    images = load(options.data)[: options.rows // options.turn * options.turn]
    contenders = {
        "NumPy": numpy_steps(images),
        "PyTorch": torch_steps(images),
        "scikit-learn, float32": sklearn_steps(images),
        "scikit-learn, float64": sklearn_steps(images.astype(np.float64)),
        "products": product_steps(images),
    }
    runs = {name: run for name, run in contenders.items() if run is not None}
    for run in runs.values():
        run(0, 5 * BATCH)  # warm up
    times: dict[str, list[float]] = {name: [] for name in ["accelbrainbase", *runs]}

    def others(begin: int, end: int) -> None:
        for name, run in runs.items():
            start = time.perf_counter()
            run(begin, end)
            times[name].append(time.perf_counter() - start)

    ours = library_epoch(images, options.turn, others)
    times["accelbrainbase"] = ours
    steps = options.turn // BATCH
    print(f"{len(ours)} turns of {steps} steps, {VISIBLE}-{HIDDEN}, batch {BATCH}, one thread")
    print(f"{'':22}{'ms a step':>20}{'this library is so many times as fast':>42}")
    print(f"{'':22}{'min':>10}{'median':>10}{'min':>21}{'median':>21}")
    for name, seconds in times.items():
        shown = [1000 * f(seconds) / steps for f in (min, median)]
        ratios = [min(seconds) / min(ours), median(s / o for s, o in zip(seconds, ours))]
        print(f"{name:22}{shown[0]:10.2f}{shown[1]:10.2f}{ratios[0]:21.2f}{ratios[1]:21.2f}")
    share = [min(times["products"]) / min(ours),
             median(p / o for p, o in zip(times["products"], ours))]  # fmt: skip
    print(f"share of what MXNet's five products alone reach: {share[0]:.0%} (min), {share[1]:.0%}")
    if "PyTorch" not in runs:
        print("PyTorch is not installed here")


if __name__ == "__main__":
    main()
