"""A convolution with batch normalisation, as one layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet.gluon import HybridBlock, nn

from accelbrainbase._mxnet.activations import activation
from accelbrainbase._mxnet.safe_maps_3d import make_maps_safe

CONVOLUTIONS = {2: nn.Conv2D, 3: nn.Conv3D}
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
            self.norm = nn.BatchNorm(in_channels=channels) if batch_norm_flag else None
        make_maps_safe(self._children.values())

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Compute the layer.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Maps, shape `(batch, in_channels, *size)`.

        Returns:
            Maps, shape `(batch, channels, *size)`.
        """
        x = self.convolution(x)
        return self._activation(F, x if self.norm is None else self.norm(x))
