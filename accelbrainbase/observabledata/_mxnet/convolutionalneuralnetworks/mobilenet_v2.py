"""MobileNetV2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mxnet import gluon
from mxnet.gluon import HybridBlock, nn
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer, check_is_a, check_number
from accelbrainbase._mxnet.activations import activation as activation_function
from accelbrainbase._mxnet.convolution_norm import ConvolutionNorm
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase._mxnet.linear_bottleneck import LinearBottleneck
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
    ConvolutionalNeuralNetworks,
)
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks
from accelbrainbase.regularizatable_data import RegularizatableData

_ENTRIES = ("filter_rate", "filter_n", "block_n", "stride")

# t, c, n, s of table 2.
_TABLE_2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class MobileNetV2(ConvolutionalNeuralNetworks):
    """A convolutional network for few multiply-adds and little memory.

    A convolution, linear bottlenecks with inverted residuals (see `LinearBottleneck`), a 1×1
    convolution, and average pooling, each convolution with batch normalisation (Sandler et
    al. 2018, table 2). The defaults are the network of the paper for pictures of 224×224,
    without the classifier; `standard` builds it with the classifier. For smaller pictures
    reduce strides, and set `pool_size="global"`.

    Args:
        computable_loss: The loss: a `ComputableLoss`, or any loss of Gluon.
        initializer: Draws the initial weights; by default Xavier's with variance 2 / fan-in
            (Gaussian), which suits rectified units.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        ctx: The device.
        hybridize_flag: Whether the network is compiled to a static graph.
        activation: Activation of all layers but the linear ones, a key of
            `accelbrainbase._mxnet.activations.ACTIVATIONS`.
        filter_multiplier: The width multiplier, above 0: factor on the number of maps of
            all layers; below 1, of all but the last (section 6.1). The products are rounded to
            multiples of 8, to not less than nine tenths of them; with 1 the numbers are
            taken as they are.
        input_filter_n: Number of maps of the first convolution.
        input_kernel_size: Size of its kernel.
        input_strides: Its strides.
        input_padding: Its padding.
        bottleneck_dict_list: The groups of bottlenecks, each a `dict` of `filter_rate` (the
            expansion factor t), `filter_n` (number of maps c), `block_n` (number of bottlenecks
            n) and `stride` (s: of the first one of the group; those of the others are 1). If
            omitted, those of the paper's table 2.
        hidden_filter_n: Number of maps of the last convolution.
        pool_size: Size of the average pooling; `"global"`: whole maps, whatever their size;
            `None`: no pooling.
        output_nn: A network behind the pooling.
        optimizer_name: Name of a Gluon optimiser.
        shortcut_flag: Whether a bottleneck adds what went into it, where the shapes allow.
        global_shortcut_flag: Whether a group of bottlenecks, too, adds what went into
            it, where the shapes allow.
        output_batch_norm_flag: Whether the last convolution is normalised. If not, it has a bias.
        regularizatable_data_list: Constraints, applied after each step.
        scale: Factor on the initial weights.
        init_deferred_flag: Whether the parameters are left for the caller to initialise.
        bottleneck_kernel_size: Size of the kernels of depthwise convolutions, odd numbers;
            3 in each direction if omitted.
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.

    Example:
        >>> model = MobileNetV2.standard(class_n=10, optimizer_name="Adam", learning_rate=1e-3)
        >>> model.learn(iterator)

    References:
        - Sandler, M., Howard, A., Zhu, M., Zhmoginov, A., & Chen, L.-C. (2018). MobileNetV2:
          Inverted residuals and linear bottlenecks. CVPR.
    """

    _dimension_n: ClassVar[int] = 2

    def __init__(
        self,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        ctx: Any = None,
        hybridize_flag: bool = True,
        activation: str = "relu6",
        filter_multiplier: float = 1.0,
        input_filter_n: int = 32,
        input_kernel_size: int | Sequence[int] = (3, 3),
        input_strides: int | Sequence[int] = (2, 2),
        input_padding: int | Sequence[int] = (1, 1),
        bottleneck_dict_list: Sequence[Mapping[str, Any]] | None = None,
        hidden_filter_n: int = 1280,
        pool_size: int | Sequence[int] | str | None = (7, 7),
        output_nn: HybridBlock | None = None,
        optimizer_name: str = "SGD",
        shortcut_flag: bool = True,
        global_shortcut_flag: bool = False,
        output_batch_norm_flag: bool = True,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        scale: float = 1.0,
        init_deferred_flag: bool | None = None,
        *,
        bottleneck_kernel_size: int | Sequence[int] = 3,
        **kwargs: Any,
    ) -> None:
        # Not the constructor of the base class: the layers are others.
        GradientBlock.__init__(
            self,
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
            init_deferred_flag=init_deferred_flag,
            **kwargs,
        )
        activation_function(activation)  # raises if there is none of that name
        self.activation = activation
        self.filter_multiplier = check_number(
            "filter_multiplier", filter_multiplier, low=0.0, low_open=True
        )
        self.shortcut_flag = bool(shortcut_flag)
        self.global_shortcut_flag = bool(global_shortcut_flag)
        kernel = self._sizes("bottleneck_kernel_size", bottleneck_kernel_size, low=1)
        if any(size % 2 == 0 for size in kernel):
            raise ValueError(
                f"`bottleneck_kernel_size` must be odd, so that the maps keep their size, but "
                f"got {kernel}."
            )
        groups = self._groups(bottleneck_dict_list)
        width = self._width(check_integer("input_filter_n", input_filter_n, low=1))
        one, zero = (1,) * self._dimension_n, (0,) * self._dimension_n
        with self.name_scope():
            self.input_layer = ConvolutionNorm(
                width,
                self._sizes("input_kernel_size", input_kernel_size, low=1),
                self._sizes("input_strides", input_strides, low=1),
                self._sizes("input_padding", input_padding, low=0),
                activation_name=activation,
            )
            self.bottlenecks = nn.HybridSequential()
            for group in groups:
                blocks = nn.HybridSequential()
                for number in range(group["block_n"]):
                    blocks.add(
                        LinearBottleneck(
                            width,
                            group["filter_n"],
                            group["filter_rate"],
                            kernel,
                            group["stride"] if number == 0 else one,
                            activation_name=activation,
                            shortcut_flag=self.shortcut_flag,
                        )
                    )
                    width = group["filter_n"]
                self.bottlenecks.add(blocks)
            last = check_integer("hidden_filter_n", hidden_filter_n, low=1)
            self.output_layer = ConvolutionNorm(
                self._width(last) if self.filter_multiplier > 1 else last,
                one,
                one,
                zero,
                in_channels=width,
                activation_name=activation,
                batch_norm_flag=bool(output_batch_norm_flag),
            )
            self.pool = self._pool(pool_size)
        self.output_nn = output_nn
        self.complete()

    @classmethod
    def standard(
        cls,
        computable_loss: ComputableLoss | gluon.loss.Loss | None = None,
        class_n: int = 1000,
        *,
        filter_multiplier: float = 1.0,
        **kwargs: Any,
    ) -> MobileNetV2:
        """Return the network of the paper with its classifier (table 2).

        With 1000 classes it has 3,504,872 parameters that are learned, and pictures of 3 channels
        and 224×224 take 300 million multiply-adds. Other sizes go through it too: whole maps
        are averaged.

        Args:
            computable_loss: The loss; by default the cross entropy of scores and one-hot
                targets.
            class_n: Number of classes.
            filter_multiplier: The width multiplier.
            **kwargs: More arguments of the constructor.

        Returns:
            The network. Its output are scores (logits), shape `(batch, class_n)`.
        """
        if computable_loss is None:
            computable_loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
        kwargs.setdefault("pool_size", "global")
        classifier = NeuralNetworks(
            computable_loss,
            units_list=[check_integer("class_n", class_n, low=1)],
            activation_list=["identity"],
            dropout_rate_list=[0.0],
            ctx=kwargs.get("ctx"),
            hybridize_flag=kwargs.get("hybridize_flag", True),
        )
        return cls(
            computable_loss, filter_multiplier=filter_multiplier, output_nn=classifier, **kwargs
        )

    # -- arguments ---------------------------------------------------------------------

    def _sizes(self, name: str, value: Any, *, low: int) -> tuple[int, ...]:
        """Return one whole number for each direction."""
        n = self._dimension_n
        if not isinstance(value, Sequence) or isinstance(value, str):
            return (check_integer(name, value, low=low),) * n
        if len(value) != n:
            raise ValueError(
                f"`{name}` must have {n} numbers, one for each direction, but got {value!r}."
            )
        return tuple(check_integer(name, size, low=low) for size in value)

    def _groups(self, value: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
        """Return the groups of bottlenecks, checked, with their numbers of maps as they will be."""
        groups = [dict(zip(_ENTRIES, row)) for row in _TABLE_2] if value is None else list(value)
        if not groups:
            raise ValueError("`bottleneck_dict_list` must have at least one group, but is empty.")
        checked = []
        for number, group in enumerate(groups):
            name = f"bottleneck_dict_list[{number}]"
            check_is_a(name, group, Mapping)
            if set(group) != set(_ENTRIES):
                raise ValueError(
                    f"`{name}` must have the entries {', '.join(_ENTRIES)}, but has "
                    f"{', '.join(map(str, group)) or 'none'}."
                )
            counts = {key: check_integer(f"{name}[{key!r}]", group[key], low=1)
                      for key in _ENTRIES[:-1]}  # fmt: skip
            counts["filter_n"] = self._width(counts["filter_n"])
            stride = self._strides(f"{name}['stride']", group["stride"])
            checked.append({**counts, "stride": stride})
        return checked

    def _strides(self, name: str, value: Any) -> tuple[int, ...]:
        """Hook: return the strides of a group."""
        return self._sizes(name, value, low=1)

    def _width(self, filter_n: int) -> int:
        if self.filter_multiplier == 1:
            return filter_n
        exact = filter_n * self.filter_multiplier
        rounded = max(8, int(exact + 4) // 8 * 8)
        return rounded if rounded >= 0.9 * exact else rounded + 8

    def _pool(self, value: Any) -> HybridBlock | None:
        if value is None:
            return None
        if isinstance(value, str):
            if value != "global":
                raise ValueError(
                    f"`pool_size` must be the size of the pooling, 'global' or None, but got "
                    f"{value!r}."
                )
            return self._global_pool()
        sizes = self._sizes("pool_size", value, low=1)
        return {2: nn.AvgPool2D, 3: nn.AvgPool3D}[self._dimension_n](sizes)

    def _global_pool(self) -> HybridBlock:
        """Hook: return what averages whole maps."""
        return nn.GlobalAvgPool2D()

    # -- the network -------------------------------------------------------------------

    def _maps(self, F: Any, x: Any) -> Any:  # noqa: ARG002
        x = self.input_layer(x)
        for blocks in self.bottlenecks:
            y = blocks(x)
            x = x + y if self.global_shortcut_flag and _keeps_shape(blocks) else y
        x = self.output_layer(x)
        return x if self.pool is None else self.pool(x)

    def _first_layer(self) -> HybridBlock:
        return self.input_layer.convolution

    @read_only
    def bottleneck_list(self) -> list[LinearBottleneck]:
        """The bottlenecks of all groups, in turn."""
        return [block for blocks in self.bottlenecks for block in blocks]

    @read_only
    def hidden_units_list(self) -> list[HybridBlock]:
        """The layers: the first convolution, the bottlenecks, the last convolution."""
        return [self.input_layer, *self.bottleneck_list, self.output_layer]

    @read_only
    def hidden_activation_list(self) -> list[str]:
        """Name of the activation of each layer; within a bottleneck, of its first two."""
        return [self.activation] * len(self.hidden_units_list)

    def _settings(self) -> dict[str, Any]:
        settings = {"activation": self.activation, "width": f"{self.filter_multiplier:g}"}
        return {**settings, **GradientBlock._settings(self)}

    def _tied_layers(self) -> list[HybridBlock]:
        raise ValueError(
            f"`tied_weights_flag=True` needs plain convolutions, but a {type(self).__name__} has "
            f"bottlenecks. Pass `tied_weights_flag=False`."
        )


def _keeps_shape(blocks: Sequence[LinearBottleneck]) -> bool:
    """Tell whether what comes out of a group has the shape of what went in."""
    first, last = blocks[0], blocks[len(blocks) - 1]
    maps = (first.expand or first.depthwise).convolution.weight.shape
    into = maps[1] if first.expand is not None else maps[0]
    strides = first.depthwise.convolution._kwargs["stride"]
    return set(strides) == {1} and into == last.project.convolution._channels
