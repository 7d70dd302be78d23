"""Estimating the partition function by annealed importance sampling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from mxnet import nd
from mxnet.gluon import HybridBlock

from accelbrainbase._mxnet.boltzmann.bipartite_machine import BipartiteMachine
from accelbrainbase._mxnet.boltzmann.estimate import Estimate

# Salakhutdinov & Murray (2008), section 5: of 14 500 temperatures, 500 in [0, 0.5),
# 4 000 in [0.5, 0.9), 10 000 in [0.9, 1].
_SHARES = ((0.0, 0.5, 500 / 14_500), (0.5, 0.9, 4_000 / 14_500), (0.9, 1.0, 10_000 / 14_500))
_WAIT_EVERY = 50


def inverse_temperatures(temperature_n: int) -> np.ndarray:
    """Return β from 0 to 1, close together near 1, shape `(temperature_n + 1,)`."""
    parts = [
        np.linspace(low, high, max(1, round(share * temperature_n)), endpoint=False)
        for low, high, share in _SHARES
    ]
    return np.append(np.concatenate(parts), 1.0)


def annealed_log_partition(
    machine: BipartiteMachine,
    base_bias: nd.NDArray,
    *,
    chain_n: int,
    betas: Sequence[float] | np.ndarray,
) -> Estimate:
    r"""Estimate log Z by annealed importance sampling.

    The chains go from a machine without connections, with visible biases `base_bias`, whose Z
    is known, to `machine`, through

    .. math:: p_\beta(v) \propto e^{(1 - \beta) a_0^\top v + \beta a^\top v}
        \prod_j \sum_{h_j} e^{\beta h_j (b_j + W_j v)}

    Args:
        machine: The machine.
        base_bias: Visible biases of the base-rate model, shape `(visible,)`.
        chain_n: Number of chains.
        betas: Inverse temperatures, from 0 to 1.

    Returns:
        The estimate of log Z in nats, and its standard error.

    References:
        - Neal, R. M. (2001). Annealed importance sampling. Statistics and Computing, 11(2).
        - Salakhutdinov, R., & Murray, I. (2008). On the quantitative analysis of deep belief
          networks. ICML. Section 4.1, equations 14 to 18.
    """
    ctx = machine.weight.context
    step = _Annealing(machine)
    step.hybridize(static_alloc=True, static_shape=True)
    visible_units, variance = machine.visible_units, machine.variance
    base = base_bias.reshape((1, -1))
    start = nd.broadcast_to(base, shape=(chain_n, base.shape[1]))
    visible_arr = visible_units.sample(nd, start, visible_units.mean(nd, start), variance)
    arrays = [machine.weight, machine.weight.T, machine.visible_bias, machine.hidden_bias, base]
    arrays += [] if variance is None else [variance]
    log_weights = nd.zeros((chain_n,), ctx=ctx, dtype=np.float64)
    pairs = nd.array(np.stack([betas[:-1], betas[1:]], axis=1), ctx=ctx, dtype=np.float32)
    for number in range(len(betas) - 1):
        # The sums of differences are small, and gathered in double precision.
        delta, visible_arr = step(visible_arr, pairs[number], *arrays)
        log_weights = log_weights + delta.astype(np.float64)
        if number % _WAIT_EVERY == 0:
            log_weights.wait_to_read()
    logs = log_weights.asnumpy()
    highest = logs.max()
    weights = np.exp(logs - highest)
    log_ratio = highest + math.log(weights.mean())
    error = weights.std(ddof=1) / math.sqrt(chain_n) / weights.mean() if chain_n > 1 else math.inf
    return Estimate(log_ratio + _base_log_partition(machine, base), error)


def _base_log_partition(machine: BipartiteMachine, base: nd.NDArray) -> float:
    states = machine.hidden_units.states or ()
    log_z = machine.weight.shape[0] * math.log(len(states))
    log_sum = machine.visible_units.log_sum(nd, base, machine.variance)
    log_z += float(log_sum.astype(np.float64).sum().asscalar())
    if machine.variance is not None:  # the constant of (v - a)² that the chains leave out
        shift = nd.square(machine.visible_bias) / machine.variance
        log_z -= 0.5 * float(shift.astype(np.float64).sum().asscalar())
    return log_z


class _Annealing(HybridBlock):
    """One temperature: the weight of the old state, and a new one."""

    def __init__(self, machine: BipartiteMachine) -> None:
        super().__init__()
        self._visible_units, self._hidden_units = machine.visible_units, machine.hidden_units
        self._hidden_dim, self._visible_dim = machine.weight.shape

    def hybrid_forward(
        self,
        F: Any,
        visible_arr: Any,
        betas: Any,
        weight: Any,
        transposed: Any,
        visible_bias: Any,
        hidden_bias: Any,
        base: Any,
        variance: Any = None,
    ) -> Any:
        scaled = visible_arr if variance is None else F.broadcast_div(visible_arr, variance)
        x = F.FullyConnected(
            scaled, weight, F.reshape(hidden_bias, (-1,)), num_hidden=self._hidden_dim
        )
        before = F.reshape(F.slice_axis(betas, axis=0, begin=0, end=1), (1, 1))
        after = F.reshape(F.slice_axis(betas, axis=0, begin=1, end=2), (1, 1))
        warm = F.broadcast_mul(x, after)
        log_sum = self._hidden_units.log_sum
        gain = log_sum(F, warm) - log_sum(F, F.broadcast_mul(x, before))
        shift = F.sum(F.broadcast_mul(scaled, visible_bias - base), axis=1)
        delta = F.sum(gain, axis=1) + F.broadcast_mul(shift, F.reshape(after - before, (1,)))
        hidden_arr = self._hidden_units.sample(F, warm, self._hidden_units.mean(F, warm))
        y = F.FullyConnected(
            hidden_arr, transposed, F.reshape(visible_bias, (-1,)), num_hidden=self._visible_dim
        )
        y = F.broadcast_add(
            F.broadcast_mul(y, after),
            F.broadcast_mul(base, F.broadcast_sub(F.ones_like(after), after)),
        )
        mean = self._visible_units.mean(F, y)
        return delta, self._visible_units.sample(F, y, mean, variance)
