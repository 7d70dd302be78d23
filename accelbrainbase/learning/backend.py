"""What the learning loop needs to know of a tensor library."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
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

    def export_snapshot(self, snapshot: Any) -> dict[str, np.ndarray]:  # noqa: ARG002
        """Hook: return a snapshot as arrays, for a checkpoint."""
        return {}

    def import_snapshot(self, arrays: Mapping[str, np.ndarray]) -> Any:  # noqa: ARG002
        """Hook: return the snapshot that `export_snapshot` made arrays of."""
        return None

    def capture(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Hook: return all that decides how the learner goes on: parameters, optimisers.

        Returns:
            Arrays by name, and what JSON can hold by name.
        """
        return {}, {"learning_rate": self.learning_rate}

    def resume(
        self,
        arrays: Mapping[str, np.ndarray],  # noqa: ARG002
        values: Mapping[str, Any],
    ) -> None:
        """Hook: set what `capture` returned: all of it, or nothing.

        Raises:
            CheckpointError: If it is not of this learner, which is as it was.
        """
        if values["learning_rate"] is not None:
            self.learner.learning_rate = values["learning_rate"]

    def reseed(self, seed: int) -> None:
        """Hook: seed all random numbers that steps draw.

        Args:
            seed: In [0, 2³²).
        """
        np.random.seed(seed)
        random.seed(seed)

    def restore(self, snapshot: Any) -> None:
        """Hook: set the parameters to those of `snapshot`.

        What the optimiser remembers of the parameters that are given up (momentum) is
        forgotten.
        """
