"""The limit of the norm of gradients, by NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import nd

from accelbrainbase._mxnet.norm_limit import limit_norm

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("limit", [0.5, 3.0, 1e4])
@pytest.mark.parametrize("shapes", [[(3,)], [(300, 200), (300,), (2, 3, 5, 5), (1, 1)]])
def test_norm_by_numpy(shapes, limit):
    arrays = [RNG.normal(size=shape).astype(np.float32) for shape in shapes]
    norm = np.sqrt(sum((arr.astype(np.float64) ** 2).sum() for arr in arrays))
    limited = [nd.array(arr) for arr in arrays]
    limit_norm(limited, limit)
    for arr, before in zip(limited, arrays):
        np.testing.assert_allclose(arr.asnumpy(), before * min(1.0, limit / norm), rtol=1e-6)
    if norm <= limit:  # not a bit is changed
        assert all((arr.asnumpy() == before).all() for arr, before in zip(limited, arrays))


def test_other_limits_and_values_afterwards():
    for limit, value in ((1.0, 3.0), (2.0, 3.0), (1.0, 5.0)):
        arr = nd.array([value])
        limit_norm([arr], limit)
        np.testing.assert_allclose(arr.asnumpy(), [limit], rtol=1e-6)


def test_what_is_not_finite_stays_visible():
    arrays = [nd.array([np.nan, 1.0]), nd.array([2.0])]
    limit_norm(arrays, 1.0)
    assert all(np.isnan(arr.asnumpy()).any() for arr in arrays)


def test_zeros_stay_zeros():
    arr = nd.zeros((2, 2))
    limit_norm([arr], 1.0)
    assert (arr.asnumpy() == 0).all()
