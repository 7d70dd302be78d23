"""Turning learned layers into feed-forward networks, for fine-tuning by back-propagation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mxnet import nd

from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks
from accelbrainbase.observabledata._mxnet.neuralnetworks.auto_encoder import AutoEncoder

Layer = tuple[nd.NDArray, nd.NDArray, str]
"""Weight of shape `(units, inputs)`, bias of shape `(units,)`, and name of the activation."""


def network_of(
    layers: Sequence[Layer],
    owner: GluonLearner,
    *,
    computable_loss: Any,
    class_n: int = 0,
    **kwargs: Any,
) -> NeuralNetworks:
    """Return a network with the given layers.

    Args:
        layers: The layers, the lowest first.
        owner: The model from which they come; the network is on its device.
        computable_loss: The loss of the network.
        class_n: Number of units of one more layer on top, with new weights; 0 for none.
        **kwargs: More arguments of `NeuralNetworks`.
    """
    names, units = [name for _, _, name in layers], [weight.shape[0] for weight, _, _ in layers]
    if class_n:
        names, units = [*names, "identity"], [*units, class_n]
    network = NeuralNetworks(
        computable_loss, units_list=units, activation_list=names, ctx=owner.ctx, **kwargs
    )
    network.inference(np.zeros((1, layers[0][0].shape[1]), dtype=np.float32))  # shapes are known
    for (weight, bias, _), linear in zip(layers, network._stack.linear_list):
        linear.weight.set_data(weight)
        linear.bias.set_data(bias)
    return network


def auto_encoder_of(
    up: Sequence[Layer], down: Sequence[Layer], owner: GluonLearner, **kwargs: Any
) -> AutoEncoder:
    """Return an auto-encoder: the layers upwards, and back down.

    Args:
        up: Layers of the encoder.
        down: Layers of the decoder.
        owner: The model from which they come.
        **kwargs: Arguments of `AutoEncoder`; the loss is that of `owner` unless it is given.
    """
    loss = kwargs.pop("computable_loss", None) or owner.computable_loss  # type: ignore[attr-defined]
    parts = {"computable_loss": loss, "hybridize_flag": kwargs.get("hybridize_flag", True)}
    return AutoEncoder(
        network_of(up, owner, **parts), network_of(down, owner, **parts), loss, **kwargs
    )
