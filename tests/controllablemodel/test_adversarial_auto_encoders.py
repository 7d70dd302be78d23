"""Adversarial auto-encoders and energies: phases, priors, labels, margins, no crash on a CPU."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from adversarial_players import (
    BATCH,
    GaussSampler,
    convolutional_energy,
    data_sampler,
    digits,
    generator,
    network,
    values_of,
)
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn

import accelbrainbase as ab
from accelbrainbase.controllablemodel._mxnet.gancontroller.pulling_away import pulling_away_term

FOLDER = Path(__file__).parent


def dense_auto_encoder(code_n: int = 2, hidden: str = "relu"):
    return ab.AutoEncoder(
        network([32, code_n], hidden=hidden), network([32, 64], hidden=hidden), ab.L2NormLoss()
    )


def aae(cls=None, batch: int = BATCH, prior=None, data=None, **kwargs):
    settings = {
        "true_sampler": prior or ab.NormalTrueSampler(shape_tuple=(batch, 2)),
        "generative_model": ab.GenerativeAutoEncoder(
            data or data_sampler(digits(), ab.NoiseSampler, batch), dense_auto_encoder()
        ),
        "discriminative_model": ab.DiscriminativeModel(network([32, 1])),
        "generator_loss": ab.GeneratorLoss(from_logits=True),
        "discriminator_loss": ab.DiscriminatorLoss(from_logits=True),
        "reconstruction_loss": ab.L2NormLoss(),
        "optimizer_name": "Adam",
        "learning_rate": 1e-3,
        **kwargs,
    }
    return (cls or ab.AAEController)(**settings)


def energy_settings(dim: int = 2):
    """Instead of probabilities: an energy of codes."""
    auto_encoder = ab.AutoEncoder(network([16, 2]), network([16, dim]), ab.L2NormLoss())
    return {
        "discriminative_model": ab.EBDiscriminativeModel(auto_encoder),
        "discriminator_loss": ab.EBDiscriminatorLoss(),
    }


def maximum_mean_discrepancy(x: np.ndarray, y: np.ndarray) -> float:
    """Squared MMD, unbiased, with Gaussian kernels of several widths (Gretton et al. 2012)."""

    def kernel(a, b):
        squares = ((a[:, None] - b[None]) ** 2).sum(axis=2)
        return sum(np.exp(-squares / (2 * width**2)) for width in (0.25, 0.5, 1.0, 2.0))

    n, m = len(x), len(y)
    within_x = (kernel(x, x).sum() - 4 * n) / (n * (n - 1))
    within_y = (kernel(y, y).sum() - 4 * m) / (m * (m - 1))
    return float(within_x + within_y - 2 * kernel(x, y).mean())


# -- generators ----------------------------------------------------------------------------


def test_auto_encoder_draws_codes_data_and_reconstructions():
    sampler = data_sampler(digits(), ab.NoiseSampler, shuffle=False)
    model = ab.GenerativeAutoEncoder(sampler, dense_auto_encoder())
    code, observed, reconstructed = model.draw()
    assert code.shape == (BATCH, 2) and reconstructed.shape == (BATCH, 64)
    np.testing.assert_array_equal(observed.asnumpy(), digits()[:BATCH])
    np.testing.assert_allclose(
        code.asnumpy(), model.model.encode(observed).asnumpy(), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        model.generate(code).asnumpy(), reconstructed.asnumpy(), rtol=1e-4, atol=1e-5
    )
    assert model.draw_code().shape == (BATCH, 2)


def test_encoder_with_noise_draws_its_codes():
    sampler = data_sampler(digits(), ab.NoiseSampler, shuffle=False)
    model = ab.GenerativeAutoEncoder(
        sampler, dense_auto_encoder(),
        encoder_noise_sampler=ab.NormalNoiseSampler(shape_tuple=(BATCH, 3)),
    )  # fmt: skip
    code, observed, reconstructed = model.draw()
    np.testing.assert_array_equal(observed.asnumpy(), digits()[:BATCH])
    assert reconstructed.shape == (BATCH, 64) and model.draw_code().shape == (BATCH, 2)
    assert next(iter(model.model.encoder.collect_params().values())).shape[1] == 67
    np.testing.assert_allclose(
        model.generate(code).asnumpy(), reconstructed.asnumpy(), rtol=1e-4, atol=1e-5
    )
    controller = aae(generative_model=model)
    controller.learn(3, 1)
    assert np.isfinite(controller.history.array()).all()


@pytest.mark.parametrize("noise", [None, ab.NormalNoiseSampler(shape_tuple=(BATCH, 2, 8, 8))])
def test_a_network_between_encoder_and_decoder_has_its_part(noise):
    def convolutions(layer, last, **kwargs):
        return ab.ConvolutionalNeuralNetworks(
            ab.L2NormLoss(), hidden_units_list=[layer], hidden_activation_list=[last],
            hidden_dropout_rate_list=[0.0], **kwargs,
        )  # fmt: skip

    auto_encoder = ab.ConvolutionalAutoEncoder(
        convolutions(nn.Conv2D(4, 4, strides=2, padding=1), "relu"),
        convolutions(
            nn.Conv2DTranspose(1, 4, strides=2, padding=1), "sigmoid", input_result_channel=4,
            input_result_height=4, input_result_width=4, input_nn=network([64]),
        ),
        ab.L2NormLoss(), tied_weights_flag=False, output_nn=network([5]),
    )  # fmt: skip
    pictures = digits().reshape(-1, 1, 8, 8)
    model = ab.GenerativeConvolutionalAutoEncoder(
        data_sampler(pictures, ab.NoiseSampler), auto_encoder, encoder_noise_sampler=noise
    )
    code_arr, _, reconstructed_arr = model.draw()
    assert code_arr.shape == (BATCH, 4, 4, 4)
    np.testing.assert_allclose(
        model.generate(code_arr).asnumpy(), reconstructed_arr.asnumpy(), atol=1e-6
    )


def test_noise_is_added_to_conditions():
    condition = ab.ConditionSampler()
    condition.true_sampler = data_sampler(digits(100), shuffle=False)  # the fourth has 4 rows
    noise = ab.UniformNoiseSampler(low=1.0, high=1.0, shape_tuple=(BATCH, 64))
    model = ab.GenerativeAutoEncoder(noise, dense_auto_encoder(), condition_sampler=condition)
    for begin in (0, 32, 64, 96):
        observed = model.draw()[1].asnumpy()
        np.testing.assert_allclose(observed, digits(100)[begin : begin + BATCH] + 1.0)


def test_labels_follow_the_codes():
    labels = np.eye(10, dtype=np.float32)[np.arange(100) % 10]
    condition = ab.LabeledConditionSampler()
    condition.true_sampler = data_sampler(
        digits(100), ab.LabeledTrueSampler, target=labels, shuffle=False
    )
    model = ab.GenerativeAutoEncoder(
        None, dense_auto_encoder(), condition_sampler=condition, label_flag=True
    )
    code, observed, _ = model.draw()
    assert code.shape == (BATCH, 12) and observed.shape == (BATCH, 64)
    np.testing.assert_array_equal(code.asnumpy()[:, 2:], labels[:BATCH])
    prior = ab.GaussianMixtureTrueSampler(BATCH, labeled=True)
    controller = aae(generative_model=model, true_sampler=prior)
    controller.learn(3, 1)
    assert np.isfinite(controller.generative_loss_arr).all()


def test_conditional_generator_shows_the_condition():
    """G(z | y), and D sees y too (Mirza & Osindero 2014, equation 2)."""
    seen = []

    class Network(nn.HybridBlock):
        def hybrid_forward(self, F, x):
            seen.append(x)
            return F.slice_axis(x, axis=1, begin=0, end=3) * 2

    model = ab.ConditionalGenerativeModel(
        ab.NormalNoiseSampler(shape_tuple=(8, 4)), Network(), hybridize_flag=False,
        condition_sampler=ab.OneHotNoiseSampler(5, 8),
    )  # fmt: skip
    drawn = model.draw().asnumpy()
    start = seen[-1].asnumpy()
    assert start.shape == (8, 9) and drawn.shape == (8, 8)
    np.testing.assert_array_equal(drawn[:, :3], 2 * start[:, :3])
    np.testing.assert_array_equal(drawn[:, 3:], start[:, 4:])
    assert (drawn[:, 3:].sum(axis=1) == 1).all()
    asked = np.eye(5, dtype=np.float32)[[2] * 6]
    assert model.generate(nd.zeros((6, 4)), asked).shape == (6, 3)
    np.testing.assert_array_equal(seen[-1].asnumpy()[:, 4:], asked)
    with pytest.raises(ValueError, match="needs both"):
        ab.ConditionalGenerativeModel(ab.NormalNoiseSampler(shape_tuple=(8, 4)), Network())


def test_condition_passes_a_model_and_is_shown(tmp_path):
    condition = ab.ConditionSampler()
    condition.true_sampler = GaussSampler(n=8, dim=3)
    condition.model = network([4])
    model = ab.GenerativeModel(None, network([6]), condition_sampler=condition)
    ab.seed(0)
    drawn = model.draw()
    assert drawn.shape == (8, 9)
    ab.seed(0)
    shown = condition.true_sampler.draw()
    np.testing.assert_array_equal(drawn[:, 6:].asnumpy(), shown.asnumpy())
    expected = model.model(condition.model(shown)).asnumpy()
    np.testing.assert_allclose(drawn[:, :6].asnumpy(), expected, rtol=1e-5)
    names = set(model.collect_params())
    assert set(condition.model.collect_params()) < names  # it learns with the generator
    model.save_parameters(tmp_path / "g.params")
    before = values_of(model)
    for parameter in model.collect_params().values():
        parameter.set_data(parameter.data() * 0)
    model.load_parameters(tmp_path / "g.params")
    for old, new in zip(before, values_of(model)):
        np.testing.assert_array_equal(old, new)


def test_interpolation_between_latent_points():
    model = ab.GenerativeModel(
        ab.NormalNoiseSampler(shape_tuple=(2, 3)), nn.HybridLambda(lambda F, x: x * 1)
    )
    first, second = np.eye(3, dtype=np.float32)[:2], 2 * np.eye(3, dtype=np.float32)[1:]
    line = model.interpolate(first, second, 5).asnumpy()
    np.testing.assert_allclose(line[:, 2], (first + second) / 2)
    circle = model.interpolate(first, second, 5, spherical=True).asnumpy()
    for arr in (line, circle):
        assert arr.shape == (2, 5, 3)
        np.testing.assert_allclose(arr[:, 0], first, atol=1e-5)
        np.testing.assert_allclose(arr[:, -1], second, atol=1e-5)
    lengths = np.linalg.norm(circle, axis=2)
    np.testing.assert_allclose(lengths, [[1, 1.25, 1.5, 1.75, 2]] * 2, rtol=1e-4)
    np.testing.assert_allclose(circle[0, 2], [1.5 / 2**0.5, 1.5 / 2**0.5, 0], rtol=1e-4)
    with pytest.raises(ValueError, match="must have one shape"):
        model.interpolate(first, second[:1])


# -- adversarial auto-encoders -------------------------------------------------------------


def test_reconstruction_and_regularisation_are_two_phases():
    ab.seed(0)
    controller = aae(optimizer_name="SGD", learning_rate=0.1)
    controller.learn(1, 1)
    encoder, decoder = controller.encoder, controller.generative_model.model.decoder
    before = values_of(encoder), values_of(decoder)
    ab.GANController.train_generator(controller)
    assert all((a != b).any() for a, b in zip(before[0], values_of(encoder)))
    assert all((a == b).all() for a, b in zip(before[1], values_of(decoder)))
    before = values_of(encoder), values_of(decoder)
    controller.train_reconstruction()
    assert any((a != b).any() for a, b in zip(before[0], values_of(encoder)))
    assert all((a != b).any() for a, b in zip(before[1], values_of(decoder)))
    assert "train_reconstruction_loss" in controller.history.columns


def test_noise_and_penalty_of_the_auto_encoder_hold_in_the_reconstruction():
    class Twice(ab.NoiseableData):
        def noise(self, arr):
            return 2.0 * arr

    def reconstruction(penalty_lambda: float, noiseable_data=None, **kwargs):
        ab.seed(0)
        auto_encoder = ab.ContractiveAutoEncoder(
            network([8, 2], hidden="sigmoid"), network([64]), ab.L2NormLoss(),
            penalty_lambda=penalty_lambda,
        )  # fmt: skip
        auto_encoder.noiseable_data = noiseable_data
        data = digits(BATCH)
        sampler = data_sampler(data, ab.NoiseSampler, shuffle=False)
        model = ab.GenerativeAutoEncoder(sampler, auto_encoder, **kwargs)
        controller = aae(
            generative_model=model, optimizer_name="SGD", learning_rate=0.0,
            reconstruction_loss=gluon.loss.L2Loss(),
        )  # fmt: skip
        controller.learn(1, 1)
        return controller.history, auto_encoder, data

    history, auto_encoder, data = reconstruction(0.5, Twice())
    decoded = auto_encoder.inference(2.0 * data).asnumpy()
    loss = 0.5 * ((decoded - data) ** 2).mean()
    assert history.column("train_reconstruction_loss")[0] == pytest.approx(loss, rel=1e-5)
    penalty = 0.5 * auto_encoder.penalty(2.0 * data).mean().asscalar()
    got = history.column("train_reconstruction_penalty")[0]
    assert got == pytest.approx(penalty, rel=0.2)  # one direction of each Jacobian is drawn


def test_penalty_of_the_auto_encoder_is_minimised():
    def norm(penalty_lambda: float) -> float:
        ab.seed(0)
        auto_encoder = ab.ContractiveAutoEncoder(
            network([2], "sigmoid"), network([64]), ab.L2NormLoss(), penalty_lambda=penalty_lambda
        )
        sampler = data_sampler(digits(), ab.NoiseSampler)
        aae(generative_model=ab.GenerativeAutoEncoder(sampler, auto_encoder)).learn(60, 1)
        return auto_encoder.penalty(digits()).mean().asscalar()

    assert norm(30.0) < 0.5 * norm(0.0)


@pytest.mark.parametrize("shape", [(BATCH, 3), (BATCH + 5, 3)])
def test_noise_of_the_auto_encoder_beside_noise_of_the_encoder(shape):
    class Gone(ab.NoiseableData):
        def noise(self, arr):
            return 0.0 * arr

    auto_encoder = dense_auto_encoder()
    auto_encoder.noiseable_data = Gone()
    model = ab.GenerativeAutoEncoder(
        data_sampler(digits(), ab.NoiseSampler), auto_encoder,
        encoder_noise_sampler=ab.NormalNoiseSampler(shape_tuple=shape),
    )  # fmt: skip
    with autograd.record():
        observed_arr, _, penalty_arr = model.draw_in_learning()
    seen = []
    encoder = auto_encoder.encoder
    encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].asnumpy()))
    aae(generative_model=model, hybridize_flag=False).train_reconstruction()
    assert observed_arr.asnumpy().any() and penalty_arr is None
    assert (seen[0][:, :64] == 0).all() and (seen[0][:, 64:] != 0).all()


def test_codes_match_the_prior():
    """MMD² of the codes to the prior is below a tenth of that of a plain auto-encoder's."""
    ab.seed(0)
    data = digits(1500)
    controller = aae(
        batch=100, data=data_sampler(data, ab.NoiseSampler, 100), learning_rate=1e-3,
        optimizer_params={"beta1": 0.5}, learning_attenuate_rate=0.8, attenuate_epoch=300,
        discriminative_model=ab.DiscriminativeModel(network([128, 128, 1])),
    )  # fmt: skip
    controller.learn(1200, 2)
    codes = controller.generative_model.model.encode(data).asnumpy()
    plain = dense_auto_encoder()
    plain.learning_rate, plain.optimizer_name = 2e-3, "Adam"
    plain.learn(ab.ArrayIterator(data, batch_size=100, epochs=50))
    plain_codes = plain.encode(data).asnumpy()
    plain_codes = (plain_codes - plain_codes.mean(axis=0)) / plain_codes.std(axis=0)
    prior = np.random.RandomState(0).randn(1500, 2)
    ours, theirs = (maximum_mean_discrepancy(c[:1000], prior) for c in (codes, plain_codes))
    assert ours < theirs / 10, (ours, theirs)
    np.testing.assert_allclose(codes.mean(axis=0), 0.0, atol=0.25)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(2), atol=0.3)
    first, last = (controller.history.column("train_reconstruction_loss")[n] for n in (0, -1))
    assert last < 0.75 * first


