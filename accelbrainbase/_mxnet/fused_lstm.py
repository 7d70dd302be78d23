"""The LSTM that MXNet computes in one operator."""

from __future__ import annotations

from typing import Any

from mxnet import nd
from mxnet.gluon import HybridBlock, nn

_GATES = 4
_SHUT = 1e4  # sigmoid(-1e4) is 0 and sigmoid(1e4) is 1, exactly


class FusedLSTM:
    """Runs a series through an LSTM whose parameters belong to two dense layers.

    The standard cell only: gates are logistic, the other two functions tanh. The rows of the
    layers are those of the input, the input gate, the forget gate and the output gate.

    Args:
        observed_fc: Takes the observed data points; no bias.
        hidden_fc: Takes the hidden states; has a bias.
        hidden_n: Number of hidden units.
    """

    def __init__(self, observed_fc: nn.Dense, hidden_fc: nn.Dense, hidden_n: int) -> None:
        self.pack = PackedParameters(observed_fc, hidden_fc, hidden_n)
        self.hidden_n = hidden_n

    def __call__(
        self, F: Any, x: Any, hidden: Any, cell: Any, mask: Any = None
    ) -> tuple[Any, Any, Any]:
        """Compute the hidden states.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, seq_len, features)`.
            hidden: The hidden states at the beginning, shape `(batch, hidden_n)`.
            cell: The states of the cells at the beginning, of the same shape.
            mask: 1 where a data point counts and 0 where it does not, shape
                `(batch, seq_len)`: there, the cells keep their states.

        Returns:
            The hidden states, shape `(batch, seq_len, hidden_n)`; the last of them and the
            last states of the cells, shape `(batch, hidden_n)`.
        """
        first = F.reshape(F.slice_axis(x, axis=1, begin=0, end=1), shape=(-3, 0))
        packed = self.pack(first, *([] if mask is None else [mask]))
        x = F.swapaxes(x, 0, 1)
        if mask is not None:
            hidden_arr = F.expand_dims(1.0 - F.transpose(mask), axis=2)
            x = F.concat(F.broadcast_mul(x, 1.0 - hidden_arr), hidden_arr, dim=2)
        states, *last = self._run(F, packed, x, hidden, cell)
        return (F.swapaxes(states, 0, 1), *last)

    def step(self, F: Any, packed: Any, point: Any, hidden: Any, cell: Any) -> tuple[Any, Any]:
        """Compute one step of the cells.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            packed: What `pack(point)` returned.
            point: The data points of this time, shape `(batch, features)`.
            hidden: Hidden states before, shape `(batch, hidden_n)`.
            cell: States of the cells before, of the same shape.

        Returns:
            Both, after it.
        """
        _, hidden, cell = self._run(F, packed, F.expand_dims(point, axis=0), hidden, cell)
        return hidden, cell

    def _run(self, F: Any, packed: Any, x: Any, hidden: Any, cell: Any) -> tuple[Any, Any, Any]:
        """Run series whose first axis is time."""
        states, last, last_cell = F.RNN(
            x,
            packed,
            F.expand_dims(hidden, axis=0),
            F.expand_dims(cell, axis=0),
            state_size=self.hidden_n,
            num_layers=1,
            mode="lstm",
            state_outputs=True,
        )
        return states, F.reshape(last, shape=(-3, -2)), F.reshape(last_cell, shape=(-3, -2))


class PackedParameters(HybridBlock):
    """Puts the parameters of two dense layers in the order of MXNet's operator.

    It is no child of the network that uses it, and has no parameters of its own.

    Args:
        observed_fc: Takes the observed data points; no bias.
        hidden_fc: Takes the hidden states; has a bias.
        hidden_n: Number of hidden units.
    """

    def __init__(self, observed_fc: nn.Dense, hidden_fc: nn.Dense, hidden_n: int) -> None:
        super().__init__()
        self.hidden_n = hidden_n
        self.shared = (observed_fc.weight, hidden_fc.weight, hidden_fc.bias)
        names = ("observed_weight", "hidden_weight", "hidden_bias")
        self._reg_params.update(zip(names, self.shared))

    def forward(self, x: Any, *args: Any) -> Any:
        """Pack the parameters, after giving shapes to those that have none yet."""
        if isinstance(x, nd.NDArray) and self.shared[0]._deferred_init:
            self.shared[0].shape = (_GATES * self.hidden_n, x.shape[-1])
            for parameter in self.shared:
                parameter._finish_deferred_init()
        return super().forward(x, *args)

    def hybrid_forward(
        self,
        F: Any,
        x: Any,
        mask: Any = None,
        *,
        observed_weight: Any,
        hidden_weight: Any,
        hidden_bias: Any,
    ) -> Any:
        """Pack the parameters.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Data points, shape `(batch, features)`. Only their shape counts.
            mask: If given, the cells get one more input, which shuts the input gate and opens
                the forget gate where it is 1. Only whether there is one counts.
            observed_weight: Shape `(4 * hidden_n, features)`.
            hidden_weight: Shape `(4 * hidden_n, hidden_n)`.
            hidden_bias: Shape `(4 * hidden_n,)`.

        Returns:
            All of them, and zeros for the second bias of the operator, shape `(size,)`.
        """
        rows = F.reshape(F.BlockGrad(hidden_bias), shape=(_GATES, -1))
        if 0 in self.shared[0].shape:  # a graph can infer it from this, and adds 0
            hint = F.FullyConnected(
                x, observed_weight, num_hidden=_GATES * self.hidden_n, no_bias=True
            )
            hint = F.reshape(F.zeros_like(F.slice_axis(hint, axis=0, begin=0, end=1)), shape=(-1,))
            hidden_bias = hidden_bias + hint
        if mask is not None:
            one = F.ones_like(F.slice_axis(rows, axis=0, begin=0, end=1))
            pull = F.concat(*(one * strength for strength in (0.0, -_SHUT, _SHUT, 0.0)), dim=0)
            column = F.reshape(pull, shape=(-1, 1))
            observed_weight = F.concat(observed_weight, column, dim=1)
        # MXNet's operator has the order: input gate, forget gate, input, output gate.
        number = F.contrib.arange_like(rows, axis=0)
        order = F.concat(
            *(
                F.slice_axis(number, axis=0, begin=begin, end=end)
                for begin, end in ((1, 3), (0, 1), (3, 4))
            ),
            dim=0,
        )
        parameters = [observed_weight, hidden_weight, hidden_bias]
        ordered = [F.take(F.reshape(arr, shape=(_GATES, -1)), order) for arr in parameters]
        # As rows of one matrix each: concatenating vectors is slow.
        flat = [F.reshape(arr, shape=(1, -1)) for arr in (*ordered, F.zeros_like(rows))]
        return F.reshape(F.concat(*flat, dim=1), shape=(-1,))
