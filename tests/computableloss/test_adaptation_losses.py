"""Losses of domain adaptation: numbers by NumPy, gradients by finite differences."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd

import accelbrainbase as ab
from accelbrainbase._mxnet.gradient_reversal import reverse_gradient

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(4, 3)).astype(np.float32)
CLASSES = np.array([2, 0, 1, 2])
LABELS = np.eye(3, dtype=np.float32)[CLASSES]
DECODED, OBSERVED = RNG.normal(size=(2, 4, 1, 3, 2)).astype(np.float32)
PRETEXT = RNG.normal(size=(4, 4)).astype(np.float32)
TURNS = np.eye(4, dtype=np.float32)[[0, 3, 2, 2]]
SOURCE, TARGET = RNG.uniform(0.1, 0.9, size=(2, 4, 1)).astype(np.float32)


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def cross_entropy(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return -(np.log(softmax(scores.astype(np.float64))) * labels).sum(axis=-1)


ENTROPY = cross_entropy(SCORES, LABELS)
SQUARE = ((DECODED - OBSERVED) ** 2).reshape(4, -1).mean(axis=1) / 2
PRETEXT_ENTROPY = cross_entropy(PRETEXT, TURNS)


def arrays(*values: np.ndarray) -> list[nd.NDArray]:
    return [nd.array(value) for value in values]


def check(found, *expected: np.ndarray) -> None:
    assert len(found) == len(expected)
    for arr, values in zip(found, expected):
        np.testing.assert_allclose(arr.asnumpy(), values, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("hybridize", [False, True])
def test_drcn_loss_is_a_weighted_sum(hybridize):
    loss = ab.DRCNLoss(
        rc_lambda=0.3, weight=2.0, classification_weight=0.5, reconstruction_weight=3.0
    )
    loss.hybridize(hybridize)
    found = loss.compute(*arrays(DECODED, SCORES, OBSERVED, LABELS))
    classification, reconstruction = 2 * 0.5 * 0.3 * ENTROPY, 2 * 3 * 0.7 * SQUARE
    check(found, classification + reconstruction, classification, reconstruction)


def test_kinds_of_predictions_and_labels():
    probabilities = softmax(SCORES)
    for kwargs, predictions, labels in (
        ({}, SCORES, LABELS),
        ({"sparse_label": True}, SCORES, CLASSES),
        ({"from_logits": True}, np.log(probabilities), LABELS),
        ({"log_softmax_flag": False}, probabilities, LABELS),
    ):
        found = ab.DRCNLoss(rc_lambda=1.0, **kwargs)(
            *arrays(DECODED, predictions, OBSERVED, labels)
        )
        check(found, ENTROPY, ENTROPY, np.zeros(4))


def test_a_certain_mistake_costs_finitely():
    found = ab.DRCNLoss(log_softmax_flag=False, rc_lambda=1.0)(
        *arrays(DECODED, 1 - LABELS, OBSERVED, LABELS)
    )
    assert (found[0].asnumpy() > 15).all() and np.isfinite(found[0].asnumpy()).all()


def test_mini_batches_of_two_sizes():
    found = ab.DRCNLoss(rc_lambda=0.5)(*arrays(DECODED[:2], SCORES, OBSERVED[:2], LABELS))
    check(found, ENTROPY / 2 + SQUARE[:2].mean() / 2, ENTROPY / 2, SQUARE[:2] / 2)


def test_samples_have_weights():
    weight = np.array([1.0, 0.0, 2.0, 0.5], np.float32)
    found = ab.DRCNLoss()(*arrays(DECODED, SCORES, OBSERVED, LABELS, weight))
    check(found, weight * (0.75 * ENTROPY + 0.25 * SQUARE), 0.75 * weight * ENTROPY,
          0.25 * weight * SQUARE)  # fmt: skip


def test_limited_losses_have_limited_gradients():
    scores = nd.array(SCORES)
    scores.attach_grad()
    gradients = []
    for threshold in (0.0, 0.5):
        loss = ab.DRCNLoss(rc_lambda=1.0, grad_clip_threshold=threshold)
        with autograd.record():
            losses = loss(*arrays(DECODED), scores, *arrays(OBSERVED, LABELS))
        losses[0].backward()
        gradients.append(scores.grad.asnumpy().copy())
    shrunk = 0.5 / np.linalg.norm(ENTROPY)
    assert shrunk < 1
    check(losses[:1], shrunk * ENTROPY)
    np.testing.assert_allclose(gradients[1], shrunk * gradients[0], rtol=1e-4)
    np.testing.assert_allclose(gradients[0], softmax(SCORES) - LABELS, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("hybridize", [False, True])
def test_ssda_loss_is_a_sum_of_cross_entropies(hybridize):
    loss = ab.SSDALoss(weight=2.0, classification_weight=0.5, pretext_weight=3.0)
    loss.hybridize(hybridize)
    found = loss.compute(*arrays(PRETEXT, SCORES, TURNS, LABELS))
    check(found, ENTROPY + 6 * PRETEXT_ENTROPY, ENTROPY, 6 * PRETEXT_ENTROPY)


def test_a_pretext_task_of_several_questions_is_averaged():
    scores = RNG.normal(size=(4, 2, 4)).astype(np.float32)
    labels = np.eye(4, dtype=np.float32)[RNG.integers(4, size=(4, 2))]
    found = ab.SSDALoss()(*arrays(scores, SCORES, labels, LABELS))
    check(found[2:], cross_entropy(scores, labels).mean(axis=1))


def test_pretext_loss_is_bounded_below():
    """That of 1.1.0 was not: it took scores for costs."""
    found = ab.SSDALoss()(*arrays(1e4 * TURNS, SCORES, TURNS, LABELS))
    np.testing.assert_allclose(found[2].asnumpy(), 0.0, atol=1e-5)


@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("hybridize", [False, True])
def test_adversarial_term_is_the_cross_entropy_of_domains(hybridize, logits):
    loss = ab.AdversarialSSDALoss(
        adversarial_lambda=0.3, adversarial_weight=2.0, posterior_from_logits=logits
    )
    loss.hybridize(hybridize)
    judged = [np.log(p / (1 - p)) if logits else p for p in (SOURCE, TARGET)]
    found = loss.compute(*arrays(PRETEXT, SCORES, TURNS, LABELS, *judged))
    adversarial = -2 * (0.3 * np.log(SOURCE) + 0.7 * np.log(1 - TARGET))[:, 0]
    total = ENTROPY + PRETEXT_ENTROPY + adversarial
    check(found, total, ENTROPY, PRETEXT_ENTROPY, adversarial)
    plain = ab.DomainAdversarialLoss(
        adversarial_lambda=0.3, adversarial_weight=2.0, posterior_from_logits=logits
    )
    found = plain.compute(*arrays(SCORES, LABELS, *judged))
    check(found, ENTROPY + adversarial, ENTROPY, adversarial)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ab.DRCNLoss(rc_lambda=1.5), "`rc_lambda` must be a finite number in"),
        (lambda: ab.DRCNLoss(grad_clip_threshold=-1.0), "`grad_clip_threshold`"),
        (lambda: ab.SSDALoss(pretext_weight=float("nan")), "`pretext_weight`"),
        (lambda: ab.AdversarialSSDALoss(adversarial_lambda=-0.1), "`adversarial_lambda`"),
        (lambda: ab.DomainAdversarialLoss(adversarial_weight=float("inf")), "`adversarial_weight`"),
    ],
)
def test_bad_weights_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_shapes_that_do_not_fit_are_named():
    scores, labels, source = arrays(SCORES, LABELS, SOURCE)
    with pytest.raises(ValueError, match=r"\(4, 3\) do not fit one-hot labels of shape \(4, 4\)"):
        ab.SSDALoss()(nd.array(PRETEXT), scores, nd.array(TURNS), nd.array(TURNS))
    with pytest.raises(ValueError, match=r"do not fit class numbers of shape \(4, 3\)"):
        ab.DomainAdversarialLoss(sparse_label=True)(scores, labels, source, source)
    with pytest.raises(ValueError, match=r"one number for each data point.*\(4, 3\)"):
        ab.DomainAdversarialLoss()(scores, labels, source, scores)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_reversal_keeps_values_and_turns_gradients(strength):
    x = nd.array(SCORES)
    x.attach_grad()
    with autograd.record():
        y = reverse_gradient(nd, x, strength)
        (y * y).sum().backward()
    np.testing.assert_allclose(y.asnumpy(), SCORES, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(x.grad.asnumpy(), -strength * 2 * SCORES, rtol=1e-5, atol=1e-6)
    graph = reverse_gradient(mx.sym, mx.sym.var("x"), strength)
    found = graph.eval(ctx=mx.cpu(), x=nd.array(SCORES))[0].asnumpy()
    np.testing.assert_allclose(found, SCORES, rtol=1e-6, atol=1e-6)
