"""Reading CSV files with pandas, with messages that name the file."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from accelbrainbase._checks import check_is_a, short

if TYPE_CHECKING:
    from pandas import DataFrame

logger = logging.getLogger(__name__)


def read_table(path: str | os.PathLike[str]) -> DataFrame:
    """Read a CSV file whose first line is the header.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is empty or no table.
    """
    import pandas as pd  # takes a third of a second

    check_is_a("path", path, (str, os.PathLike))
    file = repr(os.fspath(path))
    try:
        table = pd.read_csv(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"`path` must be a CSV file, but there is no file {file} "
            f"(seen from the directory {os.getcwd()!r})."
        ) from error
    except pd.errors.EmptyDataError as error:
        raise ValueError(
            f"`path` must be a CSV file with a header, but {file} is empty."
        ) from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(
            f"`path` must be a CSV file with commas between the columns, in UTF-8, "
            f"but {file} cannot be read: {error}"
        ) from error
    if table.empty:
        raise ValueError(
            f"{file} has a header but no rows. The first line of a file always counts as header."
        )
    if all(_is_number(name) for name in table.columns):
        logger.warning(
            "The first line of %s is taken as the header, but looks like data: %s. "
            "Put names of the columns above it.",
            file,
            short(list(table.columns)),
        )
    return table


def numbers_of(path: str | os.PathLike[str], table: DataFrame) -> np.ndarray:
    """Return the cells as one array of numbers.

    Raises:
        ValueError: If a cell is not a number. The message names the first one.
    """
    import pandas as pd

    for name in table.columns:
        column = table[name]
        if pd.api.types.is_bool_dtype(column):
            table = table.assign(**{name: column.astype(np.int64)})
        elif not pd.api.types.is_numeric_dtype(column):
            wrong = pd.to_numeric(column, errors="coerce").isna() & column.notna()
            row = int(np.flatnonzero(wrong.to_numpy())[0]) if wrong.any() else 0
            raise ValueError(
                f"{os.fspath(path)!r} must hold numbers, but column `{name}` has "
                f"{short(column.iloc[row])} in row {row} (counted from 0, below the header). "
                "Remove the column, encode it as numbers, or read it as labels (`label_column`)."
            )
    return table.to_numpy()


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
