"""Salt-and-pepper noise, on the device and in graphs."""

from __future__ import annotations

from typing import Any

import mxnet as mx
from mxnet import nd

from accelbrainbase._checks import check_is_a
from accelbrainbase.noiseabledata.salt_and_pepper_noise import (
    SaltAndPepperNoise as NeutralSaltAndPepperNoise,
)


class SaltAndPepperNoise(NeutralSaltAndPepperNoise):
    """Sets elements to the lowest or the highest value, at random.

    Each element is hit with probability `rate`, for itself; a fair coin says which of the two
    it becomes. Each call draws anew; the draws follow from the seed of MXNet, which
    `accelbrainbase.seed` sets.

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
        draw = F.random.uniform_like(arr)
        ones = F.ones_like(arr)
        noised_arr = F.where(draw < self.rate, self.high * ones, arr)
        return F.where(draw < 0.5 * self.rate, self.low * ones, noised_arr)
