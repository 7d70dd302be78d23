"""Encoders, decoders and reconstructors of Transformers by NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from attention_numpy import positions, run
from mxnet import autograd, nd
from mxnet.gluon import nn

import accelbrainbase as ab

RNG = np.random.default_rng(0)
SERIES = RNG.normal(size=(3, 5, 8)).astype(np.float32)
MEMORY = RNG.normal(size=(3, 4, 6)).astype(np.float32)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 1, 1, 1]], dtype=np.float32)
MEMORY_MASK = np.array([[1, 1, 0, 1], [1, 0, 0, 0], [1, 1, 1, 1]], dtype=np.float32)


def encoder(hybridize_flag=True, head_n=2, **kwargs):
    ab.seed(0)
    settings = {"dropout_rate": 0.0, "scale": 2.0, **kwargs}
    return ab.TransformerEncoder(
        8, 2, head_n, ab.L2NormLoss(), hybridize_flag=hybridize_flag, **settings
    )


def decoder(hybridize_flag=True, **kwargs):
    ab.seed(0)
    settings = {"dropout_rate": 0.0, "scale": 2.0, "head_n": 2, "memory_dim": 6, **kwargs}
    return ab.TransformerDecoder(8, 2, ab.L2NormLoss(), hybridize_flag=hybridize_flag, **settings)


def reconstructor(**kwargs):
    ab.seed(0)
    return ab.TransformerReconstructor(
        8, 2, ab.L2NormLoss(), **{"dropout_rate": 0.0, "head_n": 2, "output_dim": 3, **kwargs}
    )


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("pre_norm_flag", [False, True])
@pytest.mark.parametrize("head_n", [2, 3])
def test_encoder_by_numpy(head_n, pre_norm_flag, hybridize_flag):
    model = encoder(hybridize_flag, head_n, pre_norm_flag=pre_norm_flag)
    for mask in (None, MASK):
        got = model.inference(SERIES, mask).asnumpy()
        wide = None if mask is None else mask[:, None]
        want = run(model, SERIES, mask=wide, pre_norm=pre_norm_flag)
        np.testing.assert_allclose(got, want, atol=2e-5)
        np.testing.assert_array_equal(model.feature_points_arr.asnumpy(), got)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("pre_norm_flag", [False, True])
def test_decoder_by_numpy(pre_norm_flag, hybridize_flag):
    model = decoder(hybridize_flag, pre_norm_flag=pre_norm_flag, output_dim=5)
    for mask, memory_mask in ((None, None), (MASK, None), (None, MEMORY_MASK), (MASK, MEMORY_MASK)):
        got = model.inference(SERIES, MEMORY, mask, memory_mask).asnumpy()
        want = run(
            model, SERIES, MEMORY, None if mask is None else mask[:, None],
            None if memory_mask is None else memory_mask[:, None], causal=True,
            pre_norm=pre_norm_flag,
        )  # fmt: skip
        np.testing.assert_allclose(got, want, atol=2e-5)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_reconstructor_by_numpy(hybridize_flag):
    model = reconstructor(hybridize_flag=hybridize_flag)
    got = model.inference(SERIES, MASK).asnumpy()
    np.testing.assert_allclose(got, run(model, SERIES, mask=MASK[:, None]), atol=2e-5)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_the_future_changes_nothing_before_it(hybridize_flag):
    model = decoder(hybridize_flag)
    clean = model.inference(SERIES, MEMORY).asnumpy()
    for point in range(1, 5):
        changed = SERIES.copy()
        changed[:, point:] = 1e3
        got = model.inference(changed, MEMORY).asnumpy()
        np.testing.assert_array_equal(got[:, :point], clean[:, :point])
        assert (got[:, point:] != clean[:, point:]).any()
    free = decoder(hybridize_flag, causal_flag=False)
    assert (free.inference(changed, MEMORY).asnumpy()[:, 0] != clean[:, 0]).any()


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_padding_changes_nothing(hybridize_flag):
    model = encoder(hybridize_flag)
    clean = model.inference(SERIES, MASK).asnumpy()
    kept = MASK == 1
    changed = np.where(kept[:, :, None], SERIES, 1e3).astype(np.float32)
    np.testing.assert_array_equal(model.inference(changed, MASK).asnumpy()[kept], clean[kept])
    np.testing.assert_allclose(
        model.inference(SERIES[1:2, :2]).asnumpy(), clean[1:2, :2], atol=1e-5
    )
    model = decoder(hybridize_flag)
    clean = model.inference(SERIES, MEMORY, MASK, MEMORY_MASK).asnumpy()
    memory = np.where(MEMORY_MASK[:, :, None] == 1, MEMORY, 1e3).astype(np.float32)
    got = model.inference(changed, memory, MASK, MEMORY_MASK).asnumpy()
    np.testing.assert_array_equal(got[kept], clean[kept])


def test_the_future_is_hidden_even_behind_padding():
    """A point that may see padding alone must not fall back upon the future."""
    mask = np.array([[0, 0, 1, 1, 1]] * 3)
    model = decoder()
    clean = model.inference(SERIES, MEMORY, mask).asnumpy()
    changed = SERIES.copy()
    changed[:, 3:] = 1e3
    got = model.inference(changed, MEMORY, mask).asnumpy()
    np.testing.assert_array_equal(got[:, :3], clean[:, :3])


def test_positions_can_be_weighted_and_left_out():
    model = encoder()
    model.embedding_weignt = 0.5
    np.testing.assert_allclose(
        model.embedding(SERIES).asnumpy(), SERIES + 0.5 * positions(5, 8), rtol=1e-5, atol=2e-5
    )
    plain = encoder()
    plain.embedding_flag = False
    # Without positions the order has no effect.
    one, other = plain.inference(SERIES), plain.inference(SERIES[:, ::-1].copy())
    np.testing.assert_allclose(one.asnumpy(), other.asnumpy()[:, ::-1], atol=1e-5)


def test_activations_of_the_branches():
    for name in ("self_attention_activation_list", "fc_activation_list"):
        one, two = encoder(**{name: ["gelu"]}), encoder(**{name: ["gelu", "gelu"]})
        np.testing.assert_array_equal(
            one.inference(SERIES).asnumpy(), two.inference(SERIES).asnumpy()
        )
        assert (one.inference(SERIES).asnumpy() != encoder().inference(SERIES).asnumpy()).any()
        with pytest.raises(ValueError, match=f"`{name}` must have one entry for each of the 2"):
            encoder(**{name: ["relu"] * 3})
    with pytest.raises(ValueError, match="`fc_activation_list` must be one of"):
        encoder(fc_activation_list=["rellu"])


def test_layers_can_be_given():
    layers = [nn.Dense(12, flatten=False) for _ in range(2)]
    outs = [nn.Dense(8, flatten=False) for _ in range(2)]
    norms = [nn.LayerNorm() for _ in range(2)]
    model = encoder(
        filter_fc_list=layers,
        fc_list=outs,
        fc_layer_norm_list=norms,
        output_layer_norm=nn.LayerNorm(),
    )
    assert model.inference(SERIES).shape == (3, 5, 8)
    assert layers[0].weight.shape == (12, 8) and model._children["5"] is norms[0]


def test_a_dense_layer_brings_other_series_to_the_width():
    model = encoder(observed_dim=6)
    got = model.inference(MEMORY).asnumpy()
    np.testing.assert_allclose(got, run(model, MEMORY), atol=2e-5)


def test_files_have_the_numbers_of_1_1_0():
    names = encoder()._collect_params_with_prefix()
    for name in ("2.gamma", "3.query_dense_layer.weight", "5.beta", "6.weight", "7.bias",
                 "9.gamma", "10.key_dense_layer.weight", "14.weight",
                 "output_layer_norm.beta"):  # fmt: skip
        assert name in names
    names = decoder()._collect_params_with_prefix()
    for name in ("3.value_dense_layer.weight", "6.query_dense_layer.weight", "8.gamma", "9.weight",
                 "10.bias", "12.gamma", "output_fc.weight"):  # fmt: skip
        assert name in names


@pytest.mark.parametrize("build", [encoder, reconstructor])
def test_dropout_drops_in_learning(build):
    model = build(dropout_rate=0.3)
    clean = model.inference(SERIES).asnumpy()
    np.testing.assert_array_equal(model.inference(SERIES).asnumpy(), clean)
    with autograd.record():
        dropped = model(nd.array(SERIES)).asnumpy()
    assert (dropped != clean).any()


def test_gradients_by_finite_differences():
    model = decoder(output_dim=2)
    arrays = nd.array(SERIES), nd.array(MEMORY)
    model(*arrays)
    with autograd.record():
        loss = nd.square(model(*arrays)).sum()
    loss.backward()
    for name in ("3.query_dense_layer.weight", "6.key_dense_layer.weight", "9.weight", "2.gamma"):
        parameter = model._collect_params_with_prefix()[name]
        gradient, start = parameter.grad().asnumpy(), parameter.data().asnumpy()
        direction = gradient / np.linalg.norm(gradient)
        losses = []
        for step in (5e-3, -5e-3):
            parameter.set_data(nd.array(start + step * direction))
            losses.append(np.square(model(*arrays).asnumpy().astype(np.float64)).sum())
        parameter.set_data(nd.array(start))
        assert (losses[0] - losses[1]) / 1e-2 == pytest.approx(
            (gradient * direction).sum(), rel=2e-2
        )


def test_a_decoder_with_a_memory_does_not_learn_alone():
    with pytest.raises(NotImplementedError, match="TransformerController"):
        decoder().learn(None)
    with pytest.raises(TypeError, match="`encoded_arr` must be given"):
        decoder().inference(SERIES)
    with pytest.raises(TypeError, match="`encoded_arr` must be given"):
        decoder(memory_flag=False).inference(SERIES, MEMORY)


def test_a_decoder_without_a_memory_is_a_language_model():
    """It learns that each token is the one before plus one."""
    rng = np.random.default_rng(0)
    numbers = (rng.integers(8, size=(200, 1)) + np.arange(7)) % 8
    one_hot = np.eye(8, dtype=np.float32)[numbers]
    import mxnet as mx

    ab.seed(0)
    model = ab.TransformerDecoder(
        8, 1, mx.gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False), head_n=2,
        memory_flag=False, dropout_rate=0.0, optimizer_name="Adam", learning_rate=1e-2,
    )  # fmt: skip
    model.learn(ab.ArrayIterator(one_hot[:, :-1], one_hot[:, 1:], epochs=15, batch_size=20, seed=0))
    predicted = model.inference(one_hot[:, :-1]).asnumpy().argmax(axis=2)
    assert (predicted == numbers[:, 1:]).mean() > 0.99


@pytest.mark.parametrize("memory", [MEMORY[:, :, :5], MEMORY[:2], MEMORY[0]])
def test_a_memory_that_does_not_fit_is_named(memory):
    with pytest.raises(ValueError, match=r"`encoded_arr` must have shape .* \(3, length, 6\)"):
        decoder().inference(SERIES, memory)


def test_positions_can_be_left_out_after_a_pass():
    model, plain = encoder(), encoder()
    model.inference(SERIES)
    model.embedding_flag = plain.embedding_flag = False
    np.testing.assert_array_equal(
        model.inference(SERIES).asnumpy(), plain.inference(SERIES).asnumpy()
    )


def test_heads_of_all_layers_can_be_set():
    model = encoder(head_n=2)
    before = model.inference(SERIES).asnumpy()
    model.head_n = 4
    np.testing.assert_allclose(model.inference(SERIES).asnumpy(), run(model, SERIES), atol=2e-5)
    assert model.head_n == 4 and (model.inference(SERIES).asnumpy() != before).any()
