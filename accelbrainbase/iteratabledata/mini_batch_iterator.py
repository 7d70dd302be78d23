"""What iterators over mini-batches share: their settings, and normalisation."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any

import numpy as np

from accelbrainbase._accessors import Accessors
from accelbrainbase._checks import (
    check_choice,
    check_integer,
    check_is_a,
    check_number,
    unknown_keyword_error,
)
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.noiseable_data import NoiseableData

NORM_MODES = ("z_score", "min_max")


class MiniBatchIterator(Accessors, IteratableData):
    """An iterator with the settings that all iterators have. Implement both generators.

    Subclasses need not call a constructor: the attributes have defaults.

    Attributes:
        epochs: Number of passes over the training data.
        batch_size: Number of data points in a mini-batch.
        norm_mode: How values are normalised: `"z_score"`, `"min_max"`, or `None` for not at
            all.
        scale: What values are multiplied with, after normalisation.
        seq_len: Length of the sequences, or `None` where there are none.
        dataset_size: Number of data points to learn from, or `None` if that is not known.
        noiseable_data: Corrupts the training input after normalisation, or `None`. The
            target stays clean, and the test data too.
    """

    epochs: int = 300
    batch_size: int = 20
    norm_mode: str | None = "z_score"
    scale: float = 1.0
    seq_len: int | None = None
    dataset_size: int | None = None
    noiseable_data: NoiseableData | None = None
    _iter_n: int | None = None
    _fitted_arr: Any = None
    _statistics: dict[str, tuple[float, float]] | None = None

    def __new__(cls, *_args: Any, **kwargs: Any) -> Any:
        """Raise a `TypeError` that names the closest keyword if there is none of the name."""
        known = signature(cls.__init__).parameters
        if all(parameter.kind != Parameter.VAR_KEYWORD for parameter in known.values()):
            for name in kwargs:
                if name not in known:
                    raise unknown_keyword_error(cls.__name__, name, known)
        return super().__new__(cls)

    @property
    def iter_n(self) -> int:
        """Number of mini-batches that `generate_learned_samples` generates.

        It follows from the other attributes, unless it is set.
        """
        if self._iter_n is not None:
            return self._iter_n
        if self.dataset_size is None:
            raise AttributeError(
                f"`iter_n` of {type(self).__name__} is not known: set it, or `dataset_size`."
            )
        return self._count_steps(self.dataset_size)

    @iter_n.setter
    def iter_n(self, value: int) -> None:
        self._iter_n = value

    def _count_steps(self, dataset_size: int) -> int:
        """Hook: number of mini-batches in all epochs."""
        return int(self.epochs * max(dataset_size / self.batch_size, 1))

    def _set_up(
        self,
        *,
        epochs: int,
        batch_size: int,
        norm_mode: str | None,
        scale: float,
        noiseable_data: NoiseableData | None,
        dataset_size: int,
    ) -> None:
        """Check the settings and keep them."""
        check_choice("norm_mode", norm_mode, (*NORM_MODES, None))
        check_is_a("noiseable_data", noiseable_data, NoiseableData, optional=True)
        self.epochs = check_integer("epochs", epochs, low=1)
        self.batch_size = check_integer("batch_size", batch_size, low=1)
        self.norm_mode = norm_mode
        self.scale = check_number("scale", scale)
        self.noiseable_data = noiseable_data
        self.dataset_size = check_integer("dataset_size", dataset_size, low=1)

    # -- normalisation -----------------------------------------------------------------

    def fit_normalization(self, arr: np.ndarray) -> None:
        """Take the statistics for `pre_normalize` from `arr`, from now on.

        So the same numbers are subtracted from, and divided, training data, test data and
        data to infer from.

        Args:
            arr: All training data, shape `(dataset_size, *features)`, not to be modified
                later: the statistics are computed when they are needed first.
        """
        check_is_a("arr", arr, np.ndarray)
        self._fitted_arr, self._statistics = arr, {}

    def pre_normalize(self, arr: Any) -> Any:
        """Normalise by `norm_mode`, then multiply by `scale`.

        `"z_score"` subtracts the mean and divides by the standard deviation, `"min_max"`
        maps the range to [0, 1]; with anything else values stay as they are. There is one
        mean, deviation, minimum and maximum for the whole array: of the data that were
        handed to `fit_normalization`, or of `arr` itself if none were. Where all values are
        equal, they become 0.

        Args:
            arr: NumPy array or NDArray of any shape. It is not modified.

        Returns:
            Array of the same shape and kind; `arr` itself if there is nothing to do.
        """
        if self.norm_mode in NORM_MODES and arr.size > 0:
            if np.dtype(arr.dtype).kind != "f":
                arr = arr.astype("float64" if isinstance(arr, np.ndarray) else "float32")
            if self._statistics is None:
                arr = _normalize_by_itself(arr, self.norm_mode, self._own_axes(arr.ndim))
            else:
                shift, divisor = self._statistics_of(self.norm_mode)
                arr = (arr - shift) / divisor
        return arr if self.scale == 1 else arr * self.scale

    def _own_axes(self, ndim: int) -> tuple[int, ...]:
        """Hook: the axes that share statistics where `fit_normalization` got no data."""
        return tuple(range(ndim))

    def _statistics_of(self, norm_mode: str) -> tuple[float, float]:
        """Return what to subtract and what to divide by, of the data that were handed in."""
        assert self._statistics is not None
        if norm_mode not in self._statistics:
            low, high = float(self._fitted_arr.min()), float(self._fitted_arr.max())
            if low == high:
                self._statistics[norm_mode] = (low, 1.0)
            elif norm_mode == "min_max":
                self._statistics[norm_mode] = (low, high - low)
            else:
                self._statistics[norm_mode] = _mean_and_deviation(self._fitted_arr)
        return self._statistics[norm_mode]


def _normalize_by_itself(arr: Any, norm_mode: str | None, axis: tuple[int, ...]) -> Any:
    """Normalise an array of floats of NumPy or MXNet, without waiting for the device."""
    # Subtracting the minimum first makes a constant array exactly 0, not almost.
    arr = arr - arr.min(axis=axis, keepdims=True)
    if norm_mode == "min_max":
        span = arr.max(axis=axis, keepdims=True)
        return arr / (span + (span == 0))
    arr = arr - arr.mean(axis=axis, keepdims=True)
    deviation = (arr * arr).mean(axis=axis, keepdims=True) ** 0.5
    return arr / (deviation + (deviation == 0))


def _mean_and_deviation(arr: np.ndarray) -> tuple[float, float]:
    """Compute in float64, in pieces, so that large data need no large copies."""
    mean = float(arr.mean(dtype=np.float64))
    rows = max(1, 2**20 * len(arr) // arr.size)
    squares = 0.0
    for begin in range(0, len(arr), rows):
        piece = np.subtract(arr[begin : begin + rows], mean, dtype=np.float64)
        squares += float(np.square(piece, out=piece).sum())
    return mean, (squares / arr.size) ** 0.5
