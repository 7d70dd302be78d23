"""Convolutional ladder networks: numbers against algorithm 1 in NumPy, and the parts around."""

from __future__ import annotations

import numpy as np
import pytest
from ladder_numpy import ladder_costs
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn

import accelbrainbase as ab

CROSS_ENTROPY = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
SQUARES = gluon.loss.L2Loss(weight=2.0)
ACTIVATIONS = ["relu", "tanh"]
SHAPES = [(2, 6, 6), (4, 3, 3), (5, 3, 3)]
BATCH = 7
WEIGHTS = [3.0, 0.7, 0.2]


def network(layers, activations=None, **kwargs):
    return ab.ConvolutionalNeuralNetworks(
        SQUARES, hidden_units_list=layers,
        hidden_activation_list=activations or ["identity"] * len(layers),
        hidden_dropout_rate_list=[0.0] * len(layers), **kwargs,
    )  # fmt: skip


def dense(units, **kwargs):
    return ab.NeuralNetworks(SQUARES, units_list=[units], activation_list=["identity"], **kwargs)


def make(encoder=None, decoder=None, **kwargs):
    settings = {
        "denoising_weight_list": WEIGHTS, "optimizer_name": "Adam", "tied_weights_flag": False,
        **kwargs,
    }  # fmt: skip
    encoder = encoder or network(
        [nn.Conv2D(4, 4, strides=2, padding=1), nn.Conv2D(5, 3, padding=1)], ACTIVATIONS
    )
    decoder = decoder or network(
        [nn.Conv2DTranspose(4, 3, padding=1), nn.Conv2DTranspose(2, 4, strides=2, padding=1)]
    )
    return ab.ConvolutionalLadderNetworks(encoder, decoder, SQUARES, **settings)


def scattered(model, seed=0):
    rng = np.random.default_rng(seed)
    model.inference(np.zeros((2, *SHAPES[0]), np.float32))
    for name, parameter in model.collect_params().items():
        if "running" not in name:
            parameter.set_data(nd.array(rng.normal(0.1, 0.4, parameter.shape)))
    return model


def data(n=BATCH, seed=1):
    rng = np.random.default_rng(seed)
    target = np.eye(3, dtype=np.float32)[rng.integers(3, size=n)]
    return rng.random((n, *SHAPES[0])).astype(np.float32), target


def fixed_noise(sigma, n=BATCH, seed=2):
    rng = np.random.default_rng(seed)
    return [sigma * rng.normal(size=(n, *shape)).astype(np.float32) for shape in SHAPES]


def with_noise(model, noises):
    model._draw = lambda x: [nd.array(noise[: x.shape[0]]) for noise in noises]
    return model


def parameters(model):
    return model._collect_params_with_prefix()


def in_numpy(model, observed, noises):
    """Convolutions are MXNet's own; all between them is NumPy's."""

    def convolution(weight):
        return lambda h: _convolve(nd.Convolution, h, weight)

    get = {name: p.data().asnumpy().astype(np.float64) for name, p in parameters(model).items()}
    first, second = (get[f"encoder.{n}.weight"] for n in range(2))
    last, lowest = (get[f"decoder.{n}.weight"] for n in range(2))
    as_maps = (slice(None), None, slice(None), None, None)
    encoder = [
        lambda h: _convolve(nd.Convolution, h, first, 4, 2), convolution(second),
    ]  # fmt: skip
    decoder = [
        lambda h: _convolve(nd.Deconvolution, h, lowest, 4, 2),
        lambda h: _convolve(nd.Deconvolution, h, last),
    ]
    return ladder_costs(
        observed.astype(np.float64), noises, encoder, decoder, ACTIVATIONS,
        [get[f"ladder.gamma_{level}"].reshape(1, -1, 1, 1) for level in (1, 2)],
        [get[f"ladder.beta_{level}"].reshape(1, -1, 1, 1) for level in (1, 2)],
        [get[f"ladder.combinator_{level}"][as_maps] for level in range(3)],
    )  # fmt: skip


