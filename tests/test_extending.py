"""The base carries: learners as a stranger writes them from `docs/extending.md`.

Each is at most 60 lines, and gets history, progress, early stopping and attenuation from
the base. The code between the marks is what the documentation shows.
"""

import inspect
import re
import time
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon, nd
from sklearn.datasets import load_digits

import accelbrainbase as ab


# [one step of a model]
class DenoisingAutoEncoder(ab.AutoEncoder):
    """Reconstructs the clean data point from a corrupted one (Vincent et al. 2008)."""

    noiseable_data = ab.GaussNoise(mu=0.0, sigma=0.3)

    def _batch_loss(self, observed_arr, target_arr):
        noised_arr = self.noiseable_data.noise(observed_arr)
        return self.compute_loss(self(noised_arr), target_arr)


# [end]


# [a network]
class ResidualNetwork(ab.GradientBlock):
    """Dense layers, each of which adds to what went in (He et al. 2016)."""

    def __init__(self, computable_loss, width, layer_n, output_n, **kwargs):
        super().__init__(computable_loss, **kwargs)
        with self.name_scope():
            self.input_layer = gluon.nn.Dense(width)
            self.layers = gluon.nn.HybridSequential()
            for _ in range(layer_n):
                self.layers.add(gluon.nn.Dense(width, activation="relu"))
            self.output_layer = gluon.nn.Dense(output_n)
        self.complete()

    def forward_propagation(self, F, x):
        x = self.input_layer(x)
        for layer in self.layers:
            x = x + layer(x)
        self.keep_features(x)
        return self.output_layer(x)


# [end]


# [a callback]
class TimeLimit(ab.Callback):
    """Ends a learning after some seconds."""

    def __init__(self, seconds):
        self.seconds = seconds

    def on_train_begin(self, state):
        self.end = time.perf_counter() + self.seconds

    def on_step_end(self, state):
        if time.perf_counter() > self.end:
            state.stop(f"the limit of {self.seconds} s is reached")


# [end]


# [data of your own]
class Circles(ab.IteratableData):
    """Points near one of two circles; the target says which."""

    def __init__(self, epochs=20, batch_size=32, steps=25):
        self.epochs, self.batch_size = epochs, batch_size
        self.iter_n = epochs * steps

    def draw(self, n):
        which = np.random.randint(2, size=n)
        angle = np.random.uniform(0, 2 * np.pi, size=n)
        points = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (1 + which[:, None])
        return points + np.random.normal(0, 0.1, size=(n, 2)), np.eye(2)[which]

    def generate_learned_samples(self):
        test = self.draw(200)
        for _ in range(self.iter_n):
            yield (*self.draw(self.batch_size), *test)

    def generate_inferenced_samples(self):
        points, target = self.draw(200)
        yield None, None, points, target


# [end]


# [a loss]
class LogCoshLoss(ab.ComputableLoss):
    """About half the square of a small error, about the absolute value of a large one."""

    def compute(self, pred_arr, real_arr):
        error_arr = nd.abs(pred_arr - real_arr)
        loss_arr = error_arr + nd.log1p(nd.exp(-2 * error_arr)) - np.log(2)  # log(cosh(error))
        return loss_arr.mean(axis=0, exclude=True)  # over all axes but that of the batch


# [end]


# [noise]
class GapNoise(ab.NoiseableData):
    """Blanks some neighbouring features, as a scanner that misses a few lines."""

    def __init__(self, width):
        self.width = width

    def noise(self, arr):
        begin = np.random.randint(arr.shape[1] - self.width + 1)
        kept_arr = nd.ones_like(arr)
        kept_arr[:, begin : begin + self.width] = 0
        return arr * kept_arr


# [end]


# [a constraint]
class NonNegativeWeights(ab.RegularizatableData):
    """Sets negative weights to zero; biases stay as they are."""

    def regularize(self, params_dict):
        return {
            name: nd.relu(arr) if name.endswith("weight") else arr
            for name, arr in params_dict.items()
        }


# [end]


# [a sampler]
class RingSampler(ab.SamplableData):
    """Draws points of a ring of radius 1, a little blurred."""

    def __init__(self, batch_size):
        self.batch_size = batch_size

    def draw(self):
        angle_arr = nd.random.uniform(0, 2 * np.pi, shape=(self.batch_size,))
        ring_arr = nd.stack(nd.cos(angle_arr), nd.sin(angle_arr), axis=1)
        return ring_arr + nd.random.normal(0, 0.05, shape=ring_arr.shape)


# [end]


