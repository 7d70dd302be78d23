"""What steps and evaluations return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


def by_name(losses: Any) -> dict[str, Any]:
    """Return losses as a new mapping by name.

    Args:
        losses: A number or an array, which is called `loss`; a mapping of these by name; or
            `None`, where there are none.
    """
    if losses is None:
        return {}
    return dict(losses) if isinstance(losses, Mapping) else {"loss": losses}


class Weighted(NamedTuple):
    """What a step returns where not all data points count, such as an accuracy with few labels.

    A row records the mean of all values by their weights, and nothing where all weights are 0.

    Attributes:
        values: One number for each data point.
        weights: Their weights, at least 0, of the same shape.
    """

    values: Any
    weights: Any
