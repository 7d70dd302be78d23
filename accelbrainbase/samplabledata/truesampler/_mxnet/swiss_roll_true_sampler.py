"""Draws from a Swiss roll as the truth."""

from __future__ import annotations

import math

import mxnet as mx
from mxnet import nd

from accelbrainbase._checks import check_integer, check_number
from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase.samplabledata.joining import join
from accelbrainbase.samplabledata.true_sampler import TrueSampler


class SwissRollTrueSampler(TrueSampler):
    r"""Draws points along a spiral in the plane: the prior of figure 4 of the paper.

    The distance from the centre grows with the angle, :math:`r = s\,\theta / (2 \pi n)`, over
    `turn_n` turns; points are spread evenly over the length of the spiral. With `labeled=True`
    the spiral is cut into `class_n` pieces of equal length, and the number of the piece
    follows each point, one-hot.

    Args:
        batch_size: Number of samples in a draw.
        turn_n: Number of turns, above 0.
        size: Distance of the outer end from the centre, above 0.
        noise_scale: Standard deviation of noise in both directions, above 0.
        labeled: Whether the piece is drawn too.
        class_n: Number of pieces.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.

    References:
        - Makhzani, A., et al. (2015). Adversarial autoencoders. arXiv:1511.05644.
    """

    def __init__(
        self,
        batch_size: int = 40,
        turn_n: float = 2.0,
        size: float = 3.0,
        noise_scale: float = 0.05,
        labeled: bool = False,
        class_n: int = 10,
        ctx: mx.Context | None = None,
    ) -> None:
        self.batch_size = check_integer("batch_size", batch_size, low=1)
        self.turn_n = check_number("turn_n", turn_n, low=0.0, low_open=True)
        self.size = check_number("size", size, low=0.0, low_open=True)
        self.noise_scale = check_number("noise_scale", noise_scale, low=0.0, low_open=True)
        self.labeled = bool(labeled)
        self.class_n = check_integer("class_n", class_n, low=1)
        self.ctx = resolve_context(ctx)

    def draw(self) -> nd.NDArray:
        """Draw one mini-batch.

        Returns:
            Points of shape `(batch, 2)`, or with `labeled=True` of shape
            `(batch, 2 + classes)`.
        """
        return self.draw_places(nd.random.uniform(shape=(self.batch_size,), ctx=self.ctx))

    def draw_places(self, place_arr: nd.NDArray) -> nd.NDArray:
        """Draw around given places of the spiral.

        Args:
            place_arr: Share of the spiral's length from the centre, in [0, 1), shape
                `(batch,)`.

        Returns:
            What `draw` returns.
        """
        # The length up to an angle grows with its square, so the root spreads evenly.
        share = nd.sqrt(place_arr)
        angle = 2 * math.pi * self.turn_n * share
        points = self.size * nd.stack(share * nd.cos(angle), share * nd.sin(angle), axis=1)
        points = points + nd.random.normal(0.0, self.noise_scale, points.shape, ctx=self.ctx)
        if not self.labeled:
            return points
        piece = nd.clip(nd.floor(place_arr * self.class_n), 0, self.class_n - 1)
        return join(points, nd.one_hot(piece, self.class_n))
