"""Additive Gaussian noise, for NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelbrainbase._checks import check_number
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.noiseabledata._floats import check_floats


class GaussNoise(NoiseableData):
    r"""Adds noise that is drawn from a normal distribution.

    .. math:: \tilde{x} = x + \epsilon, \quad \epsilon \sim \mathcal{N}(\mu, \sigma^2)

    Each element has a draw of its own, and each call draws anew, from NumPy's global
    state, which `accelbrainbase.seed` sets.

    Args:
        mu: Mean of the noise.
        sigma: Standard deviation of the noise, at least 0.

    Raises:
        ValueError: If `mu` or `sigma` is not finite, or `sigma` is negative.

    References:
        - Vincent, P., Larochelle, H., Lajoie, I., Bengio, Y., & Manzagol, P.-A. (2010).
          Stacked denoising autoencoders. Journal of Machine Learning Research, 11.
          Section 3.3.
    """

    def __init__(self, mu: float = 0.0, sigma: float = 1.0) -> None:
        self.mu = check_number("mu", mu)
        self.sigma = check_number("sigma", sigma, low=0.0)

    def noise(self, arr: Any) -> Any:
        """Return a corrupted copy of `arr`. `arr` itself is not modified.

        Args:
            arr: Observed data points, a NumPy array of floats, shape `(batch, *features)`.

        Returns:
            Array with the shape and dtype of `arr`.

        Raises:
            TypeError: If `arr` is not a NumPy array of floats.
        """
        check_floats(arr, "GaussNoise")
        noise_arr = self.mu + self.sigma * np.random.standard_normal(arr.shape)
        return arr + noise_arr.astype(arr.dtype)
