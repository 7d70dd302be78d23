"""Denoising auto-encoders on MNIST: error of classifiers on the codes, filters, samples.

    python reproductions/denoising.py --data DIRECTORY

Auto-encoders with 500 sigmoid units and tied weights, without noise and with each kind of it. The
error is that of a ridge classifier on the codes, and that of a network whose first layer is the
encoder, all layers of which learn on. How well noise is removed is measured on test images that are
corrupted by the noise which each learned from. Chains of samples are those of a deeper denoising
auto-encoder on binarised images, with walkback and without.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
from _codes import (  # noqa: E402
    BATCH,
    Images,
    dense,
    filters_of,
    fine_tuned_error,
    learn,
    linear_error,
)
from _harness import Row, parser, report, save_grid  # noqa: E402

import accelbrainbase as ab  # noqa: E402

PAPER_ERROR = {
    "no noise": (3.46, "stack of 3: Vincent et al. (2008), table 1, basic"),
    "masking": (2.80, "stack of 3: Vincent et al. (2008), table 1, basic"),
}


class CutoutOfVectors(ab.NoiseableData):
    """Cuts out of images that come as vectors."""

    def __init__(self, side: int) -> None:
        self.cutout = ab.CutoutNoise(side, side)

    def noise(self, arr: Any) -> Any:
        return self.cutout.noise(arr.reshape((-1, 1, 28, 28))).reshape(arr.shape)


def noises() -> dict[str, Any]:
    return {
        "no noise": None,
        "Gaussian": ab.GaussNoise(0.0, 0.3),
        "masking": ab.MaskingNoise(0.25),
        "salt and pepper": ab.SaltAndPepperNoise(0.1),
        "dropout": ab.DropoutNoise(0.25),
        "cutout": CutoutOfVectors(10),
    }


def corrupted(noise: Any, arr: np.ndarray) -> np.ndarray:
    from mxnet import nd

    return noise.noise(nd.array(arr)).asnumpy()


def deep(units: int) -> Any:
    """Two layers each way, for binary images."""
    from mxnet import gluon

    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss(from_sigmoid=True)

    def part(unit_list: list[int], last: str) -> Any:
        return ab.NeuralNetworks(loss, units_list=unit_list, activation_list=["tanh", last])

    return ab.AutoEncoder(
        part([units, units], "tanh"), part([units, 784], "sigmoid"), loss, optimizer_name="Adam",
        learning_rate=1e-3,
    )  # fmt: skip


def coverage(judge: Any, samples: np.ndarray) -> tuple[int, float]:
    """Return how many of the ten classes get 2 % of the samples, and how sure the judge is."""
    scores = judge.predict_proba(samples)
    share = np.bincount(scores.argmax(axis=1), minlength=10) / len(samples)
    return int((share >= 0.02).sum()), float(scores.max(axis=1).mean())


def chains(images: Images, options: Any, rows: list[Row], files: Any) -> list[Any]:
    """Let two auto-encoders learn, and draw chains of them."""
    from sklearn.linear_model import LogisticRegression

    judge = LogisticRegression(max_iter=100).fit(images.train[:5000] > 0.5, images.label[:5000])
    real = coverage(judge, images.test > 0.5)
    rows.append(Row("test images", "classes; certainty of a judge", f"{real[0]}; {real[1]:.3f}"))
    noise, saved = ab.SaltAndPepperNoise(0.4), []
    binary = (images.train > 0.5).astype(np.float32)
    start = (images.test[:50] > 0.5).astype(np.float32)
    for name in ("plain", "walkback"):
        ab.seed(options.seed)
        model = deep(options.units)
        model.noiseable_data = noise if name == "plain" else ab.WalkbackNoise(model, noise)
        learn(model, binary, 2 * options.epochs, options.seed)
        sampler = ab.DenoisingSampler(model, noise, start, mean_flag=True)
        steps = [sampler.draw().asnumpy() for _ in range(100)]
        found = coverage(judge, np.concatenate(steps[50:]))
        what = f"chains of 100 steps, {name}"
        rows.append(Row(what, "classes; certainty of a judge", f"{found[0]}; {found[1]:.3f}"))
        print(rows[-1], flush=True)
        shown = np.stack([step[:10] for step in steps[::5]], axis=1).reshape(-1, 28, 28)
        saved.append(save_grid(shown, files / f"denoising_chains_{name}.png", columns=20))
    return saved


def main() -> None:
    options_of = parser(__doc__.splitlines()[0])
    options_of.add_argument("--images", type=int, default=10_000, help="training images")
    options_of.add_argument("--units", type=int, default=500)
    options_of.add_argument("--epochs", type=int, default=8, help="without labels, and with")
    options = options_of.parse_args()
    if options.long:
        options.images, options.units, options.epochs = 55_000, 1000, 5 * options.epochs
    images = Images(options.data, options.images)
    pictures = options.page.parent / "reproductions"
    rows: list[Row] = []
    shown, saved = [], []
    for name, noise in noises().items():
        ab.seed(options.seed)
        model = dense(images, options.units, noiseable_data=noise)
        learn(model, images.train, options.epochs, options.seed)
        what = f"dense, {name}"
        if noise is not None:
            seen = corrupted(noise, images.test)
            errors = [
                float(np.sqrt(((arr - images.test) ** 2).mean()))
                for arr in (seen, model.inference(seen).asnumpy())
            ]
            shown += [seen[:20], model.inference(seen[:20]).asnumpy()]
            measure = (
                "root mean square error of corrupted test images, and of what it makes of them"
            )
            rows.append(Row(what, measure, f"{errors[0]:.3f}; {errors[1]:.3f}"))
        if name in ("no noise", "masking", "Gaussian"):
            file = f"denoising_filters_{name.replace(' ', '_').lower()}.png"
            saved.append(save_grid(filters_of(model), pictures / file))
        rows.append(
            Row(
                what,
                "test error of a ridge classifier on the codes, %",
                linear_error(model, images),
            )
        )
        tuned = fine_tuned_error(model, images, options.epochs, options.seed)
        paper = PAPER_ERROR.get(name, (None, ""))
        rows.append(Row(what, "test error after fine-tuning, %", tuned, *paper))
        print(*rows[-2:], sep="\n", flush=True)
    grid = np.concatenate(shown).reshape(-1, 28, 28)
    saved.append(save_grid(np.clip(grid, 0, 1), pictures / "denoising_images.png", columns=20))
    saved += chains(images, options, rows, pictures)
    report(
        "denoising", "Denoising auto-encoders on MNIST", rows,
        budget=(
            f"{options.images} images, {options.epochs} epochs without labels and "
            f"{options.epochs} with, {options.units} units, batch {BATCH}, one thread"
        ),
        seeds=[options.seed], page=options.page, pictures=saved,
        notes=(
            "The paper's figures are of stacks of three layers on its own 10,000 images "
            "(mnist-basic), with widths, noise and rates chosen by validation; here one layer with "
            "fixed ones stands beside them. Pictures: filters; corrupted test images and what "
            "each makes of them; chains, one in a row, every fifth step."
        ),
    )  # fmt: skip


if __name__ == "__main__":
    main()
