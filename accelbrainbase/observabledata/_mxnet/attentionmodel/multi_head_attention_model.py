"""Attention in several heads."""

from __future__ import annotations

from typing import Any

from mxnet import gluon

from accelbrainbase._checks import check_integer
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.attention_model import AttentionModel


class MultiHeadAttentionModel(AttentionModel):
    r"""Attention in several heads, each of which sees a part of the features.

    Where `head_n` does not divide `depth_dim`, the heads are
    :math:`\lceil d / n \rceil` wide, and the output layer projects back to `depth_dim`.

    Args:
        depth_dim: Number of features of queries and of the output.
        computable_loss: The loss, where the model learns by itself.
        *args: More arguments of `AttentionModel`.
        head_n: Number of heads. It can also be set later.
        **kwargs: More arguments of `AttentionModel`.

    Attributes:
        batch_size: Kept for programs that set it; it has no effect.
        seq_len: Kept for programs that set it; it has no effect.

    References:
        - Vaswani, A., et al. (2017). Attention is all you need. NeurIPS. Section 3.2.2.
    """

    batch_size: int | None = None
    seq_len: int | None = None

    def __init__(
        self,
        depth_dim: int,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        *args: Any,
        head_n: int = 1,
        **kwargs: Any,
    ) -> None:
        self.__dict__["_head_n"] = check_integer("head_n", head_n, low=1)
        super().__init__(depth_dim, computable_loss, *args, **kwargs)

    @property
    def head_n(self) -> int:
        """Number of heads."""
        return self._head_n

    @head_n.setter
    def head_n(self, value: int) -> None:
        before, width = self._head_n, self._width
        self.__dict__["_head_n"] = check_integer("head_n", value, low=1)
        if self._width != width:
            wanted = self._width
            self.__dict__["_head_n"] = before
            raise ValueError(
                f"`head_n` can be set to {value} only in the constructor: the heads would be "
                f"{wanted} wide together, but the layers are {width} wide."
            )
        self._clear_cached_op()
