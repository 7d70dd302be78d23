"""Noisy rectified linear units."""

from __future__ import annotations

import math
from typing import Any

from accelbrainbase._mxnet.boltzmann.stochastic_units import StochasticUnits

_TAIL = 18  # copies that still matter beyond the last active one: e^-18 < 2e-8


class RectifiedUnits(StochasticUnits):
    """Noisy rectified linear units (Nair & Hinton 2010).

    Such a unit stands for infinitely many binary copies with the same weights, whose biases
    are shifted by −0.5, −1.5, −2.5, … Their number that is on is drawn approximately, as
    max(0, x + N(0, sigmoid(x))).
    """

    activation = "relu"
    kind = "rectified"

    def mean(self, F: Any, x: Any) -> Any:
        """Return max(0, x), the unit without noise (section 2)."""
        return F.Activation(x, act_type="relu")

    def sample(self, F: Any, x: Any, mean: Any, variance: Any = None) -> Any:  # noqa: ARG002
        """Draw max(0, x + N(0, sigmoid(x)))."""
        deviation = F.sqrt(F.Activation(x, act_type="sigmoid"))
        return F.Activation(x + F.random.normal_like(x) * deviation, act_type="relu")

    def log_sum(self, F: Any, x: Any, variance: Any = None) -> Any:  # noqa: ARG002
        """Return Σ log(1 + e^(x − i + 0.5)) over the copies i = 1, 2, … of each unit.

        Not for symbols: the number of copies that matter depends on the values.
        """
        copy_n = max(0, math.ceil(float(x.max().asscalar()))) + _TAIL
        total = F.zeros_like(x)
        for i in range(1, copy_n + 1):
            total = total + F.Activation(x - (i - 0.5), act_type="softrelu")
        return total
