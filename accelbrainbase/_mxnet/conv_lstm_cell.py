"""LSTM cells whose weights are convolutions."""

from __future__ import annotations

from typing import Any

from mxnet import nd
from mxnet.gluon import HybridBlock, nn

from accelbrainbase._checks import check_integer, check_is_a


class ConvLSTMCell(HybridBlock):
    r"""A convolutional LSTM cell, for series of pictures (Shi et al. 2015, equation 3).

    .. math::
        i_t &= \sigma(W_{xi} * X_t + W_{hi} * H_{t-1} + W_{ci} \circ C_{t-1} + b_i) \\
        f_t &= \sigma(W_{xf} * X_t + W_{hf} * H_{t-1} + W_{cf} \circ C_{t-1} + b_f) \\
        C_t &= f_t \circ C_{t-1} + i_t \circ \tanh(W_{xc} * X_t + W_{hc} * H_{t-1} + b_c) \\
        o_t &= \sigma(W_{xo} * X_t + W_{ho} * H_{t-1} + W_{co} \circ C_t + b_o), \quad
        H_t = o_t \circ \tanh(C_t)

    Args:
        hidden_channel: Number of channels of the states.
        kernel_size: Size of the convolutions; odd, so that pictures keep their size.
        picture_size: Height and width of the pictures, where the gates are to see the states of
            the cells (:math:`W_{ci}, W_{cf}, W_{co}`, "peepholes"); `None` for no peepholes.
        **kwargs: `prefix` and `params` of Gluon.

    Raises:
        TypeError: If `picture_size` is no pair of integers.
        ValueError: If `kernel_size` is even, or `picture_size` has more or fewer than two.

    References:
        - Shi, X., et al. (2015). Convolutional LSTM network: A machine learning approach for
          precipitation nowcasting. NeurIPS.
    """

    def __init__(
        self,
        hidden_channel: int,
        kernel_size: int = 3,
        picture_size: tuple[int, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hidden_channel = check_integer("hidden_channel", hidden_channel, low=1)
        check_integer("kernel_size", kernel_size, low=1)
        if kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` must be odd, but got {kernel_size}.")
        if picture_size is not None:
            check_is_a("picture_size", picture_size, (tuple, list))
            if len(picture_size) != 2:
                raise ValueError(
                    f"`picture_size` must be (height, width), but got {picture_size!r}."
                )
            for length in picture_size:
                check_integer("picture_size", length, low=1)
        self.picture_size = picture_size
        shared = {"kernel_size": kernel_size, "padding": kernel_size // 2}
        with self.name_scope():
            self.observed_conv = nn.Conv2D(4 * hidden_channel, **shared)
            self.hidden_conv = nn.Conv2D(
                4 * hidden_channel, use_bias=False, in_channels=hidden_channel, **shared
            )
            if picture_size is not None:
                shape = (1, hidden_channel, *picture_size)
                self.input_peephole = self.params.get("input_peephole", shape=shape, init="zeros")
                self.forget_peephole = self.params.get("forget_peephole", shape=shape, init="zeros")
                self.output_peephole = self.params.get("output_peephole", shape=shape, init="zeros")

    def hybrid_forward(
        self,
        F: Any,
        projected: Any,
        hidden: Any,
        cell: Any,
        input_peephole: Any = None,
        forget_peephole: Any = None,
        output_peephole: Any = None,
    ) -> list[Any]:
        """Compute one step.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            projected: What `observed_conv` made of the pictures of this time, shape
                `(batch, 4 * hidden_channel, height, width)`.
            hidden: Hidden states before, shape `(batch, hidden_channel, height, width)`.
            cell: States of the cells before, of the same shape.
            input_peephole: Given by Gluon.
            forget_peephole: Given by Gluon.
            output_peephole: Given by Gluon.

        Returns:
            Both states after it.
        """
        gates = projected + self.hidden_conv(hidden)
        new, input_gate, forget_gate, output_gate = F.split(gates, num_outputs=4, axis=1)
        if input_peephole is not None:
            input_gate = input_gate + F.broadcast_mul(cell, input_peephole)
            forget_gate = forget_gate + F.broadcast_mul(cell, forget_peephole)

        def act(x: Any, name: str) -> Any:
            return F.Activation(x, act_type=name)

        kept = act(forget_gate, "sigmoid") * cell
        cell = kept + act(input_gate, "sigmoid") * act(new, "tanh")
        if output_peephole is not None:
            output_gate = output_gate + F.broadcast_mul(cell, output_peephole)
        return [act(output_gate, "sigmoid") * act(cell, "tanh"), cell]

    def propagate(
        self, F: Any, x: Any, length: int | None = None, state: list[Any] | None = None
    ) -> tuple[Any, Any, Any]:
        """Run a series of pictures through the cell.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Shape `(batch, length, channel, height, width)`.
            length: The length; needed where `F` is `mxnet.symbol`.
            state: Hidden states and states of the cells before it; 0 if omitted.

        Returns:
            The hidden states, shape `(batch, length, hidden_channel, height, width)`; the last
            ones, and the last states of the cells.

        Raises:
            ValueError: If the length is not known.
        """
        if length is None:
            if F is not nd:
                raise ValueError("`length` must be given while a graph is traced.")
            length = x.shape[1]
        pictures = self.observed_conv(F.reshape(x, shape=(-3, -2)))
        projected = F.reshape_like(pictures, x, lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=2)
        states = []
        for time in range(length):
            point = F.slice_axis(projected, axis=1, begin=time, end=time + 1)
            point = F.reshape(point, shape=(-3, -2))
            if state is None:
                zero = F.slice_axis(point, axis=1, begin=0, end=self.hidden_channel)
                state = [F.zeros_like(zero), F.zeros_like(zero)]
            state = self(point, *state)
            states.append(state[0])
        assert state is not None
        return F.stack(*states, axis=1), state[0], state[1]
