"""Copies of NumPy arrays on the device."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd

from accelbrainbase._mxnet.host_copy import copied


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64, np.uint8])
@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (3, 5), (2, 3, 4, 5)])
def test_it_is_what_mxnet_makes_of_it(dtype, shape):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    wanted = nd.array(array, dtype=dtype)
    found = copied(array, mx.cpu(), dtype)
    assert found.dtype == wanted.dtype and found.shape == wanted.shape
    np.testing.assert_array_equal(found.asnumpy(), wanted.asnumpy())


def test_it_is_a_copy_in_rows_whatever_the_source_is():
    array = np.arange(24.0).reshape(4, 6)
    found = copied(array[::2, ::3].T, mx.cpu())
    array[:] = -1
    np.testing.assert_array_equal(found.asnumpy(), [[0, 12], [3, 15]])


def test_what_waits_for_the_device_keeps_its_numbers():
    """A copy that is dropped while an operator on it still waits is not overwritten."""
    slow = nd.random.uniform(shape=(400, 400))
    doubled = []
    for number in range(200):
        slow = nd.dot(slow, slow) * 1e-3
        doubled.append(2 * copied(np.full((50, 50), number), mx.cpu()))
    for number, arr in enumerate(doubled):
        assert (arr.asnumpy() == 2 * number).all()


def test_gradients_flow_to_a_copy():
    x = copied(np.array([1.0, 2.0]), mx.cpu())
    x.attach_grad()
    with mx.autograd.record():
        y = (x * x).sum()
    y.backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), [2, 4])
