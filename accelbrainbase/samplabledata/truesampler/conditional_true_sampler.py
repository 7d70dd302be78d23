"""Draws true data points, joined with their conditions."""

from __future__ import annotations

from typing import Any

from accelbrainbase._checks import check_integer
from accelbrainbase.samplabledata.joining import join
from accelbrainbase.samplabledata.true_sampler import TrueSampler


class ConditionalTrueSampler(TrueSampler):
    """Draws data points joined with the condition under which they are true.

    The condition is the target which the iterator generates: labels, or what else belongs to
    the data points. A discriminator that judges such pairs sees both (Mirza & Osindero 2014,
    equation 2).

    References:
        - Mirza, M., & Osindero, S. (2014). Conditional generative adversarial nets.
          arXiv:1411.1784.
    """

    _conditonal_dim: int = 1

    @property
    def conditonal_dim(self) -> int:
        """The axis along which the two are joined."""
        return self._conditonal_dim

    @conditonal_dim.setter
    def conditonal_dim(self, value: int) -> None:
        self._conditonal_dim = check_integer("conditonal_dim", value, low=1)

    def draw(self) -> Any:
        """Draw one mini-batch.

        Returns:
            Data points first and conditions second, joined on the axis `conditonal_dim`.
            Labels of images become planes.

        Raises:
            ValueError: If there is no iterator, or it generates no conditions.
        """
        observed_arr, condition_arr = self.next_mini_batch()[:2]
        if condition_arr is None or condition_arr is observed_arr:
            raise ValueError(
                "`iteratorable_data` of ConditionalTrueSampler generates no conditions: its "
                "targets are the data points themselves. Give it targets, such as labels."
            )
        return join(observed_arr, condition_arr, self.conditonal_dim)
