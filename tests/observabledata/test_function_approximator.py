"""Function approximators: a wrapped network learns and infers as itself."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import gluon, nd

import accelbrainbase as ab


def network(loss=None):
    return ab.NeuralNetworks(
        gluon.loss.L2Loss() if loss is None else loss, units_list=[6, 1],
        activation_list=["tanh", "identity"], optimizer_name="Adam", learning_rate=0.01,
    )  # fmt: skip


def test_it_gives_what_its_network_gives_and_shares_its_parameters():
    model = network()
    approximator = ab.FunctionApproximator(model)
    x = nd.random.normal(shape=(5, 3))
    output_arr = approximator.inference(x)
    np.testing.assert_array_equal(output_arr.asnumpy(), model.inference(x).asnumpy())
    assert approximator.collect_params().keys() == model.collect_params().keys()
    assert approximator.feature_points_arr.shape == (5, 6)


def test_loss_is_that_of_the_network_or_the_squared_error():
    loss = ab.L2NormLoss()
    assert ab.FunctionApproximator(network(loss)).computable_loss is loss
    foreign = gluon.nn.Dense(1)
    foreign.initialize()
    assert isinstance(ab.FunctionApproximator(foreign).computable_loss, gluon.loss.L2Loss)
    with pytest.raises(TypeError, match="`model` must be a `HybridBlock`"):
        ab.FunctionApproximator(None)


def test_interface_hands_over_to_its_model():
    class Own(ab.ApproximatedFunction):
        @property
        def model(self):
            return network_within

    network_within = network()
    own = Own()
    assert own.initializer is None and own.get_init_deferred_flag() is False
    x = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    own.learn(ab.ArrayIterator(x, x.sum(axis=1, keepdims=True), batch_size=16, epochs=5))
    assert len(network_within.history) == 5
    np.testing.assert_array_equal(own.inference(x).asnumpy(), network_within.inference(x).asnumpy())
    with pytest.raises(TypeError, match="abstract"):
        ab.ApproximatedFunction()
