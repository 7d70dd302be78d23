"""Copying and pickling Gluon models: what Gluon keeps that cannot be copied is made anew.

`copy.deepcopy` and `pickle` walk through a model by themselves; registered here is how they take
what holds pointers into MXNet, or would come out wrong:

- a compiled graph becomes none, and is compiled at the next call;
- a parameter loses its trainer, and its gradient is attached again;
- a trainer is built for the copied parameters, with the state of its optimiser;
- a name scope forgets which one it was opened in, which would bring along its owner.

A copy has the parameter names of its original, so Gluon refuses both within one network.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping, Sequence
from typing import Any

import mxnet as mx
from mxnet import gluon
from mxnet._ctypes.ndarray import CachedOp
from mxnet.gluon.block import _BlockScope

from accelbrainbase._mxnet.devices_trainer import DevicesTrainer
from accelbrainbase._mxnet.trainer_state import capture_trainer, resume_trainer


def _nothing() -> None:
    """Stand for a compiled graph."""


def _of_graph(graph: CachedOp) -> tuple[Any, ...]:  # noqa: ARG001
    return _nothing, ()


def _of_scope(scope: _BlockScope) -> tuple[Any, ...]:
    plain = {**vars(scope), "_old_scope": None, "_name_scope": None}
    return copyreg.__newobj__, (_BlockScope,), plain  # type: ignore[attr-defined]


def _of_parameter(parameter: gluon.Parameter) -> tuple[Any, ...]:
    return _parameter, (type(parameter), {**vars(parameter), "_trainer": None})


def _parameter(cls: type[gluon.Parameter], values: Mapping[str, Any]) -> gluon.Parameter:
    parameter: Any = object.__new__(cls)
    vars(parameter).update(values)
    if parameter._data is not None and parameter._grad_req != "null":
        parameter._init_grad()
    return parameter


def _of_trainer(trainer: gluon.Trainer) -> tuple[Any, ...]:
    arrays, values = capture_trainer(trainer)
    state = (trainer._scale, arrays, values)
    optimizer, settings = trainer.optimizer, trainer._kvstore_params
    return _trainer, (type(trainer), list(trainer._params), optimizer, settings, state)


def _trainer(
    cls: type[gluon.Trainer],
    parameters: Sequence[gluon.Parameter],
    optimizer: mx.optimizer.Optimizer,
    settings: Mapping[str, Any],
    state: tuple[float, Mapping[str, Any], Mapping[str, Any]],
) -> gluon.Trainer:
    if cls is DevicesTrainer:
        trainer = DevicesTrainer(parameters, optimizer)
    else:
        trainer = cls(parameters, optimizer, **settings)
    trainer._scale, arrays, values = state
    resume_trainer(trainer, arrays, values)
    return trainer


copyreg.pickle(CachedOp, _of_graph)
copyreg.pickle(_BlockScope, _of_scope)
for _class in (gluon.Parameter, gluon.Constant):
    copyreg.pickle(_class, _of_parameter)
for _class in (gluon.Trainer, DevicesTrainer):
    copyreg.pickle(_class, _of_trainer)
