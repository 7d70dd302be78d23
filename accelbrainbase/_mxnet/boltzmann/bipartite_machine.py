"""Energies and probabilities of two layers of units."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from mxnet import nd

from accelbrainbase._mxnet.boltzmann.stochastic_units import StochasticUnits
from accelbrainbase._mxnet.host_copy import copied

EXACT_UNIT_N = 20
_STATES_AT_ONCE = 2**14


class BipartiteMachine:
    r"""Two layers of units with connections only between them.

    .. math::
        E(v, h) = -a^\top v - b^\top h - h^\top W v, \qquad
        E(v, h) = \sum_i \frac{(v_i - a_i)^2}{2 \sigma_i^2} - b^\top h
            - \sum_{ij} h_j W_{ji} \frac{v_i}{\sigma_i^2} \text{ (Gaussian)}

    A restricted Boltzmann machine is one; so is a deep one, whose odd layers are one layer
    and whose even layers are the other.

    Args:
        weight: W, shape `(hidden, visible)`.
        visible_bias: a, shape `(visible,)`.
        hidden_bias: b, shape `(hidden,)`.
        visible_units: Kind of the visible units.
        hidden_units: Kind of the hidden units.
        variance: Variance of Gaussian visible units, shape `(1, visible)`.
    """

    def __init__(
        self,
        weight: nd.NDArray,
        visible_bias: nd.NDArray,
        hidden_bias: nd.NDArray,
        visible_units: StochasticUnits,
        hidden_units: StochasticUnits,
        variance: nd.NDArray | None = None,
    ) -> None:
        self.weight = weight
        self.visible_bias = visible_bias.reshape((1, -1))
        self.hidden_bias = hidden_bias.reshape((1, -1))
        self.visible_units, self.hidden_units = visible_units, hidden_units
        self.variance = variance

    # -- half steps --------------------------------------------------------------------

    def scaled(self, visible_arr: nd.NDArray) -> nd.NDArray:
        """Divide visible units by their variance, where they have one."""
        if self.variance is None:
            return visible_arr
        return nd.broadcast_div(visible_arr, self.variance)

    def hidden_input(self, visible_arr: nd.NDArray) -> nd.NDArray:
        """Return b + W v, shape `(batch, hidden)`."""
        return nd.FullyConnected(
            self.scaled(visible_arr),
            self.weight,
            self.hidden_bias.reshape(-1),
            num_hidden=self.weight.shape[0],
        )

    def visible_input(self, hidden_arr: nd.NDArray) -> nd.NDArray:
        """Return a + Wᵀ h, shape `(batch, visible)`."""
        return nd.FullyConnected(
            hidden_arr,
            self.weight.T,
            self.visible_bias.reshape(-1),
            num_hidden=self.weight.shape[1],
        )

    def sample_hidden(self, visible_arr: nd.NDArray) -> nd.NDArray:
        """Draw from p(h | v)."""
        x = self.hidden_input(visible_arr)
        return self.hidden_units.sample(nd, x, self.hidden_units.mean(nd, x))

    def sample_visible(self, hidden_arr: nd.NDArray) -> nd.NDArray:
        """Draw from p(v | h)."""
        x = self.visible_input(hidden_arr)
        return self.visible_units.sample(nd, x, self.visible_units.mean(nd, x), self.variance)

    # -- energies ----------------------------------------------------------------------

    def visible_term(self, visible_arr: nd.NDArray) -> nd.NDArray:
        """Return the part of −E that the visible units have alone, shape `(batch,)`."""
        if self.variance is None:
            return nd.dot(visible_arr, self.visible_bias.reshape(-1))
        distance = nd.square(nd.broadcast_sub(visible_arr, self.visible_bias))
        return -0.5 * nd.dot(distance, (1.0 / self.variance).reshape(-1))

    def energy(self, visible_arr: nd.NDArray, hidden_arr: nd.NDArray) -> nd.NDArray:
        """Return E(v, h) in nats, shape `(batch,)`."""
        x = self.hidden_input(visible_arr)
        return -self.visible_term(visible_arr) - (x * hidden_arr).sum(axis=1)

    def free_energy(self, visible_arr: nd.NDArray) -> nd.NDArray:
        """Return −log Σ_h exp(−E(v, h)) in nats, shape `(batch,)`."""
        x = self.hidden_input(visible_arr)
        return -self.visible_term(visible_arr) - self.hidden_units.log_sum(nd, x).sum(axis=1)

    def hidden_free_energy(self, hidden_arr: nd.NDArray) -> nd.NDArray:
        """Return −log Σ_v exp(−E(v, h)) in nats, shape `(batch,)`."""
        x = self.visible_input(hidden_arr)
        summed = self.visible_units.log_sum(nd, x, self.variance).sum(axis=1)
        if self.variance is not None:
            summed = summed - 0.5 * (nd.square(self.visible_bias) / self.variance).sum()
        return -nd.dot(hidden_arr, self.hidden_bias.reshape(-1)) - summed

    # -- the partition function --------------------------------------------------------

    def smaller_side(self) -> int | None:
        """Return the number of units of the side that `exact_log_partition` enumerates.

        `None` if there is no side whose states can be enumerated.
        """
        sides = [
            shape
            for units, shape in zip((self.hidden_units, self.visible_units), self.weight.shape)
            if units.states is not None
        ]
        return min(sides) if sides else None

    def exact_log_partition(self) -> float:
        """Return log Z in nats: enumerate one side, and sum the other one out."""
        hidden_dim, visible_dim = self.weight.shape
        enumerable = [units.states is not None for units in (self.visible_units, self.hidden_units)]
        if enumerable[0] and (visible_dim <= hidden_dim or not enumerable[1]):
            return self._log_sum_over(self.visible_units, visible_dim, self.free_energy)
        return self._log_sum_over(self.hidden_units, hidden_dim, self.hidden_free_energy)

    def _log_sum_over(
        self, units: StochasticUnits, unit_n: int, free_energy: Callable[[nd.NDArray], nd.NDArray]
    ) -> float:
        total = -math.inf
        for begin in range(0, 2**unit_n, _STATES_AT_ONCE):
            numbers = np.arange(begin, min(begin + _STATES_AT_ONCE, 2**unit_n))
            states = states_of(units, unit_n, numbers)
            arr = copied(states, self.weight.context)
            logs = -free_energy(arr).asnumpy().astype(np.float64)
            total = float(np.logaddexp(total, np.logaddexp.reduce(logs)))
        return total

    # -- pseudo-likelihood -------------------------------------------------------------

    def conditional_log_probability(self, visible_arr: nd.NDArray, unit: int) -> nd.NDArray:
        """Return log p(v_i | all other visible units) of one unit, shape `(batch,)`."""
        low, high = self.visible_units.states or (0.0, 0.0)
        state = visible_arr[:, unit]
        change = (low + high) - 2.0 * state  # to the other state
        x = self.hidden_input(visible_arr)
        other = nd.broadcast_add(
            x, nd.dot(change.reshape((-1, 1)), self.weight[:, unit].reshape((1, -1)))
        )
        log_sum = self.hidden_units.log_sum
        gain = (log_sum(nd, other) - log_sum(nd, x)).sum(axis=1)
        gain = gain + change * self.visible_bias[0, unit]
        return -nd.Activation(gain, act_type="softrelu")


def states_of(units: StochasticUnits, unit_n: int, numbers: np.ndarray) -> np.ndarray:
    """Return the states with the given numbers, of all 2ⁿ, shape `(numbers, unit_n)`.

    Args:
        units: Kind of the units; they must have two states.
        unit_n: Number of units.
        numbers: Numbers of states, from 0.
    """
    low, high = units.states or (0.0, 1.0)
    bits = (numbers[:, None] >> np.arange(unit_n)) & 1
    return low + (high - low) * bits.astype(np.float32)
