"""The root mean square error, against NumPy and finite differences."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd

import accelbrainbase as ab

HYBRIDIZE = pytest.mark.parametrize("hybridize", [None, False, True])


def make(hybridize=None, **kwargs):
    loss = ab.L2NormLoss(**kwargs)
    if hybridize is not None:
        loss.hybridize(hybridize)
    return loss


def by_numpy(pred, real, axis=0):
    rest = tuple(i for i in range(pred.ndim) if i != axis)
    return np.sqrt(((pred - real) ** 2).mean(axis=rest))


@HYBRIDIZE
def test_by_hand(hybridize):
    pred, real = nd.array([[1, 2, 3], [4, 5, 6]]), nd.array([[0, 0, 0], [1, 1, 1]])
    wanted = [np.sqrt(14 / 3), np.sqrt(50 / 3)]
    loss = make(hybridize)
    np.testing.assert_allclose(loss(pred, real).asnumpy(), wanted, rtol=1e-6)
    np.testing.assert_allclose(loss.compute(real, pred).asnumpy(), wanted, rtol=1e-6)
    reshaped = loss(pred, real.reshape((3, 2)))
    np.testing.assert_allclose(reshaped.asnumpy(), wanted, rtol=1e-6)


@HYBRIDIZE
@pytest.mark.parametrize("shape", [(5,), (3, 1), (128, 300), (2, 3, 4), (2, 1, 3, 3), (4, 2, 5, 6)])
def test_root_over_all_axes_but_the_batch(hybridize, shape):
    generator = np.random.default_rng(0)
    pred, real = (generator.normal(size=shape).astype(np.float32) for _ in range(2))
    got = make(hybridize)(nd.array(pred), nd.array(real))
    assert got.shape == shape[:1]
    np.testing.assert_allclose(got.asnumpy(), by_numpy(pred, real), rtol=1e-5)


@pytest.mark.parametrize("axis", [1, 2])
def test_batch_axis(axis):
    generator = np.random.default_rng(0)
    pred, real = (generator.normal(size=(2, 3, 4)).astype(np.float32) for _ in range(2))
    got = make(batch_axis=axis)(nd.array(pred), nd.array(real))
    np.testing.assert_allclose(got.asnumpy(), by_numpy(pred, real, axis), rtol=1e-5)


@HYBRIDIZE
def test_gradient_by_finite_differences(hybridize):
    generator = np.random.default_rng(0)
    pred, real = (generator.normal(size=(3, 2, 4)) for _ in range(2))
    loss = make(hybridize, weight=1.5)
    arr = nd.array(pred, dtype="float64")
    arr.attach_grad()
    with autograd.record():
        total = loss(arr, nd.array(real, dtype="float64")).sum()
    total.backward()
    step = 1e-6
    for index in np.ndindex(pred.shape):
        changed = [pred.copy(), pred.copy()]
        changed[0][index] -= step
        changed[1][index] += step
        low, high = (1.5 * by_numpy(value, real).sum() for value in changed)
        assert arr.grad.asnumpy()[index] == pytest.approx((high - low) / (2 * step), abs=1e-7)


@HYBRIDIZE
def test_value_and_gradient_are_zero_at_zero_error(hybridize):
    pred = nd.array([[1, 2, 3], [4, 5, 6]])
    real = nd.array([[1, 2, 3], [4, 5, 7]])
    pred.attach_grad()
    with autograd.record():
        losses = make(hybridize)(pred, real)
    losses.backward()
    assert losses.asnumpy()[0] == 0
    np.testing.assert_allclose(pred.grad.asnumpy(), [[0, 0, 0], [0, 0, -1 / np.sqrt(3)]], rtol=1e-6)
    assert (pred.grad.asnumpy()[0] == 0).all()


@pytest.mark.parametrize("size", [1e-18, 1e-6, 1e15])
def test_the_root_is_exact_far_from_one(size):
    pred = nd.array([[3 * size, 4 * size]])
    pred.attach_grad()
    with autograd.record():
        losses = make()(pred, nd.zeros((1, 2)))
    losses.backward()
    assert losses.asscalar() == pytest.approx(np.sqrt(12.5) * size, rel=1e-5)
    wanted = np.array([[3, 4]]) / 2 / np.sqrt(12.5)
    np.testing.assert_allclose(pred.grad.asnumpy(), wanted, rtol=1e-5)


def test_called_twice_in_one_recording():
    loss, real = make(), nd.zeros((2, 2))
    pred = nd.array([[3, 4], [6, 8]])
    pred.attach_grad()
    with autograd.record():
        total = loss(pred, real) + 2 * loss(3 * pred, real)
    total.backward()
    single = pred.asnumpy() / 2 / by_numpy(pred.asnumpy(), 0)[:, None]
    np.testing.assert_allclose(pred.grad.asnumpy(), 7 * single, rtol=1e-5)


@pytest.mark.parametrize(("weight", "factor"), [(None, 1), (2.0, 2), (0, 0)])
def test_weight(weight, factor):
    pred, real = nd.array([[3, 4.0]]), nd.zeros((1, 2))
    assert make(weight=weight)(pred, real).asscalar() == pytest.approx(factor * np.sqrt(12.5))


@HYBRIDIZE
@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_sample_weight(hybridize, shape):
    pred, real = nd.array([[3, 4], [3, 4.0]]), nd.zeros((2, 2))
    got = make(hybridize)(pred, real, nd.array([2, 3]).reshape(shape)).asnumpy()
    np.testing.assert_allclose(got, np.sqrt(12.5) * np.array([2, 3]), rtol=1e-6)


def test_dtype_is_that_of_the_prediction():
    pred = nd.ones((2, 3), dtype="float64")
    assert make()(pred, nd.zeros((2, 3))).dtype == np.float64
    assert make()(nd.ones((2, 3)), pred).dtype == np.float32
    assert make()(nd.ones((2, 3)), nd.zeros((2, 3), dtype="int32")).asnumpy() == pytest.approx(1)


def test_in_a_graph():
    symbol = make()(mx.sym.var("pred"), mx.sym.var("real"))
    got = symbol.eval(pred=nd.array([[3, 4.0]]), real=nd.zeros((1, 2)))[0]
    assert got.asscalar() == pytest.approx(np.sqrt(12.5))


def test_mismatch_is_named():
    message = r"`real_arr` must have as many elements as `pred_arr`.*\(2, 3\).*\(2, 2\)"
    with pytest.raises(ValueError, match=message):
        make()(nd.ones((2, 3)), nd.ones((2, 2)))
    with pytest.raises(ValueError, match="Does the last layer"):
        make().compute(nd.ones((2, 3)), nd.ones((2, 2)))


def test_it_is_a_loss_of_gluon_and_of_ours():
    assert isinstance(make(), mx.gluon.loss.Loss)
    assert isinstance(make(), ab.ComputableLoss)
    with pytest.raises(TypeError, match="wieght"):
        ab.L2NormLoss(wieght=1.0)
