"""Scaled dot-product attention, masks and positions, as graphs and as arrays."""

from __future__ import annotations

import math
from typing import Any

from mxnet import nd

# Added to logits. Beside them any other logit is lost in rounding, so that what is hidden has no
# effect at all. A point that may see nothing but padding must see padding, not the future.
_PADDED = -1e15
_FUTURE = -1e30


def split_heads(F: Any, x: Any, head_n: int) -> Any:
    """Divide the feature axis among heads: `(batch, len, n * d)` to `(batch * n, len, d)`.

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        x: Shape `(batch, len, head_n * d)`.
        head_n: Number of heads.
    """
    if head_n == 1:
        return x
    x = F.transpose(F.reshape(x, shape=(0, 0, -4, head_n, -1)), axes=(0, 2, 1, 3))
    return F.reshape(x, shape=(-3, -2))


def join_heads(F: Any, x: Any, head_n: int) -> Any:
    """Undo `split_heads`.

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        x: Shape `(batch * head_n, len, d)`.
        head_n: Number of heads.
    """
    if head_n == 1:
        return x
    x = F.reshape(x, shape=(-4, -1, head_n, -2))
    return F.reshape(F.transpose(x, axes=(0, 2, 1, 3)), shape=(0, 0, -3))


def attend(
    F: Any,
    query: Any,
    key: Any,
    value: Any,
    head_n: int,
    width: int,
    bias: Any = None,
    dropout: Any = None,
) -> Any:
    r"""Compute :math:`\mathrm{softmax}(Q K^\top / \sqrt{d} + B) V` in each head.

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        query: Shape `(batch, query_len, width)`.
        key: Shape `(batch, memory_len, width)`.
        value: Shape `(batch, memory_len, width)`.
        head_n: Number of heads; they divide the feature axis.
        width: `head_n * d`.
        bias: What is added to the logits, shape `(batch or 1, query_len or 1, memory_len)`.
        dropout: A block that drops attention weights.

    Returns:
        Shape `(batch, query_len, width)`.

    References:
        - Vaswani, A., et al. (2017). Attention is all you need. NeurIPS. Equation 1.
    """
    query = query * math.sqrt(head_n / width)
    query, key, value = (split_heads(F, arr, head_n) for arr in (query, key, value))
    logits = F.batch_dot(query, key, transpose_b=True)
    if bias is not None:
        if head_n > 1:
            logits = F.reshape(logits, shape=(-4, -1, head_n, -2))
            logits = F.broadcast_add(logits, F.expand_dims(bias, axis=1))
            logits = F.reshape(logits, shape=(-3, -2))
        else:
            logits = F.broadcast_add(logits, bias)
    weights = F.softmax(logits, axis=-1)
    if dropout is not None:
        weights = dropout(weights)
    return join_heads(F, F.batch_dot(weights, value), head_n)


def bias_of(mask: Any) -> Any:
    """Return what a mask adds to logits: 0 where it is 1, practically −∞ where it is 0."""
    return (1.0 - mask) * _PADDED


def causal_bias(F: Any, x: Any) -> Any:
    """Return what hides the future from each point, shape `(1, len, len)`.

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        x: Series, shape `(batch, len, features)`.
    """
    position = F.contrib.arange_like(F.BlockGrad(x), axis=1)
    future = F.broadcast_lesser(F.expand_dims(position, axis=1), F.expand_dims(position, axis=0))
    return F.expand_dims(future * _FUTURE, axis=0)


def positions(F: Any, x: Any, width: int) -> Any:
    r"""Return the positional encodings of a series, shape `(1, len, width)`.

    .. math::
        PE_{(t, 2i)} = \sin(t / 10000^{2i/d}), \quad PE_{(t, 2i+1)} = \cos(t / 10000^{2i/d})

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        x: Series, shape `(batch, len, width)`.
        width: Number of features d.

    References:
        - Vaswani, A., et al. (2017). Attention is all you need. NeurIPS. Section 3.5.
    """
    x = F.BlockGrad(x)
    position = F.contrib.arange_like(x, axis=1)
    number = F.contrib.arange_like(x, axis=2)
    odd = number - 2.0 * F.floor(number / 2.0)
    rate = F.exp((number - odd) * (-math.log(10000.0) / width))
    angle = F.broadcast_mul(F.expand_dims(position, axis=1), F.expand_dims(rate, axis=0))
    angle = F.broadcast_add(angle, F.expand_dims(odd * (math.pi / 2), axis=0))
    return F.expand_dims(F.sin(angle), axis=0)


def checked_mask(name: str, mask: Any, batch: int, query_n: int, memory_n: int) -> Any:
    """Return a mask in the shape that the models use inside.

    Args:
        name: Name of the argument, for the message.
        mask: NDArray with 1 for what is kept and 0 for what is hidden, of shape
            `(batch, memory_len)`, `(batch, query_len or 1, memory_len)`, the same with an axis
            of length 1 for the heads in front of `query_len`, or `(batch, memory_len, features)`
            as 1.1.0 had it, whose features all say the same. `None` stays `None`.
        batch: Number of series.
        query_n: Length of the series.
        memory_n: Length of what it attends to.

    Returns:
        NDArray of shape `(batch or 1, query_len or 1, memory_len)`.

    Raises:
        ValueError: If it has another shape.
    """
    if mask is None:
        return None
    shape = mask.shape
    if mask.ndim == 4 and shape[1] == 1:
        mask = mask.reshape((shape[0], shape[2], shape[3]))
    elif mask.ndim == 2:
        mask = nd.expand_dims(mask, axis=1)
    if mask.ndim == 3 and mask.shape[0] in (1, batch):
        if mask.shape[2] == memory_n and mask.shape[1] in (1, query_n):
            return mask
        if mask.shape[1] == memory_n:
            return nd.transpose(mask[:, :, :1], axes=(0, 2, 1))
    raise ValueError(
        f"`{name}` must have the shape (batch, length) or (batch, query length, length), here "
        f"{(batch, memory_n)} or {(batch, query_n, memory_n)}, but got {shape}."
    )
