"""Curves over the rows of a learning: losses, values, returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase.iteratabledata._arrays import as_numbers, check_finite
from accelbrainbase.learning.history import History
from accelbrainbase.plotting._axes import axes_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def losses(
    learned: Any,
    *,
    columns: Sequence[str] | None = None,
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw what a learning recorded: losses over the epochs, or over the turns.

    Args:
        learned: A model that has learned, or its `history`; or a mapping from names to such, to
            draw several on the same axes.
        columns: Names of the columns of the history. If omitted: all but the learning rate;
            for several models, `train_loss` and `test_loss`.
        log: Whether the losses have a logarithmic scale.
        ax: Axes to draw on; a new figure if omitted.

    Returns:
        The axes. Several models have a colour each; what is scored on held-out data (`test_…`)
        is a solid line then, what is learned from is dashed.

    Raises:
        KeyError: If a column was not recorded.
        TypeError: If `learned` has no history.
    """
    check_is_a("log", log, bool)
    if isinstance(learned, Mapping):
        histories = {name: _history(f"learned[{name!r}]", one) for name, one in learned.items()}
        if not histories:
            raise ValueError("`learned` must have at least one entry, but is empty.")
        ax = axes_for(ax)
        _draw_several(ax, histories, columns)
    else:
        ax = _history("learned", learned).plot(columns, ax=axes_for(ax))
    ax.set_ylabel("loss")
    if log:
        ax.set_yscale("log")
    return ax


def _draw_several(ax: Axes, histories: dict[str, History], columns: Sequence[str] | None) -> None:
    for number, (name, history) in enumerate(histories.items()):
        drawn = columns
        if columns is None:
            drawn = [c for c in ("train_loss", "test_loss") if c in history.columns]
        for column in drawn or ():
            style = "-" if column.startswith("test_") or len(drawn or ()) == 1 else "--"
            rows = np.arange(1, len(history) + 1)
            ax.plot(
                rows, history.column(column), style, color=f"C{number % 10}",
                label=f"{name}: {column}",
            )  # fmt: skip
        ax.set_xlabel(history.unit)
    ax.legend(fontsize="small")


def _history(name: str, learned: Any) -> History:
    history = getattr(learned, "history", learned)
    if not isinstance(history, History):
        raise TypeError(
            f"`{name}` must be a `History`, or a model that has one as `history`, but got an "
            f"object of type `{type(learned).__name__}`."
        )
    return history


def q_values(values: Any, *, window: int = 1, ax: Axes | None = None) -> Axes:
    """Draw predicted action values and their targets over the steps of a Q-learning.

    Args:
        values: Shape `(steps, 2)`: predicted, target; or a controller that has them as
            `q_logs_arr`.
        window: Number of steps of which the mean is drawn.
        ax: Axes to draw on; a new figure if omitted.

    Returns:
        The axes. A point stands at the last step of its window.

    Raises:
        TypeError: If `values` are not numbers.
        ValueError: If they have another shape, or `window` is longer.
    """
    arr = as_numbers("values", getattr(values, "q_logs_arr", values))
    check_finite("values", arr)
    if arr.ndim != 2 or arr.shape[1] != 2:
        raise ValueError(
            f"`values` must have shape (steps, 2), predicted and target, but has {arr.shape}."
        )
    ax = axes_for(ax)
    for column, label in enumerate(("predicted", "target")):
        ax.plot(*_moving_mean(arr[:, column], window), label=label)
    ax.set_xlabel("step")
    ax.set_ylabel("action value" + (f", mean of {window} steps" if window > 1 else ""))
    ax.legend()
    return ax


def returns(episodes: Any, *, window: int = 20, ax: Axes | None = None) -> Axes:
    """Draw the return of each episode, and the mean of the last ones.

    Args:
        episodes: Returns in their order, shape `(episodes,)`; or a mapping from names to such,
            to draw the means of several learners.
        window: Number of episodes of which the mean is drawn; where there are fewer, of all.
        ax: Axes to draw on; a new figure if omitted.

    Returns:
        The axes.

    Raises:
        TypeError: If `episodes` are not numbers.
        ValueError: If they have another shape.
    """
    window = check_integer("window", window, low=1)
    several = isinstance(episodes, Mapping)
    named = dict(episodes) if several else {"": episodes}
    if not named:
        raise ValueError("`episodes` must have at least one entry, but is empty.")
    checked = {
        name: _one_row(f"episodes[{name!r}]" if several else "episodes", arr)
        for name, arr in named.items()
    }
    ax = axes_for(ax)
    for number, (name, arr) in enumerate(checked.items()):
        colour, last = f"C{number % 10}", min(window, len(arr))
        at = np.arange(1, len(arr) + 1)
        ax.plot(at, arr, ".", ms=3, alpha=0.35, color=colour, label=None if several else "episode")
        label = f"{name}, mean of {last}" if several else f"mean of {last} episodes"
        ax.plot(*_moving_mean(arr, last), color=colour, label=label)
    ax.set_xlabel("episode")
    ax.set_ylabel("return")
    ax.legend()
    return ax


def _one_row(name: str, data: Any) -> np.ndarray:
    arr = as_numbers(name, data)
    check_finite(name, arr)
    if arr.ndim == 2 and arr.shape[1] == 1:
        arr = arr[:, 0]
    if arr.ndim != 1:
        raise ValueError(f"`{name}` must have shape (episodes,), but has {arr.shape}.")
    return arr.astype(np.float64)


def _moving_mean(arr: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return at which steps, counted from 1, windows end, and their means."""
    check_integer("window", window, low=1)
    if window > len(arr):
        raise ValueError(f"`window` must be at most the {len(arr)} steps, but got {window}.")
    sums = np.concatenate([[0.0], np.cumsum(arr, dtype=np.float64)])
    return np.arange(window, len(arr) + 1), (sums[window:] - sums[:-window]) / window
