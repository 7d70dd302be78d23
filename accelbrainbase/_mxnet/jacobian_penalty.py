"""The norm of the Jacobian of an encoder, as something that can be minimised."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from mxnet import nd
from mxnet.gluon import Block, HybridBlock, nn
from mxnet.gluon.nn import conv_layers

from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase._mxnet.tangent import Tangent

Slope = Callable[[Any, Any], Any]
"""Takes ``(F, y)``, the value of an activation, and returns its derivative."""


def _quadratic(a: float, b: float, c: float) -> Slope:
    # One operator each way, which takes half the time of `y * (1 - y)`.
    return lambda F, y: F.contrib.quadratic(y, a=a, b=b, c=c)


SLOPES: dict[str, Slope] = {
    "elu": lambda F, y: F.clip(y, -1.0, 0.0) + 1.0,
    "identity": lambda F, y: F.ones_like(y),
    "leaky": lambda F, y: 0.01 + 0.99 * F.BlockGrad(y > 0),
    "relu": lambda F, y: F.BlockGrad(y > 0),
    "sigmoid": _quadratic(-1.0, 1.0, 0.0),
    "softrelu": lambda F, y: 1.0 - F.exp(-y),
    "tanh": _quadratic(-1.0, 0.0, 1.0),
}
"""The derivative of each activation, computed from its value, by the activation's name."""


