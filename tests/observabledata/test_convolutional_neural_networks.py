"""Convolutional networks and chains of them, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn

import accelbrainbase as ab
from accelbrainbase._mxnet.global_avg_pool_2d import GlobalAvgPool2D
from accelbrainbase._mxnet.parameter_files import read_parameter_file, write_parameter_file
from accelbrainbase._mxnet.relu_n import ReLuN


def convolve(x, layer, pad=1):
    """A convolution with stride 1, by the definition."""
    weight, bias = (p.data().asnumpy() for p in (layer.weight, layer.bias))
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    return np.einsum("bihwkl,oikl->bohw", windows, weight) + bias.reshape(1, -1, 1, 1)


def make(layers, **kwargs):
    settings = {
        "hidden_dropout_rate_list": [0.0] * len(layers),
        "hidden_activation_list": ["tanh"] * len(layers),
        **kwargs,
    }
    return ab.ConvolutionalNeuralNetworks(ab.L2NormLoss(), hidden_units_list=layers, **settings)


def dense(n, activation="identity"):
    return ab.NeuralNetworks(ab.L2NormLoss(), units_list=[n], activation_list=[activation])


def pictures(n=3, channels=2, size=6):
    return np.random.default_rng(0).normal(size=(n, channels, size, size)).astype(np.float32)


def conv(channels, **kwargs):
    return nn.Conv2D(channels, 3, padding=1, bias_initializer="ones", **kwargs)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("appended", [False, True])
def test_output_and_features_by_numpy(hybridize_flag, residual, appended):
    layers = [conv(4), conv(4), conv(8 if residual and appended else 4), conv(5)]
    model = make(
        layers, hidden_residual_flag=residual, hidden_dense_flag=appended,
        hybridize_flag=hybridize_flag,
    )  # fmt: skip
    x = pictures()
    output = model.inference(x).asnumpy()
    expected = np.tanh(convolve(x, layers[0]))
    for layer in layers[1:3]:
        y = np.tanh(convolve(expected, layer))
        y = expected + y if residual else y
        expected = np.concatenate([expected, y], axis=1) if appended else y
    expected = np.tanh(convolve(expected, layers[3]))
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
    for features in (model.feature_points_arr, model.extract_feature_points()):
        np.testing.assert_array_equal(features.asnumpy(), output)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_input_nn_and_output_nn_by_numpy(hybridize_flag):
    layer = conv(4)
    model = make(
        [layer], input_nn=dense(2 * 3 * 5), input_result_channel=2, input_result_height=3,
        input_result_width=5, output_nn=dense(7, "softmax"), hybridize_flag=hybridize_flag,
    )  # fmt: skip
    x = np.random.default_rng(0).normal(size=(6, 9)).astype(np.float32)
    output = model.inference(x).asnumpy()
    before = model.input_nn.inference(x).asnumpy().reshape(6, 2, 3, 5)
    maps = np.tanh(convolve(before, layer))
    np.testing.assert_allclose(
        output, model.output_nn.inference(maps).asnumpy(), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(output.sum(axis=1), 1, rtol=1e-5)
    model.inference(x)
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), maps, rtol=1e-4, atol=1e-5)


def test_order_is_convolution_activation_dropout_batch_norm():
    layer, norm = conv(4), nn.BatchNorm()
    model = make([layer], hidden_batch_norm_list=[norm], hidden_dropout_rate_list=[0.9])
    x = pictures()
    model(nd.array(x))
    norm.running_mean.set_data(nd.array([1, 2, 3, 4]))
    expected = np.tanh(convolve(x, layer)) - np.arange(1, 5).reshape(1, -1, 1, 1)
    np.testing.assert_allclose(model.inference(x).asnumpy(), expected, rtol=1e-3, atol=1e-4)


def test_defaults():
    first, second = (ab.ConvolutionalNeuralNetworks(ab.L2NormLoss()) for _ in range(2))
    assert not set(first.hidden_units_list) & set(second.hidden_units_list)
    assert [layer._channels for layer in first.hidden_units_list] == [3, 3]
    assert first.hidden_activation_list == ["relu", "relu"]
    assert first._stack.dropout_rate_list == [0.5, 0.5]
    assert first.compute_acc_flag and first.batch_size is None
    assert first.inference(pictures()).shape == (3, 3, 6, 6)
    assert (first.inference(pictures()).asnumpy() != second.inference(pictures()).asnumpy()).any()


def test_initial_weights_have_variance_two_by_fan_in():
    layer = conv(64, in_channels=32)
    make([layer])
    weight = layer.weight.data().asnumpy()
    assert weight.std() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.03)


def names(model, x):
    model.inference(x)
    return list(model._collect_params_with_prefix())


def test_names_in_files_are_those_of_the_predecessor(tmp_path):
    x = pictures()
    plain = make([conv(4), conv(5)], hidden_batch_norm_list=[None, nn.BatchNorm()])
    norm = ["gamma", "beta", "running_mean", "running_var"]
    wanted = ["0.weight", "0.bias", "1.weight", "1.bias", *(f"4.{name}" for name in norm)]
    assert names(plain, x) == wanted

    model = make([conv(4), conv(5)], output_nn=dense(6))
    wanted = ["2.weight", "2.bias", "3.weight", "3.bias", "output_nn.0.weight", "output_nn.0.bias"]
    assert names(model, x) == wanted

    # 1.1.0 wrote the arrays of `output_nn` twice
    model.save_parameters(tmp_path / "new.params")
    arrays = {k: nd.array(v) for k, v in read_parameter_file(tmp_path / "new.params").items()}
    for part in ("weight", "bias"):
        arrays[f"_ConvolutionalNeuralNetworks__output_nn.0.{part}"] = arrays[f"output_nn.0.{part}"]
    write_parameter_file(tmp_path / "old.params", arrays)
    other = make([conv(4), conv(5)], output_nn=dense(6))
    other.load_parameters(tmp_path / "old.params")
    np.testing.assert_array_equal(other.inference(x).asnumpy(), model.inference(x).asnumpy())

    arrays["_ConvolutionalNeuralNetworks__output_nn.0.bias"] = nd.ones(6)
    write_parameter_file(tmp_path / "bad.params", arrays)
    with pytest.raises(ab.ParameterFileError, match="two values for `output_nn.0.bias`"):
        other.load_parameters(tmp_path / "bad.params")


def test_accuracy_by_hand():
    model = make([conv(2)], output_nn=dense(3), learning_rate=0.0)
    x, target = pictures(8), np.eye(3)[[0, 1, 2, 0, 1, 2, 0, 1]].astype(np.float32)
    model.learn(ab.ArrayIterator(x, target, test_observed=x, test_target=target, epochs=2))
    predicted = model.inference(x).asnumpy().argmax(axis=1)
    share = (predicted == target.argmax(axis=1)).mean()
    np.testing.assert_allclose(model.acc_arr, np.full((2, 2), share))
    accuracy, guesses, answers = model.compute_acc(model.inference(x), nd.array(target))
    assert accuracy == pytest.approx(share)
    np.testing.assert_array_equal(guesses, predicted)
    np.testing.assert_array_equal(answers, target.argmax(axis=1))


def test_no_accuracy_of_what_is_no_scores_of_classes():
    model, x = make([conv(2)]), pictures()
    model.learn(ab.ArrayIterator(x, x, epochs=2, batch_size=3))
    assert model.acc_arr.shape == (0, 2) and model.loss_arr.shape == (2, 2)


def test_output_nn_can_be_exchanged():
    model, x = make([conv(2)], output_nn=dense(3)), pictures()
    model.inference(x)
    trainer = model.trainer
    model.output_nn = dense(4)
    assert model.inference(x).shape == (3, 4) and model.trainer is not trainer
    model.output_nn = None
    assert model.inference(x).shape == (3, 2, 6, 6)
    assert "output_nn" not in model._children
    with pytest.raises(TypeError, match="`output_nn` must be a `HybridBlock` or None"):
        model.output_nn = "dense"


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"layers": []}, ValueError, "`hidden_units_list` must have at least one layer"),
        ({"layers": [3]}, TypeError, "`hidden_units_list` must be a `HybridBlock`"),
        ({"hidden_activation_list": ["tanh"] * 3}, ValueError, "`hidden_activation_list` must"),
        ({"hidden_activation_list": ["tnh"]}, ValueError, "Did you mean `tanh`"),
        ({"hidden_dropout_rate_list": [1.0]}, ValueError, "`hidden_dropout_rate_list` must"),
        ({"hidden_batch_norm_list": []}, ValueError, "`hidden_batch_norm_list` must"),
        ({"input_nn": dense}, TypeError, "`input_nn` must be a `HybridBlock`"),
        ({"dense_axis": 0}, ValueError, "`dense_axis` must be at least 1"),
        ({"hiden_units_list": []}, TypeError, "Did you mean `hidden_units_list`"),
    ],
)
def test_bad_arguments_are_named(settings, error, message):
    layers = settings.pop("layers", [conv(2)])
    with pytest.raises(error, match=message):
        make(layers, **settings)


def test_bad_input_result_is_named():
    with pytest.raises(TypeError, match="`input_result_channel` must be an integer"):
        make([conv(2)], input_nn=dense(8))
    with pytest.raises(ValueError, match="`input_nn` must give 8 numbers .* but it gives 9"):
        make(
            [conv(2)], input_nn=dense(9), input_result_channel=2, input_result_height=2,
            input_result_width=2,
        )  # fmt: skip


@pytest.mark.parametrize("inner", [conv(5), nn.Conv2D(4, 3), nn.Conv2D(4, 3, 2, 1)])
def test_residual_layers_that_cannot_be_are_named(inner):
    with pytest.raises(ValueError, match="`hidden_residual_flag=True` needs .* layer 1 is Conv2D"):
        make([conv(4), inner, conv(2)], hidden_residual_flag=True)


def test_bad_pictures_are_named():
    model = make([conv(4, in_channels=2)], output_nn=dense(3))
    with pytest.raises(ValueError, match="Grey pictures have one channel"):
        model.inference(pictures()[:, 0])
    with pytest.raises(ValueError, match=r"shape \(batch, channel, height, width\), .* \(3, 72\)"):
        model.inference(pictures().reshape(3, -1))
    with pytest.raises(ValueError, match="must have 2 channels of features"):
        model.inference(pictures(channels=3))
    expected = model.inference(pictures()).asnumpy()
    with pytest.raises(ValueError, match="do not go through its layers"):
        model.inference(pictures(size=7))
    np.testing.assert_array_equal(model.inference(pictures()).asnumpy(), expected)


def test_series_and_volumes():
    for n, name in ((1, "length"), (3, "depth, height, width")):
        layer = getattr(nn, f"Conv{n}DTranspose")(1, 3)
        model = make([getattr(nn, f"Conv{n}D")(16, 3), layer])
        x = np.random.default_rng(0).normal(size=(4, 2, *(6,) * n)).astype(np.float32)
        model.learn(ab.ArrayIterator(x, x[:, :1], epochs=2, batch_size=2))
        assert np.isfinite(model.loss_arr[:, 0]).all()
        with pytest.raises(ValueError, match=rf"shape \(batch, channel, {name}\)"):
            model.inference(pictures()[:, 0, 0])


def test_numpy_scalars_as_sizes():
    model = make([nn.Conv2D(np.int64(4), np.int64(3))], output_nn=dense(np.int64(3)))
    assert model.inference(pictures()).shape == (3, 3)


@pytest.mark.parametrize("place", ["hidden_units_list", "input_nn", "output_nn"])
def test_own_transposed_convolution_to_one_channel_trains(place):
    """From 16 channels; MXNet's own fails in backward."""
    own = nn.HybridSequential()
    own.add(nn.Conv2D(16, 3, padding=1), nn.Conv2DTranspose(1, 3, padding=1))
    if place == "input_nn":
        model = make(
            [conv(1)], input_nn=own, input_result_channel=1, input_result_height=6,
            input_result_width=6,
        )  # fmt: skip
    else:
        model = make([own]) if place == "hidden_units_list" else make([conv(3)], output_nn=own)
    x = pictures(8, channels=1)
    model.learn(ab.ArrayIterator(x, epochs=3, batch_size=4))
    assert np.isfinite(model.loss_arr[:, 0]).all()
    transposed = own[1].weight.data().asnumpy()
    assert transposed.shape == (16, 1, 3, 3) and np.isfinite(transposed).all()


