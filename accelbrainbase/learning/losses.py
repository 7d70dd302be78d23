"""What steps and evaluations return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def by_name(losses: Any) -> dict[str, Any]:
    """Return losses as a new mapping by name.

    Args:
        losses: A number or an array, which is called `loss`; a mapping of these by name; or
            `None`, where there are none.
    """
    if losses is None:
        return {}
    return dict(losses) if isinstance(losses, Mapping) else {"loss": losses}
