"""Convolutional auto-encoders, tied weights, and stacks that initialise a classifier."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn
from sklearn.datasets import load_digits

import accelbrainbase as ab
from accelbrainbase._mxnet.parameter_files import read_parameter_file, write_parameter_file


def cnn(layers, last="tanh", **kwargs):
    return ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=layers,
        hidden_activation_list=["tanh"] * (len(layers) - 1) + [last],
        hidden_dropout_rate_list=[0.0] * len(layers), **kwargs,
    )  # fmt: skip


def make(tied=True, channels=3, strides=2, hybridize_flag=True, **kwargs):
    kernel = {"kernel_size": 4 if strides == 2 else 3, "strides": strides, "padding": 1}
    encoder = cnn([nn.Conv2D(8, **kernel), nn.Conv2D(16, 3)])
    decoder = cnn([nn.Conv2DTranspose(8, 3), nn.Conv2DTranspose(channels, **kernel)], "identity")
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    return ab.ConvolutionalAutoEncoder(
        encoder, decoder, ab.L2NormLoss(), tied_weights_flag=tied,
        hybridize_flag=hybridize_flag, **settings,
    )  # fmt: skip


def pictures(n=6, channels=3, size=8):
    rng = np.random.default_rng(0)
    return rng.uniform(size=(n, channels, size, size)).astype(np.float32)


def digit_pictures(n):
    return (load_digits().images[:n, None] / 16).astype(np.float32)


def transposed(x, weight, bias, stride, pad):
    """A transposed convolution, by the definition."""
    k, (b, _, h, w) = weight.shape[2], x.shape
    y = np.zeros((b, weight.shape[1], (h - 1) * stride + k, (w - 1) * stride + k))
    for i in range(k):
        for j in range(k):
            place = np.einsum("bihw,io->bohw", x, weight[:, :, i, j])
            y[
                :, :, i : i + (h - 1) * stride + 1 : stride, j : j + (w - 1) * stride + 1 : stride
            ] += place
    y = y[:, :, pad : y.shape[2] - pad, pad : y.shape[3] - pad]
    return y + bias.reshape(1, -1, 1, 1)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("strides", [1, 2])
def test_tied_reconstruction_by_numpy(hybridize_flag, channels, strides):
    model, x = make(True, channels, strides, hybridize_flag), pictures(channels=channels)
    output = model.inference(x).asnumpy()
    code = model.feature_points_arr.asnumpy()
    np.testing.assert_allclose(code, model.encode(x).asnumpy(), atol=1e-6)
    first, second = (layer.weight.data().asnumpy() for layer in model.encoder.hidden_units_list)
    lower, upper = (layer.bias.data().asnumpy() for layer in model.decoder.hidden_units_list)
    hidden = np.tanh(transposed(code, second, lower, 1, 0))
    expected = transposed(hidden, first, upper, strides, 1)
    np.testing.assert_allclose(output, expected, rtol=1e-3, atol=1e-5)


def test_mirrored_decoder_is_the_adjoint_of_the_encoder():
    """<W x, h> = <x, W' h>: the flipped weight of Masci et al. 2011."""
    encoder, decoder = (
        cnn([nn.Conv2D(8, 3)], "identity"),
        cnn([nn.Conv2DTranspose(3, 3)], "identity"),
    )
    ab.ConvolutionalAutoEncoder(encoder, decoder, ab.L2NormLoss())
    x = pictures()
    maps = encoder.inference(x).asnumpy()
    h = np.random.default_rng(1).normal(size=maps.shape).astype(np.float32)
    back = decoder.inference(h).asnumpy()
    assert (maps * h).sum() == pytest.approx((x * back).sum(), rel=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("strides", [1, 2])
def test_tied_gradient_is_the_sum_of_both_uses(channels, strides):
    x = pictures(channels=channels)
    tied, free = make(True, channels, strides), make(False, channels, strides)
    for model in (tied, free):
        model.inference(x)
    values = [layer.weight.data() for layer in tied.encoder.hidden_units_list]
    for layer, value in zip(free.encoder.hidden_units_list, values):
        layer.weight.set_data(value)
    for layer, value in zip(free.decoder.hidden_units_list, values[::-1]):
        layer.weight.set_data(value)
    losses = []
    for model in (tied, free):
        with autograd.record():
            loss = model.compute_loss(model(nd.array(x)), nd.array(x))
        loss.backward()
        losses.append(loss.asnumpy())
    np.testing.assert_allclose(*losses, rtol=1e-5)
    mirrored = free.decoder.hidden_units_list[::-1]
    for one, up, down in zip(
        tied.encoder.hidden_units_list, free.encoder.hidden_units_list, mirrored
    ):
        expected = up.weight.grad().asnumpy() + down.weight.grad().asnumpy()
        np.testing.assert_allclose(one.weight.grad().asnumpy(), expected, rtol=1e-3, atol=1e-5)


def test_tied_gradient_by_finite_differences():
    model, x = make(), nd.array(pictures())
    model(x)

    def loss():
        return model.compute_loss(model(x), x).sum()

    with autograd.record():
        value = loss()
    value.backward()
    for parameter in model.collect_params().values():
        direction = parameter.grad() / parameter.grad().norm()
        expected = 0.0
        kept = parameter.data().copy()
        for sign in (1, -1):
            parameter.set_data(kept + sign * 1e-2 * direction)
            expected += sign * loss().asscalar() / 2e-2
        parameter.set_data(kept)
        assert parameter.grad().norm().asscalar() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("optimizer_name", ["SGD", "Adam", "RMSProp"])
def test_weights_stay_tied_in_each_step(optimizer_name):
    model, x = make(optimizer_name=optimizer_name), pictures(12)

    class Watch(ab.Callback):
        steps = 0

        def on_step_end(self, state):
            self.steps += 1
            lower = model.encoder.hidden_units_list
            for one, two in zip(lower, model.decoder.hidden_units_list[::-1]):
                assert one.weight is two.weight
                np.testing.assert_array_equal(
                    one.weight.data().asnumpy(), two.weight.data().asnumpy()
                )

    watch = Watch()
    model.learn(ab.ArrayIterator(x, epochs=3, batch_size=4), callbacks=[watch])
    assert watch.steps == 9
    assert model.parameter_n == 8 * 3 * 16 + 16 * 8 * 9 + 8 + 16 + 8 + 3


def test_wrapping_keeps_what_was_learned():
    encoder = cnn([nn.Conv2D(8, 3)], output_nn=None)
    x = pictures()
    before = encoder.inference(x).asnumpy()
    model = ab.ConvolutionalAutoEncoder(encoder, cnn([nn.Conv2DTranspose(3, 3)]), ab.L2NormLoss())
    np.testing.assert_array_equal(model.encode(x).asnumpy(), before)
    assert model.inference(x).shape == x.shape


def test_tying_again_changes_nothing():
    model, x = make(), pictures()
    before = model.inference(x).asnumpy()
    model.tie_weights()
    np.testing.assert_array_equal(model.inference(x).asnumpy(), before)
    free = make(tied=False)
    free.inference(x)
    free.tie_weights()
    assert free.encoder.hidden_units_list[0].weight is free.decoder.hidden_units_list[1].weight
    free.learn(ab.ArrayIterator(x, epochs=2, batch_size=3))
    assert np.isfinite(free.loss_arr[:, 0]).all()


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2DTranspose(3, 3)],
        [nn.Conv2DTranspose(8, 3), nn.Conv2DTranspose(3, 5)],
        [nn.Conv2DTranspose(9, 3), nn.Conv2DTranspose(3, 3)],
        [nn.Conv2DTranspose(8, 3), nn.Conv2D(3, 3)],
        [nn.Conv2DTranspose(8, 3), nn.MaxPool2D()],
    ],
    ids=["fewer", "kernel", "channels", "no transposed convolution", "no convolution"],
)
def test_decoders_that_do_not_mirror_are_named(layers):
    encoder = cnn([nn.Conv2D(8, 3), nn.Conv2D(16, 3)])
    with pytest.raises(ValueError, match="`tied_weights_flag=True` needs .*`tied_weights_flag=Fal"):
        ab.ConvolutionalAutoEncoder(encoder, cnn(layers), ab.L2NormLoss())


