"""Several devices share a mini-batch, and the result is that of one."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from dense_numpy import Batches, assert_same_bits, bits, draw, fill, network
from model_cases import MODELS, Case
from mxnet import autograd, gluon, nd

import accelbrainbase as ab
from accelbrainbase._mxnet.device import resolve_contexts
from accelbrainbase._mxnet.devices_trainer import DevicesTrainer
from accelbrainbase._mxnet.gluon_backend import GluonBackend
from accelbrainbase._mxnet.shared_batch import join, split
from accelbrainbase.learning.losses import Weighted

ONE, TWO, THREE = mx.cpu(0), [mx.cpu(0), mx.cpu(1)], [mx.cpu(2), mx.cpu(0), mx.cpu(1)]
# Uneven shares, fewer samples than devices, and a whole mini-batch after that.
SIZES = (7, 6, 1, 5, 2)

SGD = {
    "optimizer_name": "SGD",
    "learning_rate": 0.05,
    "optimizer_params": {"momentum": 0.9},
    "wd": 0.01,
}
ADAM = {"optimizer_name": "Adam", "learning_rate": 0.01}
optimizers = pytest.mark.parametrize("settings", [SGD, ADAM], ids=["SGD", "Adam"])
devices = pytest.mark.parametrize("ctx", [TWO, THREE], ids=["two", "three"])


def dense_net(**kwargs):
    return network([6, 3], **kwargs)


def tied_auto_encoder(**kwargs):
    parts = network([4], ["sigmoid"]), network([5], ["identity"])
    return ab.AutoEncoder(*parts, gluon.loss.L2Loss(), tied_weights_flag=True, **kwargs)


def convolutional_auto_encoder(**kwargs):
    def stack(layer, activation):
        return ab.ConvolutionalNeuralNetworks(
            gluon.loss.L2Loss(), hidden_units_list=[layer], hidden_activation_list=[activation],
            hidden_dropout_rate_list=[0.0],
        )  # fmt: skip

    encoder = stack(gluon.nn.Conv2D(3, 3, strides=2, padding=1), "tanh")
    decoder = stack(gluon.nn.Conv2DTranspose(1, 3, strides=2, padding=1, output_padding=1), "tanh")
    loss = gluon.loss.L2Loss()
    return ab.ConvolutionalAutoEncoder(encoder, decoder, loss, tied_weights_flag=True, **kwargs)


def encoder_decoder(**kwargs):
    def lstm(**more):
        return ab.LSTMNetworks(
            None, None, gluon.loss.L2Loss(), hidden_n=4, dropout_rate=0.0,
            output_activation="identity", **more,
        )  # fmt: skip

    parts = lstm(output_layer_flag=False), lstm(output_n=3)
    return ab.EncoderDecoder(*parts, gluon.loss.L2Loss(), **kwargs)


SHAPES = {
    dense_net: ((5,), (3,)),
    tied_auto_encoder: ((5,), (5,)),
    convolutional_auto_encoder: ((1, 6, 6), (1, 6, 6)),
    encoder_decoder: ((4, 5), (4, 3)),
}
makes = pytest.mark.parametrize("make", SHAPES, ids=lambda make: make.__name__)


def batches(make, sizes=SIZES, epochs=2):
    observed, target = SHAPES.get(make, SHAPES[dense_net])
    pairs = [(draw(n, *observed, seed=n), draw(n, *target, seed=n + 1)) for n in sizes]
    return Batches(pairs, epochs=epochs)


def copies(model) -> list[list[np.ndarray]]:
    """The values of each parameter, by device."""
    parameters = model.collect_params().values()
    return [[arr.asnumpy() for arr in p.list_data()] for p in parameters]


def learned(make, ctx, sizes=SIZES, epochs=2, **kwargs):
    ab.seed(0)
    model = make(ctx=ctx, **kwargs)
    model.learn(batches(make, sizes, epochs))
    return model


def assert_alike(model, alone, tolerance=1e-5) -> None:
    """Equal up to rounding, and the copies on all devices to the last bit."""
    for on_devices, expected in zip(copies(model), copies(alone)):
        assert len(on_devices) == len(model.ctx_list)
        for arr in on_devices[1:]:
            np.testing.assert_array_equal(arr, on_devices[0])
        np.testing.assert_allclose(on_devices[0], expected[0], rtol=tolerance, atol=tolerance)


# -- the result of one device ------------------------------------------------------------


@pytest.mark.parametrize("hybridize_flag", [False, True])
@devices
@optimizers
@makes
def test_learning_is_that_of_one_device(make, settings, ctx, hybridize_flag):
    settings = {**settings, "hybridize_flag": hybridize_flag}
    model, alone = learned(make, ctx, **settings), learned(make, ONE, **settings)
    assert_alike(model, alone)
    np.testing.assert_allclose(model.loss_arr, alone.loss_arr, rtol=1e-5)
    start = learned(make, ONE, sizes=(1,), epochs=1, **{**settings, "learning_rate": 0.0})
    assert any((old != new).any() for old, new in zip(bits(start), bits(alone)))
    observed = draw(3, *SHAPES[make][0])
    out = model.inference(observed)
    assert out.context == model.ctx == ctx[0]
    np.testing.assert_allclose(
        out.asnumpy(), alone.inference(observed).asnumpy(), rtol=1e-4, atol=1e-5
    )


# What a mini-batch has as a whole is that of each share.
PER_SHARE = {"MobileNetV2", "MobileNet3DV2", "RepellingAutoEncoder", "RepellingCAE"}
WHOLE_STEPS = {
    "ConvolutionalLadderNetworks", "DeepBeliefNetworks", "DeepBoltzmannMachines",
    "LadderNetworks", "RestrictedBoltzmannMachines",
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_every_public_model_learns_so_or_says_that_it_does_not(name):
    """The parts of most of them were built on one device, and follow."""
    case = MODELS[name]
    settings = {"optimizer_params": {"momentum": 0.9}, "optimizer_name": "SGD"}
    if name in WHOLE_STEPS:
        message = rf"`ctx` must be one device for {name}, but is \[cpu\(0\), cpu\(1\)\]"
        with pytest.raises(ValueError, match=message):
            case.make(ctx=TWO)
        assert case.make(ctx=[mx.cpu(1)]).ctx == mx.cpu(1)  # a list of one is that one
        return
    models = []
    for ctx in (TWO, ONE):
        ab.seed(0)
        model = case.make(ctx=ctx, learning_rate=0.05, **settings)
        # Of two domains the last mini-batches differ in size, and so must have even shares.
        n = 35 if case.iterate is Case.iterate else 36
        observed, target = case.data(n + 10)
        model.learn(
            case.iterate(
                observed[:n], target[:n], test_observed=observed[n:], test_target=target[n:],
                epochs=2, batch_size=16, seed=1,
            )
        )  # fmt: skip
        models.append(model)
    if name in PER_SHARE:
        assert np.isfinite(models[0].history.array()[:, 0]).all()
        assert_alike(models[0], models[0])
        return
    assert_alike(*models)
    np.testing.assert_allclose(
        models[0].history.array(), models[1].history.array(), rtol=1e-4, atol=1e-6
    )


class Translations(ab.TransformerIterator):
    """Mini-batches of series with masks, of which one is for all series."""

    def __init__(self) -> None:
        self.sizes = (5, 4, 1)
        self.epochs, self.iter_n = 2, 6

    def generate_learned_samples(self):
        for _ in range(self.epochs):
            for n in self.sizes:
                mask = (np.arange(5) < np.arange(2, 2 + n)[:, None]).astype(np.float32)
                shared = np.tril(np.ones((1, 5, 5), dtype=np.float32))
                arrays = draw(n, 5, 4, seed=n), draw(n, 5, 4, seed=n + 1), mask, shared
                target = draw(n, 5, 4, seed=n + 2)
                yield (*arrays, *arrays, target, target)

    def generate_inferenced_samples(self):
        raise NotImplementedError


@pytest.mark.parametrize("cls", [ab.TransformerController, ab.TransformingAutoEncoderController])
def test_transformers(cls):
    models = []
    for ctx in (TWO, ONE):
        ab.seed(0)
        model = cls(
            computable_loss=gluon.loss.L2Loss(), depth_dim=4, hidden_dim=4, layer_n=1, head_n=2,
            seq_len=5, dropout_rate=0.0, ctx=ctx, learning_rate=0.05,
        )  # fmt: skip
        models.append(model)
        models[-1].learn(Translations())
    assert models[0].encoder.ctx_list == TWO
    assert_alike(*models)


def test_masks_are_shared_out_too():
    observed, target = draw(5, 4, 5), draw(5, 4, 3, seed=1)
    mask = (np.arange(4) < np.array([1, 2, 3, 4, 4])[:, None]).astype(np.float32)
    models = []
    for ctx in (TWO, ONE):
        ab.seed(0)
        models.append(encoder_decoder(ctx=ctx, **SGD))
        models[-1].inference(observed)
        for _ in range(3):
            arrays = (nd.array(arr, ctx=models[-1].ctx) for arr in (observed, target, mask))
            losses = models[-1]._train_step(*arrays)
        models[-1].settle()
    assert losses["loss"].shape == (5,)
    assert_alike(*models)


@devices
def test_the_norm_of_gradients_is_that_of_the_whole_mini_batch(ctx):
    """So small a limit, that it decides about the length of every step."""
    settings = {**SGD, "max_gradient_norm": 1e-2}
    model, alone = learned(dense_net, ctx, **settings), learned(dense_net, ONE, **settings)
    free = learned(dense_net, ONE, **SGD)
    assert_alike(model, alone)
    moved = max(np.abs(one - other).max() for one, other in zip(bits(alone), bits(free)))
    assert moved > 1e-3


class InPlace(ab.RegularizatableData):
    """Halves what is above a limit, in the very array that it is given."""

    def regularize(self, params_dict):
        for arr in params_dict.values():
            arr[:] = nd.where(nd.abs(arr) > 0.2, 0.5 * arr, arr)
        return params_dict


@devices
@pytest.mark.parametrize(
    "constraint",
    [ab.ConstrainWeights(0.5, per_unit=True), ab.ConstrainWeights(0.5), InPlace()],
    ids=["each unit", "whole", "in place"],
)
def test_constraints_hold_on_all_devices(constraint, ctx):
    settings = {**SGD, "regularizatable_data_list": [constraint]}
    model, alone = learned(dense_net, ctx, **settings), learned(dense_net, ONE, **settings)
    assert_alike(model, alone)
    free = learned(dense_net, ONE, **SGD)
    assert any(np.abs(one - other).max() > 1e-2 for one, other in zip(bits(alone), bits(free)))


@pytest.mark.parametrize("name", ["Nadam", "RMSProp", "AdaGrad", "FTML", "SGLD"])
def test_optimisers_with_a_state_of_their_own(name):
    """Nadam has one schedule for all parameters, SGLD draws noise: one device must step."""
    settings = {"optimizer_name": name, "learning_rate": 0.01}
    model, alone = learned(dense_net, TWO, **settings), learned(dense_net, ONE, **settings)
    assert_alike(model, alone)


class MeanLoss(ab.ComputableLoss):
    """One value for a mini-batch."""

    def compute(self, pred_arr, real_arr):
        return nd.square(pred_arr - real_arr).mean()


def test_one_loss_for_a_mini_batch_counts_by_samples():
    settings = {**SGD, "computable_loss": MeanLoss()}
    model, alone = (learned(dense_net, ctx, sizes=(7, 3, 1), **settings) for ctx in (TWO, ONE))
    assert_alike(model, alone)
    np.testing.assert_allclose(model.loss_arr, alone.loss_arr, rtol=1e-5)


def test_accuracy_is_that_of_all_samples():
    target = np.eye(3, dtype=np.float32)
    data = [(draw(n, 5, seed=n), target[np.arange(n) % 3]) for n in (7, 5, 1)]
    models = []
    for ctx in (TWO, ONE):
        ab.seed(0)
        model = network([6, 3], ["tanh", "softmax"], ctx=ctx, **SGD)
        model.compute_acc_flag = True
        model.learn(Batches(data, epochs=3))
        models.append(model)
    np.testing.assert_allclose(models[0].acc_arr, models[1].acc_arr)


# -- a step ------------------------------------------------------------------------------


def gradients(model) -> list[list[np.ndarray]]:
    parameters = model.collect_params().values()
    return [[arr.asnumpy() for arr in p.list_grad()] for p in parameters]


def test_a_device_without_samples_has_no_part_in_the_step():
    model = dense_net(ctx=THREE, optimizer_name="SGD", learning_rate=0.5)
    model.learn(batches(dense_net, sizes=(6,), epochs=1))
    assert all((arr != 0).any() for found in gradients(model) for arr in found)
    model._train_step(*(nd.array(draw(2, n), ctx=model.ctx) for n in (5, 3)))
    for _, second, third in gradients(model):
        assert (second != 0).any()
        np.testing.assert_array_equal(third, 0.0)


def test_a_step_of_ones_own_is_taken_on_the_first_device():
    """By `update` and by `update_by`: what other devices found before does not count."""
    models = [dense_net(ctx=ctx, **SGD) for ctx in (TWO, ONE)]
    x, target = (nd.array(draw(4, n)) for n in (5, 3))
    for model in models:
        model.inference(x)
        fill(model)
        model._train_step(x, target)
        with autograd.record():
            loss_arr = model.compute_loss(model(x), target)
        model.update(loss_arr, 4, model.trainer)
        given = {p: nd.ones(p.shape) for p in model.collect_params().values()}
        model.update_by(given, 4, model.trainer)
    assert_alike(*models)


def test_features_and_losses_are_on_the_first_device():
    model = learned(tied_auto_encoder, THREE, sizes=(7,), epochs=1, **SGD)
    observed_arr = nd.array(draw(7, 5), ctx=model.ctx)
    loss_arr = model._train_step(observed_arr, observed_arr)["loss"]
    assert (loss_arr.context, loss_arr.shape) == (THREE[0], (7,))
    assert model.feature_points_arr.context == THREE[0]
    assert model.feature_points_arr.shape == (3, 4)  # of its share
    assert model.encode(draw(7, 5)).shape == (7, 4)


def test_a_loss_of_another_shape():
    class Matrix(gluon.loss.Loss):
        def hybrid_forward(self, F, x, y):  # noqa: ARG002
            return x - y

    model = network([3], computable_loss=Matrix(None, 0), ctx=TWO)
    with pytest.raises(ValueError, match=r"one loss for each sample, shape \(2,\), but gave"):
        model.learn(Batches([(draw(4, 5), draw(4, 3))], test=False))


def test_split():
    arr = nd.arange(14).reshape((7, 2))
    shares = split([arr, None, arr[:, 0]], THREE)
    assert [share[0].context for share in shares] == THREE
    assert [share[0].shape[0] for share in shares] == [3, 2, 2]
    np.testing.assert_array_equal(np.concatenate([s[0].asnumpy() for s in shares]), arr.asnumpy())
    assert all(share[1] is None for share in shares)
    np.testing.assert_array_equal(shares[1][2].asnumpy(), [6.0, 8.0])
    assert [share[0].shape[0] for share in split([arr[:2]], THREE)] == [1, 1]


def test_join():
    parts = [nd.array([1.0, 2.0], ctx=TWO[0]), nd.array([6.0], ctx=TWO[1])]
    joined = join(parts, [2, 1], TWO[0])
    np.testing.assert_array_equal(joined.asnumpy(), [1.0, 2.0, 6.0])
    scalars = [nd.array([1.5], ctx=TWO[0]), nd.array([6.0], ctx=TWO[1])]
    assert join(scalars, [2, 1], TWO[0]).asscalar() == 3.0
    assert join([1.5, 6.0], [2, 1], TWO[0]) == 3.0
    weighted = join([Weighted(arr, 1 + arr) for arr in parts], [2, 1], TWO[0])
    np.testing.assert_array_equal(weighted.weights.asnumpy(), [2.0, 3.0, 7.0])
    assert set(join([{"loss": a, "b": a} for a in parts], [2, 1], TWO[0])) == {"loss", "b"}


# -- running statistics --------------------------------------------------------------------


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_running_statistics_are_the_mean_over_the_devices(hybridize_flag, tmp_path):
    """By NumPy, of a normalisation behind a linear layer, and shares of 4 and 3 samples.

    What is saved is what is inferred with.
    """
    x = draw(7, 5)
    model = network(
        [3], ["identity"], hidden_batch_norm_list=[gluon.nn.BatchNorm(momentum=0.5)], ctx=TWO,
        learning_rate=0.0, optimizer_name="SGD", hybridize_flag=hybridize_flag,
    )  # fmt: skip
    model.learn(Batches([(x, draw(7, 3))] * 2, test=False))
    found = {name.rpartition(".")[2]: p for name, p in model._collect_params_with_prefix().items()}
    weight, bias = found["weight"].list_data()[0].asnumpy(), found["bias"].list_data()[0].asnumpy()
    shares = [part @ weight.T + bias for part in (x[:4], x[4:])]
    mean = np.mean([share.mean(axis=0) for share in shares], axis=0)
    variance = np.mean([share.var(axis=0) for share in shares], axis=0)
    # Two steps from 0 and from 1, half of the way each.
    for name, wanted in (("running_mean", 0.75 * mean), ("running_var", 0.25 + 0.75 * variance)):
        for arr in found[name].list_data():
            np.testing.assert_allclose(arr.asnumpy(), wanted, rtol=1e-4, atol=1e-6)
    model.save_parameters(tmp_path / "a.params")
    saved = nd.load(str(tmp_path / "a.params"))
    for name, parameter in model._collect_params_with_prefix().items():
        np.testing.assert_array_equal(saved[name].asnumpy(), parameter.list_data()[1].asnumpy())


# -- copies, files, checkpoints ------------------------------------------------------------


def dropping(**kwargs):
    """A network with random numbers and running statistics."""
    return ab.NeuralNetworks(
        gluon.loss.L2Loss(), units_list=[6, 3], activation_list=["tanh", "identity"],
        dropout_rate_list=[0.4, 0.0],
        hidden_batch_norm_list=[gluon.nn.BatchNorm(momentum=0.5), None], **kwargs,
    )  # fmt: skip


@optimizers
def test_a_killed_learning_resumes_bit_for_bit(settings, tmp_path):
    class Killed(BaseException):
        pass

    class Kill(ab.Callback):
        def on_step_end(self, state):
            if state.step == 12:
                raise Killed

    def learn(name, *callbacks):
        ab.seed(3)
        model = dropping(ctx=TWO, **settings)
        data = batches(dropping, sizes=(6, 4, 3, 1), epochs=4)
        model.learn(data, callbacks=[ab.Checkpoint(tmp_path / name), *callbacks])
        return model

    whole = learn("whole")
    with pytest.raises(Killed):
        learn("parts", Kill())
    resumed = learn("parts")
    np.testing.assert_array_equal(resumed.history.array(), whole.history.array())
    for one, other in zip(copies(resumed), copies(whole)):
        assert_same_bits(one, other)
        assert_same_bits(one[:1], one[1:])


@optimizers
@pytest.mark.parametrize(("before", "after"), [(ONE, THREE), (TWO, ONE)], ids=["more", "fewer"])
def test_a_checkpoint_goes_on_with_another_number_of_devices(settings, before, after):
    """The numbers of the devices differ too, by which MXNet keeps Adam's counts."""
    first = learned(dense_net, before, epochs=3, **settings)
    arrays, values = GluonBackend(first).capture()
    other = learned(dense_net, after, epochs=1, **settings)
    GluonBackend(other).resume(arrays, values)
    alone = learned(dense_net, ONE, epochs=3, **settings)
    for model in (other, alone):
        model.learn(batches(dense_net))
    assert_alike(other, alone)


