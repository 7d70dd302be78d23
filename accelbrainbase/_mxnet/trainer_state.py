"""The state of a Gluon trainer as arrays and plain values, without pickle.

A state of an optimiser is `None`, an NDArray, or a nested tuple of these, for each
parameter. It is kept tensor by tensor; the counts of steps and the plain attributes of the
optimiser (its rate, `nadam`'s schedule of momentum, …) are kept beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mxnet import gluon, nd

from accelbrainbase._mxnet.devices_trainer import move_counts
from accelbrainbase.errors import CheckpointError

_PLAIN = (int, float, bool, str, type(None))


def capture_trainer(trainer: gluon.Trainer) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the state of a trainer.

    Args:
        trainer: The trainer.

    Returns:
        Arrays by name, and what JSON can hold by name.
    """
    if not trainer._kv_initialized:
        trainer._init_kvstore()
    arrays: dict[str, np.ndarray] = {}
    optimizer = trainer._optimizer
    states = trainer._updaters[0].states.items()
    return arrays, {
        "optimizer": type(optimizer).__name__,
        "parameters": [list(p.shape) for p in trainer._params],
        "states": {str(n): _flatten(state, str(n), arrays) for n, state in states},
        "attributes": _plain(optimizer),
        "counts": {
            str(device): {str(n): count for n, count in counts.items()}
            for device, counts in optimizer._all_index_update_counts.items()
        },
        "scheduler": _plain(optimizer.lr_scheduler) if optimizer.lr_scheduler else None,
    }


def check_trainer(name: str, trainer: gluon.Trainer, values: Mapping[str, Any]) -> None:
    """Raise a `CheckpointError` unless the state is of such a trainer.

    Args:
        name: How the learner calls the trainer, for the message.
        trainer: The trainer.
        values: What `capture_trainer` returned.
    """
    optimizer = trainer._optimizer
    here = (type(optimizer).__name__, [list(p.shape) for p in trainer._params])
    there = (values["optimizer"], values["parameters"])
    if here != there:
        raise CheckpointError(
            f"`{name}` is another: that one is {there[0]} for {len(there[1])} parameters, this "
            f"one {here[0]} for {len(here[1])}. Use the same optimiser, or start afresh."
        )
    if (optimizer.lr_scheduler is None) != (values["scheduler"] is None):
        raise CheckpointError(
            f"`{name}` must have a scheduler of the learning rate exactly if the one that was "
            f"saved had one."
        )


def resume_trainer(
    trainer: gluon.Trainer, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]
) -> None:
    """Set the state of a trainer that `check_trainer` accepted.

    Args:
        trainer: The trainer.
        arrays: The arrays that `capture_trainer` returned.
        values: The values that it returned.
    """
    if not trainer._kv_initialized:
        trainer._init_kvstore()
    optimizer, updater = trainer._optimizer, trainer._updaters[0]
    contexts = {n: p.list_ctx()[0] for n, p in enumerate(trainer._params)}
    updater.states = {
        int(n): _rebuild(state, arrays, contexts[int(n)]) for n, state in values["states"].items()
    }
    updater.states_synced = dict.fromkeys(updater.states, True)
    vars(optimizer).update(values["attributes"])
    counts = {
        int(device): {int(n): count for n, count in entries.items()}
        for device, entries in values["counts"].items()
    }
    optimizer._all_index_update_counts = counts
    move_counts(trainer)
    if values["scheduler"] is not None:
        vars(optimizer.lr_scheduler).update(values["scheduler"])


def _plain(thing: Any) -> dict[str, Any]:
    values = {n: v for n, v in vars(thing).items() if isinstance(v, _PLAIN)}
    values.pop("lr_scheduler", None)  # `None` would replace the scheduler of the new one
    return values


def _flatten(state: Any, key: str, arrays: dict[str, np.ndarray]) -> Any:
    if state is None:
        return None
    if isinstance(state, nd.NDArray):
        arrays[key] = state.asnumpy()
        return key
    return [_flatten(part, f"{key}.{n}", arrays) for n, part in enumerate(state)]


def _rebuild(state: Any, arrays: Mapping[str, np.ndarray], ctx: Any) -> Any:
    if state is None:
        return None
    if isinstance(state, str):
        return nd.array(arrays[state], ctx=ctx, dtype=arrays[state].dtype)
    return tuple(_rebuild(part, arrays, ctx) for part in state)
