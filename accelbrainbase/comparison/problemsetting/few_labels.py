"""Which model learns classes from few labels?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from accelbrainbase.comparison import calls
from accelbrainbase.comparison.both_domains import BothDomains
from accelbrainbase.comparison.checked_data import data_points, labels_of
from accelbrainbase.comparison.problem_setting import ProblemSetting
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.iteratabledata.array_iterator import ArrayIterator


class FewLabels(ProblemSetting):
    """Few data points have labels, many have none; classes of test data are predicted.

    A model needs `learn(iteratable_data)`, and `predict`, `classify`, or an `inference` that
    returns scores of the classes, in their order, `classes`. It learns from what has labels, by
    `labelled_iterator`; or, where `iteratable_data` says so, from all, by `all_iterator`. Where
    one comparison has both kinds, the argument `learn` of `compare` tells them apart.

    An estimator of scikit-learn needs `fit` and `predict`. One that learns from data without
    labels (those of `sklearn.semi_supervised`, and each with a true attribute
    `learns_from_unlabeled`) gets all, with the label -1 where there is none; others get what has
    labels.

    Measure: `accuracy`.

    Args:
        observed: Data points, shape `(n, *features)`.
        labels: Their classes, whole numbers of at least 0; -1 where there is none.
        test_observed: Data points to measure on.
        test_labels: Their classes.
        iteratable_data: Returns, of this problem, what a model's `learn` takes; by default
            `FewLabels.labelled_iterator`, another is `FewLabels.all_iterator`.
        epochs: Number of passes over the data, for models that learn by mini-batches.
        batch_size: Number of data points in a mini-batch.
        seed: Seed of their order.

    Raises:
        TypeError: If data are not numbers.
        ValueError: If they do not fit each other, or nothing has a label.
    """

    better: Mapping[str, str] = MappingProxyType({"accuracy": "higher"})

    def __init__(
        self,
        observed: Any,
        labels: Any,
        test_observed: Any,
        test_labels: Any,
        *,
        iteratable_data: Callable[[Any], IteratableData] | None = None,
        epochs: int = 50,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        self.observed = data_points("observed", observed)
        self.labels = labels_of("labels", labels, self.observed)
        if self.labels.dtype.kind not in "iu" or self.labels.min() < -1:
            raise ValueError(
                "`labels` must be whole numbers: classes from 0, and -1 where there is none."
            )
        self.test_observed = data_points("test_observed", test_observed, self.observed)
        self.test_labels = labels_of("test_labels", test_labels, self.test_observed)
        self.is_labelled = self.labels >= 0
        if not self.is_labelled.any():
            raise ValueError("`labels` must hold a class (0 or higher) somewhere, but is all -1.")
        self.classes = np.unique(self.labels[self.is_labelled])
        self.iteratable_data = iteratable_data
        self.epochs, self.batch_size, self.seed = epochs, batch_size, seed

    def labelled_iterator(self) -> ArrayIterator:
        """Return mini-batches of what has labels; the targets are one-hot."""
        return self._iterator(np.flatnonzero(self.is_labelled))

    def all_iterator(self) -> IteratableData:
        """Return mini-batches of what has labels, and beside each one of all data points.

        They are tuples ``(labelled, one-hot, test, one-hot, unlabelled)``, as ladder networks take
        them. An epoch goes once through all data points; what has labels goes round in it.
        """
        labelled = np.flatnonzero(self.is_labelled)
        rounds = -(-len(self.observed) // len(labelled))
        source = self._iterator(np.tile(labelled, rounds)[: len(self.observed)])
        return BothDomains(source, self.observed, self.seed)

    def _iterator(self, rows: np.ndarray) -> ArrayIterator:
        known = np.isin(self.test_labels, self.classes)
        return ArrayIterator(
            self.observed[rows],
            self.one_hot(self.labels[rows]),
            test_observed=self.test_observed[known],
            test_target=self.one_hot(self.test_labels[known]),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=self.seed,
        )

    def one_hot(self, labels: np.ndarray) -> np.ndarray:
        """Return labels as rows with one 1, shape `(n, classes)`.

        Args:
            labels: Classes, shape `(n,)`.
        """
        return (labels[:, np.newaxis] == self.classes[np.newaxis, :]).astype(np.float32)

    def learn(self, model: Any) -> None:
        """Let a model learn classes.

        Args:
            model: The model.
        """
        make = self.iteratable_data
        calls.learn(
            model, self.labelled_iterator if make is None else lambda: make(self), self._fit
        )

    def _fit(self, estimator: Any) -> None:
        flat = self.observed.reshape(len(self.observed), -1)
        home = type(estimator).__module__
        if home.startswith("sklearn.semi_supervised") or getattr(
            estimator, "learns_from_unlabeled", False
        ):
            estimator.fit(flat, self.labels)
        else:
            estimator.fit(flat[self.is_labelled], self.labels[self.is_labelled])

    def quality(self, model: Any) -> dict[str, float]:
        """Measure the predicted classes.

        Args:
            model: The model.

        Returns:
            `accuracy` in [0, 1].
        """
        predicted = calls.classes_by(model, self.test_observed, self.classes)
        return {"accuracy": float((predicted == self.test_labels).mean())}
