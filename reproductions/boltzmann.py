"""Boltzmann machines on MNIST: test log-probability, samples, filters.

    python reproductions/boltzmann.py --data DIRECTORY --model pcd
    python reproductions/boltzmann.py --data DIRECTORY --model dbm --keep dbm.safetensors
    python reproductions/boltzmann.py --data DIRECTORY --model classifier --keep dbm.safetensors

Pixels are binarised once, by sampling, with a fixed seed: grey levels have no log-probability
under these models. Log-probabilities are estimated by annealed importance sampling. `classifier`
unrolls a deep machine that was kept, and fine-tunes it with labels, on grey levels as the paper.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
from _harness import Clock, Row, parser, report, save_grid  # noqa: E402

import accelbrainbase as ab  # noqa: E402

# isort: split
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss  # noqa: E402
from mxnet.initializer import Xavier  # noqa: E402

MODELS = ["pcd", "cd1", "cd25", "dbm", "classifier"]
PAPER = "Salakhutdinov & Murray (2008), table 1"
BATCH = 100


class Budget(ab.Callback):
    """Lets the learning rate fall as time goes by, and ends the learning when it is spent."""

    def __init__(self, model: Any, clock: Clock, rate: Callable[[float], float]) -> None:
        self.model, self.clock, self.rate = model, clock, rate

    def on_step_end(self, state: Any) -> None:
        if state.step % 50 == 0:
            spent = self.clock.spent
            self.model.learning_rate = self.rate(min(spent, 1.0))
            if spent >= 1.0:
                state.stop("the budget is spent")


def binarised(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Training and test images as 0 and 1."""
    arrays, rng = np.load(path / "mnist.npz"), np.random.default_rng(2008)
    grey = [arrays[name].reshape(-1, 784) / 255.0 for name in ("x_train", "x_test")]
    train, test = ((rng.random(arr.shape) < arr).astype(np.float32) for arr in grey)
    return train, test


def mean_log_likelihood(rbm: Any, images: np.ndarray, log_z: float) -> float:
    parts = [images[begin : begin + 1000] for begin in range(0, len(images), 1000)]
    return float(np.mean([rbm.log_likelihood(part, log_z).asnumpy().mean() for part in parts]))


def learn_rbm(kind: str, train: np.ndarray, minutes: float) -> tuple[Any, float, float]:
    """Return the machine, the minutes and the number of epochs that it learned."""
    settings: dict[str, Any] = {
        "pcd": {"persistent": True, "learning_rate": 0.05, "wd": 1e-4},
        "cd1": {"cd_k": 1, "learning_rate": 0.05, "wd": 1e-4},
        "cd25": {"cd_k": {0: 1, 10: 3, 20: 5, 30: 10, 36: 25}, "learning_rate": 0.05, "wd": 1e-4},
    }[kind]
    rbm = ab.RestrictedBoltzmannMachines(
        ab.L2NormLoss(), visible_dim=784, hidden_dim=500, **settings
    )
    clock, rate = Clock(minutes), rbm.learning_rate
    rbm.learn(
        ab.ArrayIterator(train, epochs=10_000, batch_size=BATCH, seed=0),
        callbacks=[Budget(rbm, clock, lambda spent: rate * (1.0 - 0.99 * spent))],
    )
    return rbm, clock.minutes, len(rbm.loss_list)


def rbm_rows(
    kind: str,
    data: tuple[np.ndarray, np.ndarray],
    minutes: float,
    pictures: Path,
    keep: Path | None,
) -> list[Row]:
    train, test = data
    rbm, spent, epochs = learn_rbm(kind, train, minutes)
    log_z = rbm.log_partition("ais", data_arr=train[:10_000], chain_n=100, temperature_n=14_500)
    print(f"{kind}: {epochs} epochs in {spent:.1f} minutes, log Z = {log_z!r}", flush=True)
    on_test, on_train = (mean_log_likelihood(rbm, part, log_z) for part in (test, train[:10_000]))
    what = {"pcd": "PCD", "cd1": "CD-1", "cd25": "CD, k from 1 to 25"}[kind]
    paper = {"pcd": -86.34, "cd1": -125.53, "cd25": -86.34}[kind]
    source = f"{PAPER}: {'CD-1' if kind == 'cd1' else 'CD-25'}"
    samples = rbm.draw(100, steps=2000, mean=True).asnumpy().reshape(-1, 28, 28)
    save_grid(samples, pictures / f"rbm_{kind}_samples.png")
    filters = rbm.weights_arr.asnumpy()[:100].reshape(-1, 28, 28)
    save_grid(
        np.clip(filters, *np.percentile(filters, [1, 99])), pictures / f"rbm_{kind}_filters.png"
    )
    if keep is not None:
        rbm.save_parameters(keep)
    note = f"RBM, 500 hidden, {what}, {epochs} epochs"
    return [
        Row(note, f"test log-probability, nats (± {log_z.error:.2f})", on_test, paper, source),
        Row(note, "training log-probability, nats", on_train),
    ]  # fmt: skip


