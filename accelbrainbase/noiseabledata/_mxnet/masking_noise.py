"""Masking noise, on the device and in graphs."""

from __future__ import annotations

from typing import Any

import mxnet as mx
from mxnet import nd

from accelbrainbase._checks import check_is_a
from accelbrainbase.noiseabledata.masking_noise import MaskingNoise as NeutralMaskingNoise


class MaskingNoise(NeutralMaskingNoise):
    """Sets elements to 0 that are drawn at random.

    Each element is hit with probability `rate`, for itself. An auto-encoder that learns to fill
    them in must know how the elements depend on each other. Each call draws anew; the draws
    follow from the seed of MXNet, which `accelbrainbase.seed` sets.

    Args:
        rate: Probability that an element is set to 0, in [0, 1].

    Raises:
        TypeError: If an argument is no number.
        ValueError: If `rate` is not in [0, 1].

    References:
        - Vincent, P., Larochelle, H., Bengio, Y., & Manzagol, P.-A. (2008). Extracting and
          composing robust features with denoising autoencoders. ICML. Section 2.3.
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
        return F.where(hit, F.zeros_like(arr), arr)
