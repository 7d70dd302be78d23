"""The interface of corruption processes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from accelbrainbase._described import Described


class NoiseableData(Described, ABC):
    """Corrupts a mini-batch, for instance to train a denoising auto-encoder.

    Implement `noise`; there is nothing else to implement.
    """

    @abstractmethod
    def noise(self, arr: Any) -> Any:
        """Return a corrupted copy of `arr`. `arr` itself is not modified.

        Args:
            arr: Observed data points, shape `(batch, *features)`.

        Returns:
            Array with the shape, dtype and context of `arr`.
        """
