"""Properties and the accessor pairs (`get_x`, `set_x`) that go with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accelbrainbase.errors import ReadOnlyError


class read_only(property):  # noqa: N801 - used like `property`
    """A property that can be read only; writing raises a `ReadOnlyError`."""

    def __set__(self, instance: Any, value: Any) -> None:
        name = getattr(self.fget, "__name__", "?")
        raise ReadOnlyError(
            f"`{name}` of {type(instance).__name__} is read-only; it is computed, not set."
        )


class Accessors:
    """Gives every public attribute `x` of a class the methods `get_x` and `set_x`.

    Programs written for 1.1.0 use such pairs. Attributes are the properties and the
    plain class-level defaults; the pairs go through `getattr` and `setattr`, so a
    subclass that redefines `x` needs to do nothing.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in list(vars(cls).items()):
            if name.startswith("_") or not _is_attribute(value):
                continue
            for prefix, make in (("get_", _getter), ("set_", _setter)):
                if not hasattr(cls, prefix + name):
                    setattr(cls, prefix + name, make(name))


def _is_attribute(value: Any) -> bool:
    return isinstance(value, property) or not (callable(value) or hasattr(value, "__get__"))


def _getter(name: str) -> Callable[[Any], Any]:
    def get(self: Any) -> Any:
        return getattr(self, name)

    get.__name__, get.__doc__ = f"get_{name}", f"Return `{name}`."
    return get


def _setter(name: str) -> Callable[[Any, Any], None]:
    def set_(self: Any, value: Any) -> None:
        setattr(self, name, value)

    set_.__name__, set_.__doc__ = f"set_{name}", f"Set `{name}`."
    return set_
