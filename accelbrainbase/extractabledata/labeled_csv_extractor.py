"""Reads tables of numbers with a column of labels."""

from __future__ import annotations

import os

import numpy as np

from accelbrainbase._accessors import Accessors
from accelbrainbase._checks import check_choice, check_is_a
from accelbrainbase.extractable_data import ExtractableData
from accelbrainbase.extractabledata._csv import numbers_of, read_table


class LabeledCSVExtractor(Accessors, ExtractableData):
    """Reads a CSV file in which one column holds labels, and the others numbers.

    The first line is the header.

    Args:
        label_column: Name of the column of labels.

    Raises:
        TypeError: If `label_column` is not a string.
    """

    def __init__(self, label_column: str = "label") -> None:
        self.label_column = label_column

    @property
    def label_column(self) -> str:
        """Name of the column of labels."""
        return self._label_column

    @label_column.setter
    def label_column(self, value: str) -> None:
        check_is_a("label_column", value, str)
        self._label_column = value

    def extract(self, path: str | os.PathLike[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers and the labels in the file at `path`.

        Args:
            path: Path of the file.

        Returns:
            Two arrays: the numbers, shape `(rows, columns - 1)`, of integers or floats as in
            the file (empty cells are NaN); and the labels as they are, shape `(rows,)`.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is empty or no table, has no column `label_column` or no
                other one, or a cell is not a number.
        """
        table = read_table(path)
        check_choice("label_column", self.label_column, table.columns)
        labels = table[self.label_column].to_numpy()
        observed = table.drop(columns=self.label_column)
        if observed.shape[1] == 0:
            raise ValueError(
                f"{os.fspath(path)!r} has no column but that of the labels, "
                f"`{self.label_column}`: there is nothing to learn from."
            )
        return numbers_of(path, observed), labels
