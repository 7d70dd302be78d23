"""Pretext tasks, the iterators that make them, and samplers of them."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import nd
from PIL import Image

import accelbrainbase as ab
from accelbrainbase.iteratabledata.ssda_iterator import SSDAIterator as NeutralSSDAIterator

RNG = np.random.default_rng(0)
PICTURES = RNG.normal(size=(12, 2, 6, 6)).astype(np.float32)
SOURCE = RNG.normal(size=(10, 2, 6, 6)).astype(np.float32)
CLASSES = np.arange(10) % 3


@pytest.mark.parametrize("kind", [np.asarray, nd.array])
def test_rotations_are_those_of_numpy(kind):
    arr = kind(PICTURES)
    found, labels = ab.RotationTask().create(arr, np.random.default_rng(1))
    assert found.shape == PICTURES.shape and labels.shape == (12, 4)
    turns = labels.asnumpy().argmax(axis=1)
    assert set(turns) == {0, 1, 2, 3}
    np.testing.assert_array_equal(labels.asnumpy(), np.eye(4)[turns])
    for picture, turned, turn in zip(PICTURES, found.asnumpy(), turns):
        np.testing.assert_array_equal(turned, np.rot90(picture, turn, axes=(1, 2)))
    np.testing.assert_array_equal(arr if kind is np.asarray else arr.asnumpy(), PICTURES)


def test_four_quarters_of_a_circle_are_none():
    arr = nd.array(PICTURES)
    from accelbrainbase.iteratabledata.pretexttask._mxnet.rotation_task import turned

    once = np.ones(12, dtype=int)
    around = turned(turned(turned(turned(arr, once), once), once), once)
    np.testing.assert_array_equal(around.asnumpy(), PICTURES)
    half = turned(turned(arr, once), once).asnumpy()
    np.testing.assert_array_equal(half, PICTURES[:, :, ::-1, ::-1])


def test_each_quarter_of_a_picture_is_turned_in_its_place():
    found, labels = ab.CroppingRotationTask().create(nd.array(PICTURES), np.random.default_rng(1))
    assert found.shape == PICTURES.shape and labels.shape == (12, 16)
    turns = labels.asnumpy().reshape(12, 4, 4)
    assert (turns.sum(axis=2) == 1).all() and len(np.unique(turns.argmax(axis=2))) == 4
    for picture, made, four in zip(PICTURES, found.asnumpy(), turns.argmax(axis=2)):
        for number, turn in enumerate(four):
            place = (slice(None), *(slice(3 * i, 3 * i + 3) for i in divmod(number, 2)))
            np.testing.assert_array_equal(made[place], np.rot90(picture[place], turn, axes=(1, 2)))


def test_pictures_that_cannot_be_turned_are_named():
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match="needs square pictures, but they are 6 high and 5 wide"):
        ab.RotationTask().create(nd.array(PICTURES[..., :5]), generator)
    with pytest.raises(ValueError, match="needs square quarters"):
        ab.CroppingRotationTask().create(nd.array(PICTURES[..., :4]), generator)
    with pytest.raises(ValueError, match="cannot be cut into four quarters"):
        ab.CroppingRotationTask().create(nd.array(PICTURES[..., :5, :5]), generator)
    with pytest.raises(ValueError, match="must have shape"):
        ab.RotationTask().create(nd.ones((3, 4)), generator)


def arrays(**kwargs):
    settings = {"epochs": 2, "batch_size": 4, "seed": 3, **kwargs}
    return ab.SSDAArrayIterator(SOURCE, CLASSES, PICTURES, **settings)


def test_learned_tuples_are_six():
    iterator = arrays(pretext_task=ab.CroppingRotationTask())
    assert isinstance(iterator, NeutralSSDAIterator) and iterator.pretext_block_n == 4
    batches = list(iterator.generate_learned_samples())
    assert len(batches) == iterator.iter_n == 6
    for batch in batches:
        assert len(batch) == 6 and batch[2] is None and batch[3] is None
        assert batch[1].shape == (len(batch[0]), 3)
        assert batch[4].shape == (4, 2, 6, 6) and batch[5].shape == (4, 16)


def test_pretext_samples_are_turned_pictures_of_the_target_domain():
    for batch in arrays().generate_learned_samples():
        turns = batch[5].asnumpy().argmax(axis=1)
        for made, turn in zip(batch[4].asnumpy(), turns):
            back = np.rot90(made, -turn, axes=(1, 2))
            assert (back == PICTURES).all(axis=(1, 2, 3)).any()


def test_turns_follow_from_the_seed():
    def made(seed):
        return [b[5].asnumpy().argmax(axis=1).tolist()
                for b in arrays(seed=seed).generate_learned_samples()]  # fmt: skip

    assert made(1) == made(1) != made(2)
    assert len({tuple(turns) for turns in made(1)}) > 1
    ab.seed(4)
    first = made(None)
    assert first != made(None)
    ab.seed(4)
    assert first == made(None)


def test_samples_asked_for_between_do_not_change_what_comes():
    iterator, whole = arrays(), [b[5].asnumpy() for b in arrays().generate_learned_samples()]
    for batch, expected in zip(iterator.generate_learned_samples(), whole):
        iterator.create_pretext_task_samples(batch[0])
        np.testing.assert_array_equal(batch[5].asnumpy(), expected)


@pytest.fixture
def folders(tmp_path):
    made = []
    for name in ("train/ant", "train/bee", "other"):
        directory = tmp_path / name
        directory.mkdir(parents=True)
        for number in range(5):
            pixels = RNG.integers(256, size=(4, 4)).astype(np.uint8)
            Image.fromarray(pixels).save(directory / f"{number}.png")
        made.append(str(directory))
    return made


@pytest.mark.parametrize(
    ("kind", "width"), [(ab.RotationIterator, 4), (ab.CroppingRotationIterator, 16)]
)
def test_folders_of_images(folders, kind, width):
    iterator = kind(
        ab.ImageExtractor(4, 4, 1), folders[:2], folders[2:], epochs=2, batch_size=4, seed=1
    )
    assert isinstance(iterator, NeutralSSDAIterator) and iterator.iter_n == 5
    batches = list(iterator.generate_learned_samples())
    assert len(batches) == 5
    for batch in batches:
        assert batch[0].shape == batch[2].shape == batch[4].shape == (4, 1, 4, 4)
        assert batch[1].shape == batch[3].shape == (4, 2) and batch[5].shape == (4, width)
    pretext_arr, label_arr = iterator.create_pretext_task_samples(batches[0][0])
    assert pretext_arr.shape == (4, 1, 4, 4) and label_arr.shape == (4, width)
    again = list(iterator.generate_learned_samples())
    np.testing.assert_array_equal(again[-1][4].asnumpy(), batches[-1][4].asnumpy())


def test_a_pretext_task_of_ones_own(folders):
    with pytest.raises(TypeError, match="abstract"):
        ab.SSDAIterator(ab.ImageExtractor(4, 4, 1), folders[:2], folders[2:])

    class Negative(ab.SSDAIterator):
        def create_pretext_task_samples(self, target_domain_batch_arr):
            negative = self.pretext_generator.integers(2)
            return (-1) ** negative * target_domain_batch_arr, nd.ones((4, 1)) * int(negative)

    iterator = Negative(
        ab.ImageExtractor(4, 4, 1), folders[:2], folders[2:], batch_size=4, epochs=1
    )
    assert all(len(batch) == 6 for batch in iterator.generate_learned_samples())


# -- for Transformers --------------------------------------------------------------------------


class Reversed(ab.PretextSampler):
    def preprocess(self, target_domain_arr):
        self.pretext_encoded_observed_arr = target_domain_arr[:, ::-1]
        self.pretext_decoded_observed_arr = target_domain_arr
        self.pretext_label_arr = "answer"


class Series(ab.SSDATransformerIterator):
    def generate_learned_samples(self):
        yield from ()

    def generate_inferenced_samples(self):
        yield from ()


def test_a_sampler_draws_what_it_made():
    sampler, series = Reversed(), RNG.normal(size=(3, 4, 2))
    assert sampler.draw() == (None,) * 5
    sampler.preprocess(series)
    encoded, decoded, encoded_mask, decoded_mask, answer = sampler.draw()
    np.testing.assert_array_equal(encoded, series[:, ::-1])
    assert decoded is series and (encoded_mask, decoded_mask, answer) == (None, None, "answer")
    sampler.set_pretext_label_arr("other")
    assert sampler.get_pretext_label_arr() == "other"


def test_samples_of_several_tasks():
    iterator, series = Series(), RNG.normal(size=(3, 4, 2))
    with pytest.raises(ValueError, match="at least one `PretextSampler`, but is empty"):
        iterator.create_pretext_task_samples_list(series)
    iterator.pretext_samplers_list = [Reversed(), Reversed()]
    lists = iterator.create_pretext_task_samples_list(series)
    assert len(lists) == 5 and all(len(part) == 2 for part in lists)
    assert lists[1][1] is series and lists[4] == ["answer", "answer"]
    with pytest.raises(TypeError, match="`pretext_samplers_list` must be a `PretextSampler`"):
        iterator.pretext_samplers_list = [1]
    with pytest.raises(TypeError, match="`pretext_samplers_list` must be a `list`"):
        iterator.pretext_samplers_list = Reversed()
