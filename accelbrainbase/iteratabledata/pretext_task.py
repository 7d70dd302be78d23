"""The interface of pretext tasks of self-supervised learning."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from accelbrainbase._described import Described


class PretextTask(Described, ABC):
    """Asks about data points what can be answered without labels. Implement `create`.

    Attributes:
        block_n: Number of questions: the columns of labels are as many one-hot vectors of equal
            length, side by side.
    """

    block_n: int = 1

    @abstractmethod
    def create(self, observed_arr: Any, generator: np.random.Generator) -> tuple[Any, Any]:
        """Make samples of the task. `observed_arr` is not modified.

        Args:
            observed_arr: Data points, shape `(batch, *features)`.
            generator: Draws what is random.

        Returns:
            Data points to ask about, of the same shape, and the answers, one-hot, shape
            `(batch, block_n * answers)`.
        """
