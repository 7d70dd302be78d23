"""Draws conditions: what a generated data point shall belong to."""

from __future__ import annotations

from typing import Any

from accelbrainbase._accessors import Accessors
from accelbrainbase._checks import check_is_a
from accelbrainbase.samplable_data import SamplableData


class ConditionSampler(Accessors, SamplableData):
    """Draws conditions from a `true_sampler`, and passes them through a `model` if there is one.

    Attributes:
        model: A network that is applied to the condition before the generator gets it, or
            `None`.
    """

    model: Any = None
    _true_sampler: SamplableData | None = None

    @property
    def true_sampler(self) -> Any:
        """Draws the conditions."""
        return self._true_sampler

    @true_sampler.setter
    def true_sampler(self, value: SamplableData) -> None:
        check_is_a("true_sampler", value, SamplableData)
        self._true_sampler = value

    def draw(self) -> Any:
        """Draw one mini-batch.

        Returns:
            A tuple of conditions, shape `(batch, *features)`, and what the `model` makes of
            them, or `None`.

        Raises:
            ValueError: If there is no `true_sampler`.
        """
        condition_arr = self._draw_true()
        return condition_arr, self._apply_model(condition_arr)

    def _draw_true(self) -> Any:
        if self.true_sampler is None:
            raise ValueError(f"{type(self).__name__} has nothing to draw from. Set `true_sampler`.")
        return self.true_sampler.draw()

    def _apply_model(self, condition_arr: Any) -> Any:
        if self.model is None:
            return None
        return getattr(self.model, "inference", self.model)(condition_arr)
