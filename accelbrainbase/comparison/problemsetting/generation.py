"""Which model generates what looks true, and all of it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer
from accelbrainbase.comparison import calls
from accelbrainbase.comparison.checked_data import data_points
from accelbrainbase.comparison.measures import (
    frechet_distance,
    precision_and_recall,
    squared_mmd,
)
from accelbrainbase.comparison.problem_setting import ProblemSetting
from accelbrainbase.iteratabledata.array_iterator import ArrayIterator


class Generation(ProblemSetting):
    """Samples of a model are compared with true data that it did not learn from.

    A model needs `learn`: a controller, such as a `GANController`, takes `iter_n` turns, with the
    samplers that it was given; others take mini-batches. It generates by `draw()` or `draw(n)`, or
    its `generative_model` does; an estimator of scikit-learn by `sample(n)`.

    Measures, in features: the squared `Fréchet distance`, the squared maximum mean discrepancy
    `MMD²`, `precision` (what is generated looks true) and `recall` (what is true is generated).

    Args:
        observed: True data to learn from, shape `(n, *features)`.
        test_observed: True data to compare with.
        sample_n: Number of samples to draw.
        features: Computes features of data points: such as a judge's `encode`. If omitted, the
            principal components of `observed`, as many as hold 95 % of the variance, at most 50.
        draw: Another way to draw, by `draw(model, n)`.
        iter_n: Number of turns of a controller.
        epochs: Number of passes over the data, for models that learn by mini-batches.
        batch_size: Number of data points in a mini-batch.
        seed: Seed of their order.

    Raises:
        TypeError: If data are not numbers.
        ValueError: If they do not fit each other.
    """

    better: Mapping[str, str] = MappingProxyType(
        {"Fréchet distance": "lower", "MMD²": "lower", "precision": "higher", "recall": "higher"}
    )

    def __init__(
        self,
        observed: Any,
        test_observed: Any,
        *,
        sample_n: int = 1000,
        features: Callable[[np.ndarray], Any] | None = None,
        draw: Callable[[Any, int], Any] | None = None,
        iter_n: int = 1000,
        epochs: int = 50,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        self.observed = data_points("observed", observed)
        self.test_observed = data_points("test_observed", test_observed, self.observed)
        self.sample_n = check_integer("sample_n", sample_n, low=10)
        if len(self.test_observed) < 10:
            raise ValueError(
                f"`test_observed` must have at least 10 rows, but has {len(self.test_observed)}."
            )
        self.iter_n = check_integer("iter_n", iter_n, low=1)
        self.features = features or self._principal_components()
        self.draw = draw or calls.drawn_from
        self.epochs, self.batch_size, self.seed = epochs, batch_size, seed

    def _principal_components(self) -> Callable[[np.ndarray], Any]:
        from sklearn.decomposition import PCA

        flat = self.observed.reshape(len(self.observed), -1)
        full = PCA(min(50, *flat.shape), svd_solver="full").fit(flat)
        n = 1 + int(np.searchsorted(np.cumsum(full.explained_variance_ratio_), 0.95))
        return lambda arr: full.transform(arr.reshape(len(arr), -1))[:, :n]

    def iterator(self) -> ArrayIterator:
        """Return mini-batches to learn from."""
        return ArrayIterator(
            self.observed, epochs=self.epochs, batch_size=self.batch_size, seed=self.seed
        )

    def learn(self, model: Any) -> None:
        """Let a model learn to generate.

        Args:
            model: The model.
        """
        flat = self.observed.reshape(len(self.observed), -1)
        calls.learn(model, self.iterator, lambda estimator: estimator.fit(flat), self.iter_n)

    def quality(self, model: Any) -> dict[str, float]:
        """Measure samples.

        Args:
            model: The model.

        Returns:
            The squared `Fréchet distance`, `MMD²`, `precision` and `recall`.
        """
        drawn = calls.to_array(self.draw(model, self.sample_n))
        if drawn.size != len(drawn) * self.test_observed[0].size:
            raise ValueError(
                f"Samples of a `{type(model).__name__}` must have the shape (n, "
                f"{', '.join(map(str, self.observed.shape[1:]))}), as the data have, but have "
                f"{drawn.shape}."
            )
        shaped = drawn.reshape(-1, *self.test_observed.shape[1:]).astype(np.float32)
        made, true = (
            calls.in_batches(self.features, arr).reshape(len(arr), -1).astype(np.float64)
            for arr in (shaped, self.test_observed)
        )
        precision, recall = precision_and_recall(true, made)
        return {
            "Fréchet distance": frechet_distance(true, made),
            "MMD²": squared_mmd(true, made),
            "precision": precision,
            "recall": recall,
        }
