"""Attention by NumPy: heads, masks, widths that heads do not divide."""

from __future__ import annotations

import numpy as np
import pytest
from attention_numpy import attention, positions, softmax, value
from mxnet import autograd, nd

import accelbrainbase as ab
from accelbrainbase._mxnet import attention as functions

RNG = np.random.default_rng(0)
SERIES = RNG.normal(size=(3, 5, 6)).astype(np.float32)
MEMORY = RNG.normal(size=(3, 4, 7)).astype(np.float32)
MASK = np.array([[1, 1, 0, 1], [1, 0, 0, 0], [1, 1, 1, 1]], dtype=np.float32)
MODELS = {
    "one": (ab.AttentionModel, {}),
    "two": (ab.MultiHeadAttentionModel, {"head_n": 2}),
    "four": (ab.MultiHeadAttentionModel, {"head_n": 4}),  # does not divide 6: 4 heads of 2
}


def make(name, hybridize_flag=True, **kwargs):
    cls, settings = MODELS[name]
    ab.seed(0)
    settings = {"dropout_rate": 0.0, "scale": 3.0, "memory_dim": 7, **settings, **kwargs}
    return cls(6, ab.L2NormLoss(), hybridize_flag=hybridize_flag, **settings)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_attention_by_numpy(name, hybridize_flag):
    model = make(name, hybridize_flag)
    for mask in (None, MASK, (RNG.random((3, 5, 4)) < 0.7) | (np.arange(4) == 0)):
        got = model.inference(SERIES, MEMORY, mask).asnumpy()
        wide = mask[:, None] if mask is not None and mask.ndim == 2 else mask
        want = attention(model, SERIES, MEMORY, wide)
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=2e-5)
        np.testing.assert_array_equal(model.feature_points_arr.asnumpy(), got)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_self_attention_by_numpy(hybridize_flag):
    ab.seed(0)
    model = ab.SelfAttentionModel(6, ab.L2NormLoss(), 0.0, head_n=3, hybridize_flag=hybridize_flag)
    mask = np.ones((3, 5))
    mask[1, 2:] = 0
    np.testing.assert_allclose(
        model.inference(SERIES, mask).asnumpy(), attention(model, SERIES, None, mask[:, None]),
        rtol=1e-5, atol=2e-5,
    )  # fmt: skip


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_additive_attention_by_numpy(hybridize_flag):
    ab.seed(0)
    model = ab.AdditiveAttentionModel(
        6, ab.L2NormLoss(), 0.0, scale=3.0, memory_dim=7, hybridize_flag=hybridize_flag
    )
    got = model.inference(SERIES, MEMORY, MASK).asnumpy()
    q, k = SERIES @ value(model.query_dense_layer).T, MEMORY @ value(model.key_dense_layer).T
    scores = np.tanh(q[:, :, None] + k[:, None]) @ value(model.score_dense_layer)[0]
    weights = softmax(np.where(MASK[:, None] == 1, scores, -np.inf))
    want = weights @ (MEMORY @ value(model.value_dense_layer).T) @ value(model.output_dense_layer).T
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_masked_changes_nothing(name, hybridize_flag):
    model = make(name, hybridize_flag)
    clean = model.inference(SERIES, MEMORY, MASK).asnumpy()
    changed = np.where(MASK[:, :, None] == 0, 1e4, MEMORY).astype(np.float32)
    np.testing.assert_array_equal(model.inference(SERIES, changed, MASK).asnumpy(), clean)
    assert (model.inference(SERIES, changed).asnumpy() != clean).any()


def test_every_query_reaches_every_point_in_all_heads():
    """Heads divide the features, not the length."""
    model = make("two")
    clean = model.inference(SERIES, MEMORY).asnumpy()
    for point in range(4):
        changed = MEMORY.copy()
        changed[:, point] += 1
        difference = model.inference(SERIES, changed).asnumpy() - clean
        assert (np.abs(difference).max(axis=2) > 1e-5).all()


def test_masks_may_have_several_shapes():
    model = make("two")
    want = model.inference(SERIES, MEMORY, MASK).asnumpy()
    for mask in (
        MASK[:, None], MASK[:, None, None], np.repeat(MASK[:, None], 5, axis=1),
        np.repeat(MASK[:, :, None], 7, axis=2), MASK[:, :, None],
    ):  # fmt: skip
        np.testing.assert_allclose(model.inference(SERIES, MEMORY, mask).asnumpy(), want, atol=1e-6)
    with pytest.raises(ValueError, match=r"`mask` must have the shape .* but got \(3, 3\)"):
        model.inference(SERIES, MEMORY, MASK[:, :3])


def test_where_all_is_masked_there_is_no_nan():
    mask = MASK.copy()
    mask[1] = 0
    assert np.isfinite(make("two").inference(SERIES, MEMORY, mask).asnumpy()).all()


def test_weights_are_dropped_in_learning():
    model = make("one", dropout_rate=0.5)
    model.inference(SERIES, MEMORY)
    clean = model.inference(SERIES, MEMORY).asnumpy()
    np.testing.assert_array_equal(model.inference(SERIES, MEMORY).asnumpy(), clean)
    with autograd.record():
        dropped = model(nd.array(SERIES), nd.array(MEMORY)).asnumpy()
    assert (dropped != clean).any()


def test_positions_and_the_future():
    x = nd.zeros((2, 6, 7))
    np.testing.assert_allclose(
        functions.positions(nd, x, 7).asnumpy()[0], positions(6, 7), rtol=1e-5, atol=2e-5
    )
    hidden = functions.causal_bias(nd, x).asnumpy()[0] < -1e20
    np.testing.assert_array_equal(hidden, ~np.tri(6, dtype=bool))


def test_heads_can_be_set_where_the_width_stays():
    model = make("two")
    before = model.inference(SERIES, MEMORY).asnumpy()
    model.head_n = 3
    got = model.inference(SERIES, MEMORY).asnumpy()
    assert (got != before).any()
    np.testing.assert_allclose(got, attention(model, SERIES, MEMORY), rtol=1e-5, atol=2e-5)
    with pytest.raises(ValueError, match="`head_n` can be set to 4 only in the constructor"):
        model.head_n = 4
    assert model.head_n == 3 and model.units_list == [6, 6, 6, 6]
    assert make("four").units_list == [8, 8, 8, 6]


def test_files_have_the_names_of_1_1_0():
    names = list(make("two")._collect_params_with_prefix())
    layers = ("query", "key", "value", "output")
    assert names == [f"{layer}_dense_layer.weight" for layer in layers]


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="`head_n` must be at least 1"):
        ab.MultiHeadAttentionModel(6, ab.L2NormLoss(), head_n=0)
    with pytest.raises(ValueError, match="`memory_arr` must have shape"):
        make("one").inference(SERIES, MEMORY[:2])
    with pytest.raises(ValueError, match="`observed_arr` must have shape"):
        make("one").inference(SERIES[0])
