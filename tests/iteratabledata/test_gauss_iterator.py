"""Draws from a normal distribution, as mini-batches."""

from __future__ import annotations

import numpy as np
import pytest

import accelbrainbase as ab
from accelbrainbase.iteratabledata.labeled_image_iterator import LabeledImageIterator


def draws(iterator, part=0):
    return np.stack([batch[part].asnumpy() for batch in iterator.generate_learned_samples()])


def make(**kwargs):
    settings = {
        "loc": 1.0, "std": 2.0, "dim": 50, "epochs": 3, "batch_size": 40, "norm_mode": None,
        "dataset_size": 400, **kwargs,
    }  # fmt: skip
    return ab.GaussIterator(**settings)


def test_defaults_of_the_contract():
    iterator = ab.GaussIterator()
    assert (iterator.epochs, iterator.batch_size, iterator.iter_n) == (300, 20, 15000)
    assert isinstance(iterator, LabeledImageIterator)


def test_distribution_and_tuples():
    ab.seed(0)
    iterator = make()
    assert iterator.iter_n == 30
    for x, target, t, test_target in iterator.generate_learned_samples():
        assert x is target and t is test_target
        assert x.shape == t.shape == (40, 50) and x.dtype == np.float32
    for part in (0, 2):
        arr = draws(iterator, part)
        assert arr.mean() == pytest.approx(1.0, abs=0.05)
        assert arr.std() == pytest.approx(2.0, abs=0.05)
        assert len(np.unique(arr)) > 0.99 * arr.size


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_each_batch_is_normalised_as_a_whole(scale):
    arr = draws(make(norm_mode="z_score", scale=scale)).reshape(30, -1)
    np.testing.assert_allclose(arr.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(arr.std(axis=1), scale, rtol=1e-5)
    arr = draws(make(norm_mode="min_max", scale=scale), part=2).reshape(30, -1)
    assert (arr.min(axis=1) == 0).all() and arr.max(axis=1) == pytest.approx(scale)


def test_noise_goes_on_the_input_alone():
    iterator = make(std=0.0, noiseable_data=ab.GaussNoise(mu=5.0, sigma=0.0))
    for x, target, t, test_target in iterator.generate_learned_samples():
        assert (x.asnumpy() == 6).all() and (target.asnumpy() == 1).all()
        assert (t.asnumpy() == 1).all() and t is test_target


def test_draws_follow_from_the_seed():
    assert (draws(make(seed=1)) == draws(make(seed=1))).all()
    iterator = make()
    ab.seed(2)
    first, second = draws(iterator), draws(iterator)
    ab.seed(2)
    assert (draws(make()) == first).all() and (first != second).any()


def test_there_is_nothing_to_infer_from():
    with pytest.raises(NotImplementedError, match="Take a test batch of `generate_learned_samples"):
        make().generate_inferenced_samples()


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`std` must be a finite number in \[0, inf\)"):
        make(std=-1.0)
    with pytest.raises(ValueError, match="`dim` must be at least 1"):
        make(dim=0)
    with pytest.raises(TypeError, match="`loc` must be a number"):
        make(loc=None)
    with pytest.raises(ValueError, match="`dataset_size` must be at least 1"):
        make(dataset_size=0)
