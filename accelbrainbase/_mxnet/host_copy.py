"""Copies of NumPy arrays on the device, without waiting for it.

`mxnet.nd.array` asks the engine whether the new array may be written, and waits for the answer.
That takes 0.04 to 0.1 ms, and more while the device is behind: whoever copies a mini-batch in each
step waits in each step. But nothing else knows of a new array, so there is nothing to ask.
"""

from __future__ import annotations

import ctypes
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd
from mxnet.base import _LIB, check_call


def copied(array: Any, ctx: mx.Context, dtype: Any = np.float32) -> nd.NDArray:
    """Return a copy of `array` as an NDArray: the same numbers as `mxnet.nd.array` gives.

    Args:
        array: NumPy array, or anything that `numpy.asarray` takes.
        ctx: The device.
        dtype: Type of the copy.
    """
    source = np.asarray(array, dtype=dtype, order="C")
    if ctx.device_type == "gpu" or not source.shape or not source.size:
        return nd.array(source, ctx=ctx, dtype=dtype)
    target = nd.empty(source.shape, ctx=ctx, dtype=source.dtype)
    place = ctypes.c_void_p()
    check_call(_LIB.MXNDArrayGetData(target.handle, ctypes.byref(place)))
    ctypes.memmove(place, source.ctypes.data, source.nbytes)
    return target
