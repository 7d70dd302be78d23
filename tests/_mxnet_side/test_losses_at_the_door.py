"""Targets that do not fit a loss, and losses that cannot be minimised, are errors at the door."""

import numpy as np
import pytest
from mxnet import gluon, nd

import accelbrainbase as ab

RANDOM = np.random.default_rng(0)
OBSERVED = RANDOM.normal(size=(12, 4)).astype(np.float32)
CLASSES = np.arange(12) % 3


def classifier(unit_n=3, **kwargs):
    loss = gluon.loss.SoftmaxCrossEntropyLoss(**kwargs)
    return ab.NeuralNetworks(loss, units_list=[unit_n], activation_list=["identity"])


def iterator(target, **kwargs):
    return ab.ArrayIterator(OBSERVED, target, epochs=1, batch_size=12, **kwargs)


@pytest.mark.parametrize(
    ("target", "sparse"),
    [(CLASSES.astype(str), True), (np.eye(3)[CLASSES], True), (CLASSES, False)],
)
def test_one_hot_targets_and_class_numbers_are_told_apart(target, sparse):
    with pytest.raises(ValueError, match=r"shape \(12, 3\).*sparse_label=False.*sparse_label=True"):
        classifier(sparse_label=sparse).learn(iterator(target))


@pytest.mark.parametrize("number", [3, -1])
def test_class_numbers_without_a_unit_are_an_error(number):
    # MXNet takes the nearest class that there is.
    target = CLASSES.copy()
    target[5] = number
    with pytest.raises(ValueError, match=rf"0 to 2.*3 units.*is {number}"):
        classifier().learn(iterator(target))


def test_class_numbers_without_a_unit_in_the_test_part_are_an_error():
    given = iterator(CLASSES, test_observed=OBSERVED[:2], test_target=np.array([0, 7]))
    with pytest.raises(ValueError, match=r"0 to 2.*test.*is 7"):
        classifier().learn(given)


def test_class_numbers_that_fit_are_learned():
    model = classifier()
    before = model.inference(OBSERVED).asnumpy().astype(float)
    model.learn(iterator(CLASSES))
    shares = np.exp(before) / np.exp(before).sum(axis=1, keepdims=True)
    expected = -np.log(shares[np.arange(12), CLASSES]).mean()
    assert model.loss_arr[0, 0] == pytest.approx(expected, rel=1e-5)


class WithEmptyTest(ab.IteratableData):
    """Generates test arrays without rows."""

    epochs = iter_n = 2

    def generate_learned_samples(self):
        for _ in range(2):
            yield nd.array(OBSERVED), nd.array(OBSERVED), OBSERVED[:0], OBSERVED[:0]

    def generate_inferenced_samples(self):
        yield None, None, nd.array(OBSERVED), None


def test_empty_test_data_are_no_test_data():
    model = ab.NeuralNetworks(ab.L2NormLoss(), units_list=[4])
    model.learn(WithEmptyTest())
    assert np.isfinite(model.loss_arr[:, 0]).all()
    assert np.isnan(model.loss_arr[:, 1]).all()


class OwnLoss(ab.ComputableLoss):
    """A loss of the user's own."""

    def __init__(self, compute):
        self._own = compute

    def compute(self, pred_arr, real_arr):
        return self._own(pred_arr - real_arr)


@pytest.mark.parametrize(
    ("compute", "error", "message"),
    [
        (lambda arr: arr.asnumpy().mean(axis=1), TypeError, r"must give an NDArray.*`ndarray`"),
        (lambda _: None, TypeError, r"must give an NDArray.*None of type `NoneType`"),
        (lambda arr: nd.square(arr.detach()).mean(axis=1), ValueError, r"`detach\(\)` cut"),
        (lambda arr: nd.square(arr), ValueError, r"one loss for each sample, shape \(12,\)"),
    ],
)
def test_losses_of_the_users_own_that_cannot_be_minimised(compute, error, message):
    model = ab.NeuralNetworks(OwnLoss(compute), units_list=[4])
    with pytest.raises(error, match=message):
        model.learn(iterator(None))
