"""Classifiers around a network."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from accelbrainbase.estimators.learned_model import LearnedTransformer


class NetworkClassifier(ClassifierMixin, LearnedTransformer):
    """What classifiers share whose classes are the columns of a network's output.

    Attributes:
        classes_: The classes, sorted: the columns of `predict_proba`.
    """

    classes_: np.ndarray

    def _check_labels(self, y: Any, row_n: int) -> None:
        """Raise a `ValueError` unless there is one label for each row."""
        if np.shape(y) not in ((row_n,), (row_n, 1)):
            raise ValueError(
                f"`y` must have one label for each row of `X`, shape ({row_n},), but has "
                f"{np.shape(y)}."
            )

    @abstractmethod
    def _probabilities(self, arr: np.ndarray) -> Any:
        """Abstract: return the probabilities of the classes, shape `(rows, classes)`."""

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes.

        Args:
            X: Data points, shape `(rows, *features)`.

        Returns:
            Shape `(rows, classes)`, in the order of `classes_`.
        """
        return self._by_model(self._probabilities, X)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable classes.

        Args:
            X: Data points, shape `(rows, *features)`.

        Returns:
            Labels, shape `(rows,)`.
        """
        shares = self.predict_proba(X)  # says so where there are no classes yet
        return self.classes_[shares.argmax(axis=1)]
