"""Which model carries classes over to data of another kind?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer
from accelbrainbase.comparison import calls
from accelbrainbase.comparison.both_domains import BothDomains
from accelbrainbase.comparison.checked_data import data_points, labels_of
from accelbrainbase.comparison.problem_setting import ProblemSetting
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.iteratabledata.array_iterator import ArrayIterator


class DomainAdaptation(ProblemSetting):
    """The source domain has labels, the target domain has none; its classes are predicted.

    A model needs `learn(iteratable_data)`, and `predict`, or an `inference` that returns scores
    of the classes, alone or in a tuple, as `DRCNetworks` does. By default it gets tuples of five
    arrays, those of `DRCNIterator`: the fifth is a mini-batch of the target domain, and models
    that do not adapt take the first four. Give `iteratable_data` for models that want others.

    An estimator of scikit-learn needs `fit(X, y)` and `predict`; one whose `fit` has a parameter
    `X_target` gets the target domain too.

    Measures: `target accuracy`, and `source accuracy` where there are source data for the test.

    Args:
        observed: Data points of the source domain, shape `(n, *features)`.
        labels: Their classes.
        target_observed: Data points of the target domain, without labels, to learn from.
        test_observed: Data points of the target domain to measure on.
        test_labels: Their classes.
        source_test_observed: Data points of the source domain to measure on, if any.
        source_test_labels: Their classes.
        iteratable_data: Returns, of this problem, what a model's `learn` takes.
        epochs: Number of passes over the data, for models that learn by mini-batches.
        batch_size: Number of data points in a mini-batch.
        seed: Seed of their order.

    Raises:
        TypeError: If data are not numbers.
        ValueError: If they do not fit each other.
    """

    better: Mapping[str, str] = MappingProxyType(
        {"target accuracy": "higher", "source accuracy": "higher"}
    )

    def __init__(
        self,
        observed: Any,
        labels: Any,
        target_observed: Any,
        test_observed: Any,
        test_labels: Any,
        *,
        source_test_observed: Any = None,
        source_test_labels: Any = None,
        iteratable_data: Callable[[Any], IteratableData] | None = None,
        epochs: int = 50,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        self.observed = data_points("observed", observed)
        self.labels = labels_of("labels", labels, self.observed)
        self.target_observed = data_points("target_observed", target_observed, self.observed)
        self.test_observed = data_points("test_observed", test_observed, self.observed)
        self.test_labels = labels_of("test_labels", test_labels, self.test_observed)
        self.source_test_observed, self.source_test_labels = None, None
        if source_test_observed is not None:
            self.source_test_observed = data_points(
                "source_test_observed", source_test_observed, self.observed
            )
            self.source_test_labels = labels_of(
                "source_test_labels", source_test_labels, self.source_test_observed
            )
        self.classes = np.unique(self.labels)
        self.iteratable_data = iteratable_data
        self.epochs, self.batch_size, self.seed = epochs, batch_size, check_integer("seed", seed)

    def iterator(self) -> IteratableData:
        """Return mini-batches of both domains."""
        source = ArrayIterator(
            self.observed,
            self._one_hot(self.labels),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=self.seed,
        )
        return BothDomains(source, self.target_observed, self.seed)

    def _one_hot(self, labels: np.ndarray) -> np.ndarray:
        return (labels[:, np.newaxis] == self.classes[np.newaxis, :]).astype(np.float32)

    def learn(self, model: Any) -> None:
        """Let a model learn from both domains.

        Args:
            model: The model.
        """
        make = self.iteratable_data
        calls.learn(model, self.iterator if make is None else lambda: make(self), self._fit)

    def _fit(self, estimator: Any) -> None:
        flat = self.observed.reshape(len(self.observed), -1)
        if "X_target" in inspect.signature(estimator.fit).parameters:
            target = self.target_observed.reshape(len(self.target_observed), -1)
            estimator.fit(flat, self.labels, X_target=target)
        else:
            estimator.fit(flat, self.labels)

    def quality(self, model: Any) -> dict[str, float]:
        """Measure the predicted classes.

        Args:
            model: The model.

        Returns:
            `target accuracy`, and `source accuracy` if there are data for it; in [0, 1].
        """
        parts = {"target accuracy": (self.test_observed, self.test_labels)}
        if self.source_test_observed is not None and self.source_test_labels is not None:
            parts["source accuracy"] = (self.source_test_observed, self.source_test_labels)
        return {
            name: float((calls.classes_by(model, data, self.classes) == labels).mean())
            for name, (data, labels) in parts.items()
        }
