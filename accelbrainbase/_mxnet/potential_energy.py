"""The energy whose negative gradient is what an auto-encoder does to a data point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mxnet import nd
from mxnet.gluon import nn
from mxnet.gluon.nn import conv_layers

from accelbrainbase._mxnet.safe_deconvolution import is_transposed_convolution
from accelbrainbase._mxnet.tied_dense import TiedDense

ANTIDERIVATIVES: dict[str, Callable[[nd.NDArray], nd.NDArray]] = {
    "identity": lambda a: 0.5 * nd.square(a),
    "leaky": lambda a: 0.5 * a * nd.LeakyReLU(a, act_type="leaky", slope=0.01),
    "relu": lambda a: 0.5 * nd.square(nd.Activation(a, act_type="relu")),
    "sigmoid": lambda a: nd.Activation(a, act_type="softrelu"),
    # log cosh a, less a constant, which does not overflow
    "tanh": lambda a: nd.Activation(2.0 * a, act_type="softrelu") - a,
}
"""What each activation is the derivative of, by the activation's name."""


def potential_energy(auto_encoder: Any, observed_arr: nd.NDArray) -> nd.NDArray:
    """Return the energy of data points under an auto-encoder, shape `(batch,)`.

    Args:
        auto_encoder: Has an `encoder` and a `decoder`, of one layer each, with tied weights.
        observed_arr: Shape `(batch, *features)`.

    Raises:
        ValueError: If there is no such energy.
    """
    owner = type(auto_encoder).__name__
    encoder, decoder = auto_encoder.encoder, auto_encoder.decoder
    layer, activation = _only_layer(owner, "encoder", encoder)
    output, output_activation = _only_layer(owner, "decoder", decoder)
    if getattr(auto_encoder, "output_nn", None) is not None:
        raise _no_energy(owner, "it has an `output_nn` between encoder and decoder")
    if not _is_transpose(layer, output):
        raise _no_energy(
            owner,
            "the decoder does not compute with the transposed weights of the encoder: pass "
            "`tied_weights_flag=True`, and the same strides and padding for both",
        )
    if output_activation != "identity" or getattr(output, "act", None) is not None:
        raise _no_energy(
            owner, f"its decoder is not linear: it ends in `{output_activation}`, not `identity`"
        )
    if activation not in ANTIDERIVATIVES or layer.act is not None:
        raise _no_energy(
            owner, f"the activation `{activation}` is none of {', '.join(ANTIDERIVATIVES)}"
        )
    input_arr = layer(observed_arr)
    bias = None if output.bias is None else output.bias.data(observed_arr.context)
    if isinstance(output, TiedDense):
        observed_arr = observed_arr.reshape((observed_arr.shape[0], -1))
    elif output(input_arr[:1]).shape[1:] != observed_arr.shape[1:]:
        raise _no_energy(owner, "its reconstructions are not as large as what it observes")
    elif bias is not None:
        bias = bias.reshape((1, -1, *(1,) * (observed_arr.ndim - 2)))
    away_arr = observed_arr if bias is None else nd.broadcast_sub(observed_arr, bias)
    return 0.5 * _sums(nd.square(away_arr)) - _sums(ANTIDERIVATIVES[activation](input_arr))


def _only_layer(owner: str, name: str, network: Any) -> tuple[Any, str]:
    """Return the layer of a network that has one, and its activation."""
    stack = getattr(network, "_stack", None)
    if stack is None or len(stack) != 1:
        raise _no_energy(owner, f"its {name} is not one layer")
    around = [getattr(network, part, None) for part in ("input_nn", "output_nn")]
    if any(block is not None for block in (*around, *stack.batch_norm_list)):
        raise _no_energy(
            owner, f"its {name} has more than a layer: a network before or behind, or a norm"
        )
    return stack.linear_list[0], stack.activation_list[0]


def _is_transpose(layer: Any, output: Any) -> bool:
    """Tell whether `output` without its bias is the transpose of `layer` without its."""
    if isinstance(layer, nn.Dense):
        return isinstance(output, TiedDense) and output.source[0] is layer
    if not (isinstance(layer, conv_layers._Conv) and is_transposed_convolution(output)):
        return False
    same = ("stride", "pad", "dilate", "num_group")
    alike = all(layer._kwargs[name] == output._kwargs[name] for name in same)
    return alike and output.weight is layer.weight


def _sums(arr: nd.NDArray) -> nd.NDArray:
    return nd.sum(arr, axis=0, exclude=True)


def _no_energy(owner: str, why: str) -> ValueError:
    return ValueError(
        f"`energy` needs an auto-encoder of one layer with tied weights and a linear decoder, "
        f"but this {owner} is another: {why}."
    )
