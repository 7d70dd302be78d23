"""Attention and Transformer layers in NumPy, with loops, as the papers write them."""

from __future__ import annotations

import math

import numpy as np


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def value(block):
    return block.weight.data().asnumpy().astype(np.float64)


def attention(model, x, memory=None, mask=None, causal=False):
    """Multi-head attention, one head and one query at a time (Vaswani et al. 2017, 3.2)."""
    memory = x if memory is None else memory
    q, k, v = (
        arr @ value(layer).T
        for arr, layer in (
            (x, model.query_dense_layer),
            (memory, model.key_dense_layer),
            (memory, model.value_dense_layer),
        )
    )
    heads = getattr(model, "head_n", 1)
    d = q.shape[2] // heads
    out = np.zeros_like(q)
    for b in range(len(x)):
        for h in range(heads):
            part = slice(h * d, (h + 1) * d)
            for i in range(x.shape[1]):
                keep = np.ones(memory.shape[1], dtype=bool)
                if mask is not None:
                    keep &= np.broadcast_to(mask[b], (x.shape[1], memory.shape[1]))[i] == 1
                if causal:
                    keep &= np.arange(memory.shape[1]) <= i
                logits = k[b, keep, part] @ q[b, i, part] / math.sqrt(d)
                out[b, i, part] = softmax(logits) @ v[b, keep, part]
    return out @ value(model.output_dense_layer).T


def layer_norm(block, x):
    gamma, beta = (p.data().asnumpy() for p in (block.gamma, block.beta))
    centred = x - x.mean(axis=-1, keepdims=True)
    return gamma * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) + beta


def dense(block, x):
    out = x @ value(block).T
    return out if block.bias is None else out + block.bias.data().asnumpy()


def positions(length, width):
    encoding = np.zeros((length, width))
    for t in range(length):
        for i in range(width):
            angle = t / 10000 ** ((i - i % 2) / width)
            encoding[t, i] = math.cos(angle) if i % 2 else math.sin(angle)
    return encoding


def run(model, x, memory=None, mask=None, memory_mask=None, causal=False, pre_norm=True):
    """Run the layers of an encoder or decoder of the package, by their numbers in its file."""
    children = model._children
    if "hidden_fc" in children:
        x = dense(model.hidden_fc, x)
    x = x + positions(x.shape[1], x.shape[2])
    number = 2

    def residual(x, norm, branch):
        if pre_norm:
            return x + branch(layer_norm(norm, x))
        return layer_norm(norm, x + branch(x))

    for _ in range(model.layer_n):
        block = children[str(number + 1)]
        x = residual(
            x, children[str(number)], lambda a, block=block: attention(block, a, None, mask, causal)
        )
        number += 3
        if memory is not None:
            block = children[str(number + 1)]
            x = residual(
                x, children[str(number)],
                lambda a, block=block: attention(block, a, memory, memory_mask),
            )  # fmt: skip
            number += 3
        first, second = children[str(number + 1)], children[str(number + 2)]
        x = residual(
            x, children[str(number)],
            lambda a, first=first, second=second: dense(second, np.maximum(dense(first, a), 0)),
        )  # fmt: skip
        number += 4
    if "output_layer_norm" in children:
        x = layer_norm(model.output_layer_norm, x)
    return dense(model.output_fc, x) if "output_fc" in children else x
