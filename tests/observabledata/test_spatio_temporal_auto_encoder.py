"""Auto-encoders of films: by their parts, causal, and what they find irregular."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from conv_lstm_numpy import by_hand
from model_cases import film_auto_encoder, films_of_digits
from mxnet import gluon, nd

import accelbrainbase as ab


@pytest.mark.parametrize("hybridize", [False, True])
def test_reconstruction_by_its_parts(hybridize):
    ab.seed(0)
    model = film_auto_encoder(hybridize_flag=hybridize, initializer=mx.init.Normal(0.3))
    films, _ = films_of_digits(2)
    got = model.inference(films).asnumpy()
    maps = np.stack([model.encoder.inference(film).asnumpy() for film in films])
    states = maps
    for cell in model.cells:
        states, _, _ = by_hand(cell, states)
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), states, atol=1e-5)
    want = np.stack([model.decoder.inference(state).asnumpy() for state in states])
    np.testing.assert_allclose(got, want, atol=1e-5)
    np.testing.assert_array_equal(model.encode(films).asnumpy(), model.feature_points_arr.asnumpy())


def test_later_pictures_change_nothing_earlier():
    model = film_auto_encoder()
    films, _ = films_of_digits(2)
    before = model.inference(films).asnumpy()
    films[:, 2] = 1 - films[:, 2]
    after = model.inference(films).asnumpy()
    np.testing.assert_array_equal(before[:, :2], after[:, :2])
    assert (before[:, 2] != after[:, 2]).any()


def test_films_of_any_length():
    model = film_auto_encoder()
    films, _ = films_of_digits(2)
    long = model.inference(np.concatenate([films, films], axis=1)).asnumpy()
    np.testing.assert_allclose(long[:, :3], model.inference(films).asnumpy(), atol=1e-6)


def test_errors_and_regularity_by_hand():
    model = film_auto_encoder()
    films, _ = films_of_digits(3)
    wrong = model.inference(films).asnumpy() - films
    errors = np.sqrt((wrong**2).reshape(3, 3, -1).sum(axis=2))
    np.testing.assert_allclose(model.frame_errors(films).asnumpy(), errors, rtol=1e-5)
    low, high = errors.min(axis=1, keepdims=True), errors.max(axis=1, keepdims=True)
    got = model.regularity_scores(films).asnumpy()
    np.testing.assert_allclose(got, 1 - (errors - low) / high, rtol=1e-4)
    got = model.regularity_scores(films, of="batch").asnumpy()
    np.testing.assert_allclose(got, 1 - (errors - errors.min()) / errors.max(), rtol=1e-4)
    with pytest.raises(ValueError, match="`of` must be"):
        model.regularity_scores(films, of="set")


def test_it_predicts_the_next_picture_of_moving_digits():
    ab.seed(0)
    films, _ = films_of_digits(400)
    target = np.stack([films[:, 1], films[:, 2], np.roll(films[:, 2], 1, axis=3)], axis=1)
    model = film_auto_encoder(initializer=mx.init.Xavier())
    model.learn(ab.ArrayIterator(films[:300], target[:300], epochs=20, batch_size=30, seed=0))
    missed = ((model.inference(films[300:]).asnumpy() - target[300:]) ** 2)[:, 1:].mean()
    copied = ((films[300:] - target[300:]) ** 2)[:, 1:].mean()
    assert missed < 0.3 * copied


def test_bad_arguments_are_named():
    parts = [film_auto_encoder().encoder, film_auto_encoder().decoder, ab.L2NormLoss()]
    with pytest.raises(ValueError, match="`hidden_channel_list` must have at least one"):
        ab.SpatioTemporalAutoEncoder(*parts, [])
    with pytest.raises(TypeError, match="hidden_channel_list"):
        ab.SpatioTemporalAutoEncoder(*parts, [1.5])
    with pytest.raises(ValueError, match="`kernel_size` must be odd"):
        ab.SpatioTemporalAutoEncoder(*parts, [2], kernel_size=2)
    model = film_auto_encoder()
    with pytest.raises(ValueError, match="batch, length, channel"):
        model.inference(np.zeros((2, 1, 8, 8)))


def test_tied_weights():
    encoder = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[gluon.nn.Conv2D(4, 4, strides=2, padding=1)],
    )  # fmt: skip
    decoder = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[gluon.nn.Conv2DTranspose(1, 4, strides=2, padding=1)],
    )  # fmt: skip
    model = ab.SpatioTemporalAutoEncoder(
        encoder, decoder, ab.L2NormLoss(), [4], tied_weights_flag=True, learning_rate=0.1
    )
    films, _ = films_of_digits(8)
    model.learn(ab.ArrayIterator(films, epochs=2, batch_size=4))
    a, b = encoder.hidden_units_list[0].weight, decoder.hidden_units_list[0].weight
    assert a is b and np.isfinite(a.data().asnumpy()).all() and nd.abs(a.data()).sum() > 0
