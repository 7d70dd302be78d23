"""Convolutional networks one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import HybridBlock

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_list_of
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
    ConvolutionalNeuralNetworks,
)


class ConvolutionalNetworkChain(ConvolutionalNeuralNetworks):
    """Convolutional networks one after another: the maps of each go into the next.

    Learned networks stay learned: a chain of the encoders of auto-encoders, with an
    `output_nn` behind it, is a classifier whose layers are pre-trained, and which `learn`
    fine-tunes (Masci et al. 2011).

    Args:
        network_list: The networks, the first one first.
        computable_loss: The loss; that of the last network if omitted.
        output_nn: A network behind them.
        **kwargs: More arguments of `GluonLearner`: `optimizer_name`, `learning_rate`, …

    Raises:
        TypeError: If one of them is no `ConvolutionalNeuralNetworks`.
        ValueError: If there is none.

    Example:
        >>> classifier = ConvolutionalNetworkChain(
        ...     [stack.encoder],
        ...     gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False),
        ...     output_nn=NeuralNetworks(loss, units_list=[10], activation_list=["identity"]),
        ... )

    References:
        - Masci, J., Meier, U., Cireşan, D., & Schmidhuber, J. (2011). Stacked convolutional
          auto-encoders for hierarchical feature extraction. ICANN. Section 3.2.
    """

    def __init__(
        self,
        network_list: Sequence[ConvolutionalNeuralNetworks],
        computable_loss: ComputableLoss | gluon.loss.Loss | None = None,
        *,
        output_nn: HybridBlock | None = None,
        **kwargs: Any,
    ) -> None:
        networks = check_list_of(
            "network_list", network_list, ConvolutionalNeuralNetworks, "network"
        )
        kwargs.setdefault("ctx", networks[0].ctx_list)
        # Not the constructor of the base class: the layers are those of the networks.
        GradientBlock.__init__(
            self,
            computable_loss=computable_loss or networks[-1].computable_loss,
            **kwargs,
        )
        self.network_list = networks
        for number, network in enumerate(networks):
            self.register_child(network, str(number))
        self.output_nn = output_nn
        self.complete()

    @read_only
    def hidden_units_list(self) -> list[HybridBlock]:
        """The layers of each network."""
        return [layer for network in self.network_list for layer in network.hidden_units_list]

    @read_only
    def hidden_activation_list(self) -> list[str]:
        """Name of the activation of each layer of each network."""
        return [name for network in self.network_list for name in network.hidden_activation_list]

    def _maps(self, F: Any, x: Any) -> Any:  # noqa: ARG002
        for network in self.network_list:
            x = network(x)
        return x

    def _check_maps(self, observed_arr: nd.NDArray) -> None:
        first = self.network_list[0]
        if first.input_nn is None:
            first._check_maps(observed_arr)

    def _first_layer(self) -> HybridBlock:
        return self.network_list[0]._first_layer()

    def _tied_layers(self) -> list[HybridBlock]:
        return [layer for network in self.network_list for layer in network._tied_layers()]
