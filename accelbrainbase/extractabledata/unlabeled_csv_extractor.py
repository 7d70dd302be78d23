"""Reads tables of numbers."""

from __future__ import annotations

import os

import numpy as np

from accelbrainbase.extractable_data import ExtractableData
from accelbrainbase.extractabledata._csv import numbers_of, read_table


class UnlabeledCSVExtractor(ExtractableData):
    """Reads a CSV file of numbers. Its first line is the header."""

    def extract(self, path: str | os.PathLike[str]) -> np.ndarray:
        """Return the numbers in the file at `path`.

        Args:
            path: Path of the file.

        Returns:
            Array of shape `(rows, columns)`, of integers or floats as in the file. Empty
            cells are NaN.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is empty or no table, or a cell is not a number.
        """
        return numbers_of(path, read_table(path))
