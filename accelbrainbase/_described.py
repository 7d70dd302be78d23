"""What objects tell of themselves."""

from __future__ import annotations

import inspect
import os
import reprlib
from typing import Any

_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = 4
_SHORT.maxstring = _SHORT.maxother = 60
_SIMPLE = (bool, int, float, complex, str, type(None))


class Described:
    """Tells its class and those of its arguments that are not the defaults.

    Arguments are found where the object keeps them under their names, with or without a leading
    underscore. Of an array the shape is told. `_also_told` names attributes that are no arguments.
    """

    _also_told: tuple[str, ...] = ()

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        told, defaults = [], _arguments(type(self))
        for name in (*defaults, *self._also_told):
            kept = [key for key in (name, f"_{name}") if key in vars(self)]
            if not kept:
                continue
            value, default = vars(self)[kept[0]], defaults.get(name, inspect.Parameter.empty)
            plain = isinstance(value, (*_SIMPLE, tuple, list))
            if value is default or (plain and type(value) is type(default) and value == default):
                continue
            told.append(f"{name}={_shown(value)}")
        return f"{type(self).__name__}({', '.join(told)})"


def _arguments(cls: type) -> dict[str, Any]:
    """Return the defaults of all arguments, also of those that are passed on to a base."""
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]  # type: ignore[misc]
        for parameter in parameters:
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                found.setdefault(parameter.name, parameter.default)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"<{type(value).__name__} {'×'.join(map(str, shape))}>"
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, _SIMPLE):
        return _SHORT.repr(value)
    if inspect.isroutine(value) or inspect.isclass(value):
        return getattr(value, "__qualname__", repr(value))
    text = _SHORT.repr(value) if isinstance(value, (list, tuple, dict, set)) else repr(value)
    if "\n" in text or " object at 0x" in text:
        return f"<{type(value).__name__}>"
    return text
