"""Masking noise, for NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelbrainbase._checks import check_number
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.noiseabledata._floats import check_floats


class MaskingNoise(NoiseableData):
    """Sets elements to 0 that are drawn at random.

    Each element is hit with probability `rate`, for itself. An auto-encoder that learns to fill
    them in must know how the elements depend on each other. Each call draws anew, from NumPy's
    global state, which `accelbrainbase.seed` sets.

    Args:
        rate: Probability that an element is set to 0, in [0, 1].

    Raises:
        TypeError: If an argument is no number.
        ValueError: If `rate` is not in [0, 1].

    References:
        - Vincent, P., Larochelle, H., Bengio, Y., & Manzagol, P.-A. (2008). Extracting and
          composing robust features with denoising autoencoders. ICML. Section 2.3.
    """

    def __init__(self, rate: float = 0.25) -> None:
        self.rate = check_number("rate", rate, low=0.0, high=1.0)

    def noise(self, arr: Any) -> Any:
        """Return a corrupted copy of `arr`. `arr` itself is not modified.

        Args:
            arr: Observed data points, a NumPy array of floats, shape `(batch, *features)`.

        Returns:
            Array with the shape and dtype of `arr`.

        Raises:
            TypeError: If `arr` is not a NumPy array of floats.
        """
        check_floats(arr, "MaskingNoise")
        hit = np.random.random_sample(arr.shape) < self.rate
        return np.where(hit, arr.dtype.type(0), arr)
