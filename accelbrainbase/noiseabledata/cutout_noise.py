"""Cutout, for NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer, short
from accelbrainbase.noiseable_data import NoiseableData


class CutoutNoise(NoiseableData):
    """Sets a rectangle of each image to 0, at a place that is drawn at random.

    The centre of the rectangle is any pixel of the image, each as likely as another, so part of
    the rectangle may lie outside of the image. Each image of a mini-batch has a place of its
    own, the same in all of its channels. 0 is the mean of an image where it was normalised by
    `"z_score"`, as iterators do before they add noise. Each call draws anew, from NumPy's
    global state, which `accelbrainbase.seed` sets.

    Args:
        height: Height of the rectangle, in pixels.
        width: Width of the rectangle, in pixels.

    Raises:
        TypeError: If `height` or `width` is no integer.
        ValueError: If `height` or `width` is less than 1.

    References:
        - DeVries, T., & Taylor, G. W. (2017). Improved regularization of convolutional neural
          networks with Cutout. arXiv preprint arXiv:1708.04552. Section 3.2.
    """

    def __init__(self, height: int = 10, width: int = 10) -> None:
        self.height = check_integer("height", height, low=1)
        self.width = check_integer("width", width, low=1)

    def noise(self, arr: Any) -> Any:
        """Return a corrupted copy of `arr`. `arr` itself is not modified.

        Args:
            arr: Images, a NumPy array of shape `(batch, ..., height, width)`.

        Returns:
            Array with the shape and dtype of `arr`.

        Raises:
            TypeError: If `arr` is not a NumPy array.
            ValueError: If `arr` has fewer than three axes.
        """
        if not isinstance(arr, np.ndarray):
            raise TypeError(
                f"`arr` must be a NumPy array, but got {short(arr)} of type "
                f"`{type(arr).__name__}`. For NDArrays take `accelbrainbase.CutoutNoise`."
            )
        self._check_axes(arr)
        return np.where(self._holes(arr.shape, np.random.randint), arr.dtype.type(0), arr)

    def _holes(self, shape: tuple[int, ...], draw: Callable[..., Any]) -> np.ndarray:
        """Draw rectangles, one for each image.

        Args:
            shape: Shape of the images.
            draw: Draws integers: NumPy's `randint(high, size=...)`, or what does the same.

        Returns:
            Booleans that are true in the rectangles, of shape `(batch, 1, ..., height, width)`.
        """
        batch, height, width = shape[0], shape[-2], shape[-1]
        rows = _covered(draw(height, size=(batch, 1)), height, self.height)
        columns = _covered(draw(width, size=(batch, 1)), width, self.width)
        holes = rows[:, :, None] & columns[:, None, :]
        return holes.reshape(batch, *[1] * (len(shape) - 3), height, width)

    def _check_axes(self, arr: Any) -> None:
        if arr.ndim < 3:
            raise ValueError(
                "`arr` must be images, shape (batch, channel, height, width), but has the shape "
                f"{tuple(arr.shape)}."
            )


def _covered(centre: np.ndarray, size: int, extent: int) -> np.ndarray:
    """Return where rectangles are along one axis: booleans of shape `(batch, size)`."""
    begin, place = centre - extent // 2, np.arange(size)
    return (begin <= place) & (place < begin + extent)
