"""Learn codes of real handwritten digits by auto-encoders, and compare them with PCA.

Run `make demo`, or `python demo/quickstart.py`. It takes less than a minute, prints a table,
and writes pictures to `demo/out`. The data are scikit-learn's digits: 1,797 pictures of 8×8
pixels, written by 43 people.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

import accelbrainbase as ab  # before MXNet

from mxnet import gluon  # isort: skip

CODE_N = 8
EPOCHS = 60


def make_iterator(data: dict[str, np.ndarray], epochs: int) -> ab.ArrayIterator:
    """Mini-batches of the training pictures; the test pictures are scored each epoch."""
    return ab.ArrayIterator(
        data["train"], test_observed=data["test"], epochs=epochs, batch_size=64, drop_last=True
    )


def make_network(units_list: list[int], last: str) -> ab.NeuralNetworks:
    """Dense layers with rectified units, the last one with the activation `last`."""
    return ab.NeuralNetworks(
        computable_loss=ab.L2NormLoss(),
        units_list=units_list,
        activation_list=["relu"] * (len(units_list) - 1) + [last],
    )


def make_auto_encoder(
    encoder: ab.NeuralNetworks, decoder: ab.NeuralNetworks, epochs: int
) -> ab.AutoEncoder:
    """An auto-encoder whose learning rate falls twice on the way."""
    return ab.AutoEncoder(
        encoder=encoder,
        decoder=decoder,
        computable_loss=ab.L2NormLoss(),
        optimizer_name="Adam",
        learning_rate=2e-3,
        learning_attenuate_rate=0.3,
        attenuate_epoch=max(1, epochs // 3),
    )


def dense(data: dict[str, np.ndarray], epochs: int) -> ab.AutoEncoder:
    """A deep auto-encoder, all layers at once."""
    model = make_auto_encoder(
        make_network([256, 64, CODE_N], last="identity"),
        make_network([64, 256, 64], last="sigmoid"),
        epochs,
    )
    model.learn(make_iterator(data, epochs))
    return model


def stacked(data: dict[str, np.ndarray], epochs: int) -> ab.StackedAutoEncoder:
    """The same widths, but the layers are pre-trained one by one, then fine-tuned."""
    widths = [64, 256, 64, CODE_N]
    parts = []
    for number, (inner, outer) in enumerate(zip(widths[1:], widths)):
        last = "identity" if number == 2 else "relu"
        first = "sigmoid" if number == 0 else "relu"
        parts.append(
            make_auto_encoder(make_network([inner], last), make_network([outer], first), epochs)
        )
    model = ab.StackedAutoEncoder(
        auto_encoder_list=parts,
        computable_loss=ab.L2NormLoss(),
        optimizer_name="Adam",
        learning_rate=2e-3,
        learning_attenuate_rate=0.3,
        attenuate_epoch=max(1, epochs // 3),
    )
    model.pre_learn(make_iterator(data, max(1, epochs // 3)))
    model.learn(make_iterator(data, epochs))
    return model


def convolutional(data: dict[str, np.ndarray], epochs: int) -> Pictures:
    """Convolutions with tied weights, around a code of the same width."""

    def layers(units: list[gluon.HybridBlock], last: str, **kwargs: Any) -> Any:
        return ab.ConvolutionalNeuralNetworks(
            computable_loss=ab.L2NormLoss(),
            hidden_units_list=units,
            hidden_activation_list=["relu"] * (len(units) - 1) + [last],
            hidden_dropout_rate_list=[0.0] * len(units),
            **kwargs,
        )

    nn = gluon.nn
    model = ab.ConvolutionalAutoEncoder(
        encoder=layers(
            [nn.Conv2D(16, 3, padding=1), nn.Conv2D(32, 4, strides=2, padding=1)],
            last="relu",
            output_nn=make_network([CODE_N], last="identity"),
        ),
        decoder=layers(
            [
                nn.Conv2DTranspose(16, 4, strides=2, padding=1),
                nn.Conv2DTranspose(1, 3, padding=1),
            ],
            last="sigmoid",
            input_nn=make_network([64, 32 * 4 * 4], last="relu"),
            input_result_channel=32,
            input_result_height=4,
            input_result_width=4,
        ),
        computable_loss=ab.L2NormLoss(),
        optimizer_name="Adam",
        learning_rate=2e-3,
        learning_attenuate_rate=0.3,
        attenuate_epoch=max(1, epochs // 3),
    )
    model.learn(
        make_iterator({part: as_pictures(data[part]) for part in ("train", "test")}, epochs)
    )
    return Pictures(model)


def as_pictures(vectors: np.ndarray) -> np.ndarray:
    """Pixels in a row, as pictures of one channel."""
    return vectors.reshape(-1, 1, 8, 8)


class Pictures:
    """Lets a model of pictures take and give pixels in a row, as the others do."""

    def __init__(self, model: ab.ConvolutionalAutoEncoder) -> None:
        self.model, self.history, self.parameter_n = model, model.history, model.parameter_n

    def inference(self, vectors: np.ndarray) -> Any:
        """Reconstruct."""
        return self.model.inference(as_pictures(vectors)).flatten()

    def encode(self, vectors: np.ndarray) -> Any:
        """Compute the codes."""
        return self.model.encode(as_pictures(vectors))


MODELS = {
    "auto-encoder": dense,
    "stacked auto-encoder": stacked,
    "convolutional auto-encoder": convolutional,
}


def read_digits() -> dict[str, np.ndarray]:
    """The digits, in [0, 1], a quarter of them for the test."""
    pictures, labels = load_digits(return_X_y=True)
    train, test, train_labels, test_labels = train_test_split(
        (pictures / 16).astype(np.float32), labels, test_size=0.25, stratify=labels, random_state=0
    )
    return {
        "train": train, "test": test, "train_labels": train_labels, "test_labels": test_labels,
    }  # fmt: skip


def accuracy(data: dict[str, np.ndarray], codes: dict[str, np.ndarray]) -> float:
    """Share of test digits which a logistic regression on the codes recognises."""
    classifier = LogisticRegression(max_iter=5000).fit(codes["train"], data["train_labels"])
    return float(classifier.score(codes["test"], data["test_labels"]))


def row(data: dict, decoded: dict, codes: dict, parameter_n: int, seconds: float) -> dict:
    """One row of the table."""
    error = {part: np.square(decoded[part] - data[part]).mean() for part in ("train", "test")}
    return {
        "error train": error["train"],
        "error test": error["test"],
        "accuracy on codes": accuracy(data, codes),
        "parameters": parameter_n,
        "seconds": seconds,
    }


def run(out: Path, epochs: int = EPOCHS) -> pd.DataFrame:
    """Learn everything, write the pictures, return the table.

    Args:
        out: Directory of the pictures.
        epochs: Number of passes over the data.
    """
    data = read_digits()
    rows, decoded, histories = {}, {}, {}
    for name, learn in MODELS.items():
        print(f"\n{name}", flush=True)
        ab.seed(0)
        begin = time.perf_counter()
        model = learn(data, epochs)
        seconds = time.perf_counter() - begin
        decoded[name] = {part: model.inference(data[part]).asnumpy() for part in ("train", "test")}
        codes = {part: model.encode(data[part]).asnumpy() for part in ("train", "test")}
        rows[name] = row(data, decoded[name], codes, model.parameter_n, seconds)
        histories[name] = model.history

    begin = time.perf_counter()
    pca = PCA(CODE_N, random_state=0).fit(data["train"])
    seconds = time.perf_counter() - begin
    codes = {part: pca.transform(data[part]) for part in ("train", "test")}
    decoded["PCA"] = {part: pca.inverse_transform(codes[part]) for part in codes}
    size = pca.components_.size + pca.mean_.size
    rows["PCA"] = row(data, decoded["PCA"], codes, size, seconds)
    rows["raw pixels (64)"] = row(data, data, data, 0, 0.0)

    out.mkdir(parents=True, exist_ok=True)
    draw_reconstructions(data["test"], {k: v["test"] for k, v in decoded.items()}, out)
    draw_losses(histories, out / "losses.png")
    table = pd.DataFrame(rows).T
    return table.astype({"parameters": int})


def draw_reconstructions(originals: np.ndarray, decoded: dict[str, np.ndarray], out: Path) -> None:
    """Draw originals above their reconstructions, one picture for each model."""
    import matplotlib.pyplot as plt

    for name, reconstructed in decoded.items():
        figure, axes = plt.subplots(2, 12, figsize=(12, 2.4), layout="constrained")
        for column in range(12):
            for line, pictures in enumerate((originals, reconstructed)):
                axes[line, column].imshow(
                    pictures[column].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1
                )
                axes[line, column].axis("off")
        error = np.square(reconstructed - originals).mean()
        figure.suptitle(
            f"test digits, and what {name} makes of {CODE_N} numbers: error {error:.4f}"
        )
        figure.savefig(out / f"{name.replace(' ', '-')}.png", dpi=120)
        plt.close(figure)


def draw_losses(histories: dict[str, ab.History], path: Path) -> None:
    """Draw the losses over the epochs."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(histories), figsize=(12, 3.6), sharey=True)
    for axis, (name, history) in zip(axes, histories.items()):
        history.plot(["train_loss", "test_loss"], ax=axis)
        axis.set_title(name)
        axis.set_yscale("log")
    axes[0].set_ylabel("root mean square error")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Run, print the table, and say where the pictures are."""
    matplotlib.use("Agg")
    out = Path(__file__).parent / "out"
    table = run(out)
    print(f"\nCodes of {CODE_N} numbers for each digit of 64 pixels (error: mean square):\n")
    shown = table.to_string(
        formatters={
            "error train": "{:.4f}".format,
            "error test": "{:.4f}".format,
            "accuracy on codes": "{:.3f}".format,
            "parameters": "{:,}".format,
            "seconds": "{:.1f}".format,
        }
    )
    print(shown)
    pca = table.loc["PCA", "error test"]
    for name in MODELS:
        ratio = table.loc[name, "error test"] / pca
        print(f"\nThe {name}'s error on test digits is {ratio:.2f} times that of PCA.", end="")
    print("\n\nPictures:")
    for path in sorted(out.glob("*.png")):
        print(f"  {path.relative_to(Path.cwd()) if Path.cwd() in path.parents else path}")


if __name__ == "__main__":
    main()
