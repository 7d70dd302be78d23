"""Activation functions by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accelbrainbase._checks import check_choice, check_is_a

Activation = Callable[[Any, Any], Any]


class _Named:
    """A function that is pickled by its name."""

    def __init__(self, name: str, function: Activation) -> None:
        self.name = name
        self.function = function

    def __call__(self, F: Any, x: Any) -> Any:
        return self.function(F, x)

    def __reduce__(self) -> tuple[Any, ...]:
        return activation, (self.name,)


def _mxnet_activation(name: str) -> Activation:
    # `F.Activation` computes the same as `F.sigmoid` and `F.tanh`, 2 to 6 times as fast.
    return lambda F, x: F.Activation(x, act_type=name)


def _divided_by_size(F: Any, x: Any) -> Any:
    return F.broadcast_div(x, F.cast(F.size_array(x), dtype="float32"))


def _selu(F: Any, x: Any) -> Any:
    # The gradient of MXNet's own `selu` is wrong below 0: it has λ(α + y) instead of λα + y.
    return 1.0507009873554805 * F.LeakyReLU(x, act_type="elu", slope=1.6732632423543772)


def relu_up_to(F: Any, x: Any, limit: float) -> Any:
    """Compute min(max(x, 0), limit).

    `F.clip` alone takes 3 times as long: its branches are mispredicted at each change of sign,
    which this one never sees. It must stand last: the gradient that it gives has the plain layout,
    which the batch normalisation before it can take. Those of other operators may keep a layout
    in blocks of 16 where the data have blocks of 8 (widths such as 24), and MXNet then
    computes the normalisation's gradient a hundred times slower.

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        x: Data of any shape.
        limit: The upper limit.
    """
    return F.clip(F.Activation(x, act_type="relu"), 0.0, limit)


_FUNCTIONS: dict[str, Activation] = {
    **{
        name: _mxnet_activation(name)
        for name in ("relu", "sigmoid", "softrelu", "softsign", "tanh")
    },
    "elu": lambda F, x: F.LeakyReLU(x, act_type="elu", slope=1.0),
    "gelu": lambda F, x: F.LeakyReLU(x, act_type="gelu"),
    "identity": lambda F, x: x,
    "identity_adjusted": _divided_by_size,
    "leaky": lambda F, x: F.LeakyReLU(x, act_type="leaky", slope=0.01),
    "log_softmax": lambda F, x: F.log_softmax(x, axis=-1),
    "relu6": lambda F, x: relu_up_to(F, x, 6.0),
    "selu": _selu,
    "softmax": lambda F, x: F.softmax(x, axis=-1),
    "swish": lambda F, x: x * F.Activation(x, act_type="sigmoid"),
}
_FUNCTIONS["GELU"] = _FUNCTIONS["gelu"]

ACTIVATIONS: dict[str, Activation] = {
    name: _Named(name, function) for name, function in _FUNCTIONS.items()
}
"""All activations by name; each takes ``(F, x)``.

`identity_adjusted` divides by the number of elements of `x`, as in 1.1.0. `softmax` and
`log_softmax` run over the last axis.
"""


def activation(name: str, *, argument: str = "activation") -> Activation:
    """Return the activation function called `name`.

    Args:
        name: One of the keys of `ACTIVATIONS`.
        argument: Where the name came from, for the message.

    Raises:
        TypeError: If `name` is not text.
        ValueError: If there is no such function.
    """
    check_is_a(argument, name, str)
    check_choice(argument, name, sorted(ACTIVATIONS))
    return ACTIVATIONS[name]