def test_energy_based_auto_encoder_learns():
    ab.seed(0)
    controller = ab.EBAAEController(
        true_sampler=ab.NormalTrueSampler(shape_tuple=(BATCH, 2)),
        generative_model=ab.GenerativeAutoEncoder(
            data_sampler(digits(), ab.NoiseSampler), dense_auto_encoder()
        ),
        reconstruction_loss=ab.L2NormLoss(), optimizer_name="Adam", learning_rate=1e-3,
        pulling_away_weight=0.1, **energy_settings(),
    )  # fmt: skip
    controller.learn(150, 1)
    losses = controller.history.column("train_reconstruction_loss")
    assert losses[-20:].mean() < losses[:20].mean()
    assert (controller.history.column("train_pulling_away_term") >= 0).all()
    assert controller.posterior_logs_arr.shape == (300,)


@pytest.mark.parametrize("cls", [ab.AAEController, ab.EBAAEController])
def test_killed_learning_resumes_bit_for_bit(cls, tmp_path):
    class Killed(BaseException):
        pass

    class Kill(ab.Callback):
        def on_step_end(self, state):
            if state.step == 13:
                raise Killed

    def learn(name, *callbacks):
        ab.seed(5)
        settings = {}
        if cls is ab.EBAAEController:
            settings = energy_settings()
            settings["discriminator_loss"] = ab.EBDiscriminatorLoss(
                margin_decay_epoch=1, margin_decay_rate=0.9
            )
            controller = cls(
                true_sampler=ab.SwissRollTrueSampler(BATCH),
                generative_model=ab.GenerativeAutoEncoder(
                    data_sampler(digits(), ab.NoiseSampler), dense_auto_encoder()
                ),
                reconstruction_loss=ab.L2NormLoss(), optimizer_name="Adam", learning_rate=1e-3,
                **settings,
            )  # fmt: skip
        else:
            controller = aae()
        checkpoint = ab.Checkpoint(tmp_path / name, every=5)
        controller.learn(20, 2, callbacks=[checkpoint, *callbacks])
        return controller

    whole = learn("whole")
    with pytest.raises(Killed):
        learn("parts", Kill())
    resumed = learn("parts")
    np.testing.assert_array_equal(resumed.history.array(), whole.history.array())
    for one, other in zip(values_of(resumed), values_of(whole)):
        np.testing.assert_array_equal(one, other)


