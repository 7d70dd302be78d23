"""The check at the door of noises for NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelbrainbase._checks import short


def check_floats(arr: Any, noise: str) -> None:
    """Raise a `TypeError` unless `arr` is a NumPy array of floats.

    Args:
        arr: The array.
        noise: Name of the class of noise, whose twin takes NDArrays.
    """
    if not isinstance(arr, np.ndarray) or arr.dtype.kind != "f":
        dtype = f" (dtype {arr.dtype})" if hasattr(arr, "dtype") else ""
        raise TypeError(
            "`arr` must be a NumPy array of floats, but got "
            f"{short(arr)} of type `{type(arr).__name__}`{dtype}. Convert numbers with "
            f"`arr.astype('float32')`; for NDArrays take `accelbrainbase.{noise}`."
        )