def test_gradients_by_finite_differences():
    layers = [conv(3), nn.Conv2DTranspose(2, 3, strides=2, padding=1)]
    model = make(layers, output_nn=dense(2))
    x, target = nd.array(pictures()), nd.ones((3, 2))

    def loss():
        return model.compute_loss(model(x), target).sum()

    with autograd.record():
        value = loss()
    value.backward()
    for parameter in model.collect_params().values():
        arr, gradient = parameter.data(), parameter.grad().asnumpy()
        direction = np.random.default_rng(1).normal(size=arr.shape).astype(np.float32)
        kept, values = arr.copy(), []
        for step in (1e-2, -1e-2):
            parameter.set_data(kept + step * nd.array(direction))
            values.append(float(loss().asscalar()))
        parameter.set_data(kept)
        expected = (values[0] - values[1]) / 2e-2
        assert (gradient * direction).sum() == pytest.approx(expected, rel=0.02, abs=2e-3)


# -- chains ----------------------------------------------------------------------------


def test_chain_is_its_networks_one_after_another():
    first, second, output = make([conv(3)]), make([conv(4), conv(2)]), dense(5)
    x = pictures()
    learned = first.inference(x)
    chain = ab.ConvolutionalNetworkChain([first, second], ab.L2NormLoss(), output_nn=output)
    expected = output.inference(second.inference(learned)).asnumpy()
    np.testing.assert_allclose(chain.inference(x).asnumpy(), expected, rtol=1e-5)
    assert chain.feature_points_arr.shape == (3, 2, 6, 6)
    assert len(chain.hidden_units_list) == 3 and chain.hidden_activation_list == ["tanh"] * 3
    with pytest.raises(ValueError, match="must have 2 channels"):
        chain.inference(pictures(channels=1))


