"""The inverted residual block with a linear bottleneck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet.gluon import HybridBlock

from accelbrainbase._mxnet.convolution_norm import ConvolutionNorm


class LinearBottleneck(HybridBlock):
    """Expands the maps, convolves each by itself, and projects them back, linearly.

    =======  ==========================================  =======================
    layer    operator                                    maps that come out
    =======  ==========================================  =======================
    1        1×1 convolution, activation                 `expansion * in_channels`
    2        depthwise convolution, stride, activation   `expansion * in_channels`
    3        1×1 convolution, no activation              `channels`
    =======  ==========================================  =======================

    (Sandler et al. 2018, table 1), each with batch normalisation. With an expansion of 1 there is
    no layer 1, as in the network of the paper. What went in is added to what comes out where both
    have the same shape: the stride is 1, and there are as many maps (figure 4d).

    Args:
        in_channels: Number of maps that go in.
        channels: Number of maps that come out.
        expansion: By which factor layer 1 widens: t of the paper.
        kernel_size: Size of the depthwise kernel, odd numbers: 2 for pictures, 3 for videos.
        strides: Strides of the depthwise convolution, as many numbers.
        activation_name: A key of `accelbrainbase._mxnet.activations.ACTIVATIONS`.
        shortcut_flag: Whether the input is added where the shapes allow.
        **kwargs: `prefix` and `params`, as in Gluon.

    Attributes:
        residual: Whether the input is added.

    References:
        - Sandler, M., Howard, A., Zhu, M., Zhmoginov, A., & Chen, L.-C. (2018). MobileNetV2:
          Inverted residuals and linear bottlenecks. CVPR. Section 3.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        expansion: int,
        kernel_size: Sequence[int],
        strides: Sequence[int],
        *,
        activation_name: str = "relu6",
        shortcut_flag: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        one, zero = (1,) * len(kernel_size), (0,) * len(kernel_size)
        half = tuple(size // 2 for size in kernel_size)
        width = expansion * in_channels
        self.residual = shortcut_flag and tuple(strides) == one and in_channels == channels
        with self.name_scope():
            self.expand = None
            if expansion != 1:
                self.expand = ConvolutionNorm(
                    width, one, one, zero, in_channels=in_channels, activation_name=activation_name
                )
            self.depthwise = ConvolutionNorm(
                width,
                kernel_size,
                strides,
                half,
                in_channels=width,
                groups=width,
                activation_name=activation_name,
            )
            self.project = ConvolutionNorm(channels, one, one, zero, in_channels=width)

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: ARG002
        """Compute the block.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Maps, shape `(batch, in_channels, *size)`.

        Returns:
            Maps, shape `(batch, channels, *size)`.
        """
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return x + y if self.residual else y
