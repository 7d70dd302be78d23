"""Labelled and unlabelled mini-batches side by side."""

from __future__ import annotations

import numpy as np
import pytest

import accelbrainbase as ab

OBSERVED = np.arange(100, dtype=np.float32).reshape(50, 2)
LABELS = np.full(50, -1)
LABELS[:7] = [3, 5, 3, 5, 9, 9, 3]


def batches(**kwargs):
    settings = {"epochs": 2, "batch_size": 16, "seed": 0, **kwargs}
    iterator = ab.SemiSupervisedIterator(OBSERVED, settings.pop("target", LABELS), **settings)
    found = list(iterator.generate_learned_samples())
    assert len(found) == iterator.iter_n
    return iterator, [[None if a is None else a.asnumpy() for a in batch] for batch in found]


def test_an_epoch_goes_through_all_rows_and_labels_stay_with_their_rows():
    iterator, found = batches()
    assert (iterator.labeled_size, iterator.labeled_batch_size) == (7, 7)
    assert iterator.label_list == [3, 5, 9]
    epoch = np.concatenate([batch[4] for batch in found[:4]])
    np.testing.assert_array_equal(np.sort(epoch[:, 0]), OBSERVED[:, 0])
    for observed, target, *_ in found:
        rows = (observed[:, 0] / 2).astype(int)
        assert sorted(rows) == list(range(7))  # each once in every pass
        np.testing.assert_array_equal(
            np.array(iterator.label_list)[target.argmax(axis=1)], LABELS[rows]
        )
        np.testing.assert_array_equal(target.sum(axis=1), 1.0)
    assert any((a[0] != b[0]).any() for a, b in zip(found, found[1:]))


def test_labelled_batches_of_another_size():
    _, found = batches(labeled_batch_size=10)
    rows = np.concatenate([batch[0][:, 0] for batch in found])
    assert all(batch[0].shape == (10, 2) for batch in found)
    counts = np.bincount((rows / 2).astype(int))
    assert counts.max() - counts.min() <= 1


def test_a_seed_repeats_and_its_absence_does_not():
    for one, two in zip(batches()[1], batches()[1]):
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[4], two[4])
    ab.seed(0)
    iterator = ab.SemiSupervisedIterator(OBSERVED, LABELS, epochs=1, batch_size=16)
    first, second = ([b[4].asnumpy() for b in iterator.generate_learned_samples()] for _ in "ab")
    assert any((a != b).any() for a, b in zip(first, second))


@pytest.mark.parametrize(
    "target",
    [
        np.array(["a", None, "b"] + [None] * 47, dtype=object),
        np.array(["a", "", "b"] + [""] * 47),
        [0.0, np.nan, 1.0] + [np.nan] * 47,
        np.eye(2)[[0, 0, 1] + [0] * 47] * np.array([1, 0, 1] + [0] * 47)[:, None],
    ],
    ids=["None", "empty", "NaN", "one-hot"],
)
def test_marks_of_missing_labels(target):
    iterator, found = batches(target=target)
    assert iterator.labeled_size == 2
    assert sorted((found[0][0][:, 0] / 2).astype(int)) == [0, 2]


def test_test_data_have_labels():
    _, found = batches(test_observed=OBSERVED[:2], test_target=[9, 3])
    np.testing.assert_array_equal(found[0][3], [[0, 0, 1], [1, 0, 0]])
    with pytest.raises(ValueError, match="`test_target` must have a label in each row, but row 1"):
        batches(test_observed=OBSERVED[:2], test_target=[9, -1])


def test_noise_is_in_both():
    class Far(ab.NoiseableData):
        def noise(self, arr):
            return arr + 1000.0

    _, found = batches(noiseable_data=Far())
    assert all((batch[0] >= 1000).all() and (batch[4] >= 1000).all() for batch in found)


def test_no_label_at_all_is_named():
    with pytest.raises(ValueError, match="`target` must have a label in at least one row"):
        batches(target=np.full(50, -1))


def test_data_beyond_the_budget_are_copied_one_by_one():
    class Small(ab.SemiSupervisedIterator):
        device_budget = 1

    one = list(Small(OBSERVED, LABELS, batch_size=16, seed=0, epochs=1).generate_learned_samples())
    other = batches(epochs=1)[1]
    for got, want in zip(one, other):
        np.testing.assert_array_equal(got[0].asnumpy(), want[0])
        np.testing.assert_array_equal(got[4].asnumpy(), want[4])
