"""One step of Gibbs sampling, as one static graph."""

from __future__ import annotations

from typing import Any

from mxnet import nd
from mxnet.gluon import HybridBlock

from accelbrainbase._mxnet.boltzmann.bipartite_machine import BipartiteMachine

_WAIT_EVERY = 50


def gibbs_chain(
    machine: BipartiteMachine, visible_arr: nd.NDArray, steps: int
) -> tuple[nd.NDArray, nd.NDArray]:
    """Run Gibbs sampling: hidden units given the visible ones, and back, `steps` times.

    Args:
        machine: The machine.
        visible_arr: Where the chains start, shape `(chains, visible)`.
        steps: Number of steps, at least 1.

    Returns:
        The last visible states, and their expectations given the last hidden states.
    """
    step = _GibbsStep(machine)
    step.hybridize(static_alloc=True, static_shape=True)
    arrays = [machine.weight, machine.weight.T, machine.visible_bias, machine.hidden_bias]
    arrays += [] if machine.variance is None else [machine.variance]
    mean_arr = visible_arr
    for number in range(steps):
        visible_arr, mean_arr = step(visible_arr, *arrays)
        if number % _WAIT_EVERY == 0:
            visible_arr.wait_to_read()
    return visible_arr.copy(), mean_arr.copy()


class _GibbsStep(HybridBlock):
    """Up and down."""

    def __init__(self, machine: BipartiteMachine) -> None:
        super().__init__()
        self._visible_units, self._hidden_units = machine.visible_units, machine.hidden_units
        self._hidden_dim, self._visible_dim = machine.weight.shape

    def hybrid_forward(
        self,
        F: Any,
        visible_arr: Any,
        weight: Any,
        transposed: Any,
        visible_bias: Any,
        hidden_bias: Any,
        variance: Any = None,
    ) -> Any:
        scaled = visible_arr if variance is None else F.broadcast_div(visible_arr, variance)
        x = F.FullyConnected(
            scaled, weight, F.reshape(hidden_bias, (-1,)), num_hidden=self._hidden_dim
        )
        hidden_arr = self._hidden_units.sample(F, x, self._hidden_units.mean(F, x))
        y = F.FullyConnected(
            hidden_arr, transposed, F.reshape(visible_bias, (-1,)), num_hidden=self._visible_dim
        )
        mean = self._visible_units.mean(F, y)
        return self._visible_units.sample(F, y, mean, variance), mean