# [a reader of files]
class ArrayExtractor(ab.ExtractableData):
    """Reads a picture that NumPy has saved, shape `(channel, height, width)`."""

    def extract(self, path):
        return np.load(path, allow_pickle=False).astype("float32")


# [end]


# [a machine without gradients]
class ContrastiveDivergenceMachine(ab.LearnableBlock):
    """A restricted Boltzmann machine with binary units, learning by CD-1 (Hinton 2002)."""

    def __init__(self, visible_dim, hidden_dim, **kwargs):
        super().__init__(**kwargs)
        new = self.params.get
        self.weight = new("weight", shape=(hidden_dim, visible_dim), init=mx.init.Normal(0.01))
        self.visible_bias = new("visible_bias", shape=(visible_dim,), init="zeros")
        self.hidden_bias = new("hidden_bias", shape=(hidden_dim,), init="zeros")
        self.complete()

    def hidden(self, visible_arr):
        """p(h = 1 | v)."""
        weight, bias = self.weight.data(), self.hidden_bias.data()
        return nd.sigmoid(nd.dot(visible_arr, weight, transpose_b=True) + bias)

    def visible(self, hidden_arr):
        """p(v = 1 | h)."""
        return nd.sigmoid(nd.dot(hidden_arr, self.weight.data()) + self.visible_bias.data())

    def _train_step(self, observed_arr, target_arr):
        hidden_arr = self.hidden(observed_arr)
        drawn_arr = nd.random.uniform_like(hidden_arr) < hidden_arr
        fantasy_arr = self.visible(drawn_arr)
        unlearned_arr = self.hidden(fantasy_arr)
        self.update_by(
            {
                self.weight: nd.dot(unlearned_arr, fantasy_arr, transpose_a=True)
                - nd.dot(hidden_arr, observed_arr, transpose_a=True),
                self.visible_bias: (fantasy_arr - observed_arr).sum(axis=0),
                self.hidden_bias: (unlearned_arr - hidden_arr).sum(axis=0),
            },
            observed_arr.shape[0],
            self.trainer,
        )
        return nd.square(observed_arr - fantasy_arr).mean(axis=1)

    def _evaluate(self, observed_arr, target_arr):
        return nd.square(observed_arr - self.inference(observed_arr)).mean(axis=1)

    def inference(self, observed_arr):
        """Reconstruct."""
        return self.visible(self.hidden(self.on_device("observed_arr", observed_arr)))


# [end]


# [two networks in turns]
class Game(ab.LearnableController):
    """A generator and a discriminator that take turns (Goodfellow et al. 2014)."""

    generator_trainer = ab.LazyTrainer("generator")
    discriminator_trainer = ab.LazyTrainer("discriminator")

    def __init__(self, generator, discriminator, draw_true, draw_noise, **kwargs):
        super().__init__(**kwargs)
        self.generator, self.discriminator = generator, discriminator
        self.draw_true, self.draw_noise = draw_true, draw_noise
        self.complete()

    def _take_turn(self):
        true_arr, noise_arr = self.draw_true(), self.draw_noise()
        fake_arr = self.generator(noise_arr)
        with autograd.record():
            loss_arr = self.surprise(self.discriminator(true_arr), is_true=True)
            loss_arr = loss_arr + self.surprise(self.discriminator(fake_arr), is_true=False)
        self.update(loss_arr, true_arr.shape[0], self.discriminator_trainer)
        with autograd.record():
            judged_arr = self.discriminator(self.generator(noise_arr))
            fooling_arr = self.surprise(judged_arr, is_true=True)
        self.update(fooling_arr, noise_arr.shape[0], self.generator_trainer)
        return {"discriminator": loss_arr, "generator": fooling_arr}

    def surprise(self, logit_arr, is_true):
        """-log of the probability that the discriminator gave to the truth."""
        return nd.Activation(-logit_arr if is_true else logit_arr, "softrelu").mean(axis=1)


# [end]


def test_documentation_shows_the_very_code():
    source = Path(__file__).read_text(encoding="utf-8")
    page = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^# \[[^\n]*\]\n(class .*?)\n+# \[end\]$", source, re.S | re.M)
    assert len(blocks) == 11
    for block in blocks:
        assert f"```python\n{block}\n```" in page


@pytest.fixture(scope="module")
def digits():
    data, _ = load_digits(return_X_y=True)
    return (data > 7).astype(np.float32)


def make_iterator(data, **kwargs):
    ab.seed(3)
    return ab.ArrayIterator(data[:1500], test_observed=data[1500:], batch_size=50, **kwargs)


@pytest.mark.parametrize("learner", [ContrastiveDivergenceMachine, Game])
def test_at_most_sixty_lines(learner):
    assert len(inspect.getsource(learner).splitlines()) <= 60


