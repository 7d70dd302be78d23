"""What estimators share that wrap a model which learned."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError

from accelbrainbase.iteratabledata._arrays import as_numbers, check_finite

_AT_ONCE = 512


class LearnedModel(BaseEstimator):
    """The door of an estimator, and its model in pieces.

    Attributes:
        model_: The model, after `fit`.
        observed_shape_: Shape of one data point.
        n_features_in_: Number of features of a data point.
    """

    model_: Any
    observed_shape_: tuple[int, ...]

    def _first_data(self, name: str, X: Any) -> np.ndarray:
        """Return data to learn from as float32, and remember their shape."""
        arr = _as_data(name, X)
        self.observed_shape_ = arr.shape[1:]
        self.n_features_in_ = int(np.prod(arr.shape[1:]))
        return arr

    def _more_data(self, name: str, X: Any) -> np.ndarray:
        """Return data as float32; raise unless they have the shape of what was learned."""
        arr = _as_data(name, X)
        if arr.shape[1:] != self.observed_shape_:
            wanted = ", ".join(map(str, self.observed_shape_))
            raise ValueError(
                f"`{name}` must have the shape (rows, {wanted}), as in `fit`, but has {arr.shape}."
            )
        return arr

    def _check_fitted(self) -> None:
        if not hasattr(self, "model_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet. Call `fit`.")

    def _by_model(self, compute: Callable[[np.ndarray], Any], X: Any) -> np.ndarray:
        """Return what the model makes of data, some at a time."""
        self._check_fitted()
        arr = self._more_data("X", X)
        pieces = []
        for begin in range(0, len(arr), _AT_ONCE):
            piece = compute(arr[begin : begin + _AT_ONCE])
            pieces.append(np.asarray(piece.asnumpy() if hasattr(piece, "asnumpy") else piece))
        return np.concatenate(pieces)


class LearnedTransformer(TransformerMixin, LearnedModel):
    """An estimator whose model gives codes.

    With scikit-learn from 1.2 on, `set_output(transform="pandas")` makes frames of them.
    """

    @abstractmethod
    def _codes(self, arr: np.ndarray) -> Any:
        """Abstract: return codes, shape `(rows, …)`."""

    def transform(self, X: Any) -> np.ndarray:
        """Return the codes.

        Args:
            X: Data points, shape `(rows, *features)`.

        Returns:
            Shape `(rows, code units)`.

        Raises:
            sklearn.exceptions.NotFittedError: Before `fit`.
            ValueError: If data points have another shape than in `fit`.
        """
        codes = self._by_model(self._codes, X)
        return codes.reshape(len(codes), -1)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:  # noqa: ARG002
        """Return a name for each column of what `transform` returns.

        Args:
            input_features: No effect.
        """
        self._check_fitted()
        codes = self._codes(np.zeros((1, *self.observed_shape_), dtype=np.float32))
        name = type(self).__name__.lower()
        code_n = math.prod(codes.shape[1:])
        return np.array([f"{name}{number}" for number in range(code_n)], dtype=object)


def _as_data(name: str, X: Any) -> np.ndarray:
    arr = as_numbers(name, X)
    if arr.ndim < 2:
        raise ValueError(
            f"`{name}` must have the shape (rows, features), or (rows, channel, height, width) for "
            f"pictures, but has {arr.shape}. Reshape your data by `X.reshape(-1, 1)` if they have "
            f"one feature."
        )
    check_finite(name, arr)
    return arr.astype(np.float32)
