"""Encoders of Transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mxnet as mx
from mxnet import gluon, nd
from mxnet.gluon import HybridBlock
from mxnet.initializer import Initializer

from accelbrainbase._mxnet.attention import bias_of
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.attentionmodel.multiheadattentionmodel.self_attention_model import (  # noqa: E501
    SelfAttentionModel,
)
from accelbrainbase.observabledata._mxnet.transformer_model import TransformerModel, each_layer
from accelbrainbase.regularizatable_data import RegularizatableData


class TransformerEncoder(TransformerModel):
    """The encoder of a Transformer: layers of self-attention and dense networks.

    Args:
        depth_dim: Number of features inside.
        layer_n: Number of layers.
        head_n: Number of heads.
        computable_loss: The loss, where the encoder learns by itself.
        initializer: Draws the initial weights; by default Xavier's with variance 1 / fan-in.
        self_attention_layer_norm_list: Normalisations of the attention, one for each layer.
        fc_layer_norm_list: Normalisations of the dense networks, one for each layer.
        filter_fc_list: First dense layers, one for each layer; they must not flatten.
        dropout_rate: Dropout rate in [0, 1).
        fc_list: Second dense layers, one for each layer.
        self_attention_activation_list: Activations of what the attention gives, one for each
            layer or one for all; `identity` if omitted.
        fc_activation_list: Activations between the dense layers, one for each layer or one for
            all; `relu` if omitted.
        output_layer_norm: Normalisation of the output.
        optimizer_name: Name of a Gluon optimiser.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        regularizatable_data_list: Constraints, applied after each step.
        ctx: The device.
        hybridize_flag: Whether the network is compiled to a static graph.
        not_init_flag: Whether the parameters are left for the caller to initialise.
        **kwargs: More arguments: `pre_norm_flag`, `filter_dim`, `observed_dim` of
            `TransformerModel`, and those of `GluonLearner`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value, or a list has not one entry for each
            layer.

    References:
        - Vaswani, A., et al. (2017). Attention is all you need. NeurIPS. Section 3.1.
    """

    def __init__(
        self,
        depth_dim: int,
        layer_n: int,
        head_n: int,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        initializer: Initializer | None = None,
        self_attention_layer_norm_list: Sequence[HybridBlock] | None = None,
        fc_layer_norm_list: Sequence[HybridBlock] | None = None,
        filter_fc_list: Sequence[HybridBlock] | None = None,
        dropout_rate: float = 0.1,
        fc_list: Sequence[HybridBlock] | None = None,
        self_attention_activation_list: Sequence[str] | None = None,
        fc_activation_list: Sequence[str] | None = None,
        output_layer_norm: HybridBlock | None = None,
        optimizer_name: str = "SGD",
        learning_rate: float = 1e-03,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        ctx: mx.Context | None = None,
        hybridize_flag: bool = True,
        not_init_flag: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            depth_dim,
            layer_n,
            computable_loss,
            head_n,
            initializer=initializer,
            dropout_rate=dropout_rate,
            optimizer_name=optimizer_name,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            regularizatable_data_list=regularizatable_data_list,
            ctx=ctx,
            hybridize_flag=hybridize_flag,
            not_init_flag=not_init_flag,
            **kwargs,
        )
        lists = {
            "self_attention_layer_norm_list": (self_attention_layer_norm_list, None),
            "self_attention_activation_list": (self_attention_activation_list, "identity"),
            "fc_layer_norm_list": (fc_layer_norm_list, None),
            "filter_fc_list": (filter_fc_list, None),
            "fc_list": (fc_list, None),
            "fc_activation_list": (fc_activation_list, "relu"),
        }
        columns = [
            each_layer(name, values, layer_n, default) for name, (values, default) in lists.items()
        ]
        layers = []
        for norm, act, fc_norm, first, second, fc_act in zip(*columns):
            attention = self.add_attention(SelfAttentionModel, norm, act)
            layers.append((attention, self.add_dense(fc_norm, first, second, fc_act)))
        self.__dict__["_layers"] = layers
        self.add_output_norm(output_layer_norm)
        self._finish()

    def _finish(self) -> None:
        """Hook: add what follows the layers, and end the constructor."""
        self.complete()

    def forward_propagation(  # type: ignore[override]  # the contract's names
        self, F: Any, x: Any, m: Any = None
    ) -> Any:
        """Compute the output.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, length, features)`.
            m: The mask, shape `(batch or 1, length or 1, length)`, 1 for what is kept and 0
                for what is hidden; all is kept if omitted.

        Returns:
            The output, shape `(batch, length, depth_dim)`.
        """
        bias = None if m is None else bias_of(m)
        x = self.enter(F, x)
        for attention, dense in self.__dict__["_layers"]:
            x = dense(F, attention(F, x, None, bias))
        x = self.leave(x)
        self.keep_features(x)
        return x

    def hybrid_forward(self, F: Any, x: Any, m: Any = None) -> Any:
        """Compute the output, and the features where a graph is traced."""
        return super().hybrid_forward(F, x, m)

    def inference(self, observed_arr: Any, mask_arr: Any = None) -> nd.NDArray:
        """Infer: one forward pass.

        Args:
            observed_arr: Series, shape `(batch, length, features)`.
            mask_arr: 1 for what is kept and 0 for what is hidden, shape `(batch, length)` or
                `(batch, length, length)`; all is kept if omitted.

        Returns:
            The output, shape `(batch, length, depth_dim)`.

        Raises:
            ValueError: If a shape does not fit.
        """
        observed_arr = self.on_device("observed_arr", observed_arr)
        self._check_input(observed_arr)
        mask_arr = self._mask("mask_arr", mask_arr, observed_arr, observed_arr.shape[1])
        return self(observed_arr, mask_arr)
