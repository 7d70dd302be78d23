"""Lets models of pictures and models of rows take part in one comparison."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from accelbrainbase._checks import check_integer
from accelbrainbase.comparison.calls import to_array
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.observable_data import ObservableData


class Reshaped(ObservableData):
    """A model that sees each data point in a shape of its own: such as rows as pictures.

    What goes in is reshaped; what comes out stays as it is, flattened. All other attributes
    are those of the model.

    Args:
        model: The model.
        shape: Shape of a data point as the model wants it, such as `(1, 28, 28)`.

    Raises:
        ValueError: If a data point does not have as many numbers.

    Example:
        >>> compare(problem, {"AE": dense, "CAE": Reshaped(convolutional, (1, 8, 8))})
    """

    def __init__(self, model: Any, shape: Sequence[int]) -> None:
        self.model = model
        self.shape = tuple(check_integer("shape", size, low=1) for size in shape)

    def __getattr__(self, name: str) -> Any:
        if name in ("model", "shape"):  # not there yet, as while unpickling
            raise AttributeError(name)
        value = getattr(self.model, name)
        if name == "fit":
            return self._reshaping_fit(value)
        if name not in ("classify", "encode", "energy", "free_energy", "predict", "transform"):
            return value
        return lambda observed_arr: value(self._given(observed_arr))

    def _reshaping_fit(self, fit: Any) -> Any:
        @functools.wraps(fit)
        def reshaping(X: Any, *args: Any, **kwargs: Any) -> Any:
            if "X_target" in kwargs:
                kwargs["X_target"] = self._given(kwargs["X_target"])
            return fit(self._given(X), *args, **kwargs)

        return reshaping

    def learn(self, iteratable_data: IteratableData, **kwargs: Any) -> None:
        """Let the model learn from reshaped mini-batches.

        Args:
            iteratable_data: Generates the mini-batches. Targets that are the data points are
                reshaped too.
            **kwargs: More arguments of the model's `learn`.
        """
        self.model.learn(_ReshapedData(iteratable_data, self._given), **kwargs)

    def inference(self, observed_arr: Any) -> Any:
        """Infer from reshaped data points.

        Args:
            observed_arr: Shape `(batch, *features)`.

        Returns:
            What the model infers, shape `(batch, numbers)`; a tuple of such if it infers several.
        """
        found = self.model.inference(self._given(observed_arr))
        if isinstance(found, (tuple, list)):
            return tuple(_flat(arr) for arr in found)
        return _flat(found)

    def _given(self, arr: Any) -> Any:
        if math.prod(arr.shape[1:]) != math.prod(self.shape):
            raise ValueError(
                f"`shape` is {self.shape}, but a data point of shape {tuple(arr.shape[1:])} has "
                f"{math.prod(arr.shape[1:])} numbers."
            )
        return arr.reshape((arr.shape[0], *self.shape))


class _ReshapedData(IteratableData):
    def __init__(self, inner: IteratableData, given: Any) -> None:
        self.inner, self.given = inner, given
        self.epochs: int = inner.epochs  # type: ignore[attr-defined]
        self.iter_n: int = inner.iter_n  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        return map(self._reshaped, self.inner.generate_learned_samples())

    def generate_inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        return map(self._reshaped, self.inner.generate_inferenced_samples())

    def _reshaped(self, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        """Reshape data points, targets that are the data points, and those of a target domain."""
        made = list(batch)
        for place in (0, 2, 4):
            if place < len(batch) and batch[place] is not None:
                made[place] = self.given(batch[place])
        for place in (1, 3):
            if place < len(batch) and batch[place] is batch[place - 1]:
                made[place] = made[place - 1]
        return tuple(made)


def _flat(arr: Any) -> Any:
    found = to_array(arr)
    return found.reshape(len(found), -1)
