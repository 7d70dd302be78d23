"""Which model tells anomalies from what is normal?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from accelbrainbase._checks import check_number
from accelbrainbase.comparison import calls
from accelbrainbase.comparison.checked_data import data_points, labels_of
from accelbrainbase.comparison.problem_setting import ProblemSetting
from accelbrainbase.iteratabledata.array_iterator import ArrayIterator


class AnomalyDetection(ProblemSetting):
    """What is normal is learned without labels; scores of labelled test data are measured.

    A detector with scikit-learn's interface (`EncDecAD`, `IsolationForest`) needs `fit` and
    `score_samples`. A model needs `learn(iteratable_data)`, and reconstructs: the error of a
    data point, the mean of its squares, is its score.

    Measures: `AUROC`, `average precision`, and `F1` of the alarms: of `predict` where a
    detector has it, else of scores above the quantile `1 - contamination` of those of the data
    that were learned from.

    Args:
        observed: Normal data to learn from: data points, shape `(n, *features)`; for detectors
            in series, rows or windows as these take them.
        test_observed: Data to measure on.
        test_labels: 1 for normal and -1 for anomalous, shape `(n,)`, as in scikit-learn.
        contamination: Share of alarms among what is normal, in (0, 1).
        score: Another way to score, by `score(model, data)`: higher is more anomalous. Such as
            `lambda machine, data: machine.free_energy(data)`.
        epochs: Number of passes over the data, for models that learn by mini-batches.
        batch_size: Number of data points in a mini-batch.
        seed: Seed of their order.

    Raises:
        TypeError: If data are not numbers.
        ValueError: If they do not fit each other, or there is only one kind of labels.
    """

    better: Mapping[str, str] = MappingProxyType(
        {"AUROC": "higher", "average precision": "higher", "F1": "higher"}
    )

    def __init__(
        self,
        observed: Any,
        test_observed: Any,
        test_labels: Any,
        *,
        contamination: float = 0.05,
        score: Callable[[Any, np.ndarray], Any] | None = None,
        epochs: int = 50,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        self.observed = data_points("observed", observed)
        self.test_observed = data_points("test_observed", test_observed, self.observed)
        self.test_labels = labels_of("test_labels", test_labels, self.test_observed)
        if set(np.unique(self.test_labels)) != {-1, 1}:
            raise ValueError(
                "`test_labels` must hold both 1 (normal) and -1 (anomalous), and nothing else, but "
                f"holds {sorted(set(self.test_labels.tolist()))[:5]}."
            )
        self.contamination = check_number(
            "contamination", contamination, low=0, high=1, low_open=True, high_open=True
        )
        self.score = score
        self.epochs, self.batch_size, self.seed = epochs, batch_size, seed

    def iterator(self) -> ArrayIterator:
        """Return mini-batches to learn from."""
        return ArrayIterator(
            self.observed, epochs=self.epochs, batch_size=self.batch_size, seed=self.seed
        )

    def learn(self, model: Any) -> None:
        """Let a model learn what is normal.

        Args:
            model: The model.
        """
        calls.learn(model, self.iterator, lambda detector: detector.fit(self.observed))

    def scores(self, model: Any, data: np.ndarray) -> np.ndarray:
        """Return anomaly scores; higher is more anomalous.

        Args:
            model: The model.
            data: Data as `observed`.

        Returns:
            Shape `(n,)`.
        """
        if self.score is not None:
            found = calls.to_array(self.score(model, data))
        elif calls.has(model, "score_samples"):
            found = -calls.to_array(model.score_samples(data))
        elif calls.has(model, "decision_function"):
            found = -calls.to_array(model.decision_function(data))
        else:
            made = calls.reconstructed_by(model, data)
            if made is None:
                raise calls.lacks(model, "`score_samples`", "an `inference` that reconstructs")
            found = np.square(made.astype(np.float64) - data).reshape(len(data), -1).mean(axis=1)
        if found.size != len(data):
            raise ValueError(
                f"The scores of a `{type(model).__name__}` must have the shape ({len(data)},), one "
                f"for each data point, but have {found.shape}."
            )
        return found.reshape(-1).astype(np.float64)

    def quality(self, model: Any) -> dict[str, float]:
        """Measure the scores and the alarms.

        Args:
            model: The model.

        Returns:
            `AUROC`, `average precision`, `F1`, each in [0, 1].
        """
        from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

        anomalous = self.test_labels == -1
        scores = self.scores(model, self.test_observed)
        if self.score is None and calls.has(model, "predict", "score_samples"):
            alarms = calls.to_array(model.predict(self.test_observed)) == -1
        else:
            normal = self.scores(model, self.observed)
            alarms = scores > np.quantile(normal, 1 - self.contamination)
        return {
            "AUROC": float(roc_auc_score(anomalous, scores)),
            "average precision": float(average_precision_score(anomalous, scores)),
            "F1": float(f1_score(anomalous, alarms, zero_division=0.0)),
        }
