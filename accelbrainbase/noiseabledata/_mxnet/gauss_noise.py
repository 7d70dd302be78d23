"""Additive Gaussian noise, on the device and in graphs."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.noiseabledata.gauss_noise import GaussNoise as NeutralGaussNoise

# On a CPU, MXNet draws 33 ns an element and NumPy 6. Below this size, seeding outweighs that.
_LARGE = 2**14


class GaussNoise(NeutralGaussNoise):
    r"""Adds noise that is drawn from a normal distribution.

    .. math:: \tilde{x} = x + \epsilon, \quad \epsilon \sim \mathcal{N}(\mu, \sigma^2)

    Each element has a draw of its own, and each call draws anew. The draws follow from
    the seed of MXNet, which `accelbrainbase.seed` sets.

    Args:
        mu: Mean of the noise.
        sigma: Standard deviation of the noise, at least 0.

    Raises:
        ValueError: If `mu` or `sigma` is not finite, or `sigma` is negative.
    """

    def noise(self, arr: Any, F: Any = mx.ndarray) -> Any:
        """Return a corrupted copy of `arr`. `arr` itself is not modified.

        Args:
            arr: Observed data points, shape `(batch, *features)`: an NDArray, or a Symbol
                where `F` is `mxnet.symbol`.
            F: `mxnet.ndarray`, or `mxnet.symbol` inside of a `hybrid_forward`.

        Returns:
            Array with the shape, dtype and context of `arr`.

        Raises:
            TypeError: If `arr` is neither an NDArray nor a Symbol.
        """
        check_is_a("arr", arr, (nd.NDArray, mx.sym.Symbol))
        return arr + (self.sigma * self._draw(arr, F) + self.mu)

    def _draw(self, arr: Any, F: Any) -> Any:
        """Draw from the standard normal distribution; MXNet's own takes no `sigma` of 0."""
        if (
            isinstance(arr, nd.NDArray)
            and arr.context.device_type == "cpu"
            and arr.size >= _LARGE
            and arr.dtype in (np.float32, np.float64)
        ):
            seed = nd.random.randint(0, 2**31 - 1, shape=(1,), ctx=arr.context).asscalar()
            draws = np.random.default_rng(int(seed)).standard_normal(arr.shape, dtype=arr.dtype)
            return copied(draws, arr.context, arr.dtype)
        return F.random.normal_like(arr)
