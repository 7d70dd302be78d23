"""Random turns, shifts, scalings and shears of pictures."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import nd

import accelbrainbase as ab

RNG = np.random.default_rng(0)
PICTURES = RNG.uniform(1, 2, size=(3, 2, 9, 9)).astype(np.float32)


def noised(monkeypatch, draws, pictures=PICTURES, **limits) -> np.ndarray:
    """Pictures under given draws, in the order turn, shear, scale, shift by x and by y."""
    monkeypatch.setattr(np.random, "uniform", lambda *_, size: np.outer(draws, np.ones(size[1])))
    settings = {"rotation": 0.0, "translation": 0.0, "scaling": 0.0, **limits}
    return ab.AffineNoise(**settings).noise(nd.array(pictures)).asnumpy()


def test_no_limits_no_noise():
    arr = nd.array(PICTURES)
    found = ab.AffineNoise(0.0, 0.0, 0.0).noise(arr)
    np.testing.assert_allclose(found.asnumpy(), PICTURES, atol=1e-5)
    assert found.dtype == arr.dtype and found.context == arr.context


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_quarter_of_a_circle_is_that_of_numpy(monkeypatch, sign):
    found = noised(monkeypatch, [sign, 0, 0, 0, 0], rotation=90.0)
    expected = np.rot90(PICTURES, sign, axes=(2, 3))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_shifts_are_shares_of_the_size(monkeypatch):
    found = noised(monkeypatch, [0, 0, 0, 1, 0], translation=0.25)  # of 8 steps: 2 pixels
    np.testing.assert_allclose(found[..., :-2], PICTURES[..., 2:], atol=1e-5)
    np.testing.assert_array_equal(found[..., -2:], 0.0)
    found = noised(monkeypatch, [0, 0, 0, 0, -1], translation=0.125)
    np.testing.assert_allclose(found[:, :, 1:], PICTURES[:, :, :-1], atol=1e-5)


def test_scaling_about_the_centre(monkeypatch):
    found = noised(monkeypatch, [0, 0, -1, 0, 0], scaling=0.5)  # half as large
    np.testing.assert_allclose(found[:, :, 2:7, 2:7], PICTURES[:, :, ::2, ::2], atol=1e-5)
    np.testing.assert_array_equal(found[:, :, 0], 0.0)


def test_a_shear_moves_rows(monkeypatch):
    found = noised(monkeypatch, [0, 1, 0, 0, 0], shear=45.0)
    np.testing.assert_allclose(found[:, :, 4], PICTURES[:, :, 4], atol=1e-5)
    np.testing.assert_allclose(found[:, :, 5, :-1], PICTURES[:, :, 5, 1:], atol=1e-5)


def test_pictures_that_are_not_square_turn_without_distortion(monkeypatch):
    pictures = np.zeros((1, 1, 5, 9), np.float32)
    pictures[0, 0, 2, 2:7] = 1  # a line of 5 pixels
    found = noised(monkeypatch, [1, 0, 0, 0, 0], pictures, rotation=90.0)
    expected = np.zeros((5, 9))
    expected[:, 4] = 1
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-5)


def test_each_picture_has_draws_of_its_own_that_follow_from_the_seed():
    same = nd.array(np.repeat(PICTURES[:1], 4, axis=0))
    noise = ab.AffineNoise(20.0, 0.1, 0.1, 10.0)
    ab.seed(3)
    first = noise.noise(same).asnumpy()
    assert len(np.unique(first.sum(axis=(1, 2, 3)))) == 4
    assert (noise.noise(same).asnumpy() != first).any()
    ab.seed(3)
    np.testing.assert_array_equal(noise.noise(same).asnumpy(), first)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="`scaling` must be a finite number"):
        ab.AffineNoise(scaling=1.0)
    with pytest.raises(ValueError, match="`arr` must have shape"):
        ab.AffineNoise().noise(nd.ones((2, 3)))
    with pytest.raises(TypeError, match="`arr` must be a `NDArray`"):
        ab.AffineNoise().noise(PICTURES)
