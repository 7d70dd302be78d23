"""Convolutions, LSTM and dense layers: the parts one after the other, and burn-in."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import autograd, gluon, nd

import accelbrainbase as ab

LOSS = gluon.loss.L2Loss()


def parts(**kwargs):
    lstm = ab.LSTMNetworks(
        computable_loss=LOSS, hidden_n=6, dropout_rate=0.0, output_layer_flag=False, **kwargs
    )
    dense = ab.NeuralNetworks(
        LOSS, units_list=[5, 2], activation_list=["tanh", "identity"], **kwargs
    )
    return lstm, dense


def convolution(**kwargs):
    return ab.ConvolutionalNeuralNetworks(
        LOSS, hidden_units_list=[gluon.nn.Conv2D(3, 3)], hidden_activation_list=["tanh"],
        hidden_dropout_rate_list=[0.0], **kwargs,
    )  # fmt: skip


@pytest.mark.parametrize("burn_in_n", [0, 2])
@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_output_is_that_of_the_parts(hybridize_flag, burn_in_n):
    ab.seed(0)
    flag = {"hybridize_flag": hybridize_flag}
    lstm, dense = parts(**flag)
    network = convolution(**flag)
    model = ab.CLDNNetworks(lstm, dense, LOSS, network, burn_in_n=burn_in_n, **flag)
    films = nd.random.normal(shape=(4, 7, 1, 5, 5))
    output_arr = model.inference(films)
    codes = network.inference(films.reshape((28, 1, 5, 5))).reshape((4, 7, 27))
    states = lstm.inference(codes)
    np.testing.assert_allclose(
        output_arr.asnumpy(), dense.inference(states[:, -1]).asnumpy(), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(
        model.extract_feature_points().asnumpy(), states[:, -1].asnumpy(), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_burn_in_gets_no_gradient(hybridize_flag):
    ab.seed(0)
    lstm, dense = parts(hybridize_flag=hybridize_flag)
    model = ab.CLDNNetworks(lstm, dense, LOSS, burn_in_n=3, hybridize_flag=hybridize_flag)
    series = nd.random.normal(shape=(2, 8, 4))
    model.inference(series)
    series.attach_grad()
    with autograd.record():
        output_arr = model(series)
    output_arr.backward()
    gradient = np.abs(series.grad.asnumpy()).sum(axis=(0, 2))
    assert (gradient[:3] == 0).all() and (gradient[3:] > 0).all()
    before = series.copy()
    before[:, 0] += 1  # though what was before matters
    assert (model.inference(before) != model.inference(series)).asnumpy().any()


def test_it_values_actions_by_what_was_observed_before():
    gymnasium = pytest.importorskip("gymnasium")

    class Memory(gymnasium.Env):
        """The action that pays is told in the first of three steps, and asked for in the last."""

        action_space = gymnasium.spaces.Discrete(2)
        observation_space = gymnasium.spaces.Box(-1, 1, (3, 1), np.float32)

        def window(self):
            told = [self.right * 2 - 1.0, 0.0, 0.0]
            return np.array([0.0] * (2 - self.time) + told[: self.time + 1]).reshape(3, 1)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.time, self.right = 0, int(self.np_random.integers(2))
            return self.window(), {}

        def step(self, action):
            self.time += 1
            if self.time == 3:
                self.time = 2
                return self.window(), float(action == self.right), True, False, {}
            return self.window(), 0.0, False, False, {}

    ab.seed(0)
    controller = ab.DeepQNetworkController(
        ab.FunctionApproximator(ab.CLDNNetworks(*parts(), LOSS)),
        ab.GymnasiumPolicy(Memory, env_n=8, seed=0), learning_rate=0.01, gamma_value=0.9,
        epsilon=lambda step: 0.3, step_n=10, update_n=20, learning_starts=80, target_every=20,
    )  # fmt: skip
    controller.learn(25)
    assert controller.evaluate(40, ab.GymnasiumPolicy(Memory, env_n=8, seed=9)).mean() == 1.0


def test_errors_name_the_argument():
    lstm, dense = parts()
    with pytest.raises(TypeError, match="`lstm` must be a `LSTMNetworks`"):
        ab.CLDNNetworks(dense, dense, LOSS)
    with pytest.raises(ValueError, match="must be built with `output_layer_flag=False`"):
        ab.CLDNNetworks(ab.LSTMNetworks(computable_loss=LOSS), dense, LOSS)
    model = ab.CLDNNetworks(lstm, dense, LOSS, burn_in_n=4)
    with pytest.raises(ValueError, match="series of more than `burn_in_n` = 4 points"):
        model.inference(np.ones((2, 4, 3)))
    with pytest.raises(ValueError, match=r"must have shape \(batch, seq_len, \*features\)"):
        model.inference(np.ones((2, 4)))
    model.inference(np.ones((2, 6, 3)))
    with pytest.raises(ValueError, match=r"must have the features \(3,\)"):
        model.inference(np.ones((2, 6, 5)))