def _convolve(operator, h, weight, kernel=3, stride=1):
    filter_n = weight.shape[0] if operator is nd.Convolution else weight.shape[1]
    arr = operator(
        nd.array(h), nd.array(weight), kernel=(kernel, kernel), stride=(stride, stride),
        pad=(1, 1), num_filter=filter_n, no_bias=True,
    )  # fmt: skip
    return arr.asnumpy().astype(np.float64)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("sigma", [0.0, 0.3])
def test_cost_equals_algorithm_1(sigma, hybridize_flag):
    noises = fixed_noise(sigma)
    model = with_noise(scattered(make(hybridize_flag=hybridize_flag)), noises)
    observed, _ = data()
    with autograd.record():
        losses = model._costs(nd.array(observed), nd.array(observed), None)
    costs = in_numpy(model, observed, noises)["costs"]
    want = sum(weight * cost for weight, cost in zip(WEIGHTS, costs))
    np.testing.assert_allclose(losses["loss"].asnumpy(), want, rtol=1e-3)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_gradients_equal_finite_differences(hybridize_flag):
    noises = fixed_noise(0.3)
    model = with_noise(scattered(make(hybridize_flag=hybridize_flag)), noises)
    observed, _ = data()

    def cost():
        costs = in_numpy(model, observed, noises)["costs"]
        return sum(weight * cost for weight, cost in zip(WEIGHTS, costs)).sum()

    with autograd.record():
        losses = model._costs(nd.array(observed), nd.array(observed), None)
    losses["loss"].backward()
    rng = np.random.default_rng(3)
    for name, parameter in parameters(model).items():
        if "running" in name:
            continue
        gradient, arr = parameter.grad().asnumpy(), parameter.data().asnumpy()
        for _ in range(3):
            place = tuple(rng.integers(size) for size in arr.shape)
            found = []
            for step in (3e-3, -3e-3):
                moved = arr.copy()
                moved[place] += step
                parameter.set_data(nd.array(moved))
                found.append(cost())
            parameter.set_data(nd.array(arr))
            numeric = (found[0] - found[1]) / 6e-3
            assert gradient[place] == pytest.approx(numeric, rel=2e-2, abs=2e-2), name


def test_tied_weights_are_one_parameter_and_learn():
    model = make(tied_weights_flag=True)
    observed, _ = data(40)
    model.learning_rate = 1e-2
    model.learn(ab.ArrayIterator(observed, epochs=8, batch_size=10))
    assert parameters(model)["decoder.1.weight"] is parameters(model)["encoder.0.weight"]
    assert model.loss_arr[-1, 0] < model.loss_arr[0, 0]


def test_classifier_beside_the_ladder_learns_from_marked_labels():
    encoder = network(
        [nn.Conv2D(4, 4, strides=2, padding=1), nn.Conv2D(5, 3, padding=1)], ACTIVATIONS,
        output_nn=dense(2),
    )  # fmt: skip
    ab.seed(0)
    model = make(
        encoder, supervised_loss=CROSS_ENTROPY, learning_rate=1e-2, statistics_momentum=0.9
    )
    rng = np.random.default_rng(0)
    observed = rng.random((120, *SHAPES[0])).astype(np.float32) * 0.5
    label = np.arange(120) % 2
    observed[label == 1, :, :3] += 0.5  # the upper half is brighter
    target = np.where(np.arange(120) < 20, label, -1)
    model.learn(ab.SemiSupervisedIterator(observed, target, epochs=25, batch_size=30, seed=0))
    assert (model.classify(observed) == label).mean() > 0.95
    assert model.encode(observed).shape == (120, 2)
    assert model.inference(observed).shape == observed.shape
    assert "train_supervised_loss" in model.history.columns


def test_code_between_encoder_and_decoder():
    encoder = network(
        [nn.Conv2D(4, 4, strides=2, padding=1), nn.Conv2D(5, 3, padding=1)], ACTIVATIONS,
        output_nn=dense(8),
    )  # fmt: skip
    decoder = network(
        [nn.Conv2DTranspose(4, 3, padding=1), nn.Conv2DTranspose(2, 4, strides=2, padding=1)],
        input_nn=dense(45), input_result_channel=5, input_result_height=3, input_result_width=3,
    )  # fmt: skip
    model = make(encoder, decoder, learning_rate=1e-2)
    observed, _ = data(40)
    before = {n: p.data().asnumpy() for n, p in parameters(scattered(model)).items()}
    model.learn(ab.ArrayIterator(observed, epochs=2, batch_size=10))
    model.inference(observed)
    assert model.encode(observed).shape == model.feature_points_arr.shape == (40, 8)
    for name in ("encoder.output_nn.0.weight", "decoder.input_nn.0.weight"):
        assert (parameters(model)[name].data().asnumpy() != before[name]).any()


