"""A copy of a network with parameters of its own."""

from __future__ import annotations

from collections.abc import Sequence

from mxnet import nd, sym
from mxnet.gluon import HybridBlock, SymbolBlock


class NetworkCopy:
    """A copy of a network as it is now: its graph, and copies of its parameters.

    Blocks of Gluon cannot be copied once they were compiled; so the graph is traced. The copy
    only infers: dropout and batch normalisation are as at inference.

    Args:
        network: The network. The shapes of its parameters are known.
    """

    def __init__(self, network: HybridBlock) -> None:
        observed = sym.var("observed", dtype="float32")
        outputs = network(observed)
        self._block = SymbolBlock(outputs, [observed])
        originals = network.collect_params()
        self._pairs = []
        for name, parameter in self._block.collect_params().items():
            original = originals[name]
            parameter.shape, parameter.grad_req = original.shape, "null"
            parameter.initialize(ctx=original.list_ctx())
            self._pairs.append((parameter, original))
        self._block.hybridize(static_alloc=True, static_shape=True)
        self.follow(1.0)

    def __call__(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Infer."""
        return self._block(observed_arr)

    def follow(self, rate: float) -> None:
        """Move the parameters to those of the network.

        Args:
            rate: How far, in (0, 1]: 1 makes them equal.
        """
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
