"""What encoders, decoders and reconstructors of Transformers share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import HybridBlock, nn

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer, check_is_a, check_number
from accelbrainbase._mxnet.activations import Activation, activation
from accelbrainbase._mxnet.attention import checked_mask, positions
from accelbrainbase._mxnet.fast_layer_norm import FastLayerNorm
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase._mxnet.graph_per_input import GraphPerInput
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.attention_model import (
    LAYERS_TWICE_IN_OLD_FILES,
    check_series,
)
from accelbrainbase.observabledata._mxnet.attentionmodel.multi_head_attention_model import (
    MultiHeadAttentionModel,
)


class TransformerModel(GraphPerInput, GradientBlock):
    """Layers of attention and dense networks over series, with residual connections.

    Subclasses make their layers from branches: `add_attention`, `add_dense`. A branch is
    normalised before it (``x + dropout(branch(norm(x)))``), or after it with
    `pre_norm_flag=False` (``norm(x + dropout(branch(x)))``, as in Vaswani et al. 2017).

    Args:
        depth_dim: Number of features inside.
        layer_n: Number of layers.
        head_n: Number of heads; where it does not divide `depth_dim`, heads are rounded up, and
            projected back.
        computable_loss: The loss, where the model learns by itself.
        dropout_rate: Dropout rate in [0, 1) of attention weights, of branches and of what comes
            in.
        learning_rate: The learning rate.
        optimizer_name: Name of a Gluon optimiser.
        not_init_flag: Whether the parameters are left for the caller to initialise.
        pre_norm_flag: Whether branches are normalised before, or after.
        filter_dim: Number of units between the two dense layers of a layer; 4 times `depth_dim`
            if omitted.
        observed_dim: Number of features of the series, where a dense layer is to bring them to
            `depth_dim`.
        **kwargs: More arguments of `GradientBlock`.

    Attributes:
        depth_dim: Number of features inside.
        embedding_flag: Whether positional encodings are added to what comes in.
        embedding_weignt: What they are multiplied with (so spelt in 1.1.0).
        batch_size: Kept for programs that set it; it has no effect.
        seq_len: Kept for programs that set it; it has no effect.

    References:
        - Vaswani, A., et al. (2017). Attention is all you need. NeurIPS.
        - Xiong, R., et al. (2020). On layer normalization in the Transformer architecture. ICML.
    """

    depth_dim: int = 0
    embedding_flag: bool = True
    embedding_weignt: float = 1.0
    batch_size: int | None = None
    seq_len: int | None = None
    _twice_in_old_files = (*LAYERS_TWICE_IN_OLD_FILES, "output_layer_norm", "output_fc")

    def __init__(
        self,
        depth_dim: int,
        layer_n: int,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        head_n: int = 3,
        *,
        dropout_rate: float = 0.1,
        learning_rate: float = 1e-03,
        optimizer_name: str = "SGD",
        not_init_flag: bool = False,
        pre_norm_flag: bool = True,
        filter_dim: int | None = None,
        observed_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            computable_loss=computable_loss,
            learning_rate=learning_rate,
            optimizer_name=optimizer_name,
            **kwargs,
        )
        self.depth_dim = check_integer("depth_dim", depth_dim, low=1)
        self.layer_n = check_integer("layer_n", layer_n, low=1)
        self._head_n = check_integer("head_n", head_n, low=1)
        self.dropout_rate = check_number(
            "dropout_rate", dropout_rate, low=0.0, high=1.0, high_open=True
        )
        self.pre_norm_flag = bool(pre_norm_flag)
        self.filter_dim = 4 * depth_dim
        if filter_dim is not None:
            self.filter_dim = check_integer("filter_dim", filter_dim, low=1)
        self.not_init_flag = bool(not_init_flag)
        self.__dict__["_attentions"] = []
        self._number = 2  # of the next child, as 1.1.0 counted them
        with self.name_scope():
            self.embedding_dropout = nn.Dropout(self.dropout_rate)
        if observed_dim is not None:
            self.read_from(observed_dim)

    # -- making layers -----------------------------------------------------------------

    def read_from(self, observed_dim: int) -> None:
        """Let a dense layer bring series of `observed_dim` features to `depth_dim`.

        Nothing happens where they have `depth_dim` features, or there is such a layer.

        Args:
            observed_dim: Number of features of the series.
        """
        check_integer("observed_dim", observed_dim, low=1)
        if observed_dim != self.depth_dim and "hidden_fc" not in self._children:
            with self.name_scope():
                self.hidden_fc = nn.Dense(self.depth_dim, flatten=False, in_units=observed_dim)

    def add_child(self, block: HybridBlock) -> HybridBlock:
        """Register a block under the next number, and return it."""
        self.register_child(block, str(self._number))
        self._number += 1
        return block

    def add_attention(
        self,
        cls: type[MultiHeadAttentionModel],
        norm: HybridBlock | None,
        activation_name: str,
        memory_dim: int | None = None,
    ) -> Callable[..., Any]:
        """Add a branch with attention.

        Args:
            cls: The class of the attention.
            norm: The normalisation; a new one if omitted.
            activation_name: Activation of what the attention gives.
            memory_dim: Number of features of the memory; `depth_dim` if omitted.

        Returns:
            A function of ``(F, x, memory, bias)``, which returns the sum of `x` and the branch.
        """
        name = f"{'self' if cls is not MultiHeadAttentionModel else 'multi_head'}_attention"
        act = activation(activation_name, argument=f"{name}_activation_list")
        with self.name_scope():
            norm = self.add_child(norm or FastLayerNorm(self.depth_dim))
            attention = cls(
                self.depth_dim,
                self.computable_loss,
                self.dropout_rate,
                head_n=self._head_n,
                ctx=self.ctx_list,
                hybridize_flag=self.hybridize_flag,
                not_init_flag=True,
                memory_dim=memory_dim,
            )
            self.add_child(attention)
            dropout = self.add_child(nn.Dropout(self.dropout_rate))
        self._attentions.append(attention)
        return partial(self._attend, attention, norm, act, dropout)

    def _attend(
        self,
        attention: MultiHeadAttentionModel,
        norm: HybridBlock,
        act: Activation,
        dropout: HybridBlock,
        F: Any,
        x: Any,
        memory: Any,
        bias: Any,
    ) -> Any:
        """Compute the sum of `x` and a branch with attention."""
        if self.pre_norm_flag:
            return x + dropout(act(F, attention.look_up(F, norm(x), memory, bias)))
        return norm(x + dropout(act(F, attention.look_up(F, x, memory, bias))))

    def add_dense(
        self,
        norm: HybridBlock | None,
        filter_fc: HybridBlock | None,
        fc: HybridBlock | None,
        activation_name: str,
    ) -> Callable[..., Any]:
        """Add a branch with two dense layers.

        Args:
            norm: The normalisation; a new one if omitted.
            filter_fc: The first layer; a new one if omitted.
            fc: The second layer; a new one if omitted.
            activation_name: Activation between them.

        Returns:
            A function of ``(F, x)``, which returns the sum of `x` and the branch.
        """
        act = activation(activation_name, argument="fc_activation_list")
        with self.name_scope():
            norm = self.add_child(norm or FastLayerNorm(self.depth_dim))
            first = self.add_child(
                filter_fc or nn.Dense(self.filter_dim, flatten=False, in_units=self.depth_dim)
            )
            units = 0 if filter_fc else self.filter_dim  # 0: known after a first pass
            second = self.add_child(fc or nn.Dense(self.depth_dim, flatten=False, in_units=units))
            dropout = self.add_child(nn.Dropout(self.dropout_rate))
        return partial(self._pass_on, (first, second), norm, act, dropout)

    def _pass_on(
        self,
        layers: tuple[HybridBlock, HybridBlock],
        norm: HybridBlock,
        act: Activation,
        dropout: HybridBlock,
        F: Any,
        x: Any,
    ) -> Any:
        """Compute the sum of `x` and a branch with two dense layers."""
        first, second = layers
        if self.pre_norm_flag:
            return x + dropout(second(act(F, first(norm(x)))))
        return norm(x + dropout(second(act(F, first(x)))))

    def add_output_norm(self, norm: HybridBlock | None) -> None:
        """Add the normalisation of the output; after-normalised layers need none."""
        check_is_a("output_layer_norm", norm, HybridBlock, optional=True)
        if norm is None and self.pre_norm_flag:
            with self.name_scope():
                norm = FastLayerNorm(self.depth_dim)
        if norm is not None:
            self.output_layer_norm = norm

    # -- forward -----------------------------------------------------------------------

    @abstractmethod
    def forward_propagation(self, F: Any, x: Any, *args: Any) -> Any:
        """Compute the output."""

    def enter(self, F: Any, x: Any) -> Any:
        """Bring series to `depth_dim` features, add positions, and drop some.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, length, features)`.

        Returns:
            Shape `(batch, length, depth_dim)`.
        """
        if "hidden_fc" in self._children:
            x = self.hidden_fc(x)
        if self.embedding_flag:
            encoding = positions(F, x, self.depth_dim)
            if self.embedding_weignt != 1.0:
                encoding = encoding * self.embedding_weignt
            x = F.broadcast_add(x, encoding)
        return self.embedding_dropout(x)

    def leave(self, x: Any) -> Any:
        """Normalise the output."""
        return self.output_layer_norm(x) if "output_layer_norm" in self._children else x

    def embedding(self, observed_arr: Any) -> nd.NDArray:
        """Add positional encodings to series.

        Args:
            observed_arr: NDArray or NumPy array: series, shape `(batch, length, depth_dim)`.

        Returns:
            Array of the same shape.
        """
        observed_arr = self.on_device("observed_arr", observed_arr)
        encoding = positions(nd, observed_arr, observed_arr.shape[2])
        return nd.broadcast_add(observed_arr, encoding * self.embedding_weignt)

    @property
    def head_n(self) -> int:
        """Number of heads."""
        return self._head_n

    @head_n.setter
    def head_n(self, value: int) -> None:
        for attention in self.__dict__["_attentions"]:
            attention.head_n = value
        self._head_n = value

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """What the layers gave in the last forward pass, shape `(batch, length, depth_dim)`."""
        return self.kept_features()

    def graph_settings(self) -> tuple[Any, ...]:
        """Return what can be set between two passes, and is fixed in a compiled graph."""
        return self._head_n, self.embedding_flag, self.embedding_weignt

    def _key_of(self, x: Any, *args: Any) -> tuple[Any, ...]:
        return (*super()._key_of(x, *args), *self.graph_settings())

    # -- the door ----------------------------------------------------------------------

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        known = self.depth_dim
        if "hidden_fc" in self._children:
            known = self.hidden_fc.weight.shape[1]
        check_series(self, observed_arr, known)

    def _mask(self, name: str, mask: Any, observed_arr: nd.NDArray, memory_n: int) -> Any:
        mask = self.on_device(name, mask)
        return checked_mask(name, mask, observed_arr.shape[0], observed_arr.shape[1], memory_n)


def each_layer(name: str, values: Sequence[Any] | None, layer_n: int, default: Any) -> list[Any]:
    """Return one value for each layer.

    Args:
        name: Name of the argument, for the message.
        values: One for each layer; a single text is repeated; `default` if empty or `None`.
        layer_n: Number of layers.
        default: The value of all layers where there are none.

    Raises:
        TypeError: If it is no list.
        ValueError: If there are more or fewer.
    """
    check_is_a(name, values, (list, tuple), optional=True)
    listed = list(values or [default])
    if len(listed) == 1 and (isinstance(listed[0], str) or listed[0] is None):
        listed *= layer_n
    if len(listed) != layer_n:
        raise ValueError(
            f"`{name}` must have one entry for each of the {layer_n} layers, but has {len(listed)}."
        )
    return listed
