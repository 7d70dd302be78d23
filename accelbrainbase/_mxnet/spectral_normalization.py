"""Weights divided by their largest singular value."""

from __future__ import annotations

from functools import partial
from typing import Any

import mxnet as mx
from mxnet import nd
from mxnet.gluon import Block, HybridBlock, nn
from mxnet.gluon.nn import conv_layers

from accelbrainbase._mxnet.on_devices import first_of

_TINY = 1e-12


class SpectralNormalization:
    r"""Lets the layers of a network compute with normalised weights.

    .. math:: \bar{W} = W / \sigma(W), \quad \sigma(W) \approx \lVert W^\top u \rVert

    where :math:`u` follows the first left singular vector by one power iteration a step, and
    counts as a constant in the gradient. The weights of convolutions are taken as matrices of
    `(filters, everything else)`. Dense layers and convolutions are normalised, not transposed
    convolutions. The vectors are parameters of the layers (`spectral_u`), so they are saved;
    the layers stay the user's own, and keep their names and shapes.

    Args:
        block: A network; its children are walked.

    Raises:
        ValueError: If there is no layer to normalise.

    References:
        - Miyato, T., Kataoka, T., Koyama, M., & Yoshida, Y. (2018). Spectral normalization for
          generative adversarial networks. ICLR. Equations 8 to 12, Algorithm 1.
    """

    def __init__(self, block: Block) -> None:
        self.layers: list[HybridBlock] = []
        block.apply(self._add)
        block.apply(_forget_graph)
        if not self.layers:
            raise ValueError(
                f"`spectral_normalization_flag=True` needs dense layers or convolutions, but "
                f"{type(block).__name__} has none."
            )

    def _add(self, block: Block) -> None:
        convolution = isinstance(block, conv_layers._Conv) and block._op_name == "Convolution"
        if not (convolution or isinstance(block, nn.Dense)) or block in self.layers:
            return
        if "spectral_u" not in block._reg_params:
            with block.name_scope():
                block.spectral_u = block.params.get(
                    "spectral_u",
                    shape=(block.weight.shape[0],),
                    init=mx.init.Normal(1.0),
                    grad_req="null",
                )
            block.hybrid_forward = partial(_normalized_forward, block)
        self.layers.append(block)

    def follow(self) -> None:
        """Take one power iteration with each weight."""
        for layer in self.layers:
            if layer.weight._data is None or layer.spectral_u._data is None:
                continue  # shapes become known in the first forward pass
            matrix = first_of(layer.weight).reshape((layer.weight.shape[0], -1))
            u = first_of(layer.spectral_u)
            v = _unit(nd.dot(matrix, u, transpose_a=True))
            layer.spectral_u.set_data(_unit(nd.dot(matrix, v)))


def _forget_graph(block: Block) -> None:
    if isinstance(block, HybridBlock):
        block._clear_cached_op()


def _unit(arr: nd.NDArray) -> nd.NDArray:
    return arr / (nd.sqrt(nd.sum(nd.square(arr))) + _TINY)


def _normalized_forward(
    self: Any, F: Any, x: Any, weight: Any, bias: Any = None, spectral_u: Any = None
) -> Any:
    """Take the place of `hybrid_forward` of a layer."""
    if 0 in self.weight.shape:  # traced so that shapes are inferred; then it is traced again
        output = type(self).hybrid_forward(self, F, x, weight, bias)
        return F.broadcast_add(output, 0.0 * F.sum(spectral_u))  # Gluon wants all to be used
    u = F.broadcast_div(spectral_u, F.sqrt(F.sum(F.square(spectral_u), keepdims=True)) + _TINY)
    matrix = F.reshape(weight, shape=(0, -1))
    across = F.dot(matrix, F.BlockGrad(u), transpose_a=True)
    sigma = F.sqrt(F.sum(F.square(across))) + _TINY
    sigma = F.reshape(sigma, shape=(1,) * len(self.weight.shape))
    return type(self).hybrid_forward(self, F, x, F.broadcast_div(weight, sigma), bias)
