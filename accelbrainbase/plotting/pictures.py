"""Samples, and originals over their reconstructions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from accelbrainbase._checks import check_integer
from accelbrainbase.plotting._axes import axes_for
from accelbrainbase.plotting._mosaic import as_pictures, draw, figsize_of, limits_of, mosaic

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def samples(
    images: Any,
    *,
    columns: int = 10,
    shape: tuple[int, ...] | None = None,
    limits: tuple[float, float] | None = None,
    cmap: str = "gray",
    ax: Axes | None = None,
) -> Axes:
    """Draw images as a grid.

    Args:
        images: Shape `(n, features)`, `(n, height, width)`, `(n, 1, height, width)` or
            `(n, 3, height, width)`; or an object with `draw()` that returns such, as a
            `GenerativeModel` has.
        columns: Number of images in a row.
        shape: `(height, width)` or `(channel, height, width)`, where an image is a row of
            numbers that is no square.
        limits: Values that are black and white; the least and the greatest if omitted.
        cmap: Name of matplotlib's colours, where there is one channel.
        ax: Axes to draw on; a new figure if omitted.

    Returns:
        The axes. They hold one image, with one pixel between the pictures.

    Raises:
        TypeError: If `images` are not numbers.
        ValueError: If they cannot be pictures.
    """
    columns = check_integer("columns", columns, low=1)
    drawn = images.draw() if callable(getattr(images, "draw", None)) else images
    pictures = as_pictures("images", drawn, shape)
    grid = mosaic(pictures, columns)
    ax = axes_for(ax, figsize_of(grid))
    draw(ax, grid, cmap, limits_of(pictures, limits))
    return ax


def reconstructions(
    originals: Any,
    reconstructed: Any,
    *,
    n: int = 10,
    shape: tuple[int, ...] | None = None,
    limits: tuple[float, float] | None = None,
    cmap: str = "gray",
    ax: Axes | None = None,
) -> Axes:
    """Draw originals, and below each what models make of it.

    Args:
        originals: Data points that are pictures, as in `samples`.
        reconstructed: Their reconstructions, of the same size; or a mapping from names to the
            reconstructions of several models, one row for each.
        n: Number of columns: the first data points.
        shape: `(height, width)` or `(channel, height, width)` of a picture.
        limits: Values that are black and white; those of the originals if omitted.
        cmap: Name of matplotlib's colours, where there is one channel.
        ax: Axes to draw on; a new figure if omitted.

    Returns:
        The axes. The names of the rows are the labels of the y-axis.

    Raises:
        TypeError: If something is not made of numbers.
        ValueError: If the reconstructions do not fit the originals.
    """
    n = check_integer("n", n, low=1)
    above = as_pictures("originals", originals, shape)
    named = isinstance(reconstructed, Mapping)
    below = dict(reconstructed) if named else {"reconstructed": reconstructed}
    if not below:
        raise ValueError("`reconstructed` must have at least one entry, but is empty.")
    rows = [above[:n]]
    for name, data in below.items():
        argument = f"reconstructed[{name!r}]" if named else "reconstructed"
        pictures = as_pictures(argument, data, _shape_for(data, shape, above))
        if pictures.shape[1:] != above.shape[1:] or len(pictures) < min(n, len(above)):
            raise ValueError(
                f"`{argument}` must hold a picture of shape {above.shape[1:]} for each of the "
                f"first {min(n, len(above))} of `originals`, but has the shape {pictures.shape}."
            )
        rows.append(pictures[: len(rows[0])])
    grid = mosaic(np.concatenate(rows), len(rows[0]))
    ax = axes_for(ax, figsize_of(grid))
    draw(ax, grid, cmap, limits_of(above, limits))
    height = above.shape[1]
    middles = [(height + 1) * row + (height - 1) / 2 for row in range(len(rows))]
    ax.set_yticks(middles, ["original", *map(str, below)])
    ax.tick_params(left=False)
    return ax


def _shape_for(data: Any, shape: tuple[int, ...] | None, above: np.ndarray) -> Any:
    """Return the shape of flat reconstructions: that of the originals."""
    if shape is None and getattr(data, "ndim", None) == 2:
        sizes = above.shape[1:]
        return sizes if len(sizes) == 2 else (sizes[2], *sizes[:2])
    return shape
