"""The norm of the Jacobian of an encoder and its gradient, by finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn

import accelbrainbase as ab
from accelbrainbase._mxnet.jacobian_penalty import SLOPES, JacobianPenalty

POINTS = np.random.RandomState(0).randn(3, 4)
IMAGES = np.random.RandomState(1).randn(2, 2, 6, 5)


def dense(units, activation, **kwargs):
    names = [activation] * len(units)
    return ab.NeuralNetworks(ab.L2NormLoss(), units_list=units, activation_list=names, **kwargs)


def convolutional(layers, activation, dropout=0.0, **kwargs):
    return ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=layers,
        hidden_activation_list=[activation] * len(layers),
        hidden_dropout_rate_list=[dropout] * len(layers), **kwargs,
    )  # fmt: skip


CLOSED = [
    *(
        pytest.param(lambda name=name: dense([5], name), POINTS, id=f"dense {name}")
        for name in SLOPES
    ),
    *(
        pytest.param(
            lambda settings=settings: convolutional([nn.Conv2D(3, 3, **settings)], "sigmoid"),
            IMAGES,
            id=f"convolution {settings}",
        )
        for settings in (
            {},
            {"padding": 1},
            {"padding": (2, 1), "strides": (2, 1)},
            {"padding": 1, "strides": 2},
            {"padding": 2, "dilation": 2},
            {"use_bias": False, "strides": 3},
        )
    ),
    pytest.param(
        lambda: convolutional([nn.Conv2D(4, 3, padding=1, groups=2)], "tanh"), IMAGES, id="groups"
    ),
    pytest.param(
        lambda: convolutional([nn.Conv1D(3, 3, padding=1)], "sigmoid"), IMAGES[:, :, 0], id="1D"
    ),
]
DEEP = [
    pytest.param(lambda: dense([5, 3], "tanh"), POINTS, id="dense"),
    pytest.param(
        lambda: dense([5, 3], "sigmoid", dropout_rate_list=[0.5, 0.5]), POINTS, id="dropout"
    ),
    pytest.param(
        lambda: dense([5, 3], "sigmoid", hidden_batch_norm_list=[nn.BatchNorm(), None]),
        POINTS,
        id="batch normalisation",
    ),
    pytest.param(
        lambda: ab.NetworkChain([dense([5], "tanh"), dense([3], "sigmoid")]), POINTS, id="chain"
    ),
    pytest.param(
        lambda: convolutional(
            [nn.Conv2D(3, 3, padding=1, strides=2)], "sigmoid", 0.5,
            hidden_batch_norm_list=[nn.BatchNorm(scale=False)],
            output_nn=dense([4], "tanh"),
        ),
        IMAGES,
        id="convolutions",
    ),  # fmt: skip
    pytest.param(
        lambda: convolutional(
            [nn.Conv2D(3, 3), nn.Conv2D(3, 3, padding=1), nn.Conv2D(2, 2)], "softrelu",
            hidden_residual_flag=True, hidden_dense_flag=True,
        ),
        IMAGES,
        id="shortcuts",
    ),  # fmt: skip
    pytest.param(
        lambda: convolutional(
            [nn.Conv2D(3, 2)], "tanh", input_nn=dense([18], "tanh"), input_result_channel=2,
            input_result_height=3, input_result_width=3,
        ),
        POINTS,
        id="input_nn",
    ),  # fmt: skip
]  # fmt: skip


def double(make, data):
    """Make an encoder in float64 with given parameters, running statistics too."""
    ab.seed(0)
    encoder = make()
    encoder(nd.array(data))
    encoder.cast("float64")
    for number, (name, parameter) in enumerate(encoder.collect_params().items()):
        value = np.random.RandomState(number).randn(*parameter.shape) * 0.7
        value = np.abs(value) + 0.5 if name.endswith("running_var") else value
        parameter.set_data(nd.array(value, dtype="float64"))
    return encoder, nd.array(data, dtype="float64")


def jacobians(encoder, x, step=1e-4):
    """By finite differences: shape `(batch, features, code)`."""
    x = x.asnumpy()
    columns = []
    for number in range(x[0].size):
        moved = np.zeros_like(x)
        moved.reshape(len(x), -1)[:, number] = step
        values = [encoder(nd.array(x + s * moved, dtype="float64")).asnumpy() for s in (1, -1)]
        columns.append((values[0] - values[1]).reshape(len(x), -1) / (2 * step))
    return np.stack(columns, axis=1)


def norms(encoder, x, step=1e-4):
    return (jacobians(encoder, x, step) ** 2).sum(axis=(1, 2))


@pytest.mark.parametrize(("make", "data"), [*CLOSED, *DEEP])
def test_exact_norm(make, data):
    encoder, x = double(make, data)
    got = JacobianPenalty(encoder).exact(x).asnumpy()
    assert got.shape == (len(data),)
    np.testing.assert_allclose(got, norms(encoder, x), rtol=1e-3)


def test_where_the_closed_form_holds():
    for case in CLOSED:
        assert JacobianPenalty(double(*case.values)[0]).is_closed, case.id
    for case in DEEP:
        assert not JacobianPenalty(double(*case.values)[0]).is_closed, case.id


@pytest.mark.parametrize(("make", "data"), [*CLOSED, *DEEP])
def test_gradient_by_the_parameters(make, data):
    encoder, x = double(make, data)
    penalty = JacobianPenalty(encoder)
    with autograd.record():
        norm = penalty.exact(x)
    norm.backward()
    check_gradients(encoder, lambda: norms(encoder, x, 1e-3).sum())


def check_gradients(encoder, value_of):
    for parameter in encoder.collect_params().values():
        if parameter.grad_req == "null":
            continue
        value = parameter.data().asnumpy()
        got = parameter.grad().asnumpy()
        for place in (0, value.size // 2, value.size - 1):
            sums = []
            for step in (1e-3, -1e-3):
                moved = value.copy()
                moved.flat[place] += step
                parameter.set_data(nd.array(moved, dtype="float64"))
                sums.append(value_of())
            parameter.set_data(nd.array(value, dtype="float64"))
            difference = (sums[0] - sums[1]) / 2e-3
            assert got.flat[place] == pytest.approx(difference, rel=1e-2, abs=2e-3), parameter.name


@pytest.mark.parametrize(("make", "data"), DEEP)
def test_draws_have_the_norm_as_their_mean(make, data):
    encoder, x = double(make, data)
    penalty = JacobianPenalty(encoder)
    mean = penalty.drawn(x, x, n=400).asnumpy()
    np.testing.assert_allclose(mean, penalty.exact(x).asnumpy(), rtol=0.25)


@pytest.mark.parametrize(
    ("make", "data"),
    [
        (lambda: dense([5], "sigmoid"), POINTS),
        (lambda: convolutional([nn.Conv2D(3, 3, padding=1, strides=2)], "tanh"), IMAGES),
        (lambda: dense([5, 3], "tanh"), POINTS),
    ],
    ids=["closed", "closed convolution", "deep"],
)
def test_change_of_the_jacobian_nearby(make, data):
    """Over many draws near the point, of which finite differences see a given set."""
    encoder, x = double(make, data)
    penalty = JacobianPenalty(encoder)
    sigma, n = 0.5, 1500
    got = penalty.change(x, encoder(x), sigma, n).asnumpy()
    here, total, rng = jacobians(encoder, x), 0.0, np.random.RandomState(5)
    for _ in range(300):
        near = x + nd.array(sigma * rng.randn(*data.shape), dtype="float64")
        total = total + ((jacobians(encoder, near) - here) ** 2).sum(axis=(1, 2))
    np.testing.assert_allclose(got, total / 300, rtol=0.2)


def test_gradient_of_the_change():
    encoder, x = double(lambda: dense([5], "sigmoid"), POINTS)
    penalty = JacobianPenalty(encoder)

    def value():
        ab.seed(3)
        return penalty.change(x, encoder(x), 0.5, 2)

    with autograd.record():
        change = value()
    change.backward()
    check_gradients(encoder, lambda: value().asnumpy().sum())


def test_what_tangents_cannot_pass_is_named():
    pooled = nn.HybridSequential()
    pooled.add(nn.Conv2D(2, 3), nn.MaxPool2D())
    with pytest.raises(TypeError, match="cannot be computed through MaxPool2D"):
        JacobianPenalty(convolutional([pooled], "tanh"))
    with pytest.raises(TypeError, match="`gelu` is none of"):
        JacobianPenalty(dense([2], "gelu"))


def test_it_is_the_same_in_float32_and_compiled():
    encoder, x = double(lambda: dense([5], "sigmoid"), POINTS)
    expected = JacobianPenalty(encoder).exact(x).asnumpy()
    encoder.cast("float32")
    got = JacobianPenalty(encoder).exact(x.astype("float32"))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got.asnumpy(), expected, rtol=1e-5)


def test_losses_of_gluon_are_no_encoders():
    with pytest.raises(TypeError, match="cannot be computed through L2Loss"):
        JacobianPenalty(gluon.loss.L2Loss())
