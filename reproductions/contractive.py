"""Contractive auto-encoders on MNIST: error of classifiers on the codes, norms of Jacobians.

    python reproductions/contractive.py --data DIRECTORY

An auto-encoder with 500 sigmoid units (`--long`: 1000) and tied weights: plain, with weight decay,
denoising, contractive, and contractive of higher order; and convolutional ones with 16 maps. The
error is that of a ridge classifier on the codes, and that of a network whose first layer is the
encoder, all layers of which learn on (as in the paper).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
from _codes import (  # noqa: E402
    Images,
    dense,
    filters_of,
    fine_tuned_error,
    learn,
    linear_error,
)
from _harness import Row, parser, report, save_grid  # noqa: E402

import accelbrainbase as ab  # noqa: E402

PENALTY, MAPS_PENALTY = 1e-3, 3e-4
PAPER = "Rifai et al. (2011), table 1"
PAPER_ERROR = {
    "plain": 1.78, "weight decay": 1.68, "denoising, Gaussian": 1.18, "contractive": 1.14,
}  # fmt: skip


def dense_models(images: Images, units: int, penalty: float) -> dict[str, Any]:
    """Auto-encoders of one size."""
    contractive = {"cls": ab.ContractiveAutoEncoder, "penalty_lambda": penalty}
    return {
        "plain": dense(images, units),
        "weight decay": dense(images, units, wd=1e-5),
        "denoising, Gaussian": dense(images, units, noiseable_data=ab.GaussNoise(0.0, 0.3)),
        "contractive": dense(images, units, **contractive),
        "contractive, higher order": dense(
            images, units, **contractive, higher_order_lambda=penalty, higher_order_sigma=0.1
        ),
    }


def convolutional(cls: Any, **kwargs: Any) -> Any:
    """One convolution with 16 maps, tied."""
    from mxnet.gluon import loss, nn

    entropy = loss.SigmoidBinaryCrossEntropyLoss(from_sigmoid=True)

    def maps(layer: Any) -> Any:
        return ab.ConvolutionalNeuralNetworks(
            entropy, hidden_units_list=[layer], hidden_activation_list=["sigmoid"],
            hidden_dropout_rate_list=[0.0],
        )  # fmt: skip

    return cls(
        maps(nn.Conv2D(16, 7, strides=3)), maps(nn.Conv2DTranspose(1, 7, strides=3)), entropy,
        optimizer_name="Adam", learning_rate=3e-3, **kwargs,
    )  # fmt: skip


def mean_norm(model: Any, arr: np.ndarray) -> float:
    """Return the mean of the squared norm of the Jacobian of the encoder."""
    from mxnet import nd

    from accelbrainbase._mxnet.jacobian_penalty import JacobianPenalty

    return float(JacobianPenalty(model.encoder).exact(nd.array(arr)).mean().asscalar())


def reconstructions(model: Any, arr: np.ndarray) -> np.ndarray:
    return model.inference(arr).asnumpy().reshape(-1, 28, 28)


def main() -> None:
    options_of = parser(__doc__.splitlines()[0])
    options_of.add_argument("--images", type=int, default=10_000, help="training images")
    options_of.add_argument("--units", type=int, default=500)
    options_of.add_argument("--epochs", type=int, default=8, help="without labels, and with")
    options_of.add_argument("--penalty", type=float, default=PENALTY, help="dense models")
    options_of.add_argument("--maps-penalty", type=float, default=MAPS_PENALTY)
    options = options_of.parse_args()
    if options.long:
        options.images, options.units, options.epochs = 55_000, 1000, 5 * options.epochs
    images = Images(options.data, options.images)
    pictures = options.page.parent / "reproductions"
    rows, shown, saved = [], [images.test[:20].reshape(-1, 28, 28)], []
    ab.seed(options.seed)
    for name, model in dense_models(images, options.units, options.penalty).items():
        learn(model, images.train, options.epochs, options.seed)
        norm, linear = mean_norm(model, images.test[:1000]), linear_error(model, images)
        shown.append(reconstructions(model, images.test[:20]))
        if name in ("plain", "contractive"):
            saved.append(save_grid(filters_of(model), pictures / f"contractive_filters_{name}.png"))
        tuned = fine_tuned_error(model, images, options.epochs, options.seed)
        source = PAPER if name in PAPER_ERROR else ""
        what = f"dense, {name}"
        rows += [
            Row(what, "squared norm of the Jacobian, test images", norm),
            Row(what, "test error of a ridge classifier on the codes, %", linear),
            Row(what, "test error after fine-tuning, %", tuned, PAPER_ERROR.get(name), source),
        ]
        print(*rows[-3:], sep="\n", flush=True)
    pixels = images.train.reshape(-1, 1, 28, 28)
    for name, model in {
        "plain": convolutional(ab.ConvolutionalAutoEncoder),
        "contractive": convolutional(ab.ContractiveCAE, penalty_lambda=options.maps_penalty),
    }.items():
        learn(model, pixels, options.epochs, options.seed)
        norm = mean_norm(model, images.test[:1000].reshape(-1, 1, 28, 28))
        linear = linear_error(model, images, (1, 28, 28))
        shown.append(reconstructions(model, images.test[:20].reshape(-1, 1, 28, 28)))
        file = pictures / f"contractive_filters_maps_{name}.png"
        saved.append(save_grid(filters_of(model), file, scale=6))
        rows += [
            Row(f"16 maps, {name}", "squared norm of the Jacobian, test images", norm),
            Row(f"16 maps, {name}", "test error of a ridge classifier on the codes, %", linear),
        ]
        print(*rows[-2:], sep="\n", flush=True)
    saved.append(save_grid(np.concatenate(shown), pictures / "contractive_images.png", columns=20))
    report(
        "contractive", "Contractive auto-encoders on MNIST", rows,
        budget=(
            f"{options.images} images, {options.epochs} epochs without labels and "
            f"{options.epochs} with, {options.units} units, one thread"
        ),
        seeds=[options.seed], page=options.page, pictures=saved,
        notes=(
            f"λ is {options.penalty:g} (dense) and {options.maps_penalty:g} (maps), on the mean of "
            f"the cross-entropy over pixels. The paper has 1000 units and 50,000 training images, "
            f"learns until its validation error ends to fall, and searches all factors. Rows of "
            f"the last picture: test images, then their reconstructions by each model in the order "
            f"of the table."
        ),
    )  # fmt: skip


if __name__ == "__main__":
    main()
