"""Auto-encoders of films."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

from mxnet import gluon, nd

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_choice, check_list_of
from accelbrainbase._mxnet.conv_lstm_cell import ConvLSTMCell
from accelbrainbase._mxnet.graph_per_input import GraphPerInput
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
    ConvolutionalNeuralNetworks,
)
from accelbrainbase.observabledata._mxnet.convolutionalneuralnetworks.convolutional_auto_encoder import (  # noqa: E501
    ConvolutionalAutoEncoder,
)


class SpatioTemporalAutoEncoder(GraphPerInput, ConvolutionalAutoEncoder):
    r"""Learns to reconstruct films, or to tell their next pictures (Chong & Tay 2017).

    The encoder, a network of convolutions, is applied to each picture; convolutional LSTM cells
    (Shi et al. 2015) run over what it gives, picture after picture; the decoder, a network of
    transposed convolutions, is applied to each of their states:

    .. math::
        z_t = f(x_t), \quad H_t, C_t = \mathrm{ConvLSTM}(z_t, H_{t-1}, C_{t-1}), \quad
        \hat{x}_t = g(H_t), \quad \min \sum_t \ell(\hat{x}_t, x_t)

    The target decides what is learned: the film itself, for reconstruction (Chong & Tay 2017), or
    the film one picture later, for prediction (as in Pătrăucean et al. 2015): no state depends
    on later pictures. An iterator over films, `UnlabeledVideoIterator` or `ArrayIterator`,
    gives either. The length is that of the data.

    Args:
        encoder: Computes the maps of a picture.
        decoder: Makes a picture of the states of the last cells. It takes
            `hidden_channel_list[-1]` channels.
        computable_loss: The loss of the reconstruction.
        hidden_channel_list: Number of channels of the states of each layer of ConvLSTM cells, the
            layer next to the encoder first. 64, 32, 64 in Chong & Tay 2017.
        kernel_size: Size of the convolutions of the cells; odd.
        tied_weights_flag: Whether the decoder uses the weights of the encoder.
        **kwargs: More arguments of `ConvolutionalAutoEncoder`: `learning_rate`,
            `optimizer_name`, `initializer`, `max_gradient_norm`, …

    Raises:
        TypeError: If a part is no `ConvolutionalNeuralNetworks`, or a keyword is unknown.
        ValueError: If `hidden_channel_list` is empty, or `kernel_size` is even.

    Attributes:
        encoder: Computes the maps of a picture.
        decoder: Makes a picture of the states of the last cells.
        cells: The layers of cells.

    References:
        - Chong, Y. S., & Tay, Y. H. (2017). Abnormal event detection in videos using
          spatiotemporal autoencoder. ISNN. arXiv:1701.01546. Sections 3.2 and 3.3.
        - Pătrăucean, V., Handa, A., & Cipolla, R. (2015). Spatio-temporal video autoencoder with
          differentiable memory. arXiv:1511.06309.
        - Shi, X., et al. (2015). Convolutional LSTM network. NeurIPS.
    """

    def __init__(
        self,
        encoder: ConvolutionalNeuralNetworks,
        decoder: ConvolutionalNeuralNetworks,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        hidden_channel_list: Sequence[int] = (64, 32, 64),
        *,
        kernel_size: int = 3,
        tied_weights_flag: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder, decoder, computable_loss, tied_weights_flag=tied_weights_flag, **kwargs
        )
        channels = check_list_of(
            "hidden_channel_list", hidden_channel_list, Integral, "layer of cells"
        )
        with self.name_scope():
            self.cells = gluon.nn.HybridSequential()
            for channel in channels:
                self.cells.add(ConvLSTMCell(channel, kernel_size))
        self.complete()

    def _needs_length(self, *_given: bool) -> bool:
        return True

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the reconstruction.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Films, shape `(batch, length, channel, height, width)`.

        Returns:
            The reconstructed films, of the same shape.
        """
        length = self.length_of(F, x)
        states = self._of_each_picture(F, self.encoder, x, x)
        for cell in self.cells:
            states, _, _ = cell.propagate(F, states, length)
        self.keep_features(states)
        if self._output_nn is not None:
            states = self._of_each_picture(F, self._output_nn, states, x)
        return self._of_each_picture(F, self.decoder, states, x)

    def _of_each_picture(self, F: Any, network: Any, films: Any, x: Any) -> Any:
        """Apply a network to all pictures; `x` tells how many films of what length they are."""
        pictures = network(F.reshape(films, shape=(-3, -2)))
        return F.reshape_like(pictures, x, lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=2)

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """The states of the last cells in the last forward pass.

        Shape `(batch, length, channel, height, width)`.
        """
        return self.kept_features()

    def encode(self, observed_arr: Any) -> nd.NDArray:
        """Return the states of the last cells for films.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, length, channel, height, width)`.

        Returns:
            The states, shape `(batch, length, channel, height, width)`.
        """
        self.inference(observed_arr)
        return self.feature_points_arr

    def frame_errors(self, observed_arr: Any) -> nd.NDArray:
        r"""Return how badly each picture is reconstructed.

        Args:
            observed_arr: Films, shape `(batch, length, channel, height, width)`.

        Returns:
            :math:`e(t) = \lVert x(t) - \hat{x}(t) \rVert_2` (Chong & Tay 2017, equation 5), shape
            `(batch, length)`.
        """
        observed_arr = self.on_device("observed_arr", observed_arr)
        wrong = self.inference(observed_arr) - observed_arr
        return nd.norm(nd.reshape(wrong, shape=(0, 0, -1)), axis=2)

    def regularity_scores(self, observed_arr: Any, of: str = "film") -> nd.NDArray:
        r"""Return how regular each picture is; what was not learned is irregular.

        Args:
            observed_arr: Films, shape `(batch, length, channel, height, width)`.
            of: What the least and the largest error are taken of: each `"film"`, as in the paper,
                or the `"batch"`.

        Returns:
            :math:`s(t) = 1 - (e(t) - \min_t e(t)) / \max_t e(t)` (equations 6 and 7), in
            [0, 1], shape `(batch, length)`.

        Raises:
            ValueError: If `of` is neither.
        """
        check_choice("of", of, ("film", "batch"))
        errors = self.frame_errors(observed_arr)
        axis = 1 if of == "film" else (0, 1)
        least, largest = (f(errors, axis=axis, keepdims=True) for f in (nd.min, nd.max))
        return 1 - nd.broadcast_div(nd.broadcast_sub(errors, least), nd.maximum(largest, 1e-12))

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        if observed_arr.ndim != 5 or 0 in observed_arr.shape:
            raise ValueError(
                f"`observed_arr` must have shape (batch, length, channel, height, width), with at "
                f"least one film, but got {observed_arr.shape}. Make one film a batch by "
                f"`observed_arr.reshape((1, *observed_arr.shape))`."
            )
        self.encoder._check_maps(observed_arr[:, 0])
        sizes = observed_arr.shape[2:]
        if sizes not in self._fitting:  # a shape that was not seen yet: try one picture
            made = self._try(observed_arr[:1, :1]).shape[2:]
            if made != sizes:
                raise ValueError(
                    f"`observed_arr` must have pictures with as many features as the decoder "
                    f"makes, but got pictures of shape {sizes}, and it makes {made}. Choose "
                    f"sizes that the strides of encoder and decoder divide, or other paddings."
                )
            self._fitting |= {sizes}
