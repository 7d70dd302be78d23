"""The pretext task of rotations."""

from __future__ import annotations

from typing import Any

import numpy as np
from mxnet import nd

from accelbrainbase._mxnet.device import as_ndarray, resolve_context
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.iteratabledata.pretext_task import PretextTask

TURN_N = 4


class RotationTask(PretextTask):
    """Asks by how many quarters of a circle each picture was turned, counter-clockwise.

    Each picture is turned by 0, 90, 180 or 270 degrees, drawn at random. Pixels move exactly:
    picture by picture it is `numpy.rot90`.

    References:
        - Gidaris, S., Singh, P., & Komodakis, N. (2018). Unsupervised representation learning by
          predicting image rotations. ICLR.
        - Sun, Y., Tzeng, E., Darrell, T., & Efros, A. A. (2019). Unsupervised domain adaptation
          through self-supervision. arXiv:1909.11825. Section 4.
    """

    def create(
        self, observed_arr: Any, generator: np.random.Generator
    ) -> tuple[nd.NDArray, nd.NDArray]:
        """Turn pictures. `observed_arr` is not modified.

        Args:
            observed_arr: Square pictures, shape `(batch, channel, size, size)`: NDArray, or
                NumPy array.
            generator: Draws the turns.

        Returns:
            Pictures of the same shape, and one-hot numbers of quarters, shape `(batch, 4)`.

        Raises:
            ValueError: If pictures are not square.
        """
        observed_arr = pictures_of(observed_arr)
        check_square(observed_arr.shape, "pictures")
        turns = generator.integers(TURN_N, size=len(observed_arr))
        return turned(observed_arr, turns), one_hot(turns, observed_arr)


def pictures_of(observed_arr: Any) -> nd.NDArray:
    """Return pictures as an NDArray, where they are."""
    context = observed_arr.context if isinstance(observed_arr, nd.NDArray) else resolve_context()
    observed_arr = as_ndarray("target_domain_batch_arr", observed_arr, context)
    if observed_arr.ndim < 3:
        raise ValueError(
            f"`target_domain_batch_arr` must have shape (batch, channel, height, width), but got "
            f"{observed_arr.shape}."
        )
    return observed_arr


def check_square(shape: tuple[int, ...], what: str) -> None:
    """Raise a `ValueError` unless the last two axes are of one length."""
    if shape[-1] != shape[-2]:
        raise ValueError(
            f"A turn by 90 degrees needs square {what}, but they are {shape[-2]} high and "
            f"{shape[-1]} wide. Let the extractor bring all images to a square, or pad them."
        )


def turned(arr: nd.NDArray, turns: np.ndarray) -> nd.NDArray:
    """Turn each picture counter-clockwise by a number of quarters of a circle.

    Args:
        arr: Shape `(batch, *, size, size)`.
        turns: Numbers in 0..3, shape `(batch,)`.
    """
    height, width = arr.ndim - 2, arr.ndim - 1
    crossed_arr = nd.swapaxes(arr, height, width)
    variants = [
        arr,
        nd.flip(crossed_arr, axis=height),
        nd.flip(nd.flip(arr, axis=height), axis=width),
        nd.flip(crossed_arr, axis=width),
    ]
    rows = np.asarray(turns) * len(arr) + np.arange(len(arr))
    chosen = copied(rows, arr.context, np.int32)
    return nd.take(nd.concat(*variants, dim=0), chosen, axis=0)


def one_hot(turns: np.ndarray, like: nd.NDArray) -> nd.NDArray:
    """Return one-hot numbers of quarters, shape `(batch, 4)`, on the device of `like`."""
    return copied(np.eye(TURN_N, dtype=np.float32)[turns], like.context)
