"""Masking, salt-and-pepper and dropout noise, of NumPy and of MXNet."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd

import accelbrainbase as ab
from accelbrainbase.noiseabledata.dropout_noise import DropoutNoise
from accelbrainbase.noiseabledata.masking_noise import MaskingNoise
from accelbrainbase.noiseabledata.salt_and_pepper_noise import SaltAndPepperNoise

SHAPE = (100, 4, 50)
PAIRS = [
    (MaskingNoise, ab.MaskingNoise),
    (SaltAndPepperNoise, ab.SaltAndPepperNoise),
    (DropoutNoise, ab.DropoutNoise),
]
each_pair = pytest.mark.parametrize(("neutral", "ours"), PAIRS, ids=lambda kind: kind.__name__)


def noised(kind, clean, **kwargs):
    """What comes out, as NumPy; the class may take NumPy arrays or NDArrays."""
    if "._mxnet." in kind.__module__:
        return kind(**kwargs).noise(nd.array(clean, dtype=clean.dtype)).asnumpy()
    return kind(**kwargs).noise(clean)


def close(share, expected, n):
    assert share == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / n) + 1e-9)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("kind", [kind for pair in PAIRS for kind in pair])
def test_what_comes_out(kind, dtype):
    ab.seed(0)
    clean = np.full(SHAPE, 3.0, dtype=dtype)
    got = noised(kind, clean, rate=0.3)
    assert got.dtype == clean.dtype and got.shape == SHAPE and (clean == 3).all()
    n = got.size
    values, counts = np.unique(got, return_counts=True)
    expected = {
        "MaskingNoise": {0.0: 0.3, 3.0: 0.7},
        "SaltAndPepperNoise": {0.0: 0.15, 1.0: 0.15, 3.0: 0.7},
        "DropoutNoise": {0.0: 0.3, 3 / 0.7: 0.7},
    }[kind.__name__]
    np.testing.assert_allclose(values, sorted(expected), rtol=2e-3)
    for count, value in zip(counts, sorted(expected)):
        close(count / n, expected[value], n)
    if kind.__name__ == "DropoutNoise":
        assert got.mean(dtype=np.float64) == pytest.approx(3, abs=0.1)
    hit = got[:, 0] != values[-1]  # neighbours, rows and columns are hit for themselves
    close((hit[:, 1:] & hit[:, :-1]).mean(), 0.09 if len(values) == 2 else 0.09, n / 4)
    close((hit[1:] & hit[:-1]).mean(), 0.09, n / 4)


@each_pair
def test_rate_0_and_1(neutral, ours):
    clean = np.random.RandomState(0).rand(20, 30).astype(np.float32) + 2
    for kind in (neutral, ours):
        np.testing.assert_array_equal(noised(kind, clean, rate=0.0), clean)
        if kind.__name__ != "DropoutNoise":
            assert set(np.unique(noised(kind, clean, rate=1.0))) <= {0.0, 1.0}


@each_pair
def test_what_is_not_a_number_is_masked_too(neutral, ours):
    clean = np.full(SHAPE, np.nan, dtype=np.float32)
    for kind in (neutral, ours):
        assert (noised(kind, clean, rate=0.5) == 0).any()


@each_pair
def test_draws_follow_from_the_seed(neutral, ours):
    clean = np.ones(SHAPE, dtype=np.float32)
    for kind in (neutral, ours):
        ab.seed(3)
        first, second = (noised(kind, clean, rate=0.5) for _ in range(2))
        ab.seed(3)
        np.testing.assert_array_equal(noised(kind, clean, rate=0.5), first)
        assert (first != second).any()


@each_pair
def test_in_a_graph(neutral, ours):  # noqa: ARG001
    symbol = ours(rate=0.25).noise(mx.sym.var("x"), F=mx.sym)
    got = symbol.eval(x=nd.full(SHAPE, 2.0))[0].asnumpy()
    share = 0.125 if ours is ab.SaltAndPepperNoise else 0.25
    close((got == 0).mean(), share, got.size)


@each_pair
def test_gradients_go_where_the_data_point_was_kept(neutral, ours):  # noqa: ARG001
    clean = nd.full((30, 40), 2.0)
    clean.attach_grad()
    with autograd.record():
        arr = ours(rate=0.5).noise(clean)
    arr.backward()
    kept = arr.asnumpy() >= 2
    assert ((clean.grad.asnumpy() != 0) == kept).all() and kept.any() and not kept.all()


@pytest.mark.parametrize("kind", [kind for pair in PAIRS for kind in pair])
def test_bad_arguments(kind):
    for rate in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="`rate` must be a finite number in"):
            kind(rate=rate)
    with pytest.raises(TypeError, match="`rate` must be a number"):
        kind(rate="1")


def test_more_bad_arguments():
    for kind in (DropoutNoise, ab.DropoutNoise):
        with pytest.raises(ValueError, match=r"`rate` must be a finite number in \[0, 1\)"):
            kind(rate=1.0)
    for kind in (SaltAndPepperNoise, ab.SaltAndPepperNoise):
        with pytest.raises(ValueError, match=r"`high` must be a finite number in \(1, inf\)"):
            kind(low=1.0, high=1.0)


@each_pair
def test_bad_arrays(neutral, ours):
    with pytest.raises(TypeError, match="`arr` must be a `NDArray` or `Symbol`"):
        ours().noise(np.ones(3))
    with pytest.raises(TypeError, match="`arr` must be a NumPy array of floats.*dtype int64"):
        neutral().noise(np.ones(3, dtype=np.int64))
    with pytest.raises(TypeError, match=f"for NDArrays take `accelbrainbase.{ours.__name__}`"):
        neutral().noise(nd.ones(3))


def test_levels_of_salt_and_pepper():
    for kind in (SaltAndPepperNoise, ab.SaltAndPepperNoise):
        got = noised(kind, np.zeros(SHAPE, np.float32), rate=0.5, low=-2.0, high=5.0)
        assert set(np.unique(got)) == {-2.0, 0.0, 5.0}
