"""The interface of iterators over pairs of series, for Transformers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator


class TransformerIterator(MiniBatchIterator):
    """Generates mini-batches of series to encode, series to decode, and masks.

    Implement both generators. A mask has 1 for what is kept and 0 for what is hidden, shape
    `(batch, length)`, or `(batch, query length, length)`; `None` keeps all. The future is hidden
    from decoders anyway.
    """

    @abstractmethod
    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate `iter_n` mini-batches to learn from. A second call starts again.

        Yields:
            A tuple of ten: ``(encoded_observed_arr, decoded_observed_arr, encoded_mask_arr,
            decoded_mask_arr, test_encoded_observed_arr, test_decoded_observed_arr,
            test_encoded_mask_arr, test_decoded_mask_arr, target_arr, test_target_arr)``; series
            have the shape `(batch, length, depth_dim)`. Those to test on may be `None`.
        """
