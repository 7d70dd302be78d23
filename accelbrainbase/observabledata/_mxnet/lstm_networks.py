"""Networks with long short-term memory (LSTM)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mxnet as mx
from mxnet import gluon, nd
from mxnet.gluon import nn
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer, check_is_a, check_number
from accelbrainbase._mxnet.activations import activation
from accelbrainbase._mxnet.features import of_output
from accelbrainbase._mxnet.fused_lstm import FusedLSTM
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase._mxnet.graph_per_input import GraphPerInput
from accelbrainbase._mxnet.initializableparams.forget_gate_bias import ForgetGateBias
from accelbrainbase._mxnet.masked_series import (
    last_unmasked,
    order_of_unmasked,
    without_masked,
)
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks
from accelbrainbase.regularizatable_data import RegularizatableData

_STANDARD = ("tanh", "sigmoid", "sigmoid", "sigmoid", "tanh")


class LSTMNetworks(GraphPerInput, GradientBlock):
    r"""A layer of LSTM cells over a series, and a dense layer over each of its points.

    .. math::
        i_t &= \sigma(W_i x_t + U_i h_{t-1} + b_i), \quad
        f_t = \sigma(W_f x_t + U_f h_{t-1} + b_f), \quad
        o_t = \sigma(W_o x_t + U_o h_{t-1} + b_o) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot \tanh(W_g x_t + U_g h_{t-1} + b_g), \quad
        h_t = o_t \odot \tanh(c_t)

    with the activations that the arguments name. With the default ones MXNet computes the whole
    series in one operator; the numbers are the same. Batch size and length are those of
    the data.

    A mask, shape `(batch, seq_len)`, has 1 where a data point counts and 0 where it does not:
    so series of unequal length are filled up to one length. The cells skip masked points as if
    they were not there, and these have no loss. `SeriesIterator` fills up and masks; iterators
    hand masks over by tuples of six:
    ``(observed_arr, target_arr, test_observed_arr, test_target_arr, mask_arr, test_mask_arr)``.

    Args:
        batch_size: Kept for programs that pass it; it has no effect.
        seq_len: Length of the series. It is needed only where a hybridised block of another
            library contains the network and its cells are not the standard ones; else the
            length is that of the data.
        computable_loss: The loss: a `ComputableLoss`, or any loss of Gluon.
        initializer: Draws the initial weights; by default Xavier's with variance 1 / fan-in.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        hidden_n: Number of LSTM cells.
        output_n: Number of units of the output layer.
        dropout_rate: Dropout rate in [0, 1) of the hidden states on their way to the output.
            What the cells pass on to themselves is not dropped (Zaremba et al. 2014).
        optimizer_name: Name of a Gluon optimiser.
        input_adjusted_flag: Whether the data points of each time are divided by the number of
            their elements, `batch * features`, as 1.1.0 did. The output then depends on the
            size of the batch.
        observed_activation: Activation of the input of the cells: a key of
            `accelbrainbase._mxnet.activations.ACTIVATIONS`.
        input_gate_activation: Activation of the input gate.
        forget_gate_activation: Activation of the forget gate.
        output_gate_activation: Activation of the output gate.
        hidden_activation: Activation of the states of the cells on their way out.
        output_activation: Activation of the output layer.
        output_layer_flag: Whether there is an output layer; else the hidden states are the
            output.
        output_no_bias_flag: Whether the output layer has no bias.
        output_nn: A network that takes the place of the output layer: a `NeuralNetworks` for
            the whole series, flattened (its length is then fixed), or an `NN3DHybrid` for
            each point.
        ctx: The device.
        hybridize_flag: Whether the network is compiled to a static graph.
        regularizatable_data_list: Constraints, applied after each step.
        scale: Factor on the initial weights.
        peephole_flag: Whether the gates see the states of the cells too (Gers & Schmidhuber
            2000), by full matrices. The networks of 1.1.0 are such; their files need it.
        forget_bias: Initial bias of the forget gate. 1 helps to remember over long times
            (Jozefowicz et al. 2015).
        observed_dropout_rate: Dropout rate in [0, 1) of the observed data points.
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`,
            `max_gradient_norm`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.

    References:
        - Hochreiter, S., & Schmidhuber, J. (1997). Long short-term memory. Neural
          Computation, 9(8), 1735-1780.
        - Gers, F. A., Schmidhuber, J., & Cummins, F. (2000). Learning to forget. Neural
          Computation, 12(10), 2451-2471.
        - Zaremba, W., Sutskever, I., & Vinyals, O. (2014). Recurrent neural network
          regularization. arXiv:1409.2329.
    """

    def __init__(
        self,
        batch_size: int | None = None,
        seq_len: int | None = None,
        computable_loss: ComputableLoss | gluon.loss.Loss | None = None,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 0.1,
        attenuate_epoch: int = 50,
        hidden_n: int = 200,
        output_n: int = 1,
        dropout_rate: float = 0.5,
        optimizer_name: str = "SGD",
        input_adjusted_flag: bool = False,
        observed_activation: str = "tanh",
        input_gate_activation: str = "sigmoid",
        forget_gate_activation: str = "sigmoid",
        output_gate_activation: str = "sigmoid",
        hidden_activation: str = "tanh",
        output_activation: str = "tanh",
        output_layer_flag: bool = True,
        output_no_bias_flag: bool = False,
        output_nn: NeuralNetworks | None = None,
        ctx: mx.Context | None = None,
        hybridize_flag: bool = True,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        scale: float = 1.0,
        *,
        peephole_flag: bool = False,
        forget_bias: float = 0.0,
        observed_dropout_rate: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            computable_loss=computable_loss,  # type: ignore[arg-type] # checked there
            initializer=initializer,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            optimizer_name=optimizer_name,
            ctx=ctx,
            hybridize_flag=hybridize_flag,
            regularizatable_data_list=regularizatable_data_list,
            scale=scale,
            **kwargs,
        )
        self.batch_size = batch_size
        self.seq_len = seq_len
        self.hidden_n = check_integer("hidden_n", hidden_n, low=1)
        self.output_n = check_integer("output_n", output_n, low=1)
        check_is_a("output_nn", output_nn, NeuralNetworks, optional=True)
        self.input_adjusted_flag = bool(input_adjusted_flag)
        self.output_layer_flag = bool(output_layer_flag)
        self.peephole_flag = bool(peephole_flag)
        names = (
            observed_activation,
            input_gate_activation,
            forget_gate_activation,
            output_gate_activation,
            hidden_activation,
        )
        arguments = ("observed", "input_gate", "forget_gate", "output_gate", "hidden")
        self._activations = [
            activation(name, argument=f"{argument}_activation")
            for name, argument in zip(names, arguments)
        ]
        self._output_activation = activation(output_activation, argument="output_activation")
        rates = {"dropout": dropout_rate, "observed_dropout": observed_dropout_rate}
        for name, rate in rates.items():
            rates[name] = check_number(f"{name}_rate", rate, low=0.0, high=1.0, high_open=True)
        check_number("forget_bias", forget_bias)
        with self.name_scope():
            self.observed_fc = nn.Dense(4 * hidden_n, use_bias=False, flatten=False)
            self.hidden_fc = nn.Dense(
                4 * hidden_n, in_units=hidden_n, bias_initializer=ForgetGateBias(forget_bias)
            )
            if self.peephole_flag:
                self.input_gate_fc, self.forget_gate_fc, self.output_gate_fc = (
                    nn.Dense(hidden_n, use_bias=False, in_units=hidden_n) for _ in range(3)
                )
            self._dropout = nn.Dropout(rates["dropout"]) if rates["dropout"] else None
            self._observed_dropout = (
                nn.Dropout(rates["observed_dropout"], axes=())
                if rates["observed_dropout"]
                else None
            )
            if self.output_layer_flag and output_nn is None:
                self.output_fc = nn.Dense(
                    output_n, use_bias=not output_no_bias_flag, flatten=False, in_units=hidden_n
                )
        if self.output_layer_flag and output_nn is not None:
            self.output_nn = output_nn
        self._fused = None
        standard = type(self).step is LSTMNetworks.step
        if standard and names == _STANDARD and not self.peephole_flag:
            self._fused = FusedLSTM(self.observed_fc, self.hidden_fc, hidden_n)
        self.complete()

    # -- forward -----------------------------------------------------------------------

    def forward_propagation(self, F: Any, x: Any, *args: Any) -> Any:
        """Compute the output.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, seq_len, features)`.
            *args: The mask, shape `(batch, seq_len)`, or nothing.

        Returns:
            The output, shape `(batch, seq_len, output_n)`.
        """
        mask = args[0] if args else None
        hidden_arr, _, _ = self.propagate(F, x, mask=mask)
        self.keep_features(hidden_arr)
        return (
            self.output_forward_propagate(F, hidden_arr) if self.output_layer_flag else hidden_arr
        )

    def hidden_forward_propagate(self, F: Any, observed_arr: Any) -> Any:
        """Compute the hidden states.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            observed_arr: Series, shape `(batch, seq_len, features)`.

        Returns:
            The hidden states, shape `(batch, seq_len, hidden_n)`.
        """
        return self.propagate(F, observed_arr)[0]

    def output_forward_propagate(self, F: Any, pred_arr: Any) -> Any:
        """Compute the output layer.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            pred_arr: Hidden states, shape `(…, hidden_n)`.

        Returns:
            The output, shape `(…, output_n)`.
        """
        if not self.output_layer_flag:
            return pred_arr
        if self._dropout is not None:
            pred_arr = self._dropout(pred_arr)
        if "output_nn" in self._children:
            return self.output_nn(pred_arr)
        return self._output_activation(F, self.output_fc(pred_arr))

    def propagate(
        self, F: Any, x: Any, state: Any = None, mask: Any = None, length: int | None = None
    ) -> tuple[Any, Any, Any]:
        """Run a series through the cells.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, seq_len, features)`.
            state: Hidden states and states of the cells before it, each of shape
                `(batch, hidden_n)`; 0 if omitted.
            mask: 1 where a data point counts, shape `(batch, seq_len)`; everywhere if omitted.
            length: `seq_len`; if omitted, it is found out.

        Returns:
            The hidden states, shape `(batch, seq_len, hidden_n)` (0 where masked); the last
            hidden states and the last states of the cells, shape `(batch, hidden_n)`.
        """
        if state is None:
            state = (self.zero_state(F, x), self.zero_state(F, x))
        x = self._read(F, x)
        if mask is not None:  # what counts first, so that the cells know no gaps
            order = order_of_unmasked(F, mask)
            x = F.batch_dot(order, x)
            mask = F.reshape(F.batch_dot(order, F.expand_dims(mask, axis=2)), shape=(0, -1))
        if self._fused is not None:
            hidden_arr, last, cell = self._fused(F, x, state[0], state[1], mask)
        else:
            hidden_arr, last, cell = self._run_steps(F, x, state, mask, length)
        if mask is not None:
            last = last_unmasked(F, hidden_arr, mask)
            hidden_arr = F.broadcast_mul(hidden_arr, F.expand_dims(mask, axis=2))
            hidden_arr = F.batch_dot(order, hidden_arr, transpose_a=True)
        return hidden_arr, last, cell

    def zero_state(self, F: Any, x: Any) -> Any:
        """Return zeros of shape `(batch, hidden_n)` for the series `x`, where it is."""
        one = F.slice(x, begin=(None, 0, 0), end=(None, 1, 1))
        return F.tile(F.reshape(F.zeros_like(one), shape=(-3, 0)), reps=(1, self.hidden_n))

    def step(
        self, F: Any, projected: Any, hidden: Any, cell: Any, keep: Any = None
    ) -> tuple[Any, Any]:
        """Compute one step of the cells.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            projected: What `observed_fc` made of the data points of this time, shape
                `(batch, 4 * hidden_n)`.
            hidden: Hidden states before, shape `(batch, hidden_n)`.
            cell: States of the cells before, of the same shape.
            keep: 0 for series whose cells keep their states, else 1, shape `(batch, 1)`.

        Returns:
            Both, after it.
        """
        observed_f, input_f, forget_f, output_f, hidden_f = self._activations
        gates, n = projected + self.hidden_fc(hidden), self.hidden_n
        new, input_gate, forget_gate, output_gate = (  # faster than to split
            F.slice_axis(gates, axis=1, begin=begin, end=begin + n) for begin in range(0, 4 * n, n)
        )
        if self.peephole_flag:
            input_gate = input_gate + self.input_gate_fc(cell)
            forget_gate = forget_gate + self.forget_gate_fc(cell)
        before = cell
        cell = forget_f(F, forget_gate) * cell + input_f(F, input_gate) * observed_f(F, new)
        if keep is not None:
            cell = F.broadcast_mul(keep, cell) + F.broadcast_mul(1.0 - keep, before)
        if self.peephole_flag:
            output_gate = output_gate + self.output_gate_fc(cell)
        return output_f(F, output_gate) * hidden_f(F, cell), cell

    def stepper(self, F: Any, point: Any) -> Callable[[Any, Any, Any], tuple[Any, Any]]:
        """Return what runs data points through the cells, one time after the other.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            point: The data points of the first time, shape `(batch, features)`.

        Returns:
            A function of data points of one time, hidden states and states of the cells
            before. It returns both states after it, shape `(batch, hidden_n)`.
        """
        if self._fused is None:

            def advance(point: Any, hidden: Any, cell: Any) -> tuple[Any, Any]:
                projected = self.observed_fc(self._read(F, point, one_time=True))
                return self.step(F, projected, hidden, cell)

            return advance
        fused, packed = self._fused, self._fused.pack(point)

        def advance_fused(point: Any, hidden: Any, cell: Any) -> tuple[Any, Any]:
            point = self._read(F, point, one_time=True)
            return fused.step(F, packed, point, hidden, cell)

        return advance_fused

    def _run_steps(
        self, F: Any, x: Any, state: Any, mask: Any, length: int | None
    ) -> tuple[Any, Any, Any]:
        """Run the cells step by step."""
        length = self.length_of(F, x) if length is None else length
        projected = self.observed_fc(x)
        if mask is not None:
            projected = F.broadcast_mul(projected, F.expand_dims(mask, axis=2))
        hidden, cell = state
        states = []
        for time in range(length):
            at_time = {"axis": 1, "begin": time, "end": time + 1}
            keep = [] if mask is None else [F.slice_axis(mask, **at_time)]
            point = F.reshape(F.slice_axis(projected, **at_time), shape=(-3, 0))
            hidden, cell = self.step(F, point, hidden, cell, *keep)
            states.append(hidden)
        return F.stack(*states, axis=1), hidden, cell

    def _needs_length(self, *_given: bool) -> bool:
        return self._fused is None

    def _read(self, F: Any, x: Any, one_time: bool = False) -> Any:
        """Return what the cells see of a series, or of data points of one time."""
        if self.input_adjusted_flag:
            size = F.size_array(x if one_time else F.slice_axis(x, axis=1, begin=0, end=1))
            ones = (1, 1) if one_time else (1, 1, 1)
            x = F.broadcast_div(x, F.reshape(F.cast(size, dtype="float32"), shape=ones))
        return x if self._observed_dropout is None else self._observed_dropout(x)

    # -- features ----------------------------------------------------------------------

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """The hidden states of the last forward pass, shape `(batch, seq_len, hidden_n)`."""
        return self.kept_features()

    def extract_feature_points(self) -> nd.NDArray:
        """Return `feature_points_arr`."""
        return self.feature_points_arr

    # -- the door, and learning --------------------------------------------------------

    def inference(self, observed_arr: Any, mask_arr: Any = None) -> nd.NDArray:
        """Infer: one forward pass.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, seq_len, features)`.
            mask_arr: 1 where a data point counts and 0 where it does not, shape
                `(batch, seq_len)`; everywhere if omitted. What is there may be NaN.

        Returns:
            The output, shape `(batch, seq_len, output_n)`.

        Raises:
            ValueError: If a shape does not fit.
        """
        observed_arr = self.on_device("observed_arr", observed_arr)
        self._check_input(observed_arr)
        if mask_arr is None:
            return self(observed_arr)
        return self(*self._masked(observed_arr, mask_arr))

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        if observed_arr.ndim != 3 or 0 in observed_arr.shape:
            raise ValueError(
                f"`observed_arr` must have shape (batch, seq_len, features), with at least one "
                f"data point, but got {observed_arr.shape}. Make one series a batch by "
                f"`observed_arr.reshape((1, seq_len, features))`."
            )
        known = self.observed_fc.weight.shape[1]
        if known and known != observed_arr.shape[2]:
            raise ValueError(
                f"`observed_arr` must have {known} features at each time, as this "
                f"{type(self).__name__} has learned, but got shape {observed_arr.shape}."
            )

    def _masked(self, observed_arr: nd.NDArray, mask_arr: Any) -> tuple[nd.NDArray, nd.NDArray]:
        """Return the series with 0 where they are masked, and the mask, which fits them."""
        mask_arr = self.on_device("mask_arr", mask_arr)
        if mask_arr.shape != observed_arr.shape[:2]:
            raise ValueError(
                f"`mask_arr` must have shape (batch, seq_len), here {observed_arr.shape[:2]}, "
                f"but got {mask_arr.shape}."
            )
        return without_masked(observed_arr, mask_arr), mask_arr

    def _split(self, batch: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        if len(batch) != 6:
            return super()._split(batch)
        observed_arr, target_arr, test_observed_arr, test_target_arr, mask_arr, test_mask_arr = (
            batch
        )
        train = [observed_arr, target_arr, mask_arr]
        return train, [test_observed_arr, test_target_arr, test_mask_arr]

    def _train_step(
        self, observed_arr: nd.NDArray, target_arr: nd.NDArray, mask_arr: nd.NDArray | None = None
    ) -> Any:
        if mask_arr is not None:
            observed_arr, mask_arr = self._masked(observed_arr, mask_arr)
        return self._gradient_step(self._batch_loss, observed_arr, target_arr, mask_arr)

    @of_output
    def _batch_loss(
        self, observed_arr: nd.NDArray, target_arr: nd.NDArray, mask_arr: nd.NDArray | None = None
    ) -> Any:
        pred_arr = self._predict(observed_arr, target_arr, mask_arr)
        return self._masked_score(pred_arr, target_arr, mask_arr)

    def _predict(
        self, observed_arr: nd.NDArray, _target_arr: nd.NDArray, mask_arr: nd.NDArray | None
    ) -> nd.NDArray:
        """Hook: compute the output in a step of learning."""
        return self(observed_arr, mask_arr)

    def _evaluate(
        self, observed_arr: nd.NDArray, target_arr: nd.NDArray, mask_arr: nd.NDArray | None = None
    ) -> Any:
        pred_arr = self.inference(observed_arr, mask_arr)
        return self._masked_score(pred_arr, target_arr, mask_arr)

    def _masked_score(
        self, pred_arr: nd.NDArray, target_arr: nd.NDArray, mask_arr: nd.NDArray | None
    ) -> dict[str, nd.NDArray]:
        if mask_arr is not None:
            if pred_arr.ndim != 3 or target_arr.ndim != 3:
                raise ValueError(
                    f"A mask needs outputs and targets of shape (batch, seq_len, …), but they "
                    f"have {pred_arr.shape} and {target_arr.shape}. Learn without masks."
                )
            pred_arr, target_arr = (without_masked(arr, mask_arr) for arr in (pred_arr, target_arr))
        return self._score(pred_arr, target_arr)
