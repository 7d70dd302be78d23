"""Mini-batches of series of unequal length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._checks import short
from accelbrainbase.iteratabledata._mxnet.array_iterator import ArrayIterator
from accelbrainbase.iteratabledata.padded_series import pad_named
from accelbrainbase.noiseable_data import NoiseableData


class SeriesIterator(ArrayIterator):
    """Mini-batches of series of unequal length, filled up with zeros, and their masks.

    For `LSTMNetworks` and `EncoderDecoder`, which skip what is masked: a series is learned as if
    nothing had been added. All series get the length of the longest one, those of the test too.

    Args:
        series: One array or table for each series, shape `(length, features)`, or `(length,)`
            for one feature.
        target: What to predict at each data point, a series of the same length for each; the
            series themselves if omitted.
        test_series: Series to test on.
        test_target: Their targets; needed exactly where both `target` and `test_series` are given.
        test_fraction: Share of the series to hold out as test data instead, in (0, 1), drawn at
            random (the last ones with `shuffle=False`); `test_index` says which.
        epochs: Number of passes over the series.
        batch_size: Number of series in a mini-batch.
        shuffle: Whether the order is random.
        drop_last: Whether a smaller last mini-batch is left out.
        noiseable_data: Corrupts the observed mini-batches, in learning. Targets stay clean.
        seed: Seed of order and split, at least 0.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.

    Attributes:
        seq_len: Length of the series that are filled up.
        test_size: Number of test series; 0 without.
        test_index: Numbers of the series that `test_fraction` held out, ascending, or `None`.
        observed_shape: Length and features of a series that is filled up.

    Raises:
        TypeError: If series do not hold numbers.
        ValueError: If one is empty or not finite, if features differ, or if a target does not
            have the length of its series.
    """

    def __init__(
        self,
        series: Any,
        target: Any = None,
        *,
        test_series: Any = None,
        test_target: Any = None,
        test_fraction: float | None = None,
        epochs: int = 100,
        batch_size: int = 64,
        shuffle: bool = True,
        drop_last: bool = False,
        noiseable_data: NoiseableData | None = None,
        seed: int | None = None,
        ctx: mx.Context | None = None,
    ) -> None:
        if target is not None and (test_series is None) != (test_target is None):
            raise ValueError(
                "`test_target` must be given where both `target` and `test_series` are, and only "
                "there: the targets of training and test belong together."
            )
        observed, observed_mask = pad_named("series", series)
        test_observed, test_masked = None, None
        if test_series is not None:
            test_observed, test_mask = pad_named(
                "test_series", test_series, feature_n=observed.shape[2]
            )
            seq_len = max(observed.shape[1], test_observed.shape[1])
            observed, observed_mask, test_observed, test_mask = (
                _longer(arr, seq_len) for arr in (observed, observed_mask, test_observed, test_mask)
            )
            test_masked = _with_mask("test_target", test_target, test_observed, test_mask)
        super().__init__(
            observed,
            _with_mask("target", target, observed, observed_mask),
            test_observed=test_observed,
            test_target=test_masked,
            test_fraction=test_fraction,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            noiseable_data=noiseable_data,
            one_hot=False,
            seed=seed,
            ctx=ctx,
        )
        self.seq_len = observed.shape[1]

    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate `iter_n` mini-batches to learn from. A second call starts again.

        Yields:
            A tuple ``(observed_arr, target_arr, test_observed_arr, test_target_arr, mask_arr,
            test_mask_arr)``: series, shape `(batch, seq_len, features)`, and masks, shape
            `(batch, seq_len)`. Those of the test are all of them, or `None`.
        """
        return super().generate_learned_samples()

    def _learned_samples(self, iter_n: int) -> Iterator[tuple[Any, ...]]:
        test = None
        for observed_arr, masked_arr, test_arr, test_masked_arr in super()._learned_samples(iter_n):
            if test is None:  # the same objects each time
                test = _without_mask(test_masked_arr)
            target_arr, mask_arr = _without_mask(masked_arr)
            yield observed_arr, target_arr, test_arr, test[0], mask_arr, test[1]

    def generate_inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate the test series in their order, each once.

        Yields:
            A tuple ``(None, None, test_observed_arr, test_target_arr, None, test_mask_arr)``. The
            last mini-batch may be smaller.

        Raises:
            ValueError: If there are no test data.
        """
        return super().generate_inferenced_samples()

    def _inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        for _, _, observed_arr, masked_arr in super()._inferenced_samples():
            target_arr, mask_arr = _without_mask(masked_arr)
            yield None, None, observed_arr, target_arr, None, mask_arr


def _with_mask(name: str, target: Any, observed: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return targets with the mask as one more feature, so that they are drawn together."""
    padded = observed
    if target is not None:
        padded, target_mask = pad_named(name, target)
        lengths, wanted = (arr.sum(axis=1).astype(int).tolist() for arr in (target_mask, mask))
        if lengths != wanted:
            raise ValueError(
                f"`{name}` must have a series for each that is observed, with as many data points: "
                f"{short(wanted)}, but has {short(lengths)}."
            )
        padded = _longer(padded, mask.shape[1])
    return np.concatenate([padded, mask[:, :, np.newaxis]], axis=2)


def _without_mask(masked_arr: Any) -> tuple[Any, Any]:
    """Return targets and the mask that was their last feature."""
    if masked_arr is None:
        return None, None
    mask_arr = nd.slice_axis(masked_arr, axis=2, begin=-1, end=None).reshape((0, -1))
    return nd.slice_axis(masked_arr, axis=2, begin=0, end=-1), mask_arr


def _longer(arr: np.ndarray, seq_len: int) -> np.ndarray:
    """Fill up series, or masks, with zeros."""
    more = [(0, 0)] * arr.ndim
    more[1] = (0, seq_len - arr.shape[1])
    return np.pad(arr, more)
