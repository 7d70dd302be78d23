"""Draws true data points with a condition and labels."""

from __future__ import annotations

from typing import Any

from accelbrainbase.samplabledata.truesampler.labeled_true_sampler import LabeledTrueSampler


class ConditionalLabeledTrueSampler(LabeledTrueSampler):
    """A `LabeledTrueSampler` that draws a second, independent mini-batch as the condition."""

    def draw(self) -> Any:
        """Draw two mini-batches.

        Returns:
            A tuple of true data points, shape `(batch, *features)`; the condition, of the same
            shape; and the labels of the former, shape `(batch, classes)`.

        Raises:
            ValueError: If there is no iterator.
        """
        observed_arr, label_arr = super().draw()
        condition_arr, _ = super().draw()
        return observed_arr, condition_arr, label_arr
