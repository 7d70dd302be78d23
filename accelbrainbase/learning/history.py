"""What a learning has recorded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


class History:
    """A table of losses: one row for each epoch, or for each turn of a controller.

    Columns are named after what the step returned (`train_loss`, `train_accuracy`, …)
    and what the evaluation returned (`test_loss`, …), and `learning_rate`. In Jupyter it
    shows as a table.

    Args:
        unit: What a row stands for: `"epoch"` or `"turn"`.
    """

    def __init__(self, unit: str = "epoch") -> None:
        self.unit = unit
        self.row_list: list[dict[str, float]] = []
        self.interrupted = False

    def append(self, row: Mapping[str, float]) -> None:
        """Add a row.

        Args:
            row: Values by column.
        """
        self.row_list.append({name: float(value) for name, value in row.items()})

    def __len__(self) -> int:
        return len(self.row_list)

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in the order in which they came up."""
        return list(dict.fromkeys(name for row in self.row_list for name in row))

    def array(self, columns: Sequence[str] | None = None) -> np.ndarray:
        """Return columns as an array.

        Args:
            columns: Names of the columns; all if omitted. A column that was never
                recorded is filled with NaN.

        Returns:
            Array of shape `(rows, columns)`.

        Raises:
            TypeError: If `columns` is one name, not a list.
        """
        _check_names(columns)
        names = self.columns if columns is None else list(columns)
        rows = [[row.get(name, math.nan) for name in names] for row in self.row_list]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(names))

    def column(self, name: str) -> np.ndarray:
        """Return one column, shape `(rows,)`.

        Raises:
            KeyError: If there is no such column.
        """
        if name not in self.columns:
            raise KeyError(f"no column {name!r} was recorded; there are {self.columns}")
        return self.array([name])[:, 0]

    def to_frame(self) -> pd.DataFrame:
        """Return the table as a `pandas.DataFrame`; rows count from 1."""
        import pandas as pd

        index = pd.RangeIndex(1, len(self) + 1, name=self.unit)
        return pd.DataFrame(self.array(), columns=self.columns, index=index)

    def plot(self, columns: Sequence[str] | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw columns as curves over the rows.

        Args:
            columns: Names of the columns; all but the learning rate if omitted.
            ax: Axes to draw on; a new figure if omitted.

        Returns:
            The axes.

        Raises:
            TypeError: If `columns` is one name, not a list.
            KeyError: If there is no such column.
        """
        _check_names(columns)
        from matplotlib.ticker import MaxNLocator

        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots(layout="constrained")[1]
        names = [c for c in self.columns if c != "learning_rate"] if columns is None else columns
        rows = np.arange(1, len(self) + 1)
        for name in names:
            ax.plot(rows, self.column(name), label=name, marker="." if len(self) <= 20 else "")
        ax.set_xlabel(self.unit)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        if names:
            ax.legend()
        return ax

    def __repr__(self) -> str:
        if not self.row_list:
            return f"<History: no {self.unit} yet>"
        last = ", ".join(f"{name}={value:.6g}" for name, value in self.row_list[-1].items())
        ended = ", interrupted" if self.interrupted else ""
        return f"<History of {len(self)} {self.unit}s{ended}; the last: {last}>"

    def _repr_html_(self) -> Any:
        return self.to_frame().to_html(max_rows=12)


def _check_names(columns: Sequence[str] | None) -> None:
    if isinstance(columns, str):  # a sequence too, of its letters
        raise TypeError(f"`columns` must be a list of names, also of one: `[{columns!r}]`.")