def test_forward_ladder_net_denoises_by_the_batch():
    noises = fixed_noise(0.0)
    rng = np.random.default_rng(5)
    noises[0] = 0.3 * rng.normal(size=noises[0].shape).astype(np.float32)
    model = scattered(make())
    observed, _ = data()
    denoised, cost = model.forward_ladder_net(
        nd, nd.array(observed), nd.array(observed + noises[0])
    )
    want = in_numpy(model, observed, noises)
    np.testing.assert_allclose(denoised.asnumpy(), want["denoised"][0], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(
        cost.asnumpy(), 0.7 * want["costs"][1] + 0.2 * want["costs"][2], rtol=1e-3
    )


def test_a_part_between_can_be_set_later():
    model = scattered(make())
    observed, _ = data()
    plain = model.inference(observed).asnumpy()
    between = nn.Conv2D(5, 1, in_channels=5)
    between.initialize()
    model.output_nn = between
    assert np.abs(model.inference(observed).asnumpy() - plain).max() > 1e-4
    model.learn(ab.ArrayIterator(observed, epochs=1, batch_size=7))


def test_biases_and_batch_norms_of_the_parts_are_given_up():
    encoder = network(
        [nn.Conv2D(4, 4, strides=2, padding=1), nn.Conv2D(5, 3, padding=1)], ACTIVATIONS,
        hidden_batch_norm_list=[nn.BatchNorm(), None],
    )  # fmt: skip
    model = scattered(make(encoder))
    assert not [name for name in parameters(model) if "bias" in name or ".4." in name]
    observed, _ = data(20)
    model.learn(ab.ArrayIterator(observed, epochs=1, batch_size=10))


def test_settings_of_the_ladder_are_checked():
    short = network([nn.Conv2DTranspose(2, 4, strides=2, padding=1)])
    with pytest.raises(ValueError, match="as many layers as the encoder"):
        make(decoder=short)
    other = network(
        [nn.Conv2DTranspose(3, 3, padding=1), nn.Conv2DTranspose(2, 4, strides=2, padding=1)]
    )
    with pytest.raises(ValueError, match=r"must give \[4\] maps and then"):
        make(decoder=other)
    beside = network([nn.Conv2D(4, 3)], output_nn=dense(2))
    with pytest.raises(ValueError, match="`encoder` has an `output_nn`, which would not learn"):
        make(beside, network([nn.Conv2DTranspose(2, 3)]), denoising_weight_list=None)
    behind = network([nn.Conv2DTranspose(2, 3)], output_nn=dense(2))
    with pytest.raises(ValueError, match="lowest level of a ladder is the data"):
        make(network([nn.Conv2D(4, 3)]), behind, denoising_weight_list=None)
    residual = network([nn.Conv2D(4, 3, padding=1)] * 1, hidden_residual_flag=True)
    with pytest.raises(ValueError, match="plain chain of layers"):
        make(residual, network([nn.Conv2DTranspose(2, 3)]), denoising_weight_list=None)
    pool = network([nn.MaxPool2D()])
    with pytest.raises(ValueError, match="layers with a convolution each"):
        make(pool, network([nn.Conv2DTranspose(2, 3)]), denoising_weight_list=None)


def test_what_1_1_0_recorded():
    model = make()
    assert model.alpha_loss_arr.shape == model.mu_loss_arr.shape == (0, 2)
    observed, _ = data(20)
    model.learn(ab.ArrayIterator(observed, epochs=2, batch_size=10))
    assert model.alpha_loss_arr.shape == (2, 2) and (model.alpha_loss_arr[:, 0] > 0).all()
    assert model.sigma_loss_arr.shape == (0, 2) and len(model.alpha_encoder_loss_list) == 0
    model.set_alpha(0.0)
    assert model.get_alpha() == 0.0
