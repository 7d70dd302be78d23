"""Initial biases of the gates of LSTM cells."""

from __future__ import annotations

from typing import Any

import mxnet as mx
from mxnet import nd
from mxnet.initializer import Initializer


@mx.initializer.register
class ForgetGateBias(Initializer):
    """Sets biases to 0, and those of the forget gate to a value.

    For biases in the order: input of the cells, input gate, forget gate, output gate.

    Args:
        forget_bias: The value.
    """

    def __init__(self, forget_bias: float = 0.0) -> None:
        super().__init__(forget_bias=forget_bias)
        self.forget_bias = forget_bias

    def _init_weight(self, _name: Any, arr: nd.NDArray) -> None:
        hidden_n = arr.shape[0] // 4
        arr[:] = 0.0
        arr[2 * hidden_n : 3 * hidden_n] = self.forget_bias
