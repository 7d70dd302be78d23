"""What the reproductions of auto-encoders share: MNIST, and how good their codes are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import accelbrainbase as ab

BATCH = 100
QUIET = [ab.ProgressBar(show=False)]


class Images:
    """MNIST in [0, 1]: a part to learn from, a part to choose by, and the test images.

    Args:
        path: Directory with `mnist.npz`.
        n: Number of training images. The 5,000 after them choose.
    """

    def __init__(self, path: Path, n: int) -> None:
        with np.load(path / "mnist.npz") as file:
            train, test = (
                file[name].reshape(-1, 784).astype(np.float32) / 255
                for name in ("x_train", "x_test")
            )
            label, self.test_label = file["y_train"].astype(int), file["y_test"].astype(int)
        self.train, self.test, self.label = train[:n], test, label[:n]
        self.valid, self.valid_label = train[n : n + 5000], label[n : n + 5000]
        if len(self.valid) < 5000:
            raise SystemExit(f"--images must be at most {len(train) - 5000}")


def dense(
    images: Images, units: int, cls: Any = None, output: str = "sigmoid", **kwargs: Any
) -> Any:
    """Return an auto-encoder with one layer of sigmoid units, and tied weights."""
    from mxnet import gluon

    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss(from_sigmoid=True)

    def layer(unit_n: int, activation: str) -> Any:
        return ab.NeuralNetworks(loss, units_list=[unit_n], activation_list=[activation])

    settings = {"optimizer_name": "Adam", "learning_rate": 1e-3, **kwargs}
    encoder, decoder = layer(units, "sigmoid"), layer(images.train.shape[1], output)
    return (cls or ab.AutoEncoder)(encoder, decoder, loss, tied_weights_flag=True, **settings)


def learn(model: Any, arr: np.ndarray, epochs: int, seed: int) -> None:
    """Let a model learn without labels."""
    model.learn(ab.ArrayIterator(arr, epochs=epochs, batch_size=BATCH, seed=seed), callbacks=QUIET)


def codes_of(model: Any, arr: np.ndarray) -> np.ndarray:
    """Return the codes of images, flattened."""
    parts = [
        model.encode(arr[begin : begin + 1000]).asnumpy() for begin in range(0, len(arr), 1000)
    ]
    return np.concatenate(parts).reshape(len(arr), -1)


def linear_error(model: Any, images: Images, shape: Sequence[int] = (784,)) -> float:
    """Return the test error, in %, of a ridge classifier on the codes; others choose its factor."""
    from sklearn.linear_model import RidgeClassifier

    train, valid, test = (
        codes_of(model, arr.reshape(-1, *shape))
        for arr in (images.train, images.valid, images.test)
    )
    mean, std = train.mean(axis=0), train.std(axis=0) + 1e-3
    train, valid, test = ((arr - mean) / std for arr in (train, valid, test))
    fits = [RidgeClassifier(alpha).fit(train, images.label) for alpha in (1e1, 1e2, 1e3, 1e4)]
    best = max(fits, key=lambda fit: fit.score(valid, images.valid_label))
    return 100 * (1 - best.score(test, images.test_label))


def fine_tuned_error(model: Any, images: Images, epochs: int, seed: int) -> float:
    """Return the test error, in %, of a classifier whose first layer is the encoder."""
    from mxnet import gluon

    loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
    output = ab.NeuralNetworks(loss, units_list=[10], activation_list=["identity"])
    classifier = ab.NetworkChain(
        [model.encoder, output], loss, optimizer_name="Adam", learning_rate=3e-3,
        learning_attenuate_rate=0.8, attenuate_epoch=1,
    )  # fmt: skip
    one_hot = np.eye(10, dtype=np.float32)
    stop = ab.EarlyStopping(patience=epochs)
    iterator = ab.ArrayIterator(
        images.train, one_hot[images.label], test_observed=images.valid,
        test_target=one_hot[images.valid_label], epochs=epochs, batch_size=BATCH, seed=seed,
    )  # fmt: skip
    classifier.learn(iterator, callbacks=[stop, *QUIET])
    predicted = np.concatenate(
        [classifier.inference(images.test[b : b + 1000]).asnumpy() for b in range(0, 10_000, 1000)]
    )
    return 100 * float((predicted.argmax(axis=1) != images.test_label).mean())


def filters_of(model: Any, n: int = 100) -> np.ndarray:
    """Return the weights of the first units as images, without the most extreme values."""
    parameters = model.encoder.collect_params(".*weight")
    weights = next(iter(parameters.values())).data().asnumpy()[:n]
    side = int(np.sqrt(np.prod(weights.shape[1:])))
    weights = weights.reshape(-1, side, side)
    scale = np.abs(weights).reshape(len(weights), -1).max(axis=1)[:, None, None] + 1e-12
    return weights / scale
