"""What a comparison asks of a problem."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from accelbrainbase._described import Described


class ProblemSetting(Described, ABC):
    """Data, and measures of how well a model solves what is asked of them.

    Implement `quality`. Implement `learn` too where models are to learn in the comparison.

    Attributes:
        better: For each measure whether `"higher"` or `"lower"` is better; what is missing here is
            drawn without a direction.
    """

    better: Mapping[str, str] = MappingProxyType({})

    @abstractmethod
    def quality(self, model: Any) -> dict[str, float]:
        """Measure a model that has learned.

        Args:
            model: Any object with the methods that this problem calls.

        Returns:
            The measures by name; NaN where one does not apply to the model.
        """

    def learn(self, model: Any) -> None:
        """Hook: let a model learn from the data.

        Args:
            model: A model that has not learned yet.

        Raises:
            TypeError: By default: models must have learned before.
        """
        raise TypeError(
            f"{type(self).__name__} does not say how a `{type(model).__name__}` learns. Let it "
            "learn before and pass `learned=True`, or say how by `learn={name: function}`."
        )
