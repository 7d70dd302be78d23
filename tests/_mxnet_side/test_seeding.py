"""One seed: the same bits."""

import random

import mxnet as mx
import numpy as np
import pytest
from dense_numpy import Batches, assert_same_bits, bits, draw
from mxnet import gluon, nd

import accelbrainbase as ab


def draws():
    return nd.random.normal(shape=(5,)).asnumpy(), np.random.rand(5), [random.random()]


def test_seed_reaches_mxnet_numpy_and_python():
    ab.seed(7)
    first, second = draws(), draws()
    ab.seed(7)
    for one, same, other in zip(first, draws(), second):
        np.testing.assert_array_equal(one, same)
        assert (np.asarray(one) != np.asarray(other)).all()
    ab.seed(8)
    for one, other in zip(first, draws()):
        assert (np.asarray(one) != np.asarray(other)).all()


def test_seeds_count_modulo_two_to_the_32():
    ab.seed(2**32 + 3)
    first = draws()
    ab.seed(np.int64(3))
    for one, same in zip(first, draws()):
        np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (-1, ValueError, "`value` must be at least 0, but got -1"),
        (1.5, TypeError, "`value` must be an integer, but got 1.5"),
        (None, TypeError, "`value` must be an integer, but got None"),
    ],
)
def test_what_is_no_seed(value, error, message):
    with pytest.raises(error, match=message):
        ab.seed(value)


def learned(seed, hybridize_flag, **kwargs):
    ab.seed(seed)
    model = ab.NeuralNetworks(
        gluon.loss.L2Loss(),
        units_list=[20, 3],
        activation_list=["tanh", "identity"],
        dropout_rate_list=[0.5, 0.0],
        hidden_batch_norm_list=[gluon.nn.BatchNorm(), None],
        optimizer_name="Adam",
        learning_rate=0.01,
        hybridize_flag=hybridize_flag,
        **kwargs,
    )
    x, target = draw(30, 6), draw(30, 3, seed=1)
    pairs = [(x[n : n + 8], target[n : n + 8]) for n in range(0, 30, 8)]
    model.learn(Batches(pairs, epochs=5))
    return model


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_same_seed_same_bits_with_dropout(hybridize_flag):
    first, same, other = (learned(seed, hybridize_flag) for seed in (1, 1, 2))
    assert_same_bits(bits(first), bits(same))
    np.testing.assert_array_equal(first.loss_arr, same.loss_arr)
    assert (bits(first)[0] != bits(other)[0]).all()


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_dropout_follows_the_seed(hybridize_flag):
    model = learned(1, hybridize_flag)
    x = nd.array(draw(9, 6))
    outs = []
    for seed in (3, 3, 4):
        ab.seed(seed)
        with mx.autograd.train_mode():
            outs.append(model(x).asnumpy())
    np.testing.assert_array_equal(outs[0], outs[1])
    assert (outs[0] != outs[2]).any()


def test_initial_values_do_not_depend_on_hybridising():
    ab.seed(5)
    first = ab.NeuralNetworks(gluon.loss.L2Loss(), hybridize_flag=False)
    first.inference(draw(2, 4))
    ab.seed(5)
    second = ab.NeuralNetworks(gluon.loss.L2Loss(), hybridize_flag=True)
    second.inference(draw(2, 4))
    assert_same_bits(bits(first), bits(second))
