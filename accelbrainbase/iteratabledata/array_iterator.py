"""Mini-batches of what people have in hand: NumPy arrays and pandas tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer, check_is_a, check_number
from accelbrainbase.iteratabledata._arrays import as_array, as_numbers, check_finite, column_names
from accelbrainbase.iteratabledata._labels import classes_of, one_hot_of
from accelbrainbase.iteratabledata._rows import pass_seed
from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator
from accelbrainbase.noiseable_data import NoiseableData

_SPLIT = 2**32 - 1  # beside the seed, where epochs have their number


class ArrayIterator(MiniBatchIterator):
    """Mini-batches of NumPy arrays and pandas tables, as NumPy arrays of float32.

    The arguments and attributes are those of `accelbrainbase.ArrayIterator`, which puts the same
    mini-batches on MXNet's device, less the device: they are explained there. A subclass for
    another tensor library overrides `_batches`, `_take` and `_test_arrays`.

    The order is a function of the seed and the number of the epoch alone.

    Raises:
        TypeError: If data are not numbers.
        ValueError: If data are empty, ragged, not finite, or do not fit each other.
    """

    test_size: int = 0
    test_index: np.ndarray | None = None
    label_list: list[Any] | None = None
    observed_shape: tuple[int, ...] = ()
    shuffle: bool = True
    drop_last: bool = False
    seed: int | None = None

    def __init__(
        self,
        observed: Any,
        target: Any = None,
        *,
        test_observed: Any = None,
        test_target: Any = None,
        test_fraction: float | None = None,
        epochs: int = 100,
        batch_size: int = 64,
        shuffle: bool = True,
        drop_last: bool = False,
        norm_mode: str | None = None,
        scale: float = 1.0,
        noiseable_data: NoiseableData | None = None,
        one_hot: bool | None = None,
        seed: int | None = None,
    ) -> None:
        check_is_a("shuffle", shuffle, bool)
        check_is_a("drop_last", drop_last, bool)
        check_is_a("one_hot", one_hot, bool, optional=True)
        self.shuffle, self.drop_last = shuffle, drop_last
        self.seed = None if seed is None else check_integer("seed", seed, low=0)
        _check_combination(target, test_observed, test_target, test_fraction)

        self._observed = _numbers("observed", observed)
        self._target = self._targets(target, one_hot)
        self._test_observed, self._test_target = None, None
        if test_observed is not None:
            self._test_observed = _numbers("test_observed", test_observed)
            _check_same_features(self._observed, self._test_observed, observed, test_observed)
            self._test_target = self._test_targets(test_target)
        elif test_fraction is not None:
            self._hold_out(test_fraction)

        self._set_up(
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            dataset_size=len(self._observed),
        )
        self.fit_normalization(self._observed)
        self.observed_shape = self._observed.shape[1:]
        self.test_size = 0 if self._test_observed is None else len(self._test_observed)
        self._check_batch_n()

    # -- what to learn from ------------------------------------------------------------

    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate `iter_n` mini-batches to learn from. A second call starts again.

        Yields:
            A tuple ``(observed_arr, target_arr, test_observed_arr, test_target_arr)``. The
            first two are a mini-batch, shape `(batch, *features)`. The last two are all of the
            test data, the same objects each time, or `None` where there are none.
        """
        self._check_batch_n()
        return self._learned_samples(self.iter_n)

    def _learned_samples(self, iter_n: int) -> Iterator[tuple[Any, ...]]:
        seed = pass_seed(self.seed)
        test = self._test_arrays()
        step = 0
        for epoch in count():
            for rows in self._batches(self._order(seed, epoch)):
                if step == iter_n:
                    return
                observed_arr, target_arr = self._take(rows)
                if self.noiseable_data is not None:
                    observed_arr = self.noiseable_data.noise(observed_arr)
                yield (observed_arr, target_arr, *test)
                step += 1

    def _count_steps(self, dataset_size: int) -> int:
        batch_n = dataset_size / self.batch_size
        return self.epochs * (math.floor(batch_n) if self.drop_last else math.ceil(batch_n))

    def _order(self, seed: int, epoch: int) -> np.ndarray:
        """Return the rows in the order of an epoch: a function of `seed` and `epoch` alone."""
        size = len(self._observed)
        if self.shuffle:
            rows = np.random.default_rng([seed, epoch]).permutation(size)
        else:
            rows = np.arange(size)
        return rows[: size - size % self.batch_size] if self.drop_last else rows

    def _batches(self, rows: np.ndarray) -> Iterator[Any]:
        """Hook: divide the rows of an epoch into those of mini-batches."""
        for begin in range(0, len(rows), self.batch_size):
            yield rows[begin : begin + self.batch_size]

    def _take(self, rows: Any) -> tuple[Any, Any]:
        """Hook: return clean data points and their targets."""
        observed_arr = self._normalized(self._observed[rows])
        return observed_arr, observed_arr if self._target is None else self._target[rows]

    def _test_arrays(self) -> tuple[Any, Any]:
        """Hook: return all of the test data and their targets, or twice `None`."""
        if self._test_observed is None:
            return None, None
        test_observed_arr = self._normalized(self._test_observed)
        return test_observed_arr, (test_observed_arr if self._target is None else self._test_target)

    def _normalized(self, arr: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(self.pre_normalize(arr), dtype=np.float32)

    # -- what to infer from ------------------------------------------------------------

    def generate_inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate the test data in their order, each row once, normalised as in learning.

        Yields:
            A tuple ``(None, None, test_observed_arr, test_target_arr)``. The last mini-batch
            may be smaller; the target is `None` where no `target` was given.

        Raises:
            ValueError: If there are no test data.
        """
        if self._test_observed is None:
            raise ValueError(
                f"There are no test data to infer from. Build {type(self).__name__} with "
                "`test_observed`, or with `test_fraction` to hold out a share of the rows."
            )
        return self._inferenced_samples()

    def _inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        observed_arr, target_arr = self._test_arrays()
        for begin in range(0, self.test_size, self.batch_size):
            rows = slice(begin, begin + self.batch_size)
            batch_target_arr = None if self._target is None else target_arr[rows]
            yield None, None, observed_arr[rows], batch_target_arr

    # -- at the door -------------------------------------------------------------------

    def _check_batch_n(self) -> None:
        """Raise a `ValueError` if an epoch would have no mini-batch."""
        if self.drop_last and self.batch_size > len(self._observed):
            raise ValueError(
                f"`batch_size` must be at most {len(self._observed)}, the number of training "
                f"rows, where `drop_last=True`, but got {self.batch_size}: there would be no "
                "mini-batch. Make it smaller, or keep the last one (`drop_last=False`)."
            )

    def _targets(self, target: Any, as_labels: bool | None) -> np.ndarray | None:
        """Return targets as numbers; labels become one-hot, and set `label_list`."""
        if target is None:
            return None
        labels = _labels("target", target, as_labels)
        arr = _numbers("target", target, features=False) if labels is None else labels
        if len(arr) != len(self._observed):
            raise ValueError(
                f"`target` must have a row for each of the {len(self._observed)} rows of "
                f"`observed`, but has {len(arr)}."
            )
        if labels is None:
            return arr.astype(np.float32, copy=False)
        self.label_list = classes_of("target", labels)
        return one_hot_of("target", labels, self.label_list)

    def _test_targets(self, test_target: Any) -> np.ndarray | None:
        """Return the targets of test data, made alike."""
        assert self._test_observed is not None
        if test_target is None:
            return None
        if self.label_list is not None:
            labels = _labels("test_target", test_target, True)
            assert labels is not None
            arr = one_hot_of("test_target", labels, self.label_list)
        else:
            arr = _numbers("test_target", test_target, features=False)
            arr = arr.astype(np.float32, copy=False)
        assert self._target is not None
        if arr.shape[1:] != self._target.shape[1:] or len(arr) != len(self._test_observed):
            wanted = (len(self._test_observed), *self._target.shape[1:])
            raise ValueError(
                f"`test_target` must have the shape {wanted}, a row for each of `test_observed` "
                f"and otherwise that of `target`, but has {arr.shape}."
            )
        return arr

    def _hold_out(self, test_fraction: float) -> None:
        """Divide the rows into training and test data; both keep their order."""
        check_number("test_fraction", test_fraction, low=0, high=1, low_open=True, high_open=True)
        size = len(self._observed)
        test_n = math.ceil(size * test_fraction)
        if test_n == size:
            raise ValueError(
                f"`test_fraction` must leave a row to learn from, but {test_fraction:g} of "
                f"{size} rows takes {test_n}. Make it smaller, or pass more rows."
            )
        if self.shuffle:
            generator = np.random.default_rng([pass_seed(self.seed), _SPLIT])
            is_test = np.zeros(size, dtype=bool)
            is_test[generator.permutation(size)[:test_n]] = True
        else:
            is_test = np.arange(size) >= size - test_n
        self.test_index = np.flatnonzero(is_test)
        self._test_observed = self._observed[is_test]
        self._observed = self._observed[~is_test]
        if self._target is not None:
            self._test_target, self._target = self._target[is_test], self._target[~is_test]


def _check_combination(
    target: Any, test_observed: Any, test_target: Any, test_fraction: float | None
) -> None:
    """Raise a `ValueError` unless the given arguments go together."""
    if test_fraction is not None and test_observed is not None:
        raise ValueError(
            "`test_fraction` holds out rows of `observed` as test data, but `test_observed` "
            "gives test data too. Pass one of the two."
        )
    if test_target is not None and test_observed is None:
        raise ValueError(
            "`test_target` needs `test_observed`: the data points which it belongs to."
        )
    if test_observed is not None and (target is None) != (test_target is None):
        given, missing = ("target", "test_target")[:: 1 if test_target is None else -1]
        raise ValueError(
            f"`{given}` is given but `{missing}` is not. Pass targets for both training and "
            "test data, or for neither: then the data points themselves are the target."
        )


def _numbers(name: str, data: Any, features: bool = True) -> np.ndarray:
    """Return `data` as an array of finite numbers with a row for each data point."""
    arr = as_numbers(name, data)
    if features and arr.ndim == 1:
        raise ValueError(
            f"`{name}` must have the shape (rows, *features), but has {arr.shape}. Pass "
            f"`np.reshape({name}, (-1, 1))` for one feature, or `(1, -1)` for one row."
        )
    check_finite(name, arr, column_names(data))
    return arr


def _labels(name: str, target: Any, as_labels: bool | None) -> np.ndarray | None:
    """Return `target` as labels, shape `(rows,)`, or `None` where it is numbers."""
    columns = getattr(target, "columns", None)
    if columns is not None and len(columns) == 1 and hasattr(target, "iloc"):
        target = target.iloc[:, 0]
    arr = as_array(name, target)
    category = str(getattr(target, "dtype", "")) == "category"
    if as_labels is None:
        as_labels = category or arr.dtype.kind in "US" or _has_text(arr)
    if not as_labels:
        return None
    if arr.ndim == 2 and arr.shape[1] == 1:
        arr = arr[:, 0]
    if arr.ndim != 1:
        raise ValueError(
            f"`{name}` must have one label in each row, shape (rows,), but has the shape "
            f"{arr.shape}. Pass numbers if it is one-hot already."
        )
    if arr.dtype.kind == "f" and not (arr == np.round(arr)).all():
        raise ValueError(
            f"`{name}` must hold labels where `one_hot=True`, but holds fractions such as "
            f"{arr[arr != np.round(arr)][0]:g}. Pass `one_hot=False` to predict numbers."
        )
    return arr


def _has_text(arr: np.ndarray) -> bool:
    return arr.dtype.kind == "O" and any(isinstance(value, str) for value in arr.flat)


def _check_same_features(arr: np.ndarray, test_arr: np.ndarray, data: Any, test_data: Any) -> None:
    """Raise a `ValueError` unless training and test data have the same features."""
    if arr.shape[1:] != test_arr.shape[1:]:
        raise ValueError(
            f"`test_observed` must have rows of the shape {arr.shape[1:]}, as `observed` has, "
            f"but they have {test_arr.shape[1:]}."
        )
    names, test_names = column_names(data), column_names(test_data)
    if names and test_names and names != test_names:
        first = next(i for i, name in enumerate(names) if name != test_names[i])
        raise ValueError(
            "`test_observed` must have the columns of `observed` in the same order, but column "
            f"{first} is `{test_names[first]}`, not `{names[first]}`. "
            "Pass `test_observed[observed.columns]`."
        )