def test_snapshot_and_restore():
    model = dropping(ctx=TWO, **ADAM)
    model.learn(batches(dropping))
    backend, before = GluonBackend(model), copies(model)
    snapshot = backend.snapshot()
    model.learn(batches(dropping))
    backend.restore(snapshot)
    for one, other in zip(copies(model), before):
        assert_same_bits(one, other)


@optimizers
@makes
def test_files_know_nothing_of_devices(make, settings, tmp_path):
    model = learned(make, THREE, **settings)
    model.save_parameters(tmp_path / "a.params")
    for ctx in (ONE, TWO):
        other = make(ctx=ctx)
        other.load_parameters(tmp_path / "a.params")
        for one, expected in zip(copies(other), bits_of_first(model)):
            for arr in one:
                np.testing.assert_array_equal(arr, expected)


def bits_of_first(model) -> list[np.ndarray]:
    return [found[0] for found in copies(model)]


@optimizers
@makes
def test_moving_by_loading(make, settings, tmp_path):
    """To several devices, to others, and back to one; parts and optimisers go along."""
    model, alone = (learned(make, ONE, **settings) for _ in range(2))
    for ctx in (TWO, THREE, mx.cpu(1)):
        model.save_parameters(tmp_path / "a.params")
        model.load_parameters(tmp_path / "a.params", ctx=ctx)
        assert model.ctx_list == resolve_contexts(ctx)
        for part in model._children.values():
            assert getattr(part, "ctx_list", model.ctx_list) == model.ctx_list
        for one in (model, alone):
            one.learn(batches(make))
        assert_alike(model, alone)
    np.testing.assert_allclose(model.loss_arr, alone.loss_arr, rtol=1e-4)


