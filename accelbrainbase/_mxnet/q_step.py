"""The loss of a gradient step of a deep Q-network, in one graph where that can be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon, nd, sym

from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase._mxnet.network_copy import NetworkCopy


class QStep:
    """Computes losses and predicted values of transitions.

    For a network that computes the same in learning as at inference, all of it is one compiled
    graph, which gets one array: of small networks, the calls take most of the time. Otherwise
    the networks and the loss are called one by one.

    Args:
        network: Gives the values of all actions.
        target: Its copy, the target network.
        next_value: The value of the next state, such as `DoubleNextValue`.
        loss: A loss of Gluon, or what `ComputableLoss.compute` is.
        compiled: Whether graphs are compiled.
        weighted: Whether transitions come with weights, which go on the losses.

    Raises:
        ValueError: If there are to be weights, and the loss does not give one for each transition.
    """

    def __init__(
        self,
        network: gluon.HybridBlock,
        target: NetworkCopy,
        next_value: Callable[[Any, Any, Any], Any],
        loss: Callable[[Any, Any], Any],
        compiled: bool,
        weighted: bool = False,
    ) -> None:
        self.network, self.target = network, target
        self.next_value, self.loss = next_value, loss
        self.compiled = compiled and isinstance(loss, gluon.loss.Loss)
        self.needs_online = getattr(next_value, "needs_online", True)
        self.weighted = weighted
        if weighted:
            _check_loss(loss)
        self._number_n = 4 if weighted else 3
        self._after = _AfterNetworks(next_value, loss, weighted)
        if self.compiled:
            self._after.hybridize(static_alloc=True, static_shape=True)
        self._graph: gluon.SymbolBlock | None = None
        self._buffer: np.ndarray | None = None

    def __call__(self, arrays: Sequence[np.ndarray], ctx: mx.Context) -> tuple[nd.NDArray, ...]:
        """Return losses, recorded, and predicted values; with weights the errors too.

        All are of shape `(batch,)`. An error is what is predicted less what is wanted.

        Args:
            arrays: What `ReplayMemory.sample` returns.
            ctx: The device.
        """
        if self.compiled and self.target.is_plain:
            return self._in_one_graph(arrays, ctx)
        observed_arr, next_arr, number_arr = (copied(arr, ctx) for arr in arrays)
        next_arrays = [self.target(next_arr)]
        if self.needs_online:
            next_arrays.append(self.network(next_arr))
        with autograd.record():
            return tuple(self._after(self.network(observed_arr), number_arr, *next_arrays))

    def _in_one_graph(
        self, arrays: Sequence[np.ndarray], ctx: mx.Context
    ) -> tuple[nd.NDArray, ...]:
        batch, *shape = arrays[0].shape
        size = math.prod(shape)
        if self._graph is None:
            self._graph = self._traced(size, tuple(shape))
        if self._buffer is None or len(self._buffer) != batch:
            self._buffer = np.empty((batch, 2 * size + self._number_n), np.float32)
        self._buffer[:, :size] = arrays[0].reshape(batch, -1)
        self._buffer[:, size : 2 * size] = arrays[1].reshape(batch, -1)
        self._buffer[:, 2 * size :] = arrays[2]
        batch_arr = copied(self._buffer, ctx)
        with autograd.record():
            return tuple(self._graph(batch_arr))

    def _traced(self, size: int, shape: tuple[int, ...]) -> gluon.SymbolBlock:
        whole = sym.var("transitions", dtype="float32")

        def columns(begin: int, end: int) -> sym.Symbol:
            return sym.slice_axis(whole, axis=1, begin=begin, end=end)

        observed, following = (
            sym.reshape(columns(begin, begin + size), shape=(-1, *shape)) for begin in (0, size)
        )
        q, _ = self.target.symbols_of(observed)
        online, target = self.target.symbols_of(following)
        numbers = columns(2 * size, 2 * size + self._number_n)
        outputs = self._after(q, numbers, target, *([online] if self.needs_online else []))
        return self.target.block_of(outputs, whole)


class _AfterNetworks(gluon.HybridBlock):
    """The loss, given the values of actions."""

    def __init__(
        self, next_value: Callable[..., Any], loss: Callable[..., Any], weighted: bool
    ) -> None:
        super().__init__()
        self.__dict__.update(next_value=next_value, loss=loss, weighted=weighted)

    def hybrid_forward(
        self, F: Any, q_arr: Any, number_arr: Any, target_arr: Any, online_arr: Any = None
    ) -> tuple[Any, ...]:
        """Return losses, predicted values, and with weights the errors, shape `(batch,)`.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            q_arr: Values of all actions of the states, shape `(batch, actions)`.
            number_arr: Actions, returns, discounts, and weights where there are, shape
                `(batch, 3)` or `(batch, 4)`.
            target_arr: Values of all actions of the next states by the target network.
            online_arr: Those by the network that learns, where they are needed.
        """
        action_arr, return_arr, discount_arr, *weights = F.split(
            number_arr, num_outputs=4 if self.weighted else 3, axis=1, squeeze_axis=True
        )
        predicted_arr = F.pick(q_arr, action_arr, axis=1)
        next_value_arr = self.next_value(F, online_arr, target_arr)
        wanted_arr = F.BlockGrad(return_arr + discount_arr * next_value_arr)
        columns = (F.expand_dims(arr, axis=1) for arr in (predicted_arr, wanted_arr))
        loss_arr = self.loss(*columns)
        if not weights:
            return loss_arr, F.BlockGrad(predicted_arr)
        loss_arr = F.elemwise_mul(loss_arr, F.BlockGrad(weights[0]))
        error_arr = F.BlockGrad(predicted_arr - wanted_arr)
        return loss_arr, F.BlockGrad(predicted_arr), error_arr


def _check_loss(loss: Callable[..., Any]) -> None:
    shape = loss(nd.zeros((2, 1)), nd.zeros((2, 1))).shape
    if shape != (2,):
        raise ValueError(
            f"`computable_loss` must give one loss for each transition where `replay_memory` has "
            f"priorities, but gave shape {shape} for 2. Average over all axes but the first."
        )
