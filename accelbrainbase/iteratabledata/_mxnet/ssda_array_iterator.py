"""Mini-batches of a domain and a pretext task from NumPy arrays and pandas tables."""

from __future__ import annotations

from typing import Any

from accelbrainbase._checks import check_is_a
from accelbrainbase.iteratabledata._mxnet.array_iterator import ArrayIterator
from accelbrainbase.iteratabledata._mxnet.drcn_array_iterator import (
    holds_labels,
    target_domain_of,
)
from accelbrainbase.iteratabledata._two_domains import PretextDomains
from accelbrainbase.iteratabledata.pretext_task import PretextTask
from accelbrainbase.iteratabledata.pretexttask._mxnet.rotation_task import RotationTask


class SSDAArrayIterator(PretextDomains, ArrayIterator):
    """Mini-batches of a labelled source domain, and a pretext task of a target domain, of arrays.

    Each epoch goes through the source domain once, in a new order; the target domain goes round
    as often as is needed. Learned tuples are ``(observed_arr, label_arr, test_observed_arr,
    test_label_arr, pretext_arr, pretext_label_arr)``.

    Args:
        observed: Data points of the source domain, as in `ArrayIterator`.
        target: Their classes: labels, shape `(rows,)`, which become one-hot; or one-hot, shape
            `(rows, classes)`.
        target_domain: Data points of the target domain, shape `(rows, *features)`.
        pretext_task: What is asked about the target domain; a `RotationTask` if omitted.
        **kwargs: The other arguments of `DRCNArrayIterator`: `test_observed`, `test_target`,
            `test_fraction`, `epochs`, `batch_size`, `shuffle`, `drop_last`, `norm_mode`, `scale`,
            `noiseable_data`, `one_hot`, `seed`, `ctx`.

    Attributes:
        pretext_task: What is asked about the target domain.
        label_list: The labels in the order of the columns of one-hot targets (sorted), or
            `None` where they were one-hot already.

    Raises:
        TypeError: If data are not numbers, or an argument is unknown.
        ValueError: If data are empty, ragged, not finite, or do not fit each other.
    """

    def __init__(
        self,
        observed: Any,
        target: Any,
        target_domain: Any,
        *,
        pretext_task: PretextTask | None = None,
        **kwargs: Any,
    ) -> None:
        check_is_a("pretext_task", pretext_task, PretextTask, optional=True)
        if kwargs.get("one_hot") is None:
            kwargs["one_hot"] = holds_labels(target)
        super().__init__(observed, target, **kwargs)
        self.pretext_task = RotationTask() if pretext_task is None else pretext_task
        self.pretext_block_n = self.pretext_task.block_n
        inner = target_domain_of(target_domain, self.observed_shape, self.shuffle, self.ctx)
        inner.fit_normalization(self._observed)
        self._set_up_target_domain(inner)

    def create_pretext_task_samples(self, target_domain_batch_arr: Any) -> tuple[Any, Any]:
        """Make samples of the pretext task from data points.

        Args:
            target_domain_batch_arr: Data points, shape `(batch, *features)`.

        Returns:
            Data points to ask about, of the same shape, and the answers, one-hot.
        """
        return self.pretext_task.create(target_domain_batch_arr, self.pretext_generator)
