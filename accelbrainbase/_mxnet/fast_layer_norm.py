"""Layer normalisation by matrix products."""

from __future__ import annotations

from typing import Any

from mxnet import sym
from mxnet.gluon import nn

from accelbrainbase._mxnet.features import only_infers


class FastLayerNorm(nn.LayerNorm):
    """Layer normalisation over the last axis, of series of shape `(batch, length, features)`.

    The same numbers and parameters as `mxnet.gluon.nn.LayerNorm`. The backward pass of MXNet's
    operator is slow on a CPU, and so are its sums and broadcasts; products with ones are fast.
    Where there is no backward pass, in a graph for inference alone, MXNet's operator computes.

    Args:
        features: Number of features.
    """

    def __init__(self, features: int) -> None:
        super().__init__(in_channels=features)
        self.features = features

    def hybrid_forward(self, F: Any, data: Any, gamma: Any, beta: Any) -> Any:
        """Normalise.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            data: Shape `(batch, length, features)`.
            gamma: Factors, shape `(features,)`.
            beta: Summands, shape `(features,)`.

        Returns:
            Array of the same shape.
        """
        if F is sym and only_infers():
            return super().hybrid_forward(F, data, gamma, beta)
        width = self.features
        ones = F.reshape(F.ones_like(F.BlockGrad(gamma)), shape=(1, -1))
        share, column = ones / width, F.reshape(ones, shape=(-1, 1))

        def mean(x: Any) -> Any:
            return F.FullyConnected(x, share, no_bias=True, num_hidden=1)

        def spread(x: Any, weight: Any) -> Any:
            return F.FullyConnected(x, weight, no_bias=True, num_hidden=width)

        rows = F.reshape(data, shape=(-3, 0))
        average = mean(rows)
        centred = rows - spread(average, column)
        deviation = F.rsqrt(mean(F.square(centred)) + self._epsilon)
        gain = spread(deviation, F.reshape(gamma, shape=(-1, 1)))
        each = F.ones_like(F.BlockGrad(average))
        shift = spread(each, F.reshape(beta, shape=(-1, 1)))
        return F.reshape_like(centred * gain + shift, data)
