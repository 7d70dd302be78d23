"""Where to draw: the axes that were given, or those of a new figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def axes_for(ax: Any, figsize: tuple[float, float] | None = None) -> Axes:
    """Return `ax`, or the axes of a new figure if it is `None`.

    Args:
        ax: What the user gave.
        figsize: Width and height of a new figure, in inches.

    Raises:
        TypeError: If `ax` is something else.
    """
    if ax is None:
        import matplotlib.pyplot as plt

        return plt.subplots(figsize=figsize, layout="constrained")[1]
    if not hasattr(ax, "plot") or not hasattr(ax, "imshow"):
        raise TypeError(
            f"`ax` must be the Axes of matplotlib to draw on, or None, but got an object of type "
            f"`{type(ax).__name__}`. Where `plt.subplots` made several, pass one of them."
        )
    return ax
