"""Directional derivatives of a network, computed forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mxnet.gluon import Block, HybridBlock, nn
from mxnet.gluon.nn import conv_layers

from accelbrainbase._mxnet.activations import ACTIVATIONS

Derivative = Callable[[Any, Any, Any, Any], Any]
"""Takes ``(F, a, y, v)``: an activation's argument, its value, the tangent of its argument."""


def _by_sign(slope: float) -> Derivative:
    def derivative(F: Any, a: Any, y: Any, v: Any) -> Any:  # noqa: ARG001
        above = F.BlockGrad(a > 0)
        return v * (above + slope * (1.0 - above))

    return derivative


def _elu(F: Any, a: Any, y: Any, v: Any) -> Any:  # noqa: ARG001
    above = F.BlockGrad(a > 0)
    return v * (above + (1.0 - above) * F.exp(F.clip(a, -80.0, 0.0)))


DERIVATIVES: dict[str, Derivative] = {
    "elu": _elu,
    "identity": lambda F, a, y, v: v,  # noqa: ARG005
    "leaky": _by_sign(0.01),
    "relu": _by_sign(0.0),
    "sigmoid": lambda F, a, y, v: v * y * (1.0 - y),  # noqa: ARG005
    "softrelu": lambda F, a, y, v: v * F.Activation(a, act_type="sigmoid"),  # noqa: ARG005
    "tanh": lambda F, a, y, v: v * (1.0 - y * y),  # noqa: ARG005
}
"""The tangent of each activation's value, by the activation's name."""

_Step = tuple[str, Any, Any]


class Tangent(HybridBlock):
    r"""Computes a network f and its directional derivative with the network's own parameters.

    .. math:: (x, v) \mapsto (f(x), \; J_f(x)\, v)

    The tangent goes through each layer by the layer's own operator, without bias, and is
    multiplied by the derivative of each activation. So the gradient of :math:`J v` by the
    parameters needs first derivatives only, which MXNet has.

    Dense layers and convolutions may stand in `NeuralNetworks`, in
    `ConvolutionalNeuralNetworks` without shortcuts, and in a `HybridSequential`; between them
    activations (see `DERIVATIVES`), `LeakyReLU` and `Flatten`.

    Args:
        network: The network. Its parameters have values when this one is called.

    Raises:
        TypeError: If a layer is of another kind.
    """

    def __init__(self, network: Block) -> None:
        super().__init__()
        steps: list[_Step] = []
        for kind, layer, setting in _steps_of(network):
            number = len(steps)
            if kind == "linear":
                self.register_child(layer, str(number))
                for name in ("weight", "bias"):
                    if getattr(layer, name) is not None:
                        self._reg_params[f"{name}_{number}"] = getattr(layer, name)
            steps.append((kind, layer, setting))
        self._steps = _Steps(steps)
        self.hybridize(static_alloc=True, static_shape=True)

    def hybrid_forward(self, F: Any, x: Any, v: Any, **parameters: Any) -> Any:
        """Compute value and derivative.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Where, shape `(batch, *features)`.
            v: In which direction, of the same shape.
            **parameters: Those of the layers.

        Returns:
            The output at `x`, shape `(batch, *output)`, and the derivative along `v`, of the
            same shape.
        """
        for number, (kind, layer, setting) in enumerate(self._steps.steps):
            if kind == "linear":
                weight = parameters[f"weight_{number}"]
                bias = parameters.get(f"bias_{number}")
                x, v = setting(F, layer, x, weight, bias), setting(F, layer, v, weight, None)
            elif kind == "flatten":
                x, v = F.flatten(x), F.flatten(v)
            else:
                y = layer(F, x)
                x, v = y, setting(F, x, y, v)
        return x, v


class _Steps:
    """Not a list, which Gluon would take for a container of unregistered children."""

    def __init__(self, steps: list[_Step]) -> None:
        self.steps = steps


def _steps_of(block: Block) -> Iterator[_Step]:
    """Take a network apart."""
    stack = getattr(block, "_stack", None)
    if stack is not None:
        yield from _steps_of_stack(block, stack)
    elif isinstance(block, (nn.HybridSequential, nn.Sequential)):
        for child in block._children.values():
            yield from _steps_of(child)
    else:
        yield from _steps_of_layer(block)


def _steps_of_layer(block: Block) -> Iterator[_Step]:
    if "spectral_u" in block._reg_params:
        raise _impossible(block, "its weights are normalised: choose one of the two")
    elif isinstance(block, nn.Dense):
        yield "linear", block, _dense
        yield from _own_activation(block)
    elif isinstance(block, conv_layers._Conv) and block._op_name == "Convolution":
        yield "linear", block, _convolution
        yield from _own_activation(block)
    elif isinstance(block, nn.Activation):
        yield _activation(block, block._act_type)
    elif isinstance(block, nn.LeakyReLU):
        slope = block._alpha
        yield (
            "activation",
            lambda F, a: F.LeakyReLU(a, act_type="leaky", slope=slope),
            _by_sign(slope),
        )
    elif isinstance(block, nn.Flatten):
        yield "flatten", None, None
    elif not (isinstance(block, nn.Dropout) and block._rate == 0):
        raise _impossible(block, "tangents cannot pass it")


def _steps_of_stack(block: Any, stack: Any) -> Iterator[_Step]:
    flags = ("hidden_residual_flag", "hidden_dense_flag", "input_nn")
    used = [name for name in flags if getattr(block, name, None)]
    used += ["dropout"] if any(stack.dropout_rate_list) else []
    used += ["batch normalisation"] if any(b is not None for b in stack.batch_norm_list) else []
    if used:
        raise _impossible(block, f"it has {', '.join(used)}, which tangents cannot pass")
    for layer, name in zip(stack.linear_list, stack.activation_list):
        yield from _steps_of(layer)
        yield _activation(block, name)
    output_nn = getattr(block, "output_nn", None)
    if output_nn is not None:
        yield from _steps_of(output_nn)


def _own_activation(layer: Any) -> Iterator[_Step]:
    if layer.act is not None:
        yield from _steps_of(layer.act)


def _activation(block: Block, name: str) -> _Step:
    if name not in DERIVATIVES:
        raise _impossible(block, f"`{name}` is none of {', '.join(DERIVATIVES)}")
    return "activation", ACTIVATIONS[name], DERIVATIVES[name]


def _impossible(block: Block, why: str) -> TypeError:
    return TypeError(
        f"A gradient penalty cannot be computed through {type(block).__name__}: {why}."
    )


def _dense(F: Any, layer: Any, x: Any, weight: Any, bias: Any) -> Any:
    arrays = (x, weight) if bias is None else (x, weight, bias)
    settings = {"num_hidden": layer._units, "flatten": layer._flatten}
    return F.FullyConnected(*arrays, no_bias=bias is None, **settings)


def _convolution(F: Any, layer: Any, x: Any, weight: Any, bias: Any) -> Any:
    arrays = (x, weight) if bias is None else (x, weight, bias)
    return F.Convolution(*arrays, **{**layer._kwargs, "no_bias": bias is None})
