"""Former names: they work, and say once what to write instead."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def moved(module: str, homes: Mapping[str, str], *, until: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module whose names have moved elsewhere.

    The first use of a former name makes a `FutureWarning`; later ones are silent.

    Args:
        module: Name of the module, `__name__`.
        homes: For each former name, the module where it is now.
        until: The version that drops the former names.

    Example:
        >>> __getattr__ = moved(__name__, {"Sampler": "accelbrainbase.samplers"}, until="3")
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warnings.warn(
            f"`{module}.{name}` has moved: import {name} from `accelbrainbase`, or from "
            f"`{homes[name]}`. Version {until} drops the former place.",
            FutureWarning,
            stacklevel=2,
        )
        value = getattr(import_module(homes[name]), name)
        vars(sys.modules[module])[name] = value  # later uses do not come here
        return value

    return find
