"""The interface of samplers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from accelbrainbase._described import Described


class SamplableData(Described, ABC):
    """Draws samples from a distribution, a data set, or an environment.

    Implement `draw`; there is nothing else to implement.
    """

    @abstractmethod
    def draw(self) -> Any:
        """Draw one mini-batch.

        Returns:
            Samples of shape `(batch, *features)`, or a tuple of what belongs together;
            implementations say which.
        """
