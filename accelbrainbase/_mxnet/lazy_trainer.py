"""Trainers that are built when they are first used, and what they are built by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from mxnet import gluon

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.devices_trainer import DevicesTrainer


class LazyTrainer(property):
    """An attribute that is a Gluon trainer, built when it is first read.

    It can be set before: to a trainer, or to `None`, which builds a new one at the next use.
    The learning loop attenuates the rates of all trainers that are built.

    Args:
        part: Name of the attribute whose parameters it updates; if omitted, those of the
            whole learner.

    Example:
        >>> class Game(LearnableController):
        ...     generator_trainer = LazyTrainer("generator")
        ...     discriminator_trainer = LazyTrainer("discriminator")
    """

    def __init__(self, part: str | None = None) -> None:
        what = "the whole learner" if part is None else f"`{part}`"
        super().__init__()
        self.__doc__ = f"The trainer of {what}; built when it is first used."
        self.part = part
        self.name = "trainer"

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        trainer = instance.__dict__.get(self.name)
        if trainer is None:
            block = instance if self.part is None else getattr(instance, self.part)
            trainer = instance.build_trainer(block.collect_params())
            instance.__dict__[self.name] = trainer
        return trainer

    def __set__(self, instance: Any, value: gluon.Trainer | None) -> None:
        check_is_a(self.name, value, gluon.Trainer, optional=True)
        if value is not None:
            check_serves(self.name, value, getattr(instance, "ctx_list", ()))
        instance.__dict__[self.name] = value


class OptimizerSetting(property):
    """An attribute that trainers are built by. Setting it lets them be built anew when used next.

    Args:
        check: Returns the value as it is kept, or raises.
        doc: What it is.
    """

    def __init__(self, check: Callable[[Any], Any], doc: str) -> None:
        super().__init__()
        self.__doc__ = doc
        self.check = check
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self.name not in instance.__dict__:
            raise AttributeError(f"`{self.name}` of {type(instance).__name__} is not set yet")
        return instance.__dict__[self.name]

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.name] = self.check(value)
        instance.__dict__.update(dict.fromkeys(built_trainers(instance)))


def built_trainers(instance: Any) -> dict[str, gluon.Trainer]:
    """Return the trainers of `instance` that are built, by the names of their attributes."""
    cls: type = type(instance)
    trainers = {name: instance.__dict__.get(name) for name in _trainer_names(cls)}
    return {name: trainer for name, trainer in trainers.items() if trainer is not None}


def check_serves(name: str, trainer: gluon.Trainer, contexts: Sequence[Any]) -> None:
    """Raise a `ValueError` if there are several devices, and the trainer is Gluon's own.

    Args:
        name: How the learner calls the trainer, for the message.
        trainer: The trainer.
        contexts: The devices.
    """
    if len(contexts) > 1 and not isinstance(trainer, DevicesTrainer):
        raise ValueError(
            f"`{name}` must come from `build_trainer(parameters)` where several devices "
            f"share a mini-batch ({list(contexts)}), but got a `{type(trainer).__name__}`, which "
            f"has a state of the optimiser for each. Set `optimizer_name` and `optimizer_params`, "
            f"and call `build_trainer`."
        )


@cache
def _trainer_names(cls: type) -> tuple[str, ...]:
    names = [
        name
        for owner in cls.__mro__
        for name, value in vars(owner).items()
        if isinstance(value, LazyTrainer)
    ]
    return tuple(dict.fromkeys(names))
