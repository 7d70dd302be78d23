"""Reads images, onto the device."""

from __future__ import annotations

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.extractabledata.image_extractor import (
    ImageExtractor as NeutralImageExtractor,
)


class ImageExtractor(NeutralImageExtractor):
    """Reads a file of an image, whatever its mode and size, as an NDArray on the device.

    Grey, black and white, colour, palette, alpha, CMYK, 8 or 16 bits: all are converted to the
    number of channels that is asked for, and to the size (bicubic; the aspect ratio is not
    kept). Where no alpha channel is asked for it is dropped: transparent pixels have the
    colour that the file has there. Of several pictures in a file, the first one is read.

    Args:
        width: Width of the array, in pixels.
        height: Height of the array, in pixels.
        channel: Number of channels: 1 (grey), 2 (grey and alpha), 3 (red, green, blue) or
            4 (with alpha).
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.
            Iterators without a `ctx` of their own take this one.

    Raises:
        TypeError: If `width`, `height` or `channel` is no integer, or `ctx` no context.
        ValueError: If `width`, `height` or `channel` is out of range.
    """

    def __init__(
        self, width: int, height: int, channel: int, ctx: mx.Context | None = None
    ) -> None:
        super().__init__(width, height, channel)
        self.ctx = resolve_context(ctx)

    def _as_array(self, pixels: np.ndarray) -> nd.NDArray:
        return copied(pixels, self.ctx)
