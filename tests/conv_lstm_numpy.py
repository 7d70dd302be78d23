"""Convolutional LSTM cells by NumPy, pixel by pixel."""

from __future__ import annotations

import numpy as np


def convolved(x, weight, bias=0.0):
    """A convolution that keeps the size, pixel by pixel."""
    k = weight.shape[2] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (k, k), (k, k)))
    out = np.zeros((len(x), len(weight), *x.shape[2:]))
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            patch = padded[:, :, i : i + 2 * k + 1, j : j + 2 * k + 1]
            out[:, :, i, j] = np.tensordot(patch, weight, axes=((1, 2, 3), (1, 2, 3)))
    return out + np.reshape(bias, (1, -1, 1, 1))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(cell, films):
    value = {name: p.data().asnumpy() for name, p in cell._collect_params_with_prefix().items()}
    peep = [value.get(f"{name}_peephole", 0.0) for name in ("input", "forget", "output")]
    h = c = np.zeros((len(films), cell.hidden_channel, *films.shape[3:]))
    states = []
    for t in range(films.shape[1]):
        a = convolved(films[:, t], value["observed_conv.weight"], value["observed_conv.bias"])
        a = a + convolved(h, value["hidden_conv.weight"])
        g, i, f, o = np.split(a, 4, axis=1)
        c = sigmoid(f + c * peep[1]) * c + sigmoid(i + c * peep[0]) * np.tanh(g)
        h = sigmoid(o + c * peep[2]) * np.tanh(c)
        states.append(h)
    return np.stack(states, axis=1), h, c
