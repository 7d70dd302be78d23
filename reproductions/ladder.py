"""Ladder networks on MNIST with few labels, permutation-invariant (Rasmus et al. 2015, table 1).

    python reproductions/ladder.py --data DIR
    python reproductions/ladder.py --data DIR --long --labels 100 1000

`DIR` holds `mnist.npz`. The network is the paper's, 784-1000-500-250-250-250-10, with Adam at
0.002, noise of 0.3, and mini-batches of 100 labelled and 100 unlabelled images. Each seed draws the
labelled images anew, as many of each class. The full ladder, the Γ-model and the baseline (the same
network with noise and batch normalisation, and no denoising) get the same draws. The rate is
constant for two thirds of the epochs, and then falls linearly to 0, as in the paper.

The paper learns 150 epochs, and averages over ten draws. `--epochs` and `--seeds` say how much of
that is run; seeds run in processes of their own, `--jobs` at a time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from _harness import Row, parser, report

UNITS = [1000, 500, 250, 250, 250, 10]
PAPER = {
    ("baseline", 100): "21.74 ± 1.77",
    ("gamma", 100): "3.06 ± 1.44",
    ("full", 100): "1.06 ± 0.37",
    ("baseline", 1000): "5.70 ± 0.20",
    ("gamma", 1000): "1.53 ± 0.10",
    ("full", 1000): "0.84 ± 0.08",
}
NAMES = {"full": "ladder", "gamma": "Γ-model", "baseline": "baseline"}


def ladder(kind: str, rate: float) -> Any:
    """Return a network of the paper."""
    from mxnet import gluon

    import accelbrainbase as ab

    weights = {
        "full": [1000.0, 10.0, 0.1, 0.1, 0.1, 0.1, 0.1],
        "gamma": [0.0] * 6 + [GAMMA_WEIGHT],
        "baseline": [0.0] * 7,
    }[kind]
    cross_entropy = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
    encoder = ab.NeuralNetworks(
        cross_entropy, units_list=UNITS, activation_list=["relu"] * 5 + ["softmax"]
    )
    decoder = ab.NeuralNetworks(cross_entropy, units_list=[*UNITS[-2::-1], 784])
    return ab.LadderNetworks(
        encoder, decoder, gluon.loss.L2Loss(weight=2.0), supervised_loss=cross_entropy,
        denoising_weight_list=weights, optimizer_name="Adam", learning_rate=rate,
    )  # fmt: skip


GAMMA_WEIGHT = 2.0


def falling_rate(epochs: int, rate: float, flat: float) -> Any:
    """Return a callback: the rate is constant for a share of the epochs, then falls to 0."""
    import accelbrainbase as ab

    class Rate(ab.Callback):
        """Sets the rate of the next epoch."""

        model: Any = None

        def on_row_end(self, state: Any) -> None:
            """Set it."""
            left = (epochs - state.row) / max(1.0, epochs * (1.0 - flat))
            self.model.learning_rate = rate * min(1.0, left)

    return Rate()


def run(job: tuple[str, int, int, argparse.Namespace]) -> tuple[str, int, int, float, float]:
    """Learn one network; return its test error in percent, and the minutes it took."""
    kind, label_n, seed, options = job
    import accelbrainbase as ab

    with np.load(options.data / "mnist.npz") as file:
        train, test = (
            file[name].reshape(-1, 784).astype(np.float32) / 255.0 for name in ("x_train", "x_test")
        )
        train_class, test_class = (file[name].astype(int) for name in ("y_train", "y_test"))
    ab.seed(seed)
    generator = np.random.default_rng(seed)
    target = np.full(len(train), -1)
    for digit in range(10):
        rows = generator.choice(np.flatnonzero(train_class == digit), label_n // 10, replace=False)
        target[rows] = digit
    epochs, size = options.epochs, len(train)
    if kind == "baseline":  # its epochs are of as many steps, but only labels count
        epochs, size = max(1, round(options.epochs * options.baseline)), len(train)
    iterator = ab.SemiSupervisedIterator(
        train[:size], target[:size], epochs=epochs, batch_size=100, labeled_batch_size=100,
        seed=seed,
    )  # fmt: skip
    model = ladder(kind, options.rate)
    begin = time.monotonic()
    rate = falling_rate(epochs, options.rate, options.flat)
    rate.model = model

    class Watch(ab.Callback):
        """Prints the error, so that a log tells how far it is."""

        def on_row_end(self, state: Any) -> None:
            """Print it."""
            if state.row % options.every == 0:
                print(kind, label_n, seed, state.row, f"{error_of(model, test, test_class):.2f} %",
                      f"{(time.monotonic() - begin) / 60:.1f} min", flush=True)  # fmt: skip

    model.learn(iterator, callbacks=[ab.ProgressBar(show=False), rate, Watch()])
    error = error_of(model, test, test_class)
    minutes = (time.monotonic() - begin) / 60.0
    print("done", kind, label_n, seed, f"{error:.2f} %", f"{minutes:.1f} min", flush=True)
    return kind, label_n, seed, error, minutes


def error_of(model: Any, test: np.ndarray, test_class: np.ndarray) -> float:
    """Return the share of wrong classes in percent."""
    return 100.0 * float((model.classify(test) != test_class).mean())


def main() -> None:
    """Run all, and report."""
    made = parser(__doc__.splitlines()[0])
    made.add_argument("--labels", type=int, nargs="+", default=[100], help="numbers of labels")
    made.add_argument("--kinds", nargs="+", default=list(NAMES), choices=list(NAMES))
    made.add_argument("--epochs", type=int, help="passes over the 60,000 images")
    made.add_argument("--seeds", type=int, default=2, help="number of draws of labels")
    made.add_argument("--jobs", type=int, default=2, help="processes at a time")
    made.add_argument("--rate", type=float, default=0.002)
    made.add_argument("--flat", type=float, default=2 / 3, help="share of epochs at that rate")
    made.add_argument("--baseline", type=float, default=0.15, help="its share of the epochs")
    made.add_argument("--every", type=int, default=1, help="epochs between two lines of the log")
    options = made.parse_args()
    if options.long:
        options.epochs, options.seeds = options.epochs or 150, max(options.seeds, 10)
    options.epochs = options.epochs or 25
    seeds = [options.seed + number for number in range(options.seeds)]
    jobs = [
        (kind, label_n, seed, options)
        for label_n in options.labels for seed in seeds for kind in options.kinds
    ]  # fmt: skip
    begin = time.monotonic()
    if options.jobs > 1:
        with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=1) as pool:
            found = pool.map(run, jobs, chunksize=1)
    else:
        found = [run(job) for job in jobs]
    rows = []
    for label_n in options.labels:
        for kind in options.kinds:
            errors = [error for k, n, _, error, _ in found if (k, n) == (kind, label_n)]
            mean, deviation = np.mean(errors), np.std(errors, ddof=1) if len(errors) > 1 else 0.0
            each = ", ".join(f"{error:.2f}" for error in errors)
            rows.append(Row(
                f"{NAMES[kind]}, {label_n} labels", "test error, % (mean ± deviation; each draw)",
                f"{mean:.2f} ± {deviation:.2f} ({each})", PAPER.get((kind, label_n)),
                "Rasmus et al. 2015, table 1",
            ))  # fmt: skip
    minutes = (time.monotonic() - begin) / 60.0
    report(
        "ladder", "Ladder networks: MNIST with few labels", rows,
        budget=f"{options.epochs} epochs of 600 steps (baseline "
        f"{max(1, round(options.epochs * options.baseline))}), {minutes:.0f} minutes, "
        f"{options.jobs} cores",
        seeds=seeds, page=options.page,
        notes="The paper learns 150 epochs, and averages over ten draws of labels. Draws differ: "
        "with an unlucky one two digits are taken for each other.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
