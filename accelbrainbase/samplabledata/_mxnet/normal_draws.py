"""What samplers of a normal distribution share."""

from __future__ import annotations

from collections.abc import Sequence

import mxnet as mx
from mxnet import nd

from accelbrainbase._checks import check_number
from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase.samplabledata.drawn_shape import drawn_shape


class NormalDraws:
    """Draws from a normal distribution, each element for itself.

    Args:
        loc: Mean of the distribution.
        scale: Standard deviation of the distribution, above 0.
        batch_size: Number of samples in a draw.
        seq_len: Length of sequences; 0 where there are none.
        channel: Number of channels.
        height: Height of an image.
        width: Width of an image.
        shape_tuple: The whole shape, such as `(batch_size, 100)`; then the five above have no
            effect.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.

    Attributes:
        shape: Shape of a draw.
        ctx: The device.

    Raises:
        ValueError: If a number is out of its range.
    """

    _also_told: tuple[str, ...] = ("shape",)

    def __init__(
        self,
        loc: float = 0.0,
        scale: float = 1.0,
        batch_size: int = 40,
        seq_len: int = 0,
        channel: int = 3,
        height: int = 96,
        width: int = 96,
        shape_tuple: Sequence[int] | None = None,
        ctx: mx.Context | None = None,
    ) -> None:
        self.shape = drawn_shape(batch_size, seq_len, channel, height, width, shape_tuple)
        self.ctx = resolve_context(ctx)
        self.loc = check_number("loc", loc)
        self.scale = check_number("scale", scale, low=0.0, low_open=True)

    def draw_normal(self) -> nd.NDArray:
        """Return draws of the shape `shape`."""
        return nd.random.normal(loc=self.loc, scale=self.scale, shape=self.shape, ctx=self.ctx)
