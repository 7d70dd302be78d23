"""Layers one upon another, in the order that the generic networks share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet.gluon import HybridBlock, nn

from accelbrainbase._checks import check_each_per_layer, check_is_a, check_number
from accelbrainbase._mxnet.activations import activation


class LayerStack:
    """Runs layers in turn: linear → activation → dropout → batch normalisation.

    The layers become children of `owner`, under the names which 1.1.0 gave them, so that
    its files load: first the linear layers by their number, then the dropout layers, then
    the batch normalisations that there are.

    Args:
        owner: The network.
        linear_list: Dense or convolutional layers.
        activation_list: Names of activation functions, one for each layer.
        dropout_rate_list: Dropout rates in [0, 1), one for each layer.
        batch_norm_list: `BatchNorm` blocks or `None`, one for each layer.
        names: How the arguments are called in the constructor of `owner`, for messages:
            of activations, dropout rates, batch normalisations.
        first_number: The name of the first layer as a child; the others follow.

    Raises:
        TypeError: If an entry is of the wrong type.
        ValueError: If a list has not one entry for each layer, or an entry is impossible.
    """

    def __init__(
        self,
        owner: HybridBlock,
        linear_list: Sequence[HybridBlock],
        activation_list: Sequence[str],
        dropout_rate_list: Sequence[float],
        batch_norm_list: Sequence[HybridBlock | None],
        names: tuple[str, str, str] = (
            "activation_list",
            "dropout_rate_list",
            "hidden_batch_norm_list",
        ),
        first_number: int = 0,
    ) -> None:
        layer_n = len(linear_list)
        self.owner = owner
        self._first_number = first_number
        self.linear_list = list(linear_list)
        self.activation_list = check_each_per_layer(names[0], activation_list, layer_n)
        self.dropout_rate_list = [
            check_number(names[1], rate, low=0.0, high=1.0, high_open=True)
            for rate in check_each_per_layer(names[1], dropout_rate_list, layer_n)
        ]
        self.batch_norm_list = check_each_per_layer(names[2], batch_norm_list, layer_n)
        for block in self.batch_norm_list:
            check_is_a(names[2], block, HybridBlock, optional=True)
        self._activations = [activation(name, argument=names[0]) for name in self.activation_list]
        with owner.name_scope():
            self._dropouts = [nn.Dropout(rate) if rate else None for rate in self.dropout_rate_list]
        for number, block in enumerate(self.linear_list, start=first_number):
            owner.register_child(block, str(number))
        for number, block in enumerate(self._dropouts, start=first_number + layer_n):
            if block is not None:
                owner.register_child(block, str(number))
        norms = [block for block in self.batch_norm_list if block is not None]
        for number, block in enumerate(norms, start=first_number + 2 * layer_n):
            owner.register_child(block, str(number))

    def __len__(self) -> int:
        return len(self.linear_list)

    def replace(self, number: int, block: HybridBlock) -> None:
        """Put `block` in the place of the linear layer `number`."""
        self.linear_list[number] = block
        self.owner.register_child(block, str(self._first_number + number))

    def layer(self, number: int, F: Any, x: Any) -> Any:
        """Compute layer `number`, counted from 0."""
        x = self._activations[number](F, self.linear_list[number](x))
        for block in (self._dropouts[number], self.batch_norm_list[number]):
            if block is not None:
                x = block(x)
        return x
