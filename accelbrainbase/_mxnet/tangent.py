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
    `ConvolutionalNeuralNetworks`, in chains of these and in a `HybridSequential`; between them
    activations (see `DERIVATIVES`), `LeakyReLU` and `Flatten`.

    Args:
        network: The network. Its parameters have values when this one is called.
        inferring: Whether f is what the network infers: without dropout, and with the running
            statistics of batch normalisations. Otherwise it must have neither.

    Raises:
        TypeError: If a layer is of another kind.
    """

    def __init__(self, network: Block, *, inferring: bool = False) -> None:
        super().__init__()
        steps: list[_Step] = []
        for kind, layer, setting in _steps_of(network, inferring):
            number = len(steps)
            if kind in _PARAMETERS:
                self.register_child(layer, str(number))
                for name in _PARAMETERS[kind]:
                    if getattr(layer, name) is not None:
                        self._reg_params[f"{name}_{number}"] = getattr(layer, name)
            if kind == "norm":
                setting = _rank_before(steps, layer)
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
        kept = (x, v)
        for number, (kind, layer, setting) in enumerate(self._steps.steps):
            if kind == "linear":
                weight = parameters[f"weight_{number}"]
                bias = parameters.get(f"bias_{number}")
                x, v = setting(F, layer, x, weight, bias), setting(F, layer, v, weight, None)
            elif kind == "norm":
                own = [parameters[f"{name}_{number}"] for name in _PARAMETERS["norm"]]
                x, v = _normalised(F, layer, setting, x, v, *own)
            elif kind == "shape":
                x, v = setting(F, x), setting(F, v)
            elif kind == "keep":
                kept = (x, v)
            elif kind == "join":
                x, v = setting(F, kept[0], x), setting(F, kept[1], v)
            else:
                y = layer(F, x)
                x, v = y, setting(F, x, y, v)
        return x, v


class _Steps:
    """Not a list, which Gluon would take for a container of unregistered children."""

    def __init__(self, steps: list[_Step]) -> None:
        self.steps = steps


_PARAMETERS = {
    "linear": ("weight", "bias"),
    "norm": ("gamma", "beta", "running_mean", "running_var"),
}


def _steps_of(block: Block, inferring: bool) -> Iterator[_Step]:
    """Take a network apart."""
    stack = getattr(block, "_stack", None)
    if stack is not None:
        yield from _steps_of_stack(block, stack, inferring)
    elif isinstance(getattr(block, "network_list", None), (list, tuple)):  # a chain
        for part in (*block.network_list, getattr(block, "output_nn", None)):
            if part is not None:
                yield from _steps_of(part, inferring)
    elif isinstance(block, (nn.HybridSequential, nn.Sequential)):
        for child in block._children.values():
            yield from _steps_of(child, inferring)
    else:
        yield from _steps_of_layer(block, inferring)


def _steps_of_layer(block: Block, inferring: bool) -> Iterator[_Step]:
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
        yield "shape", None, lambda F, arr: F.flatten(arr)
    elif inferring and isinstance(block, nn.BatchNorm):
        yield "norm", block, None
    elif not (isinstance(block, nn.Dropout) and (inferring or block._rate == 0)):
        raise _impossible(block, "tangents cannot pass it")


def _steps_of_stack(block: Any, stack: Any, inferring: bool) -> Iterator[_Step]:
    used = ["dropout"] if any(stack.dropout_rate_list) else []
    used += ["batch normalisation"] if any(b is not None for b in stack.batch_norm_list) else []
    if used and not inferring:
        raise _impossible(block, f"it has {', '.join(used)}, which tangents cannot pass")
    input_nn, output_nn = (getattr(block, name, None) for name in ("input_nn", "output_nn"))
    if input_nn is not None:
        shape = (-1, *block._input_result)
        yield from _steps_of(input_nn, inferring)
        yield "shape", None, lambda F, arr: F.reshape(arr, shape=shape)
    last = len(stack) - 1
    layers = zip(stack.linear_list, stack.activation_list, stack.batch_norm_list)
    for number, (layer, name, norm) in enumerate(layers):
        yield "keep", None, None
        yield from _steps_of(layer, inferring)
        yield _activation(block, name)
        if norm is not None:
            yield from _steps_of(norm, inferring)
        if 0 < number < last:
            yield from _shortcuts(block)
    if output_nn is not None:
        yield from _steps_of(output_nn, inferring)


def _shortcuts(block: Any) -> Iterator[_Step]:
    """Residual and dense connections: linear in what they join."""
    if getattr(block, "hidden_residual_flag", False):
        yield "join", None, lambda F, kept, arr: kept + arr  # noqa: ARG005
    if getattr(block, "hidden_dense_flag", False):
        axis = block.dense_axis
        yield "join", None, lambda F, kept, arr: F.concat(kept, arr, dim=axis)


def _own_activation(layer: Any) -> Iterator[_Step]:
    if layer.act is not None:
        yield from _steps_of_layer(layer.act, inferring=False)


def _rank_before(steps: list[_Step], norm: Any) -> int:
    """Return the number of axes of what goes into a batch normalisation."""
    for kind, layer, _ in reversed(steps):
        if kind == "linear":
            return 2 + len(layer._kwargs["kernel"]) if hasattr(layer, "_kwargs") else 2
    raise _impossible(norm, "tangents cannot pass it before the first layer")


def _activation(block: Block, name: str) -> _Step:
    if name not in DERIVATIVES:
        raise _impossible(block, f"`{name}` is none of {', '.join(DERIVATIVES)}")
    return "activation", ACTIVATIONS[name], DERIVATIVES[name]


def _impossible(block: Block, why: str) -> TypeError:
    return TypeError(
        f"A penalty on derivatives cannot be computed through {type(block).__name__}: {why}."
    )


def _dense(F: Any, layer: Any, x: Any, weight: Any, bias: Any) -> Any:
    arrays = (x, weight) if bias is None else (x, weight, bias)
    settings = {"num_hidden": layer._units, "flatten": layer._flatten}
    return F.FullyConnected(*arrays, no_bias=bias is None, **settings)


def _convolution(F: Any, layer: Any, x: Any, weight: Any, bias: Any) -> Any:
    arrays = (x, weight) if bias is None else (x, weight, bias)
    return F.Convolution(*arrays, **{**layer._kwargs, "no_bias": bias is None})


def _normalised(
    F: Any,
    layer: Any,
    rank: int,
    x: Any,
    v: Any,
    gamma: Any,
    beta: Any,
    mean: Any,
    variance: Any,
) -> tuple[Any, Any]:
    """Normalise by running statistics, which is linear."""
    shape = tuple(-1 if axis == layer._kwargs["axis"] % rank else 1 for axis in range(rank))
    scale = F.rsqrt(variance + layer._kwargs["eps"])
    if not layer._kwargs["fix_gamma"]:
        scale = scale * gamma
    shift = F.broadcast_sub(beta, mean * scale)
    scale, shift = (F.reshape(arr, shape=shape) for arr in (scale, shift))
    return F.broadcast_add(F.broadcast_mul(x, scale), shift), F.broadcast_mul(v, scale)
