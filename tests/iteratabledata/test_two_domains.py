"""Iterators over a labelled source domain and an unlabelled target domain."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import accelbrainbase as ab
from accelbrainbase.iteratabledata.drcn_iterator import DRCNIterator as NeutralDRCNIterator

SOURCE = np.arange(10, dtype=np.float32).reshape(10, 1, 1, 1) * np.ones((1, 1, 2, 2), np.float32)
TARGET = 100 + np.arange(7, dtype=np.float32).reshape(7, 1, 1, 1) * np.ones((1, 1, 2, 2))
NAMES = np.array(list("bababababa"))


class Negative(ab.NoiseableData):
    def noise(self, arr):
        return -arr


def numbers(arr) -> list[int]:
    """Which data points are in a mini-batch."""
    return arr[..., 0, 0, 0].asnumpy().astype(int).tolist()


def arrays(**kwargs):
    settings = {"epochs": 3, "batch_size": 4, "seed": 2, **kwargs}
    return ab.DRCNArrayIterator(SOURCE, NAMES, TARGET, **settings)


@pytest.fixture
def folders(tmp_path):
    """Two classes of a source domain, values 0..5 and 10..13; one directory of a target domain."""
    made = []
    for name, values in (
        ("train/ant", range(6)), ("train/bee", range(10, 14)), ("other", range(100, 107))
    ):  # fmt: skip
        directory = tmp_path / name
        directory.mkdir(parents=True)
        for value in values:
            pixels = np.full((2, 2), value, np.uint8)
            Image.fromarray(pixels).save(directory / f"{value:03d}.png")
        made.append(str(directory))
    return made


def images(folders, **kwargs):
    settings = {"epochs": 3, "batch_size": 4, "norm_mode": None, "seed": 2, **kwargs}
    return ab.DRCNIterator(ab.ImageExtractor(2, 2, 1), folders[:2], folders[2:], **settings)


def test_arrays_come_in_epochs_of_the_source():
    iterator = arrays()
    assert isinstance(iterator, NeutralDRCNIterator) and iterator.iter_n == 9
    batches = list(iterator.generate_learned_samples())
    assert [len(batch) for batch in batches] == [5] * 9
    source = [numbers(batch[0]) for batch in batches]
    assert [len(rows) for rows in source] == [4, 4, 2] * 3
    for epoch in range(3):
        assert sorted(sum(source[3 * epoch : 3 * epoch + 3], [])) == list(range(10))
    for batch in batches:
        labels = batch[1].asnumpy()
        assert [iterator.label_list[i] for i in labels.argmax(axis=1)] == [
            NAMES[i] for i in numbers(batch[0])
        ]
        assert batch[2] is None and batch[3] is None
    target = [numbers(batch[4]) for batch in batches]
    assert all(len(set(rows)) == 4 and set(rows) <= set(range(100, 107)) for rows in target)
    assert len(set(sum(target, []))) == 7 and len({tuple(rows) for rows in target}) > 1


def test_a_target_domain_that_divides_goes_round():
    batches = arrays(epochs=4, batch_size=7).generate_learned_samples()
    assert all(sorted(numbers(batch[4])) == list(range(100, 107)) for batch in batches)


def test_a_small_target_domain_comes_as_a_whole():
    batches = arrays(batch_size=9).generate_learned_samples()
    assert all(sorted(numbers(batch[4])) == list(range(100, 107)) for batch in batches)


@pytest.mark.parametrize("kind", ["arrays", "images"])
def test_order_follows_from_the_seed(kind, folders):
    def order(seed):
        made = arrays(seed=seed) if kind == "arrays" else images(folders, seed=seed)
        batches = made.generate_learned_samples()
        return [(numbers(batch[0]), numbers(batch[4])) for batch in batches]

    assert order(1) == order(1) != order(2)
    ab.seed(5)
    first = order(None)
    assert first != order(None)
    ab.seed(5)
    assert first == order(None)


def test_both_domains_are_normalised_alike_and_only_the_source_has_noise():
    iterator = arrays(norm_mode="min_max", scale=2.0, noiseable_data=Negative())
    for batch in iterator.generate_learned_samples():
        assert (batch[0].asnumpy() <= 0).all()
        assert (batch[0].asnumpy() >= -2).all()
        np.testing.assert_allclose(
            np.unique((batch[4].asnumpy() / 2 * 9) % 1), np.zeros(1), atol=1e-4
        )
        assert batch[4].asnumpy().min() >= 2 * 100 / 9 - 1e-4


def test_one_hot_and_numbered_classes():
    one_hot = np.eye(2, dtype=np.float32)[(NAMES == "b").astype(int)]
    numbered = (NAMES == "b").astype(int)
    expected = [batch[1].asnumpy() for batch in arrays().generate_learned_samples()]
    for classes in (one_hot, numbered):
        iterator = ab.DRCNArrayIterator(
            SOURCE, classes, TARGET, epochs=3, batch_size=4, seed=2,
            test_observed=TARGET[:3], test_target=classes[:3],
        )  # fmt: skip
        for batch, labels in zip(iterator.generate_learned_samples(), expected):
            np.testing.assert_array_equal(batch[1].asnumpy(), labels)
            np.testing.assert_array_equal(batch[3].asnumpy(), one_hot[:3])
            np.testing.assert_array_equal(batch[2].asnumpy(), TARGET[:3])


def test_bad_arrays_are_named():
    with pytest.raises(
        ValueError, match=r"`target_domain` must have rows of the shape \(1, 2, 2\)"
    ):
        ab.DRCNArrayIterator(SOURCE, NAMES, TARGET[:, :, :1])
    with pytest.raises(TypeError, match="`target_domain` must hold numbers"):
        ab.DRCNArrayIterator(SOURCE, NAMES, np.array([["a"]]))
    with pytest.raises(TypeError, match="`target_domain` must hold data points"):
        ab.DRCNArrayIterator(SOURCE, NAMES, None)
    with pytest.raises(TypeError, match="`target` must hold the classes"):
        ab.DRCNArrayIterator(SOURCE, None, TARGET)
    with pytest.raises(TypeError, match="no keyword `epoch`. Did you mean `epochs`"):
        ab.DRCNArrayIterator(SOURCE, NAMES, TARGET, epoch=3)


def test_images_of_both_domains(folders):
    iterator = images(folders)
    assert iterator.iter_n == 7 and iterator.label_list == ["ant", "bee"]
    batches = list(iterator.generate_learned_samples())
    assert len(batches) == 7
    for batch in batches:
        assert batch[0].shape == batch[4].shape == batch[2].shape == (4, 1, 2, 2)
        assert [value >= 10 for value in numbers(batch[0])] == (
            batch[1].asnumpy().argmax(axis=1) == 1
        ).tolist()
        assert set(numbers(batch[4])) <= set(range(100, 107))
    drawn = sum((numbers(batch[4]) for batch in batches), [])
    assert sorted(drawn[:7]) == list(range(100, 107))
    paths = sum((batch[3] for batch in iterator.generate_inferenced_samples()), [])
    assert len(paths) == 10


def test_each_image_is_normalised_by_itself(folders):
    for batch in images(folders, norm_mode="z_score").generate_learned_samples():
        np.testing.assert_array_equal(batch[4].asnumpy(), 0.0)  # pictures of one grey


def test_bad_directories_are_named(folders):
    with pytest.raises(FileNotFoundError, match="`target_domain_dir_list` must be a list"):
        images([*folders[:2], folders[2] + "missing"])
    with pytest.raises(FileNotFoundError, match="`dir_list` must be a list"):
        images([folders[0] + "missing", *folders[1:]])
