"""Labels and one-hot vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from accelbrainbase._checks import short
from accelbrainbase.iteratabledata._arrays import place


def classes_of(name: str, labels: np.ndarray) -> list[Any]:
    """Return the distinct labels, sorted.

    Args:
        name: Name of the argument, for the message.
        labels: Shape `(rows,)`.

    Raises:
        ValueError: If a label is missing (`None` or NaN).
        TypeError: If labels cannot be sorted, for instance text beside numbers.
    """
    values = labels.tolist()
    for row, value in enumerate(values):
        if value is None or value != value:
            raise ValueError(
                f"`{name}` must hold a label for each row, but {place((row,))} has "
                f"{value!r}. Drop such rows, or give them a label of their own."
            )
    try:
        return sorted(set(values))
    except TypeError as error:
        kinds = sorted({type(value).__name__ for value in values})
        raise TypeError(
            f"`{name}` must hold labels of one type, but has {' and '.join(kinds)}. "
            "Convert them, for instance with `.astype(str)`."
        ) from error


def one_hot_of(name: str, labels: np.ndarray, classes: Sequence[Any]) -> np.ndarray:
    """Return one-hot vectors.

    Args:
        name: Name of the argument, for the message.
        labels: Shape `(rows,)`.
        classes: All classes, in the order of the columns.

    Returns:
        float32 array of shape `(rows, classes)`.

    Raises:
        ValueError: If a label is not in `classes`.
    """
    columns = {label: column for column, label in enumerate(classes)}
    values = labels.tolist()
    if all(isinstance(label, str) for label in classes):
        values = [str(value) for value in values]
    arr = np.zeros((len(values), len(classes)), dtype=np.float32)
    for row, value in enumerate(values):
        if value not in columns:
            raise ValueError(
                f"`{name}` has the label {value!r} in {place((row,))} which the training data "
                f"do not have: their labels are {short(list(classes))}. Drop such rows, or "
                "add some of that label to the training data."
            )
        arr[row, columns[value]] = 1.0
    return arr
