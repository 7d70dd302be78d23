"""Films of moving digits: the spatio-temporal auto-encoder of Chong & Tay (2017).

    python reproductions/moving_digits.py --data DIRECTORY

Two MNIST digits move through a picture of 32 x 32 and bounce at its borders, a pixel or two each
time. Two questions, on digits that were not learned from:

- What is irregular? In half of the films the digits start to hurry, five pixels each time. AUROC of
  the error of a picture, beside a convolutional auto-encoder of single pictures (which cannot
  see a speed), and beside the mere difference of a picture to the one before it.
- What comes next? Squared error of the predicted next picture, beside the last picture itself.

The papers' films (Avenue, UCSD pedestrians) are not at hand; the figures are not theirs.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from _harness import ROOT, Row, parser, report, save_grid  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

import accelbrainbase as ab  # noqa: E402

# isort: split
from mxnet.gluon import nn  # noqa: E402

SIZE, LENGTH, HURRY = 32, 10, 5


def films(
    digits: np.ndarray, n: int, rng: np.random.Generator, hurried: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Films of shape `(n, LENGTH, 1, SIZE, SIZE)`, and for each picture whether it is irregular."""
    room = SIZE - digits.shape[1]
    made = np.zeros((n, LENGTH, 1, SIZE, SIZE), dtype=np.float32)
    irregular = np.zeros((n, LENGTH), dtype=bool)
    for film in range(n):
        begin = int(rng.integers(4, LENGTH - 2)) if hurried else LENGTH
        irregular[film, begin:] = True
        for digit in digits[rng.integers(len(digits), size=2)]:
            at = rng.integers(room + 1, size=2)
            step = rng.integers(1, 3, size=2) * rng.choice([-1, 1], size=2)
            for time in range(LENGTH):
                y, x = at
                picture = made[film, time, 0, y : y + len(digit), x : x + len(digit)]
                np.maximum(picture, digit, out=picture)
                pace = np.sign(step) * HURRY if time + 1 >= begin else step
                step = np.where((at + pace < 0) | (at + pace > room), -step, step)
                pace = np.sign(step) * np.abs(pace)
                at = np.clip(at + pace, 0, room)
    return made, irregular


def small_digits(pictures: np.ndarray) -> np.ndarray:
    """The digits without their borders, at 14 of 28 pixels, in [0, 1]."""
    pictures = pictures.reshape(-1, 28, 28).astype(np.float32)
    pictures = pictures / pictures.max()
    return pictures.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))


def networks() -> tuple[ab.ConvolutionalNeuralNetworks, ab.ConvolutionalNeuralNetworks]:
    def of(layers: list, last: str) -> ab.ConvolutionalNeuralNetworks:
        return ab.ConvolutionalNeuralNetworks(
            ab.L2NormLoss(),
            hidden_units_list=layers,
            hidden_activation_list=["relu"] * (len(layers) - 1) + [last],
            hidden_dropout_rate_list=[0.0] * len(layers),
        )

    settings = {"strides": 2, "padding": 1}
    return (
        of([nn.Conv2D(16, 4, **settings), nn.Conv2D(32, 4, **settings)], "relu"),
        of(
            [nn.Conv2DTranspose(16, 4, **settings), nn.Conv2DTranspose(1, 4, **settings)],
            "identity",
        ),
    )


def film_model() -> ab.SpatioTemporalAutoEncoder:
    return ab.SpatioTemporalAutoEncoder(
        *networks(), ab.L2NormLoss(), [32, 8, 32], optimizer_name="Adam", learning_rate=2e-3,
    )  # fmt: skip


def picture_model() -> ab.ConvolutionalAutoEncoder:
    encoder, decoder = networks()
    narrow = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[*encoder.hidden_units_list, nn.Conv2D(4, 3, padding=1)],
        hidden_activation_list=["relu", "relu", "relu"], hidden_dropout_rate_list=[0.0] * 3,
    )  # fmt: skip
    return ab.ConvolutionalAutoEncoder(
        narrow, decoder, ab.L2NormLoss(), tied_weights_flag=False, optimizer_name="Adam",
        learning_rate=2e-3,
    )  # fmt: skip


