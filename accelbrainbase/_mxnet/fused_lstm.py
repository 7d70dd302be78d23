"""The LSTM that MXNet computes in one operator."""

from __future__ import annotations

from typing import Any

from mxnet import nd
from mxnet.gluon import HybridBlock, nn

_GATES = 4
_SHUT = 1e4  # sigmoid(-1e4) is 0 and sigmoid(1e4) is 1, exactly


class FusedLSTM(HybridBlock):
    """Runs a series through an LSTM whose parameters belong to two dense layers.

    The standard cell only: gates are logistic, the other two functions tanh. The rows of the
    layers are those of the input, the input gate, the forget gate and the output gate. It
    is no child of the network that uses it, and has no parameters of its own.

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
        """Compute the hidden states, after giving shapes to parameters that have none yet."""
        if isinstance(x, nd.NDArray) and self.shared[0]._deferred_init:
            self.shared[0].shape = (_GATES * self.hidden_n, x.shape[-1])
            for parameter in self.shared:
                parameter._finish_deferred_init()
        return super().forward(x, *args)

    def hybrid_forward(
        self,
        F: Any,
        x: Any,
        hidden: Any,
        cell: Any,
        mask: Any = None,
        *,
        observed_weight: Any,
        hidden_weight: Any,
        hidden_bias: Any,
    ) -> Any:
        """Compute the hidden states.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, seq_len, features)`.
            hidden: The hidden states at the beginning, shape `(batch, hidden_n)`.
            cell: The states of the cells at the beginning, of the same shape.
            mask: 1 where a data point counts and 0 where it does not, shape
                `(batch, seq_len)`: there, the cells keep their states.
            observed_weight: Shape `(4 * hidden_n, features)`.
            hidden_weight: Shape `(4 * hidden_n, hidden_n)`.
            hidden_bias: Shape `(4 * hidden_n,)`.

        Returns:
            The hidden states, shape `(batch, seq_len, hidden_n)`; the last of them and the
            last states of the cells, shape `(batch, hidden_n)`.
        """
        if 0 in self.shared[0].shape:  # a graph can infer it from this, and adds 0
            first = F.reshape(F.slice_axis(x, axis=1, begin=0, end=1), shape=(-3, 0))
            hint = F.FullyConnected(
                first, observed_weight, num_hidden=_GATES * self.hidden_n, no_bias=True
            )
            hidden = hidden + F.zeros_like(F.slice_axis(hint, axis=1, begin=0, end=self.hidden_n))
        parts = [_parts(F, arr) for arr in (observed_weight, hidden_weight, hidden_bias)]
        x = F.swapaxes(x, 0, 1)
        if mask is not None:
            hidden_arr = F.expand_dims(1.0 - F.transpose(mask), axis=2)
            x = F.concat(F.broadcast_mul(x, 1.0 - hidden_arr), hidden_arr, dim=2)
            parts[0] = [
                F.concat(part, F.expand_dims(F.ones_like(bias) * pull, axis=1), dim=1)
                for part, bias, pull in zip(parts[0], parts[2], (0.0, -_SHUT, _SHUT, 0.0))
            ]
        # MXNet's operator has the order: input gate, forget gate, input, output gate.
        ordered = [part for gates in parts for part in (gates[1], gates[2], gates[0], gates[3])]
        flat = [F.reshape(part, shape=(-1,)) for part in (*ordered, F.zeros_like(hidden_bias))]
        states, last, last_cell = F.RNN(
            x,
            F.concat(*flat, dim=0),
            F.expand_dims(hidden, axis=0),
            F.expand_dims(cell, axis=0),
            state_size=self.hidden_n,
            num_layers=1,
            mode="lstm",
            state_outputs=True,
        )
        return (
            F.swapaxes(states, 0, 1),
            F.reshape(last, shape=(-3, -2)),
            F.reshape(last_cell, shape=(-3, -2)),
        )


def _parts(F: Any, arr: Any) -> list[Any]:
    """Divide the rows of a parameter by what they belong to."""
    return list(F.split(arr, num_outputs=_GATES, axis=0))
