"""Mini-batches of arrays of which few rows have a label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mxnet as mx
import numpy as np

from accelbrainbase._checks import check_integer
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.iteratabledata._arrays import as_array
from accelbrainbase.iteratabledata._labels import classes_of, one_hot_of
from accelbrainbase.iteratabledata._mxnet.array_iterator import ArrayIterator
from accelbrainbase.iteratabledata._rows import endless_blocks, pass_seed
from accelbrainbase.noiseable_data import NoiseableData

_LABELED = 2**32 - 2  # beside the seed, where epochs have their number


class SemiSupervisedIterator(ArrayIterator):
    """Mini-batches of labelled and of unlabelled data points, side by side.

    An epoch goes once through *all* rows, as unlabelled data points; beside each mini-batch of
    them stands one of labelled rows, which are gone through again and again, in a new order each
    time. (So labelled rows are among the unlabelled ones too, as in Rasmus et al. 2015.)

    Args:
        observed: Data points, shape `(rows, *features)`.
        target: Their labels, shape `(rows,)`, where -1, `None`, NaN or the empty string means
            that there is none (as for scikit-learn's semi-supervised classifiers); or one-hot,
            shape `(rows, classes)`, where a row of zeros means that.
        test_observed: Data points to test on.
        test_target: Their labels, all known.
        epochs: Number of passes over all rows.
        batch_size: Number of unlabelled data points in a mini-batch.
        labeled_batch_size: Number of labelled ones; if omitted `batch_size`, or the number of
            labelled rows if that is less.
        shuffle: Whether the order of all rows is random. That of labelled ones always is.
        drop_last: Whether a smaller last mini-batch is left out.
        norm_mode: How data points are normalised, by the statistics of all rows.
        scale: What data points are multiplied with, after normalisation.
        noiseable_data: Corrupts both kinds of mini-batches, after normalisation.
        seed: Seed of the order, at least 0.
        ctx: The device.

    Attributes:
        labeled_size: Number of rows with a label.
        labeled_batch_size: Number of labelled data points in a mini-batch.
        label_list: The labels in the order of the columns of one-hot targets, or `None` where
            `target` was one-hot already.

    Raises:
        TypeError: If data are not numbers, or labels of several types.
        ValueError: If no row has a label, or data do not fit each other.
    """

    labeled_size: int = 0
    labeled_batch_size: int = 0

    def __init__(
        self,
        observed: Any,
        target: Any,
        *,
        test_observed: Any = None,
        test_target: Any = None,
        epochs: int = 100,
        batch_size: int = 64,
        labeled_batch_size: int | None = None,
        shuffle: bool = True,
        drop_last: bool = False,
        norm_mode: str | None = None,
        scale: float = 1.0,
        noiseable_data: NoiseableData | None = None,
        seed: int | None = None,
        ctx: mx.Context | None = None,
    ) -> None:
        arr, label_list = _one_hot("target", target, None)
        if not arr.any():
            raise ValueError(
                "`target` must have a label in at least one row, but all are marked as having "
                "none. Without labels, use an `ArrayIterator` of `observed` alone."
            )
        if test_target is not None and label_list is not None:
            test_target, _ = _one_hot("test_target", test_target, label_list)
        super().__init__(
            observed,
            arr,
            test_observed=test_observed,
            test_target=test_target,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            one_hot=False,
            seed=seed,
            ctx=ctx,
        )
        self.label_list = label_list
        self._labeled_rows = np.flatnonzero(arr.any(axis=1))
        self.labeled_size = len(self._labeled_rows)
        if labeled_batch_size is None:
            self.labeled_batch_size = min(self.batch_size, self.labeled_size)
        else:
            self.labeled_batch_size = check_integer("labeled_batch_size", labeled_batch_size, low=1)

    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate `iter_n` pairs of mini-batches to learn from. A second call starts again.

        Yields:
            A tuple ``(observed_arr, target_arr, test_observed_arr, test_target_arr,
            unlabeled_arr)``: labelled data points and their one-hot labels, all test data or
            `None`, and unlabelled data points.
        """
        return super().generate_learned_samples()

    def _learned_samples(self, iter_n: int) -> Iterator[tuple[Any, ...]]:
        generator = np.random.default_rng([pass_seed(self.seed), _LABELED])
        labeled = self._labeled_batches(generator)
        for unlabeled_arr, _, *test in super()._learned_samples(iter_n):
            observed_arr, target_arr = self._take(next(labeled))
            if self.noiseable_data is not None:
                observed_arr = self.noiseable_data.noise(observed_arr)
            yield (observed_arr, target_arr, *test, unlabeled_arr)

    def _labeled_batches(self, generator: np.random.Generator) -> Iterator[Any]:
        size = self.labeled_batch_size
        rows, pending = self._labeled_rows, np.empty(0, dtype=np.int64)
        blocks = endless_blocks(len(rows), min(size, len(rows)), generator)
        while True:
            while len(pending) < size:
                pending = np.concatenate([pending, rows[next(blocks)]])
            batch, pending = pending[:size], pending[size:]
            yield copied(batch, self.ctx, np.int32) if self._is_resident() else batch


def _one_hot(
    name: str, target: Any, label_list: list[Any] | None
) -> tuple[np.ndarray, list[Any] | None]:
    """Return one-hot rows, with zeros where there is no label, and the labels."""
    arr = as_array(name, target)
    if arr.ndim == 2 and arr.shape[1] == 1:
        arr = arr[:, 0]
    if arr.ndim != 1:
        return np.asarray(arr, dtype=np.float32), None
    missing = np.array([_is_missing(value) for value in arr.tolist()])
    labels = np.array(arr[~missing].tolist(), dtype=object)
    if label_list is None:
        label_list = classes_of(name, labels)
    elif missing.any():
        raise ValueError(
            f"`{name}` must have a label in each row, but row {int(missing.argmax())}, counted "
            f"from 0, has none. Test on data points whose labels are known."
        )
    found = np.zeros((len(arr), len(label_list)), dtype=np.float32)
    if len(labels):
        found[~missing] = one_hot_of(name, labels, label_list)
    return found, label_list


def _is_missing(value: Any) -> bool:
    if value is None or value == "" or value != value:
        return True
    return not isinstance(value, (str, bool)) and value == -1
