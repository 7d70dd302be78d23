"""Global average pooling."""

from __future__ import annotations

from typing import Any

from mxnet.gluon.nn.conv_layers import _Pooling

from accelbrainbase._checks import check_choice


class GlobalAvgPool2D(_Pooling):
    """Averages each feature map to one number.

    Args:
        pool_size: No effect: each whole map is averaged. (A keyword of 1.1.0.)
        layout: `"NCHW"`, the only one that MXNet computes on a CPU.
        **kwargs: `prefix` and `params`, as in Gluon.

    References:
        - Lin, M., Chen, Q., & Yan, S. (2014). Network in network. ICLR. Section 3.2.
    """

    def __init__(
        self, pool_size: tuple[int, int] = (1, 1), layout: str = "NCHW", **kwargs: Any
    ) -> None:
        check_choice("layout", layout, ["NCHW"])
        size = tuple(int(length) for length in pool_size)
        super().__init__(size, None, 0, True, True, "avg", layout, **kwargs)
