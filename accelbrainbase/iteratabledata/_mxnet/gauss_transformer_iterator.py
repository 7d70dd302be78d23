"""Mini-batches of series that are drawn from a normal distribution, for Transformers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mxnet as mx
from mxnet import nd

from accelbrainbase._checks import check_integer
from accelbrainbase.iteratabledata._mxnet._gauss_draws import GaussDraws
from accelbrainbase.iteratabledata.transformer_iterator import TransformerIterator
from accelbrainbase.noiseable_data import NoiseableData


class GaussTransformerIterator(GaussDraws, TransformerIterator):
    """Draws each mini-batch of series anew from a normal distribution.

    What is encoded, decoded and reconstructed is one and the same series; what is encoded and
    decoded may be noised. Test data are drawn alike. Each mini-batch is normalised by its own
    mean and deviation, or range, as a whole. There are no masks.

    Args:
        loc: Mean of the distribution.
        std: Standard deviation of the distribution, at least 0.
        seq_len: Length of the series.
        dim: Number of features.
        epochs: Number of passes over what counts as the data set.
        batch_size: Number of series in a mini-batch.
        norm_mode: `"z_score"`, `"min_max"`, or `None` to keep the distribution as it is.
        noiseable_data: Corrupts what is encoded and decoded, after normalisation; not the
            target, nor the test data.
        scale: What values are multiplied with, after normalisation.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.
        dataset_size: Number of series in an epoch.
        seed: Seed of the draws, at least 0; `None`: drawn from NumPy's global state at each
            call of `generate_learned_samples`.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        loc: float = 0.5,
        std: float = 0.25,
        seq_len: int = 5,
        dim: int = 100,
        epochs: int = 300,
        batch_size: int = 20,
        norm_mode: str | None = "z_score",
        noiseable_data: NoiseableData | None = None,
        scale: float = 1.0,
        ctx: mx.Context | None = None,
        dataset_size: int = 1000,
        *,
        seed: int | None = None,
    ) -> None:
        self._set_up_draws(
            loc,
            std,
            ctx,
            seed,
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            dataset_size=dataset_size,
        )
        self.seq_len = check_integer("seq_len", seq_len, low=1)
        self.dim = check_integer("dim", dim, low=1)

    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate `iter_n` mini-batches to learn from. A second call starts again.

        Yields:
            A tuple of ten, as `TransformerIterator` tells; each array has the shape
            `(batch, seq_len, dim)`, masks are `None`.
        """
        return self._learned_samples(self.iter_n)

    def _shape(self) -> tuple[int, ...]:
        return (self.seq_len or 1, self.dim)

    def _tuple_of(self, target_arr: nd.NDArray, test_arr: nd.NDArray) -> tuple[Any, ...]:
        train = (self._noised(target_arr), self._noised(target_arr), None, None)
        return (*train, test_arr, test_arr, None, None, target_arr, test_arr)

    def generate_inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        """Raise an error: there is nothing to infer from.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            "GaussTransformerIterator draws anew and has no test data to infer from. Take a test "
            "batch of `generate_learned_samples()`."
        )
