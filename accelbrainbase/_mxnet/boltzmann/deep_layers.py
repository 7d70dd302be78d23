"""The layers of a deep Boltzmann machine: mean field, Gibbs sampling, statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet import nd
from mxnet.gluon import HybridBlock

from accelbrainbase._mxnet.boltzmann.bipartite_machine import BipartiteMachine
from accelbrainbase._mxnet.boltzmann.stochastic_units import StochasticUnits


class DeepLayers:
    """Layers 0 (visible) to L, each connected to its neighbours.

    Given the even layers, the units of the odd ones are independent, and the other way round.

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        weights: Weights of layer l = 1 … L, shape `(units of l, units of l - 1)`.
        biases: Biases of layer l = 0 … L, shape `(units,)`.
        units: Kind of all units.
        dims: Number of units of each layer.
    """

    def __init__(
        self,
        F: Any,
        weights: Sequence[Any],
        biases: Sequence[Any],
        units: StochasticUnits,
        dims: Sequence[int],
    ) -> None:
        self.F, self.units, self.dims = F, units, list(dims)
        self.weights, self.biases = [None, *weights], list(biases)
        self.transposed = [None, *(F.transpose(weight) for weight in weights)]
        self.top = len(weights)

    def from_below(self, number: int, below: Any, factor: float = 1.0) -> Any:
        """Return bias plus the input from layer `number` - 1, times `factor`."""
        return self.F.FullyConnected(
            below if factor == 1.0 else below * factor,
            self.weights[number],
            self.biases[number],
            num_hidden=self.dims[number],
        )

    def from_above(self, number: int, above: Any, factor: float = 1.0) -> Any:
        """Return bias plus the input from layer `number` + 1, times `factor`."""
        return self.F.FullyConnected(
            above if factor == 1.0 else above * factor,
            self.transposed[number + 1],
            self.biases[number],
            num_hidden=self.dims[number],
        )

    def total_input(self, number: int, layers: Sequence[Any]) -> Any:
        """Return the input of a layer from its neighbours."""
        F = self.F
        if number == 0:
            return self.from_above(0, layers[1])
        x = self.from_below(number, layers[number - 1])
        if number == self.top:
            return x
        return x + F.FullyConnected(
            layers[number + 1],
            self.transposed[number + 1],
            num_hidden=self.dims[number],
            no_bias=True,
        )

    def bottom_up(self, visible: Any) -> tuple[list[Any], list[Any]]:
        """Return inputs and means of all layers in one pass from below.

        What is missing from above is made up for by twice the input from below (Salakhutdinov
        & Hinton 2009, section 3.2 and figure 3).
        """
        inputs, means = [visible], [visible]
        for number in range(1, self.top + 1):
            factor = 1.0 if number == self.top else 2.0
            inputs.append(self.from_below(number, means[-1], factor))
            means.append(self.units.mean(self.F, inputs[-1]))
        return inputs, means

    def top_down(self, top: Any) -> list[Any]:
        """Return means of all layers in one pass from above; the top is as given."""
        means = [top]
        for number in range(self.top - 1, -1, -1):
            factor = 1.0 if number == 0 else 2.0
            means.insert(0, self.units.mean(self.F, self.from_above(number, means[0], factor)))
        return means

    def mean_field(self, visible: Any, steps: int) -> tuple[list[Any], list[Any]]:
        """Return inputs and means of all layers given the visible one (equations 10, 11).

        Args:
            visible: Shape `(batch, units)`.
            steps: Number of updates of all layers, after the pass from below.
        """
        inputs, means = self.bottom_up(visible)
        for _ in range(steps if self.top > 1 else 0):
            for first in (1, 2):
                for number in range(first, self.top + 1, 2):
                    inputs[number] = self.total_input(number, means)
                    means[number] = self.units.mean(self.F, inputs[number])
        return inputs, means

    def sample(self, layers: list[Any], first: int) -> list[Any]:
        """Draw the even (`first` 0) or odd (1) layers given the others; return their means."""
        means = []
        for number in range(first, self.top + 1, 2):
            x = self.total_input(number, layers)
            mean = self.units.mean(self.F, x)
            means.append(mean)
            layers[number] = self.units.sample(self.F, x, mean)
        return means


class DeepStatistics(HybridBlock):
    """The statistics of one step of joint learning, as one static graph.

    Args:
        units: Kind of all units.
        dims: Number of units of each layer.
        mean_field_steps: Number of mean-field updates.
        gibbs_steps: Number of Gibbs steps of the persistent chains.
    """

    def __init__(
        self, units: StochasticUnits, dims: Sequence[int], mean_field_steps: int, gibbs_steps: int
    ) -> None:
        super().__init__()
        self._units, self._dims = units, tuple(dims)
        self._steps = (mean_field_steps, gibbs_steps)

    def hybrid_forward(
        self, F: Any, visible_arr: Any, ones: Any, chain_ones: Any, *more: Any
    ) -> Any:
        """Compute the statistics.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            visible_arr: Data, shape `(batch, visible)`.
            ones: Ones, shape `(1, batch)`.
            chain_ones: batch / chains, shape `(1, chains)`.
            *more: L weights, L + 1 biases, and the even layers of the chains.

        Returns:
            The means of the data, layer 0 to L; the same of the model; the gradients of the
            biases; the even layers of the chains; the reconstruction.
        """
        top = len(self._dims) - 1
        weights, biases, chains = more[:top], more[top : 2 * top + 1], more[2 * top + 1 :]
        layers = DeepLayers(F, weights, biases, self._units, self._dims)
        _, means = layers.mean_field(visible_arr, self._steps[0])
        states: list[Any] = [None] * (top + 1)
        states[::2] = chains
        for _ in range(self._steps[1]):
            layers.sample(states, 1)
            layers.sample(states, 0)
        model = list(states)
        for number in range(1, top + 1, 2):  # the last odd layers as means: less noise
            model[number] = self._units.mean(F, layers.total_input(number, states))
        gradients = [F.dot(chain_ones, m) - F.dot(ones, d) for m, d in zip(model, means)]
        reconstruction = layers.top_down(means[-1])[0]
        return [*means[1:], *model, *gradients, reconstruction]


def odd_even_machine(
    weights: Sequence[nd.NDArray],
    biases: Sequence[nd.NDArray],
    units: StochasticUnits,
    dims: Sequence[int],
) -> BipartiteMachine:
    """Return the machine whose visible side are the odd layers, its hidden side the even ones.

    Args:
        weights: Weights of layer 1 … L.
        biases: Biases of layer 0 … L.
        units: Kind of all units.
        dims: Number of units of each layer.
    """
    odd, even = range(1, len(dims), 2), range(0, len(dims), 2)
    ctx = weights[0].context
    rows = []
    for low in even:
        row = []
        for high in odd:
            if high == low + 1:
                row.append(weights[low].T)
            elif high == low - 1:
                row.append(weights[high])
            else:
                row.append(nd.zeros((dims[low], dims[high]), ctx=ctx))
        rows.append(nd.concat(*row, dim=1))
    return BipartiteMachine(
        nd.concat(*rows, dim=0),
        nd.concat(*(biases[number] for number in odd), dim=0),
        nd.concat(*(biases[number] for number in even), dim=0),
        units,
        units,
    )
