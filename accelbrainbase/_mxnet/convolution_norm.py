"""A convolution with batch normalisation, as one layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet.gluon import HybridBlock, nn

from accelbrainbase._mxnet.activations import activation
from accelbrainbase._mxnet.plain_conv_3d import PlainConv3D

CONVOLUTIONS = {2: nn.Conv2D, 3: PlainConv3D}
"""Classes of convolutions by the number of their dimensions."""


class ConvolutionNorm(HybridBlock):
    """Computes convolution → batch normalisation → activation (Ioffe & Szegedy 2015, section 3.2).

    Args:
        channels: Number of maps that come out.
        kernel_size: Size of the kernel: 2 numbers for pictures, 3 for videos.
        strides: As many.
        padding: As many.
        in_channels: Number of maps that go in; 0: not known yet.
        groups: Number of groups; as many as maps for a depthwise convolution.
        activation_name: A key of `accelbrainbase._mxnet.activations.ACTIVATIONS`.
        batch_norm_flag: Whether the maps are normalised. If not, the convolution has a bias.
        **kwargs: `prefix` and `params`, as in Gluon.

    References:
        - Ioffe, S., & Szegedy, C. (2015). Batch normalization: Accelerating deep network
          training by reducing internal covariate shift. ICML.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: Sequence[int],
        strides: Sequence[int],
        padding: Sequence[int],
        *,
        in_channels: int = 0,
        groups: int = 1,
        activation_name: str = "identity",
        batch_norm_flag: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._activation = activation(activation_name)
        # For maps of three dimensions the gradient of oneDNN's batch normalisation fails ("Check
        # failed: !is_view"). MXNet's own, which it takes for any other axis, is right.
        self._axis = 1 if len(kernel_size) == 2 else 2
        with self.name_scope():
            self.convolution = CONVOLUTIONS[len(kernel_size)](
                channels,
                tuple(kernel_size),
                tuple(strides),
                tuple(padding),
                groups=groups,
                in_channels=in_channels,
                use_bias=not batch_norm_flag,
            )
            self.norm = (
                nn.BatchNorm(axis=self._axis, in_channels=channels) if batch_norm_flag else None
            )

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Compute the layer.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Maps, shape `(batch, in_channels, *size)`.

        Returns:
            Maps, shape `(batch, channels, *size)`.
        """
        x = self.convolution(x)
        if self.norm is None:
            return self._activation(F, x)
        if self._axis == 1:
            return self._activation(F, self.norm(x))
        x = self._activation(F, self.norm(F.swapaxes(x, dim1=1, dim2=self._axis)))
        return F.swapaxes(x, dim1=1, dim2=self._axis)
