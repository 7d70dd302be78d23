"""What samplers share that draw from an iterator over mini-batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from accelbrainbase._accessors import Accessors
from accelbrainbase._checks import check_is_a
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.learning.randomness import OwnRandomness, seed_of
from accelbrainbase.samplable_data import SamplableData


class IteratorSampler(Accessors, SamplableData):
    """Draws the mini-batches of an iterator, without end. Implement `draw`.

    When the iterator has generated its last mini-batch it starts again. The sampler can tell
    where it is, and go there again, so that a learning resumes from a checkpoint with the same
    draws. Subclasses need not call a constructor.
    """

    _iterator: IteratableData | None = None
    _items: Iterator[Any] | None = None
    _seed: int | None = None
    _pass_n: int = 0
    _position: int = 0

    @property
    def iteratorable_data(self) -> IteratableData | None:
        """The iterator whose mini-batches are drawn, or `None`. Setting it starts anew."""
        return self._iterator

    @iteratorable_data.setter
    def iteratorable_data(self, value: IteratableData) -> None:
        check_is_a("iteratorable_data", value, IteratableData)
        self._iterator = value
        self._items, self._seed, self._pass_n, self._position = None, None, 0, 0

    @property
    def draws_in_epoch(self) -> float | None:
        """Number of draws that make one pass over the data, or `None` if it is not known."""
        iter_n, epochs = (getattr(self._iterator, name, None) for name in ("iter_n", "epochs"))
        return None if iter_n is None or not epochs else iter_n / epochs

    def next_mini_batch(self) -> tuple[Any, ...]:
        """Return the next tuple of the iterator.

        Raises:
            ValueError: If there is no iterator, or it generates nothing.
        """
        if self._iterator is None:
            raise ValueError(
                f"{type(self).__name__} has nothing to draw from. Set `iteratorable_data` to an "
                f"iterator over mini-batches, such as an `ArrayIterator`."
            )
        for _ in range(2):  # the second time when a pass has just ended
            if self._items is None:
                self._begin_pass()
            assert self._items is not None
            try:
                mini_batch = next(self._items)
            except StopIteration:
                self._items, self._pass_n = None, self._pass_n + 1
                continue
            self._position += 1
            if isinstance(self._items, OwnRandomness) and self._seeds_itself():
                self._items = self._items.items  # switching random numbers takes its time
            return tuple(mini_batch)
        raise ValueError(f"`iteratorable_data` of {type(self).__name__} generates no mini-batch.")

    def _begin_pass(self) -> None:
        assert self._iterator is not None
        if self._seed is None:
            self._seed = int(np.random.randint(2**31))
        # What the iterator draws must not depend on what happens between, to be repeatable.
        items = iter(self._iterator.generate_learned_samples())
        self._items = OwnRandomness(items, seed_of(self._seed, self._pass_n))
        self._position = 0

    def _seeds_itself(self) -> bool:
        """Tell whether the order of a pass follows from what is drawn with its first item.

        That holds for all iterators of this package. (Noise that they add is drawn anew at each
        item, and follows from the seed that was set last, as it does without a sampler.)
        """
        return type(self._iterator).__module__.startswith("accelbrainbase.")

    def capture(self) -> dict[str, Any]:
        """Return where the sampler is, for a checkpoint."""
        return {"seed": self._seed, "pass": self._pass_n, "position": self._position}

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy has: a generator cannot be copied, but where it stands can."""
        return {**vars(self), "_items": None}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Be a copy, at the same place of the iterator."""
        vars(self).update(state)
        if self._position:
            self.resume(self.capture())

    def resume(self, values: Mapping[str, Any]) -> None:
        """Go where `capture` was called, by drawing again what was drawn in that pass."""
        self._seed, self._pass_n = values["seed"], values["pass"]
        self._items, self._position = None, 0
        if self._seed is not None:
            self._begin_pass()
            for _ in range(values["position"]):
                self.next_mini_batch()
