"""A dense layer whose weight is the transpose of another layer's."""

from __future__ import annotations

from typing import Any

from mxnet.gluon import HybridBlock, nn


class TiedDense(HybridBlock):
    """Computes x W + b with the very weight W of another layer, which computes x Wᵀ.

    There is one parameter, whose gradient is the sum of both uses, so the weights stay tied
    exactly through every step of every optimiser.

    Args:
        source: The layer whose weight is used, of shape `(source units, in units)`.
        replaced: The layer in whose place this one stands; its bias is kept.
    """

    def __init__(self, source: nn.Dense, replaced: nn.Dense) -> None:
        super().__init__(prefix=replaced.prefix)
        self.source = (source,)  # a tuple: the layer is a child of its own network
        self._units = replaced._units
        with self.name_scope():
            self.weight = source.weight
            self.params.update({source.weight.name: source.weight})
            self.bias = replaced.bias
            if replaced.bias is not None:
                self.params.update({replaced.bias.name: replaced.bias})

    def _check_container_with_block(self) -> None:
        """`source` is no child on purpose."""

    def hybrid_forward(self, F: Any, x: Any, weight: Any, bias: Any = None) -> Any:
        """Compute the layer."""
        arrays = (x, F.transpose(weight)) if bias is None else (x, F.transpose(weight), bias)
        return F.FullyConnected(*arrays, num_hidden=self._units, no_bias=bias is None)

    def __repr__(self) -> str:
        return f"TiedDense(-> {self._units}, transpose of {self.source[0].name})"
