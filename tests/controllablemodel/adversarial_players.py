"""Small players and data for the tests of adversarial controllers."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd
from mxnet.gluon import nn

import accelbrainbase as ab

BATCH = 32


def network(units: list[int], last: str = "identity", hidden: str = "leaky", **kwargs: Any) -> Any:
    return ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=units, activation_list=[hidden] * (len(units) - 1) + [last],
        initializer=mx.init.Xavier(rnd_type="gaussian", factor_type="in", magnitude=2), **kwargs,
    )  # fmt: skip


class GaussSampler(ab.TrueSampler):
    """Draws numbers from a normal distribution."""

    def __init__(self, loc: float = 0.0, scale: float = 1.0, n: int = BATCH, dim: int = 1) -> None:
        self.loc, self.scale, self.shape = loc, scale, (n, dim)

    def draw(self) -> nd.NDArray:
        return nd.random.normal(self.loc, self.scale, shape=self.shape)


def generator(units: list[int], latent_n: int = 2, batch: int = BATCH, **kwargs: Any) -> Any:
    noise = ab.NormalNoiseSampler(shape_tuple=(batch, latent_n))
    return ab.GenerativeModel(noise, network(units), **kwargs)


def game(cls: Any = None, *, logits: bool = True, **kwargs: Any) -> Any:
    """Numbers from a normal distribution, by the original game."""
    settings = {
        "true_sampler": GaussSampler(1.0, 0.5),
        "generative_model": generator([8, 1]),
        "discriminative_model": ab.DiscriminativeModel(
            network([8, 1], "identity" if logits else "sigmoid")
        ),
        "generator_loss": ab.GeneratorLoss(from_logits=logits),
        "discriminator_loss": ab.DiscriminatorLoss(from_logits=logits),
        "optimizer_name": "Adam",
        "learning_rate": 1e-2,
        **kwargs,
    }
    return (cls or ab.GANController)(**settings)


def convolutional_energy(channel: int = 1) -> Any:
    """An energy whose decoder ends in a transposed convolution: what brings MXNet down."""
    encoder = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[nn.Conv2D(16, 4, strides=2, padding=1)],
        hidden_activation_list=["relu"], hidden_dropout_rate_list=[0.0],
        hidden_batch_norm_list=[nn.BatchNorm()],
    )  # fmt: skip
    decoder = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(),
        hidden_units_list=[nn.Conv2DTranspose(channel, 4, strides=2, padding=1)],
        hidden_activation_list=["identity"], hidden_dropout_rate_list=[0.0],
    )  # fmt: skip
    auto_encoder = ab.ConvolutionalAutoEncoder(encoder, decoder, ab.L2NormLoss())
    return ab.EBDiscriminativeModel(auto_encoder)


def digits(n: int = 200) -> np.ndarray:
    from sklearn.datasets import load_digits

    return (load_digits().data[:n] / 16).astype(np.float32)


def data_sampler(observed: np.ndarray, cls: Any = None, batch: int = BATCH, **kwargs: Any) -> Any:
    sampler = (cls or ab.TrueSampler)()
    sampler.iteratorable_data = ab.ArrayIterator(observed, batch_size=batch, epochs=2, **kwargs)
    return sampler


def values_of(block: Any) -> list[np.ndarray]:
    return [p.data().asnumpy() for p in block.collect_params().values()]
