"""Random numbers that come out the same after a restart."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def seed_of(seed: int, part: int | str) -> int:
    """Return the seed of one part of a learning.

    Args:
        seed: Seed of the learning.
        part: Name of the part, or number of the row after which it begins.

    Returns:
        A seed in [0, 2³²).
    """
    return zlib.crc32(f"{seed}/{part}".encode())


class OwnRandomness:
    """An iterator whose NumPy and Python random numbers are its own.

    What it draws does not depend on how many random numbers are drawn between its items, so
    that it can be repeated without what happened between.

    Args:
        items: The iterator.
        seed: Seed of its random numbers, in [0, 2³²).
    """

    def __init__(self, items: Iterator[Any], seed: int) -> None:
        self.items = items
        with seeded(seed):
            self._inside = _states()

    def __iter__(self) -> OwnRandomness:
        return self

    def __next__(self) -> Any:
        outside = _states()
        _set_states(self._inside)
        try:
            return next(self.items)
        finally:
            self._inside = _states()
            _set_states(outside)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw NumPy's and Python's random numbers from a seed; go back to the others afterwards.

    Args:
        seed: The seed, in [0, 2³²).
    """
    outside = _states()
    np.random.seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        _set_states(outside)


def _states() -> tuple[Any, Any]:
    return np.random.get_state(legacy=False), random.getstate()


def _set_states(states: tuple[Any, Any]) -> None:
    np.random.set_state(states[0])
    random.setstate(states[1])