def auroc(errors: np.ndarray, irregular: np.ndarray) -> float:
    return float(roc_auc_score(irregular[:, 1:].ravel(), errors[:, 1:].ravel()))


def learn(model, observed: np.ndarray, target: np.ndarray, epochs: int, seed: int, batch: int):
    model.learn(
        ab.ArrayIterator(observed, target, epochs=epochs, batch_size=batch, seed=seed),
        callbacks=[ab.ProgressBar()],
    )
    print(f"{type(model).__name__}: loss {model.loss_arr[-1, 0]:.3f}", flush=True)
    return model


def main() -> None:
    arguments = parser(__doc__.splitlines()[0])
    options = arguments.parse_args()
    epochs, film_n = (40, 6000) if options.long else (12, 2000)
    data = np.load(options.data / "mnist_10k.npz")
    digits = small_digits(data[data.files[0]])
    rng = np.random.default_rng(options.seed)
    known, new = digits[: len(digits) // 2], digits[len(digits) // 2 :]
    train, _ = films(known, film_n, rng)
    regular, _ = films(new, 200, rng)
    odd, irregular = films(new, 200, rng, hurried=True)
    test = np.concatenate([regular, odd])
    label = np.concatenate([np.zeros_like(irregular), irregular])

    ab.seed(options.seed)
    future = learn(film_model(), train[:, :-1], train[:, 1:], epochs, options.seed, 16)
    guessed = future.inference(test[:, :-1]).asnumpy()
    surprise = np.sqrt(((guessed - test[:, 1:]) ** 2).sum(axis=(2, 3, 4)))
    surprise = np.concatenate([surprise[:, :1], surprise], axis=1)

    past = learn(film_model(), train, train, epochs, options.seed, 16)
    single = train.reshape(-1, 1, SIZE, SIZE)
    alone = learn(picture_model(), single, single, max(1, epochs // 4), options.seed, 64)
    flat = test.reshape(-1, 1, SIZE, SIZE)
    wrong = ((alone.inference(flat).asnumpy() - flat) ** 2).reshape(*label.shape, -1).sum(axis=2)
    moved = ((test[:, 1:] - test[:, :-1]) ** 2).sum(axis=(2, 3, 4))
    moved = np.concatenate([moved[:, :1], moved], axis=1)

    measure = "AUROC of irregular pictures"
    missed = float(((guessed[:200] - regular[:, 1:]) ** 2).sum(axis=(2, 3, 4))[:, 2:].mean())
    copied = float(((regular[:, :-1] - regular[:, 1:]) ** 2).sum(axis=(2, 3, 4))[:, 2:].mean())
    rows = [
        Row("films, reconstruction", measure, auroc(past.frame_errors(test).asnumpy(), label)),
        Row("films, prediction", measure, auroc(surprise, label)),
        Row("single pictures, reconstruction", measure, auroc(wrong, label)),
        Row("difference to the picture before", measure, auroc(moved, label)),
        Row("films, prediction", "squared error of the next picture", missed),
        Row("the last picture itself", "squared error of the next picture", copied),
    ]
    picture = save_grid(
        np.concatenate([regular[:2, 1:], guessed[:2], odd[:2, 1:], guessed[200:202]])[
            [0, 2, 1, 3, 4, 6, 5, 7]
        ].reshape(-1, SIZE, SIZE),
        ROOT / "docs" / "reproductions" / "moving_digits.png",
        columns=LENGTH - 1,
    )
    report(
        "moving_digits",
        "Spatio-temporal auto-encoder on moving digits",
        rows,
        budget=f"{epochs} passes over {film_n} films of {LENGTH} pictures, one thread",
        seeds=[options.seed],
        notes="The papers' films are not at hand: these figures stand beside rivals, not beside "
        "theirs. In the picture, films above what was predicted of them: two regular ones, then "
        "two in which the digits start to hurry.",
        pictures=[Path(picture)],
        page=options.page,
    )


if __name__ == "__main__":
    main()
