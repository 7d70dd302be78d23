"""Transforming auto-encoders: a Transformer and a part that reconstructs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import mxnet as mx
from mxnet import gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.computableloss._mxnet.l2_norm_loss import L2NormLoss
from accelbrainbase.controllablemodel._mxnet.transformer_controller import TransformerController
from accelbrainbase.observabledata._mxnet.transformer_model import TransformerModel
from accelbrainbase.observabledata._mxnet.transformermodel.transformer_decoder import (
    TransformerDecoder,
)
from accelbrainbase.observabledata._mxnet.transformermodel.transformer_encoder import (
    TransformerEncoder,
)
from accelbrainbase.observabledata._mxnet.transformermodel.transformer_reconstructor import (
    TransformerReconstructor,
)
from accelbrainbase.regularizatable_data import RegularizatableData


class TransformingAutoEncoderController(TransformerController):
    """Encodes a series, decodes it, and reconstructs it from what was decoded.

    What is decoded are features, `hidden_dim` of them at each point (`feature_points_arr`); the
    reconstructor makes a series of them again.

    Args:
        computable_loss: The loss of the reconstruction; `L2NormLoss` if omitted.
        encoder: The encoder; made of the following arguments if omitted.
        decoder: The decoder; likewise. Its `output_dim` is the `depth_dim` of the reconstructor,
            or a dense layer goes between them.
        reconstructor: The reconstructor; likewise.
        layer_n: Number of layers of each.
        head_n: Number of heads.
        seq_len: Kept for programs that pass it; it has no effect.
        depth_dim: Number of features of the series.
        hidden_dim: Number of features inside.
        self_attention_activation_list: Activations of what the self-attention gives.
        multi_head_attention_activation_list: Activations of the attention to what was encoded.
        fc_activation_list: Activations between the dense layers.
        optimizer_name: Name of a Gluon optimiser.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        dropout_rate: Dropout rate in [0, 1) of all parts.
        hybridize_flag: Whether the network is compiled to a static graph.
        ctx: The device.
        initializer: Draws the initial weights.
        regularizatable_data_list: Constraints, applied after each step.
        weight_decay: Weight decay, at least 0.
        **kwargs: More arguments of `TransformerController`: `pre_norm_flag`, `filter_dim`,
            `positional_embedding_weignt`, and those of `GluonLearner`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.

    Attributes:
        reconstructor: The reconstructor.
    """

    reconstructor: Any = None

    def __init__(
        self,
        computable_loss: ComputableLoss | gluon.loss.Loss | None = None,
        encoder: TransformerEncoder | None = None,
        decoder: TransformerDecoder | None = None,
        reconstructor: TransformerReconstructor | None = None,
        layer_n: int = 3,
        head_n: int = 3,
        seq_len: int = 5,
        depth_dim: int = 100,
        hidden_dim: int = 100,
        self_attention_activation_list: Sequence[str] | None = None,
        multi_head_attention_activation_list: Sequence[str] | None = None,
        fc_activation_list: Sequence[str] | None = None,
        optimizer_name: str = "SGD",
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        dropout_rate: float = 0.5,
        hybridize_flag: bool = True,
        ctx: mx.Context | None = None,
        initializer: Initializer | None = None,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        weight_decay: float = 0.01,
        **kwargs: Any,
    ) -> None:
        check_is_a("reconstructor", reconstructor, TransformerReconstructor, optional=True)
        self.__dict__["_given_reconstructor"] = reconstructor
        super().__init__(
            computable_loss=computable_loss,
            encoder=encoder,
            decoder=decoder,
            layer_n=layer_n,
            head_n=head_n,
            seq_len=seq_len,
            depth_dim=depth_dim,
            hidden_dim=hidden_dim,
            self_attention_activation_list=self_attention_activation_list,
            multi_head_attention_activation_list=multi_head_attention_activation_list,
            fc_activation_list=fc_activation_list,
            optimizer_name=optimizer_name,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            dropout_rate=dropout_rate,
            hybridize_flag=hybridize_flag,
            ctx=ctx,
            initializer=initializer,
            regularizatable_data_list=regularizatable_data_list,
            weight_decay=weight_decay,
            **kwargs,
        )

    def _default_loss(self) -> gluon.loss.Loss | ComputableLoss:
        return L2NormLoss()

    def _decoded_dim(self) -> int:
        return self.hidden_dim

    def _make_parts(
        self,
        encoder: TransformerEncoder | None,
        decoder: TransformerDecoder | None,
        shared: dict[str, Any],
        memory_activations: Sequence[str] | None,
        embedding_weight: float,
    ) -> None:
        super()._make_parts(encoder, decoder, shared, memory_activations, embedding_weight)
        reconstructor = self.__dict__.pop("_given_reconstructor")
        if reconstructor is None:
            reconstructor = TransformerReconstructor(**shared, output_dim=self.depth_dim)
            reconstructor.embedding_weignt = embedding_weight
        self.reconstructor = reconstructor
        if self.decoder.output_dim is not None:
            reconstructor.read_from(self.decoder.output_dim)
        if not reconstructor.not_init_flag and not self.init_deferred_flag:
            reconstructor.initialize_parameters()

    def _parts(self) -> Iterable[TransformerModel]:
        return self.encoder, self.decoder, self.reconstructor

    def forward_propagation(
        self,
        F: Any,
        encoded_observed_arr: Any,
        decoded_observed_arr: Any,
        encoded_mask_arr: Any = None,
        decoded_mask_arr: Any = None,
    ) -> Any:
        """Compute the reconstruction.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            encoded_observed_arr: What is to be encoded, shape `(batch, length, depth_dim)`.
            decoded_observed_arr: What is to be decoded, shape
                `(batch, decoded length, depth_dim)`.
            encoded_mask_arr: The mask of what is encoded, shape
                `(batch or 1, length or 1, length)`; all is kept if omitted.
            decoded_mask_arr: The mask of what is decoded, shape
                `(batch or 1, decoded length or 1, decoded length)`; all but the future is kept
                if omitted.

        Returns:
            The reconstruction, shape `(batch, decoded length, depth_dim)`.
        """
        decoded_arr = super().forward_propagation(
            F, encoded_observed_arr, decoded_observed_arr, encoded_mask_arr, decoded_mask_arr
        )
        self.keep_features(decoded_arr)
        return self.reconstructor(decoded_arr, decoded_mask_arr)

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """What was decoded in the last pass, shape `(batch, decoded length, hidden_dim)`."""
        return self.kept_features()

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        """Raise an error: an auto-encoder reconstructs, it does not write.

        Raises:
            NotImplementedError: Always.
        """
        del args, kwargs
        raise NotImplementedError(
            "A transforming auto-encoder reconstructs by `inference`; use a "
            "`TransformerController` to generate."
        )

    def _file_parts(self) -> dict[str, GluonLearner]:
        return {**super()._file_parts(), "reconstructor": self.reconstructor}
