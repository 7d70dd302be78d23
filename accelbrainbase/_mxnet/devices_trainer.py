"""A trainer of parameters on one device or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mxnet as mx
from mxnet import gluon, nd


class DevicesTrainer(gluon.Trainer):
    """A Gluon trainer whose optimiser has one state, wherever the parameters are.

    The gradients of all devices are summed on the first one, which takes the step; the others
    get its parameters. So every optimiser does on several devices what it does on one, those
    with random numbers or a state of their own too, and the copies never drift apart. On one
    device it is Gluon's trainer.

    Args:
        params: The parameters, a list.
        optimizer: The optimiser.
    """

    def __init__(
        self, params: Sequence[gluon.Parameter], optimizer: mx.optimizer.Optimizer
    ) -> None:
        super().__init__(params, optimizer, kvstore=None)
        del self._updaters[1:]

    def _learned(self) -> list[gluon.Parameter]:
        return [parameter for parameter in self._params if parameter.grad_req != "null"]

    def _allreduce_grads(self) -> None:
        if len(self._contexts) == 1:
            return
        for parameter in self._learned():
            first, *others = parameter.list_grad()
            moved = [arr.as_in_context(first.context) for arr in others]
            nd.add_n(first, *moved, out=first)

    def _update(self, ignore_stale_grad: bool = False) -> None:
        super()._update(ignore_stale_grad)
        if len(self._contexts) == 1:
            return
        for parameter in self._learned():
            first, *others = parameter.list_data()
            for arr in others:
                first.copyto(arr)
                arr._fresh_grad = False


def move_counts(trainer: gluon.Trainer) -> None:
    """Let the first device go on with the optimiser's counts of steps.

    MXNet keeps them by the number of the device, so that Adam would start again on another.

    Args:
        trainer: The trainer, whose parameters may have been moved.
    """
    optimizer = trainer.optimizer
    held = [counts for counts in optimizer._all_index_update_counts.values() if counts]
    counts: dict[int, int] = held[0] if held else {}
    optimizer._all_index_update_counts = {trainer._contexts[0].device_id: counts}
    optimizer._index_update_count = counts


def leave_out(trainer: gluon.Trainer, device_n: int) -> None:
    """Let the devices after the first `device_n` have no part in the next step.

    Their gradients are set to 0, since they would still be those of a step before.

    Args:
        trainer: The trainer.
        device_n: How many of its devices have computed gradients.
    """
    for parameter in trainer._params:
        if parameter.grad_req == "null":
            continue
        idle: list[Any] = list(zip(parameter.list_data(), parameter.list_grad()))[device_n:]
        for arr, gradient_arr in idle:
            gradient_arr[:] = 0.0
            arr._fresh_grad = True  # else Gluon would refuse the step
