"""The interface of loss functions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class ComputableLoss(ABC):
    """Computes how far predictions are from the truth.

    Implement `compute`; there is nothing else to implement.
    """

    @abstractmethod
    def compute(self, pred_arr: Any, real_arr: Any) -> Any:
        """Return one loss for each sample. Lower is better.

        Args:
            pred_arr: Predictions, shape `(batch, *features)`.
            real_arr: The truth, of the shape of `pred_arr`.

        Returns:
            Losses of shape `(batch,)`. They are not averaged over the batch: the
            learning step does that, once.
        """
