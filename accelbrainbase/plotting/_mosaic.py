"""Many small pictures as one, drawn at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from accelbrainbase.iteratabledata._arrays import as_numbers, check_finite


def as_pictures(name: str, data: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return pictures of one or three channels, channels last.

    Args:
        name: Name of the argument, for the messages.
        data: Shape `(n, features)`, `(n, height, width)`, `(n, 1, height, width)` or
            `(n, 3, height, width)`.
        shape: `(height, width)` or `(channel, height, width)` of a picture, where `data` are
            rows of pixels; a square if omitted.

    Returns:
        Shape `(n, height, width)` or `(n, height, width, 3)`.

    Raises:
        TypeError: If `data` are not numbers.
        ValueError: If they cannot be pictures.
    """
    arr = as_numbers(name, data)
    check_finite(name, arr)
    arr = arr.astype(np.float64)
    if shape is not None:
        sizes = tuple(int(size) for size in shape)
        if arr.ndim < 2 or len(sizes) not in (2, 3) or math.prod(sizes) != math.prod(arr.shape[1:]):
            raise ValueError(
                f"`shape` must be (height, width) or (channel, height, width) of a picture in "
                f"`{name}`, but {sizes} does not fit an array of shape {arr.shape}."
            )
        arr = arr.reshape(len(arr), *sizes)
    elif arr.ndim == 2:
        side = math.isqrt(arr.shape[1])
        if side * side != arr.shape[1]:
            raise ValueError(
                f"`{name}` has {arr.shape[1]} numbers in each row, which are no square. Pass "
                "`shape=(height, width)`."
            )
        arr = arr.reshape(len(arr), side, side)
    if arr.ndim == 4 and arr.shape[1] == 1:
        arr = arr[:, 0]
    elif arr.ndim == 4 and arr.shape[1] == 3:
        arr = np.moveaxis(arr, 1, -1)
    elif arr.ndim != 3:
        raise ValueError(
            f"`{name}` must have shape (n, features), (n, height, width), (n, 1, height, width) "
            f"or (n, 3, height, width), but has {arr.shape}."
        )
    return arr


def mosaic(pictures: np.ndarray, columns: int) -> np.ndarray:
    """Return one picture with all of them, row by row, and NaN between them.

    Args:
        pictures: Shape `(n, height, width)` or `(n, height, width, 3)`.
        columns: Number of pictures in a row.

    Returns:
        Picture `i` begins at row `(i // columns) * (height + 1)` and column
        `(i % columns) * (width + 1)`.
    """
    n, height, width = pictures.shape[:3]
    columns = min(columns, n)
    rows = -(-n // columns)
    full = (rows * (height + 1) - 1, columns * (width + 1) - 1, *pictures.shape[3:])
    grid = np.full(full, np.nan)
    for number, picture in enumerate(pictures):
        y, x = divmod(number, columns)
        y, x = y * (height + 1), x * (width + 1)
        grid[y : y + height, x : x + width] = picture
    return grid


def draw(
    ax: Any, grid: np.ndarray, cmap: str, limits: tuple[float, float], gap: str = "#b8c4d0"
) -> None:
    """Draw a mosaic on axes without ticks.

    Args:
        ax: The axes.
        grid: What `mosaic` returned.
        cmap: Name of the colours of values; none for three channels.
        limits: The values that get the first and the last colour.
        gap: The colour between pictures of one channel.
    """
    low, high = limits
    if grid.ndim == 3:
        shown = np.clip((grid - low) / (high - low), 0.0, 1.0)
        ax.imshow(np.where(np.isnan(shown), 0.5, shown), interpolation="nearest")
    else:
        import matplotlib

        colours = matplotlib.colormaps[cmap].with_extremes(bad=gap)
        masked = np.ma.masked_invalid(grid)
        ax.imshow(masked, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def limits_of(pictures: np.ndarray, given: tuple[float, float] | None) -> tuple[float, float]:
    """Return the limits of the colours: those given, or the least and the greatest value.

    Raises:
        ValueError: If the given ones are in the wrong order.
    """
    low, high = (pictures.min(), pictures.max()) if given is None else given
    if given is not None and not low < high:
        raise ValueError(f"`limits` must be (low, high) with low < high, but got {given}.")
    return float(low), float(high if high > low else low + 1.0)


def figsize_of(grid: np.ndarray, pixels_an_inch: float = 16.0) -> tuple[float, float]:
    """Return the size of a figure for a mosaic, in inches, between what is readable."""
    height, width = grid.shape[:2]
    inches = min(10.0, max(4.0, width / pixels_an_inch))
    return inches, min(12.0, max(1.0, inches * height / width)) + 0.4
