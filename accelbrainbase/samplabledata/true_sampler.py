"""Draws from the true distribution: the data."""

from __future__ import annotations

from typing import Any

from accelbrainbase.samplabledata.iterator_sampler import IteratorSampler


class TrueSampler(IteratorSampler):
    """Draws mini-batches of true data points.

    Set `iteratorable_data` to the iterator that generates them. A subclass may draw from
    anywhere: it overrides `draw`, and needs no iterator.

    Example:
        >>> true_sampler = TrueSampler()
        >>> true_sampler.iteratorable_data = ArrayIterator(images, batch_size=64)
    """

    def draw(self) -> Any:
        """Draw one mini-batch.

        Returns:
            True data points, shape `(batch, *features)`.

        Raises:
            ValueError: If there is no iterator.
        """
        return self.next_mini_batch()[0]