def deep_machine(rate: float, persistent: bool = False) -> Any:
    machines = [
        ab.RestrictedBoltzmannMachines(
            ab.L2NormLoss(), visible_dim=below, hidden_dim=above, learning_rate=0.05, wd=1e-4,
            persistent=persistent,
        )
        for below, above in ((784, 500), (500, 1000))
    ]  # fmt: skip
    return ab.DeepBoltzmannMachines(
        ab.L2NormLoss(), machines, learning_rate=rate, wd=1e-4, mean_field_steps=5, gibbs_steps=1
    )


def learn_dbm(train: np.ndarray, minutes: float, dbm: Any) -> tuple[float, int]:
    """Return the minutes that a deep machine learned, and the epochs of joint learning."""
    rate = dbm.learning_rate
    whole, parts = Clock(minutes), []
    for machine, share in zip(dbm.rbm_list, (0.1, 0.1)):
        parts.append(Part(machine, share * minutes))
    dbm.pre_learn(
        ab.ArrayIterator(train, epochs=10_000, batch_size=BATCH, seed=0),
        callbacks=[EachInTurn(parts)],
    )
    clock = Clock(minutes - whole.minutes)
    dbm.joint_learn(
        ab.ArrayIterator(train, epochs=10_000, batch_size=BATCH, seed=1),
        callbacks=[Budget(dbm, clock, lambda spent: rate * (1.0 - 0.99 * spent))],
    )
    return whole.minutes, len(dbm.loss_list)


class Part:
    """A machine and how long it may pre-learn."""

    def __init__(self, machine: Any, minutes: float) -> None:
        self.machine, self.minutes = machine, minutes


