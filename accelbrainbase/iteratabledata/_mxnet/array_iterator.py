"""Mini-batches of NumPy arrays and pandas tables, on the device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.iteratabledata.array_iterator import ArrayIterator as NeutralArrayIterator
from accelbrainbase.noiseable_data import NoiseableData


class ArrayIterator(NeutralArrayIterator):
    """Mini-batches of NumPy arrays and pandas tables, as NDArrays of float32 on the device.

    Each epoch goes through the training data once, in a new order. Its last mini-batch is
    smaller where the data do not divide evenly, or left out with `drop_last=True`.

    The order follows from `seed` and the number of the epoch alone. With a seed, every call
    of `generate_learned_samples` generates the same mini-batches. Without one, each call draws
    one from NumPy's global state, so that calls differ, and `accelbrainbase.seed` makes the
    program repeat. Noise does not follow from `seed`, but from `accelbrainbase.seed`.

    The training data are copied to the device once, and mini-batches are taken there. Data of
    more than `device_budget` bytes stay where they are: their mini-batches are copied one by
    one. So do data on a CPU that are float32 and need no normalisation: there, a copy would
    only take memory. Test data are always copied as a whole.

    Rows of several arguments belong together by their position; the index of a `DataFrame` has
    no meaning here. The arguments are not modified, and should not be while learning.

    Args:
        observed: Data points: NumPy array or `DataFrame` of numbers, shape
            `(rows, *features)`.
        target: What to predict from them, shape `(rows,)` or `(rows, *features)`: numbers
            (booleans are 0 and 1), or labels (text, categories), which become one-hot. `None`:
            the data points themselves, without noise, as for an auto-encoder.
        test_observed: Data points to test on.
        test_target: Their targets; needed exactly where both `target` and `test_observed`
            are given.
        test_fraction: Share of the rows to hold out as test data instead, in (0, 1), drawn at
            random (the last ones with `shuffle=False`); `test_index` says which.
        epochs: Number of passes over the training data.
        batch_size: Number of data points in a mini-batch. If there are fewer, all of them are
            one mini-batch.
        shuffle: Whether the order is random. `False` keeps that of the rows.
        drop_last: Whether a smaller last mini-batch is left out.
        norm_mode: How data points are normalised: `"z_score"`, `"min_max"`, or `None` for not
            at all. The one mean and deviation, or range, of all training values serves
            training, test and inference alike. Given targets are not normalised.
        scale: What data points are multiplied with, after normalisation.
        noiseable_data: Corrupts the observed mini-batches of the training data, after
            normalisation. Targets and test data stay clean.
        one_hot: Whether targets are labels: `True` makes numbers one-hot too, `False` accepts
            numbers only, `None` decides by their type.
        seed: Seed of order and split, at least 0. A program that resumes from a `Checkpoint` and
            holds out a `test_fraction` needs it, or `accelbrainbase.seed`, for the same split.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.

    Attributes:
        test_size: Number of test data points; 0 without.
        test_index: Row numbers of `observed` that `test_fraction` held out, ascending, or
            `None`.
        label_list: The labels in the order of the columns of one-hot targets (sorted), or
            `None` where targets are numbers.
        observed_shape: Shape of one data point.
        device_budget: How many bytes the training data may take on the device: 2 GiB, unless it
            is set.

    Raises:
        TypeError: If data are not numbers.
        ValueError: If data are empty, ragged, not finite, or do not fit each other.
    """

    device_budget: int = 2**31

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
        ctx: mx.Context | None = None,
    ) -> None:
        self.ctx = resolve_context(ctx)
        self._kept: dict[str, Any] = {}
        super().__init__(
            observed,
            target,
            test_observed=test_observed,
            test_target=test_target,
            test_fraction=test_fraction,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            one_hot=one_hot,
            seed=seed,
        )

    def _batches(self, rows: np.ndarray) -> Iterator[Any]:
        if self._is_resident():
            rows = copied(rows, self.ctx, np.int32)
        return super()._batches(rows)

    def _take(self, rows: Any) -> tuple[Any, Any]:
        if not self._is_resident():
            observed_arr, target_arr = super()._take(rows)
            return self._copied(observed_arr, target_arr)
        observed_arr, target_arr = self._on_device("train")
        batch_arr = nd.take(observed_arr, rows)
        return batch_arr, batch_arr if self._target is None else nd.take(target_arr, rows)

    def _test_arrays(self) -> tuple[Any, Any]:
        return (None, None) if self._test_observed is None else self._on_device("test")

    def _is_resident(self) -> bool:
        """Tell whether mini-batches are taken from a copy of all data on the device."""
        arrays = [arr for arr in (self._observed, self._target) if arr is not None]
        ready = self.norm_mode is None and self.scale == 1.0
        ready &= all(arr.dtype == np.float32 for arr in arrays)
        if ready and self.ctx.device_type == "cpu":
            return False
        return 4 * sum(arr.size for arr in arrays) <= self.device_budget

    def _on_device(self, part: str) -> tuple[Any, Any]:
        """Return all of the training or test data, copied once for each normalisation."""
        settings = (self.norm_mode, self.scale)
        if part not in self._kept or self._kept[part][0] != settings:
            arrays = super()._take(slice(None)) if part == "train" else super()._test_arrays()
            self._kept[part] = (settings, self._copied(*arrays))
        return self._kept[part][1]

    def _copied(self, observed_arr: np.ndarray, target_arr: np.ndarray) -> tuple[Any, Any]:
        copy_arr = copied(observed_arr, self.ctx)
        same = target_arr is observed_arr
        return copy_arr, copy_arr if same else copied(target_arr, self.ctx)
