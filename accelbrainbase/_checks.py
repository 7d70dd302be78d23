"""Checks at the door: one helper for each that recurs.

Each message names the argument, what was expected, what came, and what to do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any


def check_is_a(
    name: str, value: Any, expected: type | tuple[type, ...], *, optional: bool = False
) -> None:
    """Raise a `TypeError` unless `value` is an instance of `expected`."""
    if isinstance(value, expected) or (optional and value is None):
        return
    types = expected if isinstance(expected, tuple) else (expected,)
    wanted = " or ".join(f"`{kind.__name__}`" for kind in types)
    hint = " Pass an instance, not the class." if isinstance(value, type) else ""
    raise TypeError(
        f"`{name}` must be a {wanted}{' or None' if optional else ''}, "
        f"but got {short(value)} of type `{type(value).__name__}`.{hint}"
    )


def check_number(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    low_open: bool = False,
    high_open: bool = False,
) -> float:
    """Return `value` as a `float`; raise unless it is a finite number between the limits."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"`{name}` must be a number, but got {short(value)} of type `{type(value).__name__}`."
        )
    number = float(value)
    above = number > low if low_open else number >= low
    below = number < high if high_open else number <= high
    if not (above and below and math.isfinite(number)):
        left = "(" if low_open or low == -math.inf else "["
        right = ")" if high_open or high == math.inf else "]"
        raise ValueError(
            f"`{name}` must be a finite number in {left}{low:g}, {high:g}{right}, "
            f"but got {number:g}."
        )
    return number


def check_integer(name: str, value: Any, *, low: int | None = None) -> int:
    """Return `value` as an `int`; raise unless it is a whole number of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(
            f"`{name}` must be an integer, but got {short(value)} of type `{type(value).__name__}`."
        )
    number = int(value)
    if low is not None and number < low:
        raise ValueError(f"`{name}` must be at least {low}, but got {number}.")
    return number


def check_choice(name: str, value: Any, choices: Iterable[Any]) -> None:
    """Raise a `ValueError` unless `value` is one of `choices`; name the closest one."""
    options = list(choices)
    if value in options:
        return
    listed = ", ".join(repr(option) for option in options)
    raise ValueError(
        f"`{name}` must be one of {listed}, but got {value!r}.{_closest(value, options)}"
    )


def check_list_of(name: str, values: Iterable[Any], expected: type, noun: str) -> list[Any]:
    """Return `values` as a new list; raise unless it has entries, all of one type.

    Args:
        name: Name of the argument.
        values: The entries.
        expected: Their type.
        noun: What an entry is, for the message.
    """
    check_is_a(name, values, Iterable)
    entries = list(values)
    if not entries:
        raise ValueError(f"`{name}` must have at least one {noun}, but is empty.")
    for entry in entries:
        check_is_a(name, entry, expected)
    return entries


def check_each_per_layer(name: str, values: Any, layer_n: int) -> list[Any]:
    """Return `values` as a new list; raise unless it has one entry for each layer."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise TypeError(
            f"`{name}` must be a list with one entry for each layer, but got {short(values)} "
            f"of type `{type(values).__name__}`."
        )
    if len(values) != layer_n:
        raise ValueError(
            f"`{name}` must have one entry for each of the {layer_n} layers, "
            f"but has {len(values)}: {short(list(values))}."
        )
    return list(values)


def unknown_keyword_error(owner: str, name: str, known: Iterable[str]) -> TypeError:
    """Return the error for a keyword that `owner` does not take."""
    return TypeError(f"{owner} takes no keyword `{name}`.{_closest(name, list(known))}")


def short(value: Any, limit: int = 60) -> str:
    """Return `repr(value)`, cut where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _closest(value: Any, options: Sequence[Any]) -> str:
    if not isinstance(value, str):
        return ""
    names = [option for option in options if isinstance(option, str)]
    match = get_close_matches(value, names, n=1, cutoff=0.6)
    return f" Did you mean `{match[0]}`?" if match else ""
