"""Mini-batches of data points that are drawn from a normal distribution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mxnet as mx
from mxnet import nd

from accelbrainbase._checks import check_integer
from accelbrainbase.iteratabledata._mxnet._gauss_draws import GaussDraws
from accelbrainbase.iteratabledata.labeled_image_iterator import LabeledImageIterator
from accelbrainbase.noiseable_data import NoiseableData


class GaussIterator(GaussDraws, LabeledImageIterator):
    """Draws each mini-batch anew from a normal distribution.

    The target is the data point itself, without noise. Test data are drawn alike. Each
    mini-batch is normalised by its own mean and deviation, or range, as a whole: there is no
    data set that could give them.

    Args:
        loc: Mean of the distribution.
        std: Standard deviation of the distribution, at least 0.
        dim: Number of elements of a data point.
        epochs: Number of passes over what counts as the data set.
        batch_size: Number of data points in a mini-batch.
        norm_mode: `"z_score"`, `"min_max"`, or `None` to keep the distribution as it is.
        noiseable_data: Corrupts the observed data points after normalisation; not the target,
            nor the test data.
        scale: What values are multiplied with, after normalisation.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.
        dataset_size: Number of data points in an epoch.
        seed: Seed of the draws, at least 0: then every call of `generate_learned_samples`
            generates the same. Without one, each call draws one from NumPy's global state,
            which `accelbrainbase.seed` sets.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        loc: float = 0.0,
        std: float = 1.0,
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
        self.dim = check_integer("dim", dim, low=1)

    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate `iter_n` mini-batches to learn from. A second call starts again.

        Yields:
            A tuple ``(observed_arr, target_arr, test_observed_arr, test_target_arr)``, each
            array of shape `(batch, dim)`.
        """
        return self._learned_samples(self.iter_n)

    def _shape(self) -> tuple[int, ...]:
        return (self.dim,)

    def _tuple_of(self, target_arr: nd.NDArray, test_arr: nd.NDArray) -> tuple[Any, ...]:
        return self._noised(target_arr), target_arr, test_arr, test_arr

    def generate_inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        """Raise an error: there is nothing to infer from.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            "GaussIterator draws anew and has no test data to infer from. Take a test batch of "
            "`generate_learned_samples()`, or put draws into an `ArrayIterator` as "
            "`test_observed`."
        )
