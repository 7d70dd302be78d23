"""Transformers: an encoder and a decoder that learn together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer, check_is_a, check_number
from accelbrainbase._mxnet.attention import checked_mask
from accelbrainbase._mxnet.features import of_output
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase._mxnet.graph_per_input import GraphPerInput
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.controllable_model import ControllableModel
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.iteratabledata.transformer_iterator import TransformerIterator
from accelbrainbase.learning.callback import Callback
from accelbrainbase.observabledata._mxnet.transformer_model import TransformerModel
from accelbrainbase.observabledata._mxnet.transformermodel.transformer_decoder import (
    TransformerDecoder,
)
from accelbrainbase.observabledata._mxnet.transformermodel.transformer_encoder import (
    TransformerEncoder,
)
from accelbrainbase.regularizatable_data import RegularizatableData


class TransformerController(GraphPerInput, GradientBlock, ControllableModel):
    """A Transformer (Vaswani et al. 2017): from a series, and the past of another, to the other.

    Series have the shape `(batch, length, depth_dim)`; tokens are one-hot, or vectors. What is
    decoded is usually the target, one step late. The future is hidden from the decoder.

    Args:
        computable_loss: The loss; by default cross-entropy of one-hot tokens,
            `SoftmaxCrossEntropyLoss(sparse_label=False)`.
        encoder: The encoder; made of the following arguments if omitted.
        decoder: The decoder; likewise.
        layer_n: Number of layers of each.
        head_n: Number of heads; where it does not divide `hidden_dim`, heads are rounded up,
            and projected back.
        seq_len: Kept for programs that pass it; it has no effect: lengths are those of the data.
        depth_dim: Number of features of the series.
        hidden_dim: Number of features inside. Where it differs from `depth_dim`, a dense layer
            goes before encoder and decoder.
        self_attention_activation_list: Activations of what the self-attention gives, one for
            each layer or one for all; `identity` if omitted.
        multi_head_attention_activation_list: The same of the attention of the decoder to the
            encoder.
        fc_activation_list: Activations between the dense layers; `relu` if omitted.
        optimizer_name: Name of a Gluon optimiser.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        dropout_rate: Dropout rate in [0, 1) of encoder and decoder.
        hybridize_flag: Whether the network is compiled to a static graph.
        ctx: The device.
        initializer: Draws the initial weights; by default Xavier's with variance 1 / fan-in.
        regularizatable_data_list: Constraints, applied after each step.
        weight_decay: Weight decay, at least 0.
        positional_embedding_weignt: What positional encodings are multiplied with (so spelt in
            1.1.0).
        pre_norm_flag: Whether layers are normalised before, or after as in the paper, in the
            parts that are made here. Before is easier to learn.
        filter_dim: Number of units between the two dense layers of a layer; 4 times
            `hidden_dim` if omitted.
        **kwargs: More arguments of `GluonLearner`: `optimizer_params`, `max_gradient_norm`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.

    Attributes:
        encoder: The encoder.
        decoder: The decoder.

    References:
        - Vaswani, A., et al. (2017). Attention is all you need. NeurIPS.
    """

    encoder: Any = None
    decoder: Any = None

    def __init__(
        self,
        computable_loss: ComputableLoss | gluon.loss.Loss | None = None,
        encoder: TransformerEncoder | None = None,
        decoder: TransformerDecoder | None = None,
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
        positional_embedding_weignt: float = 1.0,
        *,
        pre_norm_flag: bool = True,
        filter_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_is_a("encoder", encoder, TransformerEncoder, optional=True)
        check_is_a("decoder", decoder, TransformerDecoder, optional=True)
        if ctx is None and encoder is not None:
            ctx = encoder.ctx_list
        super().__init__(
            computable_loss=self._default_loss() if computable_loss is None else computable_loss,
            optimizer_name=optimizer_name,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            hybridize_flag=hybridize_flag,
            ctx=ctx,
            initializer=initializer,
            regularizatable_data_list=regularizatable_data_list,
            wd=check_number("weight_decay", weight_decay, low=0.0),
            **kwargs,
        )
        self.seq_len = seq_len
        self.depth_dim = check_integer("depth_dim", depth_dim, low=1)
        self.hidden_dim = check_integer("hidden_dim", hidden_dim, low=1)
        weight = check_number("positional_embedding_weignt", positional_embedding_weignt)
        shared: dict[str, Any] = {
            "depth_dim": hidden_dim,
            "layer_n": layer_n,
            "head_n": head_n,
            "computable_loss": self.computable_loss,
            "dropout_rate": dropout_rate,
            "self_attention_activation_list": self_attention_activation_list,
            "fc_activation_list": fc_activation_list,
            "hybridize_flag": hybridize_flag,
            "ctx": self.ctx_list,
            "not_init_flag": True,
            "pre_norm_flag": pre_norm_flag,
            "filter_dim": filter_dim,
        }
        with self.name_scope():
            self._make_parts(encoder, decoder, shared, multi_head_attention_activation_list, weight)
        self.complete()

    def _default_loss(self) -> gluon.loss.Loss | ComputableLoss:
        """Hook: return the loss where none is given."""
        return gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)

    def _make_parts(
        self,
        encoder: TransformerEncoder | None,
        decoder: TransformerDecoder | None,
        shared: dict[str, Any],
        memory_activations: Sequence[str] | None,
        embedding_weight: float,
    ) -> None:
        """Hook: make the parts that are not given, and fit all together."""
        if encoder is None:
            encoder = TransformerEncoder(**shared)
            encoder.embedding_weignt = embedding_weight
        if decoder is None:
            decoder = TransformerDecoder(
                **shared,
                multi_head_attention_activation_list=memory_activations,
                memory_dim=encoder.depth_dim,
                output_dim=self._decoded_dim(),
            )
            decoder.embedding_weignt = embedding_weight
        if not decoder.memory_flag:
            raise ValueError("`decoder` must be built with `memory_flag=True`.")
        if decoder.memory_dim != encoder.depth_dim:
            raise ValueError(
                f"`decoder` must be built with `memory_dim={encoder.depth_dim}`, the `depth_dim` "
                f"of the encoder, but has {decoder.memory_dim}."
            )
        self.encoder = encoder
        self.decoder = decoder
        for part in (encoder, decoder):
            part.read_from(self.depth_dim)
            if not part.not_init_flag and not self.init_deferred_flag:
                part.initialize_parameters()

    def _decoded_dim(self) -> int:
        """Hook: return the number of features that a decoder made here gives."""
        return self.depth_dim

    def _parts(self) -> Iterable[TransformerModel]:
        return self.encoder, self.decoder

    def _key_of(self, x: Any, *args: Any) -> tuple[Any, ...]:
        settings = (part.graph_settings() for part in self._parts())
        return (*super()._key_of(x, *args), *settings)

    # -- forward -----------------------------------------------------------------------

    def forward_propagation(  # type: ignore[override]  # the contract's names
        self,
        F: Any,
        encoded_observed_arr: Any,
        decoded_observed_arr: Any,
        encoded_mask_arr: Any = None,
        decoded_mask_arr: Any = None,
    ) -> Any:
        """Compute the output.

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
            The output, shape `(batch, decoded length, depth_dim)`.
        """
        encoded = self.encoder(encoded_observed_arr, encoded_mask_arr)
        self.keep_features(encoded)
        memory_mask = encoded_mask_arr
        if memory_mask is not None:
            # A mask that differs by query is about the encoder's own attention; what the
            # decoder may look up is what any of its queries may.
            memory_mask = F.max(memory_mask, axis=1, keepdims=True)
        return self.decoder(decoded_observed_arr, encoded, decoded_mask_arr, memory_mask)

    def hybrid_forward(  # type: ignore[override]  # the contract's names
        self,
        F: Any,
        encoded_observed_arr: Any,
        decoded_observed_arr: Any,
        encoded_mask_arr: Any = None,
        decoded_mask_arr: Any = None,
    ) -> Any:
        """Compute the output, and the features where a graph is traced."""
        return super().hybrid_forward(
            F, encoded_observed_arr, decoded_observed_arr, encoded_mask_arr, decoded_mask_arr
        )

    def inference(  # type: ignore[override]  # a Transformer reads two series
        self,
        encoded_observed_arr: Any,
        decoded_observed_arr: Any,
        encoded_mask_arr: Any = None,
        decoded_mask_arr: Any = None,
    ) -> nd.NDArray:
        """Infer: one forward pass.

        Args:
            encoded_observed_arr: What is to be encoded, shape `(batch, length, depth_dim)`.
            decoded_observed_arr: What is to be decoded, shape
                `(batch, decoded length, depth_dim)`.
            encoded_mask_arr: 1 for what is kept and 0 for what is hidden, shape
                `(batch, length)`; all is kept if omitted.
            decoded_mask_arr: The same of what is decoded.

        Returns:
            The output, shape `(batch, decoded length, depth_dim)`.

        Raises:
            ValueError: If a shape does not fit.
        """
        return self(
            *self._inputs(
                encoded_observed_arr, decoded_observed_arr, encoded_mask_arr, decoded_mask_arr
            )
        )

    def _inputs(self, encoded: Any, decoded: Any, encoded_mask: Any, decoded_mask: Any) -> list:
        """Check the inputs of the graph, and bring them to the device."""
        encoded = self.on_device("encoded_observed_arr", encoded)
        decoded = self.on_device("decoded_observed_arr", decoded)
        self.encoder._check_input(encoded)
        self.decoder._check_input(decoded)
        if encoded.shape[0] != decoded.shape[0]:
            raise ValueError(
                f"`encoded_observed_arr` and `decoded_observed_arr` must have equally many "
                f"series, but have {encoded.shape[0]} and {decoded.shape[0]}."
            )
        masks = [
            checked_mask(name, self.on_device(name, mask), arr.shape[0], arr.shape[1], arr.shape[1])
            for name, mask, arr in (
                ("encoded_mask_arr", encoded_mask, encoded),
                ("decoded_mask_arr", decoded_mask, decoded),
            )
        ]
        return [encoded, decoded, *masks]

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """What the encoder gave in the last pass, shape `(batch, length, hidden_dim)`."""
        return self.kept_features()

    # -- learning ----------------------------------------------------------------------

    def learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Learn from the mini-batches of `iteratable_data`.

        Args:
            iteratable_data: Generates the mini-batches.
            callbacks: Take part in the learning: `EarlyStopping`, `TensorBoard`, …

        Raises:
            TypeError: If `iteratable_data` is no `TransformerIterator`.
            NonFiniteLossError: If a loss is infinite or not a number.
        """
        check_is_a("iteratable_data", iteratable_data, TransformerIterator)
        super().learn(iteratable_data, callbacks=callbacks)

    def _split(self, batch: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        if len(batch) != 10:
            raise ValueError(
                f"`iteratable_data` must generate tuples of ten, as `TransformerIterator` tells, "
                f"but generated {len(batch)}."
            )
        return (*batch[:4], batch[8]), (*batch[4:8], batch[9])

    def _prepare_on(self, batch: Sequence[Any]) -> None:
        train, _ = self._split(batch)
        self.initialize_parameters()
        self.inference(*train[:4])

    def _train_step(self, *arrays: Any) -> Any:
        *inputs, target_arr = arrays
        inputs = self._inputs(*inputs)
        if self._other_ctx:
            inputs = [_for_each(arr, inputs[0].shape[0]) for arr in inputs]
        return self._gradient_step(self._batch_loss, *inputs, target_arr)

    @of_output
    def _batch_loss(self, *arrays: nd.NDArray) -> Any:
        *inputs, target_arr = arrays
        return self._score(self(*inputs), target_arr)

    def _evaluate(self, *arrays: Any) -> Any:
        *inputs, target_arr = arrays
        return self._score(self.inference(*inputs), target_arr)

    def _file_parts(self) -> dict[str, GluonLearner]:
        return {"encoder": self.encoder, "decoder": self.decoder}

    # -- generating --------------------------------------------------------------------

    def generate(
        self,
        encoded_observed_arr: Any,
        start_arr: Any,
        length: int,
        *,
        encoded_mask_arr: Any = None,
        temperature: float = 0.0,
        seed: int | None = None,
    ) -> np.ndarray:
        """Write one-hot tokens, each after the ones before.

        Args:
            encoded_observed_arr: What is to be encoded, shape `(batch, encoded length,
                depth_dim)`.
            start_arr: What is decoded first, such as a token for the beginning, shape
                `(batch, start length, depth_dim)`.
            length: Number of tokens to write.
            encoded_mask_arr: Mask of what is encoded, shape `(batch, encoded length)`.
            temperature: 0 takes the most probable token (greedy); above it tokens are drawn,
                from logits that are divided by it.
            seed: Seed of the draws; `None`: drawn from NumPy's global state.

        Returns:
            Numbers of the tokens, shape `(batch, length)`.

        Raises:
            ValueError: If a shape does not fit, or a number is out of its range.
        """
        length = check_integer("length", length, low=1)
        check_number("temperature", temperature, low=0.0)
        start_arr = self.on_device("start_arr", start_arr)
        encoded_arr, start_arr, mask_arr, _ = self._inputs(
            encoded_observed_arr, start_arr, encoded_mask_arr, None
        )
        generator = np.random.default_rng(np.random.randint(2**31) if seed is None else seed)
        memory_arr = self.encoder(encoded_arr, mask_arr)
        memory_mask = None if mask_arr is None else nd.max(mask_arr, axis=1, keepdims=True)
        begin = start_arr.shape[1]
        # The whole length at once: the future, still empty, has no effect. One graph does.
        rest = nd.zeros((start_arr.shape[0], length - 1, self.depth_dim), ctx=self.ctx)
        decoded_arr = nd.concat(start_arr, rest, dim=1) if length > 1 else start_arr
        tokens = np.zeros((start_arr.shape[0], length), dtype=np.int64)
        for number in range(length):
            output_arr = self.decoder(decoded_arr, memory_arr, None, memory_mask)
            logits = output_arr[:, begin + number - 1].asnumpy().astype(np.float64)
            if temperature > 0.0:
                logits = logits / temperature + generator.gumbel(size=logits.shape)
            tokens[:, number] = logits.argmax(axis=1)
            if number + 1 < length:
                chosen = copied(tokens[:, number], self.ctx)
                decoded_arr[:, begin + number] = nd.one_hot(chosen, depth=self.depth_dim)
        return tokens


def _for_each(arr: nd.NDArray | None, batch_size: int) -> nd.NDArray | None:
    """Repeat a mask that is one for all samples, so that it can be shared out."""
    if arr is None or arr.shape[0] == batch_size:
        return arr
    return nd.broadcast_axis(arr, axis=0, size=batch_size)
