"""Domain adaptation between MNIST and USPS: source only, gradient reversal, DRCN.

    python reproductions/drcn.py --data DIR usps-mnist mnist-usps
    python reproductions/drcn.py --data DIR usps-mnist --steps 500 --seeds 1

`DIR` holds `mnist.npz` and `usps.npz`. All three learn with the same encoder and label predictor,
the same mini-batches and the same number of steps, from labels of the source domain and pictures
of the target domain; what is reported is the accuracy on the test pictures of the target domain
after the last step (no label of the target domain takes part, not in choosing a model either).
Each direction is one section of docs/reproductions.md, with two protocols:

- `paper`: the whole frames, resized to 20×20. Digits of MNIST have a margin of 4 pixels, and
  those of USPS fill their frame.
- `cropped`: MNIST cut to its centre of 20×20 pixels.

With `--skada PYTHON`, an interpreter of an environment that has skada and torch, DANN and
DeepCORAL of skada learn in the same network, as long, beside ours.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _harness import Row, parser, report, save_grid

import accelbrainbase as ab

BATCH, SIZE, CODE = 128, 20, 300
QUIET = ab.ProgressBar(show=False)
PAPER = {  # table 1: source only, gradient reversal, DRCN
    "mnist-usps": {"source only": 85.55, "gradient reversal": 91.11, "DRCN": 91.80},
    "usps-mnist": {"source only": 65.77, "gradient reversal": 74.01, "DRCN": 73.67},
}
SOURCE = "Ghifary et al. 2016, table 1"


# -- data ----------------------------------------------------------------------------------


def resized(pictures: np.ndarray) -> np.ndarray:
    """Pictures of 20×20 pixels in [0, 1], shape `(n, 1, 20, 20)`."""
    from PIL import Image

    if pictures.shape[1] != SIZE:
        shape = (SIZE, SIZE)
        made = [Image.fromarray(picture).resize(shape, Image.BILINEAR) for picture in pictures]
        pictures = np.stack([np.asarray(picture) for picture in made])
    return (pictures / 255.0).astype(np.float32)[:, np.newaxis]


def load(folder: Path, name: str, cropped: bool) -> tuple[np.ndarray, ...]:
    """Training pictures, their classes, test pictures, their classes."""
    with np.load(folder / f"{name}.npz") as file:
        arrays = [file[key] for key in ("x_train", "y_train", "x_test", "y_test")]
    for number in (0, 2):
        if name == "mnist" and cropped:
            arrays[number] = arrays[number][:, 4:24, 4:24]
        arrays[number] = resized(arrays[number])
    return tuple(arrays)


# -- networks ------------------------------------------------------------------------------


def dense(units: list[int], last: str = "identity", dropout: float = 0.0) -> Any:
    import mxnet as mx

    he = mx.init.Xavier(rnd_type="gaussian", factor_type="in", magnitude=2)
    return ab.NeuralNetworks(
        ab.L2NormLoss(), he, units_list=units,
        activation_list=["relu"] * (len(units) - 1) + [last],
        dropout_rate_list=[dropout] * len(units) if last == "relu" else [0.0] * len(units),
    )  # fmt: skip


def convolutional(layers: list[Any], last: str = "relu", **kwargs: Any) -> Any:
    return ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=layers,
        hidden_activation_list=["relu"] * (len(layers) - 1) + [last],
        hidden_dropout_rate_list=[0.0] * len(layers), **kwargs,
    )  # fmt: skip


def pooled(*args: Any, **kwargs: Any) -> Any:
    from mxnet.gluon import nn

    block = nn.HybridSequential()
    block.add(nn.Conv2D(*args, **kwargs), nn.MaxPool2D(2))
    return block


def encoder() -> Any:
    """The feature extractor, the same for all."""
    layers = [pooled(24, 5, padding=2), pooled(48, 3, padding=1)]
    return convolutional(layers, output_nn=dense([CODE], "relu", dropout=0.5))


def auto_encoder() -> Any:
    from mxnet.gluon import nn

    size = SIZE // 4
    decoder = convolutional(
        [
            nn.Conv2DTranspose(24, 4, strides=2, padding=1),
            nn.Conv2DTranspose(1, 4, strides=2, padding=1),
        ],
        "sigmoid", input_nn=dense([48 * size**2], "relu"), input_result_channel=48,
        input_result_height=size, input_result_width=size,
    )  # fmt: skip
    return ab.ConvolutionalAutoEncoder(encoder(), decoder, ab.L2NormLoss(), tied_weights_flag=False)


class Strengthen(ab.Callback):
    """Lets the reversal grow from 0, as Ganin & Lempitsky (2015), section 4."""

    def __init__(self, model: Any, top: float) -> None:
        self.model, self.top = model, top
        model.reversal_strength = 0.0

    def on_row_end(self, state: Any) -> None:
        share = 2.0 / (1.0 + math.exp(-10.0 * state.row / state.rows)) - 1.0
        self.model.reversal_strength = self.top * share


def make(kind: str, epochs: int, options: argparse.Namespace) -> tuple[Any, list[Any]]:
    """A model and the callbacks of its learning."""
    rates = {
        "optimizer_name": "Adam", "learning_rate": options.rate,
        # Falls to a sixteenth, so that the last steps do not decide.
        "learning_attenuate_rate": 0.5, "attenuate_epoch": max(1, epochs // 5),
    }  # fmt: skip
    if kind == "DRCN":
        loss = ab.DRCNLoss(rc_lambda=options.rc_lambda, reconstruction_weight=options.weight)
        model = ab.DRCNetworks(
            auto_encoder(), loss, output_nn=dense([10]), tied_weights_flag=False,
            noiseable_data=ab.MaskingNoise(options.masking), **rates,
        )  # fmt: skip
        return model, []
    if kind == "source only":
        from mxnet import gluon

        loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
        chain = ab.ConvolutionalNetworkChain([encoder()], loss, output_nn=dense([10]), **rates)
        return chain, []
    loss = ab.DomainAdversarialLoss(posterior_from_logits=True)
    judge = dense([100, 1])
    model = ab.DomainAdversarialNetworks(encoder(), dense([10]), judge, loss, **rates)
    return model, [Strengthen(model, options.reversal)]


def accuracy(model: Any, pictures: np.ndarray, classes: np.ndarray) -> float:
    found = []
    for begin in range(0, len(pictures), 1000):
        output = model.inference(pictures[begin : begin + 1000])
        scores = output[1] if isinstance(output, tuple) else output
        found.append(scores.asnumpy().argmax(axis=1))
    return 100 * float((np.concatenate(found) == classes).mean())


class Watch(ab.Callback):
    """Prints accuracies on the way; they choose nothing."""

    def __init__(self, model: Any, tests: tuple[np.ndarray, ...], name: str, every: int) -> None:
        self.model, self.tests, self.name, self.every = model, tests, name, every

    def on_row_end(self, state: Any) -> None:
        if state.row % self.every == 0 or state.row == state.rows:
            own = accuracy(self.model, self.tests[0][:2000], self.tests[1][:2000])
            other = accuracy(self.model, self.tests[2][:2000], self.tests[3][:2000])
            told = {key: round(value, 4) for key, value in state.losses.items()}
            print(f"  {self.name} epoch {state.row}: source {own:.2f} target {other:.2f} {told}",
                  flush=True)  # fmt: skip


def learned(
    kind: str,
    source: tuple[np.ndarray, ...],
    target: tuple[np.ndarray, ...],
    seed: int,
    epochs: int,
    options: argparse.Namespace,
) -> tuple[float, Any]:
    """Accuracy on the test pictures of the target domain, and the model."""
    begin = time.perf_counter()
    ab.seed(seed)
    model, callbacks = make(kind, epochs, options)
    settings: dict[str, Any] = {"epochs": epochs, "batch_size": BATCH, "seed": seed}
    if options.augment:
        settings["noiseable_data"] = ab.AffineNoise(10.0, 0.1, 0.1, 5.0)
    iterator: Any  # both draw the source domain in the same order
    if kind == "source only":
        labels = np.eye(10, dtype=np.float32)[source[1]]
        iterator = ab.ArrayIterator(source[0], labels, **settings)
    else:
        iterator = ab.DRCNArrayIterator(source[0], source[1], target[0], **settings)
    watch = Watch(model, (*source[2:], *target[2:]), kind, max(1, epochs // 6))
    model.learn(iterator, callbacks=[QUIET, watch, *callbacks])
    print(f"  {iterator.iter_n} steps, {time.perf_counter() - begin:.0f} s", flush=True)
    return accuracy(model, *target[2:]), model


def gains_of(found: dict[str, list[float]], protocol: str) -> list[str]:
    """Tell by how much each method is better than source only, for each seed."""
    told = []
    for kind, values in found.items():
        if kind != "source only" and "source only" in found:
            gains = np.subtract(values, found["source only"])
            told.append(
                f"{protocol}, {kind}: {gains.mean():+.2f} points over source only "
                f"({', '.join(f'{gain:+.2f}' for gain in gains)})"
            )
            print(told[-1], flush=True)
    return told


def direction(name: str, options: argparse.Namespace) -> None:
    """Learn in one direction, by all methods, protocols and seeds, and report."""
    source_name, target_name = name.split("-")
    seeds = [options.seed + number for number in range(options.seeds)]
    rows, pictures, told = [], [], []
    for protocol in options.protocols:
        cropped = protocol == "cropped"
        source = load(options.data, source_name, cropped)
        target = load(options.data, target_name, cropped)
        sample = np.concatenate([source[0][:20, 0], target[0][:20, 0]])
        folder = options.page.parent / "pictures"
        pictures.append(save_grid(sample, folder / f"drcn_{name}_{protocol}_inputs.png"))
        epochs = max(1, round(options.steps / math.ceil(len(source[0]) / BATCH)))
        found: dict[str, list[float]] = {}
        for seed in seeds:
            for kind in options.methods:
                value, model = learned(kind, source, target, seed, epochs, options)
                found.setdefault(kind, []).append(value)
                print(f"{name} {protocol} seed {seed} {kind}: {value:.2f}", flush=True)
                if kind == "DRCN" and seed == seeds[0]:
                    shown = target[2][:20]
                    decoded = model.inference_auto_encoder(shown).asnumpy()
                    grid = np.concatenate([shown[:, 0], decoded[:, 0]])
                    file = folder / f"drcn_{name}_{protocol}_decoded.png"
                    pictures.append(save_grid(grid, file))
            if options.skada:
                for kind, value in skada(options, source, target, seed).items():
                    found.setdefault(kind, []).append(value)
        for kind, values in found.items():
            figure = f"{np.mean(values):.2f}; {', '.join(f'{v:.2f}' for v in values)}"
            paper = PAPER[name].get(kind) if not cropped else None
            shown = (figure, paper, SOURCE if paper else "")
            if kind.startswith("skada"):
                shown = ("", figure, "measured here")
            measure = "target test accuracy, %; of each seed"
            rows.append(Row(f"{kind}, {protocol} protocol", measure, *shown))
        told += gains_of(found, protocol)
    report(
        f"drcn-{name}", f"Domain adaptation: {source_name.upper()} → {target_name.upper()}", rows,
        budget=f"{options.steps} steps of {BATCH} pictures of each domain, one core", seeds=seeds,
        page=options.page, pictures=pictures,
        notes="; ".join(told) + ". The network is smaller than the paper's (24 and 48 maps, "
        f"{CODE} units), which learns longer.",
    )  # fmt: skip


# -- a peer --------------------------------------------------------------------------------

_PEER = """
import sys
import numpy as np, torch
from torch import nn
from skada.deep import DANN, DeepCoral
file = np.load(sys.argv[1])
xs, ys, xt, xe, ye = (file[key] for key in ("xs", "ys", "xt", "xe", "ye"))
epochs, rate, seed = int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 24, 5, padding=2), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(24, 48, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(),
        )
        self.code = nn.Sequential(nn.Linear(48 * 25, CODE), nn.ReLU(), nn.Dropout(0.5))
        self.output = nn.Linear(CODE, 10)
    def forward(self, x, sample_weight=None):
        return self.output(self.code(self.convolutions(x)))
