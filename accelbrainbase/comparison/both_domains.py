"""Mini-batches with labels, and beside each one without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.iteratabledata.array_iterator import ArrayIterator


class BothDomains(IteratableData):
    """The tuples of an iterator over labelled data, and as a fifth entry data without labels.

    Args:
        source: Generates the labelled mini-batches.
        unlabeled_arr: Data points without labels; each comes once before one comes again.
        seed: Seed of their order.
    """

    def __init__(self, source: ArrayIterator, unlabeled_arr: np.ndarray, seed: int) -> None:
        self.source, self.unlabeled_arr, self.seed = source, unlabeled_arr, seed
        self.epochs, self.iter_n = source.epochs, source.iter_n
        self.batch_size = source.batch_size

    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate ``(observed, label, test observed, test label, unlabelled)``."""
        random = np.random.default_rng([self.seed, 1])
        order = np.empty(0, dtype=int)
        for batch in self.source.generate_learned_samples():
            while len(order) < len(batch[0]):
                order = np.concatenate([order, random.permutation(len(self.unlabeled_arr))])
            rows, order = order[: len(batch[0])], order[len(batch[0]) :]
            yield (*batch, self.unlabeled_arr[rows])

    def generate_inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate the data without labels, each once."""
        for begin in range(0, len(self.unlabeled_arr), self.batch_size):
            yield None, None, self.unlabeled_arr[begin : begin + self.batch_size], None
