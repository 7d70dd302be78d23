"""MobileNetV2 and a plain CNN on Fashion-MNIST.

    python reproductions/mobilenet.py --data DIR
    python reproductions/mobilenet.py --data DIR --long

`DIR` holds `fashion_mnist_10k.npz` (10,000 images to learn from, 2,000 to test on), or with
all images `fashion_mnist.npz`, which is taken first. Both networks learn with Adam, the same
mini-batches and as many epochs, the rate falling by half over and over. MobileNetV2 has its
strides reduced: images of 28×28 pixels become maps of 14×14 and 7×7.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from _harness import Row, parser, report

import accelbrainbase as ab

BATCH = 64
GROUPS = [
    {"filter_rate": 1, "filter_n": 16, "block_n": 1, "stride": 1},
    {"filter_rate": 4, "filter_n": 24, "block_n": 2, "stride": 2},
    {"filter_rate": 4, "filter_n": 32, "block_n": 2, "stride": 2},
    {"filter_rate": 4, "filter_n": 64, "block_n": 2, "stride": 1},
]


def mobile_net(settings: dict[str, Any]) -> Any:
    return ab.MobileNetV2.standard(
        class_n=10, input_filter_n=16, input_strides=1, bottleneck_dict_list=GROUPS,
        hidden_filter_n=256, **settings,
    )  # fmt: skip


def plain_cnn(settings: dict[str, Any]) -> Any:
    from mxnet import gluon

    nn = gluon.nn
    loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
    widths, strides = (32, 64, 128), (1, 2, 2)
    head = ab.NeuralNetworks(loss, units_list=[10], activation_list=["identity"])
    return ab.ConvolutionalNeuralNetworks(
        loss,
        hidden_units_list=[
            nn.Conv2D(width, 3, strides=stride, padding=1)
            for width, stride in zip(widths, strides)
        ],
        hidden_activation_list=["relu"] * 3, hidden_dropout_rate_list=[0.0] * 3,
        hidden_batch_norm_list=[nn.BatchNorm() for _ in widths], output_nn=head, **settings,
    )  # fmt: skip


def main() -> None:
    made = parser("MobileNetV2 and a plain CNN on Fashion-MNIST.")
    made.add_argument("--epochs", type=int, help="4 by default, 20 with --long")
    options = made.parse_args()
    epochs = options.epochs or (20 if options.long else 4)
    whole = options.data / "fashion_mnist.npz"
    file = whole if whole.exists() else options.data / "fashion_mnist_10k.npz"
    arrays = np.load(file)
    train, test = (
        (arrays[f"x_{part}"].astype(np.float32)[:, np.newaxis] / 255 - 0.5) * 2
        for part in ("train", "test")
    )
    train_target, test_target = (
        np.eye(10, dtype=np.float32)[arrays[f"y_{part}"]] for part in ("train", "test")
    )
    rows = []
    for name, make in (("MobileNetV2", mobile_net), ("CNN of 3 layers", plain_cnn)):
        ab.seed(options.seed)
        model = make(
            {
                "optimizer_name": "Adam", "learning_rate": 3e-3, "learning_attenuate_rate": 0.5,
                "attenuate_epoch": max(1, epochs // 5), "wd": 4e-5,
            }
        )  # fmt: skip
        iterator = ab.ArrayIterator(
            train, train_target, test_observed=test, test_target=test_target, epochs=epochs,
            batch_size=BATCH, seed=options.seed,
        )  # fmt: skip
        model.inference(train[:1])
        begin = time.perf_counter()
        model.learn(iterator, callbacks=[ab.ProgressBar(show=False)])
        seconds = time.perf_counter() - begin
        fast = model.optimize_for_inference(test[:BATCH])
        right = np.concatenate(
            [
                fast.inference(test[at : at + 500]).asnumpy().argmax(axis=1)
                == test_target[at : at + 500].argmax(axis=1)
                for at in range(0, len(test), 500)
            ]
        )
        from mxnet import nd

        work = ab.multiply_adds(model, nd.array(train[:1])) / 1e6
        rows += [
            Row(name, "test accuracy, %", 100 * float(right.mean())),
            Row(name, "parameters", f"{model.parameter_n:,}"),
            Row(name, "multiply-adds of an image, millions", work),
            Row(name, "seconds of learning", seconds),
        ]
    report(
        "mobilenet",
        f"MobileNetV2 on Fashion-MNIST, {len(train):,} images",
        rows,
        budget=f"{epochs} epochs, one core",
        seeds=[options.seed],
        notes=(
            "The paper has no figure for these images (its are for ImageNet, which no budget here "
            "reaches); a plain CNN is beside it. Seconds depend on what else the machine does."
        ),
        page=options.page,
    )


if __name__ == "__main__":
    main()
