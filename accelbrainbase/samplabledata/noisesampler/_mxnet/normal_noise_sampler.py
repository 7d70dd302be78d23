"""Noise from a normal distribution."""

from __future__ import annotations

from mxnet import nd

from accelbrainbase.samplabledata._mxnet.normal_draws import NormalDraws
from accelbrainbase.samplabledata.noise_sampler import NoiseSampler


class NormalNoiseSampler(NormalDraws, NoiseSampler):
    """Draws noise from a normal distribution, each element for itself.

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

    def draw(self) -> nd.NDArray:
        """Draw one mini-batch.

        Returns:
            Noise, shape `shape`.
        """
        return self.add_inner_noise(self.draw_normal())