def test_a_failed_move_leaves_the_model_where_it_was(tmp_path):
    machine = MODELS["RestrictedBoltzmannMachines"].make()
    machine.save_parameters(tmp_path / "a.params")
    before = bits(machine)
    with pytest.raises(ValueError, match="`ctx` must be one device for RestrictedBoltzmann"):
        machine.load_parameters(tmp_path / "a.params", ctx=TWO)
    with pytest.raises(ValueError, match="each once"):
        machine.load_parameters(tmp_path / "a.params", ctx=[ONE, ONE])
    assert machine.ctx_list == [machine.ctx]
    assert_same_bits(bits(machine), before)


def test_optimised_inference_is_on_the_first_device():
    model = learned(convolutional_auto_encoder, TWO, **SGD)
    observed = draw(3, 1, 6, 6)
    fast = model.optimize_for_inference(observed)
    out = fast.inference(observed)
    assert out.context == TWO[0]
    np.testing.assert_allclose(out.asnumpy(), model.inference(observed).asnumpy(), atol=1e-5)


# -- the door --------------------------------------------------------------------------------


def test_which_lists_of_devices():
    assert resolve_contexts((mx.cpu(1), mx.cpu(0))) == [mx.cpu(1), mx.cpu(0)]
    assert resolve_contexts([mx.cpu(3)]) == [mx.cpu(3)]
    with mx.cpu(1):
        assert resolve_contexts() == [mx.cpu(1)]
    with pytest.raises(ValueError, match=r"each once, but got \[cpu\(0\), cpu\(1\), cpu\(0\)\]"):
        network([3], ctx=[*TWO, mx.cpu(0)])
    with pytest.raises(ValueError, match=r"at least one device, .* but got \[\]"):
        network([3], ctx=[])
    with pytest.raises(TypeError, match="`ctx` must be a `Context`, but got None"):
        network([3], ctx=[None])
    with pytest.raises(TypeError, match="`ctx` must be a `Context`, but got 'cpu'"):
        network([3], ctx=["cpu", mx.cpu()])


