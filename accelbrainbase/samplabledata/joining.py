"""Putting data points and what belongs to them into one array, of NumPy or MXNet."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np


def join(first_arr: Any, second_arr: Any, dim: int = 1) -> Any:
    """Concatenate two arrays.

    Where the second is a vector for each data point (labels) and the first has more axes
    (images), each of its entries becomes a whole plane.

    Args:
        first_arr: Shape `(batch, *features)`.
        second_arr: Shape `(batch, *features)`, or `(batch, entries)`.
        dim: The axis along which they are concatenated.

    Raises:
        ValueError: If the shapes do not fit.
    """
    shape = first_arr.shape
    if len(second_arr.shape) == 2 and len(shape) > 2:
        spread = (*second_arr.shape, *(1,) * (len(shape) - 2))
        full = (*second_arr.shape, *shape[2:])
        second_arr = second_arr.reshape(spread)
        numpy = isinstance(second_arr, np.ndarray)
        second_arr = np.broadcast_to(second_arr, full) if numpy else second_arr.broadcast_to(full)
    others = [tuple(n for i, n in enumerate(s) if i != dim) for s in (shape, second_arr.shape)]
    if len(shape) != len(second_arr.shape) or others[0] != others[1]:
        raise ValueError(
            f"Data points of shape {shape} and conditions of shape {second_arr.shape} cannot be "
            f"joined on axis {dim}: all other axes must agree."
        )
    if isinstance(first_arr, np.ndarray):
        return np.concatenate([first_arr, second_arr], axis=dim)
    return import_module("mxnet").nd.concat(first_arr, second_arr, dim=dim)
