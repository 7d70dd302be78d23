"""Reconstructors of Transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mxnet as mx
from mxnet import gluon, nd
from mxnet.gluon import HybridBlock, nn
from mxnet.initializer import Initializer

from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.transformermodel.transformer_encoder import (
    TransformerEncoder,
)
from accelbrainbase.regularizatable_data import RegularizatableData


class TransformerReconstructor(TransformerEncoder):
    """Layers of self-attention and dense networks, and a dense layer that reconstructs.

    The arguments of the constructor are those of `TransformerEncoder`, in another order, and:

    Args:
        depth_dim: Number of features inside.
        layer_n: Number of layers.
        computable_loss: The loss, where the model learns by itself.
        head_n: Number of heads.
        initializer: Draws the initial weights.
        self_attention_layer_norm_list: Normalisations of the attention.
        fc_layer_norm_list: Normalisations of the dense networks.
        filter_fc_list: First dense layers.
        dropout_rate: Dropout rate in [0, 1).
        fc_list: Second dense layers.
        self_attention_activation_list: Activations of what the attention gives.
        fc_activation_list: Activations between the dense layers.
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
        **kwargs: More arguments of `TransformerEncoder`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.
    """

    def __init__(
        self,
        depth_dim: int,
        layer_n: int,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        head_n: int = 3,
        initializer: Initializer | None = None,
        self_attention_layer_norm_list: Sequence[HybridBlock] | None = None,
        fc_layer_norm_list: Sequence[HybridBlock] | None = None,
        filter_fc_list: Sequence[HybridBlock] | None = None,
        dropout_rate: float = 0.1,
        fc_list: Sequence[HybridBlock] | None = None,
        self_attention_activation_list: Sequence[str] | None = None,
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
        **kwargs: Any,
    ) -> None:
        check_is_a("output_fc", output_fc, HybridBlock, optional=True)
        if output_dim is not None:
            check_integer("output_dim", output_dim, low=1)
        self.__dict__["_given_output"] = (output_fc, output_dim or depth_dim)
        super().__init__(
            depth_dim,
            layer_n,
            head_n,
            computable_loss,
            initializer=initializer,
            self_attention_layer_norm_list=self_attention_layer_norm_list,
            fc_layer_norm_list=fc_layer_norm_list,
            filter_fc_list=filter_fc_list,
            dropout_rate=dropout_rate,
            fc_list=fc_list,
            self_attention_activation_list=self_attention_activation_list,
            fc_activation_list=fc_activation_list,
            output_layer_norm=output_layer_norm,
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

    def _finish(self) -> None:
        output_fc, output_dim = self.__dict__.pop("_given_output")
        with self.name_scope():
            self.output_fc = output_fc or nn.Dense(
                output_dim, use_bias=False, flatten=False, in_units=self.depth_dim
            )
        super()._finish()

    def forward_propagation(  # type: ignore[override]  # the contract's names
        self, F: Any, observed_arr: Any, mask: Any = None
    ) -> Any:
        """Compute the reconstruction.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            observed_arr: Series, shape `(batch, length, features)`.
            mask: The mask, shape `(batch or 1, length or 1, length)`; all is kept if omitted.

        Returns:
            The reconstruction, shape `(batch, length, output_dim)`.
        """
        return self.output_fc(super().forward_propagation(F, observed_arr, mask))

    def hybrid_forward(  # type: ignore[override]  # the contract's names
        self, F: Any, observed_arr: Any, mask: Any = None
    ) -> Any:
        """Compute the reconstruction, and the features where a graph is traced."""
        return super().hybrid_forward(F, observed_arr, mask)

    def inference(  # type: ignore[override]  # the contract's name of the mask
        self, observed_arr: Any, mask: Any = None
    ) -> nd.NDArray:
        """Infer: one forward pass.

        Args:
            observed_arr: Series, shape `(batch, length, features)`.
            mask: 1 for what is kept and 0 for what is hidden, shape `(batch, length)` or
                `(batch, length, length)`; all is kept if omitted.

        Returns:
            The reconstruction, shape `(batch, length, output_dim)`.

        Raises:
            ValueError: If a shape does not fit.
        """
        return super().inference(observed_arr, mask)
