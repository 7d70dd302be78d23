"""Where a learner and its parts are: on one device, or on several that share mini-batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import mxnet as mx
from mxnet import autograd, gluon, nd

from accelbrainbase._accessors import read_only
from accelbrainbase._mxnet.device import as_ndarray
from accelbrainbase._mxnet.devices_trainer import move_counts
from accelbrainbase._mxnet.features import FeatureBlock
from accelbrainbase._mxnet.lazy_trainer import built_trainers, check_serves
from accelbrainbase._mxnet.settled import settle


class OnDevices(FeatureBlock):
    """The devices of a `GluonLearner`, of which this is a part.

    Every device has a copy of the parameters, and they are equal: the trainer sees to it. All
    that reads a parameter reads the copy of the first device, `ctx`.
    """

    ctx: mx.Context
    _other_ctx: tuple[mx.Context, ...] = ()
    _learns_on_several: bool = False

    @read_only
    def ctx_list(self) -> list[mx.Context]:
        """The devices that share each mini-batch in learning; the first one is `ctx`."""
        return [self.ctx, *self._other_ctx]

    def on_device(self, name: str, arr: Any) -> Any:
        """Return `arr` as an NDArray on the device of this learner; `None` stays `None`.

        Args:
            name: Name of the argument, for the message.
            arr: NDArray, NumPy array, or numbers.
        """
        return None if arr is None else as_ndarray(name, arr, self.ctx)

    def settle(self) -> None:
        """Wait for all pending work, and let running statistics be the same on all devices.

        Call it before parameters are read, copied or set as a whole: see `settled.py`.
        """
        settle()
        if self._other_ctx:
            _join_statistics(self.collect_params().values())

    def _place(self, contexts: Sequence[mx.Context]) -> None:
        """Work on these devices."""
        self._check_number_of(contexts)
        self.ctx = contexts[0]
        self._other_ctx = tuple(contexts[1:])

    def _check_number_of(self, contexts: Sequence[mx.Context]) -> None:
        if len(contexts) > 1 and not self._learns_on_several:
            raise ValueError(
                f"`ctx` must be one device for {type(self).__name__}, but is {list(contexts)}. "
                f"Several devices share a mini-batch only where a step is one gradient step on the "
                f"losses of its samples. Pass `ctx={contexts[0]}`, for its parts too."
            )

    def _take_parts_along(self) -> None:
        """Let the parts work on the devices of the whole, where either works on several."""
        parts: list[OnDevices] = []
        self.apply(lambda block: parts.append(block) if isinstance(block, OnDevices) else None)
        several = [part.ctx_list for part in parts if part._other_ctx]
        if several:
            self._check_number_of(several[0])
            self._move_to(self.ctx_list)

    def _move_to(self, contexts: Sequence[mx.Context]) -> None:
        """Move the parameters, those of the parts too, and what the trainers remember."""
        self.apply(partial(_check_part, contexts=contexts))
        for parameter in self.collect_params().values():
            if is_initialized(parameter) and parameter.list_ctx() != list(contexts):
                _move(parameter, contexts)
        self.apply(partial(_follow, contexts=contexts))


def is_initialized(parameter: gluon.Parameter) -> bool:
    """Tell whether a parameter has values, or will get them in the first forward pass."""
    return parameter._data is not None or bool(parameter._deferred_init)


def first_of(parameter: gluon.Parameter) -> nd.NDArray:
    """Return the values of a parameter on its first device: the array itself, no copy.

    `parameter.data()` is that only where there is one device.
    """
    return parameter.list_data()[0]


def _move(parameter: gluon.Parameter, contexts: Sequence[mx.Context]) -> None:
    if parameter._data is None or len(parameter._data) == 1:
        parameter.reset_ctx(list(contexts))
        return
    with autograd.pause():  # Gluon's own would take the mean, and round
        parameter._init_impl(first_of(parameter), list(contexts))


def _check_part(block: gluon.Block, contexts: Sequence[mx.Context]) -> None:
    if isinstance(block, OnDevices):
        block._check_number_of(contexts)
        for name, trainer in built_trainers(block).items():
            check_serves(name, trainer, contexts)


def _follow(block: gluon.Block, contexts: Sequence[mx.Context]) -> None:
    """Let a learner, whose parameters were moved, work on these devices."""
    if isinstance(block, OnDevices):
        block._place(contexts)
        for trainer in built_trainers(block).values():
            trainer._contexts = trainer._check_contexts()
            move_counts(trainer)
            for updater in trainer._updaters:
                updater.states_synced = dict.fromkeys(updater.states, False)


def _join_statistics(parameters: Iterable[gluon.Parameter]) -> None:
    """Set what forward passes write, such as running means, to the mean over the devices.

    A running mean is linear in what it has seen, so it does not matter how often this is done.
    """
    for parameter in parameters:
        if parameter._data is None or parameter._differentiable or len(parameter._data) == 1:
            continue
        ctx, n = first_of(parameter).context, len(parameter._data)
        copies = [arr.as_in_context(ctx) for arr in parameter.list_data()]
        parameter.set_data(nd.add_n(*copies) / n)
