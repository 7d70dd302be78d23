"""Convolutional neural networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mxnet import autograd, gluon, nd
from mxnet.base import MXNetError
from mxnet.gluon import HybridBlock, nn
from mxnet.gluon.nn.conv_layers import _Conv
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase._mxnet.features import of_output
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase._mxnet.layer_stack import LayerStack
from accelbrainbase._mxnet.safe_deconvolution import (
    is_transposed_convolution,
    make_safe,
    share_weight,
)
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks
from accelbrainbase.regularizatable_data import RegularizatableData

_NUMBER_OF_FIRST_LAYER_BEHIND_OUTPUT_NN = 2  # as 1.1.0 numbered them in its files


class ConvolutionalNeuralNetworks(GradientBlock):
    """A network of convolutional layers.

    Each layer computes: convolution, activation, dropout, batch normalisation, in this order.
    A network may stand before them (`input_nn`, for a generator or a decoder) and behind them
    (`output_nn`, for a classifier).

    The layers are blocks of Gluon: `Conv2D`, `Conv2DTranspose`, … of 1 to 3 dimensions, or
    a `HybridSequential` of several, for instance a `Conv2D` and a `MaxPool2D`. Transposed
    convolutions are right on a CPU whatever they are used for (MXNet's own are not).

    Args:
        computable_loss: The loss: a `ComputableLoss`, or any loss of Gluon.
        initializer: Draws the initial weights; by default Xavier's with variance 2 / fan-in
            (Gaussian), which suits rectified units.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        hidden_units_list: The layers; if omitted, two of `Conv2D(3, kernel_size=3, padding=1)`.
        input_nn: A network before the layers. Its output is reshaped to
            `(batch, input_result_channel, input_result_height, input_result_width)`.
        input_result_height: Height of what `input_nn` gives.
        input_result_width: Width of what `input_nn` gives.
        input_result_channel: Number of channels of what `input_nn` gives.
        output_nn: A network behind the layers.
        hidden_dropout_rate_list: Dropout rate in [0, 1) of each layer; 0.5 if omitted.
        hidden_batch_norm_list: A `BatchNorm` block or `None` for each layer.
        optimizer_name: Name of a Gluon optimiser.
        hidden_activation_list: Activation of each layer, a key of
            `accelbrainbase._mxnet.activations.ACTIVATIONS`; `relu` if omitted.
        hidden_residual_flag: Whether each layer between the first and the last adds what
            went into it to its output (He et al. 2016).
        hidden_dense_flag: Whether each layer between the first and the last appends its
            output to what went into it (Huang et al. 2017).
        dense_axis: The axis on which it is appended; 1 is that of the channels.
        ctx: The device.
        hybridize_flag: Whether the network is compiled to a static graph.
        regularizatable_data_list: Constraints, applied after each step.
        scale: Factor on the initial weights.
        not_init_flag: Whether the parameters are left for the caller to initialise.
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value, or a list has not one entry for
            each layer.

    Attributes:
        compute_acc_flag: Whether the share of right answers is recorded; `True` here. It is
            recorded where the output has the shape `(batch, classes)`, with at least two
            classes. Set it to `False` if such outputs are no scores of classes.
        batch_size: Kept for programs that set it; it has no effect.

    References:
        - LeCun, Y., et al. (1998). Gradient-based learning applied to document recognition.
          Proceedings of the IEEE, 86(11), 2278-2324.
        - He, K., et al. (2016). Deep residual learning for image recognition. CVPR. Eq. 1.
        - Huang, G., et al. (2017). Densely connected convolutional networks. CVPR. Eq. 2.
    """

    compute_acc_flag: bool = True
    batch_size: int | None = None
    hidden_residual_flag: bool = False
    hidden_dense_flag: bool = False

    _default_xavier_magnitude: float = 2.0
    _input_nn: HybridBlock | None = None
    _output_nn: HybridBlock | None = None
    _input_result: tuple[int, int, int] | None = None
    _fitting: frozenset[tuple[int, ...]] = frozenset()

    def __init__(
        self,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        hidden_units_list: Sequence[HybridBlock] | None = None,
        input_nn: HybridBlock | None = None,
        input_result_height: int | None = None,
        input_result_width: int | None = None,
        input_result_channel: int | None = None,
        output_nn: HybridBlock | None = None,
        hidden_dropout_rate_list: Sequence[float] | None = None,
        hidden_batch_norm_list: Sequence[HybridBlock | None] | None = None,
        optimizer_name: str = "SGD",
        hidden_activation_list: Sequence[str] | None = None,
        hidden_residual_flag: bool = False,
        hidden_dense_flag: bool = False,
        dense_axis: int = 1,
        ctx: Any = None,
        hybridize_flag: bool = True,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        scale: float = 1.0,
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
        layers = self._default_layers() if hidden_units_list is None else list(hidden_units_list)
        if not layers:
            raise ValueError("`hidden_units_list` must have at least one layer, but is empty.")
        for layer in layers:
            check_is_a("hidden_units_list", layer, HybridBlock)
        layer_n = len(layers)
        relu, half = ["relu"] * layer_n, [0.5] * layer_n
        self.input_nn = input_nn
        self._stack = LayerStack(
            self,
            layers,
            relu if hidden_activation_list is None else hidden_activation_list,
            half if hidden_dropout_rate_list is None else hidden_dropout_rate_list,
            [None] * layer_n if hidden_batch_norm_list is None else hidden_batch_norm_list,
            ("hidden_activation_list", "hidden_dropout_rate_list", "hidden_batch_norm_list"),
            _NUMBER_OF_FIRST_LAYER_BEHIND_OUTPUT_NN if output_nn is not None else 0,
        )
        self.output_nn = output_nn
        if input_nn is not None:
            sizes = {
                "input_result_channel": input_result_channel,
                "input_result_height": input_result_height,
                "input_result_width": input_result_width,
            }
            channel, height, width = (
                check_integer(name, size, low=1) for name, size in sizes.items()
            )
            self._input_result = (channel, height, width)
            self._check_input_result(input_nn, self._input_result)
        self.hidden_residual_flag = bool(hidden_residual_flag)
        self.hidden_dense_flag = bool(hidden_dense_flag)
        self.dense_axis = check_integer("dense_axis", dense_axis, low=1)
        if self.hidden_residual_flag:
            self._check_residual()
        self.not_init_flag = bool(not_init_flag)
        self.complete()

    def _default_layers(self) -> list[HybridBlock]:
        """Return new layers for each network, not the same for all."""
        with self.name_scope():
            return [nn.Conv2D(3, kernel_size=3, padding=1) for _ in range(2)]

    # -- parts -------------------------------------------------------------------------

    @property
    def input_nn(self) -> HybridBlock | None:
        """The network before the layers, or `None`."""
        return self._input_nn

    @input_nn.setter
    def input_nn(self, value: HybridBlock | None) -> None:
        self._set_part("input_nn", value)

    @property
    def output_nn(self) -> HybridBlock | None:
        """The network behind the layers, or `None`."""
        return self._output_nn

    @output_nn.setter
    def output_nn(self, value: HybridBlock | None) -> None:
        self._set_part("output_nn", value)

    def _set_part(self, name: str, value: HybridBlock | None) -> None:
        check_is_a(name, value, HybridBlock, optional=True)
        # Not a plain attribute: Gluon would register it under the private name.
        self.__dict__[f"_{name}"] = value
        self._children.pop(name, None)
        if value is not None:
            self.register_child(value, name)
            if self.ctx.device_type != "gpu":
                make_safe(value)
        self._clear_cached_op()
        self._fitting = frozenset()
        self.trainer = None

    @read_only
    def hidden_units_list(self) -> list[HybridBlock]:
        """The layers."""
        return list(self._stack.linear_list)

    @read_only
    def hidden_activation_list(self) -> list[str]:
        """Name of the activation of each layer."""
        return list(self._stack.activation_list)

    def _check_input_result(self, input_nn: HybridBlock, sizes: tuple[int, int, int]) -> None:
        given = input_nn.units_list[-1] if isinstance(input_nn, NeuralNetworks) else None
        if given is not None and given != math.prod(sizes):
            channel, height, width = sizes
            raise ValueError(
                f"`input_nn` must give {math.prod(sizes)} numbers for each data point, which are "
                f"reshaped to {channel} channels (`input_result_channel`) of {height} times "
                f"{width} (`input_result_height`, `input_result_width`), but it gives {given}."
            )

    def _check_residual(self) -> None:
        """Raise where it can be seen that a layer does not keep the shape of its input."""
        layers = self._stack.linear_list
        if not isinstance(layers[0], _Conv):
            return
        width = layers[0]._channels
        for number, layer in enumerate(layers[1:-1], start=1):
            if not isinstance(layer, _Conv):
                return
            if layer._channels != width or not _keeps_size(layer):
                raise ValueError(
                    f"`hidden_residual_flag=True` needs layers between the first and the last "
                    f"that keep the shape of their input, which has {width} channels; but layer "
                    f"{number} is {layer}. Give it as many channels, strides of 1, and "
                    f"`padding=kernel_size // 2` with an odd `kernel_size`."
                )
            if self.hidden_dense_flag and self.dense_axis == 1:
                width *= 2

    def _settings(self) -> dict[str, Any]:
        return {"activations": ", ".join(self.hidden_activation_list), **super()._settings()}

    # -- the network -------------------------------------------------------------------

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the output.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, channel, height, width)`, or what
                `input_nn` takes.

        Returns:
            What `output_nn` gives, or the maps of the last layer, shape
            `(batch, channel, height, width)`.
        """
        if self._input_nn is not None:
            x = F.reshape(self._input_nn(x), shape=(-1, *(self._input_result or ())))
        x = self._maps(F, x)
        self.keep_features(x)
        return x if self._output_nn is None else self._output_nn(x)

    def _maps(self, F: Any, x: Any) -> Any:
        """Hook: compute the layers between `input_nn` and `output_nn`."""
        last = len(self._stack) - 1
        for number in range(last + 1):
            y = self._stack.layer(number, F, x)
            if 0 < number < last:
                if self.hidden_residual_flag:
                    y = x + y
                if self.hidden_dense_flag:
                    y = F.concat(x, y, dim=self.dense_axis)
            x = y
        return x

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """The maps that the last layer gave in the last forward pass.

        Shape `(batch, channel, height, width)`; what goes into `output_nn`.
        """
        return self.kept_features()

    def extract_feature_points(self) -> nd.NDArray:
        """Return `feature_points_arr`."""
        return self.feature_points_arr

    @of_output
    def _score(self, pred_arr: nd.NDArray, target_arr: nd.NDArray) -> dict[str, nd.NDArray]:
        if self.compute_acc_flag and (pred_arr.ndim != 2 or pred_arr.shape[1] < 2):
            return {"loss": self.compute_loss(pred_arr, target_arr)}  # no scores of classes
        return super()._score(pred_arr, target_arr)

    # -- checks ------------------------------------------------------------------------

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        if self._input_nn is not None:
            if isinstance(self._input_nn, GluonLearner) and hasattr(self._input_nn, "_check_input"):
                self._input_nn._check_input(observed_arr)
        else:
            self._check_maps(observed_arr)
        sizes = observed_arr.shape[1:]
        if sizes not in self._fitting:  # a shape that was not seen yet: try one data point
            self._try(observed_arr[:1])
            self._fitting |= {sizes}

    def _check_maps(self, observed_arr: nd.NDArray) -> None:
        """Raise unless `observed_arr` has the rank and the channels of the first layer."""
        layer = self._first_layer()
        rank = len(layer._kwargs["kernel"]) + 2 if isinstance(layer, _Conv) else 4
        if observed_arr.ndim != rank or 0 in observed_arr.shape:
            axes = {3: "length", 4: "height, width", 5: "depth, height, width"}[rank]
            hint = ""
            if observed_arr.ndim == rank - 1:
                hint = " Grey pictures have one channel: `observed_arr.expand_dims(axis=1)`."
            raise ValueError(
                f"`observed_arr` must have shape (batch, channel, {axes}), with at least one "
                f"data point, but got {observed_arr.shape}.{hint}"
            )
        if not isinstance(layer, _Conv):
            return
        known = layer.weight.shape[0 if is_transposed_convolution(layer) else 1]
        if not is_transposed_convolution(layer):
            known *= layer._kwargs["num_group"]
        if known > 0 and known != observed_arr.shape[1]:
            raise ValueError(
                f"`observed_arr` must have {known} channels of features, as the first layer of "
                f"this {type(self).__name__} has, but got shape {observed_arr.shape}."
            )

    def _first_layer(self) -> HybridBlock:
        """Hook: the layer that the data go into; of a sequence, its first one."""
        layer = self._stack.linear_list[0]
        while isinstance(layer, nn.HybridSequential) and len(layer):
            layer = layer[0]
        return layer

    def _try(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Return the output of one data point; raise a `ValueError` if it does not fit."""
        try:
            with autograd.pause():
                output = self(observed_arr)
                for arr in output if isinstance(output, tuple) else (output,):
                    arr.wait_to_read()
        except (MXNetError, ValueError) as error:
            raise ValueError(
                f"`observed_arr` must have as many features as this {type(self).__name__} was "
                f"built for, or has learned; data points of shape {observed_arr.shape[1:]} do "
                f"not go through its layers. MXNet says: {_first_line(error)}"
            ) from error
        return output

    # -- tied weights ------------------------------------------------------------------

    def tie_to(self, encoder: ConvolutionalNeuralNetworks) -> None:
        """Let this network, as a decoder, use the very weights of `encoder`.

        Layer n−1−i gets the weight of layer i, which stands in both places as one parameter.
        (The weight of a convolution is, as it is, that of the transposed convolution which
        mirrors it: the flipped weight of Masci et al. 2011.) Its own weights are given up.

        Args:
            encoder: The network whose weights are used.

        Raises:
            ValueError: If the layers do not mirror each other.
        """
        sources, layers = encoder._tied_layers(), self._tied_layers()
        if len(sources) != len(layers):
            raise ValueError(
                f"`tied_weights_flag=True` needs a decoder which mirrors the encoder, but the "
                f"encoder has {len(sources)} layers and the decoder {len(layers)}. Build it so, "
                f"or pass `tied_weights_flag=False`."
            )
        for number, (layer, source) in enumerate(zip(layers, reversed(sources))):
            if layer.weight is source.weight:
                continue
            shape, wanted = _weight_shape(layer), _weight_shape(source)
            fits = len(shape) == len(wanted) and all(
                a == b or 0 in (a, b) for a, b in zip(shape, wanted)
            )
            if number + 1 < len(layers) and not self.hidden_dense_flag:  # what the next one takes
                fits = fits and layer._channels == sources[-2 - number]._channels
            if not fits or layer._kwargs["num_group"] != source._kwargs["num_group"]:
                raise ValueError(
                    f"`tied_weights_flag=True` needs a decoder which mirrors the encoder: its "
                    f"layer {number}, {layer}, has a weight of shape {shape}, but that of the "
                    f"encoder's {source} is {wanted} (0: not known yet). A `Conv2D` is mirrored "
                    f"by a `Conv2DTranspose` with the same kernel, and as many channels as the "
                    f"`Conv2D` takes. Build it so, or pass `tied_weights_flag=False`."
                )
        for layer, source in zip(layers, reversed(sources)):
            if layer.weight is not source.weight:
                # A size that only one of the two knows is known to both now.
                known = [max(a, b) for a, b in zip(layer.weight.shape, source.weight.shape)]
                source.weight.shape = tuple(known)
                share_weight(layer, source)
        self._clear_cached_op()
        self.trainer = None

    def _tied_layers(self) -> list[HybridBlock]:
        """Return the convolutions in the order in which they are computed."""
        layers = []
        for number, block in enumerate(self._stack.linear_list):
            found = _convolutions(block)
            if len(found) != 1:
                raise ValueError(
                    f"`tied_weights_flag=True` needs layers with one convolution each, but layer "
                    f"{number} of `hidden_units_list` is {block!r}. Pass "
                    f"`tied_weights_flag=False`."
                )
            layers += found
        return layers


def _convolutions(block: HybridBlock) -> list[HybridBlock]:
    if isinstance(block, _Conv):
        return [block]
    return [layer for child in block._children.values() for layer in _convolutions(child)]


def _keeps_size(layer: HybridBlock) -> bool:
    """Tell whether the maps that a convolution gives are as large as those it gets."""
    settings = layer._kwargs
    added = settings.get("adj", (0,) * len(settings["pad"]))
    return all(
        stride == 1 and 2 * pad == dilate * (kernel - 1) + add
        for stride, pad, dilate, kernel, add in zip(
            settings["stride"], settings["pad"], settings["dilate"], settings["kernel"], added
        )
    )


def _weight_shape(layer: HybridBlock) -> tuple[int, ...]:
    return tuple(max(0, size) for size in layer.weight.shape)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if "rror" in line or "Check failed" in line]
    return (told or lines or [""])[-1][:200]
