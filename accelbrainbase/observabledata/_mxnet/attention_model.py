"""Attention of a series to another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import mxnet as mx
from mxnet import gluon, nd
from mxnet.gluon import nn
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer, check_number
from accelbrainbase._mxnet.attention import attend, bias_of, checked_mask
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase._mxnet.graph_per_input import GraphPerInput
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.regularizatable_data import RegularizatableData

LAYERS_TWICE_IN_OLD_FILES = tuple(
    f"{name}_dense_layer" for name in ("query", "key", "value", "output")
)


class AttentionModel(GraphPerInput, GradientBlock):
    r"""Each point of a series looks up, in a memory, what is like it.

    .. math:: \mathrm{softmax}\!\left(\frac{(x W_q)(m W_k)^\top}{\sqrt{d}}\right) (m W_v)\, W_o

    Args:
        depth_dim: Number of features d of the series and of the output.
        computable_loss: The loss, where the model learns by itself.
        dropout_rate: Dropout rate in [0, 1) of the attention weights.
        initializer: Draws the initial weights; by default Xavier's with variance 1 / fan-in.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        optimizer_name: Name of a Gluon optimiser.
        ctx: The device.
        hybridize_flag: Whether the network is compiled to a static graph.
        regularizatable_data_list: Constraints, applied after each step.
        not_init_flag: Whether the parameters are left for the caller to initialise.
        memory_dim: Number of features of the memory; `depth_dim` if omitted.
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.

    Attributes:
        depth_dim: Number of features of the output.

    References:
        - Vaswani, A., et al. (2017). Attention is all you need. NeurIPS. Section 3.2.1.
    """

    depth_dim: int = 0
    _head_n: int = 1
    _twice_in_old_files = LAYERS_TWICE_IN_OLD_FILES

    def __init__(
        self,
        depth_dim: int,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        dropout_rate: float = 0.5,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        optimizer_name: str = "SGD",
        ctx: mx.Context | None = None,
        hybridize_flag: bool = True,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        not_init_flag: bool = False,
        *,
        memory_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            computable_loss=computable_loss,
            initializer=initializer,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            optimizer_name=optimizer_name,
            ctx=ctx,
            hybridize_flag=hybridize_flag,
            regularizatable_data_list=regularizatable_data_list,
            **kwargs,
        )
        self.depth_dim = check_integer("depth_dim", depth_dim, low=1)
        self.memory_dim = depth_dim
        if memory_dim is not None:
            self.memory_dim = check_integer("memory_dim", memory_dim, low=1)
        rate = check_number("dropout_rate", dropout_rate, low=0.0, high=1.0, high_open=True)
        self.not_init_flag = bool(not_init_flag)
        with self.name_scope():
            self._build_layers()
            self._dropout = nn.Dropout(rate) if rate else None
        self.complete()

    def _build_layers(self) -> None:
        """Hook: make the layers."""
        width = self._width
        self.query_dense_layer, self.key_dense_layer, self.value_dense_layer = (
            nn.Dense(width, use_bias=False, flatten=False, in_units=features)
            for features in (self.depth_dim, self.memory_dim, self.memory_dim)
        )
        self.output_dense_layer = nn.Dense(
            self.depth_dim, use_bias=False, flatten=False, in_units=width
        )

    @property
    def _width(self) -> int:
        """Number of features of all heads together."""
        return self._head_n * math.ceil(self.depth_dim / self._head_n)

    @read_only
    def units_list(self) -> list[int]:
        """Number of units of the layers of queries, keys, values, and of the output layer."""
        return [self._width] * 3 + [self.depth_dim]

    def forward_propagation(  # type: ignore[override]  # the contract's names
        self, F: Any, x: Any, m: Any = None, mask: Any = None
    ) -> Any:
        """Compute the output.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, query_len, features)`.
            m: The memory, shape `(batch, memory_len, features)`; `x` if omitted.
            mask: 1 for what is kept and 0 for what is hidden, shape
                `(batch or 1, query_len or 1, memory_len)`; all is kept if omitted.

        Returns:
            The output, shape `(batch, query_len, depth_dim)`.
        """
        output = self.look_up(F, x, m, None if mask is None else bias_of(mask))
        self.keep_features(output)
        return output

    def hybrid_forward(self, F: Any, x: Any, m: Any = None, mask: Any = None) -> Any:
        """Compute the output, and the features where a graph is traced."""
        return super().hybrid_forward(F, x, m, mask)

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
        looked_up = attend(
            F,
            self.query_dense_layer(x),
            self.key_dense_layer(memory),
            self.value_dense_layer(memory),
            self._head_n,
            self._width,
            bias,
            self._dropout,
        )
        return self.output_dense_layer(looked_up)

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """The output of the last forward pass, shape `(batch, query_len, depth_dim)`."""
        return self.kept_features()

    def inference(self, observed_arr: Any, memory_arr: Any = None, mask: Any = None) -> nd.NDArray:
        """Infer: one forward pass.

        Args:
            observed_arr: Series, shape `(batch, query_len, features)`.
            memory_arr: What it attends to, shape `(batch, memory_len, features)`; itself if
                omitted.
            mask: 1 for what is kept and 0 for what is hidden, shape `(batch, memory_len)` or
                `(batch, query_len, memory_len)`; all is kept if omitted.

        Returns:
            The output, shape `(batch, query_len, depth_dim)`.

        Raises:
            ValueError: If a shape does not fit.
        """
        observed_arr = self.on_device("observed_arr", observed_arr)
        self._check_input(observed_arr)
        memory_arr = self.on_device("memory_arr", memory_arr)
        if memory_arr is not None:
            check_memory("memory_arr", memory_arr, observed_arr, self.memory_dim)
        memory_n = observed_arr.shape[1] if memory_arr is None else memory_arr.shape[1]
        mask = self.on_device("mask", mask)
        mask = checked_mask("mask", mask, observed_arr.shape[0], observed_arr.shape[1], memory_n)
        return self(observed_arr, memory_arr, mask)

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        check_series(self, observed_arr, self.depth_dim)


def check_series(owner: Any, observed_arr: nd.NDArray, known: int) -> None:
    """Raise a `ValueError` unless `observed_arr` is a batch of series of `known` features.

    Args:
        owner: The model, for the message.
        observed_arr: What should be a batch of series.
        known: Number of features; 0 where it is not known yet.
    """
    if observed_arr.ndim != 3 or 0 in observed_arr.shape:
        raise ValueError(
            f"`observed_arr` must have shape (batch, length, features), with at least one data "
            f"point, but got {observed_arr.shape}."
        )
    if known and known != observed_arr.shape[2]:
        raise ValueError(
            f"`observed_arr` must have {known} features at each point, as this "
            f"{type(owner).__name__} has, but got shape {observed_arr.shape}."
        )


def check_memory(
    name: str, memory_arr: nd.NDArray, observed_arr: nd.NDArray, memory_dim: int
) -> None:
    """Raise a `ValueError` unless there is a memory for each series of `observed_arr`.

    Args:
        name: Name of the argument, for the message.
        memory_arr: What should be the memory.
        observed_arr: Series, shape `(batch, length, features)`.
        memory_dim: Number of features of the memory.
    """
    wanted = (observed_arr.shape[0], memory_dim)
    if memory_arr.ndim != 3 or memory_arr.shape[::2] != wanted or 0 in memory_arr.shape:
        raise ValueError(
            f"`{name}` must have shape (batch, length, features), here "
            f"({wanted[0]}, length, {memory_dim}), but got {memory_arr.shape}. `memory_dim` in "
            f"the constructor sets the features."
        )
