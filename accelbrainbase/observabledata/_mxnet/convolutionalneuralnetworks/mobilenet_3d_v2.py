"""MobileNetV2 for videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mxnet import gluon, nd
from mxnet.gluon import HybridBlock, nn
from mxnet.initializer import Initializer

from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.convolutionalneuralnetworks.mobilenet_v2 import (
    MobileNetV2,
)


class MobileNet3DV2(MobileNetV2):
    """MobileNetV2 with convolutions in three dimensions, for videos.

    It takes sequences of pictures as `LabeledVideoIterator` and `UnlabeledVideoIterator` generate
    them, shape `(batch, seq_len, channel, height, width)`. The maps that it computes have their
    channels first, as in all convolutional networks here: `(batch, channel, seq_len, height,
    width)`. The depthwise kernels reach over 3 pictures, so that motion is seen (Köpüklü et al.
    2019, table 4); the other kernels, and the strides, are those of `MobileNetV2` for each picture.

    Args:
        computable_loss: As in `MobileNetV2`, like the arguments that follow.
        initializer: Draws the initial weights.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        ctx: The device.
        hybridize_flag: Whether the network is compiled to a static graph.
        activation: Activation of all layers but the linear ones.
        filter_multiplier: The width multiplier.
        input_filter_n: Number of maps of the first convolution.
        input_kernel_size: Size of its kernel: pictures, height, width.
        input_strides: Its strides.
        input_padding: Its padding.
        bottleneck_dict_list: The groups of bottlenecks. A `stride` that is one number counts
            within pictures; in time it is 1.
        hidden_filter_n: Number of maps of the last convolution.
        pool_size: Size of the average pooling; `"global"`: whole maps, over all pictures;
            `None`: no pooling.
        output_nn: A network behind the pooling.
        optimizer_name: Name of a Gluon optimiser.
        shortcut_flag: Whether a bottleneck adds what went into it, where the shapes allow.
        global_shortcut_flag: Whether a group of bottlenecks, too, adds what went into
            it, where the shapes allow.
        output_batch_norm_flag: Whether the last convolution is normalised.
        scale: Factor on the initial weights.
        init_deferred_flag: Whether the parameters are left for the caller to initialise.
        bottleneck_kernel_size: Size of the kernels of depthwise convolutions, odd numbers.
            With `(1, 3, 3)` each picture is seen by itself.
        **kwargs: More arguments of `MobileNetV2` and `GluonLearner`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.

    References:
        - Sandler, M., et al. (2018). MobileNetV2: Inverted residuals and linear bottlenecks. CVPR.
        - Köpüklü, O., Kose, N., Gunduz, A., & Rigoll, G. (2019). Resource efficient 3D
          convolutional neural networks. ICCV workshops.
    """

    _dimension_n: ClassVar[int] = 3

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
        input_kernel_size: int | Sequence[int] = (1, 3, 3),
        input_strides: int | Sequence[int] = (1, 2, 2),
        input_padding: int | Sequence[int] = (1, 1, 1),
        bottleneck_dict_list: Sequence[Mapping[str, Any]] | None = None,
        hidden_filter_n: int = 1280,
        pool_size: int | Sequence[int] | str | None = (1, 7, 7),
        output_nn: HybridBlock | None = None,
        optimizer_name: str = "SGD",
        shortcut_flag: bool = True,
        global_shortcut_flag: bool = False,
        output_batch_norm_flag: bool = True,
        scale: float = 1.0,
        init_deferred_flag: bool | None = None,
        *,
        bottleneck_kernel_size: int | Sequence[int] = (3, 3, 3),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            computable_loss,
            initializer=initializer,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            ctx=ctx,
            hybridize_flag=hybridize_flag,
            activation=activation,
            filter_multiplier=filter_multiplier,
            input_filter_n=input_filter_n,
            input_kernel_size=input_kernel_size,
            input_strides=input_strides,
            input_padding=input_padding,
            bottleneck_dict_list=bottleneck_dict_list,
            hidden_filter_n=hidden_filter_n,
            pool_size=pool_size,
            output_nn=output_nn,
            optimizer_name=optimizer_name,
            shortcut_flag=shortcut_flag,
            global_shortcut_flag=global_shortcut_flag,
            output_batch_norm_flag=output_batch_norm_flag,
            scale=scale,
            init_deferred_flag=init_deferred_flag,
            bottleneck_kernel_size=bottleneck_kernel_size,
            **kwargs,
        )

    def _strides(self, name: str, value: Any) -> tuple[int, ...]:
        if isinstance(value, Sequence) and not isinstance(value, str):
            return super()._strides(name, value)
        return (1, *self._sizes(name, value, low=1)[1:])

    def _global_pool(self) -> HybridBlock:
        # `GlobalAvgPool3D` fails in its backward pass on a CPU ("Check failed: !is_view").
        return nn.HybridLambda(_mean_of_maps)

    def _maps(self, F: Any, x: Any) -> Any:
        return super()._maps(F, F.swapaxes(x, dim1=1, dim2=2))

    def _check_maps(self, observed_arr: nd.NDArray) -> None:
        if observed_arr.ndim != 5 or 0 in observed_arr.shape:
            raise ValueError(
                f"`observed_arr` must have shape (batch, seq_len, channel, height, width), as the "
                f"iterators of videos generate it, with at least one data point, but got "
                f"{observed_arr.shape}."
            )
        super()._check_maps(observed_arr.swapaxes(1, 2))


def _mean_of_maps(F: Any, x: Any) -> Any:
    return F.mean(x, axis=(2, 3, 4), keepdims=True)
