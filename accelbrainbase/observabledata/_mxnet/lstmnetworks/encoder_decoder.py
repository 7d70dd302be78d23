"""Encoder/decoder networks with LSTM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mxnet as mx
from mxnet import gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase._mxnet.masked_series import order_of_unmasked, without_masked
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.lstm_networks import LSTMNetworks
from accelbrainbase.regularizatable_data import RegularizatableData


class EncoderDecoder(LSTMNetworks):
    r"""Reads a series into the states of an LSTM, and writes one from them by another.

    With `generating_flag=True` (Malhotra et al. 2016, section 2.1) the last states of the
    encoder are the first states of the decoder, which writes the series in reverse order:

    .. math::
        \hat{x}_T = w(h_T), \quad h_{t-1} = \mathrm{LSTM}(x_t, h_t), \quad
        \hat{x}_{t-1} = w(h_{t-1})

    where w is the output layer of the decoder. In learning the decoder reads the true
    :math:`x_t` (the teacher: the target), at inference what it wrote itself. The output of
    this class is in the order of the target.

    With `generating_flag=False` the decoder reads all states of the encoder, one at each
    time, the last one first; its output, too, is in the order of the target.

    Args:
        encoder: Reads the series. With `generating_flag=True` its output layer, if it has
            one, would have no use: build it with `output_layer_flag=False`.
        decoder: Writes the series; its output layer has as many units as the target has
            features. Without one it writes, and reads, its hidden states.
        computable_loss: The loss of the output.
        initializer: Draws the initial values of parameters whose shape is not known yet;
            `None` leaves that to the initialisers of the parts.
        batch_size: No effect: it is that of the data.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        seq_len: Length of the series. It is needed only where a hybridised block of another
            library contains the network; else the length is that of the data.
        hidden_n: No effect, as all that describes layers: they are those of the parts.
        output_n: No effect.
        dropout_rate: No effect.
        optimizer_name: Name of a Gluon optimiser.
        observed_activation: No effect.
        input_gate_activation: No effect.
        forget_gate_activation: No effect.
        output_gate_activation: No effect.
        hidden_activation: No effect.
        output_activation: No effect.
        output_layer_flag: No effect.
        ctx: The device; that of the encoder if omitted.
        hybridize_flag: Whether the network is compiled to a static graph.
        regularizatable_data_list: Constraints, applied after each step.
        scale: Factor on the initial weights that `initializer` draws.
        generating_flag: Whether the decoder starts from the last states of the encoder, and
            reads what it has written.
        teacher_forcing_flag: Whether the decoder reads the true series in learning; else it
            learns from what it wrote itself, as at inference.
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`,
            `max_gradient_norm`, …

    Raises:
        TypeError: If a part is no `LSTMNetworks`, or a keyword is unknown.
        ValueError: If the parts do not fit.

    Attributes:
        encoder: Reads the series.
        decoder: Writes the series.

    References:
        - Cho, K., et al. (2014). Learning phrase representations using RNN encoder-decoder
          for statistical machine translation. EMNLP.
        - Malhotra, P., et al. (2016). LSTM-based encoder-decoder for multi-sensor anomaly
          detection. arXiv:1607.00148.
    """

    encoder: Any = None
    decoder: Any = None

    def __init__(
        self,
        encoder: LSTMNetworks,
        decoder: LSTMNetworks,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        initializer: Initializer | None = None,
        batch_size: int = 100,
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 0.1,
        attenuate_epoch: int = 50,
        seq_len: int = 0,
        hidden_n: int | None = None,
        output_n: int | None = None,
        dropout_rate: float | None = None,
        optimizer_name: str = "SGD",
        observed_activation: str | None = None,
        input_gate_activation: str | None = None,
        forget_gate_activation: str | None = None,
        output_gate_activation: str | None = None,
        hidden_activation: str | None = None,
        output_activation: str | None = None,
        output_layer_flag: bool | None = None,
        ctx: mx.Context | None = None,
        hybridize_flag: bool = True,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        scale: float = 1.0,
        generating_flag: bool = True,
        *,
        teacher_forcing_flag: bool = True,
        **kwargs: Any,
    ) -> None:
        check_is_a("encoder", encoder, LSTMNetworks)
        check_is_a("decoder", decoder, LSTMNetworks)
        if generating_flag:
            _check_fit(encoder, decoder)
        without_effect = {
            "hidden_n": hidden_n,
            "output_n": output_n,
            "dropout_rate": dropout_rate,
            "observed_activation": observed_activation,
            "input_gate_activation": input_gate_activation,
            "forget_gate_activation": forget_gate_activation,
            "output_gate_activation": output_gate_activation,
            "hidden_activation": hidden_activation,
            "output_activation": output_activation,
            "output_layer_flag": output_layer_flag,
        }
        kwargs.update((name, value) for name, value in without_effect.items() if value is not None)
        # Not the constructor of LSTMNetworks: the layers are those of the parts.
        super(LSTMNetworks, self).__init__(
            computable_loss=computable_loss,
            initializer=initializer,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            optimizer_name=optimizer_name,
            ctx=encoder.ctx_list if ctx is None else ctx,
            hybridize_flag=hybridize_flag,
            regularizatable_data_list=regularizatable_data_list,
            scale=scale,
            **kwargs,
        )
        self.batch_size = batch_size
        self.seq_len = seq_len
        self.encoder = encoder
        self.decoder = decoder
        self.generating_flag = bool(generating_flag)
        self.teacher_forcing_flag = bool(teacher_forcing_flag)
        self.hidden_n = encoder.hidden_n
        self.output_n = decoder.output_n if decoder.output_layer_flag else decoder.hidden_n
        self.output_layer_flag = decoder.output_layer_flag
        self.complete()

    def forward_propagation(self, F: Any, x: Any, *args: Any) -> Any:
        """Compute the output.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, seq_len, features)`.
            *args: The teacher, shape `(batch, seq_len, output_n)`, or `None`; the mask, shape
                `(batch, seq_len)`.

        Returns:
            The output, shape `(batch, seq_len, output_n)`, in the order of the target.
        """
        teacher, mask = (*args, None, None)[:2]
        length = self.length_of(F, x) if self._needs_length(teacher is not None) else None
        states, *last = self.encoder.propagate(F, x, mask=mask, length=length)
        self.keep_features(states)
        if not self.generating_flag:
            states = self.encoder.output_forward_propagate(F, states)
            return self._read_all(F, states, mask, length)
        if teacher is None:
            output = self._write(F, last, length)
        else:
            output = self._write_taught(F, last, teacher, mask, length)
        if mask is None:
            return F.reverse(output, axis=1)
        return F.batch_dot(order_of_unmasked(F, mask, reverse=True), output, transpose_a=True)

    def hidden_forward_propagate(self, F: Any, observed_arr: Any) -> Any:
        """Compute the states of the encoder.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            observed_arr: Series, shape `(batch, seq_len, features)`.

        Returns:
            The states, shape `(batch, seq_len, hidden_n)`.
        """
        return self.encoder.hidden_forward_propagate(F, observed_arr)

    def output_forward_propagate(self, F: Any, pred_arr: Any) -> Any:
        """Compute the output layer of the decoder.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            pred_arr: Hidden states of the decoder, shape `(…, hidden_n)`.

        Returns:
            The output, shape `(…, output_n)`.
        """
        return self.decoder.output_forward_propagate(F, pred_arr)

    def _read_all(self, F: Any, states: Any, mask: Any, length: int | None) -> Any:
        """Let the decoder read all states of the encoder, the last one first."""
        if mask is None:
            states = F.reverse(states, axis=1)
            states, _, _ = self.decoder.propagate(F, states, length=length)
            return F.reverse(self.decoder.output_forward_propagate(F, states), axis=1)
        order = order_of_unmasked(F, mask, reverse=True)
        mask = F.reshape(F.batch_dot(order, F.expand_dims(mask, axis=2)), shape=(0, -1))
        states = F.batch_dot(order, states)
        states, _, _ = self.decoder.propagate(F, states, mask=mask, length=length)
        output = self.decoder.output_forward_propagate(F, states)
        return F.batch_dot(order, output, transpose_a=True)

    def _write(self, F: Any, state: list[Any], length: Any) -> Any:
        """Write a series of `length` from the states of the encoder, its last point first."""
        hidden, cell = state
        point = self.decoder.output_forward_propagate(F, hidden)
        if length == 1:  # so that all parameters are in the graph
            return self._write_taught(F, state, F.expand_dims(point, axis=1), None, length)
        points, advance = [point], self.decoder.stepper(F, point)
        for _ in range(length - 1):
            hidden, cell = advance(point, hidden, cell)
            point = self.decoder.output_forward_propagate(F, hidden)
            points.append(point)
        return F.stack(*points, axis=1)

    def _write_taught(
        self, F: Any, state: list[Any], teacher: Any, mask: Any, length: int | None
    ) -> Any:
        """Write a series, its last point first, while reading the true one."""
        if mask is None:
            teacher = F.reverse(teacher, axis=1)
        else:
            teacher = F.batch_dot(order_of_unmasked(F, mask, reverse=True), teacher)
        # The last point that is read has nothing after it: its state is not used.
        states, _, _ = self.decoder.propagate(F, teacher, state, length=length)
        states = F.concat(F.expand_dims(state[0], axis=1), states, dim=1)
        states = F.slice_axis(states, axis=1, begin=0, end=-1)
        return self.decoder.output_forward_propagate(F, states)

    def _needs_length(self, *given: bool) -> bool:
        taught = bool(given) and given[0]
        parts = (self.encoder, self.decoder)
        return (self.generating_flag and not taught) or any(part._fused is None for part in parts)

    # -- the door, and learning --------------------------------------------------------

    def inference(self, observed_arr: Any, mask_arr: Any = None) -> nd.NDArray:
        """Infer: the decoder reads what it has written.

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
        observed_arr, mask_arr = self._masked(observed_arr, mask_arr)
        return self(observed_arr, None, mask_arr)

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        self.encoder._check_input(observed_arr)

    def _predict(
        self, observed_arr: nd.NDArray, target_arr: nd.NDArray, mask_arr: nd.NDArray | None
    ) -> nd.NDArray:
        if not (self.generating_flag and self.teacher_forcing_flag):
            return self(observed_arr, None, mask_arr)
        wanted = (*observed_arr.shape[:2], self.output_n)
        if target_arr.shape != wanted:
            raise ValueError(
                f"`target_arr` must have shape {wanted}, the length of the observed series and "
                f"the width of what the decoder writes, but got {target_arr.shape}."
            )
        if mask_arr is not None:
            target_arr = without_masked(target_arr, mask_arr)
        return self(observed_arr, target_arr, mask_arr)

    def _file_parts(self) -> dict[str, GluonLearner]:
        return {"encoder": self.encoder, "decoder": self.decoder}


def _check_fit(encoder: LSTMNetworks, decoder: LSTMNetworks) -> None:
    """Raise a `ValueError` unless the decoder can start from the states of the encoder."""
    if encoder.hidden_n != decoder.hidden_n:
        raise ValueError(
            f"`hidden_n` of `encoder` and `decoder` must be equal, since the one hands its "
            f"states over to the other, but they are {encoder.hidden_n} and {decoder.hidden_n}."
        )
    if encoder.output_layer_flag:
        raise ValueError(
            "`encoder` must be built with `output_layer_flag=False`: with "
            "`generating_flag=True` its states are handed over, not its output."
        )
