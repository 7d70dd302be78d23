"""Dropout noise, on the device and in graphs."""

from __future__ import annotations

from typing import Any

import mxnet as mx
from mxnet import nd

from accelbrainbase._checks import check_is_a
from accelbrainbase.noiseabledata.dropout_noise import DropoutNoise as NeutralDropoutNoise


class DropoutNoise(NeutralDropoutNoise):
    """Sets elements to 0 at random, and scales the others up so that the mean is kept.

    Each element is hit with probability `rate`, for itself; the others are divided by 1 −
    `rate`. This is dropout of what is observed; `MaskingNoise` leaves the others as they are.
    Each call draws anew; the draws follow from the seed of MXNet, which `accelbrainbase.seed`
    sets.

    Args:
        rate: Probability that an element is set to 0, in [0, 1).

    Raises:
        TypeError: If an argument is no number.
        ValueError: If `rate` is not in [0, 1).

    References:
        - Srivastava, N., et al. (2014). Dropout: a simple way to prevent neural networks from
          overfitting. Journal of Machine Learning Research, 15, 1929-1958. Section 4.
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
        hit = F.random.uniform_like(arr) < self.rate
        return F.where(hit, F.zeros_like(arr), arr / (1.0 - self.rate))
