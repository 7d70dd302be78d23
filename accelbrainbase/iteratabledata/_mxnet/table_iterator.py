"""What the iterators over the rows of a table share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_integer
from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.iteratabledata._arrays import as_numbers, check_finite
from accelbrainbase.iteratabledata._rows import endless_blocks, pass_seed
from accelbrainbase.iteratabledata.labeled_image_iterator import LabeledImageIterator
from accelbrainbase.noiseable_data import NoiseableData


class TableIterator(LabeledImageIterator):
    """Draws mini-batches of training and test rows that are kept on the device.

    Training rows come from a stream of shuffled epochs: without replacement within an epoch,
    and none is left out where an epoch is no whole number of mini-batches. The test rows of a
    mini-batch are drawn alike. One mean and deviation, or range, of the training data
    normalises training, test and inference.

    Args:
        train_arr: Rows to learn from, shape `(rows, columns)`.
        test_arr: Rows to test on.
        target_arr: Targets of the former as float32, a row for each; `None`: the rows
            themselves, without noise.
        test_target_arr: Targets of the latter.
        epochs: Number of passes over the training data.
        batch_size: Number of rows in a mini-batch. If there are fewer, it is all of them.
        norm_mode: `"z_score"`, `"min_max"`, or `None`.
        scale: What values are multiplied with, after normalisation.
        noiseable_data: Corrupts the observed rows of the training data, after normalisation.
            Targets and test data stay clean.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.
        seed: Seed of the order, at least 0: then every call of `generate_learned_samples`
            generates the same. Without one, each call draws one from NumPy's global state,
            which `accelbrainbase.seed` sets.
    """

    def __init__(
        self,
        train_arr: np.ndarray,
        test_arr: np.ndarray,
        target_arr: np.ndarray | None = None,
        test_target_arr: np.ndarray | None = None,
        *,
        epochs: int,
        batch_size: int,
        norm_mode: str | None,
        scale: float,
        noiseable_data: NoiseableData | None,
        ctx: mx.Context | None,
        seed: int | None,
    ) -> None:
        self._set_up(
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            dataset_size=len(train_arr),
        )
        self.ctx = resolve_context(ctx)
        self.seed = None if seed is None else check_integer("seed", seed, low=0)
        for name, arr in (("train_csv_path", train_arr), ("test_csv_path", test_arr)):
            check_finite(name, as_numbers(name, arr))
        if train_arr.shape[1:] != test_arr.shape[1:]:
            raise ValueError(
                f"`test_csv_path` must have the {train_arr.shape[1]} columns of numbers that "
                f"`train_csv_path` has, but has {test_arr.shape[1]}."
            )
        self._train = (train_arr, target_arr)
        self._test = (test_arr, test_target_arr)
        self._kept: dict[str, Any] = {}
        self.fit_normalization(train_arr)

    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate `iter_n` mini-batches to learn from. A second call starts again.

        Yields:
            A tuple ``(observed_arr, target_arr, test_observed_arr, test_target_arr)``, each
            array of shape `(batch, columns)`, or `(batch, classes)` for labels.
        """
        return self._learned_samples(self.iter_n)

    def _learned_samples(self, iter_n: int) -> Iterator[tuple[Any, ...]]:
        seed = pass_seed(self.seed)
        batches = self._drawn("train", self._train, np.random.default_rng([seed, 0]))
        test_batches = self._drawn("test", self._test, np.random.default_rng([seed, 1]))
        for _ in range(iter_n):
            observed_arr, target_arr = next(batches)
            if self.noiseable_data is not None:
                observed_arr = self.noiseable_data.noise(observed_arr)
            yield (observed_arr, target_arr, *next(test_batches))

    def generate_inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate the test rows in their order, each once, normalised as in learning.

        Yields:
            A tuple ``(None, None, test_observed_arr, test_target_arr)``. The last mini-batch
            may be smaller; the target is one-hot, or `None` without labels.
        """
        observed_arr, target_arr = self._on_device("test", self._test)
        for begin in range(0, observed_arr.shape[0], self.batch_size):
            end = begin + self.batch_size
            yield (
                None,
                None,
                observed_arr[begin:end],
                (None if target_arr is None else target_arr[begin:end]),
            )

    def _drawn(self, part: str, arrays: Any, generator: np.random.Generator) -> Iterator[Any]:
        """Generate mini-batches and their targets, without end."""
        observed_arr, target_arr = self._on_device(part, arrays)
        size = observed_arr.shape[0]
        batch_size = min(self.batch_size, size)
        for block in endless_blocks(size, batch_size, generator):
            # Row numbers are copied an epoch at a time: by mini-batch, that takes longer than
            # taking the rows.
            rows = copied(block, self.ctx, np.int32)
            for begin in range(0, len(block), batch_size):
                batch_rows = rows[begin : begin + batch_size]
                batch_arr = nd.take(observed_arr, batch_rows)
                yield (
                    batch_arr,
                    (batch_arr if target_arr is None else nd.take(target_arr, batch_rows)),
                )

    def _on_device(self, part: str, arrays: Any) -> tuple[Any, Any]:
        """Return all of the training or test data, copied once for each normalisation."""
        settings = (self.norm_mode, self.scale)
        if part not in self._kept or self._kept[part][0] != settings:
            observed_arr, target_arr = arrays
            copies = (
                copied(self.pre_normalize(observed_arr), self.ctx),
                None if target_arr is None else copied(target_arr, self.ctx),
            )
            self._kept[part] = (settings, copies)
        return self._kept[part][1]
