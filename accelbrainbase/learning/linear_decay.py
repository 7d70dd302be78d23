"""A number that falls with the steps."""

from __future__ import annotations

from accelbrainbase._checks import check_integer, check_number
from accelbrainbase._described import Described


class LinearDecay(Described):
    """A number that goes in a straight line from `first` to `last`, and stays there.

    Args:
        first: The number at step 0.
        last: The number from `step_n` on.
        step_n: Number of steps.

    Example:
        >>> LinearDecay(1.0, 0.1, 100)(50)
        0.55
    """

    def __init__(self, first: float = 1.0, last: float = 0.1, step_n: int = 10_000) -> None:
        self.first = check_number("first", first)
        self.last = check_number("last", last)
        self.step_n = check_integer("step_n", step_n, low=1)

    def __call__(self, step: int) -> float:
        """Return the number at a step."""
        return self.first + (self.last - self.first) * min(1.0, step / self.step_n)
