"""Dropout noise, for NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelbrainbase._checks import check_number
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.noiseabledata._floats import check_floats


class DropoutNoise(NoiseableData):
    """Sets elements to 0 at random, and scales the others up so that the mean is kept.

    Each element is hit with probability `rate`, for itself; the others are divided by 1 −
    `rate`. This is dropout of what is observed; `MaskingNoise` leaves the others as they are.
    Each call draws anew, from NumPy's global state, which `accelbrainbase.seed` sets.

    Args:
        rate: Probability that an element is set to 0, in [0, 1).

    Raises:
        TypeError: If an argument is no number.
        ValueError: If `rate` is not in [0, 1).

    References:
        - Srivastava, N., et al. (2014). Dropout: a simple way to prevent neural networks from
          overfitting. Journal of Machine Learning Research, 15, 1929-1958. Section 4.
    """

    def __init__(self, rate: float = 0.2) -> None:
        self.rate = check_number("rate", rate, low=0.0, high=1.0, high_open=True)

    def noise(self, arr: Any) -> Any:
        """Return a corrupted copy of `arr`. `arr` itself is not modified.

        Args:
            arr: Observed data points, a NumPy array of floats, shape `(batch, *features)`.

        Returns:
            Array with the shape and dtype of `arr`.

        Raises:
            TypeError: If `arr` is not a NumPy array of floats.
        """
        check_floats(arr, "DropoutNoise")
        hit = np.random.random_sample(arr.shape) < self.rate
        return np.where(hit, arr.dtype.type(0), arr / arr.dtype.type(1.0 - self.rate))
