"""Auto-encoders with dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet import gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.auto_encoder_block import AutoEncoderBlock
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks
from accelbrainbase.regularizatable_data import RegularizatableData


class AutoEncoder(AutoEncoderBlock, NeuralNetworks):
    r"""Learns a code from which the observed data can be reconstructed.

    .. math:: h = f(x), \quad \hat{x} = g(h), \quad \min \; \ell(\hat{x}, x)

    The encoder f and the decoder g are injected. Parameters that they have learned stay
    learned. With `tied_weights_flag=True` the decoder uses the transposed weights of the
    encoder, as in a restricted Boltzmann machine.

    Args:
        encoder: Computes the code.
        decoder: Reconstructs from the code.
        computable_loss: The loss of the reconstruction.
        initializer: Draws the initial values of parameters whose shape is not known yet;
            `None` leaves that to the initialisers of the parts.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        units_list: No effect: the layers are those of the parts.
        dropout_rate_list: No effect.
        optimizer_name: Name of a Gluon optimiser.
        activation_list: No effect.
        ctx: The device; that of the encoder if omitted.
        hybridize_flag: Whether the network is compiled to a static graph.
        regularizatable_data_list: Constraints, applied after each step.
        scale: Factor on the initial weights that `initializer` draws.
        tied_weights_flag: Whether the decoder uses the transposed weights of the encoder.
        noiseable_data: Corrupts what is observed in learning, where the target stays clean: a
            denoising auto-encoder. (An iterator's own `noiseable_data` does the same.)
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`, …

    Raises:
        TypeError: If a part is no `NeuralNetworks`, or a keyword is unknown.
        ValueError: If the parts do not fit.

    Attributes:
        encoder: Computes the code.
        decoder: Reconstructs from the code.

    References:
        - Hinton, G. E., & Salakhutdinov, R. R. (2006). Reducing the dimensionality of data
          with neural networks. Science, 313(5786), 504-507.
        - Vincent, P., et al. (2010). Stacked denoising autoencoders. Journal of Machine
          Learning Research, 11, 3371-3408. Section 2.2.
    """

    def __init__(
        self,
        encoder: NeuralNetworks,
        decoder: NeuralNetworks,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        units_list: Sequence[int] | None = None,
        dropout_rate_list: Sequence[float] | None = None,
        optimizer_name: str = "SGD",
        activation_list: Sequence[str] | None = None,
        ctx: Any = None,
        hybridize_flag: bool = True,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        scale: float = 1.0,
        tied_weights_flag: bool = False,
        *,
        noiseable_data: NoiseableData | None = None,
        **kwargs: Any,
    ) -> None:
        check_is_a("encoder", encoder, NeuralNetworks)
        check_is_a("decoder", decoder, NeuralNetworks)
        without_effect = {
            "units_list": units_list,
            "dropout_rate_list": dropout_rate_list,
            "activation_list": activation_list,
        }
        kwargs.update((name, value) for name, value in without_effect.items() if value is not None)
        # Not the constructor of NeuralNetworks: the layers are those of the parts.
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
            **kwargs,
        )
        self.encoder = encoder
        self.decoder = decoder
        self.tied_weights_flag = bool(tied_weights_flag)
        if noiseable_data is not None:  # else a subclass may have one
            self.noiseable_data = noiseable_data
        if self.tied_weights_flag:
            decoder.tie_to(encoder)
        self.complete()

    @read_only
    def units_list(self) -> list[int]:
        """Number of units of each layer, those of the encoder first."""
        return [*self.encoder.units_list, *self.decoder.units_list]

    @read_only
    def activation_list(self) -> list[str]:
        """Name of the activation of each layer, those of the encoder first."""
        return [*self.encoder.activation_list, *self.decoder.activation_list]

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the reconstruction.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, *features)`.

        Returns:
            The reconstruction, shape `(batch, features)`.
        """
        code = self.encoder(x)
        self.keep_features(code)
        return self.decoder(code)

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """The codes of the last forward pass, shape `(batch, code units)`."""
        return self.kept_features()

    def encode(self, observed_arr: Any) -> nd.NDArray:
        """Return the codes of data points.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.

        Returns:
            The codes, shape `(batch, code units)`.
        """
        return self.encoder.inference(observed_arr)

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        self.encoder._check_input(observed_arr)

    def _file_parts(self) -> dict[str, GluonLearner]:
        return {"encoder": self.encoder, "decoder": self.decoder}
