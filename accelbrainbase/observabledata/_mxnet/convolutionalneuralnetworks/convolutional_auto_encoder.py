"""Convolutional auto-encoders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import HybridBlock
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.auto_encoder_block import AutoEncoderBlock
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
    ConvolutionalNeuralNetworks,
)
from accelbrainbase.regularizatable_data import RegularizatableData


class ConvolutionalAutoEncoder(AutoEncoderBlock, ConvolutionalNeuralNetworks):
    r"""Learns maps, or a code, from which the observed pictures can be reconstructed.

    .. math::

        h = f(x * W + b), \quad \hat{x} = g(h * \tilde{W} + c), \quad \min \ell(\hat{x}, x)

    (Masci et al. 2011, equations 1 and 2), where :math:`\tilde{W}` is the flipped weight. The
    encoder and the decoder are injected; what they have learned stays learned. With
    `tied_weights_flag=True` the transposed convolution i of the decoder, counted from its end,
    uses the very weight of the convolution i of the encoder: one parameter, tied exactly
    through every step of every optimiser. Networks before or behind the layers (`output_nn`
    of the encoder and `input_nn` of the decoder, for a code of few numbers) are not tied.

    Args:
        encoder: Computes the maps or the code.
        decoder: Reconstructs, by transposed convolutions.
        computable_loss: The loss of the reconstruction.
        initializer: Draws the initial values of parameters whose shape is not known yet;
            `None` leaves that to the initialisers of the parts.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        hidden_units_list: No effect: the layers are those of the parts.
        output_nn: A network between the encoder and the decoder.
        hidden_dropout_rate_list: No effect.
        optimizer_name: Name of a Gluon optimiser.
        hidden_activation_list: No effect.
        hidden_batch_norm_list: No effect.
        ctx: The device; that of the encoder if omitted.
        hybridize_flag: Whether the network is compiled to a static graph.
        regularizatable_data_list: Constraints, applied after each step.
        scale: Factor on the initial weights that `initializer` draws.
        tied_weights_flag: Whether the decoder uses the weights of the encoder.
        init_deferred_flag: Whether the parameters are left for the caller to initialise.
        wd: Weight decay, at least 0.
        noiseable_data: Corrupts what is observed in learning, where the target stays clean: a
            denoising auto-encoder. (An iterator's own `noiseable_data` does the same.)
        **kwargs: More arguments of `GluonLearner`: `optimizer_params`, …

    Raises:
        TypeError: If a part is no `ConvolutionalNeuralNetworks`, or a keyword is unknown.
        ValueError: If the weights are to be tied, and the layers do not mirror each other.

    Attributes:
        encoder: Computes the maps or the code.
        decoder: Reconstructs.
        tied_weights_flag: Whether the decoder uses the weights of the encoder.

    References:
        - Masci, J., Meier, U., Cireşan, D., & Schmidhuber, J. (2011). Stacked convolutional
          auto-encoders for hierarchical feature extraction. ICANN. Section 3.
    """

    compute_acc_flag: bool = False
    _default_xavier_magnitude: float = 1.0

    def __init__(
        self,
        encoder: ConvolutionalNeuralNetworks,
        decoder: ConvolutionalNeuralNetworks,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        hidden_units_list: Sequence[HybridBlock] | None = None,
        output_nn: HybridBlock | None = None,
        hidden_dropout_rate_list: Sequence[float] | None = None,
        optimizer_name: str = "SGD",
        hidden_activation_list: Sequence[str] | None = None,
        hidden_batch_norm_list: Sequence[HybridBlock | None] | None = None,
        ctx: Any = None,
        hybridize_flag: bool = True,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        scale: float = 1.0,
        tied_weights_flag: bool = True,
        init_deferred_flag: bool | None = None,
        wd: float | None = None,
        *,
        noiseable_data: NoiseableData | None = None,
        **kwargs: Any,
    ) -> None:
        check_is_a("encoder", encoder, ConvolutionalNeuralNetworks)
        check_is_a("decoder", decoder, ConvolutionalNeuralNetworks)
        without_effect = {
            "hidden_units_list": hidden_units_list,
            "hidden_dropout_rate_list": hidden_dropout_rate_list,
            "hidden_activation_list": hidden_activation_list,
            "hidden_batch_norm_list": hidden_batch_norm_list,
        }
        kwargs.update((name, value) for name, value in without_effect.items() if value)
        # Not the constructor of the base class: the layers are those of the parts.
        GradientBlock.__init__(
            self,
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
            init_deferred_flag=init_deferred_flag,
            wd=wd,
            **kwargs,
        )
        self.encoder = encoder
        self.decoder = decoder
        self.output_nn = output_nn
        self.tied_weights_flag = bool(tied_weights_flag)
        if noiseable_data is not None:  # else a subclass may have one
            self.noiseable_data = noiseable_data
        if self.tied_weights_flag:
            self.tie_weights()
        self.complete()

    def tie_weights(self) -> None:
        """Let the decoder use the weights of the encoder. They stay tied by themselves.

        Raises:
            ValueError: If the layers do not mirror each other.
        """
        self.decoder.tie_to(self.encoder)
        self._clear_cached_op()
        self.trainer = None

    @read_only
    def hidden_units_list(self) -> list[HybridBlock]:
        """The layers, those of the encoder first."""
        return [*self.encoder.hidden_units_list, *self.decoder.hidden_units_list]

    @read_only
    def hidden_activation_list(self) -> list[str]:
        """Name of the activation of each layer, those of the encoder first."""
        return [*self.encoder.hidden_activation_list, *self.decoder.hidden_activation_list]

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the reconstruction.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, channel, height, width)`.

        Returns:
            The reconstruction, shape `(batch, channel, height, width)`.
        """
        code = self.encoder(x)
        self.keep_features(code)
        return self.decoder(code if self._output_nn is None else self._output_nn(code))

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """What the encoder gave in the last forward pass.

        Shape `(batch, channel, height, width)`, or `(batch, code units)` if it ends in an
        `output_nn`.
        """
        return self.kept_features()

    def encode(self, observed_arr: Any) -> nd.NDArray:
        """Return what the encoder makes of data points.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, channel, height, width)`.

        Returns:
            Maps or codes, as `feature_points_arr`.
        """
        return self.encoder.inference(observed_arr)

    def _first_layer(self) -> HybridBlock:
        return self.encoder._first_layer()

    def _check_maps(self, observed_arr: nd.NDArray) -> None:
        self.encoder._check_maps(observed_arr)

    def _tied_layers(self) -> list[HybridBlock]:
        return [*self.encoder._tied_layers(), *self.decoder._tied_layers()]
