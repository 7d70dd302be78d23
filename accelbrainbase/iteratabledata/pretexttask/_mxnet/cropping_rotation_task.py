"""The pretext task of rotations of the four quarters of pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from mxnet import nd

from accelbrainbase.iteratabledata.pretext_task import PretextTask
from accelbrainbase.iteratabledata.pretexttask._mxnet.rotation_task import (
    check_square,
    one_hot,
    pictures_of,
    turned,
)


class CroppingRotationTask(PretextTask):
    """Asks by how many quarters of a circle each quarter of a picture was turned.

    A picture is cut into top left, top right, bottom left and bottom right. Each is turned,
    counter-clockwise, by a turn of its own, and put back into its place.
    """

    block_n: int = 4

    def create(
        self, observed_arr: Any, generator: np.random.Generator
    ) -> tuple[nd.NDArray, nd.NDArray]:
        """Turn the quarters of pictures. `observed_arr` is not modified.

        Args:
            observed_arr: Square pictures of an even size, shape `(batch, channel, size, size)`:
                NDArray, or NumPy array.
            generator: Draws the turns.

        Returns:
            Pictures of the same shape, and the turns of their quarters, shape `(batch, 16)`: four
            one-hot vectors side by side.

        Raises:
            ValueError: If pictures are not square, or their size is odd.
        """
        observed_arr = pictures_of(observed_arr)
        height, width = observed_arr.shape[-2:]
        if height % 2 or width % 2:
            raise ValueError(
                f"Pictures of {height} times {width} pixels cannot be cut into four quarters of "
                f"one size. Let the extractor bring all images to an even size."
            )
        check_square(observed_arr.shape, "quarters of pictures")
        tops = nd.split(observed_arr, 2, axis=observed_arr.ndim - 2)
        quarters = [
            quarter for top in tops for quarter in nd.split(top, 2, axis=observed_arr.ndim - 1)
        ]
        turns = generator.integers(4, size=(len(observed_arr), 4))
        made = [turned(quarter, turns[:, number]) for number, quarter in enumerate(quarters)]
        halves = [
            nd.concat(*made[begin : begin + 2], dim=observed_arr.ndim - 1) for begin in (0, 2)
        ]
        labels = [one_hot(turns[:, number], observed_arr) for number in range(4)]
        return nd.concat(*halves, dim=observed_arr.ndim - 2), nd.concat(*labels, dim=1)