class JacobianPenalty:
    r"""Computes the squared Frobenius norm of the Jacobian of an encoder.

    .. math:: \lVert J_f(x) \rVert_F^2 = \sum_{ij} \left(
        \frac{\partial h_j(x)}{\partial x_i} \right)^2

    MXNet has no second derivatives, which back-propagation through a Jacobian would need. Of an
    encoder with one layer, :math:`h = s(W x + b)`, the norm has a closed form (Rifai et al.
    2011, section 3)

    .. math:: \sum_j s'_j(x)^2 \sum_i W_{ji}^2

    which costs little more than the code itself; of one convolution the inner sum goes over
    the taps of the kernel that lie within the picture, so it is exact at borders too. Other
    encoders carry tangents forward: :math:`E \lVert J v \rVert^2 = \lVert J \rVert_F^2` for
    directions v of independent signs (Hutchinson 1990), a draw without bias; or, exactly, all
    directions in turn.

    f is the encoder as it infers: without dropout, and with the running statistics of batch
    normalisations.

    Args:
        encoder: A network that `Tangent` can take apart.

    Attributes:
        encoder: The network.
        is_closed: Whether the closed form holds.

    References:
        - Rifai, S., Vincent, P., Muller, X., Glorot, X., & Bengio, Y. (2011). Contractive
          auto-encoders: explicit invariance during feature extraction. ICML. Equation 1.
        - Rifai, S., Mesnil, G., Vincent, P., Muller, X., Bengio, Y., Dauphin, Y., & Glorot, X.
          (2011). Higher order contractive auto-encoder. ECML PKDD. Equations 7 and 8.
        - Hutchinson, M. F. (1990). A stochastic estimator of the trace of the influence matrix
          for Laplacian smoothing splines. Communications in Statistics, 19(2), 433-450.
    """

    def __init__(self, encoder: Block) -> None:
        self.encoder = encoder
        self._structure = _structure(encoder)
        single = _single_layer(encoder)
        self.is_closed = single is not None
        if single is not None:
            self._norm: HybridBlock = _ClosedForm(*single)
            self._change: HybridBlock = _ClosedForm(*single)
        else:
            tangent = Tangent(encoder, inferring=True)
            self._norm, self._change = _Along(tangent), _Along(tangent)
            self._given = _Along(tangent)

    def is_of(self, encoder: Block) -> bool:
        """Tell whether this is the penalty of an encoder, with the layers that it has now.

        Args:
            encoder: The encoder.
        """
        return self.encoder is encoder and self._structure == _structure(encoder)

    def drawn(
        self,
        observed_arr: nd.NDArray,
        code_arr: nd.NDArray,
        n: int = 1,
        generator: np.random.Generator | None = None,
    ) -> nd.NDArray:
        """Return the norm in closed form, or else a draw around it, to be recorded.

        Args:
            observed_arr: Data points, shape `(batch, *features)`.
            code_arr: What the encoder made of them, shape `(batch, *code)`.
            n: Number of directions in which each Jacobian is looked at.
            generator: Draws the directions; if omitted MXNet's global state, which is faster.

        Returns:
            Shape `(batch,)`.
        """
        if self.is_closed:
            return self._norm(observed_arr, code_arr)
        signs = [_signs(observed_arr, generator) for _ in range(n)]
        return _mean([self._norm(observed_arr, sign_arr) for sign_arr in signs])

    def change(
        self,
        observed_arr: nd.NDArray,
        code_arr: nd.NDArray,
        sigma: float,
        n: int = 1,
        generator: np.random.Generator | None = None,
    ) -> nd.NDArray:
        r"""Draw how much the Jacobian changes nearby, to be recorded.

        .. math:: E_\epsilon \lVert J_f(x) - J_f(x + \epsilon) \rVert_F^2, \quad
            \epsilon \sim \mathcal{N}(0, \sigma^2)

        (Rifai et al. 2011, Higher order contractive auto-encoder, equation 8.)

        Args:
            observed_arr: Data points, shape `(batch, *features)`.
            code_arr: What the encoder made of them, shape `(batch, *code)`.
            sigma: Standard deviation of what is added.
            n: Number of draws for each data point.
            generator: Draws; if omitted MXNet's global state, which is faster.

        Returns:
            Shape `(batch,)`.
        """
        changes = []
        for _ in range(n):
            near_arr = observed_arr + sigma * _normal(observed_arr, generator)
            if self.is_closed:
                changes.append(self._change(observed_arr, code_arr, self.encoder(near_arr)))
            else:
                changes.append(
                    self._change(observed_arr, _signs(observed_arr, generator), near_arr)
                )
        return _mean(changes)

    def exact(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Return the norm, shape `(batch,)`.

        Without a closed form it takes as many forward passes as a data point has features.

        Args:
            observed_arr: Data points, shape `(batch, *features)`.
        """
        if self.is_closed:
            return self._norm(observed_arr, self.encoder(observed_arr))
        total = None
        for number in range(math.prod(observed_arr.shape[1:])):
            along = np.zeros(observed_arr.shape[1:], dtype=observed_arr.dtype)
            along.flat[number] = 1.0
            row = copied(along[np.newaxis], observed_arr.context, observed_arr.dtype)
            square = self._given(observed_arr, nd.broadcast_to(row, observed_arr.shape))
            total = square if total is None else total + square
        return total


class _ClosedForm(HybridBlock):
    """The norm for one layer, or of the difference of the Jacobians at two data points."""

    def __init__(self, layer: Any, activation: str) -> None:
        super().__init__()
        self._layer = (layer,)  # a tuple: it is a child of its own network
        self._slope = SLOPES[activation]
        self._reg_params["weight"] = layer.weight
        self.params.update({layer.weight.name: layer.weight})
        self.hybridize(static_alloc=True, static_shape=True)

    def _check_container_with_block(self) -> None:
        """The layer is no child on purpose."""

    def hybrid_forward(self, F: Any, x: Any, *values: Any, weight: Any) -> Any:
        """Compute the norm from the values of the layer."""
        slope = self._slope(F, values[0])
        if len(values) > 1:  # the weights are the same at both, so only the slopes differ
            slope = slope - self._slope(F, values[1])
        reach = F.flatten(self._reach(F, x, weight))
        square = F.flatten(F.square(slope))
        # A dense layer with one unit: much faster than a product and a sum.
        return F.reshape(F.FullyConnected(square, reach, num_hidden=1, no_bias=True), (-1,))

    def _reach(self, F: Any, x: Any, weight: Any) -> Any:
        """Return the sum of the squared weights that go into each unit, for one data point."""
        (layer,) = self._layer
        one = F.slice_axis(x, axis=0, begin=0, end=1)
        if isinstance(layer, nn.Dense):
            ones = F.ones_like(F.flatten(one))
            settings = {"num_hidden": layer._units, "no_bias": True}
            return F.FullyConnected(ones, F.square(weight), **settings)
        # The same convolution of squared weights over ones: beyond the border there are none.
        ones = F.ones_like(F.slice_axis(one, axis=1, begin=0, end=1))
        squares = F.sum(F.square(weight), axis=1, keepdims=True)
        settings = {**layer._kwargs, "no_bias": True, "num_group": 1}
        return F.Convolution(ones, squares, **settings)


class _Along(HybridBlock):
    """The squared length of J v, or of the difference of two such, for each data point."""

    def __init__(self, tangent: Tangent) -> None:
        super().__init__()
        self.tangent = tangent
        self.hybridize(static_alloc=True, static_shape=True)

    def _build_cache(self, *args: Any) -> None:
        """Trace the graph, in which the bias of a last layer without activation has no part."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Parameter .* is not used")
            super()._build_cache(*args)

    def hybrid_forward(self, F: Any, x: Any, v: Any, near: Any = None) -> Any:
        """Compute it along `v`, at `x`, less that at `near`."""
        _, slope = self.tangent(x, v)
        if near is not None:
            slope = slope - self.tangent(near, v)[1]
        square = F.flatten(F.square(slope))
        ones = F.ones_like(F.slice_axis(square, axis=0, begin=0, end=1))
        return F.reshape(F.FullyConnected(square, ones, num_hidden=1, no_bias=True), (-1,))


