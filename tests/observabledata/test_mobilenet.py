"""MobileNetV2 for pictures and videos, against NumPy and counts by hand."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import autograd, gluon, nd
from sklearn.datasets import load_digits

import accelbrainbase as ab
from accelbrainbase._mxnet.activations import ACTIVATIONS
from accelbrainbase._mxnet.linear_bottleneck import LinearBottleneck
from accelbrainbase._mxnet.relu_n import ReLuN

GROUPS = [
    {"filter_rate": 1, "filter_n": 8, "block_n": 1, "stride": 1},
    {"filter_rate": 2, "filter_n": 12, "block_n": 3, "stride": 2},
    {"filter_rate": 2, "filter_n": 12, "block_n": 2, "stride": 1},
]


def small(cls=ab.MobileNetV2, **kwargs):
    settings = {
        "input_filter_n": 8, "input_strides": 1, "bottleneck_dict_list": GROUPS,
        "hidden_filter_n": 16, "pool_size": None, **kwargs,
    }  # fmt: skip
    return cls(ab.L2NormLoss(), **settings)


def convolve(x, layer):
    """A convolution in any number of dimensions, with groups, by the definition."""
    weight = layer.weight.data().asnumpy()
    kernel, groups = weight.shape[2:], layer._kwargs["num_group"]
    pads = [(p, p) for p in layer._kwargs["pad"]]
    x = np.pad(x, [(0, 0), (0, 0), *pads])
    axes = tuple(range(2, x.ndim))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=axes)
    strides = tuple(slice(None, None, s) for s in layer._kwargs["stride"])
    windows = windows[(slice(None), slice(None), *strides)]
    n = len(kernel)
    maps = []
    for number, filters in enumerate(np.split(weight, groups)):
        part = windows[:, number * weight.shape[1] : (number + 1) * weight.shape[1]]
        over = [1, *range(2 + n, 2 + 2 * n)]
        maps.append(np.tensordot(part, filters, axes=(over, list(range(1, 2 + n)))))
    return np.moveaxis(np.concatenate(maps, axis=-1), -1, 1)


def layer_by_numpy(x, layer, limited=True):
    """Convolution, normalisation with the running statistics, and ReLU6."""
    y = convolve(x, layer.convolution)
    gamma, beta, mean, var = (
        p.data().asnumpy().reshape(1, -1, *[1] * (x.ndim - 2))
        for p in (layer.norm.gamma, layer.norm.beta, layer.norm.running_mean,
                  layer.norm.running_var)
    )  # fmt: skip
    y = gamma * (y - mean) / np.sqrt(var + 1e-5) + beta
    return np.minimum(np.maximum(y, 0), 6) if limited else y


def block_by_numpy(x, block):
    y = x if block.expand is None else layer_by_numpy(x, block.expand)
    y = layer_by_numpy(layer_by_numpy(y, block.depthwise), block.project, limited=False)
    return x + y if y.shape == x.shape and block.residual else y


def disturb(model):
    """Give all parameters values, the statistics too, such that each of them matters."""
    rng = np.random.default_rng(0)
    for name, parameter in model.collect_params().items():
        low, high = (0.5, 2.0) if name.endswith(("gamma", "var")) else (-1.0, 1.0)
        parameter.set_data(nd.array(rng.uniform(low, high, parameter.shape)))


@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("expansion", [1, 3])
@pytest.mark.parametrize("n", [2, 3])
def test_bottleneck_by_numpy(hybridize, strides, expansion, n):
    block = LinearBottleneck(4, 4, expansion, (3,) * n, (strides,) * n)
    block.initialize()
    disturb(block)
    block.hybridize(hybridize)
    x = 3 * np.random.default_rng(1).normal(size=(2, 4, *(5, 6, 7)[:n])).astype(np.float32)
    expected = block_by_numpy(x, block)
    assert block.residual == (strides == 1)
    assert (block.expand is None) == (expansion == 1)
    np.testing.assert_allclose(block(nd.array(x)).asnumpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n", [2, 3])
def test_gradient_of_a_bottleneck_by_finite_differences(n):
    block = LinearBottleneck(4, 4, 2, (3,) * n, (1,) * n, activation_name="tanh")
    block.initialize()
    disturb(block)
    x = nd.array(np.random.default_rng(1).normal(size=(3, 4, *[4] * n)))
    weights = nd.array(np.random.default_rng(2).normal(size=x.shape))

    def value():
        with autograd.train_mode():
            return (block(x) * weights).sum()

    with autograd.record():
        loss = value()
    loss.backward()
    for parameter in (block.expand.convolution.weight, block.depthwise.norm.gamma,
                      block.depthwise.convolution.weight, block.project.norm.beta):  # fmt: skip
        direction = nd.array(np.random.default_rng(3).normal(size=parameter.shape))
        exact = (parameter.grad() * direction).sum().asscalar()
        at, step = parameter.data().copy(), 1e-2
        values = []
        for sign in (1, -1):
            parameter.set_data(at + sign * step * direction)
            values.append(value().asscalar())
        parameter.set_data(at)
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(exact, rel=0.03, abs=0.05)


@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize("across", [False, True])
def test_network_by_numpy(shortcut, across):
    model = small(shortcut_flag=shortcut, global_shortcut_flag=across, pool_size="global")
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    model.inference(x)
    disturb(model)
    # Numbers as after learning, not growing from layer to layer.
    for block in model.bottleneck_list:
        block.project.norm.gamma.set_data(block.project.norm.gamma.data() * 0.1)
    y = layer_by_numpy(x, model.input_layer)
    for blocks in model.bottlenecks:
        into = y
        for block in blocks:
            y = block_by_numpy(y, block)
        if across and into.shape == y.shape:
            y = into + y
    y = layer_by_numpy(y, model.output_layer).mean(axis=(2, 3), keepdims=True)
    np.testing.assert_allclose(model.inference(x).asnumpy(), y, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), y, rtol=1e-3, atol=1e-4)


def test_residual_only_where_shapes_allow():
    flags = [block.residual for block in small().bottleneck_list]
    assert flags == [True, False, True, True, True, True]  # not where maps or sizes change
    assert not any(block.residual for block in small(shortcut_flag=False).bottleneck_list)


def test_depthwise_convolutions_are_depthwise():
    for block in small().bottleneck_list:
        layer = block.depthwise.convolution
        assert layer._kwargs["num_group"] == layer._channels == layer.weight.shape[0]
        assert layer.weight.shape[1:] == (1, 3, 3)


def count(width, classes, channels=3):
    """Parameters of the network of table 2, added up by hand."""

    def wide(n):
        if width == 1:
            return n
        rounded = max(8, int(n * width + 4) // 8 * 8)
        return rounded if rounded >= 0.9 * n * width else rounded + 8

    last, maps = wide(1280) if width > 1 else 1280, wide(32)
    total = channels * 9 * maps + 2 * maps
    for t, c, n, _ in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                       (6, 160, 3, 2), (6, 320, 1, 1)):  # fmt: skip
        for _ in range(n):
            hidden = t * maps
            total += (maps * hidden + 2 * hidden) * (t != 1)
            total += 9 * hidden + 2 * hidden
            total += hidden * wide(c) + 2 * wide(c)
            maps = wide(c)
    return total + maps * last + 2 * last + last * classes + classes


@pytest.mark.parametrize(
    ("width", "parameter_n"), [(1.0, 3_504_872), (0.5, 1_968_680), (1.4, count(1.4, 1000))]
)
def test_standard_network_has_the_parameters_of_the_paper(width, parameter_n):
    model = ab.MobileNetV2.standard(filter_multiplier=width)
    assert model.inference(np.zeros((1, 3, 64, 64), np.float32)).shape == (1, 1000)
    assert model.parameter_n == parameter_n == count(width, 1000)


def test_defaults_take_224_pixels():
    model = ab.MobileNetV2(ab.L2NormLoss())
    assert model.inference(np.zeros((1, 3, 224, 224), np.float32)).shape == (1, 1280, 1, 1)
    with pytest.raises(ValueError, match="do not go through its layers"):
        model.inference(np.zeros((1, 3, 96, 96), np.float32))


def test_defaults_for_videos():
    model = ab.MobileNet3DV2(ab.L2NormLoss())
    # The default padding of the first convolution adds a picture at both ends.
    assert model.inference(np.zeros((1, 2, 3, 224, 224), np.float32)).shape == (1, 1280, 4, 1, 1)
    assert model.bottleneck_list[1].depthwise.convolution._kwargs["stride"] == (1, 2, 2)


def test_videos_by_pictures_alone():
    """Kernels that see one picture at a time compute what the network for pictures does."""
    settings = {"input_kernel_size": (1, 3, 3), "input_strides": (1, 1, 1),
                "input_padding": (0, 1, 1), "bottleneck_kernel_size": (1, 3, 3)}  # fmt: skip
    video, picture = small(ab.MobileNet3DV2, **settings), small()
    x = np.random.default_rng(0).normal(size=(2, 3, 1, 8, 8)).astype(np.float32)
    assert video.inference(x).shape == (2, 16, 3, 4, 4)
    picture.inference(x[:, 0])
    disturb(video)
    for one, other in zip(picture.collect_params().values(), video.collect_params().values()):
        one.set_data(other.data().reshape(one.shape))
    expected = picture.inference(x.reshape(6, 1, 8, 8)).asnumpy().reshape(2, 3, 16, 4, 4)
    np.testing.assert_allclose(
        video.inference(x).asnumpy(), expected.swapaxes(1, 2), rtol=1e-3, atol=1e-3
    )


def test_videos_see_motion():
    model = small(ab.MobileNet3DV2, input_padding=(0, 1, 1))
    x = np.random.default_rng(0).normal(size=(1, 3, 1, 8, 8)).astype(np.float32)
    changed = x.copy()
    changed[:, 2] += 1
    before, after = (model.inference(arr).asnumpy()[:, :, 0] for arr in (x, changed))
    assert np.abs(before - after).max() > 1e-3  # the last picture reaches the first maps


def test_learns_videos_of_an_iterator(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for name, shift in (("left", -1), ("right", 1)):
        (tmp_path / name).mkdir()
        picture = np.random.default_rng(0).integers(0, 255, (8, 8), dtype=np.uint8)
        for number in range(12):
            moved = image.fromarray(np.roll(picture, number * shift, axis=1))
            moved.save(tmp_path / name / f"{number}.png")
    iterator = ab.LabeledVideoIterator(
        ab.ImageExtractor(8, 8, 1), [tmp_path / "left", tmp_path / "right"], epochs=15,
        batch_size=6, seq_len=3, norm_mode="min_max", seed=0,
    )  # fmt: skip
    ab.seed(0)
    head = ab.NeuralNetworks(ab.L2NormLoss(), units_list=[2], activation_list=["identity"])
    model = small(ab.MobileNet3DV2, pool_size="global", output_nn=head, optimizer_name="Adam",
                  learning_rate=5e-3)  # fmt: skip
    model.computable_loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
    model.learn(iterator)
    assert model.acc_arr[-1, 0] > 0.9


def test_learns_digits():
    digits = load_digits()
    x = (digits.data / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    y = np.eye(10, dtype=np.float32)[digits.target]
    ab.seed(0)
    model = ab.MobileNetV2.standard(
        class_n=10, input_filter_n=16, input_strides=1, bottleneck_dict_list=GROUPS,
        hidden_filter_n=64, optimizer_name="Adam", learning_rate=1e-2,
    )  # fmt: skip
    model.learn(
        ab.ArrayIterator(x[:1400], y[:1400], test_observed=x[1400:], test_target=y[1400:],
                         epochs=8, batch_size=50, seed=0)
    )  # fmt: skip
    assert model.acc_arr[-1, 1] > 0.9


@pytest.mark.parametrize("make", [ACTIVATIONS["relu6"], lambda F, x: ReLuN()(x)])
def test_relu6(make):
    x = nd.array([-1, 0.5, 6, 7, 5])
    x.attach_grad()
    with autograd.record():
        y = make(nd, x)
    y.backward()
    np.testing.assert_array_equal(y.asnumpy(), [0, 0.5, 6, 6, 5])
    np.testing.assert_array_equal(x.grad.asnumpy(), [0, 1, 1, 0, 1])


BAD = [
    ({"activation": "relu7"}, ValueError, "`activation` must be one of .*Did you mean `relu"),
    ({"filter_multiplier": 0}, ValueError, "`filter_multiplier` must be a finite number"),
    ({"bottleneck_dict_list": []}, ValueError, "at least one group"),
    ({"bottleneck_dict_list": [{"filter_n": 3}]}, ValueError, "must have the entries filter_rate"),
    ({"bottleneck_dict_list": [3]}, TypeError, r"`bottleneck_dict_list\[0\]` must be a `Mapping`"),
    ({"bottleneck_dict_list": [{**GROUPS[0], "block_n": 0}]}, ValueError, "'block_n'.*at least 1"),
    ({"input_strides": (1, 2, 3)}, ValueError, "`input_strides` must have 2 numbers"),
    ({"bottleneck_kernel_size": 2}, ValueError, "`bottleneck_kernel_size` must be odd"),
    ({"pool_size": "all"}, ValueError, "`pool_size` must be the size of the pooling"),
    ({"hidden_filter_n": 1.5}, TypeError, "`hidden_filter_n` must be an integer"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "error", "message"), BAD)
def test_bad_arguments_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        small(**settings)


def test_data_of_the_wrong_shape_are_named():
    with pytest.raises(ValueError, match="batch, seq_len, channel, height, width"):
        small(ab.MobileNet3DV2).inference(np.zeros((2, 3, 8, 8)))
    with pytest.raises(ValueError, match=r"\(batch, channel, height, width\)"):
        small().inference(np.zeros((2, 3, 1, 8, 8)))


def test_it_cannot_be_tied():
    decoder = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[gluon.nn.Conv2DTranspose(1, 3)]
    )
    with pytest.raises(ValueError, match="tied_weights_flag=False"):
        ab.ConvolutionalAutoEncoder(small(), decoder, ab.L2NormLoss())
