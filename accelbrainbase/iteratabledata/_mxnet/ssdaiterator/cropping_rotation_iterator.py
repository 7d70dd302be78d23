"""Mini-batches of images, and of images of another domain whose quarters are turned."""

from __future__ import annotations

from typing import Any

from accelbrainbase.iteratabledata._mxnet.ssda_iterator import SSDAIterator
from accelbrainbase.iteratabledata.pretext_task import PretextTask
from accelbrainbase.iteratabledata.pretexttask._mxnet.cropping_rotation_task import (
    CroppingRotationTask,
)


class CroppingRotationIterator(SSDAIterator):
    """An `SSDAIterator` whose pretext task is a `CroppingRotationTask`.

    The arguments are those of `SSDAIterator`.

    Attributes:
        pretext_task: What is asked about the target domain.
    """

    pretext_task: PretextTask = CroppingRotationTask()
    pretext_block_n: int = CroppingRotationTask.block_n

    def create_pretext_task_samples(self, target_domain_batch_arr: Any) -> tuple[Any, Any]:
        """Make samples of the pretext task from data points.

        Args:
            target_domain_batch_arr: Square images, shape `(batch, channel, size, size)`.

        Returns:
            Images of the same shape, and the answers, one-hot, shape `(batch, 16)`.
        """
        return self.pretext_task.create(target_domain_batch_arr, self.pretext_generator)
