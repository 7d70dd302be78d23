"""Dense neural networks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import nn
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase._mxnet.layer_stack import LayerStack
from accelbrainbase._mxnet.tied_dense import TiedDense
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.regularizatable_data import RegularizatableData

_DEFAULT_UNITS = (100, 1)


class NeuralNetworks(GradientBlock):
    """A network of dense layers (a multi-layer perceptron).

    Each layer computes: linear, activation, dropout, batch normalisation, in this order.

    Args:
        computable_loss: The loss: a `ComputableLoss`, or any loss of Gluon.
        initializer: Draws the initial weights; by default Xavier's with variance 1 / fan-in
            (magnitude 1, Gaussian).
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        units_list: Number of units of each layer; `[100, 1]` if omitted.
        dropout_rate_list: Dropout rate in [0, 1) of each layer; no dropout if omitted.
        optimizer_name: Name of a Gluon optimiser.
        activation_list: Activation of each layer: a key of
            `accelbrainbase._mxnet.activations.ACTIVATIONS`. If omitted: `tanh`, and
            `sigmoid` for the last layer.
        hidden_batch_norm_list: A `BatchNorm` block or `None` for each layer.
        ctx: The device.
        hybridize_flag: Whether the network is compiled to a static graph.
        regularizatable_data_list: Constraints, applied after each step.
        scale: Factor on the initial weights.
        output_no_bias_flag: Whether the last layer has no bias.
        all_no_bias_flag: Whether no layer has a bias.
        not_init_flag: Whether the parameters are left for the caller to initialise.
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`,
            `max_gradient_norm`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value, or a list has not one entry for
            each layer.

    Example:
        >>> model = NeuralNetworks(
        ...     computable_loss=gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False),
        ...     units_list=[32, 10],
        ...     activation_list=["relu", "identity"],
        ...     optimizer_name="Adam",
        ...     learning_rate=1e-3,
        ... )
    """

    def __init__(
        self,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        units_list: Sequence[int] | None = None,
        dropout_rate_list: Sequence[float] | None = None,
        optimizer_name: str = "SGD",
        activation_list: Sequence[str] | None = None,
        hidden_batch_norm_list: Sequence[gluon.HybridBlock | None] | None = None,
        ctx: Any = None,
        hybridize_flag: bool = True,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        scale: float = 1.0,
        output_no_bias_flag: bool = False,
        all_no_bias_flag: bool = False,
        not_init_flag: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            computable_loss=computable_loss,
            initializer=initializer,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            optimizer_name=optimizer_name,
            ctx=ctx,
            hybridize_flag=hybridize_flag,
            regularizatable_data_list=regularizatable_data_list,
            scale=scale,
            **kwargs,
        )
        check_is_a("units_list", units_list, Iterable, optional=True)
        units = [
            check_integer("units_list", unit_n, low=1)
            for unit_n in (_DEFAULT_UNITS if units_list is None else units_list)
        ]
        if not units:
            raise ValueError("`units_list` must have at least one layer, but is empty.")
        last = len(units) - 1
        with self.name_scope():
            linear_list = [
                nn.Dense(
                    unit_n,
                    use_bias=not (all_no_bias_flag or (output_no_bias_flag and number == last)),
                )
                for number, unit_n in enumerate(units)
            ]
        self._stack = LayerStack(
            self,
            linear_list,
            ["tanh"] * last + ["sigmoid"] if activation_list is None else activation_list,
            [0.0] * len(units) if dropout_rate_list is None else dropout_rate_list,
            [None] * len(units) if hidden_batch_norm_list is None else hidden_batch_norm_list,
        )
        self._units_list = units
        self.not_init_flag = bool(not_init_flag)
        self.complete()

    @read_only
    def units_list(self) -> list[int]:
        """Number of units of each layer."""
        return list(self._units_list)

    @read_only
    def activation_list(self) -> list[str]:
        """Name of the activation of each layer."""
        return list(self._stack.activation_list)

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """What the last hidden layer gave in the last forward pass, shape `(batch, units)`.

        Of a network with one layer: its output.
        """
        return self.kept_features()

    def _settings(self) -> dict[str, Any]:
        return {"activations": ", ".join(self.activation_list), **super()._settings()}

    def extract_feature_points(self) -> nd.NDArray:
        """Return `feature_points_arr`."""
        return self.feature_points_arr

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the output.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, *features)`; they are flattened.

        Returns:
            The output, shape `(batch, units_list[-1])`.
        """
        last = len(self._stack) - 1
        for number in range(last):
            x = self._stack.layer(number, F, x)
        if last:
            self.keep_features(x)
        x = self._stack.layer(last, F, x)
        if not last:
            self.keep_features(x)
        return x

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        if observed_arr.ndim < 2 or 0 in observed_arr.shape:
            raise ValueError(
                f"`observed_arr` must have shape (batch, features), with at least one data "
                f"point, but got {observed_arr.shape}. Put a single one into a batch by "
                f"`observed_arr.reshape((1, -1))`."
            )
        self._check_features(observed_arr)

    def _check_features(self, observed_arr: nd.NDArray) -> None:
        """Raise unless each data point has as many features as the first layer knows."""
        first = self._stack.linear_list[0]
        shape = first.weight.shape
        known = shape[0] if isinstance(first, TiedDense) else shape[1]
        size = math.prod(observed_arr.shape[1:])
        if known and known != size:
            raise ValueError(
                f"`observed_arr` must have {known} features for each data point, as the first "
                f"layer of this {type(self).__name__} has, but got shape {observed_arr.shape}."
            )

    def tie_to(self, encoder: NeuralNetworks) -> None:
        """Let this network, as a decoder, use the transposed weights of `encoder`.

        Layer n−1−i gets the weight of layer i. Its own weights are given up.

        Args:
            encoder: The network whose weights are used.

        Raises:
            ValueError: If the widths of the layers do not mirror each other.
        """
        for network in (encoder, self):
            if not hasattr(network, "_stack"):
                raise ValueError(
                    f"`tied_weights_flag=True` needs parts with layers of their own, but "
                    f"{type(network).__name__} is made of other networks. Tie the weights of "
                    f"those instead."
                )
        sources = encoder._stack.linear_list[::-1]
        widths = encoder.units_list[-2::-1]  # what the layers but the last must give
        if len(self._stack) != len(sources) or self.units_list[:-1] != widths:
            raise ValueError(
                f"`tied_weights_flag=True` needs a decoder which mirrors the encoder: its "
                f"`units_list` must be {[*widths, 'number of observed features']}, but is "
                f"{self.units_list}."
            )
        for number, source in enumerate(sources):
            replaced = self._stack.linear_list[number]
            if isinstance(source, TiedDense):
                raise ValueError("`encoder` is tied to another network itself.")
            if isinstance(replaced, TiedDense):
                if replaced.source[0] is source:
                    continue
                raise ValueError("`decoder` is tied to another encoder already.")
            known = (source.weight.shape[1], self.units_list[number])
            if known[0] and known[0] != known[1]:
                raise ValueError(
                    f"`tied_weights_flag=True` needs a decoder which mirrors the encoder: its "
                    f"layer {number} must have {known[0]} units, but has {known[1]}."
                )
            if not known[0]:  # so that data of another width get our message, not MXNet's
                source.weight.shape = (source.weight.shape[0], known[1])
            self._stack.replace(number, TiedDense(source, replaced))
        self.trainer = None
