"""Ladder networks with convolutional layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mxnet import gluon, nd
from mxnet.gluon import HybridBlock
from mxnet.gluon.nn.conv_layers import _Conv
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.ladder_block import LadderBlock
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
    ConvolutionalNeuralNetworks,
)
from accelbrainbase.observabledata._mxnet.convolutionalneuralnetworks.convolutional_auto_encoder import (  # noqa: E501
    ConvolutionalAutoEncoder,
)
from accelbrainbase.regularizatable_data import RegularizatableData


class ConvolutionalLadderNetworks(LadderBlock, ConvolutionalAutoEncoder):
    r"""A ladder of convolutional layers: denoises the maps of all its layers.

    What a ladder computes, how labels are given, and what it gives at inference, is explained
    at `LadderNetworks`. Here each layer of the encoder and the decoder is one level; a unit is a
    map: normalisation, γ, β and the ten parameters of the combinator are one for each map, and
    statistics are over the batch and all places (Rasmus et al. 2015, section 4.2).

    A network behind the encoder (its `output_nn`) takes the maps of the top. With an `input_nn`
    of the decoder, the code between them is what the decoder starts from. Without one it stands
    beside the ladder, as a classifier: it needs a `supervised_loss`, and the decoder starts from
    the maps.

    Args:
        encoder: The convolutions W. Dropout is in the noisy path alone.
        decoder: The transposed convolutions V, which mirror the encoder's. Its activations have
            no part. Biases and batch normalisations of both are given up.
        computable_loss: The cost at the level of the data.
        initializer: Draws the initial values of parameters whose shape is not known yet.
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
        tied_weights_flag: Whether the decoder uses the weights of the encoder. (Those of the
            paper are not tied.)
        init_deferred_flag: Whether the parameters are left for the caller to initialise.
        wd: Weight decay, at least 0.
        supervised_loss: The loss of what the encoder gives, or `None`. Where the loss takes the
            softmax itself, the network behind the encoder ends in `identity`.
        denoising_weight_list: λ of each level, the data first.
        noise_sigma: Standard deviation of the noise at each level.
        noiseable_data: Corrupts the data instead of Gaussian noise.
        statistics_momentum: Weight of the past in the running statistics, in [0, 1).
        **kwargs: More arguments of `GluonLearner`: `optimizer_params`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value, or the parts do not mirror each other.

    Attributes:
        alpha: Factor on all denoising costs together; 1 unless it is set.
        noise_sigma: Standard deviation of the noise.
        noiseable_data: What corrupts the data instead, or `None`.
        sigma: Kept for programs that set it; it has no effect.
        mu: Kept for programs that set it; it has no effect.
        recoding_ld_loss: Kept for programs that set it: the costs are always recorded.
        alpha_decoder_loss_list: Kept, empty, as the eleven lists like it: what is recorded is in
            `history`.

    References:
        - Rasmus, A., Valpola, H., Honkala, M., Berglund, M., & Raiko, T. (2015). Semi-supervised
          learning with ladder networks. NIPS. arXiv:1507.02672.
    """

    sigma: float = 0.7
    mu: float = 0.7
    recoding_ld_loss: bool = False
    alpha_decoder_loss_list: Sequence[float] = ()
    alpha_decoder_test_loss_list: Sequence[float] = ()
    alpha_encoder_loss_list: Sequence[float] = ()
    alpha_encoder_test_loss_list: Sequence[float] = ()
    mu_decoder_loss_list: Sequence[float] = ()
    mu_decoder_test_loss_list: Sequence[float] = ()
    mu_encoder_loss_list: Sequence[float] = ()
    mu_encoder_test_loss_list: Sequence[float] = ()
    sigma_decoder_loss_list: Sequence[float] = ()
    sigma_decoder_test_loss_list: Sequence[float] = ()
    sigma_encoder_loss_list: Sequence[float] = ()
    sigma_encoder_test_loss_list: Sequence[float] = ()

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
        supervised_loss: ComputableLoss | gluon.loss.Loss | None = None,
        denoising_weight_list: Sequence[float] | None = None,
        noise_sigma: float = 0.3,
        noiseable_data: NoiseableData | None = None,
        statistics_momentum: float = 0.99,
        **kwargs: Any,
    ) -> None:
        for name, part in (("encoder", encoder), ("decoder", decoder)):
            check_is_a(name, part, ConvolutionalNeuralNetworks)
            _check_part(name, part)
        if encoder.input_nn is not None or decoder.output_nn is not None:
            raise ValueError(
                "The lowest level of a ladder is the data, so `encoder` must have no `input_nn` "
                "and `decoder` no `output_nn`. Make them layers of the parts."
            )
        if encoder.output_nn is not None and decoder.input_nn is None and supervised_loss is None:
            raise ValueError(
                "`encoder` has an `output_nn`, which would not learn: pass a `supervised_loss` for "
                "what it gives, or give `decoder` an `input_nn` that starts from it."
            )
        self._check_ladder(
            supervised_loss, denoising_weight_list, noise_sigma, noiseable_data,
            statistics_momentum, len(encoder._stack),
        )  # fmt: skip
        ConvolutionalAutoEncoder.__init__(
            self,
            encoder,
            decoder,
            computable_loss,
            initializer=initializer,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            hidden_units_list=hidden_units_list,
            output_nn=output_nn,
            hidden_dropout_rate_list=hidden_dropout_rate_list,
            optimizer_name=optimizer_name,
            hidden_activation_list=hidden_activation_list,
            hidden_batch_norm_list=hidden_batch_norm_list,
            ctx=ctx,
            hybridize_flag=hybridize_flag,
            regularizatable_data_list=regularizatable_data_list,
            scale=scale,
            tied_weights_flag=tied_weights_flag,
            init_deferred_flag=init_deferred_flag,
            wd=wd,
            **kwargs,
        )
        above = [_map_n("encoder", layer) for layer in encoder.hidden_units_list]
        below = [_map_n("decoder", layer) for layer in decoder.hidden_units_list]
        if len(above) == len(below) and below[:-1] != above[-2::-1]:
            raise ValueError(
                f"A ladder needs a decoder which mirrors the encoder: its layers must give "
                f"{above[-2::-1]} maps and then the channels of the data, but give {below}."
            )
        self._build_ladder(encoder, decoder, [below[-1], *above], True, self._blocks())
        self.complete()

    def _blocks(self) -> list[HybridBlock]:
        blocks = (self.encoder, self.decoder, self.output_nn)
        return [block for block in blocks if block is not None]

    def _set_part(self, name: str, value: HybridBlock | None) -> None:
        super()._set_part(name, value)
        if self._graph is not None:
            self._graph.compile(self._blocks())
            if self._active:
                self.hybridize()

    # -- the ends of the ladder --------------------------------------------------------

    def _top(self, F: Any, y: Any, h: Any) -> tuple[Any, Any]:  # noqa: ARG002
        code = h if self.encoder.output_nn is None else self.encoder.output_nn(h)
        return code, code

    def _back(self, F: Any, code: Any, h: Any) -> Any:
        between = code if self.output_nn is None else self.output_nn(code)
        if self.decoder.input_nn is not None:
            maps = self.decoder.input_nn(between)
            return F.reshape(maps, shape=(-1, *self.decoder._input_result))
        return between if self.encoder.output_nn is None else h

    def _level_shapes(self, observed_arr: nd.NDArray) -> list[tuple[int, ...]]:
        arr = observed_arr[:1]
        shapes = [arr.shape[1:]]
        for layer in self.encoder.hidden_units_list:
            arr = layer(arr)
            shapes.append(arr.shape[1:])
        return shapes

    def forward_ladder_net(self, F: Any, x: Any, noised_x: Any) -> tuple[Any, Any]:
        """Denoise by the statistics of the batch, where the noise of the data is given.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Data, shape `(batch, channel, height, width)`.
            noised_x: The same with noise.

        Returns:
            The denoised data, of the same shape, and the weighted denoising cost of each data
            point at the levels above the data, shape `(batch,)`.
        """
        cost, denoised, *_ = self._graph.costs_of(F, x, noised_x)
        return denoised, cost

    # -- what 1.1.0 recorded -----------------------------------------------------------

    @read_only
    def alpha_loss_arr(self) -> np.ndarray:
        """Denoising cost in training, and NaN for test, shape `(epochs, 2)`; else empty."""
        if "train_denoising_loss" not in self.history.columns:
            return np.empty((0, 2))
        return self.history.array(["train_denoising_loss", "test_denoising_loss"])

    @read_only
    def mu_loss_arr(self) -> np.ndarray:
        """Empty: the paper has no cost of means alone."""
        return np.empty((0, 2))

    @read_only
    def sigma_loss_arr(self) -> np.ndarray:
        """Empty: the paper has no cost of deviations alone."""
        return np.empty((0, 2))


def _check_part(name: str, part: ConvolutionalNeuralNetworks) -> None:
    if not hasattr(part, "_stack"):
        raise ValueError(
            f"`{name}` must have layers of its own, but {type(part).__name__} is made of other "
            f"networks."
        )
    if part.hidden_residual_flag or part.hidden_dense_flag:
        raise ValueError(
            f"`{name}` must be a plain chain of layers, without residual or dense connections: "
            f"each layer is a level of the ladder. Pass `hidden_residual_flag=False`, "
            f"`hidden_dense_flag=False`."
        )


def _map_n(name: str, block: HybridBlock) -> int:
    """Return the number of maps that a layer gives: those of its last convolution."""
    found = [layer for layer in _layers_within(block) if isinstance(layer, _Conv)]
    if not found:
        raise ValueError(
            f"`{name}` must have layers with a convolution each, but {block!r} has none. Put what "
            f"stands beside a convolution into a `HybridSequential` with it."
        )
    return int(found[-1]._channels)


def _layers_within(block: HybridBlock) -> list[HybridBlock]:
    children = list(block._children.values())
    return [block, *(layer for child in children for layer in _layers_within(child))]
