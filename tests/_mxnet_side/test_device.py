"""Devices: one rule for all, and data get there."""

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from dense_numpy import draw, network
from mxnet import nd

from accelbrainbase._mxnet.device import as_ndarray, resolve_context


def test_without_a_gpu_it_is_the_cpu(monkeypatch):
    monkeypatch.setattr(mx.context, "num_gpus", lambda: 0)
    assert resolve_context() == mx.cpu(0)


def test_a_gpu_that_mxnet_sees_is_used(monkeypatch):
    monkeypatch.setattr(mx.context, "num_gpus", lambda: 2)
    assert resolve_context() == mx.gpu(0)
    with mx.gpu(1):
        assert resolve_context() == mx.gpu(1)


@pytest.mark.parametrize("gpus", [0, 1])
def test_entered_and_given_contexts_come_first(gpus, monkeypatch):
    monkeypatch.setattr(mx.context, "num_gpus", lambda: gpus)
    with mx.cpu(1):
        assert resolve_context() == mx.cpu(1)
        assert resolve_context(mx.cpu(2)) == mx.cpu(2)
        with mx.cpu(0):  # told apart from the default, which is equal to it
            assert resolve_context() == mx.cpu(0)
        assert resolve_context() == mx.cpu(1)
    assert resolve_context() == (mx.gpu(0) if gpus else mx.cpu(0))


@pytest.mark.parametrize(
    ("gpus", "seen"), [(0, "no GPU"), (1, "only 1 GPU")], ids=["none", "fewer"]
)
def test_a_gpu_that_is_not_there_is_named_at_the_door(gpus, seen, monkeypatch):
    monkeypatch.setattr(mx.context, "num_gpus", lambda: gpus)
    message = rf"`ctx` is gpu\(1\), but MXNet sees {seen}.* Pass `ctx=mx.cpu\(\)`"
    with pytest.raises(ValueError, match=message):
        resolve_context(mx.gpu(1))
    with mx.gpu(1), pytest.raises(ValueError, match=message):
        resolve_context()


def test_what_is_no_context():
    with pytest.raises(TypeError, match="`ctx` must be a `Context` or None, but got 'cpu'"):
        resolve_context("cpu")


def test_models_live_on_the_entered_context():
    with mx.cpu(1):
        model = network([3])
    out = model.inference(draw(2, 4))  # also after it was left
    assert out.context == mx.cpu(1) == model.ctx
    assert model.inference(nd.array(draw(2, 4), ctx=mx.cpu(0))).context == mx.cpu(1)


# -- data ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        np.array([[1, 2], [3, 4]]),
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        np.array([[1, 2], [3, 4]], dtype=np.uint8),
        np.array([[1, 3], [2, 4]], dtype=np.float32).T,  # not contiguous
        [[1, 2], [3.0, 4]],
        pd.DataFrame({"a": [1, 3], "b": [2.0, 4.0]}),
    ],
    ids=lambda data: type(data).__name__,
)
def test_numbers_become_float32(data):
    arr = as_ndarray("x", data, mx.cpu(1))
    assert type(arr) is nd.NDArray and arr.dtype == np.float32 and arr.context == mx.cpu(1)
    np.testing.assert_array_equal(arr.asnumpy(), [[1, 2], [3, 4]])


def test_truth_values_and_single_numbers():
    np.testing.assert_array_equal(as_ndarray("x", [True, False], mx.cpu()).asnumpy(), [1, 0])
    assert as_ndarray("x", 3, mx.cpu()).asscalar() == 3.0


def test_arrays_that_are_in_place_are_not_copied():
    arr = nd.ones((2, 3))
    assert as_ndarray("x", arr, mx.cpu(0)) is arr
    moved = as_ndarray("x", arr, mx.cpu(1))
    assert moved.context == mx.cpu(1)
    moved[:] = 5
    assert (arr.asnumpy() == 1).all()


def test_memory_of_numpy_arrays_is_not_shared():
    data = np.ones((2, 3), dtype=np.float32)
    arr = as_ndarray("x", data, mx.cpu())
    arr[:] = 5
    assert (data == 1).all()


def test_arrays_of_workers_are_moved():
    """Batches from the processes of a `DataLoader` live on `cpu_shared`."""
    arr = nd.ones((2, 3), ctx=mx.Context("cpu_shared", 0))
    assert as_ndarray("x", arr, mx.cpu(0)).context == mx.cpu(0)


def test_arrays_of_mxnet_numpy():
    arr = as_ndarray("x", mx.np.array([[1.0, 2.0]]), mx.cpu(0))
    assert type(arr) is nd.NDArray
    np.testing.assert_array_equal(arr.asnumpy(), [[1, 2]])


@pytest.mark.parametrize("data", [["a", "b"], [None], [{}], "text", np.array([1j]), object()])
def test_what_are_no_numbers(data):
    with pytest.raises(TypeError, match="`x` must be an array of numbers, but got"):
        as_ndarray("x", data, mx.cpu())


def test_ragged_lists():
    with pytest.raises((TypeError, ValueError)):
        as_ndarray("x", [[1, 2], [3]], mx.cpu())


@pytest.mark.parametrize("dtype", ["float64", "int32", "uint8", "float16"])
def test_other_types_become_float32(dtype):
    model = network([2])
    arr = nd.array(draw(3, 4) * 10).astype(dtype)
    np.testing.assert_array_equal(
        model.inference(arr).asnumpy(), model.inference(arr.astype("float32")).asnumpy()
    )
    assert as_ndarray("arr", arr, mx.cpu()).dtype == np.float32
    same = arr.astype("float32")
    assert as_ndarray("arr", same, mx.cpu()) is same
