"""Settings that change from epoch to epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any


class Schedule:
    """A setting that changes at the beginning of some epochs.

    Args:
        name: Name of the argument, for messages.
        value: One value for all epochs; or values by the number of epochs that were learned
            before each becomes valid, such as `{0: 0.5, 5: 0.9}`.
        check: Takes the name and one value, and returns it checked.

    Raises:
        TypeError: If `value` has another type.
        ValueError: If there is no value for the first epoch.
    """

    def __init__(self, name: str, value: Any, check: Callable[[str, Any], Any]) -> None:
        if not isinstance(value, Mapping):
            value = {0: value}
        for epoch in value:
            if isinstance(epoch, bool) or not isinstance(epoch, Integral) or epoch < 0:
                raise TypeError(
                    f"`{name}` must have numbers of epochs (0, 1, …) as keys, but got {epoch!r}."
                )
        if 0 not in value:
            raise ValueError(
                f"`{name}` must say what holds from the first epoch on (key 0), but has only "
                f"{sorted(value)}."
            )
        self._values = {epoch: check(name, value[epoch]) for epoch in sorted(value)}

    def at(self, epoch: int) -> Any:
        """Return the value after so many epochs were learned."""
        return self._values[max(first for first in self._values if first <= epoch)]

    def highest(self) -> Any:
        """Return the highest of all values."""
        return max(self._values.values())

    def __repr__(self) -> str:
        if len(self._values) == 1:
            return repr(self._values[0])
        return ", ".join(f"{value!r} from epoch {e + 1}" for e, value in self._values.items())
