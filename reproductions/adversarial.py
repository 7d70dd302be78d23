"""The adversarial family: a ring of Gaussians, and MNIST.

    python reproductions/adversarial.py --data DIR ring
    python reproductions/adversarial.py --data DIR mnist conditional likelihood labels

`DIR` holds `mnist.npz`. Each part writes a section of docs/reproductions.md:

- `ring`: eight Gaussians around a circle (radius 2, σ 0.02). A mode is found when it gets at least
  2 % of 10,000 samples within 3σ.
- `mnist`: GAN, EBGAN, AAE and EBAAE, judged by a network that was trained on real digits: the MNIST
  score (the inception score in its classes), the Fréchet distance in its features, and how many
  of the ten classes get at least 2 % of the samples; beside real test images, and beside a
  mixture of Gaussians as the floor.
- `conditional`: does the judge read the digit that was asked for, and how far is each class from
  the real one.
- `likelihood`: log-likelihood of test images by Parzen windows around samples of the AAE, and how
  far its codes are from the prior. That measure is known to flatter: real images and the centres
  of k-means are beside it.
- `labels`: the semi-supervised AAE with 100 labels.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _harness import ROOT, Clock, Row, parser, report, save_grid

import accelbrainbase as ab

BATCH, LATENT = 100, 64
QUIET = [ab.ProgressBar(show=False)]


def seeds_of(options: argparse.Namespace) -> list[int]:
    return [options.seed + number for number in range(3)]


def network(units: list[int], last: str = "identity", hidden: str = "relu", **kwargs: Any) -> Any:
    import mxnet as mx

    norms = kwargs.pop("norms", False)
    if norms:
        blocks = [mx.gluon.nn.BatchNorm() for _ in units[:-1]]
        kwargs["hidden_batch_norm_list"] = [*blocks, None]
    he = mx.init.Xavier(rnd_type="gaussian", factor_type="in", magnitude=2)
    activation_list = [hidden] * (len(units) - 1) + [last]
    return ab.NeuralNetworks(
        ab.L2NormLoss(), he, units_list=units, activation_list=activation_list, **kwargs
    )


def spend(controller: Any, minutes: float, k_step: int = 1, at_least: int = 0) -> int:
    """Learn for `minutes`, the rate falling to a fiftieth; return the number of turns."""
    first, clock, turns = controller.learning_rate, Clock(minutes), 0
    while clock.spent < 1 or turns < at_least:
        controller.learning_rate = first * (1.02 - min(1.0, clock.spent))
        controller.learn(100, k_step, callbacks=QUIET)
        turns += 100
    return turns


# -- the ring ------------------------------------------------------------------------------


class Ring(ab.NoiseSampler):
    """Eight Gaussians around a circle; for an AAE it draws what is encoded."""

    angles = np.arange(8) * math.pi / 4

    def __init__(self, batch: int) -> None:
        self.batch = batch

    def draw(self) -> Any:
        return self.draw_labeled()[0]

    def draw_labeled(self) -> tuple[Any, Any]:
        from mxnet import nd

        number = nd.random.randint(0, 8, shape=(self.batch,)).astype("float32")
        angle = nd.reshape(number * (math.pi / 4), (-1, 1))
        means = 2.0 * nd.concat(nd.cos(angle), nd.sin(angle), dim=1)
        return means + nd.random.normal(0.0, 0.02, shape=means.shape), nd.one_hot(number, 8)


class LabeledRing(Ring):
    """The same with the number of the Gaussian, one-hot."""

    def draw(self) -> Any:
        return self.draw_labeled()


def ring_score(samples: np.ndarray) -> tuple[int, float]:
    means = 2.0 * np.stack([np.cos(Ring.angles), np.sin(Ring.angles)], axis=1)
    apart = np.linalg.norm(samples[:, None] - means, axis=2)
    near = apart.min(axis=1) < 3 * 0.02
    share = np.bincount(apart.argmin(axis=1)[near], minlength=8) / len(samples)
    return int((share >= 0.02).sum()), float(near.mean())


def ring_of_codes(
    labeled: bool, losses: tuple[Any, Any, Any, int], rates: dict[str, Any], batch: int
) -> tuple[Any, Callable[[], np.ndarray], int]:
    """Return an AAE, what draws samples, and the steps of the discriminator in a turn.

    Without labels the prior is a Gaussian; with them each Gaussian of the ring takes one of a
    mixture (section 2.3 of the paper).
    """
    auto_encoder = ab.AutoEncoder(
        network([128, 128, 2], hidden="leaky"), network([256, 256, 256, 2], hidden="leaky"),
        ab.L2NormLoss(),
    )  # fmt: skip
    data: tuple[Any, ...] = (Ring(batch), auto_encoder)
    settings: dict[str, Any] = {}
    prior: Any = ab.NormalTrueSampler(shape_tuple=(batch, 2))
    if labeled:
        condition = ab.LabeledConditionSampler()
        condition.true_sampler = LabeledRing(batch)
        data = (None, auto_encoder)
        settings = {"condition_sampler": condition, "label_flag": True}
        prior = ab.GaussianMixtureTrueSampler(batch, 8, labeled=True)
    # Eight points cannot fill a prior: the encoder gets noise too (section 2 of the paper).
    noise = ab.NormalNoiseSampler(shape_tuple=(batch, 8))
    model = ab.GenerativeAutoEncoder(*data, encoder_noise_sampler=noise, **settings)
    judge = ab.DiscriminativeModel(network([256, 256, 256, 1], hidden="leaky"))
    controller = ab.AAEController(
        prior, model, judge, *losses[:2], ab.L2NormLoss(), gradient_penalty=losses[2], **rates
    )
    return controller, lambda: model.generate(prior.draw()[:, :2]).asnumpy(), 1


def set_rate(controller: Any, kind: str, rate: float) -> None:
    """Set all rates; the phases of an AAE have their own, or codes leave gaps in the prior."""
    controller.learning_rate = rate
    if kind.startswith("AAE"):
        factor = 0.3 if "labels" in kind else 3.0
        controller.reconstruction_trainer.set_learning_rate(factor * rate)


def ring_game(kind: str, batch: int = 128) -> tuple[Any, Callable[[], np.ndarray], int]:
    """Return a controller, what draws samples, and the steps of the discriminator in a turn."""
    logits = {"from_logits": True}
    variants: dict[str, tuple[Any, Any, Any, int]] = {
        "GAN": (ab.GeneratorLoss(**logits), ab.DiscriminatorLoss(**logits), None, 1),
        "GAN, penalty": (
            ab.GeneratorLoss(**logits), ab.DiscriminatorLoss(**logits),
            ab.GradientPenalty(0.1, target=0.0), 1,
        ),
        "least squares, penalty": (
            ab.LeastSquaresGeneratorLoss(), ab.LeastSquaresDiscriminatorLoss(),
            ab.GradientPenalty(0.1, target=0.0), 1,
        ),
        "hinge, spectral": (ab.WassersteinGeneratorLoss(), ab.HingeDiscriminatorLoss(), None, 2),
        "WGAN-GP": (
            ab.WassersteinGeneratorLoss(), ab.WassersteinDiscriminatorLoss(),
            ab.GradientPenalty(1.0), 3,
        ),
    }  # fmt: skip
    rates = {"optimizer_name": "Adam", "learning_rate": 2e-3, "optimizer_params": {"beta1": 0.5}}
    if kind.startswith("AAE"):
        return ring_of_codes("labels" in kind, variants["GAN, penalty"], rates, batch)
    generator_loss, discriminator_loss, penalty, k_step = variants[kind]
    judge = ab.DiscriminativeModel(
        network([128, 128, 128, 1]), spectral_normalization_flag="spectral" in kind
    )
    noise = ab.NormalNoiseSampler(shape_tuple=(batch, 4))
    model = ab.GenerativeModel(noise, network([128, 128, 128, 2]))
    controller = ab.GANController(
        Ring(batch), model, judge, generator_loss, discriminator_loss,
        gradient_penalty=penalty, **rates,
    )  # fmt: skip
    return controller, lambda: model.draw().asnumpy(), k_step


RING = (
    "GAN, penalty", "AAE", "AAE, labels", "GAN", "least squares, penalty", "WGAN-GP",
    "hinge, spectral",
)  # fmt: skip


def ring(options: argparse.Namespace) -> None:
    """Report modes found and the share of samples near them, per variant."""
    rows, turns = [], options.turns * (3 if options.long else 1)
    for kind in options.kinds:
        scores = []
        for seed in seeds_of(options):
            ab.seed(seed)
            controller, draw, k_step = ring_game(kind)
            for part in range(10):  # the penalty blurs; it and the rate fall in ten steps
                set_rate(controller, kind, 2e-3 * 0.7**part)
                controller.learn(turns // 10, k_step, callbacks=QUIET)
                if controller.gradient_penalty is not None and kind != "WGAN-GP":
                    controller.gradient_penalty.weight *= 0.6
            samples = np.concatenate([draw() for _ in range(79)])[:10_000]
            scores.append(ring_score(samples))
            print(kind, seed, scores[-1], flush=True)
        modes, share = np.mean(scores, axis=0)
        rows.append(Row(kind, "modes of 8; share within 3σ", f"{modes:.1f}; {share:.1%}"))
    report(
        "adversarial-ring", "Ring of eight Gaussians", rows,
        budget=f"{turns} turns each, batch 128, one core", seeds=seeds_of(options),
        page=options.page,
        notes="GAN without a penalty is there to show what it lacks: it drops modes. A critic with "
        "spectral normalisation is so even that it does not see what is within 0.06. Samples of an "
        "AAE that are near no mode are from gaps between the codes of the modes; with labels, the "
        "prior has such gaps itself.",
    )  # fmt: skip


# -- MNIST ---------------------------------------------------------------------------------

MODELS = ("GAN", "EBGAN", "AAE", "EBAAE")


class Digits:
    """MNIST, and a network that judges digits."""

    def __init__(self, options: argparse.Namespace) -> None:
        with np.load(options.data / "mnist.npz") as file:
            self.train = file["x_train"].astype(np.float32)[:, None] / 255.0
            self.test = file["x_test"].astype(np.float32)[:, None] / 255.0
            self.train_class = file["y_train"].astype(int)
            self.test_class = file["y_test"].astype(int)
        self.judge, self.accuracy = self._learn_judge(options)
        self._real: dict[Any, tuple[np.ndarray, np.ndarray]] = {}

    def _learn_judge(self, options: argparse.Namespace) -> tuple[Any, float]:
        from mxnet.gluon import loss, nn

        ab.seed(100)
        layers = [nn.Conv2D(32, 5, strides=2, padding=2), nn.Conv2D(64, 5, strides=2, padding=2)]
        judge = ab.ConvolutionalNeuralNetworks(
            loss.SoftmaxCrossEntropyLoss(sparse_label=False),
            hidden_units_list=layers, hidden_activation_list=["relu", "relu"],
            hidden_dropout_rate_list=[0.0, 0.2],
            output_nn=network([128, 10], dropout_rate_list=[0.3, 0.0]),
            optimizer_name="Adam", learning_rate=1e-3,
            learning_attenuate_rate=0.3, attenuate_epoch=2,
        )  # fmt: skip
        file = options.cache / "judge.params"
        if file.exists():
            judge.load_parameters(file)
        else:
            target = np.eye(10, dtype=np.float32)[self.train_class]
            judge.learn(ab.ArrayIterator(self.train, target, batch_size=128, epochs=5, seed=0))
            options.cache.mkdir(parents=True, exist_ok=True)
            judge.save_parameters(file)
        predicted = np.concatenate([p for p, _ in _judged(judge, self.test)]).argmax(axis=1)
        accuracy = float((predicted == self.test_class).mean())
        print(f"judge: {accuracy:.2%} of test images right", flush=True)
        return judge, accuracy

    def look(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return probabilities of classes, and features."""
        parts = list(_judged(self.judge, images))
        return np.concatenate([p for p, _ in parts]), np.concatenate([f for _, f in parts])

    def moments(self, digit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and covariance of features of real training images."""
        if digit not in self._real:
            images = self.train if digit is None else self.train[self.train_class == digit]
            features = self.look(images[:20_000])[1]
            self._real[digit] = (features.mean(axis=0), np.cov(features.T))
        return self._real[digit]

    def measure(self, images: np.ndarray) -> tuple[float, float, int]:
        """Return the MNIST score, the Fréchet distance, and the number of classes found."""
        probability, features = self.look(images)
        marginal = probability.mean(axis=0)
        terms = probability * (np.log(probability + 1e-12) - np.log(marginal + 1e-12))
        found = np.bincount(probability.argmax(axis=1), minlength=10) / len(images)
        distance = frechet(self.moments(), (features.mean(axis=0), np.cov(features.T)))
        return float(np.exp(terms.sum(axis=1).mean())), distance, int((found >= 0.02).sum())


def _judged(judge: Any, images: np.ndarray) -> Any:
    for begin in range(0, len(images), 1000):
        logits = judge.inference(images[begin : begin + 1000]).asnumpy()
        logits -= logits.max(axis=1, keepdims=True)
        features = judge.output_nn.feature_points_arr.asnumpy()
        yield np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), features


def frechet(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> float:
    """Fréchet distance of two Gaussians (Heusel et al. 2017, equation 6)."""
    values, vectors = np.linalg.eigh(one[1])
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    inner = np.linalg.eigvalsh(root @ other[1] @ root)
    cross = np.sqrt(np.maximum(inner, 0)).sum()
    apart = ((one[0] - other[0]) ** 2).sum()
    return float(apart + np.trace(one[1]) + np.trace(other[1]) - 2 * cross)


def convolutional_generator(first_n: int | None = None) -> Any:
    from mxnet.gluon import nn

    layers = [
        nn.Conv2DTranspose(32, 4, strides=2, padding=1),
        nn.Conv2DTranspose(1, 4, strides=2, padding=1),
    ]
    return ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), input_nn=network([first_n or 64 * 49], "relu"),
        input_result_channel=64, input_result_height=7, input_result_width=7,
        hidden_units_list=layers, hidden_activation_list=["relu", "sigmoid"],
        hidden_dropout_rate_list=[0.0, 0.0], hidden_batch_norm_list=[nn.BatchNorm(), None],
    )  # fmt: skip


def convolutional_judge() -> Any:
    from mxnet.gluon import nn

    layers = [nn.Conv2D(32, 4, strides=2, padding=1), nn.Conv2D(64, 4, strides=2, padding=1)]
    return ab.DiscriminativeModel(
        ab.ConvolutionalNeuralNetworks(
            ab.L2NormLoss(), hidden_units_list=layers, hidden_activation_list=["leaky", "leaky"],
            hidden_dropout_rate_list=[0.0, 0.0], output_nn=network([1]),
        )
    )  # fmt: skip


def true_sampler(images: np.ndarray, cls: Any = None, target: Any = None) -> Any:
    sampler = (cls or ab.TrueSampler)()
    sampler.iteratorable_data = ab.ArrayIterator(
        images, target, batch_size=BATCH, epochs=1000, drop_last=True
    )
    return sampler


GAME = {"optimizer_name": "Adam", "optimizer_params": {"beta1": 0.5}}


def penalised() -> dict[str, Any]:
    """Settings of the GANs: a weak penalty on the gradient allows a high rate."""
    return {"learning_rate": 1e-3, "gradient_penalty": ab.GradientPenalty(0.2, target=0.0), **GAME}


def original_losses() -> tuple[Any, Any]:
    return ab.GeneratorLoss(from_logits=True), ab.DiscriminatorLoss(from_logits=True)


def gan(digits: Digits) -> tuple[Any, Callable[[], np.ndarray]]:
    noise = ab.NormalNoiseSampler(shape_tuple=(BATCH, LATENT))
    model = ab.GenerativeModel(noise, convolutional_generator())
    controller = ab.GANController(
        true_sampler(digits.train), model, convolutional_judge(), *original_losses(), **penalised()
    )
    return controller, lambda: model.draw().asnumpy()


def ebgan(digits: Digits) -> tuple[Any, Callable[[], np.ndarray]]:
    from mxnet.gluon import nn

    encoder = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(),
        hidden_units_list=[
            nn.Conv2D(32, 4, strides=2, padding=1), nn.Conv2D(64, 4, strides=2, padding=1)
        ],
        hidden_activation_list=["leaky", "leaky"], hidden_dropout_rate_list=[0.0, 0.0],
        output_nn=network([32]),
    )  # fmt: skip
    energy = ab.EBDiscriminativeModel(
        ab.ConvolutionalAutoEncoder(encoder, convolutional_generator(), ab.L2NormLoss())
    )
    noise = ab.NormalNoiseSampler(shape_tuple=(BATCH, LATENT))
    model = ab.GenerativeModel(noise, convolutional_generator())
    controller = ab.EBGANController(
        true_sampler(digits.train), model, energy,
        ab.EBDiscriminatorLoss(margin=0.06, margin_decay_rate=0.9, margin_decay_epoch=5),
        learning_rate=1e-3, pulling_away_weight=0.002, **GAME,
    )  # fmt: skip
    return controller, lambda: model.draw().asnumpy()


def aae(
    digits: Digits, energy: bool = False, code_n: int = 8
) -> tuple[Any, Callable[[], np.ndarray]]:
    flat = digits.train.reshape(-1, 784)
    auto_encoder = ab.AutoEncoder(
        network([1000, 1000, code_n]), network([1000, 1000, 784], "sigmoid"), ab.L2NormLoss()
    )
    model = ab.GenerativeAutoEncoder(true_sampler(flat, ab.NoiseSampler), auto_encoder)
    prior = ab.NormalTrueSampler(shape_tuple=(BATCH, code_n))
    settings = {"reconstruction_loss": ab.L2NormLoss(), "learning_rate": 1e-3, **GAME}
    controller: Any
    if energy:
        judge = ab.AutoEncoder(
            network([500, max(2, code_n // 2)]), network([500, code_n]), ab.L2NormLoss()
        )
        controller = ab.EBAAEController(
            prior, model, ab.EBDiscriminativeModel(judge), ab.EBDiscriminatorLoss(1.0), **settings
        )
    else:
        judge = ab.DiscriminativeModel(network([1000, 1000, 1], hidden="leaky"))
        controller = ab.AAEController(prior, model, judge, *original_losses(), **settings)
    return controller, lambda: model.generate(prior.draw()).asnumpy().reshape(-1, 1, 28, 28)


def mixture_of_gaussians(digits: Digits, seed: int) -> np.ndarray:
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    flat = digits.train[:20_000].reshape(-1, 784)
    pca = PCA(50, random_state=seed).fit(flat)
    mixture = GaussianMixture(50, random_state=seed, max_iter=30).fit(pca.transform(flat))
    drawn = pca.inverse_transform(mixture.sample(10_000)[0])
    return np.clip(drawn, 0, 1).reshape(-1, 1, 28, 28).astype(np.float32)


def draw_many(draw: Callable[[], np.ndarray], n: int = 10_000) -> np.ndarray:
    return np.concatenate([draw() for _ in range(n // BATCH)])


def mnist(options: argparse.Namespace) -> None:
    """Report scores of samples of each model."""
    digits, rows, pictures, turns = Digits(options), [], [], {}
    games: dict[str, Callable[[], Any]] = {  # the names of MODELS
        "GAN": lambda: gan(digits),
        "EBGAN": lambda: ebgan(digits),
        "AAE": lambda: aae(digits),
        "EBAAE": lambda: aae(digits, energy=True),
    }
    samples = {"real test images": digits.test}
    samples["mixture of 50 Gaussians"] = mixture_of_gaussians(digits, options.seed)
    for name in options.models:
        make = games[name]
        ab.seed(options.seed)
        controller, draw = make()
        turns[name] = spend(controller, options.minutes)
        samples[name] = draw_many(draw)
        file = options.page.parent / "reproductions" / f"mnist_{name.lower()}.png"
        pictures.append(save_grid(samples[name][:100, 0], file))
    for name, images in samples.items():
        score, distance, found = digits.measure(images)
        text = f"{score:.2f}; {distance:.1f}; {found}"
        rows.append(Row(name, "MNIST score; Fréchet distance; classes of 10", text))
        print(rows[-1], flush=True)
    report(
        "adversarial-mnist", "Generating MNIST", rows,
        budget=f"{options.minutes:g} minutes each, one core", seeds=[options.seed],
        page=options.page, pictures=pictures,
        notes=f"The judge reads {digits.accuracy:.2%} of the test images right. Turns: "
        + ", ".join(f"{name} {n}" for name, n in turns.items()) + ".",
    )  # fmt: skip


def conditional(options: argparse.Namespace) -> None:
    """Report how often the asked digit is drawn, and how far each class is from the real one."""
    digits = Digits(options)
    ab.seed(options.seed)
    labels = np.eye(10, dtype=np.float32)[digits.train_class]
    model = ab.ConditionalGenerativeModel(
        ab.NormalNoiseSampler(shape_tuple=(BATCH, LATENT)), convolutional_generator(),
        condition_sampler=ab.OneHotNoiseSampler(10, BATCH),
    )  # fmt: skip
    sampler = true_sampler(digits.train, ab.ConditionalTrueSampler, labels)
    controller = ab.GANController(
        sampler, model, convolutional_judge(), *original_losses(), **penalised()
    )
    turns = spend(controller, options.minutes)
    plain, draw = gan(digits)
    spend(plain, options.minutes)
    unconditional = draw_many(draw)
    plain_class = digits.look(unconditional)[0].argmax(axis=1)
    right, ratios, grids = [], [], []
    for digit in range(10):
        asked = np.eye(10, dtype=np.float32)[[digit] * 1000]
        noise = np.random.RandomState(digit).randn(1000, LATENT)
        images = model.generate(noise, asked).asnumpy()
        probability, features = digits.look(images)
        right.append((probability.argmax(axis=1) == digit).mean())
        grids.append(images[:10, 0])
        if (plain_class == digit).sum() < 100:  # the unconditional GAN has lost this digit
            continue
        others = digits.look(unconditional[plain_class == digit])[1]
        ours, theirs = (
            frechet(digits.moments(digit), (f.mean(axis=0), np.cov(f.T)))
            for f in (features, others)
        )
        ratios.append(ours / theirs)
    picture = save_grid(
        np.concatenate(grids), options.page.parent / "reproductions" / "mnist_conditional.png"
    )
    rows = [
        Row("conditional GAN", "share read as the asked digit, %", 100 * float(np.mean(right))),
        Row("", "least share of a digit, %", 100 * float(np.min(right))),
        Row(
            "", "Fréchet distance within a class, of the unconditional GAN's: mean; greatest",
            f"{np.mean(ratios):.2f}; {max(ratios, default=math.nan):.2f}",
        ),
    ]  # fmt: skip
    report(
        "adversarial-conditional", "Conditional GAN on MNIST", rows,
        budget=f"{options.minutes:g} minutes ({turns} turns), one core", seeds=[options.seed],
        page=options.page, pictures=[picture],
        notes=f"Compared are the {len(ratios)} classes of which the unconditional GAN, with the "
        "same budget, gives at least 1 %.",
    )  # fmt: skip


# -- likelihood ----------------------------------------------------------------------------


def parzen(samples: np.ndarray, test: np.ndarray, valid: np.ndarray) -> tuple[float, float]:
    """Mean log-likelihood in nats and its standard error; the width is chosen on `valid`."""
    best = max((log_density(samples, valid, s).mean(), s) for s in np.linspace(0.1, 0.3, 9))
    values = log_density(samples, test, best[1])
    return float(values.mean()), float(values.std() / math.sqrt(len(values)))


def log_density(samples: np.ndarray, points: np.ndarray, width: float) -> np.ndarray:
    dim, found = samples.shape[1], []
    own = (samples**2).sum(axis=1)
    for begin in range(0, len(points), 200):
        part = points[begin : begin + 200]
        squares = (part**2).sum(axis=1)[:, None] + own - 2 * part @ samples.T
        exponent = -squares.astype(np.float64) / (2 * width**2)
        top = exponent.max(axis=1)
        sums = top + np.log(np.exp(exponent - top[:, None]).mean(axis=1))
        found.append(sums - dim * math.log(width * math.sqrt(2 * math.pi)))
    return np.concatenate(found)


def mean_discrepancy(x: np.ndarray, y: np.ndarray) -> float:
    """Squared MMD with Gaussian kernels of four widths (Gretton et al. 2012, equation 3)."""

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
        scale = a.shape[1]
        return sum(np.exp(-squares / (2 * scale * w**2)) for w in (0.25, 0.5, 1.0, 2.0))

    n, m = len(x), len(y)
    within = (kernel(x, x).sum() - 4 * n) / (n * (n - 1)) + (kernel(y, y).sum() - 4 * m) / (
        m * (m - 1)
    )
    return float(within - 2 * kernel(x, y).mean())


def likelihood(options: argparse.Namespace) -> None:
    """Report Parzen-window likelihoods, and how well codes match the prior."""
    from sklearn.cluster import MiniBatchKMeans

    digits = Digits(options)
    flat, test = digits.train.reshape(-1, 784), digits.test.reshape(-1, 784)
    ab.seed(options.seed)
    controller, draw = aae(digits)
    turns = spend(controller, options.minutes)
    valid = flat[-1000:]
    real = flat[np.random.RandomState(options.seed).choice(50_000, 10_000, replace=False)]
    centres = MiniBatchKMeans(1000, random_state=options.seed, n_init=1).fit(flat[:50_000])
    candidates = {
        "AAE": draw_many(draw).reshape(-1, 784),
        "training images": real,
        "1000 centres of k-means": centres.cluster_centers_,
    }
    rows = []
    for name, samples in candidates.items():
        mean, error = parzen(samples.astype(np.float32), test, valid)
        paper = ("340 ± 2", "Makhzani et al. 2015") if name == "AAE" else (None, "")
        rows.append(Row(name, "Parzen log-likelihood, nats", f"{mean:.0f} ± {error:.0f}", *paper))
        print(rows[-1], flush=True)
    plain = ab.AutoEncoder(
        network([1000, 1000, 8]), network([1000, 1000, 784], "sigmoid"), ab.L2NormLoss(),
        optimizer_name="Adam", learning_rate=1e-3,
    )  # fmt: skip
    plain.learn(ab.ArrayIterator(flat, batch_size=BATCH, epochs=5), callbacks=QUIET)
    prior = np.random.RandomState(options.seed).randn(2000, 8)
    found = []
    for encode in (controller.generative_model.model.encode, plain.encode):
        code = encode(test[:2000]).asnumpy()
        if encode == plain.encode:
            code = (code - code.mean(axis=0)) / code.std(axis=0)
        found.append(mean_discrepancy(code, prior))
    rows.append(Row(
        "AAE", "MMD² of codes to the prior, of a plain auto-encoder's (standardised)",
        f"{found[0]:.4f} / {found[1]:.4f} = {found[0] / found[1]:.3f}",
    ))  # fmt: skip
    report(
        "adversarial-likelihood", "Adversarial auto-encoder: likelihood and codes", rows,
        budget=f"{options.minutes:g} minutes ({turns} turns), one core", seeds=[options.seed],
        page=options.page,
        notes="Parzen windows flatter what is smooth: compare with the real images.",
    )  # fmt: skip


def labels(options: argparse.Namespace) -> None:
    """Report the error of the semi-supervised AAE with 100 labels."""
    with np.load(options.data / "mnist.npz") as file:
        train, test = (file[name].reshape(-1, 784) / 255.0 for name in ("x_train", "x_test"))
        train_class, test_class = (file[name].astype(int) for name in ("y_train", "y_test"))
    train, test = train.astype(np.float32), test.astype(np.float32)
    ab.seed(options.seed)
    rng = np.random.RandomState(options.seed)
    chosen = np.concatenate(
        [rng.choice(np.flatnonzero(train_class == digit), 10, replace=False) for digit in range(10)]
    )
    one_hot = np.eye(10, dtype=np.float32)[train_class]
    encoder = ab.CategoricalEncoder(
        ab.L2NormLoss(), class_n=10, units_list=[1000, 1000, 20],
        activation_list=["relu", "relu", "identity"], dropout_rate_list=[0.2, 0.0, 0.0],
    )  # fmt: skip
    auto_encoder = ab.AutoEncoder(encoder, network([1000, 1000, 784], "sigmoid"), ab.L2NormLoss())
    controller = ab.SemiSupervisedAAEController(
        true_sampler=ab.NormalTrueSampler(shape_tuple=(BATCH, 10)),
        generative_model=ab.GenerativeAutoEncoder(
            true_sampler(train, ab.NoiseSampler), auto_encoder
        ),
        discriminative_model=ab.DiscriminativeModel(network([1000, 1000, 1], hidden="leaky")),
        category_discriminative_model=ab.DiscriminativeModel(network([500, 500, 1])),
        category_sampler=ab.OneHotNoiseSampler(10, BATCH),
        labeled_sampler=true_sampler(train[chosen], ab.LabeledTrueSampler, one_hot[chosen]),
        generator_loss=original_losses()[0], discriminator_loss=original_losses()[1],
        reconstruction_loss=ab.L2NormLoss(), learning_rate=1e-3, **GAME,
    )  # fmt: skip
    turns = spend(controller, options.minutes)
    error = 100 * float((controller.classify(test) != test_class).mean())
    rows = [Row("AAE, 100 labels", "test error, %", error, 1.90, "Makhzani et al. 2015, table 2")]
    report(
        "adversarial-labels", "Semi-supervised adversarial auto-encoder", rows,
        budget=f"{options.minutes:g} minutes ({turns} turns), one core", seeds=[options.seed],
        page=options.page,
        notes="The labels are of one draw of 100; the paper averages over ten, and learns longer.",
    )  # fmt: skip


PARTS = {
    "ring": ring, "mnist": mnist, "conditional": conditional,
    "likelihood": likelihood, "labels": labels,
}  # fmt: skip


def main() -> None:
    made = parser(__doc__.splitlines()[0])
    made.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    made.add_argument("--minutes", type=float, default=20.0, help="for each model on MNIST")
    made.add_argument("--kinds", nargs="+", choices=RING, default=RING, help="of the ring")
    made.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="of mnist")
    made.add_argument("--turns", type=int, default=12_000, help="of each learning on the ring")
    made.add_argument("--cache", type=Path, default=ROOT / ".cache", help="where the judge is kept")
    options = made.parse_args()
    if options.long:
        options.minutes *= 6
    for part in options.parts:
        PARTS[part](options)


if __name__ == "__main__":
    main()
