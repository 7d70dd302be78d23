"""Gradient descent that divides its work: the same bits as MXNet's, and as NumPy's rule."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon, nd

from accelbrainbase._mxnet.aggregated_adam import AggregatedAdam
from accelbrainbase._mxnet.optimizers import make_optimizer

SHAPES = [(3,), (130, 130), (4, 5), *[(2,)] * 60, (200, 90)]
SETTINGS = [
    {}, {"momentum": 0.9}, {"wd": 0.1}, {"momentum": 0.9, "wd": 0.1, "clip_gradient": 0.5},
]  # fmt: skip


def after_steps(optimizer):
    rng = np.random.default_rng(0)
    parameters = gluon.ParameterDict()
    for number, shape in enumerate(SHAPES):
        values = nd.array(rng.normal(size=shape).astype(np.float32))
        parameters.get(f"p{number}", shape=shape, init=mx.init.Constant(values)).initialize()
    trainer = gluon.Trainer(parameters, optimizer)
    for _ in range(3):
        for parameter in parameters.values():
            parameter.grad()[:] = nd.array(rng.normal(size=parameter.shape))
            parameter.data()._fresh_grad = True
        trainer.step(2)
    return [parameter.data().asnumpy() for parameter in parameters.values()], trainer


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_bits_are_those_of_mxnet(settings):
    ours, trainer = after_steps(make_optimizer("SGD", learning_rate=0.1, **settings))
    want, _ = after_steps(mx.optimizer.SGD(learning_rate=0.1, **settings))
    rounding = 1e-6 if settings == {"wd": 0.1} else 0.0  # (1 - ηλ)w, or w - η(λw)
    for got, expected in zip(ours, want):
        np.testing.assert_allclose(got, expected, rtol=0.0, atol=rounding)
    assert trainer._optimizer.num_update == 3
    assert set(trainer._optimizer._index_update_count.values()) == {3}


def test_large_parameters_by_hand():
    settings = {"learning_rate": 0.1, "momentum": 0.9, "wd": 0.1}
    ours, _ = after_steps(make_optimizer("sgd", **settings))
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]
    moved = [np.zeros(shape) for shape in SHAPES]
    for _ in range(3):
        for number, shape in enumerate(SHAPES):
            gradient = rng.normal(size=shape) / 2
            moved[number] = 0.9 * moved[number] - 0.1 * (gradient + 0.1 * values[number])
            values[number] = values[number] + moved[number]
    for got, expected in zip(ours, values):
        np.testing.assert_allclose(got, expected, atol=1e-5)


def weight_without_gradients(optimizer, shape, steps=1300, only_gradient=1e-3):
    """A weight and what is remembered of it, long after its only gradients."""
    parameter = gluon.ParameterDict().get("p", shape=shape, init=mx.init.Constant(0.5))
    parameter.initialize()
    trainer = gluon.Trainer([parameter], optimizer)
    for number in range(steps):
        parameter.grad()[:] = only_gradient if number == 0 else 0.0
        parameter.data()._fresh_grad = True
        trainer.step(1)
    state = trainer._updaters[0].states[0]
    states = state if isinstance(state, (tuple, list)) else [state]
    return parameter.data().asnumpy(), [arr.asnumpy() for arr in states]


@pytest.mark.parametrize("shape", [(3, 4), (150, 150)])  # together, alone
@pytest.mark.parametrize(("name", "theirs", "settings"), [
    ("SGD", mx.optimizer.SGD, {"momentum": 0.9}),
    ("NAG", mx.optimizer.NAG, {"momentum": 0.9}),
    ("RMSProp", mx.optimizer.RMSProp, {}),
    ("Adam", mx.optimizer.Adam, {}),
    (AggregatedAdam.__name__, mx.optimizer.Adam, {}),
])  # fmt: skip
def test_no_tiny_numbers_are_remembered(name, theirs, settings, shape):
    weight, states = weight_without_gradients(
        make_optimizer(name, learning_rate=0.1, **settings), shape
    )
    expected, denormal = weight_without_gradients(theirs(learning_rate=0.1, **settings), shape)
    least = np.finfo(np.float32).tiny  # of ordinary numbers
    assert 0 < abs(denormal[0]).max() < least
    assert not states[0].any()
    if name == "AggregatedAdam":
        np.testing.assert_allclose(weight, expected, atol=2e-6)  # rounding of 1300 steps
    else:
        np.testing.assert_array_equal(weight, expected)


def test_what_is_not_finite_is_kept():
    optimizer = make_optimizer("sgd", learning_rate=0.1, momentum=0.9)
    _, states = weight_without_gradients(optimizer, (200, 200), steps=128, only_gradient=np.nan)
    assert np.isnan(states[0]).all()


def test_other_optimisers_are_those_of_mxnet():
    assert type(make_optimizer("adagrad", learning_rate=0.1)) is mx.optimizer.AdaGrad
    assert isinstance(make_optimizer("adam", learning_rate=0.1), mx.optimizer.Adam)
    with pytest.raises(TypeError):
        make_optimizer("SGD", momentun=0.9)