class EachInTurn(ab.Callback):
    """Gives each machine that pre-learns its own budget."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts, self.budget = list(parts), None

    def on_train_begin(self, state: Any) -> None:  # noqa: ARG002
        part = self.parts.pop(0)
        rate = part.machine.learning_rate
        self.budget = Budget(
            part.machine, Clock(part.minutes), lambda spent: rate * (1.0 - 0.9 * spent)
        )

    def on_step_end(self, state: Any) -> None:
        self.budget.on_step_end(state)


def dbm_rows(
    data: tuple[np.ndarray, np.ndarray],
    minutes: float,
    dbm: Any,
    pictures: Path,
    keep: Path | None,
) -> list[Row]:
    train, test = data
    spent, epochs = learn_dbm(train, minutes, dbm)
    if keep is not None:
        dbm.save_parameters(keep)
    pre = [len(machine.loss_list) for machine in dbm.rbm_list]
    log_z = dbm.log_partition("ais", data_arr=train[:5_000], chain_n=100, temperature_n=14_500)
    print(f"dbm: {pre} + {epochs} epochs in {spent:.1f} minutes, log Z = {log_z!r}", flush=True)

    def bound(images: np.ndarray) -> float | str:
        parts = [images[begin : begin + 1000] for begin in range(0, len(images), 1000)]
        found = [dbm.log_likelihood_bound(p, log_z, steps=30).asnumpy().mean() for p in parts]
        mean = float(np.mean(found))
        return mean if mean <= 0.0 else f"unknown: AIS has missed modes ({mean:.0f} is impossible)"

    samples = dbm.draw(100, steps=2000, mean=True).asnumpy().reshape(-1, 28, 28)
    save_grid(samples, pictures / "dbm_samples.png")
    filters = dbm.rbm_list[0].weights_arr.asnumpy()[:100].reshape(-1, 28, 28)
    save_grid(np.clip(filters, *np.percentile(filters, [1, 99])), pictures / "dbm_filters.png")
    note = f"DBM 500-1000, {pre[0]} and {pre[1]} epochs of pre-learning, {epochs} jointly"
    return [
        Row(
            note, f"test log-probability, lower bound, nats (± {log_z.error:.2f})", bound(test),
            -84.62, "Salakhutdinov & Hinton (2009), table 1",
        ),
        Row(note, "training log-probability, lower bound, nats", bound(train[:10_000])),
    ]  # fmt: skip


def classifier_rows(path: Path, machine: Path, epochs: int) -> list[Row]:
    """Report test errors of an unrolled deep machine, and of the same network from scratch."""
    arrays = np.load(path / "mnist.npz")
    train, test = (
        (arrays[name].reshape(-1, 784) / 255.0).astype(np.float32) for name in ("x_train", "x_test")
    )
    classes, target = arrays["y_test"], np.eye(10, dtype=np.float32)[arrays["y_train"]]
    dbm = deep_machine(0.01)
    dbm.load_parameters(machine)

    def augmented(images: np.ndarray) -> np.ndarray:
        parts = np.split(images, len(images) // 1000)
        return np.concatenate([dbm.augment(part).asnumpy() for part in parts])

    settings = {
        "computable_loss": SoftmaxCrossEntropyLoss(sparse_label=False), "optimizer_name": "Adam",
        "learning_rate": 1e-3,
    }  # fmt: skip
    pre_learned = dbm.unroll_classifier(10, **settings)
    scratch = ab.NeuralNetworks(
        units_list=[500, 1000, 10], activation_list=["relu", "relu", "identity"],
        initializer=Xavier("gaussian", "in", 2), **settings,
    )  # fmt: skip
    rows = []
    for name, network, data in (
        ("DBM 500-1000, unrolled and fine-tuned", pre_learned, (augmented(train), augmented(test))),
        ("784-500-1000-10 with ReLU, from scratch", scratch, (train, test)),
    ):
        first, clock = network.learning_rate, Clock(1.0)
        for epoch in range(epochs):
            network.learning_rate = first * (1.0 - 0.95 * epoch / epochs)
            network.learn(ab.ArrayIterator(data[0], target, epochs=1, batch_size=BATCH, seed=epoch))
        scores = network.inference(data[1]).asnumpy()
        error = 100 * float((scores.argmax(axis=1) != classes).mean())
        print(f"{name}: {error:.2f} % in {clock.minutes:.1f} minutes", flush=True)
        paper = (0.95, "Salakhutdinov & Hinton (2009), table 1") if network is pre_learned else ()
        rows.append(Row(name, "test error, %", error, *paper))
    return rows


def main() -> None:
    options_of = parser(__doc__.splitlines()[0])
    options_of.add_argument("--model", choices=MODELS, default="pcd")
    options_of.add_argument("--minutes", type=float, help="another budget")
    options_of.add_argument("--rate", type=float, default=0.01, help="of joint learning (dbm)")
    options_of.add_argument(
        "--persistent", action="store_true", help="pre-learning by persistent chains (dbm)"
    )
    options_of.add_argument("--out", type=Path, help="where pictures go")
    options_of.add_argument("--keep", type=Path, help="a file for the parameters")
    options_of.add_argument("--epochs", type=int, default=12, help="of fine-tuning (classifier)")
    options = options_of.parse_args()
    minutes = options.minutes or (180.0 if options.long else 20.0)
    ab.seed(options.seed)
    pictures = options.out or options.page.parent / "reproductions"
    pictures.mkdir(parents=True, exist_ok=True)
    if options.model == "classifier":
        rows = classifier_rows(options.data, options.keep, options.epochs)
        report(
            "boltzmann-classifier", "Deep Boltzmann machine as the start of a classifier", rows,
            budget=f"{options.epochs} epochs, one thread", seeds=[options.seed], page=options.page,
        )  # fmt: skip
        return
    data = binarised(options.data)
    if options.model == "dbm":
        name, title = "dbm", "Deep Boltzmann machine on MNIST"
        dbm = deep_machine(options.rate, options.persistent)
        rows = dbm_rows(data, minutes, dbm, pictures, options.keep)
    else:
        name = f"rbm_{options.model}"
        title = f"Restricted Boltzmann machine on MNIST ({options.model})"
        rows = rbm_rows(options.model, data, minutes, pictures, options.keep)
    report(
        f"boltzmann-{options.model}", title, rows,
        budget=f"{minutes:g} minutes of learning, one thread", seeds=[options.seed],
        page=options.page,
        pictures=[pictures / f"{name}_{what}.png" for what in ("samples", "filters")],
    )  # fmt: skip


if __name__ == "__main__":
    main()
