"""Mini-batches of a second domain beside those of an iterator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from accelbrainbase.iteratabledata._rows import pass_seed
from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator
from accelbrainbase.iteratabledata.ssda_iterator import SSDAIterator

_OWN_SEED = 7919  # added to that of the source domain, so that the orders differ


class TwoDomains(MiniBatchIterator):
    """Adds mini-batches of a target domain. Comes before an iterator among the base classes.

    The target domain goes round as often as the source domain needs it, in an order of its own
    which follows from the seed too. It has the settings of the source domain, but no noise.
    """

    seed: int | None = None
    _target_domain: Any = None

    def _set_up_target_domain(self, iterator: MiniBatchIterator) -> None:
        self._target_domain = iterator

    def _learned_samples(self, iter_n: int) -> Iterator[tuple[Any, ...]]:
        others = self._target_domain_arrays(iter_n)
        for batch in super()._learned_samples(iter_n):  # type: ignore[misc]
            yield (*batch, *next(others))

    def _target_domain_arrays(self, iter_n: int) -> Iterator[tuple[Any, ...]]:
        """Hook: generate what each mini-batch holds of the target domain."""
        inner = self._target_domain
        for name in ("norm_mode", "scale", "epochs"):
            setattr(inner, name, getattr(self, name))
        inner.batch_size = min(self.batch_size, inner.dataset_size)
        inner.seed = None if self.seed is None else self.seed + _OWN_SEED
        for batch in inner._learned_samples(iter_n):
            yield (batch[0],)


class PretextDomains(TwoDomains, SSDAIterator):
    """Adds mini-batches of a pretext task, made of a target domain."""

    _generator: np.random.Generator | None = None

    @property
    def pretext_generator(self) -> np.random.Generator:
        """Draws for `create_pretext_task_samples`, by the seed where mini-batches are generated.

        Elsewhere it is a new one, seeded from NumPy's global state.
        """
        return self._generator or np.random.default_rng(pass_seed(None))

    def _target_domain_arrays(self, iter_n: int) -> Iterator[tuple[Any, ...]]:
        generator = np.random.default_rng([pass_seed(self.seed), 2])
        for (target_domain_arr,) in super()._target_domain_arrays(iter_n):
            self._generator = generator
            try:
                samples = self.create_pretext_task_samples(target_domain_arr)
            finally:
                self._generator = None
            yield samples
