"""Rectified linear units with an upper limit."""

from __future__ import annotations

from typing import Any

from mxnet import nd
from mxnet.gluon import HybridBlock

from accelbrainbase._checks import check_number
from accelbrainbase._mxnet.activations import relu_up_to


class ReLuN(HybridBlock):
    r"""Computes :math:`\min(\max(x, \text{min\_n}), \text{max\_n})`.

    Args:
        min_n: The lower limit.
        max_n: The upper limit, above `min_n`; 6 in MobileNet.
        **kwargs: `prefix` and `params`, as in Gluon.

    Raises:
        ValueError: If `max_n` is not above `min_n`.

    References:
        - Krizhevsky, A. (2010). Convolutional deep belief networks on CIFAR-10. Section 2.
    """

    def __init__(self, min_n: float = 0, max_n: float = 6, **kwargs: Any) -> None:
        self._min_n = check_number("min_n", min_n)
        self._max_n = check_number("max_n", max_n, low=self._min_n, low_open=True)
        super().__init__(**kwargs)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Compute the units."""
        return self.forward_propagation(F, x)

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the units.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Data of any shape.

        Returns:
            Data of the same shape.
        """
        if self._min_n == 0:
            return relu_up_to(F, x, self._max_n)
        return F.clip(x, self._min_n, self._max_n)

    def inference(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Compute the units.

        Args:
            observed_arr: Data of any shape.

        Returns:
            Data of the same shape.
        """
        return self(observed_arr)
