"""Dense networks in NumPy, in float64: what the tests of the dense models compare with."""

from __future__ import annotations

import math

import numpy as np
from mxnet import autograd, gluon, nd

import accelbrainbase as ab

ACTIVATIONS = {
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "gelu": lambda z: 0.5 * z * (1 + np.vectorize(math.erf)(z / math.sqrt(2))),
    "identity": lambda z: z,
    "identity_adjusted": lambda z: z / z.size,
    "leaky": lambda z: np.where(z > 0, z, 0.01 * z),
    "log_softmax": lambda z: z - np.log(np.exp(z).sum(axis=-1, keepdims=True)),
    "relu": lambda z: np.maximum(z, 0),
    "relu6": lambda z: np.clip(z, 0, 6),
    "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True),
    "softrelu": lambda z: np.log1p(np.exp(z)),
    "softsign": lambda z: z / (1 + np.abs(z)),
    "swish": lambda z: z / (1 + np.exp(-z)),
    "tanh": np.tanh,
}
ACTIVATIONS["GELU"] = ACTIVATIONS["gelu"]


def values(model) -> dict[str, np.ndarray]:
    """Return the parameters in float64, by their name in files (`0.weight`, …)."""
    parameters = model._collect_params_with_prefix()
    return {name: p.data().asnumpy().astype(np.float64) for name, p in parameters.items()}


def bits(model) -> list[np.ndarray]:
    """Return the parameters as they are, in the order of creation."""
    return [p.data().asnumpy() for p in model.collect_params().values()]


def assert_same_bits(first, second) -> None:
    assert len(first) == len(second)
    for one, other in zip(first, second):
        np.testing.assert_array_equal(one, other)


def dense(x: np.ndarray, parameters: dict, activation_list, prefix: str = "") -> np.ndarray:
    """Compute linear → activation of each layer, of weights `(units, in units)`."""
    x = x.reshape(len(x), -1)
    for number, name in enumerate(activation_list):
        bias = parameters.get(f"{prefix}{number}.bias", 0.0)
        x = ACTIVATIONS[name](x @ parameters[f"{prefix}{number}.weight"].T + bias)
    return x


def l2(pred: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Compute what `gluon.loss.L2Loss` does: half of the mean square of each sample."""
    return 0.5 * ((pred - target) ** 2).reshape(len(pred), -1).mean(axis=1)


def gradients(model, x: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
    """Return MXNet's gradients of the summed losses, by the names of `values`."""
    with autograd.record():
        loss_arr = model.compute_loss(model(nd.array(x)), nd.array(target))
    loss_arr.backward()
    parameters = model._collect_params_with_prefix()
    return {n: p.grad().asnumpy() for n, p in parameters.items() if p.grad_req != "null"}


def finite_differences(function, parameters: dict, name: str, step: float = 1e-5) -> np.ndarray:
    """Return the gradient of `function` in `parameters[name]`, by central differences."""
    gradient = np.zeros_like(parameters[name])
    for index in np.ndindex(gradient.shape):
        ends = []
        for sign in (1, -1):
            moved = parameters[name].copy()
            moved[index] += sign * step
            ends.append(function({**parameters, name: moved}))
        gradient[index] = (ends[0] - ends[1]) / (2 * step)
    return gradient


def draw(*shape: int, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32)


class Batches(ab.IteratableData):
    """The given mini-batches, `epochs` times; the last one is the test data too."""

    def __init__(self, pairs, epochs: int = 1, test: bool = True) -> None:
        self.pairs, self.epochs, self.test = list(pairs), epochs, test
        self.iter_n = epochs * len(self.pairs)

    def generate_learned_samples(self):
        test = [nd.array(arr) for arr in self.pairs[-1]] if self.test else [None, None]
        for _ in range(self.epochs):
            for observed, target in self.pairs:
                yield nd.array(observed), nd.array(target), *test

    def generate_inferenced_samples(self):
        for observed, _ in self.pairs:
            yield None, None, nd.array(observed), None


def network(units_list, activation_list=None, **kwargs) -> ab.NeuralNetworks:
    """Make a network with random biases too, so that a test sees where they go."""
    names = ["tanh"] * len(units_list) if activation_list is None else activation_list
    return ab.NeuralNetworks(
        kwargs.pop("computable_loss", None) or gluon.loss.L2Loss(),
        units_list=units_list, activation_list=names, **kwargs,
    )  # fmt: skip


def fill(model, seed: int = 0, scale: float = 0.5) -> None:
    """Draw all parameters anew, biases too; running variances stay positive."""
    rng = np.random.default_rng(seed)
    for name, parameter in model.collect_params().items():
        drawn = rng.normal(0, scale, parameter.shape)
        parameter.set_data(nd.array(np.abs(drawn) + 0.5 if name.endswith("var") else drawn))
