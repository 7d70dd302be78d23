"""LSTM cells in NumPy, step by step, as the papers write them."""

from __future__ import annotations

import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def cells(x, observed, hidden, bias, state=None, mask=None, peepholes=None, functions=None):
    """Run a series; return the hidden states, and the last states.

    Rows of the weights: input of the cells, input gate, forget gate, output gate.
    """
    n = hidden.shape[1]
    g_f, i_f, f_f, o_f, h_f = functions or (np.tanh, sigmoid, sigmoid, sigmoid, np.tanh)
    h, c = state or (np.zeros((len(x), n)), np.zeros((len(x), n)))
    wi, wf, wo = peepholes or [np.zeros((n, n))] * 3
    states = []
    for t in range(x.shape[1]):
        keep = np.ones((len(x), 1)) if mask is None else mask[:, t : t + 1]
        a = keep * (x[:, t] @ observed.T) + h @ hidden.T + bias
        g, i, f, o = (a[:, k * n : (k + 1) * n] for k in range(4))
        new = f_f(f + c @ wf.T) * c + i_f(i + c @ wi.T) * g_f(g)
        c = keep * new + (1 - keep) * c
        h = keep * (o_f(o + c @ wo.T) * h_f(c)) + (1 - keep) * h
        states.append(h)
    return np.stack(states, axis=1), h, c


def parameters_of(model):
    """Return the weights of a model's cells as float64 arrays."""
    return [
        p.data().asnumpy().astype(np.float64)
        for p in (model.observed_fc.weight, model.hidden_fc.weight, model.hidden_fc.bias)
    ]
