"""Decoders of Transformers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import mxnet as mx
from mxnet import gluon, nd
from mxnet.gluon import HybridBlock, nn
from mxnet.initializer import Initializer

from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase._mxnet.attention import bias_of, causal_bias
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.learning.callback import Callback
from accelbrainbase.observabledata._mxnet.attention_model import check_memory
from accelbrainbase.observabledata._mxnet.attentionmodel.multi_head_attention_model import (
    MultiHeadAttentionModel,
)
from accelbrainbase.observabledata._mxnet.attentionmodel.multiheadattentionmodel.self_attention_model import (  # noqa: E501
    SelfAttentionModel,
)
from accelbrainbase.observabledata._mxnet.transformer_model import TransformerModel, each_layer
from accelbrainbase.regularizatable_data import RegularizatableData


class TransformerDecoder(TransformerModel):
    """The decoder of a Transformer: it sees the past of its series, and all that was encoded.

    Without a memory (`memory_flag=False`) it is a language model, which learns by itself.

    Args:
        depth_dim: Number of features inside.
        layer_n: Number of layers.
        computable_loss: The loss, where the decoder learns by itself.
        head_n: Number of heads.
        initializer: Draws the initial weights; by default Xavier's with variance 1 / fan-in.
        self_attention_layer_norm_list: Normalisations of the self-attention, one for each layer.
        multi_head_attention_layer_norm_list: The same of the attention to what was encoded.
        fc_layer_norm_list: The same of the dense networks.
        filter_fc_list: First dense layers, one for each layer; they must not flatten.
        dropout_rate: Dropout rate in [0, 1).
        fc_list: Second dense layers, one for each layer.
        self_attention_activation_list: Activations of what the self-attention gives, one for
            each layer or one for all; `identity` if omitted.
        multi_head_attention_activation_list: The same of the attention to what was encoded.
        fc_activation_list: Activations between the dense layers; `relu` if omitted.
        output_layer_norm: Normalisation before the output layer.
        output_fc: The output layer; it must not flatten.
        output_dim: Number of its units; `depth_dim` if omitted.
        optimizer_name: Name of a Gluon optimiser.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        regularizatable_data_list: Constraints, applied after each step.
        ctx: The device.
        hybridize_flag: Whether the network is compiled to a static graph.
        not_init_flag: Whether the parameters are left for the caller to initialise.
        causal_flag: Whether the future is hidden from each point.
        memory_flag: Whether there is attention to what was encoded.
        memory_dim: Number of features of what was encoded; `depth_dim` if omitted.
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
        computable_loss: ComputableLoss | gluon.loss.Loss,
        head_n: int = 3,
        initializer: Initializer | None = None,
        self_attention_layer_norm_list: Sequence[HybridBlock] | None = None,
        multi_head_attention_layer_norm_list: Sequence[HybridBlock] | None = None,
        fc_layer_norm_list: Sequence[HybridBlock] | None = None,
        filter_fc_list: Sequence[HybridBlock] | None = None,
        dropout_rate: float = 0.1,
        fc_list: Sequence[HybridBlock] | None = None,
        self_attention_activation_list: Sequence[str] | None = None,
        multi_head_attention_activation_list: Sequence[str] | None = None,
        fc_activation_list: Sequence[str] | None = None,
        output_layer_norm: HybridBlock | None = None,
        output_fc: HybridBlock | None = None,
        output_dim: int | None = None,
        optimizer_name: str = "SGD",
        learning_rate: float = 1e-03,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        ctx: mx.Context | None = None,
        hybridize_flag: bool = True,
        not_init_flag: bool = False,
        *,
        causal_flag: bool = True,
        memory_flag: bool = True,
        memory_dim: int | None = None,
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
        self.causal_flag = bool(causal_flag)
        self.memory_flag = bool(memory_flag)
        self.memory_dim = depth_dim
        if memory_dim is not None:
            self.memory_dim = check_integer("memory_dim", memory_dim, low=1)
        lists = {
            "self_attention_layer_norm_list": (self_attention_layer_norm_list, None),
            "self_attention_activation_list": (self_attention_activation_list, "identity"),
            "multi_head_attention_layer_norm_list": (multi_head_attention_layer_norm_list, None),
            "multi_head_attention_activation_list": (
                multi_head_attention_activation_list,
                "identity",
            ),
            "fc_layer_norm_list": (fc_layer_norm_list, None),
            "filter_fc_list": (filter_fc_list, None),
            "fc_list": (fc_list, None),
            "fc_activation_list": (fc_activation_list, "relu"),
        }
        columns = [
            each_layer(name, values, layer_n, default) for name, (values, default) in lists.items()
        ]
        layers = []
        for norm, act, memory_norm, memory_act, fc_norm, first, second, fc_act in zip(*columns):
            branches = [self.add_attention(SelfAttentionModel, norm, act)]
            if self.memory_flag:
                memory = self.add_attention(
                    MultiHeadAttentionModel, memory_norm, memory_act, memory_dim
                )
                branches.append(memory)
            layers.append((branches, self.add_dense(fc_norm, first, second, fc_act)))
        self.__dict__["_layers"] = layers
        self.add_output_norm(output_layer_norm)
        check_is_a("output_fc", output_fc, HybridBlock, optional=True)
        self.output_dim: int | None = None  # that of a given layer is not known
        if output_fc is None:
            self.output_dim = depth_dim
            if output_dim is not None:
                self.output_dim = check_integer("output_dim", output_dim, low=1)
        with self.name_scope():
            self.output_fc = output_fc or nn.Dense(
                self.output_dim, use_bias=False, flatten=False, in_units=depth_dim
            )
        self.complete()

    def forward_propagation(  # type: ignore[override]  # the contract's names
        self,
        F: Any,
        observed_arr: Any,
        encoded_arr: Any = None,
        self_attention_mask_arr: Any = None,
        multi_head_attention_mask_arr: Any = None,
    ) -> Any:
        """Compute the output.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            observed_arr: Series, shape `(batch, length, features)`.
            encoded_arr: What was encoded, shape `(batch, memory_len, features)`.
            self_attention_mask_arr: The mask of the series, shape
                `(batch or 1, length or 1, length)`; all but the future is kept if omitted.
            multi_head_attention_mask_arr: The mask of what was encoded, shape
                `(batch or 1, length or 1, memory_len)`; all is kept if omitted.

        Returns:
            The output, shape `(batch, length, output_dim)`.
        """
        memory, mask = encoded_arr, self_attention_mask_arr
        memory_mask = multi_head_attention_mask_arr
        x = self.enter(F, observed_arr)
        biases = [causal_bias(F, x)] if self.causal_flag else []
        biases += [] if mask is None else [bias_of(mask)]
        bias = None
        for more in biases:
            bias = more if bias is None else F.broadcast_add(bias, more)
        memory_bias = None if memory_mask is None else bias_of(memory_mask)
        for branches, dense in self.__dict__["_layers"]:
            x = branches[0](F, x, None, bias)
            if self.memory_flag:
                x = branches[1](F, x, memory, memory_bias)
            x = dense(F, x)
        x = self.leave(x)
        self.keep_features(x)
        return self.output_fc(x)

    def hybrid_forward(  # type: ignore[override]  # the contract's names
        self,
        F: Any,
        observed_arr: Any,
        encoded_arr: Any = None,
        self_attention_mask_arr: Any = None,
        multi_head_attention_mask_arr: Any = None,
    ) -> Any:
        """Compute the output, and the features where a graph is traced."""
        return super().hybrid_forward(
            F, observed_arr, encoded_arr, self_attention_mask_arr, multi_head_attention_mask_arr
        )

    def inference(
        self,
        observed_arr: Any,
        encoded_arr: Any = None,
        self_attention_mask_arr: Any = None,
        multi_head_attention_mask_arr: Any = None,
    ) -> nd.NDArray:
        """Infer: one forward pass.

        Args:
            observed_arr: Series, shape `(batch, length, features)`.
            encoded_arr: What was encoded, shape `(batch, memory_len, features)`; needed unless
                `memory_flag=False`.
            self_attention_mask_arr: 1 for what is kept of the series and 0 for what is hidden,
                shape `(batch, length)` or `(batch, length, length)`; all is kept if omitted, but
                for the future.
            multi_head_attention_mask_arr: The same of what was encoded, shape
                `(batch, memory_len)` or `(batch, length, memory_len)`.

        Returns:
            The output, shape `(batch, length, output_dim)`.

        Raises:
            TypeError: If `encoded_arr` is missing.
            ValueError: If a shape does not fit.
        """
        observed_arr = self.on_device("observed_arr", observed_arr)
        self._check_input(observed_arr)
        if (encoded_arr is None) == self.memory_flag:
            raise TypeError(
                "`encoded_arr` must be given exactly where the decoder has a memory "
                f"(`memory_flag=True`), but `memory_flag` is {self.memory_flag}."
            )
        encoded_arr = self.on_device("encoded_arr", encoded_arr)
        if encoded_arr is not None:
            check_memory("encoded_arr", encoded_arr, observed_arr, self.memory_dim)
        length = observed_arr.shape[1]
        mask = self._mask("self_attention_mask_arr", self_attention_mask_arr, observed_arr, length)
        if encoded_arr is None:
            return self(observed_arr, None, mask)
        memory_mask = self._mask(
            "multi_head_attention_mask_arr",
            multi_head_attention_mask_arr,
            observed_arr,
            encoded_arr.shape[1],
        )
        return self(observed_arr, encoded_arr, mask, memory_mask)

    def learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Learn as a language model, where there is no memory.

        Args:
            iteratable_data: Generates the mini-batches.
            callbacks: Take part in the learning.

        Raises:
            NotImplementedError: If the decoder has a memory: it learns within a controller.
        """
        if self.memory_flag:
            raise NotImplementedError(
                "A decoder with a memory learns together with its encoder: use "
                "`TransformerController`, or build it with `memory_flag=False`."
            )
        super().learn(iteratable_data, callbacks=callbacks)
