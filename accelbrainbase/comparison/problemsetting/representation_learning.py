"""Which model finds the codes that tell most?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from accelbrainbase.comparison import calls
from accelbrainbase.comparison.checked_data import data_points, labels_of
from accelbrainbase.comparison.problem_setting import ProblemSetting
from accelbrainbase.iteratabledata.array_iterator import ArrayIterator


class RepresentationLearning(ProblemSetting):
    """Codes are learned without labels; a linear classifier on them tells what they hold.

    A model needs `learn(iteratable_data)`, and `encode`, or `feature_points_arr` after
    `inference`; `decode`, or an `inference` that reconstructs. An estimator of scikit-learn needs
    `fit` and `transform`, and reconstructs by `inverse_transform`.

    Measures: `accuracy` of logistic regression on the standardised codes, and
    `reconstruction error`, the mean square over the features of test data, NaN for what does
    not reconstruct.

    Args:
        observed: Data points to learn from, shape `(n, *features)`.
        labels: Their classes, for the classifier alone; `None`: no accuracy.
        test_observed: Data points to measure on.
        test_labels: Their classes.
        epochs: Number of passes over the data, for models that learn by mini-batches.
        batch_size: Number of data points in a mini-batch.
        seed: Seed of their order.
        classifier: Another classifier with `fit` and `score`.

    Raises:
        TypeError: If data are not numbers.
        ValueError: If they do not fit each other.

    References:
        - Alain, G., & Bengio, Y. (2016). Understanding intermediate layers using linear
          classifier probes. arXiv:1610.01644.
    """

    better: Mapping[str, str] = MappingProxyType(
        {"accuracy": "higher", "reconstruction error": "lower"}
    )

    def __init__(
        self,
        observed: Any,
        labels: Any = None,
        test_observed: Any = None,
        test_labels: Any = None,
        *,
        epochs: int = 50,
        batch_size: int = 64,
        seed: int = 0,
        classifier: Any = None,
    ) -> None:
        self.observed = data_points("observed", observed)
        if test_observed is None:
            raise ValueError(
                "`test_observed` must be data points that nobody learns from, but is missing. "
                "`sklearn.model_selection.train_test_split` divides data."
            )
        self.test_observed = data_points("test_observed", test_observed, self.observed)
        if (labels is None) != (test_labels is None):
            raise ValueError("`labels` and `test_labels` must be given both, or neither.")
        self.labels = None if labels is None else labels_of("labels", labels, self.observed)
        self.test_labels = (
            None if labels is None else labels_of("test_labels", test_labels, self.test_observed)
        )
        self.epochs, self.batch_size, self.seed = epochs, batch_size, seed
        self.classifier = classifier

    def iterator(self) -> ArrayIterator:
        """Return mini-batches to learn from; the test data are scored after each epoch."""
        return ArrayIterator(
            self.observed,
            test_observed=self.test_observed,
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=self.seed,
        )

    def learn(self, model: Any) -> None:
        """Let a model learn codes.

        Args:
            model: The model.
        """
        flat = self.observed.reshape(len(self.observed), -1)
        calls.learn(model, self.iterator, lambda estimator: estimator.fit(flat))

    def quality(self, model: Any) -> dict[str, float]:
        """Measure the codes and the reconstructions.

        Args:
            model: The model.

        Returns:
            `accuracy` in [0, 1] (if there are labels) and `reconstruction error`.
        """
        measured = {}
        if self.labels is not None:
            measured["accuracy"] = self._accuracy(model)
        found = calls.reconstructed_by(model, self.test_observed)
        error = math.nan
        if found is not None:
            error = float(np.square(found.astype(np.float64) - self.test_observed).mean())
        measured["reconstruction error"] = error
        return measured

    def _accuracy(self, model: Any) -> float:
        from sklearn.base import clone
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        classifier = LogisticRegression(max_iter=2000)
        if self.classifier is not None:
            classifier = clone(self.classifier)
        probe = make_pipeline(StandardScaler(), classifier)
        probe.fit(calls.codes_of(model, self.observed), self.labels)
        return float(probe.score(calls.codes_of(model, self.test_observed), self.test_labels))
