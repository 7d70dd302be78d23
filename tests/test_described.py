"""What `repr` tells of iterators, samplers, noise, callbacks and memories."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import accelbrainbase as ab

DATA = np.zeros((150, 8), dtype=np.float32)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: ab.EarlyStopping(patience=3), "EarlyStopping(patience=3)"),
        (lambda: ab.EarlyStopping(), "EarlyStopping()"),
        (lambda: ab.MaskingNoise(0.3), "MaskingNoise(rate=0.3)"),
        (lambda: ab.ReplayMemory(1000), "ReplayMemory(capacity=1000)"),
        (lambda: ab.NStepReturns(3, 0.9), "NStepReturns(n=3, gamma_value=0.9)"),
        (lambda: ab.ConstrainWeights(2.0), "ConstrainWeights(weight_limit=2.0)"),
        (lambda: ab.Checkpoint(Path("here")), "Checkpoint(path='here')"),
        (lambda: ab.NormalNoiseSampler(shape_tuple=(10, 2)), "shape=(10, 2)"),
        (lambda: ab.GymnasiumPolicy("CartPole-v1", seed=0), "env='CartPole-v1', seed=0"),
        (lambda: ab.ArrayIterator(DATA, batch_size=50), "observed=<ndarray 150×8>"),
    ],
)
def test_arguments_that_are_not_the_defaults(made, told):
    text = repr(made())
    assert text == told if told[0].isupper() else told in text


def test_parts_are_told_within_the_whole():
    iterator = ab.ArrayIterator(DATA, noiseable_data=ab.GaussNoise(sigma=0.25))
    assert "noiseable_data=GaussNoise(sigma=0.25)" in repr(iterator)


def test_classes_of_ones_own():
    class Sampler(ab.NoiseSampler):
        def __init__(self, n, *, names=(), **kwargs):
            super().__init__(**kwargs)
            self.n, self._names, self.other = n, names, 5

        def draw(self):
            return None

    assert repr(Sampler(4)) == "Sampler(n=4)"
    sampler = Sampler(4, names=["a"] * 9)
    assert repr(sampler) == "Sampler(n=4, names=['a', 'a', 'a', 'a', ...])"
    sampler.n = sampler
    assert repr(sampler).startswith("Sampler(n=...")


def test_no_public_class_shows_an_address_only():
    classes = [value for name in ab._EXPORTS if inspect.isclass(value := getattr(ab, name))]
    without = {
        cls.__name__
        for cls in classes
        if cls.__repr__ is object.__repr__ and not inspect.isabstract(cls)
    }
    used_within = {"Backend", "FusedInference", "LazyTrainer", "LearningLoop", "Reshaped"}
    assert without <= used_within | {"AggregatedAdam", "NormalInitializer"}


def test_a_model_says_that_shapes_are_not_known_yet():
    model = ab.NeuralNetworks(ab.L2NormLoss(), units_list=[3], activation_list=["relu"])
    assert "parameters: 3 so far" in repr(model)
    model.inference(DATA)
    assert "parameters: 27 on" in repr(model)
