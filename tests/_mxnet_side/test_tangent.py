"""Directional derivatives, gradient penalties and spectral normalisation, by finite differences."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn

import accelbrainbase as ab
from accelbrainbase._mxnet.spectral_normalization import SpectralNormalization
from accelbrainbase._mxnet.tangent import DERIVATIVES, Tangent

POINTS = np.random.RandomState(0).randn(3, 4)
IMAGES = np.random.RandomState(1).randn(2, 1, 6, 6)


def dense(activation: str) -> ab.NeuralNetworks:
    layers = {"units_list": [5, 4, 1], "activation_list": [activation, activation, "identity"]}
    return ab.NeuralNetworks(ab.L2NormLoss(), **layers)


def convolutional() -> ab.ConvolutionalNeuralNetworks:
    return ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(),
        hidden_units_list=[nn.Conv2D(3, 3, strides=2), nn.Conv2D(2, 2)],
        hidden_activation_list=["softrelu", "tanh"],
        hidden_dropout_rate_list=[0.0, 0.0],
        output_nn=ab.NeuralNetworks(ab.L2NormLoss(), units_list=[1], activation_list=["identity"]),
    )


def patches() -> nn.HybridSequential:
    net = nn.HybridSequential()
    net.add(nn.Conv2D(3, 3, activation="tanh"), nn.Conv2D(1, 2))  # 9 scores of an image
    net.initialize(mx.init.Normal(0.5))
    return net


def gluon_layers() -> nn.HybridSequential:
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(3, 3, activation="sigmoid"), nn.Flatten(), nn.Dropout(0.0), nn.LeakyReLU(0.2),
        nn.Dense(4, activation="tanh"), nn.Activation("softrelu"), nn.Dense(1),
    )  # fmt: skip
    net.initialize(mx.init.Normal(0.5))
    return net


NETWORKS = [
    *(pytest.param(lambda name=name: dense(name), POINTS, id=name) for name in DERIVATIVES),
    pytest.param(convolutional, IMAGES, id="convolutional"),
    pytest.param(gluon_layers, IMAGES, id="Gluon"),
    pytest.param(patches, IMAGES, id="patches"),
]


def double(make, data):
    """Make a network in float64, all of whose parameters are known."""
    ab.seed(0)
    network = make()
    network(nd.array(data))
    network.cast("float64")
    for parameter in network.collect_params().values():
        value = np.random.RandomState(len(parameter.name)).randn(*parameter.shape) * 0.7
        parameter.set_data(nd.array(value, dtype="float64"))
    return network, nd.array(data, dtype="float64")


@pytest.mark.parametrize(("make", "data"), NETWORKS)
def test_tangent_is_the_directional_derivative(make, data):
    network, x = double(make, data)
    v = nd.array(np.random.RandomState(3).randn(*data.shape), dtype="float64")
    value, slope = Tangent(network)(x, v)
    np.testing.assert_allclose(value.asnumpy(), network(x).asnumpy(), rtol=1e-6)
    step = 1e-4  # MXNet computes some activations in float32
    difference = (network(x + step * v) - network(x - step * v)) / (2 * step)
    np.testing.assert_allclose(slope.asnumpy(), difference.asnumpy(), rtol=1e-3, atol=1e-6)


def penalty_by_hand(network, x, weight, target):
    x = x.copy()
    x.attach_grad()
    with autograd.record():
        y = network(x).reshape((len(x), -1)).mean(axis=1)
    (gradient,) = autograd.grad(y, [x])
    norms = np.sqrt((gradient.asnumpy().reshape(len(x), -1) ** 2).sum(axis=1))
    return weight * (norms - target) ** 2


@pytest.mark.parametrize(("make", "data"), NETWORKS)
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_gradient_of_the_penalty_is_its_finite_difference(make, data, target):
    network, x = double(make, data)
    penalty = ab.GradientPenalty(3.0, target)
    directions = penalty.at(network, x)
    np.testing.assert_allclose(
        directions.value_arr.asnumpy(), penalty_by_hand(network, x, 3.0, target), rtol=1e-5
    )
    with autograd.record():
        slope = directions.slope()
    slope.backward()
    for parameter in network.collect_params().values():
        value = parameter.data().asnumpy()
        place = tuple(np.unravel_index(value.size // 2, value.shape))
        sums = []
        for step in (1e-5, -1e-5):
            moved = value.copy()
            moved[place] += step
            parameter.set_data(nd.array(moved, dtype="float64"))
            sums.append(penalty_by_hand(network, x, 3.0, target).sum())
        parameter.set_data(nd.array(value, dtype="float64"))
        got = parameter.grad().asnumpy()[place]
        assert got == pytest.approx((sums[0] - sums[1]) / 2e-5, rel=1e-3, abs=1e-5), parameter.name


def test_points_lie_between_true_and_generated_ones():
    network = dense("tanh")
    true, generated = nd.zeros((50, 4)), nd.ones((40, 4))
    arr = ab.GradientPenalty().directions(network, true, generated).point_arr.asnumpy()
    assert arr.shape == (40, 4) and (arr >= 0).all() and (arr <= 1).all()
    assert (arr == arr[:, :1]).all() and 0.2 < arr[:, 0].std() < 0.4


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: dense("gelu"), "`gelu` is none of"),
        (
            lambda: ab.NeuralNetworks(
                ab.L2NormLoss(), units_list=[2, 1], hidden_batch_norm_list=[nn.BatchNorm(), None]
            ),
            "batch normalisation",
        ),
        (
            lambda: ab.NeuralNetworks(
                ab.L2NormLoss(), units_list=[2, 1], dropout_rate_list=[0.5, 0.0]
            ),
            "dropout",
        ),
        (lambda: nn.Conv2DTranspose(1, 2), "Conv2DTranspose"),
    ],
)
def test_what_tangents_cannot_pass_is_named(network, message):
    with pytest.raises(TypeError, match=message):
        Tangent(network())


# -- spectral normalisation ------------------------------------------------------------------


def test_normalised_weights_have_a_largest_singular_value_of_1():
    ab.seed(0)
    network = gluon_layers()
    normalization = SpectralNormalization(network)
    network.initialize()
    network(nd.array(IMAGES))
    for _ in range(200):
        normalization.follow()
    layer = normalization.layers[1]
    weight = layer.weight.data().asnumpy()
    x = np.random.RandomState(0).randn(3, weight.shape[1])
    largest = np.linalg.svd(weight)[1][0]
    expected = np.tanh(x @ weight.T / largest + layer.bias.data().asnumpy())
    np.testing.assert_allclose(layer(nd.array(x)).asnumpy(), expected, rtol=1e-4, atol=1e-6)
    kernel = normalization.layers[0].weight.data().asnumpy()
    u = normalization.layers[0].spectral_u.data().asnumpy()
    largest = np.linalg.svd(kernel.reshape(3, -1))[1][0]
    assert np.linalg.norm(kernel.reshape(3, -1).T @ u) == pytest.approx(largest, rel=1e-4)


def test_gradient_through_the_norm():
    """The gradient that the paper's equation 12 adds: along u vᵀ there is none."""
    ab.seed(0)
    layer = nn.Dense(3, in_units=4, use_bias=False)
    normalization = SpectralNormalization(layer)
    layer.initialize(mx.init.Normal(1.0))
    for _ in range(200):
        normalization.follow()
    x = nd.array(np.random.RandomState(0).randn(5, 4))
    with autograd.record():
        loss = layer(x).square().sum()
    loss.backward()
    weight, gradient = layer.weight.data().asnumpy(), layer.weight.grad().asnumpy()
    assert abs((weight * gradient).sum()) < 1e-3  # W / σ(W) does not change with the scale of W

    def value(moved):
        matrix = moved / np.linalg.svd(moved)[1][0]
        return ((x.asnumpy() @ matrix.T) ** 2).sum()

    for place in ((0, 0), (2, 1)):
        step = np.zeros_like(weight)
        step[place] = 1e-2
        difference = (value(weight + step) - value(weight - step)) / 2e-2
        assert gradient[place] == pytest.approx(difference, rel=2e-2, abs=2e-2)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_normalised_discriminator(hybridize_flag, tmp_path):
    ab.seed(0)

    def make():
        model = ab.NeuralNetworks(
            ab.L2NormLoss(), units_list=[6, 1], activation_list=["leaky", "identity"],
            initializer=mx.init.Normal(3.0), hybridize_flag=hybridize_flag,
        )  # fmt: skip
        return ab.DiscriminativeModel(
            model, spectral_normalization_flag=True, hybridize_flag=hybridize_flag
        )

    model = make()
    points = nd.array(np.random.RandomState(0).randn(60, 4))
    model.inference(points)
    for _ in range(100):
        model.prepare_step()
    judged = model.inference(points).asnumpy()[:, 0]
    apart = np.linalg.norm(points.asnumpy()[:, None] - points.asnumpy(), axis=-1)
    rise = np.abs(judged[:, None] - judged)
    assert (rise <= apart * (1 + 1e-4)).all() and rise.max() > 0.1
    np.testing.assert_allclose(model.model(points).asnumpy()[:, 0], judged, rtol=1e-5)
    model.save_parameters(tmp_path / "d.params")
    other = make()
    other.load_parameters(tmp_path / "d.params")
    np.testing.assert_array_equal(other.inference(points).asnumpy()[:, 0], judged)


def test_nothing_to_normalise_is_named():
    with pytest.raises(ValueError, match="needs dense layers or convolutions"):
        SpectralNormalization(gluon.nn.Flatten())
