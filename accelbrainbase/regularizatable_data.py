"""The interface of constraints on parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from accelbrainbase._described import Described


class RegularizatableData(Described, ABC):
    """Constrains the parameters of a model after each step of learning.

    Implement `regularize`; there is nothing else to implement.
    """

    @abstractmethod
    def regularize(self, params_dict: dict[str, Any]) -> dict[str, Any]:
        """Return the constrained parameters.

        Args:
            params_dict: Parameters by name. It is not modified.

        Returns:
            Parameters by the same names. An entry that is the very object that was
            handed in counts as unchanged, and is not written back.
        """
