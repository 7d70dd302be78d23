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