def semi_supervised(data, labels, labeled_n: int, batch: int = 50, *, limits=None, **settings):
    encoder = ab.CategoricalEncoder(
        ab.L2NormLoss(), class_n=10, units_list=[64, 15], activation_list=["relu", "identity"],
        regularizatable_data_list=limits,
    )  # fmt: skip
    auto_encoder = ab.AutoEncoder(encoder, network([64, 64], hidden="relu"), ab.L2NormLoss())
    return aae(
        ab.SemiSupervisedAAEController, batch,
        true_sampler=ab.NormalTrueSampler(shape_tuple=(batch, 5)),
        generative_model=ab.GenerativeAutoEncoder(
            data_sampler(data, ab.NoiseSampler, batch), auto_encoder
        ),
        category_discriminative_model=ab.DiscriminativeModel(network([32, 1])),
        category_sampler=ab.OneHotNoiseSampler(10, batch),
        labeled_sampler=data_sampler(
            data[:labeled_n], ab.LabeledTrueSampler, batch, target=labels[:labeled_n]
        ),
        **settings,
    )  # fmt: skip


def test_semi_supervised_auto_encoder_learns_classes_from_few_labels(tmp_path):
    from sklearn.datasets import load_digits

    ab.seed(0)
    data, classes = digits(1400), load_digits().target[:1400]
    controller = semi_supervised(data, np.eye(10, dtype=np.float32)[classes], 100)
    controller.learn(700, 1)
    assert (controller.classify(data[100:]) == classes[100:]).mean() > 0.75  # by chance: 0.1
    names = {"reconstruction", "classification", "discriminative", "generative"}
    assert {f"train_{name}_loss" for name in names} <= set(controller.history.columns)
    code = controller.encoder.inference(data)
    np.testing.assert_allclose(code[:, :10].sum(axis=1).asnumpy(), 1.0, rtol=1e-5)
    controller.save_parameters(tmp_path / "a.params")
    other = semi_supervised(data, np.eye(10, dtype=np.float32)[classes], 100)
    other.load_parameters(tmp_path / "a.params")
    assert len(list(tmp_path.iterdir())) == 3  # auto-encoder, both discriminators
    np.testing.assert_array_equal(other.classify(data), controller.classify(data))
    with pytest.raises(ValueError, match="must have more than `class_n=10` units"):
        ab.CategoricalEncoder(ab.L2NormLoss(), class_n=10, units_list=[10])