x = np.concatenate([xs, xt]); y = np.concatenate([ys.astype(np.int64), np.full(len(xt), -1)])
domain = np.concatenate([np.ones(len(xs)), -2 * np.ones(len(xt))]).astype(int)
made = {
    "skada DANN": lambda: DANN(Network(), reg=1.0, layer_name="code", num_features=CODE,
        batch_size=128, max_epochs=epochs, lr=rate, train_split=None, optimizer=torch.optim.Adam,
        verbose=0),
    "skada DeepCORAL": lambda: DeepCoral(Network(), reg=1.0, layer_name="code", batch_size=128,
        max_epochs=epochs, lr=rate, train_split=None, optimizer=torch.optim.Adam, verbose=0),
}
for name, make in made.items():
    torch.manual_seed(seed); torch.set_num_threads(1)
    model = make()
    model.fit(x, y, sample_domain=domain)
    found = model.predict(xe, sample_domain=-2 * np.ones(len(xe), int), allow_source=True)
    print("RESULT", name, 100 * float((found == ye).mean()), sep="|", flush=True)
"""


def skada(
    options: argparse.Namespace,
    source: tuple[np.ndarray, ...],
    target: tuple[np.ndarray, ...],
    seed: int,
) -> dict[str, float]:
    """Accuracies of skada's DANN and DeepCORAL in the same network, about as many steps.

    An epoch of skada goes through the larger domain, in steps of `BATCH` pictures of each.
    """
    larger = max(len(source[0]), len(target[0]))
    epochs = max(1, round(options.steps / math.ceil(larger / BATCH)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, xs=source[0], ys=source[1], xt=target[0], xe=target[2], ye=target[3])
        script = Path(folder) / "peer.py"
        script.write_text(_PEER.replace("CODE", str(CODE)), encoding="utf-8")
        words = [options.skada, script, path, epochs, options.rate, seed]
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise SystemExit("skada did not run")
    lines = [line.split("|") for line in done.stdout.splitlines() if line.startswith("RESULT")]
    for _, kind, value in lines:
        print(f"seed {seed} {kind}: {float(value):.2f}", flush=True)
    return {kind: float(value) for _, kind, value in lines}


def main() -> None:
    made = parser(__doc__.splitlines()[0])
    methods = ["source only", "gradient reversal", "DRCN"]
    made.add_argument("directions", nargs="*", default=["usps-mnist", "mnist-usps"])
    made.add_argument("--steps", type=int, default=2500, help="of each learning")
    made.add_argument("--seeds", type=int, default=3, help="how many, from --seed on")
    made.add_argument("--protocols", nargs="*", default=["paper", "cropped"])
    made.add_argument("--methods", nargs="*", default=methods)
    made.add_argument("--rate", type=float, default=1e-3, help="learning rate of Adam")
    made.add_argument("--rc-lambda", type=float, default=0.5, help="weight of classification")
    made.add_argument("--weight", type=float, default=50.0, help="factor on the mean square error")
    made.add_argument("--masking", type=float, default=0.3, help="share of pixels to mask")
    made.add_argument("--reversal", type=float, default=0.1, help="strength it grows to")
    made.add_argument("--augment", action="store_true", help="source pictures of all methods")
    made.add_argument("--skada", default=None, help="interpreter of an environment with skada")
    options = made.parse_args()
    if options.long:
        options.steps *= 8
    for name in options.directions:
        direction(name, options)


if __name__ == "__main__":
    main()
