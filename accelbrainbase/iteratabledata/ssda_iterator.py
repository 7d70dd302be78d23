"""The interface of iterators over a labelled domain, and a pretext task of another domain."""

from __future__ import annotations

from typing import Any

from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator


class SSDAIterator(MiniBatchIterator):
    """Generates mini-batches of a source domain, and of a pretext task of a target domain.

    Implement both generators, and `create_pretext_task_samples`. Learned tuples are
    ``(observed_arr, label_arr, test_observed_arr, test_label_arr, pretext_arr,
    pretext_label_arr)``; labels are one-hot. What is to be tested on may be `None`.

    Attributes:
        pretext_block_n: Number of questions of the pretext task: the columns of its labels are
            as many one-hot vectors of equal length, side by side.
    """

    pretext_block_n: int = 1

    def create_pretext_task_samples(self, target_domain_batch_arr: Any) -> tuple[Any, Any]:
        """Abstract: make samples of the pretext task from data points.

        Args:
            target_domain_batch_arr: Data points, shape `(batch, *features)`.

        Returns:
            Data points to ask about, of the same shape, and the answers, one-hot, shape
            `(batch, pretext_block_n * answers)`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must override `create_pretext_task_samples`"
        )