def one_hot_digits(n: int = 100):
    return digits(n), np.eye(10, dtype=np.float32)[np.arange(n) % 10]


def test_semi_supervised_game_regards_both_discriminators():
    ab.seed(0)
    controller = semi_supervised(
        *one_hot_digits(), 50, 20, gradient_norm_flag=True,
        gradient_penalty=ab.GradientPenalty(), feature_matching_loss=ab.L2NormLoss(),
        generator_loss=ab.WassersteinGeneratorLoss(),
        discriminator_loss=ab.WassersteinDiscriminatorLoss(),
    )  # fmt: skip
    controller.learn(2, 2)
    norms = [f"{name}_gradient_norm" for name in ("discriminative", "generative")]
    names = ["gradient_penalty", "feature_matching_loss", *norms]
    for name in (*names, "category_gradient_penalty", "category_discriminative_gradient_norm"):
        assert (controller.history.column(f"train_{name}") > 0).all(), name


def test_classification_keeps_the_constraints_of_the_encoder():
    class Limit(ab.RegularizatableData):
        def regularize(self, params_dict):
            return {name: arr.clip(-0.01, 0.01) for name, arr in params_dict.items()}

    controller = semi_supervised(*one_hot_digits(), 50, 20, limits=[Limit()], learning_rate=0.1)
    controller.learn(2, 1)
    assert all(np.abs(value).max() <= 0.01 for value in values_of(controller.encoder))


