"""Series of unequal length, filled up to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer, check_is_a, short
from accelbrainbase.iteratabledata._arrays import as_numbers, check_finite


def pad_series(series: Any, seq_len: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Fill up series of unequal length with zeros at their ends, and say what counts.

    Args:
        series: One array or table for each series, shape `(length, features)`, or `(length,)`
            for one feature. Lengths may differ, features may not.
        seq_len: The length of all; that of the longest series if omitted.

    Returns:
        The series, shape `(series, seq_len, features)`, and their mask, shape
        `(series, seq_len)`: 1 where there is a data point, 0 where there is none. Both float32.

    Raises:
        TypeError: If `series` is no list of series, or one of them does not hold numbers.
        ValueError: If one is empty, not finite, has other features or is longer than `seq_len`.
    """
    return pad_named("series", series, seq_len)


def pad_named(
    name: str, series: Any, seq_len: int | None = None, feature_n: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Do what `pad_series` does, for another argument and with features that are known.

    Args:
        name: Name of the argument, for messages.
        series: The series.
        seq_len: The length of all; that of the longest if omitted.
        feature_n: Number of features; that of the first series if omitted.
    """
    check_is_a(name, series, (Sequence, np.ndarray))
    if isinstance(series, str) or not len(series):
        raise ValueError(
            f"`{name}` must be a list of at least one series, but got {short(series)}."
        )
    arrays = [_points(f"{name}[{number}]", one) for number, one in enumerate(series)]
    feature_n = feature_n or arrays[0].shape[1]
    longest = max(map(len, arrays))
    if seq_len is None:
        seq_len = longest
    elif check_integer("seq_len", seq_len, low=1) < longest:
        raise ValueError(
            f"`seq_len` must be at least {longest}, the length of the longest of `{name}`, but got "
            f"{seq_len}. Cut the series first if that is meant."
        )
    padded = np.zeros((len(arrays), seq_len, feature_n), dtype=np.float32)
    mask = np.zeros((len(arrays), seq_len), dtype=np.float32)
    for number, arr in enumerate(arrays):
        if arr.shape[1] != feature_n:
            raise ValueError(
                f"`{name}[{number}]` must have {feature_n} features, as the others, but has the "
                f"shape {arr.shape}."
            )
        padded[number, : len(arr)], mask[number, : len(arr)] = arr, 1.0
    return padded, mask


def _points(name: str, series: Any) -> np.ndarray:
    arr = as_numbers(name, series)
    if arr.ndim == 1:
        arr = arr.reshape(-1, 1)
    if arr.ndim != 2:
        raise ValueError(
            f"`{name}` must have the shape (length, features), but has {arr.shape}. An array of "
            f"series of one length needs no mask: pass it to an `ArrayIterator`."
        )
    check_finite(name, arr)
    return arr
