"""Networks one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet import gluon, nd

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_list_of
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks


class NetworkChain(NeuralNetworks):
    """Networks one after another: the output of each is the input of the next.

    Learned networks stay learned: a chain of the encoder of an auto-encoder and a new layer
    is a classifier with pre-trained layers, which `learn` fine-tunes.

    Args:
        network_list: The networks, the first one first.
        computable_loss: The loss; that of the last network if omitted.
        **kwargs: More arguments of `GluonLearner`: `optimizer_name`, `learning_rate`, …

    Raises:
        TypeError: If one of them is no `NeuralNetworks`.
        ValueError: If there is none.

    Example:
        >>> classifier = NetworkChain([auto_encoder.encoder, output_nn], learning_rate=0.01)
    """

    def __init__(
        self,
        network_list: Sequence[NeuralNetworks],
        computable_loss: ComputableLoss | gluon.loss.Loss | None = None,
        **kwargs: Any,
    ) -> None:
        networks = check_list_of("network_list", network_list, NeuralNetworks, "network")
        kwargs.setdefault("ctx", networks[0].ctx_list)
        # Not the constructor of NeuralNetworks: the layers are those of the networks.
        GradientBlock.__init__(
            self,
            computable_loss=computable_loss or networks[-1].computable_loss,
            **kwargs,
        )
        self.network_list = networks
        for number, network in enumerate(networks):
            self.register_child(network, str(number))
        self.complete()

    @read_only
    def units_list(self) -> list[int]:
        """Number of units of each layer of each network."""
        return [unit_n for network in self.network_list for unit_n in network.units_list]

    @read_only
    def activation_list(self) -> list[str]:
        """Name of the activation of each layer of each network."""
        return [name for network in self.network_list for name in network.activation_list]

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the output.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, *features)`.

        Returns:
            The output of the last network, shape `(batch, units)`.
        """
        for network in self.network_list[:-1]:
            x = network(x)
        if len(self.network_list) > 1:
            self.keep_features(x)
        x = self.network_list[-1](x)
        if len(self.network_list) == 1:
            self.keep_features(x)
        return x

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """What went into the last network in the last forward pass, shape `(batch, units)`.

        Of a chain of one: its output.
        """
        return self.kept_features()

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        self.network_list[0]._check_input(observed_arr)