def test_pooling_in_a_layer_can_be_tied():
    """As in Masci et al. 2011: convolution and max-pooling."""
    down = nn.HybridSequential()
    down.add(nn.Conv2D(8, 3, padding=1), nn.MaxPool2D(2))
    decoder = cnn([nn.Conv2DTranspose(1, 3, strides=2, padding=1, output_padding=1)], "identity")
    model = ab.ConvolutionalAutoEncoder(cnn([down]), decoder, ab.L2NormLoss(), learning_rate=0.1)
    x = digit_pictures(100)
    model.learn(ab.ArrayIterator(x, epochs=5, batch_size=10))
    assert down[0].weight is decoder.hidden_units_list[0].weight
    assert model.loss_arr[-1, 0] < model.loss_arr[0, 0]


NAMES = [
    f"{part}.{layer}.{kind}"
    for part in ("encoder", "decoder") for layer in (0, 1) for kind in ("weight", "bias")
]  # fmt: skip


@pytest.mark.parametrize("tied", [False, True])
def test_one_file_with_the_names_of_the_predecessor(tmp_path, tied):
    x = pictures()
    model = make(tied)
    expected = model.inference(x).asnumpy()
    model.save_parameters(tmp_path / "a.params")
    assert [path.name for path in tmp_path.iterdir()] == ["a.params"]
    arrays = read_parameter_file(tmp_path / "a.params")
    assert list(arrays) == NAMES
    shapes = [arrays[name].shape for name in NAMES if name.endswith("weight")]
    assert shapes == [(8, 3, 4, 4), (16, 8, 3, 3), (16, 8, 3, 3), (8, 3, 4, 4)]
    other = make(tied)
    other.load_parameters(tmp_path / "a.params")
    np.testing.assert_array_equal(other.inference(x).asnumpy(), expected)


