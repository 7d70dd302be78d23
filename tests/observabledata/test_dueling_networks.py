"""Dueling networks: the numbers, by NumPy and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from dense_numpy import dense, draw, fill, finite_differences, gradients, l2, values
from mxnet import gluon

import accelbrainbase as ab

UNITS, ACTIVATIONS = [6, 5, 4], ["tanh", "relu", "identity"]
both_modes = pytest.mark.parametrize("hybridize_flag", [False, True])


def made(cls=ab.DuelingNetworks, **kwargs):
    return cls(
        gluon.loss.L2Loss(), **{"units_list": UNITS, "activation_list": ACTIVATIONS, **kwargs}
    )


def by_numpy(x, parameters, shared_n):
    """Equation 9 of Wang et al."""
    x = dense(x, parameters, ACTIVATIONS[:shared_n])
    own = range(shared_n, len(UNITS))
    rest = {
        f"{number - shared_n}.{kind}": parameters[f"{number}.{kind}"]
        for number in own
        for kind in ("weight", "bias")
    }
    advantage = dense(x, rest, ACTIVATIONS[shared_n:])
    value = dense(x, parameters, ACTIVATIONS[shared_n:], prefix="value_stream.")
    assert value.shape == (len(x), 1) and advantage.shape == (len(x), 4)
    return value + advantage - advantage.mean(axis=1, keepdims=True)


@both_modes
@pytest.mark.parametrize("shared_n", [0, 1, 2, None])
def test_values_by_numpy(shared_n, hybridize_flag):
    model = made(shared_n=shared_n, hybridize_flag=hybridize_flag)
    x = draw(7, 2, 3)
    model.inference(x)
    fill(model)
    expected = by_numpy(x, values(model), 1 if shared_n is None else shared_n)
    np.testing.assert_allclose(model.inference(x).asnumpy(), expected, rtol=1e-4, atol=1e-6)


@both_modes
def test_gradients_by_finite_differences(hybridize_flag):
    model = made(hybridize_flag=hybridize_flag)
    x, target = draw(5, 3), draw(5, 4)
    model.inference(x)
    fill(model)
    parameters = values(model)

    def loss(changed):
        return l2(by_numpy(x.astype(np.float64), changed, 1), target).sum()

    found = gradients(model, x, target)
    assert len(found) == 10
    for name, gradient in found.items():
        expected = finite_differences(loss, parameters, name)
        np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5, err_msg=name)


def test_mean_of_the_values_is_the_value_of_the_state():
    model = made()
    x = draw(6, 3)
    model.inference(x)
    fill(model)
    parameters = values(model)
    shared = dense(x, parameters, ACTIVATIONS[:1])
    state = dense(shared, parameters, ACTIVATIONS[1:], prefix="value_stream.")
    np.testing.assert_allclose(
        model.inference(x).asnumpy().mean(axis=1), state[:, 0], rtol=1e-4, atol=1e-6
    )


def test_it_takes_the_place_of_dense_layers():
    """Behind convolutions, behind an LSTM, and alone, by the name of the class."""
    for cls in (ab.NeuralNetworks, ab.DuelingNetworks):
        behind_convolutions = ab.ConvolutionalNeuralNetworks(
            gluon.loss.L2Loss(), hidden_units_list=[gluon.nn.Conv2D(3, 3)],
            hidden_activation_list=["relu"], hidden_dropout_rate_list=[0.0], output_nn=made(cls),
        )  # fmt: skip
        assert behind_convolutions.inference(draw(2, 1, 5, 5)).shape == (2, 4)
        lstm = ab.LSTMNetworks(
            computable_loss=gluon.loss.L2Loss(), hidden_n=3, output_layer_flag=False
        )
        behind_lstm = ab.CLDNNetworks(lstm, made(cls), gluon.loss.L2Loss())
        assert behind_lstm.inference(draw(2, 4, 3)).shape == (2, 4)
        assert made(cls).inference(draw(2, 3)).shape == (2, 4)


def test_file_has_both_streams(tmp_path):
    model, other = made(), made()
    x = draw(3, 3)
    expected = model.inference(x).asnumpy()
    model.save_parameters(tmp_path / "q.params")
    other.load_parameters(tmp_path / "q.params")
    np.testing.assert_array_equal(other.inference(x).asnumpy(), expected)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="`shared_n` must be at most 2"):
        made(shared_n=3)
    with pytest.raises(ValueError, match="`shared_n` must be at least 0"):
        made(shared_n=-1)
    with pytest.raises(ValueError, match="`hidden_batch_norm_list` must have None"):
        made(hidden_batch_norm_list=[None, gluon.nn.BatchNorm(), None])
    with pytest.raises(TypeError, match="`units_list` must be a `Sequence`, but got 3"):
        ab.DuelingNetworks(gluon.loss.L2Loss(), units_list=3)
    with pytest.raises(ValueError, match="`units_list` must have at least one layer"):
        made(units_list=[], activation_list=[])
    with pytest.raises(TypeError, match="takes no keyword `shard_n`. Did you mean `shared_n`"):
        made(shard_n=1)
    assert made(hidden_batch_norm_list=[gluon.nn.BatchNorm(), None, None]).shared_n == 1
