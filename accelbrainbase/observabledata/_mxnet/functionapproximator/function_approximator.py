"""A Gluon network that approximates a function."""

from __future__ import annotations

from typing import Any

from mxnet import gluon
from mxnet.gluon import HybridBlock
from mxnet.initializer import Initializer

from accelbrainbase._mxnet.injected_network import InjectedNetwork
from accelbrainbase._mxnet.loss_block import LossBlock
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.function_approximator import ApproximatedFunction


class FunctionApproximator(InjectedNetwork, ApproximatedFunction):
    """Approximates the value of actions by a network that is injected.

    The network is dense, convolutional, recurrent, or any other block of Gluon. In the
    algorithm of `DQNController` it gets candidates (what an action would lead to) and gives one
    value for each, shape `(batch, 1)`; in that of `DeepQNetworkController` it gets states and
    gives the values of all actions, shape `(batch, actions)`.

    Learning alone, by `learn`, it is a regression on given values.

    Args:
        model: The network. Parameters that it has learned stay learned.
        initializer: Draws the initial values of parameters whose shape is not known yet;
            `None` leaves that to the network.
        learning_rate: The learning rate of `learn`; in a controller that of the controller
            counts.
        optimizer_name: Name of a Gluon optimiser, likewise.
        hybridize_flag: Whether the network is compiled to a static graph.
        scale: Factor on the initial weights that `initializer` draws.
        ctx: The device; that of `model` if omitted.
        computable_loss: What `learn` minimises; that of `model` if omitted, or if it has none,
            half of the squared error.
        **kwargs: More arguments of `GluonLearner`.

    Raises:
        TypeError: If `model` is no `HybridBlock`, or a keyword is unknown.

    Example:
        >>> network = NeuralNetworks(
        ...     L2NormLoss(), units_list=[64, 1], activation_list=["relu", "identity"]
        ... )
        >>> function_approximator = FunctionApproximator(network)
    """

    def __init__(
        self,
        model: HybridBlock,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        optimizer_name: str = "SGD",
        hybridize_flag: bool = True,
        scale: float = 1.0,
        ctx: Any = None,
        *,
        computable_loss: ComputableLoss | gluon.loss.Loss | None = None,
        **kwargs: Any,
    ) -> None:
        if computable_loss is None and isinstance(model, LossBlock):
            computable_loss = model.computable_loss
        super().__init__(
            model=model,
            computable_loss=computable_loss,
            initializer=initializer,
            learning_rate=learning_rate,
            optimizer_name=optimizer_name,
            hybridize_flag=hybridize_flag,
            scale=scale,
            ctx=ctx,
            **kwargs,
        )

    def _default_loss(self) -> ComputableLoss | gluon.loss.Loss:
        return gluon.loss.L2Loss()
