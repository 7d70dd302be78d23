"""Draws conditions with labels."""

from __future__ import annotations

from typing import Any

from accelbrainbase.samplabledata.condition_sampler import ConditionSampler


class LabeledConditionSampler(ConditionSampler):
    """A `ConditionSampler` whose `true_sampler` draws labels too."""

    @property
    def observable_data(self) -> Any:
        """Another name of `model`."""
        return self.model

    @observable_data.setter
    def observable_data(self, value: Any) -> None:
        self.model = value

    def draw(self) -> Any:
        """Draw one mini-batch.

        Returns:
            A tuple of conditions, shape `(batch, *features)`; what the `model` makes of them,
            or `None`; and labels, shape `(batch, classes)`.

        Raises:
            ValueError: If there is no `true_sampler`, or it draws no labels.
        """
        drawn = self._draw_true()
        if not isinstance(drawn, (tuple, list)) or len(drawn) != 2:
            raise ValueError(
                f"`true_sampler` of LabeledConditionSampler must draw data points and labels, as "
                f"a LabeledTrueSampler does, but {type(self.true_sampler).__name__} does not."
            )
        condition_arr, label_arr = drawn
        return condition_arr, self._apply_model(condition_arr), label_arr
