"""The error of parameters that are not initialised yet."""

from __future__ import annotations

from typing import Any


class InitDeferredError(Exception):
    """Parameters cannot be initialised yet, and the caller is to do it later.

    Subclasses of other packages build layers after ``super().__init__()``, initialise them
    themselves, and catch this error around it.

    Args:
        value: What cannot be initialised.
    """

    def __init__(self, value: Any = "") -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return repr(self.value)
