"""Normally distributed initial parameters."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np

from accelbrainbase._checks import check_number
from accelbrainbase._mxnet.initializable_params import InitializableParams


class NormalInitializer(InitializableParams):
    """Draws parameters normally, with mean `mu` and deviation `sigma`, times `scale`.

    Args:
        mu: Mean.
        sigma: Standard deviation, at least 0.
        scale: Factor on what was drawn.
        init_dtype: Type in which the numbers are drawn; they are then cast to the type of
            the parameter. Numbers drawn as `float16` are rounded to 11 bits.
    """

    def __init__(
        self, mu: float = 0.0, sigma: float = 1.0, scale: float = 1.0, init_dtype: Any = np.float16
    ) -> None:
        self.mu = check_number("mu", mu)
        self.sigma = check_number("sigma", sigma, low=0.0)
        self.scale = check_number("scale", scale)
        self.init_dtype = np.dtype(init_dtype)
        super().__init__(
            mu=self.mu, sigma=self.sigma, scale=self.scale, init_dtype=self.init_dtype.name
        )

    def _init_weight(self, _: str, arr: mx.nd.NDArray) -> None:
        # MXNet's own `scale` must be positive; here a deviation of 0 is none.
        drawn = mx.nd.random.normal(shape=arr.shape, ctx=arr.context) * self.sigma + self.mu
        if self.init_dtype != np.float32:
            drawn = drawn.astype(self.init_dtype)
        arr[:] = drawn.astype(arr.dtype) * self.scale
