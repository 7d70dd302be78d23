"""Series, what a model makes of them, and how anomalous they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from accelbrainbase._checks import check_number
from accelbrainbase.iteratabledata._arrays import as_numbers, check_finite
from accelbrainbase.plotting._axes import axes_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def anomaly_scores(
    scores: Any,
    *,
    threshold: float | None = None,
    series: Any = None,
    reconstructed: Any = None,
    y: Any = None,
    axes: Axes | Sequence[Axes] | None = None,
) -> Any:
    """Draw anomaly scores, and above them the series, its reconstruction and the alarms.

    Args:
        scores: Higher is more anomalous, shape `(rows,)`.
        threshold: Scores above it are alarms.
        series: Shape `(rows, variables)` or `(rows,)`.
        reconstructed: What a model makes of it, of the same size.
        y: Labels of the rows, drawn as shades where they are -1 (anomalous).
        axes: With `series` two axes to draw on, else one; a new figure if omitted.

    Returns:
        With `series` two axes: of the series, of the scores; else the axes of the scores.

    Raises:
        TypeError: If something is not made of numbers.
        ValueError: If the arguments do not fit each other.
    """
    scored = _rows("scores", scores)
    if scored.shape[1] != 1:
        raise ValueError(f"`scores` must have shape (rows,), but have {scored.shape}.")
    limit = None if threshold is None else check_number("threshold", threshold)
    values = None if series is None else _rows("series", series, len(scored))
    made = None
    if reconstructed is not None:
        if values is None:
            raise ValueError("`reconstructed` needs `series`, the series that it is made of.")
        made = _rows("reconstructed", reconstructed, len(scored), values.shape[1])
    bad = None if y is None else _rows("y", y, len(scored), 1)[:, 0] == -1
    above, below = _axes(axes, with_series=values is not None)
    if values is not None:
        _draw_series(above, values, made)
        if limit is not None:
            alarms = np.flatnonzero(scored[:, 0] > limit)
            above.plot(alarms, values[alarms, 0], "r.", ms=4, label="alarms")
    below.plot(scored[:, 0], lw=0.8, label="score")
    if limit is not None:
        below.axhline(limit, color="r", lw=0.8, ls=":", label="threshold")
    below.set_yscale("symlog")
    if scored.min() >= 0.0:
        below.set_ylim(bottom=0.0)
    drawn = [below] if above is None else [above, below]
    for ax in drawn:
        if bad is not None:
            ax.fill_between(
                np.arange(len(bad)), 0, 1, where=bad, alpha=0.2, color="C3", step="mid",
                transform=ax.get_xaxis_transform(), label="labelled anomalous",
            )  # fmt: skip
        ax.legend(loc="upper right", fontsize="small")
    return below if above is None else np.array([above, below], dtype=object)


def _draw_series(ax: Axes, values: np.ndarray, made: np.ndarray | None) -> None:
    for column in range(values.shape[1]):
        name = "" if values.shape[1] == 1 else f" {column}"
        ax.plot(values[:, column], lw=0.8, label=f"series{name}")
        if made is not None:
            ax.plot(made[:, column], lw=0.8, ls="--", label=f"reconstruction{name}")


def _axes(axes: Any, *, with_series: bool) -> tuple[Any, Any]:
    """Return the axes of the series (or `None`) and those of the scores."""
    if not with_series:
        return None, axes_for(axes, (10.0, 2.5))
    if axes is None:
        import matplotlib.pyplot as plt

        axes = plt.subplots(2, 1, sharex=True, figsize=(10, 5), layout="constrained")[1]
    pair = list(np.ravel(np.array(axes, dtype=object)))
    if len(pair) != 2:
        raise ValueError(f"`axes` must be two axes: series and scores, but got {len(pair)}.")
    return axes_for(pair[0]), axes_for(pair[1])


def _rows(name: str, data: Any, row_n: int | None = None, column_n: int | None = None) -> Any:
    """Return numbers of shape `(rows, columns)` that are as many as they should be."""
    arr = as_numbers(name, data)
    check_finite(name, arr)
    arr = arr[:, np.newaxis] if arr.ndim == 1 else arr
    wrong = arr.ndim != 2 or (row_n is not None and len(arr) != row_n)
    if wrong or (column_n is not None and arr.shape[1] != column_n):
        rows = "rows" if row_n is None else str(row_n)
        columns = "columns" if column_n is None else str(column_n)
        raise ValueError(
            f"`{name}` must have shape ({rows}, {columns}), or ({rows},) for one column, but has "
            f"{np.shape(data) if hasattr(data, 'shape') else arr.shape}."
        )
    return arr
