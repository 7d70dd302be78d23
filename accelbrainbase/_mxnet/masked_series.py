"""Series of unequal length, filled up to one length, with masks that tell what counts.

A mask has 1 where a data point counts and 0 where it does not, shape `(batch, seq_len)`.
"""

from __future__ import annotations

from typing import Any

from mxnet import nd

_LATE = 1e9


def order_of_unmasked(F: Any, mask: Any, *, reverse: bool = False) -> Any:
    """Return matrices that put the unmasked points first, and the masked ones behind.

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        mask: Shape `(batch, seq_len)`.
        reverse: Whether the last unmasked point comes first.

    Returns:
        Permutation matrices, shape `(batch, seq_len, seq_len)`, for `batch_dot` with a series;
        the transposed ones undo it.
    """
    position = _positions(F, mask)
    key = F.broadcast_mul(mask, -position if reverse else position) + (1.0 - mask) * _LATE
    order = F.argsort(F.BlockGrad(key), axis=1) + 1.0
    return F.broadcast_equal(F.expand_dims(order, axis=2), F.expand_dims(position, axis=1))


def without_masked(arr: nd.NDArray, mask_arr: nd.NDArray) -> nd.NDArray:
    """Return series with 0 at the masked points, whatever is there: NaN is common.

    Args:
        arr: Shape `(batch, seq_len, n)`.
        mask_arr: Shape `(batch, seq_len)`.
    """
    keep_arr = nd.broadcast_like(nd.expand_dims(mask_arr, axis=2), arr)
    return nd.where(keep_arr, arr, nd.zeros_like(arr))


def last_unmasked(F: Any, arr: Any, mask: Any) -> Any:
    """Return the entries of a series at the last unmasked point.

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        arr: Series, shape `(batch, seq_len, n)`.
        mask: Shape `(batch, seq_len)`.

    Returns:
        Shape `(batch, n)`; 0 where all points are masked.
    """
    position = F.broadcast_mul(mask, _positions(F, mask))
    latest = F.broadcast_equal(position, F.max(position, axis=1, keepdims=True)) * mask
    return F.reshape(F.batch_dot(F.expand_dims(latest, axis=1), arr), shape=(-3, 0))


def _positions(F: Any, mask: Any) -> Any:
    """Return the numbers from 1 to `seq_len`, shape `(1, seq_len)`."""
    first = F.slice_axis(mask, axis=0, begin=0, end=1)
    return F.expand_dims(F.contrib.arange_like(first, start=1.0, axis=1), axis=0)
