"""Random turns, shifts, scalings and shears of pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_is_a, check_number
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.noiseable_data import NoiseableData


class AffineNoise(NoiseableData):
    """Turns, shifts, scales and shears pictures at random: augmentation that keeps the class.

    Each picture has draws of its own, uniform between minus and plus the limits, the same for
    all of its channels. Pixels are interpolated bilinearly; what comes in from outside is 0. The
    draws follow from NumPy's global state, which `accelbrainbase.seed` sets.

    Ghifary et al. (2016, section 3) augment the source domain so: as the `noiseable_data` of
    its iterator.

    Args:
        rotation: Largest turn in degrees, at least 0.
        translation: Largest shift, as a share of height and width, at least 0.
        scaling: Largest relative change of the size, in [0, 1).
        shear: Largest shear in degrees, in [0, 90).

    Raises:
        ValueError: If a limit is out of its range.

    References:
        - Ghifary, M., Kleijn, W. B., Zhang, M., Balduzzi, D., & Li, W. (2016). Deep
          reconstruction-classification networks for unsupervised domain adaptation. ECCV.
    """

    def __init__(
        self,
        rotation: float = 10.0,
        translation: float = 0.1,
        scaling: float = 0.1,
        shear: float = 0.0,
    ) -> None:
        self.rotation = check_number("rotation", rotation, low=0.0)
        self.translation = check_number("translation", translation, low=0.0)
        self.scaling = check_number("scaling", scaling, low=0.0, high=1.0, high_open=True)
        self.shear = check_number("shear", shear, low=0.0, high=90.0, high_open=True)

    def noise(self, arr: Any) -> Any:
        """Return turned, shifted, scaled and sheared pictures. `arr` itself is not modified.

        Args:
            arr: Pictures, shape `(batch, channel, height, width)`.

        Returns:
            NDArray with the shape, dtype and context of `arr`.

        Raises:
            TypeError: If `arr` is no NDArray.
            ValueError: If `arr` has another rank.
        """
        check_is_a("arr", arr, nd.NDArray)
        if arr.ndim != 4:
            raise ValueError(
                f"`arr` must have shape (batch, channel, height, width), but got {arr.shape}."
            )
        height, width = arr.shape[2:]
        maps = copied(self._draw(len(arr), height, width), arr.context)
        grid = nd.GridGenerator(maps, transform_type="affine", target_shape=(height, width))
        return nd.BilinearSampler(arr.astype(np.float32), grid).astype(arr.dtype)

    def _draw(self, size: int, height: int, width: int) -> np.ndarray:
        """Draw where each picture gets its pixels from, in coordinates from -1 to 1."""
        draws = np.random.uniform(-1.0, 1.0, size=(5, size))
        angle, shear = np.radians(self.rotation * draws[0]), np.radians(self.shear * draws[1])
        scale = 1.0 / (1.0 + self.scaling * draws[2])
        cosine, sine, slope = np.cos(angle), np.sin(angle), np.tan(shear)
        # Lengths of one unit of x and y in pixels differ where pictures are not square.
        ratio = (height - 1) / max(width - 1, 1)
        maps = np.stack(
            [
                scale * cosine,
                scale * (slope * cosine - sine) * ratio,
                2.0 * self.translation * draws[3],
                scale * sine / max(ratio, 1e-12),
                scale * (slope * sine + cosine),
                2.0 * self.translation * draws[4],
            ],
            axis=1,
        )
        return maps.astype(np.float32)