def test_a_gpu_in_a_list_that_is_not_there(monkeypatch):
    monkeypatch.setattr(mx.context, "num_gpus", lambda: 1)
    with pytest.raises(ValueError, match=r"`ctx` is gpu\(1\), but MXNet sees only 1 GPU"):
        network([3], ctx=[mx.gpu(0), mx.gpu(1)])


def test_a_list_of_one_is_that_one():
    model = network([3], ctx=[mx.cpu(1)])
    assert (model.ctx, model.ctx_list) == (mx.cpu(1), [mx.cpu(1)])


def test_repr_names_all():
    assert "on cpu(0), cpu(1)" in repr(network([3], ctx=TWO))


def test_parts_and_wholes():
    """A whole takes the devices of its first part, or its own, and the parts follow."""

    def parts(ctx=None):
        return network([4], ctx=ctx), network([5])

    loss = gluon.loss.L2Loss()
    for model in (ab.AutoEncoder(*parts(TWO), loss), ab.AutoEncoder(*parts(), loss, ctx=TWO)):
        assert model.ctx_list == model.encoder.ctx_list == model.decoder.ctx_list == TWO
    model = ab.AutoEncoder(*parts(TWO), loss, ctx=mx.cpu(1))
    assert model.ctx_list == model.encoder.ctx_list == [mx.cpu(1)]
    assert model.inference(draw(2, 5)).context == mx.cpu(1)