def test_file_of_untied_weights_is_refused_by_a_tied_model(tmp_path):
    free = make(tied=False)
    free.inference(pictures())
    free.save_parameters(tmp_path / "a.params")
    with pytest.raises(ab.ParameterFileError, match="tied"):
        make().load_parameters(tmp_path / "a.params")


def test_output_nn_stands_between_the_parts():
    between = ab.NeuralNetworks(ab.L2NormLoss(), units_list=[5], activation_list=["identity"])
    decoder = cnn(
        [nn.Conv2DTranspose(3, 3)],
        input_nn=ab.NeuralNetworks(ab.L2NormLoss(), units_list=[8 * 36], activation_list=["tanh"]),
        input_result_channel=8, input_result_height=6, input_result_width=6,
    )  # fmt: skip
    encoder = cnn([nn.Conv2D(8, 3)])
    model = ab.ConvolutionalAutoEncoder(encoder, decoder, ab.L2NormLoss(), output_nn=between)
    x = pictures()
    expected = decoder.inference(between.inference(encoder.inference(x))).asnumpy()
    np.testing.assert_allclose(model.inference(x).asnumpy(), expected, rtol=1e-5, atol=1e-6)
    assert model.feature_points_arr.shape == (6, 8, 6, 6)


def test_bad_parts_are_named():
    dense = ab.NeuralNetworks(ab.L2NormLoss())
    good = cnn([nn.Conv2D(8, 3)])
    with pytest.raises(TypeError, match="`encoder` must be a `ConvolutionalNeuralNetworks`"):
        ab.ConvolutionalAutoEncoder(dense, good, ab.L2NormLoss())
    with pytest.raises(TypeError, match="`decoder` must be a `ConvolutionalNeuralNetworks`"):
        ab.ConvolutionalAutoEncoder(good, dense, ab.L2NormLoss())
    with pytest.raises(TypeError, match="`auto_encoder_list` must be a `ConvolutionalAutoEncoder`"):
        ab.StackedConvolutionalAutoEncoder([good], ab.L2NormLoss())
    with pytest.raises(ValueError, match="`auto_encoder_list` must have at least one"):
        ab.StackedConvolutionalAutoEncoder([], ab.L2NormLoss())


def test_keywords_of_the_contract_and_no_accuracy():
    model = make(
        hidden_units_list=[], hidden_dropout_rate_list=[], hidden_activation_list=[],
        hidden_batch_norm_list=[], wd=1e-4, init_deferred_flag=None, scale=1.0,
        input_nn=None, hidden_residual_flag=False, hidden_dense_flag=False, dense_axis=1,
    )  # fmt: skip
    assert model.compute_acc_flag is False and model.wd == 1e-4
    assert len(model.hidden_units_list) == 4
    model.set_batch_size(3)
    assert model.get_batch_size() == 3


