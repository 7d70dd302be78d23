"""The interface of what approximates a function."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from accelbrainbase._accessors import Accessors
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.observable_data import ObservableData


class ApproximatedFunction(Accessors, ObservableData):
    """Approximates a function, such as the value of actions, by a model.

    Implement `model`. All models are equivalents here: what is dense can be replaced by
    convolutions, an LSTM, or anything else that gives as many numbers.

    Attributes:
        init_deferred_flag: Whether the parameters are left for the caller to initialise.
        initializer: Draws the initial parameters, or `None`.
    """

    init_deferred_flag: bool = False
    initializer: Any = None

    @property
    @abstractmethod
    def model(self) -> Any:
        """The model that approximates the function."""

    def learn(self, iteratable_data: IteratableData) -> None:
        """Let the model learn from given values.

        Args:
            iteratable_data: Generates the mini-batches; the targets are the values.
        """
        self.model.learn(iteratable_data)

    def inference(self, observed_arr: Any) -> Any:
        """Infer values.

        Args:
            observed_arr: What the function is of, shape `(batch, *features)`.

        Returns:
            The values, shape `(batch, 1)`, or one for each action.
        """
        return self.model.inference(observed_arr)


FunctionApproximator = ApproximatedFunction
"""The name in 1.1.0."""
