"""Settings and normalisation that all iterators share."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import nd

import accelbrainbase as ab
from accelbrainbase.iteratabledata.labeled_csv_iterator import LabeledCSVIterator
from accelbrainbase.iteratabledata.labeled_image_iterator import LabeledImageIterator
from accelbrainbase.iteratabledata.unlabeled_image_iterator import UnlabeledImageIterator

NEUTRAL = pytest.mark.parametrize(
    "kind", [LabeledCSVIterator, LabeledImageIterator, UnlabeledImageIterator]
)
SIDES = pytest.mark.parametrize("make", [np.array, nd.array], ids=["numpy", "mxnet"])


def client(kind=LabeledImageIterator, **attributes):
    """An iterator of another package: its constructor calls no other."""

    class Client(kind):
        def __init__(self):
            for name, value in attributes.items():
                setattr(self, name, value)

        def generate_learned_samples(self):
            yield None

        def generate_inferenced_samples(self):
            yield None

    return Client()


def values(arr):
    return arr.asnumpy() if isinstance(arr, nd.NDArray) else arr


@NEUTRAL
def test_defaults_without_a_constructor(kind):
    iterator = client(kind)
    assert (iterator.epochs, iterator.batch_size, iterator.scale) == (300, 20, 1.0)
    assert iterator.norm_mode == "z_score"
    assert iterator.seq_len is None
    assert not hasattr(iterator, "iter_n")
    iterator.set_norm_mode("min_max")
    assert iterator.get_norm_mode() == "min_max"
    with pytest.raises(TypeError, match="abstract"):
        kind()


def test_iter_n_is_set_or_follows():
    iterator = client(epochs=4, batch_size=3)
    with pytest.raises(AttributeError, match="`iter_n` of Client is not known"):
        iterator.iter_n  # noqa: B018
    iterator.dataset_size = 8
    assert iterator.iter_n == int(4 * 8 / 3)
    iterator.batch_size = 10
    assert iterator.iter_n == 4
    iterator.iter_n = 7
    assert iterator.iter_n == 7


def test_models_say_what_is_missing():
    model = ab.NeuralNetworks(
        computable_loss=ab.L2NormLoss(), units_list=[1],
        activation_list=["identity"], dropout_rate_list=[0.0],
    )  # fmt: skip
    with pytest.raises(TypeError, match="must have the attribute `iter_n`"):
        model.learn(client())


@SIDES
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_z_score_by_hand(make, scale):
    arr = make([[1.0, 2.0], [3.0, 6.0]])  # mean 3, variance (4 + 1 + 0 + 9) / 4
    got = client(scale=scale).pre_normalize(arr)
    assert isinstance(got, type(arr))
    wanted = scale * np.array([[-2, -1], [0, 3]]) / np.sqrt(3.5)
    np.testing.assert_allclose(values(got), wanted, rtol=1e-6)
    assert values(arr).tolist() == [[1, 2], [3, 6]]


@SIDES
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_min_max_by_hand(make, scale):
    got = client(norm_mode="min_max", scale=scale).pre_normalize(make([[1.0, 2.0], [3.0, 6.0]]))
    np.testing.assert_allclose(values(got), scale * np.array([[0, 0.2], [0.4, 1]]), rtol=1e-6)


@SIDES
@pytest.mark.parametrize("norm_mode", [None, "anything"])
def test_other_modes_leave_the_values(make, norm_mode):
    arr = make([[1.0, 2.0]])
    assert client(norm_mode=norm_mode).pre_normalize(arr) is arr
    got = client(norm_mode=norm_mode, scale=0.5).pre_normalize(arr)
    assert values(got).tolist() == [[0.5, 1.0]]


@SIDES
@pytest.mark.parametrize("norm_mode", ["z_score", "min_max"])
@pytest.mark.parametrize("value", [0.0, 0.1, 255.0, 1e-20])
@pytest.mark.parametrize("fitted", [False, True])
def test_constant_arrays_become_zero(make, norm_mode, value, fitted):
    iterator = client(norm_mode=norm_mode)
    arr = np.full((7, 11), value, dtype=np.float32)
    if fitted:
        iterator.fit_normalization(arr)
    assert (values(iterator.pre_normalize(make(arr, dtype=np.float32))) == 0).all()


@SIDES
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32])
@pytest.mark.parametrize("norm_mode", ["z_score", "min_max"])
def test_integers_do_not_overflow(make, dtype, norm_mode):
    arr = np.array([-100, 0, 100]).astype(dtype)
    got = values(client(norm_mode=norm_mode).pre_normalize(make(arr, dtype=dtype)))
    exact = arr.astype(float)
    if norm_mode == "z_score":
        wanted = (exact - exact.mean()) / exact.std()
    else:
        wanted = (exact - exact.min()) / (exact.max() - exact.min())
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


@SIDES
@pytest.mark.parametrize("norm_mode", ["z_score", "min_max"])
def test_fitted_statistics_hold_for_all_arrays(make, norm_mode):
    generator = np.random.default_rng(0)
    train, test = generator.normal(5, 2, size=(50, 4)), generator.normal(9, 1, size=(3, 4))
    iterator = client(norm_mode=norm_mode)
    iterator.fit_normalization(train)
    if norm_mode == "z_score":
        wanted = (test - train.mean()) / train.std()
    else:
        wanted = (test - train.min()) / (train.max() - train.min())
    np.testing.assert_allclose(values(iterator.pre_normalize(make(test))), wanted, rtol=1e-5)


def test_fitted_statistics_of_large_data_are_exact():
    arr = np.random.default_rng(0).normal(1e6, 1.0, size=(3000, 1000)).astype(np.float32)
    iterator = client()
    iterator.fit_normalization(arr)
    got = iterator.pre_normalize(arr.astype(np.float64))
    assert abs(got.mean()) < 1e-6 and got.std() == pytest.approx(1, abs=1e-9)


def test_fit_wants_numpy():
    with pytest.raises(TypeError, match="`arr` must be a `ndarray`"):
        client().fit_normalization([1.0])


def test_empty_array():
    assert client().pre_normalize(np.empty((0, 3))).shape == (0, 3)
