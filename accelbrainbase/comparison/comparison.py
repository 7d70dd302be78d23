"""What came out of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Comparison:
    """A table and a figure of functional equivalents; `table, figure = comparison` works too.

    Args:
        table: A row for each model, a column for each measure, `parameters`, `seconds`.
        models: The models by name.
        better: Whether `"higher"` or `"lower"` is better, for each measure.
    """

    COSTS = ("parameters", "seconds")

    def __init__(
        self, table: pd.DataFrame, models: Mapping[str, Any], better: Mapping[str, str]
    ) -> None:
        self.table = table
        self.models = dict(models)
        self.better = dict(better)
        self._figure: Figure | None = None

    @property
    def measures(self) -> list[str]:
        """Names of the measures of the problem: the columns but for `parameters`, `seconds`."""
        return [str(column) for column in self.table if column not in self.COSTS]

    @property
    def figure(self) -> Figure:
        """The figure that `plot` draws; pyplot does not know it, so nothing shows it twice."""
        if self._figure is None:
            from accelbrainbase.comparison._shown_figure import ShownFigure

            self._figure = ShownFigure(layout="constrained")
            self.plot(self._panels_of(self._figure))
        return self._figure

    def best(self, measure: str) -> str:
        """Return the name of the model that is best by a measure.

        Args:
            measure: Its name.

        Raises:
            KeyError: If there is no such measure, or nobody said what is better.
        """
        values = self.table[measure].astype(float)
        return str(values.idxmin() if self.better[measure] == "lower" else values.idxmax())

    def plot(self, axes: Sequence[Axes] | None = None) -> np.ndarray:
        """Draw bars: a panel for each measure, and for what models cost.

        Args:
            axes: Axes for each of them; a new figure of pyplot if omitted.

        Returns:
            The axes. The best by a measure has a colour of its own.

        Raises:
            ValueError: If there are not as many axes as measures.
        """
        drawn = self._drawn()
        if axes is None:
            import matplotlib.pyplot as plt

            axes = self._panels_of(plt.figure(layout="constrained"))
        panels = np.ravel(np.array(axes, dtype=object))
        if len(panels) != len(drawn):
            raise ValueError(
                f"`axes` must be {len(drawn)} axes, one for each of {', '.join(drawn)}, but got "
                f"{len(panels)}."
            )
        for ax, column in zip(panels, drawn):
            self._draw(ax, column)
        return panels

    def _drawn(self) -> list[str]:
        """Names of the columns of which something is known."""
        return [str(column) for column in self.table if self.table[column].notna().any()]

    def _panels_of(self, figure: Figure) -> list[Axes]:
        """Axes for all that is drawn, at most three in a row, so that text stays legible."""
        n = len(self._drawn())
        column_n = 2 if n == 4 else min(n, 3)
        row_n = -(-n // column_n)
        figure.set_size_inches(7.2, row_n * (0.32 * len(self.table) + 0.9))
        grid = figure.subplots(row_n, column_n, sharey=True, squeeze=False).ravel()
        for unused in grid[n:]:
            unused.remove()
        return list(grid[:n])

    def _draw(self, ax: Axes, column: str) -> None:
        values = self.table[column].astype(float).to_numpy()
        colours = ["C0"] * len(values)
        title = column
        if column in self.better:
            colours[list(self.table.index).index(self.best(column))] = "C1"
            title = f"{column}\n({self.better[column]} is better)"
        if column in self.COSTS:
            colours = ["0.6"] * len(values)
        places = np.arange(len(values))
        ax.barh(places, np.nan_to_num(values), color=colours)
        for place, value in zip(places, values):
            ax.annotate(
                "–" if np.isnan(value) else _shown(value), (0, place), xytext=(4, 0),
                textcoords="offset points", va="center", fontsize="small",
                bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75},
            )  # fmt: skip
        ax.set_yticks(places, list(self.table.index))
        ax.set_title(title, fontsize="small")
        ax.locator_params(axis="x", nbins=4)
        ax.tick_params(axis="x", labelsize="small")
        if column == "parameters":
            ax.xaxis.set_major_formatter("{x:,.0f}")
            ax.locator_params(axis="x", nbins=3)
        if not ax.yaxis_inverted():
            ax.invert_yaxis()
        ax.spines[["top", "right"]].set_visible(False)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.table, self.figure))

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> Any:
        return self.table.to_html(float_format=lambda value: f"{value:.4g}")


def _shown(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and value >= 10 else f"{value:.3g}"
