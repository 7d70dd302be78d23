"""Limits on the size of weights, of NumPy and of MXNet, against the loop that defines them."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import nd

import accelbrainbase as ab
from accelbrainbase.regularizatabledata.constrain_weights import ConstrainWeights as NumPyLimit


def on_mxnet(limit, weight):
    return limit.constrain_weight(nd.array(weight, dtype=weight.dtype)).asnumpy()


def on_numpy(limit, weight):
    return limit.constrain_weight(weight)


SIDES = pytest.mark.parametrize(
    ("kind", "constrain"),
    [(ab.ConstrainWeights, on_mxnet), (NumPyLimit, on_numpy)],
    ids=["mxnet", "numpy"],
)


def by_loop(weight, limit):
    while (weight**2).sum() > limit:
        weight = weight * 0.9
    return weight


@SIDES
@pytest.mark.parametrize(
    ("weight", "power"),
    [
        (np.ones((2, 3)), 10),
        (np.array([[3, 4], [0.1, 0.2]]), 16),
        (np.array([5.0]), 16),
        (np.array([0.92]), 0),
        (np.array([0.95]), 1),
        (np.zeros((3, 2)), 0),
    ],
)
def test_examples_of_the_predecessor(kind, constrain, weight, power):
    before = weight.copy()
    np.testing.assert_allclose(constrain(kind(), weight), before * 0.9**power, rtol=1e-5)
    assert (weight == before).all()


@SIDES
@pytest.mark.parametrize("limit", [0.01, 0.5, 0.9, 2.0, 100.0])
@pytest.mark.parametrize("shape", [(7,), (100, 50), (3, 2, 3, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_whole_array_shrinks_as_by_the_loop(kind, constrain, limit, shape, dtype):
    weight = np.random.default_rng(0).normal(size=shape).astype(dtype)
    got = constrain(kind(weight_limit=limit), weight)
    assert got.dtype == dtype and got.shape == shape
    np.testing.assert_allclose(got, by_loop(weight, limit), rtol=1e-5)
    assert (got.astype(np.float64) ** 2).sum() <= limit * (1 + 1e-6)


@SIDES
@pytest.mark.parametrize("shape", [(6, 5), (6, 2, 3, 3), (6,)])
def test_per_unit_is_the_projection_of_each_unit(kind, constrain, shape):
    weight = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    weight[2] *= 0.01  # far below the limit
    limit = 0.5
    got = constrain(kind(weight_limit=limit, per_unit=True), weight)
    for unit, before in zip(got, weight):
        norm = np.sqrt((before**2).sum())
        wanted = before if norm**2 <= limit else before / norm * np.sqrt(limit)
        np.testing.assert_allclose(unit, wanted, rtol=1e-5)
    assert (got[2] == weight[2]).all()


@SIDES
def test_what_is_not_finite_stays(kind, constrain):
    weight = np.array([[np.nan, 3.0]], dtype=np.float32)
    np.testing.assert_array_equal(constrain(kind(), weight), weight)


def test_numpy_returns_the_array_itself_below_the_limit():
    weight = np.array([[0.1, 0.2]])
    assert NumPyLimit().constrain_weight(weight) is weight
    assert NumPyLimit(per_unit=True).constrain_weight(weight) is weight


@SIDES
def test_regularize_takes_weights_only(kind, constrain):
    make = nd.array if kind is ab.ConstrainWeights else np.array
    names = ["net0_dense0_weight", "net0_dense0_bias", "gamma", "weights", "Weight", "0.weight"]
    params_dict = {name: make([3.0, 4.0]) for name in names}
    before = dict(params_dict)
    got = kind().regularize(params_dict)
    assert list(got) == names and params_dict == before
    for name in names:
        assert (got[name] is not params_dict[name]) == name.endswith("weight")


def test_weights_of_a_network_stay_below_the_limit():
    ab.seed(0)
    net = ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[8, 3], activation_list=["tanh", "identity"],
        dropout_rate_list=[0.0, 0.0], learning_rate=0.5,
        regularizatable_data_list=[ab.ConstrainWeights(weight_limit=0.3, per_unit=True)],
    )  # fmt: skip
    data = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    net.learn(ab.ArrayIterator(data, data * 5, epochs=5, batch_size=16))
    for name, value in net.extract_learned_dict().items():
        if name.endswith("weight"):
            squares = (value.asnumpy() ** 2).sum(axis=1)
            assert squares.max() == pytest.approx(0.3, rel=1e-4)


@SIDES
def test_accessors_and_bad_arguments(kind, constrain):
    limit = kind(weight_limit=2)
    assert limit.get_weight_limit() == limit.weight_limit == 2.0
    limit.set_weight_limit(3.0)
    assert limit.weight_limit == 3.0
    with pytest.raises(ValueError, match=r"`weight_limit` must be a finite number in \(0, inf\)"):
        limit.weight_limit = 0.0
    with pytest.raises(TypeError, match="`weight_limit` must be a number"):
        kind(weight_limit="1")
    with pytest.raises(TypeError, match="`per_unit` must be a `bool`"):
        kind(per_unit=1)
    with pytest.raises(TypeError, match="`weight_arr` must be a"):
        limit.constrain_weight([1.0])