def test_an_energy_based_game_learns():
    """Two calls of an auto-encoder in one recording, one backward; also tied."""

    class Game(ab.LearnableController):
        discriminator_trainer = ab.LazyTrainer("discriminator")

        def __init__(self, discriminator, **kwargs):
            super().__init__(**kwargs)
            self.discriminator = discriminator
            self.complete()

        def energy(self, arr):
            return (self.discriminator(arr) - arr).square().mean(axis=(1, 2, 3))

        def _take_turn(self):
            true_arr, fake_arr = (
                nd.array(digit_pictures(16)),
                nd.random.uniform(shape=(16, 1, 8, 8)),
            )
            with autograd.record():
                energies = self.energy(true_arr), self.energy(fake_arr)
                loss = energies[0] + nd.relu(0.5 - energies[1])
            self.update(loss, 16, self.discriminator_trainer)
            return {"true": energies[0], "fake": energies[1]}

    for tied in (True, False):
        ab.seed(0)
        game = Game(make(tied, channels=1), learning_rate=1e-2, optimizer_name="Adam")
        game.learn(60)
        true, fake = (game.history.column(f"train_{name}")[-1] for name in ("true", "fake"))
        assert true < fake / 3


# -- stacks ----------------------------------------------------------------------------


def stack():
    def part(channels, observed_n, size):
        return ab.ConvolutionalAutoEncoder(
            cnn([nn.Conv2D(channels, size)]),
            cnn([nn.Conv2DTranspose(observed_n, size)], "sigmoid" if observed_n == 1 else "tanh"),
            ab.L2NormLoss(), optimizer_name="Adam", learning_rate=5e-3,
        )  # fmt: skip

    return ab.StackedConvolutionalAutoEncoder(
        [part(8, 1, 3), part(12, 8, 3)], ab.L2NormLoss(), optimizer_name="Adam", learning_rate=5e-3
    )


def test_pre_learning_goes_layer_by_layer_then_initialises_a_classifier():
    ab.seed(0)
    x, labels = digit_pictures(300), np.eye(10, dtype=np.float32)[load_digits().target[:300]]
    model = stack()
    iterator = ab.ArrayIterator(x, test_observed=x[:50], epochs=4, batch_size=20)
    start = model.compute_loss(model.inference(x), nd.array(x)).mean().asscalar()
    model.pre_learn(iterator)
    for part in model.auto_encoder_list:
        assert part.loss_arr.shape == (4, 2) and (part.loss_arr[-1] < part.loss_arr[0]).all()
    pre_learned = model.compute_loss(model.inference(x), nd.array(x)).mean().asscalar()
    assert pre_learned < start
    model.learn(iterator)
    assert model.loss_arr[-1, 1] < pre_learned

    maps = model.encode(x).asnumpy()
    assert maps.shape == (300, 12, 4, 4)
    output_nn = ab.NeuralNetworks(ab.L2NormLoss(), units_list=[10], activation_list=["identity"])
    classifier = ab.ConvolutionalNetworkChain(
        [model.encoder], gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False),
        output_nn=output_nn, optimizer_name="Adam", learning_rate=5e-3,
    )  # fmt: skip
    classifier.inference(x)
    np.testing.assert_array_equal(classifier.feature_points_arr.asnumpy(), maps)
    classifier.learn(ab.ArrayIterator(x, labels, epochs=12, batch_size=20))
    assert classifier.acc_arr[-1, 0] > 0.9

    layers = model.encoder.hidden_units_list  # or the learned layers themselves
    again = ab.ConvolutionalNeuralNetworks(
        gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False), hidden_units_list=layers,
        hidden_activation_list=["tanh", "tanh"], hidden_dropout_rate_list=[0.0, 0.0],
    )  # fmt: skip
    np.testing.assert_allclose(
        again.inference(x).asnumpy(), model.encode(x).asnumpy(), rtol=1e-4, atol=1e-5
    )


def test_stack_stays_tied():
    model = stack()
    x = digit_pictures(20)
    model.learn(ab.ArrayIterator(x, epochs=2, batch_size=10))
    for part in model.auto_encoder_list:
        (lower,), (upper,) = part.encoder.hidden_units_list, part.decoder.hidden_units_list
        assert lower.weight is upper.weight


def test_file_written_by_hand_with_other_arrays_is_named(tmp_path):
    write_parameter_file(tmp_path / "a.params", {"encoder.0.weight": nd.ones((1, 2))})
    with pytest.raises(ab.ParameterFileError, match=r"has no encoder\.0\.bias"):
        make().load_parameters(tmp_path / "a.params")
