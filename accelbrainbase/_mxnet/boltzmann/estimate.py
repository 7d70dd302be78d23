"""A number with its error."""

from __future__ import annotations


class Estimate(float):
    """A number with its standard error: use it as a `float`, and look at `error`.

    Args:
        value: The number.
        error: Its standard error; 0 if it is exact.

    Attributes:
        error: The standard error; 0 if the number is exact.
    """

    error: float

    def __new__(cls, value: float, error: float = 0.0) -> Estimate:
        """Make the number."""
        estimate = super().__new__(cls, value)
        estimate.error = float(error)
        return estimate

    def __repr__(self) -> str:
        return f"{float(self):.6g}" + (f" ± {self.error:.2g}" if self.error else "")
