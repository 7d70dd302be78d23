"""What pandas objects hold, as arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_NUMBERS = "fiub"


def from_frame(data: Any) -> np.ndarray:
    """Return what a pandas `DataFrame` or `Series` holds: as numbers, if all columns are.

    Args:
        data: An object with `to_numpy`. What is missing among nullable numbers becomes NaN.
    """
    arr: np.ndarray = data.to_numpy()
    if arr.dtype.kind in _NUMBERS:
        return arr
    try:  # nullable numbers, and numbers beside booleans, come out as objects
        kinds = [data.dtype] if arr.ndim == 1 else list(data.dtypes)
        if all(getattr(kind, "kind", "O") in _NUMBERS for kind in kinds):
            numbers: np.ndarray = data.to_numpy(dtype=np.float64, na_value=math.nan)
            return numbers
    except (AttributeError, TypeError, ValueError):
        pass
    return arr
