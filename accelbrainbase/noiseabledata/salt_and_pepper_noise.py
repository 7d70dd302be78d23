"""Salt-and-pepper noise, for NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelbrainbase._checks import check_number
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.noiseabledata._floats import check_floats


class SaltAndPepperNoise(NoiseableData):
    """Sets elements to the lowest or the highest value, at random.

    Each element is hit with probability `rate`, for itself; a fair coin says which of the two
    it becomes. Each call draws anew, from NumPy's global state, which `accelbrainbase.seed`
    sets.

    Args:
        rate: Probability that an element is hit, in [0, 1].
        low: The lowest value.
        high: The highest value.

    Raises:
        TypeError: If an argument is no number.
        ValueError: If `rate` is not in [0, 1], or `high` not above `low`.

    References:
        - Vincent, P., Larochelle, H., Lajoie, I., Bengio, Y., & Manzagol, P.-A. (2010).
          Stacked denoising autoencoders. Journal of Machine Learning Research, 11.
          Section 3.3.
    """

    def __init__(self, rate: float = 0.1, low: float = 0.0, high: float = 1.0) -> None:
        self.rate = check_number("rate", rate, low=0.0, high=1.0)
        self.low = check_number("low", low)
        self.high = check_number("high", high, low=self.low, low_open=True)

    def noise(self, arr: Any) -> Any:
        """Return a corrupted copy of `arr`. `arr` itself is not modified.

        Args:
            arr: Observed data points, a NumPy array of floats, shape `(batch, *features)`.

        Returns:
            Array with the shape and dtype of `arr`.

        Raises:
            TypeError: If `arr` is not a NumPy array of floats.
        """
        check_floats(arr, "SaltAndPepperNoise")
        draw = np.random.random_sample(arr.shape)
        noised_arr = np.where(draw < self.rate, arr.dtype.type(self.high), arr)
        return np.where(draw < 0.5 * self.rate, arr.dtype.type(self.low), noised_arr)
