"""Draws from a mixture of Gaussians on a circle as the truth."""

from __future__ import annotations

import math

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_integer, check_number
from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase.samplabledata.joining import join
from accelbrainbase.samplabledata.true_sampler import TrueSampler


class GaussianMixtureTrueSampler(TrueSampler):
    r"""Draws from a mixture of two-dimensional Gaussians around a circle.

    The prior of figure 4 of the paper: each of ten components is stretched along the radius.
    With `labeled=True` the number of the component follows each point, one-hot, so that a
    discriminator lets each class of data points take a component of its own (section 2.3).

    Args:
        batch_size: Number of samples in a draw.
        component_n: Number of components.
        radius: Distance of their means from the origin.
        radial_scale: Standard deviation along the radius, above 0.
        tangential_scale: Standard deviation across it, above 0.
        labeled: Whether the component is drawn too.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.

    References:
        - Makhzani, A., et al. (2015). Adversarial autoencoders. arXiv:1511.05644.
    """

    def __init__(
        self,
        batch_size: int = 40,
        component_n: int = 10,
        radius: float = 2.0,
        radial_scale: float = 0.5,
        tangential_scale: float = 0.1,
        labeled: bool = False,
        ctx: mx.Context | None = None,
    ) -> None:
        self.batch_size = check_integer("batch_size", batch_size, low=1)
        self.component_n = check_integer("component_n", component_n, low=1)
        self.radius = check_number("radius", radius)
        self.radial_scale = check_number("radial_scale", radial_scale, low=0.0, low_open=True)
        self.tangential_scale = check_number(
            "tangential_scale", tangential_scale, low=0.0, low_open=True
        )
        self.labeled = bool(labeled)
        self.ctx = resolve_context(ctx)
        angles = 2 * math.pi * np.arange(self.component_n) / self.component_n
        directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        self._directions = nd.array(directions, ctx=self.ctx)
        self._weights = nd.ones(self.component_n, ctx=self.ctx) / self.component_n

    def draw(self) -> nd.NDArray:
        """Draw one mini-batch.

        Returns:
            Points of shape `(batch, 2)`, or with `labeled=True` of shape
            `(batch, 2 + components)`.
        """
        return self.draw_components(nd.random.multinomial(self._weights, shape=self.batch_size))

    def draw_components(self, component_arr: nd.NDArray) -> nd.NDArray:
        """Draw from given components.

        Args:
            component_arr: Numbers of components, shape `(batch,)`.

        Returns:
            What `draw` returns.
        """
        size = (component_arr.shape[0], 1)
        along = nd.take(self._directions, component_arr)
        across = nd.concat(-along[:, 1:], along[:, :1], dim=1)
        radial = nd.random.normal(self.radius, self.radial_scale, shape=size, ctx=self.ctx)
        tangential = nd.random.normal(0.0, self.tangential_scale, shape=size, ctx=self.ctx)
        points = nd.broadcast_mul(radial, along) + nd.broadcast_mul(tangential, across)
        if not self.labeled:
            return points
        return join(points, nd.one_hot(component_arr, self.component_n))
