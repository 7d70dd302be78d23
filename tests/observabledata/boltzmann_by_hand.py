"""Boltzmann machines by brute force, in NumPy: every state is enumerated."""

from __future__ import annotations

import itertools

import numpy as np


def all_states(unit_n: int, states: tuple[float, float] = (0.0, 1.0)) -> np.ndarray:
    """All states of some units, shape `(2**unit_n, unit_n)`."""
    return np.array(list(itertools.product(states, repeat=unit_n)), dtype=np.float64)


def softmax(logs: np.ndarray) -> np.ndarray:
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()


def log_sum_exp(logs: np.ndarray, axis: int | None = None) -> np.ndarray:
    return np.logaddexp.reduce(logs, axis=axis) if axis is not None else np.logaddexp.reduce(
        logs.ravel()
    )  # fmt: skip


class TinyMachine:
    """A restricted Boltzmann machine with all its states."""

    def __init__(self, weight, visible_bias, hidden_bias, visible=(0.0, 1.0), hidden=(0.0, 1.0)):
        self.weight = np.asarray(weight, dtype=np.float64)
        self.visible_bias = np.asarray(visible_bias, dtype=np.float64)
        self.hidden_bias = np.asarray(hidden_bias, dtype=np.float64)
        hidden_n, visible_n = self.weight.shape
        self.visible_states = all_states(visible_n, visible)
        self.hidden_states = all_states(hidden_n, hidden)
        self.minus_energy = (
            (self.visible_states @ self.visible_bias)[:, None]
            + (self.hidden_states @ self.hidden_bias)[None, :]
            + self.visible_states @ self.weight.T @ self.hidden_states.T
        )
        self.log_z = log_sum_exp(self.minus_energy)
        self.log_p = log_sum_exp(self.minus_energy, axis=1) - self.log_z

    def energy(self, visible, hidden):
        return -(
            visible @ self.visible_bias
            + hidden @ self.hidden_bias
            + np.einsum("bi,ji,bj->b", visible, self.weight, hidden)
        )

    def log_likelihood(self, data):
        index = [np.flatnonzero((self.visible_states == row).all(axis=1))[0] for row in data]
        return self.log_p[index]

    def mean_hidden(self, visible):
        """E[h | v], by enumeration."""
        means = []
        for row in np.atleast_2d(visible):
            logs = self.hidden_states @ (self.hidden_bias + self.weight @ row)
            means.append(softmax(logs) @ self.hidden_states)
        return np.array(means)

    def mean_visible(self, hidden):
        """E[v | h], by enumeration."""
        means = []
        for row in np.atleast_2d(hidden):
            logs = self.visible_states @ (self.visible_bias + row @ self.weight)
            means.append(softmax(logs) @ self.visible_states)
        return np.array(means)

    def gradients(self, data):
        """Gradients of the mean log-likelihood: of the weight, visible and hidden biases."""
        hidden = self.mean_hidden(data)
        joint = np.exp(self.minus_energy - self.log_z)
        p_visible, p_hidden = joint.sum(axis=1), joint.sum(axis=0)
        return (
            hidden.T @ data / len(data) - self.hidden_states.T @ joint.T @ self.visible_states,
            data.mean(axis=0) - p_visible @ self.visible_states,
            hidden.mean(axis=0) - p_hidden @ self.hidden_states,
        )


def bars_and_stripes(side: int) -> np.ndarray:
    """The images of `side` × `side` pixels whose rows, or whose columns, are all alike.

    Each pattern once (the empty and the full image belong to both kinds).
    """
    rows = all_states(side)
    bars = [np.repeat(row[:, None], side, axis=1).ravel() for row in rows]
    stripes = [np.repeat(row[None, :], side, axis=0).ravel() for row in rows]
    return np.unique(np.array(bars + stripes), axis=0)
