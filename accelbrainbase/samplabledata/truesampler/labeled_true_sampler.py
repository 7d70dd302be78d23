"""Draws true data points with their labels."""

from __future__ import annotations

from typing import Any

from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.samplabledata.true_sampler import TrueSampler


class LabeledTrueSampler(TrueSampler):
    """A `TrueSampler` that draws labels too; its iterator is called `labeled_image_iterator`."""

    @property
    def labeled_image_iterator(self) -> IteratableData | None:
        """The iterator whose mini-batches are drawn."""
        return self.iteratorable_data

    @labeled_image_iterator.setter
    def labeled_image_iterator(self, value: IteratableData) -> None:
        self.iteratorable_data = value

    def draw(self) -> Any:
        """Draw one mini-batch.

        Returns:
            A tuple of true data points, shape `(batch, *features)`, and their labels, shape
            `(batch, classes)`.

        Raises:
            ValueError: If there is no iterator.
        """
        return self.next_mini_batch()[:2]
