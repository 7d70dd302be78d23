"""Algorithm 1 of Rasmus et al. (2015), line by line, in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

EPSILON = 1e-5

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda y: np.maximum(y, 0.0),
    "tanh": np.tanh,
    "identity": lambda y: y,
    "softmax": lambda y: np.exp(y) / np.exp(y).sum(axis=1, keepdims=True),
}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def g(noisy: np.ndarray, u: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Equation 2; `a[0]` is a1."""
    mu = a[0] * sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
    upsilon = a[5] * sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
    return (noisy - mu) * upsilon + mu


def mean_of(z: np.ndarray) -> np.ndarray:
    axes = (0, *range(2, z.ndim))
    return z.mean(axis=axes, keepdims=True)


def deviation_of(z: np.ndarray) -> np.ndarray:
    return np.sqrt(mean_of((z - mean_of(z)) ** 2) + EPSILON)


def batchnorm(z: np.ndarray) -> np.ndarray:
    return (z - mean_of(z)) / deviation_of(z)


def ladder_costs(
    x: np.ndarray,
    noises: Sequence[np.ndarray],
    encoder: Sequence[Callable[[np.ndarray], np.ndarray]],
    decoder: Sequence[Callable[[np.ndarray], np.ndarray]],
    activations: Sequence[str],
    gammas: Sequence[np.ndarray],
    betas: Sequence[np.ndarray],
    combinators: Sequence[np.ndarray],
) -> dict[str, Any]:
    """Return the cost of each level and sample, logits of the noisy path, and what is denoised.

    `encoder[l - 1]` computes W^(l) h, `decoder[l]` V^(l+1) z; gammas, betas of levels 1 to L,
    combinators of levels 0 to L, broadcastable to a level.
    """
    top = len(encoder)
    noisy = [x + noises[0]]
    h = noisy[0]
    for level in range(1, top + 1):
        noisy.append(batchnorm(encoder[level - 1](h)) + noises[level])
        y = gammas[level - 1] * (noisy[level] + betas[level - 1])
        h = ACTIVATIONS[activations[level - 1]](y)
    h_noisy, logits = h, y
    z, mu, sigma = [x], [0.0], [1.0]
    h = x
    for level in range(1, top + 1):
        z_pre = encoder[level - 1](h)
        mu.append(mean_of(z_pre))
        sigma.append(deviation_of(z_pre))
        z.append(batchnorm(z_pre))
        h = ACTIVATIONS[activations[level - 1]](gammas[level - 1] * (z[level] + betas[level - 1]))
    costs, denoised = [np.zeros(len(x))] * (top + 1), [x] * (top + 1)
    for level in range(top, -1, -1):
        u = batchnorm(h_noisy if level == top else decoder[level](denoised[level + 1]))
        denoised[level] = g(noisy[level], u, combinators[level])
        normed = (denoised[level] - mu[level]) / sigma[level]
        squares = (z[level] - normed) ** 2
        costs[level] = squares.reshape(len(x), -1).mean(axis=1)
    return {"costs": costs, "logits": logits, "denoised": denoised}