def test_contrastive_divergence_machine_learns_with_all_that_the_base_gives(digits):
    iterator = make_iterator(digits, epochs=60)
    machine = ContrastiveDivergenceMachine(
        64, 40, learning_rate=0.1, learning_attenuate_rate=0.5, attenuate_epoch=5,
        optimizer_params={"momentum": 0.5},
    )  # fmt: skip
    stopping = ab.EarlyStopping(patience=2, min_delta=1e-3)
    machine.learn(iterator, callbacks=[stopping, ab.ProgressBar(show=False)])
    rows = len(machine.loss_arr)
    mean_error = ((digits[1500:] - digits[:1500].mean(axis=0)) ** 2).mean()
    assert machine.loss_arr[-1, 1] < 0.6 * mean_error
    assert rows < 60 and stopping.best_row <= rows - 2
    rates = machine.history.column("learning_rate")
    np.testing.assert_allclose(rates, 0.1 * 0.5 ** (np.arange(rows) // 5))
    best = machine.inference(digits[1500:]).asnumpy()
    assert ((best - digits[1500:]) ** 2).mean() == pytest.approx(stopping.best_value, rel=1e-5)


def test_contrastive_divergence_step_by_numpy(digits):
    """With all drawn hidden units fixed to 1 by a huge bias, the step can be computed by hand."""
    machine = ContrastiveDivergenceMachine(64, 3, learning_rate=0.1)
    machine.hidden_bias.set_data(nd.array([50.0, 50.0, 50.0]))
    weight = machine.weight.data().asnumpy()
    observed = digits[:10]
    fantasy = 1 / (1 + np.exp(-np.ones((10, 3)) @ weight))
    machine._train_step(nd.array(observed), None)
    expected = weight + 0.1 / 10 * np.ones((3, 10)) @ (observed - fantasy)
    np.testing.assert_allclose(machine.weight.data().asnumpy(), expected, rtol=1e-5, atol=1e-7)


def make_game(**kwargs):
    ab.seed(5)
    generator = gluon.nn.HybridSequential()
    generator.add(gluon.nn.Dense(1))
    discriminator = gluon.nn.HybridSequential()
    discriminator.add(gluon.nn.Dense(16, activation="tanh"), gluon.nn.Dense(1))
    return Game(
        generator, discriminator,
        lambda: nd.random.normal(3.0, 0.5, shape=(64, 1)),
        lambda: nd.random.normal(shape=(64, 1)),
        optimizer_name="Adam", optimizer_params={"beta1": 0.5}, **kwargs,
    )  # fmt: skip


def test_game_is_won_by_nobody():
    game = make_game(learning_rate=0.01, learning_attenuate_rate=0.1, attenuate_epoch=1000)
    game.learn(1500, callbacks=[ab.ProgressBar(show=False)])
    drawn = game.generator(nd.random.normal(shape=(2000, 1))).asnumpy()
    assert drawn.mean() == pytest.approx(3.0, abs=0.5)
    assert len(game.history) == 1500
    assert game.history.columns == ["train_discriminator", "train_generator", "learning_rate"]
    rates = game.history.column("learning_rate")
    np.testing.assert_allclose(rates[[999, 1000]], [0.01, 0.001])
    assert [trainer.learning_rate for trainer in game.trainers] == pytest.approx([0.001] * 2)


def test_game_stops_early():
    game = make_game(learning_rate=0.01)
    stopping = ab.EarlyStopping(patience=30, monitor="train_generator")
    game.learn(5000, callbacks=[stopping])
    assert len(game.history) < 5000


def test_denoising_auto_encoder(digits):
    ab.seed(0)
    settings = {"optimizer_name": "Adam", "learning_rate": 0.01}
    model = DenoisingAutoEncoder(
        ab.NeuralNetworks(ab.L2NormLoss(), units_list=[32], activation_list=["tanh"]),
        ab.NeuralNetworks(ab.L2NormLoss(), units_list=[64], activation_list=["sigmoid"]),
        ab.L2NormLoss(), **settings,
    )  # fmt: skip
    model.learn(make_iterator(digits, epochs=15))
    noised = digits[1500:] + np.random.default_rng(0).normal(0, 0.3, (297, 64)).astype("float32")
    cleaned = model.inference(noised).asnumpy()
    assert ((cleaned - digits[1500:]) ** 2).mean() < 0.5 * ((noised - digits[1500:]) ** 2).mean()


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_residual_network_on_circles(hybridize_flag):
    ab.seed(0)
    model = ResidualNetwork(
        gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False), width=16, layer_n=2, output_n=2,
        optimizer_name="Adam", learning_rate=0.01, hybridize_flag=hybridize_flag,
    )  # fmt: skip
    model.compute_acc_flag = True
    model.learn(Circles())
    assert model.acc_arr.shape == (20, 2) and model.acc_arr[-1, 1] > 0.97
    assert model.kept_features().shape == (200, 16)


def test_time_limit():
    model = ResidualNetwork(
        gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False), width=4, layer_n=1, output_n=2
    )
    begin = time.perf_counter()
    model.learn(Circles(epochs=10_000), callbacks=[TimeLimit(0.3)])
    assert time.perf_counter() - begin < 10
    assert 1 <= len(model.history) < 10_000


