"""What the learning loop needs to know of MXNet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from mxnet import nd

from accelbrainbase.learning.backend import Backend

if TYPE_CHECKING:
    from accelbrainbase._mxnet.gluon_learner import GluonLearner

_READ_AT_ONCE = 256


class GluonBackend(Backend):
    """Reads losses, copies parameters and sets rates of Gluon models.

    Args:
        learner: The model or controller that learns.
    """

    learner: GluonLearner

    def __init__(self, learner: GluonLearner) -> None:
        super().__init__(learner)

    def wait(self, value: Any) -> None:
        """Wait until `value` is computed."""
        if isinstance(value, nd.NDArray):
            value.wait_to_read()

    def read(self, values: Sequence[Any]) -> list[np.ndarray]:
        """Fetch losses from the device: many small arrays in one copy."""
        read: list[np.ndarray] = []
        for begin in range(0, len(values), _READ_AT_ONCE):
            part = values[begin : begin + _READ_AT_ONCE]
            if len(part) == 1 or not all(_is_vector(value) for value in part):
                read += super().read([_to_host(value) for value in part])
                continue
            joined = nd.concat(*part, dim=0).asnumpy().astype(np.float64)
            read += np.split(joined, np.cumsum([value.shape[0] for value in part])[:-1])
        return read

    def scale_learning_rate(self, factor: float) -> None:
        """Multiply the rate of every trainer by `factor`."""
        self.learner.scale_learning_rate(factor)

    def snapshot(self) -> dict[str, nd.NDArray] | None:
        """Copy all parameters, or return `None` if some have no or no finite values."""
        parameters = self.learner.collect_params()
        if not parameters or any(p._data is None for p in parameters.values()):
            return None
        copies = {name: p.data().copy() for name, p in parameters.items()}
        floats = [arr for arr in copies.values() if arr.dtype in (np.float32, np.float64)]
        if floats and not nd.multi_all_finite(*floats, num_arrays=len(floats)).asscalar():
            return None
        return copies

    def restore(self, snapshot: dict[str, nd.NDArray]) -> None:
        """Set the parameters, and forget what the optimisers remember (momentum).

        Their counts of steps start again too: Adam divides by them what its averages lack
        at the start, without which its first steps would be ten times too long.
        """
        for name, parameter in self.learner.collect_params().items():
            parameter.set_data(snapshot[name])
        for trainer in self.learner.trainers:
            for updater in trainer._updaters:
                updater.states.clear()
                updater.states_synced.clear()
            for counts in trainer.optimizer._all_index_update_counts.values():
                counts.clear()


def _is_vector(value: Any) -> bool:
    return isinstance(value, nd.NDArray) and value.ndim == 1 and value.dtype == np.float32


def _to_host(value: Any) -> Any:
    return value.asnumpy() if isinstance(value, nd.NDArray) else value
