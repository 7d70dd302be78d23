"""What the learning loop needs to know of a tensor library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class Backend:
    """All that touches tensors, seen from the loop.

    This one is for learners written in NumPy or plain Python: losses are numbers or
    arrays in memory, and the learning rate is an attribute of the learner. Backends of
    tensor libraries override what differs.

    Args:
        learner: What learns, or `None`. Its attribute `learning_rate`, if any, is the
            rate which the loop attenuates.
    """

    def __init__(self, learner: Any = None) -> None:
        self.learner = learner

    def wait(self, value: Any) -> None:
        """Hook: wait until `value` is computed. The loop calls it for steps long past."""

    def read(self, values: Sequence[Any]) -> list[np.ndarray]:
        """Hook: fetch losses from the device.

        Args:
            values: Losses of several steps: numbers, or arrays of any shape.

        Returns:
            One array of rank 1 for each of them.
        """
        return [np.asarray(value, dtype=np.float64).reshape(-1) for value in values]

    @property
    def learning_rate(self) -> float | None:
        """The learning rate, or `None` where there is none."""
        rate = getattr(self.learner, "learning_rate", None)
        return None if rate is None else float(rate)

    def scale_learning_rate(self, factor: float) -> None:
        """Hook: multiply the learning rate by `factor`."""
        if self.learning_rate is not None:
            self.learner.learning_rate = self.learning_rate * factor

    def snapshot(self) -> Any:
        """Hook: copy the parameters.

        Returns:
            What `restore` takes, or `None` if there is nothing to copy yet, or not all
            parameters are finite.
        """
        return None

    def restore(self, snapshot: Any) -> None:
        """Hook: set the parameters to those of `snapshot`.

        What the optimiser remembers of the parameters that are given up (momentum) is
        forgotten.
        """
