"""Losses of generators and discriminators, by hand and by finite differences."""

from __future__ import annotations

import math

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon, nd

import accelbrainbase as ab

TRUE = np.array([[0.9], [0.4], [0.5]])
FAKE = np.array([[0.2], [0.6], [0.5]])
SCORES = np.array([[1.7], [-0.4], [0.3]]), np.array([[-2.1], [0.5], [-0.2]])


def logit(p):
    return np.log(p / (1 - p))


def value(loss, *arrays):
    return loss(*(nd.array(arr) for arr in arrays)).asnumpy()


def test_discriminator_loss_by_hand():
    expected = (-np.log(TRUE) - np.log(1 - FAKE))[:, 0]
    np.testing.assert_allclose(value(ab.DiscriminatorLoss(), TRUE, FAKE), expected, rtol=1e-5)
    half = ab.DiscriminatorLoss(0.5)
    np.testing.assert_allclose(value(half, TRUE, FAKE), expected / 2, rtol=1e-5)
    got = half.compute(nd.array(TRUE), nd.array(FAKE)).asnumpy()
    np.testing.assert_allclose(got, expected / 2, rtol=1e-5)


def test_optimum_is_twice_log_2():
    half = np.full((4, 1), 0.5)
    np.testing.assert_allclose(value(ab.DiscriminatorLoss(), half, half), 2 * math.log(2), 1e-6)


