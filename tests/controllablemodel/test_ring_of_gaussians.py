"""Eight Gaussians around a circle: does the generator cover all of them?"""

from __future__ import annotations

import math

import numpy as np
from adversarial_players import network
from mxnet import nd

import accelbrainbase as ab

BATCH = 128


class Ring(ab.TrueSampler):
    def draw(self):
        angle = nd.random.randint(0, 8, shape=(BATCH, 1)).astype("float32") * (math.pi / 4)
        means = 2.0 * nd.concat(nd.cos(angle), nd.sin(angle), dim=1)
        return means + nd.random.normal(0.0, 0.02, shape=means.shape)


def test_all_modes_are_covered():
    """The original game with a penalty on the slope, which falls as the game goes on.

    A short run: the full table is made by reproductions/adversarial.py.
    """
    ab.seed(0)
    model = ab.GenerativeModel(
        ab.NormalNoiseSampler(shape_tuple=(BATCH, 4)), network([128, 128, 128, 2], hidden="relu")
    )
    controller = ab.GANController(
        Ring(), model, ab.DiscriminativeModel(network([128, 128, 128, 1], hidden="relu")),
        ab.GeneratorLoss(from_logits=True), ab.DiscriminatorLoss(from_logits=True),
        optimizer_name="Adam", learning_rate=2e-3, optimizer_params={"beta1": 0.5},
        gradient_penalty=ab.GradientPenalty(0.3, target=0.0),
    )  # fmt: skip
    for part in range(5):
        controller.learning_rate = 2e-3 * 0.6**part
        controller.learn(360, 1)
        controller.gradient_penalty.weight *= 0.4
    drawn = np.concatenate([model.draw().asnumpy() for _ in range(40)])
    angle = np.arange(8) * math.pi / 4
    apart = np.linalg.norm(drawn[:, None] - 2 * np.stack([np.cos(angle), np.sin(angle)], 1), axis=2)
    share = np.bincount(apart.argmin(axis=1)[apart.min(axis=1) < 0.2], minlength=8) / len(drawn)
    assert (share >= 0.02).sum() >= 7, share
    assert share.sum() > 0.5, share
