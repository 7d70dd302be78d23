"""The interface of iterators over mini-batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from accelbrainbase._described import Described


class IteratableData(Described, ABC):
    """Generates mini-batches, for learning and for inference.

    Implement both generators. Models also read two attributes: `iter_n`, the number
    of mini-batches that `generate_learned_samples` generates, and `epochs`, the number
    of passes over the data which they make.
    """

    @abstractmethod
    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate `iter_n` mini-batches to learn from. A second call starts again.

        Yields:
            A tuple ``(observed_arr, target_arr, test_observed_arr, test_target_arr)``,
            each array of shape `(batch, *features)`. The last two may be `None` where
            there is nothing to test on.
        """

    @abstractmethod
    def generate_inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate the test data, each data point once.

        Yields:
            A tuple ``(None, None, test_observed_arr, what belongs to it)``: the target,
            the paths of files, or `None`.
        """
