"""Cutout, on the device and in graphs."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.noiseabledata.cutout_noise import CutoutNoise as NeutralCutoutNoise


class CutoutNoise(NeutralCutoutNoise):
    """Sets a rectangle of each image to 0, at a place that is drawn at random.

    The centre of the rectangle is any pixel of the image, each as likely as another, so part of
    the rectangle may lie outside of the image. Each image of a mini-batch has a place of its
    own, the same in all of its channels. 0 is the mean of an image where it was normalised by
    `"z_score"`, as iterators do before they add noise. Each call draws anew; the draws follow
    from the seed of MXNet, which `accelbrainbase.seed` sets.

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

    def noise(self, arr: Any, F: Any = mx.ndarray) -> Any:
        """Return a corrupted copy of `arr`. `arr` itself is not modified.

        Args:
            arr: Images: an NDArray of shape `(batch, ..., height, width)`; or a Symbol of four
                axes, where `F` is `mxnet.symbol`.
            F: `mxnet.ndarray`, or `mxnet.symbol` inside of a `hybrid_forward`.

        Returns:
            Array with the shape, dtype and context of `arr`.

        Raises:
            TypeError: If `arr` is neither an NDArray nor a Symbol.
            ValueError: If `arr` has fewer than three axes.
        """
        check_is_a("arr", arr, (nd.NDArray, mx.sym.Symbol))
        if isinstance(arr, mx.sym.Symbol):
            return self._cut(arr, F)
        self._check_axes(arr)
        if arr.context.device_type == "cpu":
            return self._cut_by_numpy(arr)
        images = arr.reshape((arr.shape[0], -1, *arr.shape[-2:]))
        return self._cut(images, F).reshape(arr.shape)

    def _cut_by_numpy(self, arr: nd.NDArray) -> nd.NDArray:
        """Cut on a CPU, where twenty small operators take longer than one large one."""
        seed = nd.random.randint(0, 2**31 - 1, shape=(1,), ctx=arr.context).asscalar()
        holes = self._holes(arr.shape, np.random.default_rng(int(seed)).integers)
        holes = np.broadcast_to(holes, arr.shape).astype(np.float32)
        return nd.where(copied(holes, arr.context), nd.zeros_like(arr), arr)

    def _cut(self, arr: Any, F: Any) -> Any:
        """Cut out of images of shape `(batch, channel, height, width)`."""
        one = F.slice(arr, begin=(None, 0, 0, 0), end=(None, 1, 1, 1))
        rows = _covered(arr, one, F, axis=2, extent=self.height)
        columns = _covered(arr, one, F, axis=3, extent=self.width)
        hole = F.broadcast_like(F.broadcast_mul(rows, columns), arr)
        return F.where(hole, F.zeros_like(arr), arr)


def _covered(arr: Any, one: Any, F: Any, *, axis: int, extent: int) -> Any:
    """Draw where rectangles are along one axis: 1 there, and 0 elsewhere."""
    place = F.cast(F.contrib.arange_like(arr, axis=axis), "float32")
    last = F.reshape(F.max(place), shape=(1, 1, 1, 1))
    draws = F.random.uniform_like(F.cast(one, "float32"))
    centre = F.broadcast_minimum(F.floor(F.broadcast_mul(draws, last + 1)), last)
    begin = centre - extent // 2
    place = F.reshape(place, shape=(1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1))
    return F.broadcast_mul(
        F.broadcast_greater_equal(place, begin), F.broadcast_lesser(place, begin + extent)
    )
