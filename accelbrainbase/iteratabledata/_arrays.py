"""What people have in hand, as arrays of numbers; and messages where it is none."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from accelbrainbase._checks import short
from accelbrainbase._frames import from_frame

_NUMBERS = "fiub"
_LARGEST = float(np.finfo(np.float32).max)


def column_names(data: Any) -> list[str] | None:
    """Return the names of the columns of a `DataFrame`, or `None`."""
    if hasattr(data, "to_numpy") and hasattr(data, "columns"):
        return [str(name) for name in data.columns]
    return None


def as_numbers(name: str, data: Any) -> np.ndarray:
    """Return `data` as an array of numbers, not copied where it need not be.

    Args:
        name: Name of the argument, for the message.
        data: NumPy array, pandas `DataFrame` or `Series`, NDArray, or nested lists.

    Raises:
        TypeError: If it is not made of numbers.
        ValueError: If it is ragged or empty.
    """
    arr = as_array(name, data)
    if arr.dtype.kind not in _NUMBERS:
        first = _first_other(arr, column_names(data))
        raise TypeError(
            f"`{name}` must hold numbers, but has the dtype {arr.dtype}{first}. "
            "Convert it first, for instance with `.astype('float32')`, or "
            "`pandas.get_dummies` for columns of categories."
        )
    return arr


def as_array(name: str, data: Any) -> np.ndarray:
    """Return `data` as an array of any dtype with at least one row."""
    if hasattr(data, "toarray"):
        raise TypeError(
            f"`{name}` must be dense, but got a sparse `{type(data).__name__}`. "
            f"Pass `{name}.toarray()`."
        )
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise ValueError(
            f"`{name}` must not have masked values, but {int(np.ma.getmaskarray(data).sum())} are. "
            f"Fill them, by `{name}.filled(…)`, or drop such rows first."
        )
    if hasattr(data, "asnumpy"):
        arr = data.asnumpy()
    elif hasattr(data, "to_numpy"):
        arr = from_frame(data)
    else:
        arr = _from_lists(data)
    if arr is None or _is_ragged(arr):
        raise ValueError(
            f"`{name}` must have rows of one shape, but they differ: {short(data)}. "
            "Pad or cut them to one length first; `SeriesIterator` takes series of several."
        )
    if arr.ndim == 0:
        raise TypeError(
            f"`{name}` must be a NumPy array, a pandas DataFrame or nested lists, "
            f"but got {short(data)} of type `{type(data).__name__}`."
        )
    if arr.size == 0:
        raise ValueError(f"`{name}` must not be empty, but has the shape {arr.shape}.")
    return arr


def check_finite(name: str, arr: np.ndarray, columns: Sequence[str] | None = None) -> None:
    """Raise a `ValueError` that names the first value which is no finite float32."""
    if -_LARGEST <= arr.min() and arr.max() <= _LARGEST:  # not true of NaN either
        return
    bad = ~(np.abs(arr) <= _LARGEST)
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    more = f", the first of {bad.sum()} such values" if bad.sum() > 1 else ""
    raise ValueError(
        f"`{name}` must hold finite numbers in the range of float32, but {place(first, columns)} "
        f"is {arr[first]}{more}. Fill or drop such rows first (pandas: `fillna`, `dropna`)."
    )


def place(index: Sequence[int], columns: Sequence[str] | None = None) -> str:
    """Return where a value is, in words."""
    text = f"row {index[0]}"
    if len(index) == 2:
        named = f" (`{columns[index[1]]}`)" if columns else ""
        text += f", column {index[1]}{named}"
    elif len(index) > 2:
        text += f", position {tuple(index[1:])}"
    return f"{text}, counted from 0,"


def _from_lists(data: Any) -> np.ndarray | None:
    """Return an array, or `None` if the rows differ in length."""
    if isinstance(data, np.ndarray):
        return data
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy before 1.24 warns, and makes an array of lists
            arr = np.asarray(data)
    except ValueError:
        return None
    # As text, NaN beside text would not be missing any more.
    return np.asarray(data, dtype=object) if arr.dtype.kind in "US" else arr


def _is_ragged(arr: np.ndarray) -> bool:
    rows = (list, tuple, np.ndarray)
    return arr.dtype.kind == "O" and any(isinstance(value, rows) for value in arr.flat)


def _first_other(arr: np.ndarray, columns: Sequence[str] | None) -> str:
    """Return where the first value is that is no number, for a message."""
    if arr.dtype.kind != "O":
        return f": {short(arr.flat[0])}"
    for index, value in np.ndenumerate(arr):
        if not isinstance(value, (int, float, np.number, np.bool_)):
            return f": {place(index, columns)} is {short(value)}"
    return ""
