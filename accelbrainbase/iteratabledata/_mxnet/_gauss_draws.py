"""What iterators share that draw each mini-batch anew from a normal distribution."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_integer, check_number
from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.iteratabledata._rows import pass_seed
from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator


class GaussDraws(MiniBatchIterator):
    """Draws the mini-batches. Implement `_shape` and `_tuple_of`."""

    def _set_up_draws(
        self, loc: float, std: float, ctx: mx.Context | None, seed: int | None, **settings: Any
    ) -> None:
        """Check the arguments and keep the settings."""
        self._set_up(**settings)
        self.loc = check_number("loc", loc)
        self.std = check_number("std", std, low=0.0)
        self.ctx = resolve_context(ctx)
        self.seed = None if seed is None else check_integer("seed", seed, low=0)

    @abstractmethod
    def _shape(self) -> tuple[int, ...]:
        """Abstract: return the shape of a data point."""

    @abstractmethod
    def _tuple_of(self, target_arr: nd.NDArray, test_arr: nd.NDArray) -> tuple[Any, ...]:
        """Abstract: return what is generated of a draw to learn from and one to test on."""

    def _learned_samples(self, iter_n: int) -> Iterator[tuple[Any, ...]]:
        generator = np.random.default_rng(pass_seed(self.seed))
        for _ in range(iter_n):
            target_arr, test_arr = self._draw(generator), self._draw(generator)
            yield self._tuple_of(target_arr, test_arr)

    def _draw(self, generator: np.random.Generator) -> nd.NDArray:
        draws = generator.standard_normal((self.batch_size, *self._shape()), dtype=np.float32)
        arr = self.pre_normalize(self.loc + self.std * draws)
        return copied(arr, self.ctx)

    def _noised(self, arr: nd.NDArray) -> nd.NDArray:
        return arr if self.noiseable_data is None else self.noiseable_data.noise(arr)
