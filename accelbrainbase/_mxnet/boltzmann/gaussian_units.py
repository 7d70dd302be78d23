"""Real-valued units."""

from __future__ import annotations

import math
from typing import Any

from accelbrainbase._mxnet.boltzmann.stochastic_units import StochasticUnits


class GaussianUnits(StochasticUnits):
    """Real-valued units around their input: N(x, variance).

    The parametrisation is that of Cho, Ilin & Raiko (2011), equations 4 to 6.
    """

    activation = "identity"
    kind = "Gaussian"

    def mean(self, F: Any, x: Any) -> Any:
        """Return the input."""
        return F.identity(x)

    def sample(self, F: Any, x: Any, mean: Any, variance: Any = None) -> Any:  # noqa: ARG002
        """Draw from N(mean, variance)."""
        return mean + F.broadcast_mul(F.random.normal_like(mean), F.sqrt(variance))

    def log_sum(self, F: Any, x: Any, variance: Any = None) -> Any:
        """Return log ∫ exp(s x / variance − s² / 2 variance) ds."""
        return F.broadcast_add(
            F.broadcast_div(0.5 * F.square(x), variance), 0.5 * F.log(2.0 * math.pi * variance)
        )

    def input_of(self, F: Any, mean: Any) -> Any:
        """Return the mean."""
        return F.identity(mean)
