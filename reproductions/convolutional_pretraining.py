"""Convolutional auto-encoders as a start for digit classification (Masci et al. 2011).

    python reproductions/convolutional_pretraining.py --data DIRECTORY

A stack of two convolutional auto-encoders learns MNIST without labels, layer by layer. A
classifier on its encoder is then fine-tuned with few labels, beside the same network from random
weights. The paper's networks are wider (100-150-200 maps and max-pooling) and its table counts
errors of 1000, 10,000 and 50,000 labels.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402
from _harness import ROOT, Clock, Row, parser, report, save_grid  # noqa: E402

import accelbrainbase as ab  # noqa: E402

# isort: split
from mxnet import gluon  # noqa: E402
from mxnet.gluon import nn  # noqa: E402

#: Errors in per cent: pre-trained, and the convolutional network beside it (the paper's table of
#: MNIST).
PAPER = {1000: (7.23, 7.63), 10_000: (1.88, 2.21), 50_000: (0.71, 0.79)}
MAPS = (32, 64)


def network(layer: gluon.HybridBlock, activation: str) -> ab.ConvolutionalNeuralNetworks:
    return ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[layer], hidden_activation_list=[activation],
        hidden_dropout_rate_list=[0.0],
    )  # fmt: skip


def stack() -> ab.StackedConvolutionalAutoEncoder:
    """Two auto-encoders: 28 x 28 pixels, 14 x 14 and 7 x 7 maps."""
    parts = []
    for below, maps, last in zip((1, *MAPS), MAPS, ("sigmoid", "relu")):
        parts.append(
            ab.ConvolutionalAutoEncoder(
                network(nn.Conv2D(maps, 6, strides=2, padding=2), "relu"),
                network(nn.Conv2DTranspose(below, 6, strides=2, padding=2), last),
                ab.L2NormLoss(),
                tied_weights_flag=False,
                optimizer_name="Adam",
                learning_rate=1e-3,
            )  # fmt: skip
        )
    return ab.StackedConvolutionalAutoEncoder(
        parts, ab.L2NormLoss(), optimizer_name="Adam", learning_rate=1e-3
    )


def copied(source: ab.StackedConvolutionalAutoEncoder) -> ab.StackedConvolutionalAutoEncoder:
    """A stack with the same weights, which can be fine-tuned without changing `source`."""
    made = stack()
    made.inference(np.zeros((1, 1, 28, 28), dtype=np.float32))
    pairs = zip(made.collect_params().values(), source.collect_params().values())
    for parameter, learned in pairs:
        parameter.set_data(learned.data())
    return made


def classifier(encoder: ab.ConvolutionalNeuralNetworks) -> ab.ConvolutionalNetworkChain:
    head = ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[128, 10], activation_list=["relu", "identity"],
        dropout_rate_list=[0.5, 0.0],
    )  # fmt: skip
    model = ab.ConvolutionalNetworkChain(
        [encoder], gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False), output_nn=head,
        optimizer_name="Adam", learning_rate=1e-3, learning_attenuate_rate=0.5,
        attenuate_epoch=10,
    )  # fmt: skip
    model.compute_acc_flag = False
    return model


def error_of(model: ab.ConvolutionalNetworkChain, pictures: np.ndarray, label: np.ndarray) -> float:
    """Errors on the test pictures, in per cent."""
    found = [
        model.inference(pictures[begin : begin + 1000]).asnumpy().argmax(axis=1)
        for begin in range(0, len(pictures), 1000)
    ]
    return 100.0 * float((np.concatenate(found) != label).mean())


def main() -> None:
    arguments = parser(__doc__.splitlines()[0])
    options = arguments.parse_args()
    sizes = [1000, 10_000, 50_000] if options.long else [1000]
    seeds = [options.seed + step for step in range(5 if options.long else 3)]
    unlabelled_n, epochs = (50_000, 20) if options.long else (10_000, 10)
    data = np.load(options.data / "mnist.npz")
    pictures, tests = (
        data[name][:, None].astype(np.float32) / 255 for name in ("x_train", "x_test")
    )
    clock, errors, found = Clock(1.0), {}, None
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(50_000)
        ab.seed(seed)
        pre_trained = stack()
        pre_trained.pre_learn(
            ab.ArrayIterator(
                pictures[order[:unlabelled_n]], epochs=epochs, batch_size=64, seed=seed
            )
        )
        found = found or pre_trained
        for size in sizes:
            rows = order[:size]
            iterator = ab.ArrayIterator(
                pictures[rows], data["y_train"][rows], one_hot=True, batch_size=50, seed=seed,
                epochs=max(5, min(60, 60_000 // size)),
            )  # fmt: skip
            for name, encoder in (("pre-trained", copied(pre_trained)), ("random", stack())):
                model = classifier(encoder.encoder)
                model.learn(iterator)
                error = error_of(model, tests, data["y_test"])
                errors.setdefault((size, name), []).append(error)
                print(f"seed {seed}, {size} labels, {name}: {error:.2f} %", flush=True)
    rows = [
        Row(
            f"{size} labels, {name}", "test error, %, mean (± deviation over the seeds)",
            f"{np.mean(errors[size, name]):.2f} (± {np.std(errors[size, name], ddof=1):.2f})",
            PAPER[size][name == "random"], "Masci et al. (2011), MNIST",
        )  # fmt: skip
        for size in sizes for name in ("pre-trained", "random")
    ]  # fmt: skip
    assert found is not None
    first = found.auto_encoder_list[0].encoder.hidden_units_list[0].weight.data().asnumpy()
    picture = save_grid(
        first[:, 0], ROOT / "docs" / "reproductions" / "cae_filters.png", columns=8, scale=8
    )
    report(
        "convolutional_pretraining",
        "Convolutional auto-encoders before digit classification",
        rows,
        budget=f"{clock.minutes:.0f} minutes, one thread: {unlabelled_n} pictures without labels, "
        f"{epochs} epochs a layer; maps {MAPS}, strides instead of max-pooling",
        seeds=seeds,
        pictures=[picture],
        page=options.page,
    )


if __name__ == "__main__":
    main()