def test_labels_that_are_not_one_hot_are_named():
    data, labels = one_hot_digits()
    numbers = labels.argmax(axis=1).astype(np.float32)
    for wrong in (numbers, labels[:, :5]):  # 10 numbers would be taken for a row of 10 classes
        with pytest.raises(ValueError, match=r"`labeled_sampler` must draw one-hot labels"):
            semi_supervised(data, wrong, 50, 10).learn(1, 1)


def test_model_without_encoder_is_named():
    with pytest.raises(TypeError, match="`generative_model` must be a `GenerativeAutoEncoder`"):
        aae(generative_model=generator([2, 2]))
    with pytest.raises(TypeError, match="has no `encoder`"):
        ab.GenerativeAutoEncoder(ab.NoiseSampler(), network([2, 2]))


# -- energies ------------------------------------------------------------------------------


def test_energy_is_the_mean_squared_error():
    model = ab.EBDiscriminativeModel(dense_auto_encoder())
    x = nd.array(digits(7))
    error = ((model.model(x) - x).asnumpy() ** 2).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(model.inference(x).asnumpy(), error, rtol=1e-4)
    assert model.feature_points_arr.shape == (7, 2)
    images = ab.EBDiscriminativeModel(dense_auto_encoder()).inference(x.reshape((7, 1, 8, 8)))
    assert images.shape == (7, 1)


