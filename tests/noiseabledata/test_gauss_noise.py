"""Additive Gaussian noise, of NumPy and of MXNet."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd

import accelbrainbase as ab
from accelbrainbase.noiseabledata.gauss_noise import GaussNoise as NumPyNoise

SMALL, LARGE = (20, 100), (200, 100)  # MXNet draws small arrays, NumPy large ones


@pytest.mark.parametrize("shape", [SMALL, LARGE])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_noise_has_the_mean_and_deviation(shape, dtype):
    ab.seed(0)
    clean = nd.full(shape, 3.0, dtype=dtype)
    noised = ab.GaussNoise(mu=0.5, sigma=2.0).noise(clean)
    assert noised.dtype == clean.dtype
    assert (clean.asnumpy() == 3).all()
    added = noised.asnumpy().astype(np.float64) - 3
    n = added.size
    assert added.mean() == pytest.approx(0.5, abs=4 * 2 / np.sqrt(n))
    assert added.std() == pytest.approx(2.0, abs=4 * 2 / np.sqrt(2 * n))
    assert ((added - added.mean()) ** 4).mean() / added.var() ** 2 == pytest.approx(3, abs=0.5)
    assert len(np.unique(noised.asnumpy())) > 0.1 * n or dtype == "float16"


@pytest.mark.parametrize("shape", [SMALL, LARGE])
def test_noise_follows_from_the_seed_of_mxnet(shape):
    noise, clean = ab.GaussNoise(), nd.zeros(shape)
    mx.random.seed(3)
    first, second = noise.noise(clean).asnumpy(), noise.noise(clean).asnumpy()
    mx.random.seed(3)
    assert (noise.noise(clean).asnumpy() == first).all()
    assert (first != second).any()


def test_numpy_noise():
    ab.seed(0)
    clean = np.full(LARGE, 3.0, dtype=np.float32)
    noise = NumPyNoise(mu=0.5, sigma=2.0)
    first = noise.noise(clean)
    assert first.dtype == np.float32 and (clean == 3).all()
    assert first.mean() == pytest.approx(3.5, abs=0.06)
    assert first.std() == pytest.approx(2.0, abs=0.04)
    assert (noise.noise(clean) != first).any()
    ab.seed(0)
    assert (noise.noise(clean) == first).all()


@pytest.mark.parametrize("shape", [SMALL, LARGE])
def test_sigma_zero_adds_the_mean(shape):
    assert (ab.GaussNoise(mu=2.0, sigma=0.0).noise(nd.ones(shape)).asnumpy() == 3).all()


def test_noise_in_a_graph():
    symbol = ab.GaussNoise(mu=1.0, sigma=0.5).noise(mx.sym.var("x"), F=mx.sym)
    got = symbol.eval(x=nd.zeros(LARGE))[0].asnumpy()
    assert got.mean() == pytest.approx(1.0, abs=0.02)
    assert got.std() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("shape", [SMALL, LARGE])
def test_gradients_go_through_the_noise(shape):
    clean = nd.ones(shape)
    clean.attach_grad()
    with autograd.record():
        noised = ab.GaussNoise().noise(clean) * 3
    noised.backward()
    assert (clean.grad.asnumpy() == 3).all()


@pytest.mark.parametrize("kind", [ab.GaussNoise, NumPyNoise])
def test_bad_arguments(kind):
    with pytest.raises(ValueError, match=r"`sigma` must be a finite number in \[0, inf\)"):
        kind(sigma=-1.0)
    with pytest.raises(ValueError, match="`mu` must be a finite number"):
        kind(mu=float("nan"))
    with pytest.raises(TypeError, match="`sigma` must be a number"):
        kind(sigma="1")


def test_bad_arrays():
    with pytest.raises(TypeError, match="`arr` must be a `NDArray` or `Symbol`"):
        ab.GaussNoise().noise(np.ones(3))
    with pytest.raises(TypeError, match="`arr` must be a NumPy array of floats.*dtype int64"):
        NumPyNoise().noise(np.ones(3, dtype=np.int64))
    with pytest.raises(TypeError, match="for NDArrays take `accelbrainbase.GaussNoise`"):
        NumPyNoise().noise(nd.ones(3))