def test_what_parts_have_learned_moves_bit_for_bit():
    """From three devices, whose mean would be rounded."""
    part = learned(dense_net, THREE, **SGD)
    before = bits_of_first(part)
    model = ab.NetworkChain([part, network([2])], ctx=mx.cpu(1))
    assert model.ctx_list == part.ctx_list == [mx.cpu(1)]
    assert_same_bits(bits(part), before)


def test_controllers_refuse_several():
    noise = ab.UniformNoiseSampler(shape_tuple=(8, 5))

    def game(ctx, part_ctx):
        return ab.GANController(
            ab.GaussianMixtureTrueSampler(batch_size=8),
            ab.GenerativeModel(noise, network([2], ctx=part_ctx)),
            ab.DiscriminativeModel(network([1], ["sigmoid"])),
            ab.GeneratorLoss(), ab.DiscriminatorLoss(), ctx=ctx,
        )  # fmt: skip

    for ctx, part_ctx in ((TWO, None), (None, TWO)):
        with pytest.raises(ValueError, match="`ctx` must be one device for GANController, but is"):
            game(ctx, part_ctx)
    assert game([mx.cpu(1)], mx.cpu(1)).ctx == mx.cpu(1)


def test_trainers_of_gluon_are_refused():
    model = dense_net(ctx=TWO)
    model.inference(draw(2, 5))
    own = gluon.Trainer(model.collect_params(), "sgd")
    with pytest.raises(ValueError, match=r"`trainer` must come from `build_trainer"):
        model.trainer = own
    model.trainer = model.build_trainer(model.collect_params())
    assert isinstance(model.trainer, DevicesTrainer)


def test_models_with_a_trainer_of_gluon_stay_on_one_device(tmp_path):
    model = dense_net(ctx=ONE)
    model.inference(draw(2, 5))
    model.trainer = gluon.Trainer(model.collect_params(), "sgd")
    model.save_parameters(tmp_path / "a.params")
    with pytest.raises(ValueError, match=r"`trainer` must come from `build_trainer"):
        model.load_parameters(tmp_path / "a.params", ctx=TWO)
    assert model.ctx_list == [ONE]
    model.learn(batches(dense_net))