def test_bad_chains_are_named():
    with pytest.raises(ValueError, match="`network_list` must have at least one network"):
        ab.ConvolutionalNetworkChain([], ab.L2NormLoss())
    with pytest.raises(TypeError, match="`network_list` must be a `ConvolutionalNeuralNetworks`"):
        ab.ConvolutionalNetworkChain([dense(3)], ab.L2NormLoss())
    with pytest.raises(TypeError, match="`network_list` must be a `Iterable`, but got L2NormLoss"):
        ab.ConvolutionalNetworkChain(ab.L2NormLoss(), [dense(3)])


# -- small blocks ----------------------------------------------------------------------


def test_global_average_pooling():
    x = nd.array(pictures())
    for pool in (GlobalAvgPool2D(), GlobalAvgPool2D(pool_size=(7, 7))):
        got = pool(x).asnumpy()
        assert got.shape == (3, 2, 1, 1)
        np.testing.assert_allclose(got[..., 0, 0], x.asnumpy().mean(axis=(2, 3)), atol=1e-6)
    with pytest.raises(ValueError, match="`layout` must be one of 'NCHW'"):
        GlobalAvgPool2D(layout="NHWC")


def test_relu_n():
    x = nd.array([[-3, 0.5, 9]])
    assert ReLuN()(x).asnumpy().tolist() == [[0, 0.5, 6]]
    block = ReLuN(min_n=-1, max_n=2)
    assert block.inference(x).asnumpy().tolist() == [[-1, 0.5, 2]]
    block.hybridize()
    assert block(x).asnumpy().tolist() == [[-1, 0.5, 2]]
    assert block.forward_propagation(nd, x).asnumpy().tolist() == [[-1, 0.5, 2]]
    with pytest.raises(ValueError, match="`max_n` must be"):
        ReLuN(min_n=3, max_n=3)


def test_relu_n_can_be_in_a_layer():
    layer = gluon.nn.HybridSequential()
    layer.add(conv(2), ReLuN(max_n=0.1))
    values = make([layer], hidden_activation_list=["identity"]).inference(pictures()).asnumpy()
    assert values.min() == 0 and values.max() == np.float32(0.1)