def _single_layer(encoder: Any) -> tuple[Any, str] | None:
    """Return the only layer of an encoder and its activation, if the closed form holds."""
    stack = getattr(encoder, "_stack", None)
    if stack is None or len(stack) > 1 or any(stack.dropout_rate_list):
        return None
    around = [getattr(encoder, name, None) for name in ("input_nn", "output_nn")]
    if any(block is not None for block in (*around, *stack.batch_norm_list)):
        return None
    (layer,), (activation,) = stack.linear_list, stack.activation_list
    convolution = isinstance(layer, conv_layers._Conv) and layer._op_name == "Convolution"
    if not (isinstance(layer, nn.Dense) or convolution) or layer.act is not None:
        return None
    if convolution and layer._kwargs["layout"][:2] != "NC":
        return None
    return (layer, activation) if activation in SLOPES else None


def _structure(encoder: Block) -> tuple[Any, ...]:
    """Return the blocks within an encoder, and what the closed form takes of it."""
    blocks: list[Block] = []
    encoder.apply(blocks.append)
    return (_single_layer(encoder), *blocks)


def _signs(arr: nd.NDArray, generator: np.random.Generator | None) -> nd.NDArray:
    """Draw -1 or 1 for each element."""
    if generator is None:
        return 2.0 * (nd.random.uniform_like(arr) < 0.5) - 1.0
    drawn = 2.0 * generator.integers(2, size=arr.shape) - 1.0
    return copied(drawn.astype(arr.dtype), arr.context, arr.dtype)


def _normal(arr: nd.NDArray, generator: np.random.Generator | None) -> nd.NDArray:
    """Draw a standard normal number for each element."""
    if generator is None:
        return nd.random.normal_like(arr)
    return copied(generator.normal(size=arr.shape).astype(arr.dtype), arr.context, arr.dtype)


def _mean(arrays: list[nd.NDArray]) -> nd.NDArray:
    return arrays[0] if len(arrays) == 1 else nd.add_n(*arrays) / len(arrays)
