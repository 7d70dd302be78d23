"""Importing what only some users have installed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def import_optional(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import `module`, or say which extra installs it.

    Args:
        module: Name of the module.
        extra: Name of the extra of this distribution that brings it.
        purpose: What it is needed for, as the subject of the message.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.split(".")[0]:
            raise
        raise ImportError(
            f"{purpose} needs `{error.name}`, which is not installed: "
            f"pip install 'accel-brain-base[{extra}]'"
        ) from error
