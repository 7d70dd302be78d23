"""Where holes are, how large, and how often each place is cut."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd

import accelbrainbase as ab
from accelbrainbase.noiseabledata.cutout_noise import CutoutNoise as NeutralCutoutNoise


class Cutting(mx.gluon.HybridBlock):
    """Cuts inside of a graph."""

    def __init__(self, noise):
        super().__init__()
        self.cutout = noise

    def hybrid_forward(self, F, x):
        return self.cutout.noise(x, F)


def in_a_graph(height, width):
    block = Cutting(ab.CutoutNoise(height, width))
    block.hybridize()
    return lambda arr: block(nd.array(arr, dtype=arr.dtype)).asnumpy()


def on_the_device(height, width):
    noise = ab.CutoutNoise(height, width)
    return lambda arr: noise.noise(nd.array(arr, dtype=arr.dtype)).asnumpy()


def by_operators(height, width):
    noise = ab.CutoutNoise(height, width)
    return lambda arr: noise._cut(nd.array(arr, dtype=arr.dtype), nd).asnumpy()


def in_numpy(height, width):
    return NeutralCutoutNoise(height, width).noise


WAYS = pytest.mark.parametrize("way", [in_numpy, on_the_device, by_operators, in_a_graph])


@pytest.fixture(autouse=True)
def _seed():
    ab.seed(0)


def hole_of(image):
    """First and last row and column of the hole of an image of ones, shape `(height, width)`."""
    rows, columns = np.nonzero(image == 0)
    inside = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert (inside == 0).all(), "the hole is no rectangle"
    return rows.min(), rows.max(), columns.min(), columns.max()


@WAYS
def test_holes_are_rectangles_around_a_pixel_of_the_image(way):
    noised = way(3, 4)(np.ones((400, 2, 6, 7), np.float32))
    assert (noised[:, 0] == noised[:, 1]).all(), "channels have holes of their own"
    found = {hole_of(image[0]) for image in noised}
    expected = {
        (max(y - 1, 0), min(y + 1, 5), max(x - 2, 0), min(x + 1, 6))
        for y in range(6)
        for x in range(7)
    }
    assert found == expected  # 42 places: 400 draws leave one out once in 400


@WAYS
def test_each_pixel_is_a_centre_equally_often(way):
    noised = way(1, 1)(np.ones((4200, 1, 6, 7), np.float32))
    counts = (noised[:, 0] == 0).sum(axis=0)
    assert counts.sum() == 4200
    chi_square = ((counts - 100) ** 2 / 100).sum()
    assert 15 < chi_square < 85  # 41 degrees of freedom: mean 41, deviation 9


@WAYS
def test_what_is_not_cut_is_unchanged(way):
    arr = np.random.default_rng(0).normal(size=(5, 3, 8, 9)).astype(np.float32)
    arr[0, 0] = np.nan
    before = arr.copy()
    noised = way(3, 3)(arr)
    np.testing.assert_array_equal(arr, before)
    same = (noised == arr) | (np.isnan(noised) & np.isnan(arr))
    assert (same | (noised == 0)).all() and not same.all()


@WAYS
def test_a_hole_may_be_larger_than_the_image(way):
    assert (way(99, 99)(np.ones((3, 1, 4, 4), np.float32)) == 0).all()


@WAYS
def test_follows_the_seed_and_each_call_draws_anew(way):
    cut, arr = way(2, 2), np.ones((8, 1, 9, 9), np.float32)
    ab.seed(5)
    first, second = cut(arr), cut(arr)
    ab.seed(5)
    np.testing.assert_array_equal(cut(arr), first)
    assert (first != second).any()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
@pytest.mark.parametrize("way", [in_numpy, on_the_device, by_operators])
def test_keeps_dtype_and_shape(way, dtype):
    noised = way(2, 2)(np.ones((3, 2, 5, 5), dtype))
    assert noised.dtype == dtype and noised.shape == (3, 2, 5, 5)


@pytest.mark.parametrize("way", [in_numpy, on_the_device])
@pytest.mark.parametrize("shape", [(4, 6, 6), (4, 3, 2, 6, 6)])
def test_any_axes_between_batch_and_height(way, shape):
    noised = way(2, 2)(np.ones(shape, np.float32))
    holes = (noised == 0).reshape(4, -1, 6, 6)
    assert (
        noised.shape == shape and (holes == holes[:, :1]).all() and holes.any(axis=(1, 2, 3)).all()
    )


def test_passes_gradients_where_nothing_is_cut():
    arr = nd.ones((2, 1, 5, 5))
    arr.attach_grad()
    with mx.autograd.record():
        noised = ab.CutoutNoise(3, 3).noise(arr)
    noised.backward()
    np.testing.assert_array_equal(arr.grad.asnumpy(), noised.asnumpy())


def test_errors_name_what_is_wrong():
    with pytest.raises(ValueError, match="`height` must be at least 1, but got 0"):
        ab.CutoutNoise(height=0)
    with pytest.raises(TypeError, match="`width` must be an integer, but got 2.5"):
        ab.CutoutNoise(width=2.5)
    with pytest.raises(TypeError, match="accelbrainbase.CutoutNoise"):
        NeutralCutoutNoise().noise(nd.ones((1, 1, 4, 4)))
    with pytest.raises(TypeError, match="`arr` must be a `NDArray`"):
        ab.CutoutNoise().noise(np.ones((1, 1, 4, 4)))
    for noise, arr in (
        (NeutralCutoutNoise(), np.ones((4, 4))),
        (ab.CutoutNoise(), nd.ones((4, 4))),
    ):
        with pytest.raises(ValueError, match=r"has the shape \(4, 4\)"):
            noise.noise(arr)
