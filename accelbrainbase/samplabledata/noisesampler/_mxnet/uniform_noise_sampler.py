"""Noise from a uniform distribution."""

from __future__ import annotations

from collections.abc import Sequence

import mxnet as mx
from mxnet import nd

from accelbrainbase._checks import check_number
from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase.samplabledata.drawn_shape import drawn_shape
from accelbrainbase.samplabledata.noise_sampler import NoiseSampler


class UniformNoiseSampler(NoiseSampler):
    """Draws noise from a uniform distribution, each element for itself.

    Args:
        low: Lower end of the interval.
        high: Upper end of the interval, at least `low`.
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
        low: float = 0.0,
        high: float = 1.0,
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
        self.low = check_number("low", low)
        self.high = check_number("high", high, low=self.low)

    def draw(self) -> nd.NDArray:
        """Draw one mini-batch.

        Returns:
            Noise, shape `shape`.
        """
        arr = nd.random.uniform(low=self.low, high=self.high, shape=self.shape, ctx=self.ctx)
        return self.add_inner_noise(arr)
