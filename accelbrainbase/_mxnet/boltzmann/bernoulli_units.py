"""Binary units."""

from __future__ import annotations

from typing import Any

from accelbrainbase._mxnet.boltzmann.stochastic_units import StochasticUnits


class BernoulliUnits(StochasticUnits):
    """Units that are 0 or 1 (Ackley, Hinton & Sejnowski 1985, equation 3 with T = 1)."""

    activation = "sigmoid"
    kind = "Bernoulli"
    states = (0.0, 1.0)

    def mean(self, F: Any, x: Any) -> Any:
        """Return p(s = 1 | x)."""
        return F.Activation(x, act_type="sigmoid")

    def sample(self, F: Any, x: Any, mean: Any, variance: Any = None) -> Any:  # noqa: ARG002
        """Draw 0 or 1."""
        return F.broadcast_lesser(F.random.uniform_like(mean), mean)

    def log_sum(self, F: Any, x: Any, variance: Any = None) -> Any:  # noqa: ARG002
        """Return log(1 + e^x)."""
        return F.Activation(x, act_type="softrelu")

    def input_of(self, F: Any, mean: Any) -> Any:
        """Return log p / (1 − p)."""
        return F.log(mean / (1.0 - mean))
