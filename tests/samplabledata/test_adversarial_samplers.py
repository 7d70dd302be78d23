"""Samplers of truth, noise and conditions."""

from __future__ import annotations

import math

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd

import accelbrainbase as ab
from accelbrainbase.samplabledata.joining import join

OBSERVED = np.arange(20, dtype=np.float32).reshape(10, 2)
LABELS = np.eye(5, dtype=np.float32)[np.arange(10) // 2]


def true_sampler(cls=ab.TrueSampler, target=None, **kwargs):
    sampler = cls()
    settings = {"batch_size": 4, "epochs": 2, "seed": 0, **kwargs}
    sampler.iteratorable_data = ab.ArrayIterator(OBSERVED, target, **settings)
    return sampler


def test_true_sampler_draws_mini_batches_without_end():
    sampler = true_sampler(shuffle=False)
    drawn = [sampler.draw().asnumpy() for _ in range(9)]  # 6 in both epochs, then again
    np.testing.assert_array_equal(np.concatenate(drawn[:3]), OBSERVED)
    np.testing.assert_array_equal(np.concatenate(drawn[6:]), OBSERVED)
    assert sampler.draws_in_epoch == 3


@pytest.mark.parametrize("drawn_n", [0, 1, 5, 6, 8, 13])
def test_sampler_resumes_where_it_was(drawn_n):
    class Noisy(ab.IteratableData):
        """Draws by the global generator at each step, as iterators of old do."""

        iter_n, epochs = 6, 2

        def generate_learned_samples(self):
            for _ in range(self.iter_n):
                yield nd.array(np.random.normal(size=(3, 2))), None, None, None

        generate_inferenced_samples = generate_learned_samples

    def sampler():
        made = ab.TrueSampler()
        made.iteratorable_data = Noisy()
        return made

    ab.seed(3)
    whole = sampler()
    for _ in range(drawn_n):
        whole.draw()
        np.random.normal(size=7)  # what happens between has no influence
    saved = whole.capture()
    other = sampler()
    np.random.seed(99)
    other.resume(saved)
    for _ in range(8):
        if drawn_n:
            np.testing.assert_array_equal(other.draw().asnumpy(), whole.draw().asnumpy())


def test_each_pass_differs_and_the_seed_decides():
    def draws(seed):
        ab.seed(seed)
        sampler = true_sampler(seed=None)
        return [sampler.draw().asnumpy() for _ in range(12)]

    first, again, other = draws(1), draws(1), draws(2)
    assert all((a == b).all() for a, b in zip(first, again))
    assert any(a.shape != b.shape or (a != b).any() for a, b in zip(first, other))
    assert any((a != b).any() for a, b in zip(first[:6], first[6:]) if a.shape == b.shape)


def test_labels_go_with_their_data_points():
    sampler = true_sampler(ab.LabeledTrueSampler, LABELS)
    for _ in range(5):
        observed, label = (arr.asnumpy() for arr in sampler.draw())
        np.testing.assert_array_equal(observed[:, 0] // 4, label.argmax(axis=1))
    sampler = ab.LabeledTrueSampler()
    sampler.labeled_image_iterator = iterator = ab.ArrayIterator(OBSERVED, LABELS)
    assert sampler.iteratorable_data is sampler.get_labeled_image_iterator() is iterator
    unlabeled = ab.UnlabeledTrueSampler()
    unlabeled.unlabeled_image_iterator = iterator
    assert unlabeled.draw().shape == (10, 2)


def test_conditional_samplers():
    sampler = true_sampler(ab.ConditionalTrueSampler, LABELS)
    arr = sampler.draw().asnumpy()
    assert arr.shape == (4, 7)
    np.testing.assert_array_equal(arr[:, 0] // 4, arr[:, 2:].argmax(axis=1))
    with pytest.raises(ValueError, match="generates no conditions"):
        true_sampler(ab.ConditionalTrueSampler).draw()
    sampler = true_sampler(ab.ConditionalLabeledTrueSampler, LABELS, shuffle=False)
    observed, condition, label = (arr.asnumpy() for arr in sampler.draw())
    np.testing.assert_array_equal(observed, OBSERVED[:4])
    np.testing.assert_array_equal(condition, OBSERVED[4:8])
    np.testing.assert_array_equal(label, LABELS[:4])


@pytest.mark.parametrize("make", [np.asarray, nd.array])
def test_labels_of_images_become_planes(make):
    images = np.random.RandomState(0).rand(3, 2, 4, 5).astype(np.float32)
    labels = np.eye(3, dtype=np.float32)
    arr = join(make(images), make(labels))
    arr = arr if isinstance(arr, np.ndarray) else arr.asnumpy()
    assert arr.shape == (3, 5, 4, 5)
    np.testing.assert_array_equal(arr[:, :2], images)
    np.testing.assert_array_equal(arr[:, 2:], np.eye(3)[:, :, None, None] * np.ones((4, 5)))
    with pytest.raises(ValueError, match="cannot be joined on axis 1"):
        join(make(images), make(labels[:2]))


def test_condition_samplers():
    sampler = ab.ConditionSampler()
    with pytest.raises(ValueError, match="Set `true_sampler`"):
        sampler.draw()
    sampler.true_sampler = true_sampler(shuffle=False)
    condition, sampled = sampler.draw()
    assert sampled is None and condition.shape == (4, 2)
    sampler.model = lambda arr: 2 * arr
    condition, sampled = sampler.draw()
    np.testing.assert_array_equal(sampled.asnumpy(), 2 * condition.asnumpy())

    labeled = ab.LabeledConditionSampler()
    labeled.true_sampler = true_sampler(ab.LabeledTrueSampler, LABELS)
    labeled.observable_data = model = ab.NeuralNetworks(ab.L2NormLoss(), units_list=[3])
    condition, sampled, label = labeled.draw()
    assert labeled.model is model and sampled.shape == (4, 3) and label.shape == (4, 5)
    labeled.true_sampler = true_sampler()
    with pytest.raises(ValueError, match="must draw data points and labels"):
        labeled.draw()


@pytest.mark.parametrize("cls", [ab.NormalNoiseSampler, ab.NormalTrueSampler])
def test_normal_samplers(cls):
    ab.seed(0)
    arr = cls(loc=1.0, scale=2.0, shape_tuple=(4000, 5)).draw().asnumpy()
    assert arr.shape == (4000, 5)
    np.testing.assert_allclose([arr.mean(), arr.std()], [1.0, 2.0], atol=0.05)
    assert cls().draw().shape == (40, 3, 96, 96)
    shape = {"batch_size": 2, "channel": 1, "height": 3, "width": 4}
    assert cls(**shape).draw().shape == (2, 1, 3, 4)
    assert cls(seq_len=6, **shape).draw().shape == (2, 6, 1, 3, 4)


def test_uniform_noise_and_sums_of_noise():
    ab.seed(0)
    sampler = ab.UniformNoiseSampler(low=-1.0, high=3.0, shape_tuple=(2000, 4))
    arr = sampler.draw().asnumpy()
    assert arr.min() >= -1 and arr.max() <= 3
    np.testing.assert_allclose([arr.mean(), arr.std()], [1.0, 4 / math.sqrt(12)], atol=0.05)
    sampler.noise_sampler = ab.NormalNoiseSampler(loc=10.0, scale=1e-3, shape_tuple=(2000, 4))
    assert sampler.draw().mean().asscalar() == pytest.approx(11.0, abs=0.1)


def test_noise_sampler_over_an_iterator():
    sampler = true_sampler(ab.NoiseSampler, shuffle=False)
    sampler.noise_sampler = ab.UniformNoiseSampler(low=0.5, high=0.5, shape_tuple=(4, 2))
    np.testing.assert_allclose(sampler.draw().asnumpy(), OBSERVED[:4] + 0.5)


def test_one_hot_labels():
    ab.seed(0)
    arr = ab.OneHotNoiseSampler(3, 6000, [0.5, 0.3, 0.2]).draw().asnumpy()
    assert set(np.unique(arr)) == {0.0, 1.0} and (arr.sum(axis=1) == 1).all()
    np.testing.assert_allclose(arr.mean(axis=0), [0.5, 0.3, 0.2], atol=0.03)
    with pytest.raises(ValueError, match="`probability_list` must have 3 probabilities"):
        ab.OneHotNoiseSampler(3, probability_list=[0.5, 0.6, 0.2])


def test_mixture_of_gaussians():
    ab.seed(0)
    sampler = ab.GaussianMixtureTrueSampler(8000, 4, radius=3.0, labeled=True)
    arr = sampler.draw().asnumpy()
    component = arr[:, 2:].argmax(axis=1)
    np.testing.assert_allclose(np.bincount(component) / 8000, 0.25, atol=0.03)
    means = np.stack([arr[component == n, :2].mean(axis=0) for n in range(4)])
    np.testing.assert_allclose(means, [[3, 0], [0, 3], [-3, 0], [0, -3]], atol=0.05)
    np.testing.assert_allclose(arr[component == 0, :2].std(axis=0), [0.5, 0.1], atol=0.03)
    only = sampler.draw_components(nd.array([1, 1, 1])).asnumpy()
    assert (only[:, 3] == 1).all() and (only[:, 1] > 1).all()
    assert ab.GaussianMixtureTrueSampler(7).draw().shape == (7, 2)


def test_swiss_roll():
    ab.seed(0)
    sampler = ab.SwissRollTrueSampler(20000, turn_n=2.0, size=3.0, noise_scale=1e-4, labeled=True)
    arr = sampler.draw().asnumpy()
    radius = np.hypot(arr[:, 0], arr[:, 1])
    angle = np.arctan2(arr[:, 1], arr[:, 0]) % (2 * math.pi)
    expected = (2 * math.pi * 2.0 * radius / 3.0) % (2 * math.pi)
    apart = np.abs((angle - expected + math.pi) % (2 * math.pi) - math.pi)
    assert np.median(apart) < 1e-3 and radius.max() < 3.01
    # evenly over the length, which grows with the square of the radius (Archimedes' spiral)
    np.testing.assert_allclose(np.quantile(radius, [0.25, 0.5]), 3 * np.sqrt([0.25, 0.5]), 0.02)
    np.testing.assert_allclose(arr[:, 2:].mean(axis=0), 0.1, atol=0.02)
    assert (np.diff([radius[arr[:, 2 + n] == 1].mean() for n in range(10)]) > 0).all()


def test_bad_arguments_are_named():
    with pytest.raises(TypeError, match="`iteratorable_data` must be a `IteratableData`"):
        ab.TrueSampler().iteratorable_data = [1]
    with pytest.raises(ValueError, match="Set `iteratorable_data`"):
        ab.TrueSampler().draw()
    with pytest.raises(TypeError, match="`noise_sampler` must be a `NoiseSampler`"):
        ab.NoiseSampler().noise_sampler = ab.TrueSampler()
    with pytest.raises(TypeError, match="`true_sampler` must be a `SamplableData`"):
        ab.ConditionSampler().true_sampler = "data"
    with pytest.raises(ValueError, match="`high` must be a finite number in"):
        ab.UniformNoiseSampler(low=1.0, high=0.0)
    with pytest.raises(ValueError, match="`channel` must be at least 1"):
        ab.NormalNoiseSampler(channel=0)
    with pytest.raises(TypeError, match="`shape_tuple` must be a `Iterable`, but got 5"):
        ab.NormalNoiseSampler(shape_tuple=5)


def test_subclass_without_constructor():
    """As those of other packages: no `super().__init__`, an own `draw`."""

    class Mine(ab.TrueSampler):
        def __init__(self):
            self.n = 3

        def draw(self):
            return nd.ones((self.n, 1))

    assert Mine().draw().shape == (3, 1) and Mine().iteratorable_data is None
    assert Mine().capture()["seed"] is None


def test_former_path_of_normal_true_sampler():
    from accelbrainbase.samplabledata.truesampler import normal_true_sampler

    vars(normal_true_sampler).pop("NormalTrueSampler", None)  # it warns at the first use only
    with pytest.warns(FutureWarning, match="has moved"):
        cls = normal_true_sampler.NormalTrueSampler
    assert cls is ab.NormalTrueSampler
    assert cls(shape_tuple=(2, 2), ctx=mx.cpu()).draw().shape == (2, 2)
