"""What networks have learned: their filters, and the maps that they compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from accelbrainbase._checks import check_integer
from accelbrainbase.iteratabledata._arrays import as_numbers, check_finite
from accelbrainbase.plotting._axes import axes_for
from accelbrainbase.plotting._mosaic import as_pictures, draw, figsize_of, limits_of, mosaic

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def filters(
    model: Any,
    *,
    layer: int = 0,
    n: int = 100,
    columns: int = 10,
    shape: tuple[int, ...] | None = None,
    each: bool = False,
    cmap: str = "RdBu_r",
    ax: Axes | None = None,
) -> Axes:
    """Draw the weights of the units of a layer, as pictures of what the units look at.

    The colours are symmetric around zero, so that white is a weight without effect.

    Args:
        model: A model with `extract_learned_dict()`, such as each one of this package: its
            parameters with `weight` in their name are its layers, in their order. Or weights:
            shape `(units, inputs)` of dense layers, `(units, channels, height, width)` of
            convolutions.
        layer: Number of the layer, counted from 0; -1 is the last.
        n: Number of pictures at most: the first ones.
        columns: Number of pictures in a row.
        shape: `(height, width)` or `(channel, height, width)` of the inputs of a dense layer;
            a square if omitted.
        each: Whether each picture has the whole range of colours, rather than all together.
        cmap: Name of matplotlib's colours.
        ax: Axes to draw on; a new figure if omitted.

    Returns:
        The axes. A convolution with 1 or 3 channels shows a picture for each unit, one with more
        channels a picture for each unit and channel, one unit after the other.

    Raises:
        TypeError: If `model` has no weights.
        ValueError: If there is no such layer, or its weights are no pictures.
    """
    n = check_integer("n", n, low=1)
    columns = check_integer("columns", columns, low=1)
    weights = _weights(model, layer)
    if weights.ndim == 4 and weights.shape[1] not in (1, 3):
        weights = weights.reshape(-1, *weights.shape[2:])
    pictures = as_pictures("model", weights, shape if weights.ndim == 2 else None)[:n]
    scale = np.abs(pictures).max(axis=tuple(range(1, pictures.ndim)), keepdims=True)
    scale = np.where(scale > 0, scale, 1.0)
    if each:
        pictures = pictures / scale
    limit = 1.0 if each else float(scale.max())
    grid = mosaic(pictures, columns)
    ax = axes_for(ax, figsize_of(grid))
    draw(ax, grid, cmap, (-limit, limit), gap="#3b4754")
    return ax


def _weights(model: Any, layer: int) -> np.ndarray:
    """Return the weights of a layer, or those that were given."""
    if not hasattr(model, "extract_learned_dict"):
        arr = as_numbers("model", model)
        check_finite("model", arr)
        return arr.astype(np.float64)
    learned = model.extract_learned_dict()
    found = {name: arr for name, arr in learned.items() if "weight" in name and len(arr.shape) > 1}
    if not found:
        raise TypeError(
            f"`model` must have parameters with `weight` in their name, but "
            f"{type(model).__name__} has {', '.join(learned) or 'none'}. Pass the weights."
        )
    check_integer("layer", layer)
    if not -len(found) <= layer < len(found):
        raise ValueError(
            f"`layer` must be the number of one of the {len(found)} layers of "
            f"{type(model).__name__}, counted from 0, but got {layer}."
        )
    return as_numbers("model", list(found.values())[layer]).astype(np.float64)


def feature_maps(
    features: Any,
    *,
    index: int = 0,
    n: int = 64,
    columns: int = 8,
    each: bool = False,
    cmap: str = "viridis",
    ax: Axes | None = None,
) -> Axes:
    """Draw the feature maps that a convolutional network computes of one data point.

    Args:
        features: Shape `(batch, channels, height, width)`; or a model that has them as
            `feature_points_arr` after its last `inference`.
        index: Which data point of the batch.
        n: Number of maps at most: the first ones.
        columns: Number of maps in a row.
        each: Whether each map has the whole range of colours, rather than all together.
        cmap: Name of matplotlib's colours.
        ax: Axes to draw on; a new figure if omitted.

    Returns:
        The axes.

    Raises:
        TypeError: If `features` are not numbers.
        ValueError: If they are no maps, or there is no such data point.
    """
    n, columns = check_integer("n", n, low=1), check_integer("columns", columns, low=1)
    arr = as_numbers("features", getattr(features, "feature_points_arr", features))
    check_finite("features", arr)
    if arr.ndim != 4:
        raise ValueError(
            f"`features` must have shape (batch, channels, height, width), but has {arr.shape}. "
            "Codes without places are no maps: see `latent_space`."
        )
    if not 0 <= check_integer("index", index) < len(arr):
        raise ValueError(
            f"`index` must be the number of one of the {len(arr)} data points, counted from 0, "
            f"but got {index}."
        )
    maps = arr[index, :n].astype(np.float64)
    if each:
        low, high = (getattr(maps, end)(axis=(1, 2), keepdims=True) for end in ("min", "max"))
        maps = (maps - low) / np.where(high > low, high - low, 1.0)
    grid = mosaic(maps, columns)
    ax = axes_for(ax, figsize_of(grid))
    draw(ax, grid, cmap, limits_of(maps, None))
    return ax
