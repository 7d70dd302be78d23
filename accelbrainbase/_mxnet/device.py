"""Where tensors live, and how data get there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_is_a, short
from accelbrainbase._frames import from_frame
from accelbrainbase._mxnet.host_copy import copied


def resolve_context(ctx: mx.Context | None = None) -> mx.Context:
    """Return the device to use: one rule for models, iterators and samplers.

    Args:
        ctx: What the user asked for, or `None`: then the context which the user entered
            (``with mx.cpu(): …``), else a GPU that MXNet sees, else the CPU.

    Raises:
        TypeError: If `ctx` is not a context.
        ValueError: If it is a GPU that MXNet does not see.
    """
    check_is_a("ctx", ctx, mx.Context, optional=True)
    if ctx is not None:
        return _existing(ctx)
    entered = getattr(mx.Context._default_ctx, "value", None)
    # A context that was entered remembers the one before it; the default one does not.
    if entered is not None and (entered._old_ctx is not None or entered != mx.cpu(0)):
        return _existing(entered)
    return mx.gpu(0) if mx.context.num_gpus() > 0 else mx.cpu(0)


def resolve_contexts(ctx: mx.Context | Sequence[mx.Context] | None = None) -> list[mx.Context]:
    """Return the devices to use, where there may be several.

    Args:
        ctx: One device or `None`, as `resolve_context` takes them; or a list or tuple of devices.

    Raises:
        TypeError: If one of them is not a context.
        ValueError: If there is none, one occurs twice, or one is a GPU that MXNet does not see.
    """
    if not isinstance(ctx, (list, tuple)):
        return [resolve_context(ctx)]
    for one in ctx:
        check_is_a("ctx", one, mx.Context)
    if not ctx or len(set(ctx)) < len(ctx):
        raise ValueError(
            f"`ctx` must name at least one device, and each once, but got {list(ctx)}. Pass "
            f"`ctx=[mx.gpu(0), mx.gpu(1)]`, one device, or `None`."
        )
    return [_existing(one) for one in ctx]


def _existing(ctx: mx.Context) -> mx.Context:
    gpus = mx.context.num_gpus() if ctx.device_type == "gpu" else 0
    if ctx.device_type == "gpu" and ctx.device_id >= gpus:
        seen = f"only {gpus} GPU(s)" if gpus else "no GPU"
        raise ValueError(
            f"`ctx` is {ctx}, but MXNet sees {seen}. Pass `ctx=mx.cpu()`; or install MXNet for "
            f"CUDA where there is a GPU. (`mx.gpu()` may be the default of the library that "
            f"called.)"
        )
    return ctx


def as_ndarray(name: str, arr: Any, ctx: mx.Context) -> nd.NDArray:
    """Return `arr` as an NDArray of float32 on `ctx`; it is copied only where it must be.

    Args:
        name: Name of the argument, for the message.
        arr: NDArray, NumPy array, pandas `DataFrame` or `Series`, or anything that
            `numpy.asarray` makes numbers of.
        ctx: The device.

    Raises:
        TypeError: If `arr` is not an array of numbers.
    """
    if isinstance(arr, nd.NDArray):
        if isinstance(arr, mx.np.ndarray):
            arr = arr.as_nd_ndarray()
        if arr.dtype != np.float32:  # MXNet's layers refuse to mix types
            arr = arr.astype(np.float32)
        # Batches of worker processes live on `cpu_shared`, which hybridised nets refuse.
        return arr if arr.context == ctx else arr.as_in_context(ctx)
    array = from_frame(arr) if hasattr(arr, "to_numpy") else np.asarray(arr)
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"`{name}` must be an array of numbers, but got {short(arr)} "
            f"of type `{type(arr).__name__}` (dtype {array.dtype})."
        )
    return copied(array, ctx)