def test_label_smoothing_touches_true_data_only():
    loss = ab.DiscriminatorLoss(label_smoothing=0.1)
    expected = (-0.9 * np.log(TRUE) - 0.1 * np.log(1 - TRUE) - np.log(1 - FAKE))[:, 0]
    np.testing.assert_allclose(value(loss, TRUE, FAKE), expected, rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_logits_give_the_losses_of_their_probabilities(smoothing):
    by_logits = ab.DiscriminatorLoss(from_logits=True, label_smoothing=smoothing)
    by_probabilities = ab.DiscriminatorLoss(label_smoothing=smoothing)
    np.testing.assert_allclose(
        value(by_logits, logit(TRUE), logit(FAKE)), value(by_probabilities, TRUE, FAKE), rtol=1e-5
    )
    posterior = by_logits.posterior(nd.array(logit(TRUE))).asnumpy()
    np.testing.assert_allclose(posterior, TRUE, rtol=1e-5)


def test_certainty_costs_a_finite_loss():
    sure = value(ab.DiscriminatorLoss(), np.zeros((1, 1)), np.ones((1, 1)))
    assert sure == pytest.approx(-2 * math.log(1e-7), rel=0.02)
    logits = value(ab.DiscriminatorLoss(from_logits=True), [[-200.0]], [[300.0]])
    assert logits == pytest.approx(500.0)


def test_generator_losses_by_hand():
    np.testing.assert_allclose(value(ab.GeneratorLoss(), FAKE), -np.log(FAKE)[:, 0], rtol=1e-5)
    np.testing.assert_allclose(
        value(ab.GeneratorLoss(2.0, minimax=True), FAKE), 2 * np.log(1 - FAKE)[:, 0], rtol=1e-5
    )
    for minimax in (False, True):
        np.testing.assert_allclose(
            value(ab.GeneratorLoss(minimax=minimax, from_logits=True), logit(FAKE)),
            value(ab.GeneratorLoss(minimax=minimax), FAKE),
            rtol=1e-5,
        )


def test_losses_on_scores_by_hand():
    true, fake = SCORES
    cases = {
        ab.LeastSquaresDiscriminatorLoss: 0.5 * (true - 1) ** 2 + 0.5 * fake**2,
        ab.HingeDiscriminatorLoss: np.maximum(0, 1 - true) + np.maximum(0, 1 + fake),
        ab.WassersteinDiscriminatorLoss: fake - true,
    }
    for loss, expected in cases.items():
        np.testing.assert_allclose(value(loss(), true, fake), expected[:, 0], rtol=1e-5)
        np.testing.assert_allclose(value(loss(3.0), true, fake), 3 * expected[:, 0], rtol=1e-5)
        assert not loss().is_probability and isinstance(loss(), ab.DiscriminatorLoss)
        np.testing.assert_allclose(loss().posterior(nd.array(true)).asnumpy(), true, rtol=1e-6)
    generator = value(ab.LeastSquaresGeneratorLoss(), fake)
    np.testing.assert_allclose(generator, 0.5 * (fake[:, 0] - 1) ** 2, rtol=1e-5)
    np.testing.assert_allclose(value(ab.WassersteinGeneratorLoss(), fake), -fake[:, 0], rtol=1e-6)


def test_energy_loss_by_hand():
    energies = np.array([[0.1], [0.3]]), np.array([[0.4], [1.6]])
    got = value(ab.EBDiscriminatorLoss(margin=1.0), *energies)
    np.testing.assert_allclose(got, [0.1 + 0.6, 0.3 + 0.0], rtol=1e-5)


def test_margin_decays_by_epochs_not_by_calls():
    loss = ab.EBDiscriminatorLoss(margin=2.0, margin_decay_rate=0.1, margin_decay_epoch=50)
    for _ in range(120):
        value(loss, [[0.0]], [[0.0]])
    assert loss.margin == 2.0
    margins = []
    for loss.epoch in (49, 50, 99, 100):
        margins.append(loss.margin)
    np.testing.assert_allclose(margins, [2.0, 0.2, 0.2, 0.02])
    np.testing.assert_allclose(value(loss, [[0.0]], [[0.0]]), [0.02], rtol=1e-6)


ALL = [
    pytest.param(ab.DiscriminatorLoss(), TRUE, FAKE, id="probabilities"),
    pytest.param(ab.DiscriminatorLoss(from_logits=True), *SCORES, id="logits"),
    pytest.param(ab.LeastSquaresDiscriminatorLoss(), *SCORES, id="least squares"),
    pytest.param(ab.HingeDiscriminatorLoss(), *SCORES, id="hinge"),
    pytest.param(ab.WassersteinDiscriminatorLoss(), *SCORES, id="Wasserstein"),
    pytest.param(ab.EBDiscriminatorLoss(), TRUE, FAKE, id="energy"),
    pytest.param(ab.GeneratorLoss(), FAKE, None, id="generator"),
    pytest.param(ab.GeneratorLoss(minimax=True), FAKE, None, id="minimax"),
    pytest.param(ab.GeneratorLoss(from_logits=True), SCORES[1], None, id="generator, logits"),
    pytest.param(ab.LeastSquaresGeneratorLoss(), SCORES[1], None, id="generator, least squares"),
    pytest.param(ab.WassersteinGeneratorLoss(), SCORES[1], None, id="generator, Wasserstein"),
]


@pytest.mark.parametrize(("loss", "first", "second"), ALL)
def test_gradients_are_finite_differences(loss, first, second):
    arrays = [nd.array(arr, dtype="float64") for arr in (first, second) if arr is not None]
    for arr in arrays:
        arr.attach_grad()
    with autograd.record():
        loss_arr = loss(*arrays)
    assert loss_arr.shape == (3,)
    loss_arr.backward()
    for number, arr in enumerate(arrays):
        for row in range(3):
            sums = []
            for step in (1e-5, -1e-5):
                moved = [a.copy() for a in arrays]
                moved[number][row] += step
                sums.append(loss(*moved).sum().asscalar())
            difference = (sums[0] - sums[1]) / 2e-5
            assert arr.grad[row].asscalar() == pytest.approx(difference, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize(("loss", "first", "second"), ALL)
def test_symbols_and_patches(loss, first, second):
    """Hybridised, and averaged over the places that a convolutional discriminator judges."""
    arrays = [np.stack([arr, arr**2], axis=2) for arr in (first, second) if arr is not None]
    whole = value(loss, *arrays)
    parts = [value(loss, *(arr[:, :, n] for arr in arrays)) for n in range(2)]
    np.testing.assert_allclose(whole, np.mean(parts, axis=0), rtol=1e-5)
    symbols = [mx.sym.var(name) for name in "ab"[: len(arrays)]]
    block = gluon.SymbolBlock(loss(*symbols), symbols)
    np.testing.assert_allclose(value(block, *arrays), whole, rtol=1e-5)


def test_other_number_of_generated_samples():
    fake = nd.array([[0.2], [0.6]])
    true = nd.array(TRUE)
    true.attach_grad()
    fake.attach_grad()
    with autograd.record():
        loss_arr = ab.DiscriminatorLoss()(true, fake)
    np.testing.assert_allclose(
        loss_arr.asnumpy(), -np.log(TRUE[:, 0]) - np.log([0.8, 0.4]).mean(), rtol=1e-5
    )
    loss_arr.backward()  # summed over the 3 true ones: each generated one counts 3/2
    np.testing.assert_allclose(fake.grad.asnumpy()[:, 0], 1.5 / np.array([0.8, 0.4]), rtol=1e-5)


def test_sample_weights():
    weights = np.array([2.0, 0.0, 1.0])
    got = value(ab.DiscriminatorLoss(), TRUE, FAKE, weights)
    plain = value(ab.DiscriminatorLoss(), TRUE, FAKE)
    np.testing.assert_allclose(got, plain * weights, rtol=1e-6)
    got = value(ab.GeneratorLoss(), FAKE, weights)
    np.testing.assert_allclose(got, -np.log(FAKE[:, 0]) * weights, rtol=1e-5)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="`label_smoothing` must be a finite number in"):
        ab.DiscriminatorLoss(label_smoothing=1.0)
    with pytest.raises(ValueError, match="`margin` must be a finite number"):
        ab.EBDiscriminatorLoss(margin=0.0)
    with pytest.raises(ValueError, match="`margin_decay_epoch` must be at least 1"):
        ab.EBDiscriminatorLoss(margin_decay_epoch=0)
    with pytest.raises(TypeError, match="label_smoothing"):
        ab.HingeDiscriminatorLoss(label_smoothing=0.1)
