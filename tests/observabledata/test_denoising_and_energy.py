"""Denoising auto-encoders, their walks and samples; the energy of an auto-encoder."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import autograd, nd
from mxnet.gluon import loss, nn

import accelbrainbase as ab
from accelbrainbase._mxnet.potential_energy import potential_energy

POINTS = np.random.RandomState(0).rand(64, 6).astype(np.float32)
PICTURES = np.random.RandomState(0).rand(30, 2, 6, 5).astype(np.float32)


def layer(units, activation, **kwargs):
    return ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[units], activation_list=[activation], **kwargs
    )


def maps(block, activation, **kwargs):
    return ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[block], hidden_activation_list=[activation],
        hidden_dropout_rate_list=[0.0], **kwargs,
    )  # fmt: skip


def dense(cls=None, activation="sigmoid", output="identity", units=4, **kwargs):
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, "tied_weights_flag": True}
    return (cls or ab.AutoEncoder)(
        layer(units, activation), layer(6, output), loss.L2Loss(), **{**settings, **kwargs}
    )


def convolutional(cls=None, activation="sigmoid", output="identity", settings=None, **kwargs):
    settings = settings or {"padding": 1}
    adjust = kwargs.pop("adjust", {})
    return (cls or ab.ConvolutionalAutoEncoder)(
        maps(nn.Conv2D(3, 3, **settings), activation),
        maps(nn.Conv2DTranspose(2, 3, **settings, **adjust), output),
        loss.L2Loss(), **{"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs},
    )  # fmt: skip


class Shift(ab.NoiseableData):
    """Adds 1 and counts."""

    def __init__(self):
        self.seen = []

    def noise(self, arr):
        self.seen.append(arr.shape[0])
        return arr + 1


# -- denoising -------------------------------------------------------------------------


MODELS = [
    pytest.param(dense, POINTS, id="AutoEncoder"),
    pytest.param(convolutional, PICTURES, id="ConvolutionalAutoEncoder"),
    pytest.param(lambda **k: dense(ab.ContractiveAutoEncoder, **k), POINTS, id="contractive"),
    pytest.param(lambda **k: convolutional(ab.RepellingCAE, **k), PICTURES, id="repelling"),
]


@pytest.mark.parametrize(("make", "data"), MODELS)
def test_learning_sees_noise_and_a_clean_target(make, data):
    ab.seed(0)
    model = make(noiseable_data=Shift())
    before = {}

    class Look(ab.Callback):
        def on_step_end(self, state):
            before[state.step] = model.feature_points_arr.asnumpy()

    model.inference(data)
    expected = model.encode(data + 1).asnumpy()
    reconstruction = model.compute_loss(model.inference(data + 1), nd.array(data)).mean().asscalar()
    iterator = ab.ArrayIterator(
        data, test_observed=data, epochs=1, batch_size=len(data), shuffle=False
    )
    model.learn(iterator, callbacks=[Look()])
    assert model.noiseable_data.seen == [len(data)]  # the test data were not corrupted
    np.testing.assert_allclose(before[1], expected, rtol=1e-4, atol=1e-6)
    name = "train_reconstruction" if "train_penalty" in model.history.columns else "train_loss"
    assert model.history.column(name)[0] == pytest.approx(reconstruction, rel=1e-4)


@pytest.mark.parametrize(("make", "data"), MODELS)
def test_noise_of_the_iterator_does_the_same(make, data):
    """With a fixed corruption, one in the iterator and one in the model are one."""
    found = []
    for place in ("model", "iterator"):
        ab.seed(0)
        model = make(**({"noiseable_data": Shift()} if place == "model" else {}))
        noise = {"noiseable_data": Shift()} if place == "iterator" else {}
        model.learn(ab.ArrayIterator(data, epochs=3, batch_size=10, seed=0, **noise))
        found.append(model.loss_arr)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    "noise",
    [
        ab.GaussNoise(0.0, 0.2),
        ab.MaskingNoise(0.3),
        ab.SaltAndPepperNoise(0.2),
        ab.DropoutNoise(0.3),
        ab.CutoutNoise(2, 2),
    ],
    ids=lambda noise: type(noise).__name__,
)
def test_every_noise_goes_into_every_auto_encoder(noise):
    cut_needs_pictures = isinstance(noise, ab.CutoutNoise)
    for case in MODELS:
        make, data = case.values
        if data.ndim == 2 and cut_needs_pictures:
            continue
        model = make(noiseable_data=noise)
        model.learn(ab.ArrayIterator(data, test_observed=data, epochs=15, batch_size=16))
        assert (model.loss_arr[-1] < model.loss_arr[0]).all()


def test_noise_can_be_set_and_is_checked():
    model = dense()
    assert model.noiseable_data is None
    model.set_noiseable_data(ab.MaskingNoise())
    assert isinstance(model.get_noiseable_data(), ab.MaskingNoise)
    with pytest.raises(TypeError, match="`noiseable_data` must be a `NoiseableData` or None"):
        model.noiseable_data = 0.3
    with pytest.raises(TypeError, match="`noiseable_data` must be a `NoiseableData`"):
        dense(noiseable_data=lambda arr: arr)


def test_denoising_removes_noise():
    """Each of two numbers stands there three times, so that their mean is the best guess."""
    two = np.random.RandomState(1).randn(400, 2).astype(np.float32)
    data, noise = np.repeat(two, 3, axis=1), ab.GaussNoise(0.0, 0.5)
    noised, found = noise.noise(nd.array(data)), []
    for given in (None, noise):
        ab.seed(0)
        model = dense(
            units=6, activation="identity", noiseable_data=given, tied_weights_flag=False
        )  # fmt: skip
        model.learn(ab.ArrayIterator(data, epochs=40, batch_size=40, seed=0))
        found.append(((model.inference(noised).asnumpy() - data) ** 2).mean())
    assert found[1] < 0.7 * found[0]
    best = 1 / (1 + 3 / 0.5**2)  # the variance of a number given three noised ones
    assert found[1] == pytest.approx(best, rel=0.2)


# -- walks and samples -----------------------------------------------------------------


class Fake(ab.ObservableData):
    """Multiplies by a factor."""

    def __init__(self, factor):
        self.factor, self.calls = factor, 0

    def learn(self, iteratable_data):
        raise NotImplementedError

    def inference(self, observed_arr):
        assert not autograd.is_recording()
        self.calls += 1
        return self.factor * observed_arr


def test_chain_has_the_stationary_distribution():
    """Of the best reconstruction of N(0, 1): E[x | x̃] = x̃ / (1 + c²), variance c² / (1 + c²)."""
    ab.seed(0)
    variance = 0.5
    model, sigma = Fake(1 / (1 + variance)), np.sqrt(variance / (1 + variance))
    start = np.full((20_000, 1), 8.0, dtype=np.float32)
    sampler = ab.DenoisingSampler(
        model, ab.GaussNoise(0.0, np.sqrt(variance)), start, "gaussian", sigma, step_n=30
    )
    drawn = sampler.draw().asnumpy()
    assert model.calls == 30
    assert drawn.mean() == pytest.approx(0.0, abs=0.04)
    assert drawn.std() == pytest.approx(1.0, abs=0.03)
    np.testing.assert_array_equal(sampler.state_arr.asnumpy(), drawn)
    assert (start == 8).all()
    assert (sampler.draw().asnumpy() != drawn).any()


def test_kinds_of_draws():
    model, start = Fake(0.25), np.ones((2000, 3), np.float32)
    drawn = ab.DenoisingSampler(model, ab.MaskingNoise(0.0), start).draw().asnumpy()
    assert set(np.unique(drawn)) == {0.0, 1.0} and drawn.mean() == pytest.approx(0.25, abs=0.03)
    for kwargs in ({"distribution": "mean"}, {"mean_flag": True}):
        sampler = ab.DenoisingSampler(model, ab.MaskingNoise(0.0), start, **kwargs)
        assert (sampler.draw().asnumpy() == 0.25).all()


def test_lengths_of_walks():
    """Without reconstruction error, noise of each step adds up: k steps with p^(k-1) (1-p)."""
    ab.seed(0)
    noise = ab.WalkbackNoise(Fake(1.0), Shift(), walk_rate=0.5, distribution="mean")
    clean = nd.zeros((1, 1))
    lengths = np.array([noise.noise(clean).asscalar() for _ in range(3000)])
    assert lengths.min() == 1 and (clean == 0).asnumpy().all()
    for k in (1, 2, 3):
        assert (lengths == k).mean() == pytest.approx(0.5**k, abs=0.04)
    noise.walk_rate = 0.0
    assert noise.noise(clean).asscalar() == 1
    noise.walk_rate, noise.step_n = 0.999, 4
    steps = noise.walk(clean)
    assert [arr.asscalar() for arr in steps] == [1, 2, 3, 4, 5]


def test_walkback_learns_like_any_noise():
    ab.seed(0)
    data = (POINTS > 0.5).astype(np.float32)
    model = dense(output="sigmoid", units=12)
    model.noiseable_data = ab.WalkbackNoise(model, ab.SaltAndPepperNoise(0.2))
    model.learn(ab.ArrayIterator(data, test_observed=data, epochs=40, batch_size=16))
    assert model.loss_arr[-1, 1] < 0.8 * model.loss_arr[0, 1]
    sampler = ab.DenoisingSampler(model, ab.SaltAndPepperNoise(0.2), data[:5], step_n=3)
    assert sampler.draw().shape == (5, 6)


def test_walks_and_samples_for_pictures():
    model = convolutional(output="sigmoid")
    model.noiseable_data = ab.WalkbackNoise(model, ab.GaussNoise(0, 0.1), 0.9, "gaussian")
    model.learn(ab.ArrayIterator(PICTURES, epochs=2, batch_size=10))
    drawn = ab.DenoisingSampler(model, ab.GaussNoise(0, 0.1), PICTURES, "gaussian").draw()
    assert drawn.shape == PICTURES.shape and np.isfinite(drawn.asnumpy()).all()


def test_bad_arguments_of_walks():
    with pytest.raises(TypeError, match="`observable_data` must be a `ObservableData`"):
        ab.WalkbackNoise(1, Shift())
    with pytest.raises(TypeError, match="`noiseable_data` must be a `NoiseableData`"):
        ab.DenoisingSampler(Fake(1.0), None, POINTS)
    with pytest.raises(ValueError, match="`walk_rate` must be a finite number in"):
        ab.WalkbackNoise(Fake(1.0), Shift(), walk_rate=1.0)
    with pytest.raises(ValueError, match="`distribution` must be one of.*Did you mean `gaussian`"):
        ab.DenoisingSampler(Fake(1.0), Shift(), POINTS, "gausian")
    with pytest.raises(TypeError, match="`arr` must be a `NDArray`"):
        ab.WalkbackNoise(Fake(1.0), Shift()).noise(POINTS)


# -- the energy ------------------------------------------------------------------------


def filled(model, data):
    """Random parameters, biases too, in float64."""
    model.inference(data)
    model.cast("float64")
    for number, parameter in enumerate(model.collect_params().values()):
        value = np.random.RandomState(number).randn(*parameter.shape) * 0.6
        parameter.set_data(nd.array(value, dtype="float64"))
    return model, nd.array(data[:3], dtype="float64")


ACTIVATIONS = ["sigmoid", "relu", "tanh", "leaky", "identity"]
ENERGIES = [
    *(pytest.param(lambda a=a: dense(activation=a), POINTS, id=a) for a in ACTIVATIONS),
    pytest.param(lambda: dense(ab.ContractiveAutoEncoder), POINTS, id="contractive"),
    *(
        pytest.param(lambda a=a: convolutional(activation=a), PICTURES, id=f"convolution {a}")
        for a in ("sigmoid", "relu")
    ),
    pytest.param(
        lambda: convolutional(
            settings={"padding": 1, "strides": (2, 1)}, adjust={"output_padding": (1, 0)}
        ),
        PICTURES,
        id="strides",
    ),
]


@pytest.mark.parametrize(("make", "data"), ENERGIES)
def test_what_it_does_is_down_its_energy(make, data):
    model, x = filled(make(), data)
    step = (model(x).reshape(x.shape) - x).asnumpy()
    energies = potential_energy(model, x)
    assert energies.shape == (3,)
    flat = x.asnumpy().reshape(3, -1)
    for number in range(flat.shape[1]):
        moved = np.zeros_like(flat)
        moved[:, number] = 1e-4
        above, below = (
            potential_energy(
                model, nd.array((flat + s * moved).reshape(x.shape), dtype="float64")
            ).asnumpy()
            for s in (1, -1)
        )
        expected = -(above - below) / 2e-4
        np.testing.assert_allclose(step.reshape(3, -1)[:, number], expected, rtol=1e-3, atol=1e-3)


def test_energy_is_the_free_energy_of_a_gaussian_machine():
    ab.seed(0)
    model = dense(units=5)
    model.inference(POINTS)
    machine = ab.RestrictedBoltzmannMachines(
        ab.L2NormLoss(), visible_dim=6, hidden_dim=5, visible_activation="identity",
        hidden_activation="sigmoid",
    )  # fmt: skip
    machine.inference(POINTS)
    rng = np.random.RandomState(2)
    weight, hidden, visible = rng.randn(5, 6), rng.randn(5), rng.randn(6)
    parameters = list(model.collect_params().values())
    for parameter in parameters:
        value = {(5, 6): weight, (5,): hidden, (6,): visible}[parameter.shape]
        parameter.set_data(nd.array(value))
    machine.weights_arr, machine.hidden_bias_arr, machine.visible_bias_arr = (
        nd.array(weight), nd.array(hidden), nd.array(visible)
    )  # fmt: skip
    assert (machine.variance_arr.asnumpy() == 1).all()
    apart = (model.energy(POINTS) - machine.free_energy(POINTS)).asnumpy()
    np.testing.assert_allclose(apart, apart[0], atol=1e-4)
    assert np.ptp(model.energy(POINTS).asnumpy()) > 1


def test_energy_can_be_differentiated():
    model = dense()
    x = nd.array(POINTS)
    x.attach_grad()
    with autograd.record():
        energies = model.energy(x)
    energies.backward()
    np.testing.assert_allclose(
        -x.grad.asnumpy(), (model.inference(x) - x).asnumpy(), rtol=1e-4, atol=1e-5
    )


def test_learned_data_have_lower_energies():
    ab.seed(0)
    near = np.random.RandomState(0).randn(400, 2) @ np.random.RandomState(1).randn(2, 6)
    near = near.astype(np.float32)
    far = np.random.RandomState(2).randn(400, 6).astype(np.float32) * near.std()
    model = dense(units=8, noiseable_data=ab.GaussNoise(0, 0.3))
    model.learn(ab.ArrayIterator(near, epochs=60, batch_size=40))
    assert model.energy(near).mean().asscalar() < model.energy(far).mean().asscalar()


@pytest.mark.parametrize(
    ("make", "data", "message"),
    [
        (lambda: dense(tied_weights_flag=False), POINTS, "transposed weights"),
        (lambda: dense(output="sigmoid"), POINTS, "its decoder is not linear: it ends in"),
        (lambda: dense(activation="softsign"), POINTS, "`softsign` is none of"),
        (
            lambda: ab.AutoEncoder(
                ab.NeuralNetworks(ab.L2NormLoss(), units_list=[4, 3]),
                ab.NeuralNetworks(ab.L2NormLoss(), units_list=[4, 6]),
                ab.L2NormLoss(),
                tied_weights_flag=True,
            ),
            POINTS,
            "its encoder is not one layer",
        ),
        (
            lambda: ab.AutoEncoder(
                layer(4, "sigmoid", hidden_batch_norm_list=[nn.BatchNorm()]),
                layer(6, "identity"),
                ab.L2NormLoss(),
                tied_weights_flag=True,
            ),
            POINTS,
            "a norm",
        ),
        (lambda: convolutional(tied_weights_flag=False), PICTURES, "transposed weights"),
        (
            lambda: convolutional(settings={"padding": 1, "strides": 2}),
            PICTURES,
            "not as large as what it observes",
        ),
        (
            lambda: ab.ConvolutionalAutoEncoder(
                maps(nn.Conv2D(3, 3), "sigmoid"),
                maps(
                    nn.Conv2DTranspose(2, 3), "identity", input_nn=layer(36, "identity"),
                    input_result_channel=3, input_result_height=4, input_result_width=3,
                ),
                ab.L2NormLoss(),
            ),
            PICTURES,
            "a network before or behind",
        ),
    ],
)  # fmt: skip
def test_what_has_no_energy(make, data, message):
    with pytest.raises(ValueError, match=f"`energy` needs an auto-encoder.*{message}"):
        make().energy(data)