def test_pulling_away_term_by_hand():
    features = np.random.RandomState(0).randn(5, 2, 3)
    flat = features.reshape(5, 6)
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    cosines = unit @ unit.T
    expected = (cosines[~np.eye(5, dtype=bool)] ** 2).sum() / 20
    assert pulling_away_term(nd.array(features)).asscalar() == pytest.approx(expected, rel=1e-4)
    assert pulling_away_term(nd.array(np.eye(4))).asscalar() == pytest.approx(0, abs=1e-6)
    assert pulling_away_term(nd.ones((4, 3))).asscalar() == pytest.approx(1, rel=1e-5)
    arr = nd.array(features)
    arr.attach_grad()
    with autograd.record():
        pulling_away_term(arr).backward()
    assert np.isfinite(arr.grad.asnumpy()).all() and np.abs(arr.grad.asnumpy()).max() > 1e-3


def ebgan(true_sampler=None, **kwargs):
    settings = {
        "true_sampler": true_sampler or data_sampler(digits()),
        "generative_model": generator([32, 64]),
        "optimizer_name": "Adam",
        "learning_rate": 1e-3,
        **energy_settings(64),
        **kwargs,
    }
    return ab.EBGANController(**settings)


def test_margin_decays_by_passes_over_the_data():
    loss = ab.EBDiscriminatorLoss(margin_decay_epoch=1, margin_decay_rate=0.5)
    controller = ebgan(data_sampler(digits(96)), discriminator_loss=loss)  # 3 draws an epoch
    margins = []

    class Watching(ab.Callback):
        def on_step_end(self, state):
            margins.append(loss.margin)

    controller.learn(7, 1, callbacks=[Watching()])
    np.testing.assert_allclose(margins, [1, 1, 1, 0.5, 0.5, 0.5, 0.25])
    loss.epoch = 0
    turns = ebgan(GaussSampler(dim=64), discriminator_loss=loss)  # no end: an epoch is a turn
    margins.clear()
    turns.learn(3, 4, callbacks=[Watching()])
    np.testing.assert_allclose(margins, [1, 0.5, 0.25])


