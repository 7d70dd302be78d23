"""EncDec-AD: detecting anomalies by an LSTM encoder/decoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon

from accelbrainbase._mxnet.seeding import seed_by
from accelbrainbase.estimators.reconstruction_detector import ReconstructionDetector
from accelbrainbase.iteratabledata._mxnet.array_iterator import ArrayIterator
from accelbrainbase.learning.early_stopping import EarlyStopping
from accelbrainbase.observabledata._mxnet.lstm_networks import LSTMNetworks
from accelbrainbase.observabledata._mxnet.lstmnetworks.encoder_decoder import EncoderDecoder


class EncDecAD(ReconstructionDetector):
    r"""Detects anomalies in series by what an LSTM encoder/decoder cannot reconstruct.

    `ReconstructionDetector` tells the procedure, and what data may be. The model is an
    `EncoderDecoder` with one layer of cells in each part and a linear output; or any other that
    reconstructs windows, by `model_factory`: so a dense auto-encoder can take the place of the
    LSTM, as a functional equivalent.

    Args:
        window_len: Length of the windows, at least 2, after downsampling. Such as a period, or
            somewhat more. Of no effect for data that are windows already.
        hidden_n: Number of cells of encoder and decoder.
        epochs: Largest number of passes over the windows to learn from.
        batch_size: Number of windows in a mini-batch.
        learning_rate: The learning rate.
        optimizer_name: Name of a Gluon optimiser.
        dropout_rate: Dropout rate of the hidden states on their way to the output.
        max_gradient_norm: Limit of the norm of the gradients; `None` for none.
        patience: Number of epochs without improvement on v_N1 after which learning ends.
        stride: Distance of the windows to learn from; a quarter of the window if omitted.
        score_stride: Distance of the windows to score by; a quarter of the window if omitted.
            Smaller is slower and smoother.
        downsample: Number of neighbouring rows that become one, by their mean.
        standardize: Whether each variable is brought to mean 0 and deviation 1, by what is
            normal: of one long series in the part to learn from, else in all series or windows.
        split: Shares of the normal windows for learning (s_N), for stopping and the
            distribution of errors (v_N1), and for the threshold (v_N2).
        beta: Weight of recall against precision in the choice of the threshold.
        quantile: Where there are no anomalies in `fit`: the quantile of the scores of v_N2
            that is the threshold.
        random_state: Seed of everything random, at least 0: it seeds MXNet's and NumPy's
            global states in `fit`. `None`: they are used as they are.
        teacher_forcing: Whether the decoder reads the true series in learning, as in the paper.
            It is fast; but at inference the decoder reads what it wrote itself, and where the
            next point follows from the last few (densely sampled series), it may have learned to
            ignore the encoder: then `history` shows a test loss that grows. `False`: it reads
            what it wrote itself in learning too.
        hybridize_flag: Whether the network is compiled to a static graph.
        ctx: The device.
        model_factory: Returns a model for `(seq_len, variable_n)`: it has `learn(iterator,
            callbacks=…)`, and `inference(windows)` returns as many numbers as `windows` has.

    Attributes:
        model_: The model.
        threshold_: Scores above it are alarms.
        error_mean_: μ, the mean of the error vectors of v_N1, shape `(variables,)`.
        error_covariance_: Σ, their covariance, shape `(variables, variables)`.
        mean_: Mean of each variable that is subtracted.
        scale_: Deviation of each variable that is divided by.
        seq_len_: Length of the windows.
        n_features_in_: Number of variables.
        offset_: `decision_function(X) = score_samples(X) - offset_`.

    Example:
        >>> detector = EncDecAD(window_len=48, random_state=0).fit(normal_series)
        >>> alarms = detector.predict(series) == -1

    References:
        - Malhotra, P., Ramakrishnan, A., Anand, G., Vig, L., Agarwal, P., & Shroff, G. (2016).
          LSTM-based encoder-decoder for multi-sensor anomaly detection. arXiv:1607.00148.
    """

    def __init__(
        self,
        window_len: int = 30,
        *,
        hidden_n: int = 40,
        epochs: int = 100,
        batch_size: int = 32,
        learning_rate: float = 5e-3,
        optimizer_name: str = "Adam",
        dropout_rate: float = 0.0,
        max_gradient_norm: float | None = 1.0,
        patience: int = 10,
        stride: int | None = None,
        score_stride: int | None = None,
        downsample: int = 1,
        standardize: bool = True,
        split: Sequence[float] = (0.6, 0.2, 0.2),
        beta: float = 0.1,
        quantile: float = 0.99,
        random_state: int | None = None,
        teacher_forcing: bool = True,
        hybridize_flag: bool = True,
        ctx: mx.Context | None = None,
        model_factory: Callable[[int, int], Any] | None = None,
    ) -> None:
        self.window_len = window_len
        self.hidden_n = hidden_n
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimizer_name = optimizer_name
        self.dropout_rate = dropout_rate
        self.max_gradient_norm = max_gradient_norm
        self.patience = patience
        self.stride = stride
        self.score_stride = score_stride
        self.downsample = downsample
        self.standardize = standardize
        self.split = split
        self.beta = beta
        self.quantile = quantile
        self.random_state = random_state
        self.teacher_forcing = teacher_forcing
        self.hybridize_flag = hybridize_flag
        self.ctx = ctx
        self.model_factory = model_factory

    def _make_model(self, seq_len: int, variable_n: int) -> Any:
        seed_by(self.random_state)
        if self.model_factory is not None:
            return self.model_factory(seq_len, variable_n)
        loss = gluon.loss.L2Loss()
        shared: dict[str, Any] = {
            "hidden_n": self.hidden_n,
            "dropout_rate": self.dropout_rate,
            "hybridize_flag": self.hybridize_flag,
            "ctx": self.ctx,
        }
        encoder = LSTMNetworks(computable_loss=loss, output_layer_flag=False, **shared)
        decoder = LSTMNetworks(
            computable_loss=loss, output_n=variable_n, output_activation="identity", **shared
        )
        return EncoderDecoder(
            encoder,
            decoder,
            loss,
            seq_len=seq_len,
            learning_rate=self.learning_rate,
            learning_attenuate_rate=1.0,
            optimizer_name=self.optimizer_name,
            hybridize_flag=self.hybridize_flag,
            ctx=self.ctx,
            max_gradient_norm=self.max_gradient_norm,
            teacher_forcing_flag=self.teacher_forcing,
        )

    def _learn(self, model: Any, window_arr: np.ndarray, stopping_arr: np.ndarray) -> None:
        iterator = ArrayIterator(
            window_arr,
            test_observed=stopping_arr,
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=self.random_state,
            ctx=self.ctx,
        )
        model.learn(iterator, callbacks=[EarlyStopping(patience=self.patience)])
