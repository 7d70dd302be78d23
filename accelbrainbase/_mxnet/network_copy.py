"""A copy of a network with parameters of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mxnet import gluon, nd, sym
from mxnet.gluon import HybridBlock, SymbolBlock

from accelbrainbase._mxnet.settled import settle

_PREFIX = "copy_of_"


class NetworkCopy:
    """A copy of a network as it is now: its graph, and copies of its parameters.

    Blocks of Gluon cannot be copied once they were compiled; so the graph is traced. The copy
    only infers: dropout and batch normalisation are as at inference.

    Args:
        network: The network. The shapes of its parameters are known.

    Attributes:
        is_plain: Whether the network computes the same in learning as at inference.
    """

    def __init__(self, network: HybridBlock) -> None:
        observed = sym.var("observed", dtype="float32")
        self._output = network(observed)
        self._originals = network.collect_params()
        names = set(self._output.list_inputs()) - {"observed"}
        renamed = self._output(**{name: sym.var(_PREFIX + name) for name in sorted(names)})
        self._block = SymbolBlock(renamed, [observed])
        self._pairs = []
        for name, parameter in self._block.collect_params().items():
            original = self._originals[name[len(_PREFIX) :]]
            parameter.shape, parameter.grad_req = original.shape, "null"
            parameter.initialize(ctx=original.list_ctx())
            self._pairs.append((parameter, original))
        self._block.hybridize(static_alloc=True, static_shape=True)
        operators = {node["op"] for node in _nodes(self._output)}
        self._has_statistics = bool(self._output.list_auxiliary_states())
        self.is_plain = not (self._has_statistics or "Dropout" in operators)
        self.follow(1.0)

    def __call__(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Infer."""
        return self._block(observed_arr)

    def symbols_of(self, observed: sym.Symbol) -> tuple[sym.Symbol, sym.Symbol]:
        """Return what the network, and what the copy makes of a symbol.

        Args:
            observed: What is observed.
        """
        output = self._output(observed=observed)
        names = set(self._output.list_inputs()) - {"observed"}
        return output, output(**{name: sym.var(_PREFIX + name) for name in sorted(names)})

    def block_of(self, outputs: Sequence[sym.Symbol], observed: sym.Symbol) -> SymbolBlock:
        """Return a compiled block over the parameters of the network and of the copy.

        Args:
            outputs: What it computes, from what `symbols_of` returned.
            observed: Its input.
        """
        shared = gluon.ParameterDict("")
        shared.update(self._originals)
        shared.update(self._block.collect_params())
        block = SymbolBlock(list(outputs), [observed], params=shared)
        block.hybridize(static_alloc=True, static_shape=True)
        return block

    def follow(self, rate: float) -> None:
        """Move the parameters to those of the network.

        Args:
            rate: How far, in (0, 1]: 1 makes them equal.
        """
        if self._has_statistics:
            settle()
        for parameter, original in self._pairs:
            value, wanted = parameter.data(), original.data()
            if rate == 1.0:
                wanted.copyto(value)
            else:
                value[:] = value + rate * (wanted - value)

    def values(self) -> list[nd.NDArray]:
        """Return the values of the parameters: the arrays themselves, not copies."""
        return [parameter.data() for parameter, _ in self._pairs]

    def set_values(self, values: Sequence[nd.NDArray]) -> None:
        """Set the values of the parameters, in the order of `values`."""
        for (parameter, _), value in zip(self._pairs, values):
            parameter.set_data(value)


def _nodes(output: sym.Symbol) -> list[dict[str, Any]]:

    nodes: list[dict[str, Any]] = json.loads(output.tojson())["nodes"]
    return nodes
