"""Where codes lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from accelbrainbase._checks import check_choice, check_integer
from accelbrainbase.iteratabledata._arrays import as_array, as_numbers, check_finite
from accelbrainbase.plotting._axes import axes_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_CLASSES = 20


def latent_space(
    codes: Any,
    labels: Any = None,
    *,
    method: str = "pca",
    seed: int = 0,
    size: float = 8.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw codes as points of a plane, coloured by what they stand for.

    Codes of two numbers are drawn as they are. Others are projected: by their first two
    principal components, or by t-SNE, which keeps neighbours together but not distances.

    Args:
        codes: Shape `(n, code units)`, at least two; further axes are flattened.
        labels: Shape `(n,)`. At most 20 different whole numbers or texts are classes, with a
            legend; other numbers get a bar of colours.
        method: `"pca"` or `"tsne"`, for codes of more than two numbers.
        seed: Seed of t-SNE.
        size: Area of a point, in points².
        ax: Axes to draw on; a new figure if omitted.

    Returns:
        The axes. Each class is a collection of points of its own.

    Raises:
        TypeError: If `codes` are not numbers.
        ValueError: If they have fewer than two numbers each, or `labels` do not fit.

    References:
        - van der Maaten, L., & Hinton, G. (2008). Visualizing data using t-SNE. Journal of
          Machine Learning Research, 9, 2579-2605.
    """
    check_choice("method", method, ["pca", "tsne"])
    arr = as_numbers("codes", codes)
    check_finite("codes", arr)
    arr = arr.reshape(len(arr), -1).astype(np.float64)
    if arr.shape[1] < 2:
        raise ValueError(
            f"`codes` must have at least two numbers in each row, but have shape {arr.shape}."
        )
    marks = None if labels is None else as_array("labels", labels)
    if marks is not None and marks.shape != (len(arr),):
        raise ValueError(
            f"`labels` must have one entry for each of the {len(arr)} codes, shape "
            f"({len(arr)},), but have {marks.shape}."
        )
    points, names = _in_plane(arr, method, check_integer("seed", seed, low=0))
    ax = axes_for(ax, (6.0, 5.0))
    if marks is None:
        ax.scatter(points[:, 0], points[:, 1], s=size)
    elif _are_classes(marks):
        _draw_classes(ax, points, marks, size)
    else:
        drawn = ax.scatter(points[:, 0], points[:, 1], s=size, c=marks.astype(np.float64))
        ax.figure.colorbar(drawn, ax=ax)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    return ax


def _are_classes(marks: np.ndarray) -> bool:
    if marks.dtype.kind in "fc":
        return bool((marks == np.round(marks)).all()) and len(np.unique(marks)) <= _MOST_CLASSES
    return marks.dtype.kind in "OUSb" or len(np.unique(marks)) <= _MOST_CLASSES


def _draw_classes(ax: Axes, points: np.ndarray, marks: np.ndarray, size: float) -> None:
    import matplotlib

    classes = np.unique(marks)
    colours = matplotlib.colormaps["tab10" if len(classes) <= 10 else "tab20"]
    for number, label in enumerate(classes):
        chosen = points[marks == label]
        colour = colours(number % colours.N)
        ax.scatter(chosen[:, 0], chosen[:, 1], s=size, color=colour, label=str(label))
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small", markerscale=2)


def _in_plane(arr: np.ndarray, method: str, seed: int) -> tuple[np.ndarray, tuple[str, str]]:
    """Return points of shape `(n, 2)` and the names of their axes."""
    if arr.shape[1] == 2:
        return arr, ("first code unit", "second code unit")
    if method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, max(1.0, (len(arr) - 1) / 3))
        found = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(arr)
        return found, ("t-SNE, first axis", "t-SNE, second axis")
    from sklearn.decomposition import PCA

    pca = PCA(2, svd_solver="full").fit(arr)
    shares = [f"{share:.0%} of the variance" for share in pca.explained_variance_ratio_]
    return pca.transform(arr), (f"first component, {shares[0]}", f"second component, {shares[1]}")
