"""The interface of everything that learns from data and infers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accelbrainbase.iteratable_data import IteratableData


class ObservableData(ABC):
    """Learns from observed data points, and infers from them.

    Implement `learn` and `inference`; there is nothing else to implement. The
    interface has no constructor and no state, so that a class of another
    package can implement it without calling ``super().__init__()``.
    """

    @abstractmethod
    def learn(self, iteratable_data: IteratableData) -> None:
        """Learn from the mini-batches that `iteratable_data` generates.

        Args:
            iteratable_data: Generates tuples ``(observed_arr, target_arr,
                test_observed_arr, test_target_arr)``, each array of shape
                `(batch, *features)`.
        """

    @abstractmethod
    def inference(self, observed_arr: Any) -> Any:
        """Infer from observed data points. Nothing is learned.

        Args:
            observed_arr: Observed data points, shape `(batch, *features)`.

        Returns:
            What the model infers, one entry for each data point along the first axis.
        """