def test_every_interface_has_an_example():
    page = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
    mine = [
        LogCoshLoss, GapNoise, NonNegativeWeights, RingSampler, ArrayExtractor, Circles, Game,
        ContrastiveDivergenceMachine,
    ]  # fmt: skip
    interfaces = [
        ab.ComputableLoss, ab.NoiseableData, ab.RegularizatableData, ab.SamplableData,
        ab.ExtractableData, ab.IteratableData, ab.ControllableModel, ab.ObservableData,
    ]  # fmt: skip
    for cls, interface in zip(mine, interfaces):
        assert issubclass(cls, interface)
        assert f"| `{interface.__name__}` | [" in page


def test_loss_against_numpy():
    pred, real = np.random.default_rng(0).normal(0, 3, (2, 5, 4, 3)).astype("float32")
    found = LogCoshLoss().compute(nd.array(pred), nd.array(real)).asnumpy()
    expected = np.log(np.cosh((pred - real).astype("float64"))).mean(axis=(1, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_noise_blanks_a_gap_and_nothing_else():
    ab.seed(0)
    arr = nd.ones((3, 20))
    noised = GapNoise(width=5).noise(arr).asnumpy()
    assert (arr.asnumpy() == 1).all()
    blank = np.flatnonzero(noised[0] == 0)
    np.testing.assert_array_equal(blank, np.arange(blank[0], blank[0] + 5))
    assert (noised == noised[0]).all() and noised.sum() == 3 * 15


def test_constraint_holds_after_learning(digits):
    ab.seed(0)
    network = ab.NeuralNetworks(
        LogCoshLoss(), units_list=[64], activation_list=["identity"],
        regularizatable_data_list=[NonNegativeWeights()], learning_rate=0.1,
    )  # fmt: skip
    network.learn(make_iterator(digits, epochs=2))
    lowest = {name: p.data().asnumpy().min() for name, p in network.collect_params().items()}
    weights = [value for name, value in lowest.items() if name.endswith("weight")]
    assert weights == [0]
    assert min(value for name, value in lowest.items() if name.endswith("bias")) < 0


def test_sampler_spreads_codes_on_a_ring(digits):
    ab.seed(0)
    observed = ab.NoiseSampler()
    observed.iteratorable_data = ab.ArrayIterator(digits, epochs=1000, batch_size=64, seed=0)
    loss = ab.L2NormLoss()

    def network(units_list, last="identity"):
        activation_list = ["relu"] * (len(units_list) - 1) + [last]
        return ab.NeuralNetworks(loss, units_list=units_list, activation_list=activation_list)

    auto_encoder = ab.AutoEncoder(network([64, 2]), network([64, 64], "sigmoid"), loss)
    controller = ab.AAEController(
        RingSampler(64), ab.GenerativeAutoEncoder(observed, auto_encoder),
        ab.DiscriminativeModel(network([64, 1])), ab.GeneratorLoss(from_logits=True),
        ab.DiscriminatorLoss(from_logits=True), loss, optimizer_name="Adam", learning_rate=2e-3,
    )  # fmt: skip
    controller.learn(400)
    radius = np.linalg.norm(auto_encoder.encode(digits).asnumpy(), axis=1)
    assert np.quantile(radius, 0.1) > 0.5 and np.quantile(radius, 0.9) < 1.5


def test_reader_of_files_in_an_iterator(tmp_path):
    for number in range(6):
        np.save(tmp_path / f"{number}.npy", np.full((1, 4, 4), number, dtype="float64"))
    iterator = ab.UnlabeledImageIterator(
        ArrayExtractor(), [tmp_path], epochs=1, batch_size=3, norm_mode=None
    )
    batches = [sample[0].asnumpy() for sample in iterator.generate_learned_samples()]
    assert sorted(batch[0, 0, 0] for both in batches for batch in both) == list(range(6))
