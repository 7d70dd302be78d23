"""Data of problems, checked at the door."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelbrainbase.iteratabledata._arrays import as_array, as_numbers, check_finite


def data_points(name: str, data: Any, like: np.ndarray | None = None) -> np.ndarray:
    """Return data points, float32 of shape `(n, *features)`.

    Args:
        name: Name of the argument.
        data: The data points.
        like: Data points that have the same features.

    Raises:
        TypeError: If they are not numbers.
        ValueError: If they are no data points, not finite, or have other features.
    """
    arr = as_numbers(name, data)
    check_finite(name, arr)
    if arr.ndim < 2:
        raise ValueError(f"`{name}` must have the shape (n, *features), but has {arr.shape}.")
    if like is not None and arr.shape[1:] != like.shape[1:]:
        raise ValueError(
            f"`{name}` must hold data points of shape {like.shape[1:]}, as the others have, but "
            f"they have {arr.shape[1:]}."
        )
    return arr.astype(np.float32)


def labels_of(name: str, labels: Any, data: np.ndarray) -> np.ndarray:
    """Return labels, one for each data point, shape `(n,)`.

    Raises:
        ValueError: If there are not as many.
    """
    arr = as_array(name, labels)
    if arr.shape != (len(data),):
        raise ValueError(
            f"`{name}` must have one label for each of the {len(data)} data points, shape "
            f"({len(data)},), but has {arr.shape}."
        )
    return arr
