"""What the learning loop needs to know of MXNet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from mxnet import nd

from accelbrainbase._checks import short
from accelbrainbase._mxnet.lazy_trainer import built_trainers
from accelbrainbase._mxnet.on_devices import first_of
from accelbrainbase._mxnet.seeding import seed as set_seed
from accelbrainbase._mxnet.settled import settle
from accelbrainbase._mxnet.trainer_state import capture_trainer, check_trainer, resume_trainer
from accelbrainbase.errors import CheckpointError
from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.state import arrays_below

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
        self.learner.settle()
        copies = {name: first_of(p).copy() for name, p in parameters.items()}
        return copies if _all_finite(copies.values()) else None

    def export_snapshot(self, snapshot: dict[str, nd.NDArray]) -> dict[str, np.ndarray]:
        """Return a snapshot as arrays: by number, since names differ from process to process."""
        return {str(n): arr.asnumpy() for n, arr in enumerate(snapshot.values())}

    def import_snapshot(self, arrays: Mapping[str, np.ndarray]) -> dict[str, nd.NDArray]:
        """Return the snapshot that `export_snapshot` made arrays of."""
        parameters = self.learner.collect_params().items()
        return {
            name: nd.array(arrays[str(n)], ctx=self.learner.ctx, dtype=p.dtype)
            for n, (name, p) in enumerate(parameters)
        }

    def capture(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return parameters, the state of the optimisers, and what else the learner keeps."""
        self.learner.settle()
        parameters = self.learner.collect_params().values()
        arrays = {f"parameter.{n}": first_of(p).asnumpy() for n, p in enumerate(parameters)}
        trainers: dict[str, Any] = {}
        for name, trainer in built_trainers(self.learner).items():
            states, trainers[name] = capture_trainer(trainer)
            arrays.update((f"{name}.{key}", arr) for key, arr in states.items())
        kept_arrays, kept = self.learner.capture()
        arrays.update((f"kept.{name}", arr.asnumpy()) for name, arr in kept_arrays.items())
        values = {
            "parameters": [_last_part(p.name) for p in parameters],
            "learning_rate": self.learner._learning_rate,
            "trainers": trainers,
            "kept": kept,
        }
        return arrays, values

    def resume(self, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> None:
        """Set what `capture` returned: all of it, or nothing.

        Raises:
            CheckpointError: If it is of another model. This one is as it was.
        """
        learner = self.learner
        parameters = list(learner.collect_params().values())
        saved = [arrays[f"parameter.{n}"] for n in range(len(values["parameters"]))]
        here = [(_last_part(p.name), tuple(p.shape)) for p in parameters]
        there = [(name, arr.shape) for name, arr in zip(values["parameters"], saved)]
        if here != there:
            raise CheckpointError(
                f"it is of another model: that one has the parameters {short(there, 300)}, "
                f"this {type(learner).__name__} has {short(here, 300)}. Build the model as that "
                f"one was, or start afresh."
            )
        trainers = {name: getattr(learner, name) for name in values["trainers"]}
        for name, trainer in trainers.items():
            check_trainer(name, trainer, values["trainers"][name])
        self._resume_rest(arrays, values["kept"])  # may be refused, so before all else
        settle()
        for parameter, arr in zip(parameters, saved):
            parameter.set_data(nd.array(arr, ctx=learner.ctx, dtype=arr.dtype))
        for name, trainer in trainers.items():
            resume_trainer(trainer, arrays_below(arrays, name), values["trainers"][name])
        learner._learning_rate = values["learning_rate"]

    def _resume_rest(self, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> None:
        """Set what the learner keeps beside parameters and optimisers."""
        kept = {
            name: nd.array(arr, ctx=self.learner.ctx, dtype=arr.dtype)
            for name, arr in arrays_below(arrays, "kept").items()
        }
        try:
            self.learner.resume(kept, values)
        except CheckpointError:
            raise
        except Exception as error:
            raise CheckpointError(
                f"what it holds beside parameters is not what this {type(self.learner).__name__} "
                f"needs to go on ({type(error).__name__}: {error}). Is it of another class? Build "
                f"the learner as that one was, or start afresh."
            ) from error

    def reseed(self, seed: int) -> None:
        """Seed MXNet, NumPy and Python."""
        set_seed(seed)

    def restore(self, snapshot: dict[str, nd.NDArray]) -> None:
        """Set the parameters, and forget what the optimisers remember (momentum).

        Their counts of steps start again too: Adam divides by them what its averages lack
        at the start, without which its first steps would be ten times too long.
        """
        settle()
        for name, parameter in self.learner.collect_params().items():
            parameter.set_data(snapshot[name])
        for trainer in self.learner.trainers:
            for updater in trainer._updaters:
                updater.states.clear()
                updater.states_synced.clear()
            for counts in trainer.optimizer._all_index_update_counts.values():
                counts.clear()
            if hasattr(trainer.optimizer, "m_schedule"):  # Nadam's product over all steps
                trainer.optimizer.m_schedule = 1.0
        self.learner._after_restore()


def _is_vector(value: Any) -> bool:
    return isinstance(value, nd.NDArray) and value.ndim == 1 and value.dtype == np.float32


def _to_host(value: Any) -> Any:
    return value.asnumpy() if isinstance(value, nd.NDArray) else value


def _all_finite(arrays: Iterable[nd.NDArray]) -> bool:
    """Tell whether all values are finite: 0 times anything else is not 0.

    A product takes a tenth of the time of MXNet's operator for this.
    """
    flat = [arr.reshape((-1,)) for arr in arrays if arr.dtype in (np.float32, np.float64)]
    zeros = [nd.dot(arr, nd.zeros_like(arr)) for arr in flat]
    return all(zero.asscalar() == 0 for zero in zeros)


def _last_part(name: str) -> str:
    return name.rpartition("_")[2]
