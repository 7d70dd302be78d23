"""What the iterators over windows of series share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_integer
from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.iteratabledata._rows import endless_blocks, pass_seed
from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator
from accelbrainbase.noiseable_data import NoiseableData

_BATCHES_AT_ONCE = 64


class WindowIterator(MiniBatchIterator):
    """Draws windows of `seq_len` neighbouring rows from series that are kept on the device.

    The windows to learn from come from a stream of shuffled epochs: without replacement within
    an epoch. Those to test on are drawn alike. No window reaches from one series into
    another. Subclasses say how rows become arrays of a mini-batch (`_observed`, `_target`).

    Args:
        series: Series to learn from, each of shape `(rows, *features)`.
        test_series: Series to test on.
        names: Where the series come from, for messages.
        test_names: The same for the test series.
        seq_len: Length of the windows.
        epochs: Number of passes over the training series.
        batch_size: Number of windows in a mini-batch. If there are fewer, it is all of them.
        norm_mode: `"z_score"`, `"min_max"`, or `None`.
        scale: What values are multiplied with, after normalisation.
        noiseable_data: Corrupts the observed windows to learn from, after normalisation.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.
        seed: Seed of the order, at least 0: then every call of `generate_learned_samples`
            generates the same. Without one, each call draws one from NumPy's global state,
            which `accelbrainbase.seed` sets.
        dataset_size: Number of data points in an epoch; that of all rows if omitted.
    """

    seq_len: int = 10

    def __init__(
        self,
        series: Sequence[np.ndarray],
        test_series: Sequence[np.ndarray],
        names: Sequence[str],
        test_names: Sequence[str],
        *,
        seq_len: int,
        epochs: int,
        batch_size: int,
        norm_mode: str | None,
        scale: float,
        noiseable_data: NoiseableData | None,
        ctx: mx.Context | None,
        seed: int | None,
        dataset_size: int | None = None,
    ) -> None:
        self.seq_len = check_integer("seq_len", seq_len, low=1)
        for arrays, sources in ((series, names), (test_series, test_names)):
            for arr, source in zip(arrays, sources):
                if len(arr) < self.seq_len:
                    raise ValueError(
                        f"`seq_len` must be at most {len(arr)}, the length of {source!r}, but "
                        f"got {self.seq_len}. Make it smaller, or leave that file out."
                    )
        self._set_up(
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            dataset_size=sum(map(len, series)) if dataset_size is None else dataset_size,
        )
        self.ctx = resolve_context(ctx)
        self.seed = None if seed is None else check_integer("seed", seed, low=0)
        self._series = {"train": list(series), "test": list(test_series)}
        self._kept: dict[str, nd.NDArray] = {}

    # -- what varies -------------------------------------------------------------------

    def _observed(self, window_arr: nd.NDArray) -> nd.NDArray:
        """Hook: make what is observed of windows of shape `(batch, seq_len, *features)`."""
        return self.pre_normalize(window_arr)

    def _target(self, window_arr: nd.NDArray, observed_arr: nd.NDArray) -> nd.NDArray:
        """Hook: make the target of windows, and of what is observed before noise."""
        del window_arr
        return observed_arr

    def _choose(self, starts: np.ndarray, _generator: np.random.Generator) -> np.ndarray:
        """Hook: replace the drawn first rows of the windows of a training mini-batch."""
        return starts

    # -- generating --------------------------------------------------------------------

    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate `iter_n` mini-batches to learn from. A second call starts again.

        Yields:
            A tuple ``(observed_arr, target_arr, test_observed_arr, test_target_arr)``.
        """
        return self._learned_samples(self.iter_n)

    def _learned_samples(self, iter_n: int) -> Iterator[tuple[Any, ...]]:
        seed = pass_seed(self.seed)
        generators = [np.random.default_rng([seed, number]) for number in range(3)]
        windows = self._drawn("train", generators[0])
        test_windows = self._drawn("test", generators[1])
        for _ in range(iter_n):
            window_arr, starts = next(windows)
            chosen = self._choose(starts, generators[2])
            if chosen is not starts:
                window_arr = self._take("train", chosen)
            observed_arr = self._observed(window_arr)
            target_arr = self._target(window_arr, observed_arr)
            if self.noiseable_data is not None:
                observed_arr = self.noiseable_data.noise(observed_arr)
            test_arr, _ = next(test_windows)
            test_observed_arr = self._observed(test_arr)
            yield (
                observed_arr,
                target_arr,
                test_observed_arr,
                self._target(test_arr, test_observed_arr),
            )

    def generate_inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate the windows of the test series in their order, each once.

        Neighbouring windows overlap in all rows but one. They are normalised as in learning.

        Yields:
            A tuple ``(None, None, test_observed_arr, None)``. The last mini-batch may be smaller.
        """
        starts = self._starts("test")
        for begin in range(0, len(starts), self.batch_size):
            window_arr = self._take("test", starts[begin : begin + self.batch_size])
            yield None, None, self._observed(window_arr), None

    def _starts(self, part: str) -> np.ndarray:
        """Return the rows, of all series put together, at which a window may begin."""
        starts, offset = [], 0
        for arr in self._series[part]:
            starts.append(offset + np.arange(len(arr) - self.seq_len + 1))
            offset += len(arr)
        return np.concatenate(starts)

    def _drawn(
        self, part: str, generator: np.random.Generator
    ) -> Iterator[tuple[nd.NDArray, np.ndarray]]:
        """Generate windows, and where they begin, without end."""
        starts = self._starts(part)
        batch_size = min(self.batch_size, len(starts))
        chunk = _BATCHES_AT_ONCE * batch_size
        for block in endless_blocks(len(starts), batch_size, generator):
            for first in range(0, len(block), chunk):
                chosen = starts[block[first : first + chunk]]
                rows = self._rows(chosen)  # copied some mini-batches at a time
                for begin in range(0, len(chosen), batch_size):
                    piece = slice(begin, begin + batch_size)
                    yield nd.take(self._on_device(part), rows[piece]), chosen[piece]

    def _take(self, part: str, starts: np.ndarray) -> nd.NDArray:
        return nd.take(self._on_device(part), self._rows(starts))

    def _rows(self, starts: np.ndarray) -> nd.NDArray:
        rows = starts[:, np.newaxis] + np.arange(self.seq_len)
        return copied(rows, self.ctx, np.int32)

    def _on_device(self, part: str) -> nd.NDArray:
        """Return all series of a part, one after the other, copied once."""
        if part not in self._kept:
            arr = np.concatenate(self._series[part])
            self._kept[part] = copied(arr, self.ctx)
        return self._kept[part]
