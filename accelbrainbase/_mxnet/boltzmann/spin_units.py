"""Units that are −1 or 1."""

from __future__ import annotations

from typing import Any

from accelbrainbase._mxnet.boltzmann.stochastic_units import StochasticUnits


class SpinUnits(StochasticUnits):
    """Units that are −1 or 1, as in the Ising model; their expectation is tanh(x)."""

    activation = "tanh"
    kind = "spin"
    states = (-1.0, 1.0)

    def mean(self, F: Any, x: Any) -> Any:
        """Return tanh(x)."""
        return F.Activation(x, act_type="tanh")

    def sample(self, F: Any, x: Any, mean: Any, variance: Any = None) -> Any:  # noqa: ARG002
        """Draw −1 or 1."""
        return 2.0 * F.broadcast_lesser(2.0 * F.random.uniform_like(mean) - 1.0, mean) - 1.0

    def log_sum(self, F: Any, x: Any, variance: Any = None) -> Any:  # noqa: ARG002
        """Return log(e^x + e^−x)."""
        return F.Activation(2.0 * x, act_type="softrelu") - x

    def input_of(self, F: Any, mean: Any) -> Any:
        """Return artanh(mean)."""
        return 0.5 * F.log((1.0 + mean) / (1.0 - mean))
