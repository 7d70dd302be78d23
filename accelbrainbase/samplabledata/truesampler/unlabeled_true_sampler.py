"""Draws true data points without labels."""

from __future__ import annotations

from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.samplabledata.true_sampler import TrueSampler


class UnlabeledTrueSampler(TrueSampler):
    """A `TrueSampler` whose iterator is called `unlabeled_image_iterator` too."""

    @property
    def unlabeled_image_iterator(self) -> IteratableData | None:
        """The iterator whose mini-batches are drawn."""
        return self.iteratorable_data

    @unlabeled_image_iterator.setter
    def unlabeled_image_iterator(self, value: IteratableData) -> None:
        self.iteratorable_data = value
