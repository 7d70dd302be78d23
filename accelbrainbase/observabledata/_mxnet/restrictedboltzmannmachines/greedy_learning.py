"""Greedy layer-wise learning of restricted Boltzmann machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mxnet import nd

from accelbrainbase._checks import check_is_a
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.iteratabledata._mxnet.encoded_iterator import EncodedIterator
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.checkpoint import Checkpoint
from accelbrainbase.observabledata._mxnet.greedy_pre_training import callbacks_of_parts
from accelbrainbase.observabledata._mxnet.restricted_boltzmann_machines import (
    RestrictedBoltzmannMachines,
)


def learn_greedily(
    machines: Sequence[RestrictedBoltzmannMachines],
    iteratable_data: IteratableData,
    *,
    factors: Sequence[tuple[float, float]] | None = None,
    callbacks: Iterable[Callback] | None = None,
) -> bool:
    """Let the first machine learn the data, the next one the features of the first, and so on.

    Args:
        machines: The machines, the one of the data first.
        iteratable_data: Generates the data points.
        factors: For each machine the factors on what its hidden units get from the visible
            ones, and the other way round, while it learns and makes features; 1 if omitted.
        callbacks: Take part in each of the learnings.

    Returns:
        Whether all have learned; an interrupt ends the learning of all.
    """
    check_is_a("iteratable_data", iteratable_data, IteratableData)
    callback_list = callbacks_of_parts(callbacks, len(machines))
    encode: Callable[[Any], nd.NDArray] | None = None
    try:
        for number, machine in enumerate(machines):
            if factors is not None:
                machine._set_factors(factors[number])
            data = iteratable_data if encode is None else EncodedIterator(iteratable_data, encode)
            machine.learn(data, callbacks=callback_list)
            if machine.history.interrupted:
                return False
            encode = partial(_encoded, machine, encode)
    finally:
        for machine in machines:
            machine._set_factors((1.0, 1.0))
    return True


def goes_on(callbacks: Iterable[Callback]) -> bool:
    """Tell whether a learning with these callbacks goes on from a checkpoint.

    Args:
        callbacks: The callbacks.
    """
    return any(
        isinstance(callback, Checkpoint) and callback.resume and Path(callback.path).exists()
        for callback in callbacks
    )


def encoded(arr: nd.NDArray, machines: Sequence[RestrictedBoltzmannMachines]) -> nd.NDArray:
    """Return the features of the last of some machines, one upon the other.

    Args:
        arr: Data points, shape `(batch, *features)`.
        machines: The machines, the one of the data first.
    """
    for machine in machines:
        arr = machine.encode(arr)
    return arr


def _encoded(
    machine: RestrictedBoltzmannMachines, encode: Callable[[Any], nd.NDArray] | None, arr: Any
) -> Any:
    if arr is None:
        return None
    return machine.encode(arr if encode is None else encode(arr))
