"""Convolutions, an LSTM and dense layers, over a series."""

from __future__ import annotations

from typing import Any

import numpy as np
from mxnet import gluon, nd

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
    ConvolutionalNeuralNetworks,
)
from accelbrainbase.observabledata._mxnet.lstm_networks import LSTMNetworks
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks


class CLDNNetworks(GradientBlock):
    r"""Convolutions over each point of a series, an LSTM over time, dense layers at the end.

    .. math:: y = \mathrm{DNN}(h_T), \quad
        h_t, c_t = \mathrm{LSTM}(\mathrm{CNN}(x_t), h_{t-1}, c_{t-1})

    Each part does what it is good at: convolutions take out variation within a point, the LSTM
    models time, and dense layers bring the states to a form that separates well. Without
    `convolution` it is an LSTM with dense layers.

    As the approximator of a deep Q-network it gets the last observations, which a wrapper of
    gymnasium stacks, and so can value actions of states that one observation does not tell. The
    states are 0 before the first of them. The first `burn_in_n` only bring the states to where
    they should be: they get no gradients.

    Args:
        lstm: The LSTM. Its own output layer is not used.
        dense: The dense layers.
        computable_loss: The loss: a `ComputableLoss`, or any loss of Gluon.
        convolution: The convolutions; `None` for none: points of any shape are flattened.
        burn_in_n: Number of points at the beginning through which no gradient goes.
        **kwargs: The arguments of `GluonLearner`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.

    Example:
        >>> model = CLDNNetworks(
        ...     LSTMNetworks(computable_loss=loss, hidden_n=32, output_layer_flag=False),
        ...     NeuralNetworks(loss, units_list=[64, 2], activation_list=["relu", "identity"]),
        ...     loss,
        ... )

    References:
        - Sainath, T. N., Vinyals, O., Senior, A., & Sak, H. (2015). Convolutional, long
          short-term memory, fully connected deep neural networks. ICASSP, 4580-4584.
        - Hausknecht, M., & Stone, P. (2015). Deep recurrent Q-learning for partially observable
          MDPs. arXiv:1507.06527.
        - Kapturowski, S., et al. (2019). Recurrent experience replay in distributed
          reinforcement learning. ICLR. Section 3: burn-in.
    """

    _point_shape: tuple[int, ...] | None = None

    def __init__(
        self,
        lstm: LSTMNetworks,
        dense: NeuralNetworks,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        convolution: ConvolutionalNeuralNetworks | None = None,
        *,
        burn_in_n: int = 0,
        **kwargs: Any,
    ) -> None:
        check_is_a("lstm", lstm, LSTMNetworks)
        check_is_a("dense", dense, NeuralNetworks)
        check_is_a("convolution", convolution, ConvolutionalNeuralNetworks, optional=True)
        kwargs["ctx"] = lstm.ctx_list if kwargs.get("ctx") is None else kwargs["ctx"]
        super().__init__(computable_loss=computable_loss, **kwargs)
        self.burn_in_n = check_integer("burn_in_n", burn_in_n, low=0)
        if convolution is not None:
            self.convolution = convolution
        self.lstm = lstm
        self.dense = dense
        if lstm.output_layer_flag:  # parameters that nothing would learn
            raise ValueError("`lstm` must be built with `output_layer_flag=False`.")
        self.complete()

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the output.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, seq_len, *features)`.

        Returns:
            The output after the last point, shape `(batch, units)`.
        """
        point_arr = F.reshape(x, shape=(-3, -2))
        if "convolution" in self._children:
            point_arr = self.convolution(point_arr)
        point_arr = F.reshape_like(
            F.flatten(point_arr), x, lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=2
        )
        state = None
        if self.burn_in_n:
            first = F.slice_axis(point_arr, axis=1, begin=0, end=self.burn_in_n)
            point_arr = F.slice_axis(point_arr, axis=1, begin=self.burn_in_n, end=None)
            _, hidden, cell = self.lstm.propagate(F, first, length=self.burn_in_n)
            state = (F.BlockGrad(hidden), F.BlockGrad(cell))
        _, last, _ = self.lstm.propagate(F, point_arr, state)
        self.keep_features(last)
        return self.dense(last)

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """The last states of the LSTM in the last forward pass, shape `(batch, hidden_n)`."""
        return self.kept_features()

    def extract_feature_points(self) -> nd.NDArray:
        """Return `feature_points_arr`."""
        return self.feature_points_arr

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        if observed_arr.ndim < 3 or 0 in observed_arr.shape:
            raise ValueError(
                f"`observed_arr` must have shape (batch, seq_len, *features), with at least one "
                f"data point, but got {observed_arr.shape}."
            )
        if observed_arr.shape[1] <= self.burn_in_n:
            raise ValueError(
                f"`observed_arr` must have series of more than `burn_in_n` = {self.burn_in_n} "
                f"points, but got shape {observed_arr.shape}."
            )
        known, points = self.lstm.observed_fc.weight.shape[1], tuple(observed_arr.shape[2:])
        if "convolution" in self._children:
            self.convolution._check_input(observed_arr.reshape((-3, -2)))
            fits = self._point_shape in (None, points)
        else:
            fits = not known or known == int(np.prod(points))
        if not fits:
            raise ValueError(
                f"`observed_arr` must have the features {self._point_shape or (known,)} at each "
                f"time, as this {type(self).__name__} has learned, but got shape "
                f"{observed_arr.shape}."
            )
        self._point_shape = points
