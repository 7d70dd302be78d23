"""Attention of a series to itself."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase.observabledata._mxnet.attentionmodel.multi_head_attention_model import (
    MultiHeadAttentionModel,
)


class SelfAttentionModel(MultiHeadAttentionModel):
    """Attention, in several heads, of a series to itself.

    The arguments of the constructor are those of `MultiHeadAttentionModel`.
    """

    def inference(  # type: ignore[override]  # the contract's: there is no memory
        self, observed_arr: Any, mask: Any = None
    ) -> nd.NDArray:
        """Infer: one forward pass.

        Args:
            observed_arr: Series, shape `(batch, length, features)`.
            mask: 1 for what is kept and 0 for what is hidden, shape `(batch, length)` or
                `(batch, length, length)`; all is kept if omitted.

        Returns:
            The output, shape `(batch, length, depth_dim)`.

        Raises:
            ValueError: If a shape does not fit.
        """
        return super().inference(observed_arr, None, mask)
