"""Additive attention."""

from __future__ import annotations

from typing import Any

from mxnet.gluon import nn

from accelbrainbase.observabledata._mxnet.attention_model import AttentionModel


class AdditiveAttentionModel(AttentionModel):
    r"""Attention whose scores come from a small network (Bahdanau et al. 2015).

    .. math:: e_{ij} = v^\top \tanh(W_q x_i + W_k m_j), \quad
        \mathrm{softmax}_j(e_{ij})\, (m_j W_v)\, W_o

    The arguments of the constructor are those of `AttentionModel`.

    References:
        - Bahdanau, D., Cho, K., & Bengio, Y. (2015). Neural machine translation by jointly
          learning to align and translate. ICLR. Section A.1.2.
    """

    def _build_layers(self) -> None:
        super()._build_layers()
        self.score_dense_layer = nn.Dense(1, use_bias=False, flatten=False, in_units=self.depth_dim)

    def look_up(self, F: Any, x: Any, memory: Any = None, bias: Any = None) -> Any:
        """Compute the output, as a part of a larger network.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, query_len, features)`.
            memory: Shape `(batch, memory_len, features)`; `x` if omitted.
            bias: What is added to the logits, shape `(batch or 1, query_len or 1, memory_len)`.

        Returns:
            The output, shape `(batch, query_len, depth_dim)`.
        """
        memory = x if memory is None else memory
        pairs = F.broadcast_add(
            F.expand_dims(self.query_dense_layer(x), axis=2),
            F.expand_dims(self.key_dense_layer(memory), axis=1),
        )
        scores = self.score_dense_layer(F.Activation(pairs, act_type="tanh"))
        logits = F.reshape(scores, shape=(0, 0, -1))
        if bias is not None:
            logits = F.broadcast_add(logits, bias)
        weights = F.softmax(logits, axis=-1)
        if self._dropout is not None:
            weights = self._dropout(weights)
        return self.output_dense_layer(F.batch_dot(weights, self.value_dense_layer(memory)))