def test_energies_of_true_and_generated_data_part():
    ab.seed(0)
    controller = ebgan(pulling_away_weight=0.1, learning_rate=2e-3)
    controller.learn(200, 2)
    true = controller.discriminative_model.inference(digits()).mean().asscalar()
    noise = (
        controller.discriminative_model.inference(np.random.RandomState(0).rand(100, 64))
        .mean()
        .asscalar()
    )
    assert true < 0.5 * noise


CRASHERS = {
    "EBGAN, one channel": "convolutional_energy(1), 1",
    "EBGAN, three channels": "convolutional_energy(3), 3",
}


@pytest.mark.parametrize("hybridize_flag", [True, False])
@pytest.mark.parametrize("case", CRASHERS.values(), ids=CRASHERS.keys())
def test_convolutional_energies_do_not_bring_the_process_down(case, hybridize_flag):
    code = f"""
        import accelbrainbase as ab, numpy as np
        from adversarial_players import *
        ab.seed(0)
        judge, channel = {case}
        layers = [nn.Conv2DTranspose(16, 4, strides=2, padding=1),
                  nn.Conv2DTranspose(channel, 4, strides=2, padding=1)]
        model = ab.ConvolutionalNeuralNetworks(
            ab.L2NormLoss(), hidden_units_list=layers, hidden_activation_list=["relu", "sigmoid"],
            hidden_dropout_rate_list=[0.0, 0.0], hidden_batch_norm_list=[nn.BatchNorm(), None])
        data = np.random.RandomState(0).rand(64, channel, 16, 16)
        controller = ab.EBGANController(
            data_sampler(data, batch=16),
            ab.GenerativeModel(ab.NormalNoiseSampler(shape_tuple=(16, 4, 4, 4)), model),
            judge, ab.EBDiscriminatorLoss(), ab.L2NormLoss(), "Adam", 1e-3,
            hybridize_flag={hybridize_flag}, pulling_away_weight=0.1)
        controller.hybridize({hybridize_flag})
        controller.learn(12, 2)
        assert np.isfinite(controller.history.array()).all()
        print("alive")
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        cwd=FOLDER, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parents[1])},
    )  # fmt: skip
    assert done.returncode == 0 and "alive" in done.stdout, done.stderr[-2000:]


def test_convolutional_auto_encoder_against_convolutional_energy():
    """As pygan's: the codes are maps, and the energy of codes is convolutional too."""
    ab.seed(0)
    d_model = convolutional_energy(8)
    encoder = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[nn.Conv2D(8, 4, strides=2, padding=1)],
        hidden_activation_list=["identity"], hidden_dropout_rate_list=[0.0],
    )  # fmt: skip
    decoder = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[nn.Conv2DTranspose(1, 4, strides=2, padding=1)],
        hidden_activation_list=["sigmoid"], hidden_dropout_rate_list=[0.0],
    )  # fmt: skip
    images = digits().reshape(-1, 1, 8, 8)
    model = ab.GenerativeConvolutionalAutoEncoder(
        data_sampler(images, ab.NoiseSampler, 16),
        ab.ConvolutionalAutoEncoder(encoder, decoder, ab.L2NormLoss()),
    )
    controller = ab.EBAAEController(
        ab.NormalTrueSampler(batch_size=16, channel=8, height=4, width=4), model, d_model,
        ab.EBDiscriminatorLoss(), ab.L2NormLoss(), ab.L2NormLoss(), "Adam", 1e-3,
    )  # fmt: skip
    controller.learn(10, 2)
    assert np.isfinite(controller.history.array()).all()
    assert controller.history.column("train_feature_matching_loss")[-1] > 0
