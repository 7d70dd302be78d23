"""Contractive and repelling auto-encoders: penalties, losses, history."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from mxnet import autograd, nd
from mxnet.gluon import loss, nn

import accelbrainbase as ab

POINTS = np.random.RandomState(0).rand(60, 6).astype(np.float32)
PICTURES = np.random.RandomState(0).rand(40, 1, 6, 6).astype(np.float32)
KINDS = ["dense", "convolutional"]


def parts(units, activation, **kwargs):
    names = [activation] * (len(units) - 1)
    return ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=units, activation_list=[*names, kwargs.pop("last", activation)],
        **kwargs,
    )  # fmt: skip


def maps(layer, activation, **kwargs):
    return ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[layer], hidden_activation_list=[activation],
        hidden_dropout_rate_list=[0.0], **kwargs,
    )  # fmt: skip


def dense_model(cls, units=(8,), activation="sigmoid", **kwargs):
    flag = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    encoder = parts(list(units), activation, **flag)
    decoder = parts([*units[-2::-1], 6], "sigmoid", last="identity", **flag)
    return cls(encoder, decoder, ab.L2NormLoss(), **{**FAST, **kwargs})


def convolutional_model(cls, activation="sigmoid", **kwargs):
    flag = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    return cls(
        maps(nn.Conv2D(4, 3, padding=1), activation, **flag),
        maps(nn.Conv2DTranspose(1, 3, padding=1), "identity", **flag),
        ab.L2NormLoss(), **{**FAST, **kwargs},
    )  # fmt: skip


FAST = {"optimizer_name": "Adam", "learning_rate": 1e-2}


def contractive(kind, **kwargs):
    if kind == "dense":
        return dense_model(ab.ContractiveAutoEncoder, **kwargs), POINTS
    return convolutional_model(ab.ContractiveCAE, **kwargs), PICTURES


def repelling(kind, **kwargs):
    if kind == "dense":
        return dense_model(ab.RepellingAutoEncoder, activation="tanh", **kwargs), POINTS
    return convolutional_model(ab.RepellingCAE, activation="tanh", **kwargs), PICTURES


@pytest.mark.parametrize("kind", KINDS)
def test_penalty_is_the_norm_of_the_jacobian(kind):
    model, data = contractive(kind, penalty_lambda=7.0)
    got = model.penalty(data[:3]).asnumpy()
    total = np.zeros(3)
    for number in range(data[0].size):
        step = np.zeros_like(data[:3])
        step.reshape(3, -1)[:, number] = 1e-2
        change = (model.encode(data[:3] + step) - model.encode(data[:3] - step)).asnumpy() / 2e-2
        total += (change.reshape(3, -1) ** 2).sum(axis=1)
    assert got.shape == (3,)
    np.testing.assert_allclose(got, total, rtol=1e-2)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [contractive, repelling])
def test_history_adds_up(make, kind, hybridize_flag):
    """Also where the last mini-batch is smaller."""
    model, data = make(kind, penalty_lambda=0.5, hybridize_flag=hybridize_flag)
    model.learn(ab.ArrayIterator(data, test_observed=data[:20], epochs=3, batch_size=17))
    for part in ("train", "test"):
        total, reconstruction, penalty = (
            model.history.column(f"{part}_{name}") for name in ("loss", "reconstruction", "penalty")
        )
        np.testing.assert_allclose(total, reconstruction + 0.5 * penalty, rtol=1e-5)
        assert (penalty > 0).all()
    expected = model.penalty(data[:20]).mean().asscalar()
    assert model.history.column("test_penalty")[-1] == pytest.approx(expected, rel=1e-5)
    reconstruction = model.compute_loss(model.inference(data[:20]), nd.array(data[:20]))
    assert model.history.column("test_reconstruction")[-1] == pytest.approx(
        reconstruction.mean().asscalar(), rel=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [contractive, repelling])
def test_penalty_is_minimised(make, kind):
    found = []
    for factor in (0.0, 1.0):
        ab.seed(0)
        model, data = make(kind, penalty_lambda=factor)
        model.learn(ab.ArrayIterator(data, epochs=30, batch_size=20, seed=0))
        found.append(float(model.penalty(data).mean().asscalar()))
    assert found[1] < 0.7 * found[0]


@pytest.mark.parametrize("make", [contractive, repelling])
def test_step_follows_the_gradient_of_the_sum(make):
    """One step of SGD, against a gradient of loss and penalty by finite differences."""
    model, data = make("dense", optimizer_name="SGD", learning_rate=0.1, penalty_lambda=0.3)
    batch = nd.array(data[:20])
    model.inference(batch)
    weight = next(iter(model.encoder.collect_params(".*weight").values()))
    before = weight.data().asnumpy()

    def value(moved):
        weight.set_data(nd.array(moved))
        recon = model.compute_loss(model.inference(batch), batch).mean().asscalar()
        return float(recon + 0.3 * model.penalty(batch).mean().asscalar())

    expected = []
    for place in ((0, 0), (3, 4), (7, 5)):
        step = np.zeros_like(before)
        step[place] = 1e-2
        expected.append((value(before + step) - value(before - step)) / 2e-2)
    weight.set_data(nd.array(before))
    model.learn(ab.ArrayIterator(data[:20], epochs=1, batch_size=20))
    got = (before - weight.data().asnumpy()) / 0.1
    got = [got[place] for place in ((0, 0), (3, 4), (7, 5))]
    np.testing.assert_allclose(got, expected, rtol=0.03, atol=1e-4)


def test_repelling_penalty_is_the_pulling_away_term():
    model, data = repelling("convolutional")
    code = model.encode(data[:9]).asnumpy().reshape(9, -1)
    unit = code / np.linalg.norm(code, axis=1, keepdims=True)
    cosines = (unit @ unit.T) ** 2
    expected = (cosines.sum() - np.trace(cosines)) / (9 * 8)
    got = model.penalty(data[:9])
    assert got.shape == (1,) and got.asscalar() == pytest.approx(expected, rel=1e-4)
    assert model.penalty(data[:1]).asscalar() == pytest.approx(0, abs=1e-5)


def test_deep_encoder():
    ab.seed(0)
    model = dense_model(ab.ContractiveAutoEncoder, (8, 3), penalty_lambda=0.1, direction_n=3)
    exact = model.penalty(POINTS)
    drawn = model.penalty(POINTS, direction_n=500)
    np.testing.assert_allclose(drawn.asnumpy(), exact.asnumpy(), rtol=0.3)
    assert (drawn != exact).asnumpy().any()
    model.learn(ab.ArrayIterator(POINTS, epochs=20, batch_size=20, seed=0))
    assert model.penalty(POINTS).mean().asscalar() < 0.7 * exact.mean().asscalar()


def test_a_linear_code_is_learned_without_warnings():
    encoder = ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[5, 3], activation_list=["sigmoid", "identity"]
    )
    decoder = ab.NeuralNetworks(ab.L2NormLoss(), units_list=[POINTS.shape[1]])
    model = ab.ContractiveAutoEncoder(encoder, decoder, ab.L2NormLoss())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.learn(ab.ArrayIterator(POINTS, epochs=1))


def test_encoders_with_dropout_and_normalisation_contract_as_they_infer():
    encoder = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[nn.Conv2D(3, 3), nn.Conv2D(3, 3)],
        hidden_activation_list=["tanh", "tanh"],
        hidden_batch_norm_list=[nn.BatchNorm(), None],
    )  # fmt: skip
    decoder = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[nn.Conv2DTranspose(3, 3), nn.Conv2DTranspose(1, 3)],
        hidden_activation_list=["tanh", "identity"], hidden_dropout_rate_list=[0.0, 0.0],
    )  # fmt: skip
    model = ab.ContractiveCAE(encoder, decoder, ab.L2NormLoss(), **FAST)
    model.learn(ab.ArrayIterator(PICTURES, test_fraction=0.2, epochs=2, batch_size=10))
    assert np.isfinite(model.history.array()).all()
    first, second = (model.penalty(PICTURES[:2]).asnumpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_higher_order():
    found = {}
    for factor in (0.0, 5.0):
        ab.seed(0)
        model, data = contractive(
            "dense", penalty_lambda=0.0, higher_order_lambda=factor, higher_order_sigma=0.5,
            higher_order_n=2,
        )  # fmt: skip
        model.learn(ab.ArrayIterator(data, test_observed=data[:20], epochs=20, batch_size=20))
        change = model._jacobian_penalty().change(
            nd.array(data), model.encode(data), 0.5, 50
        )  # fmt: skip
        found[factor] = float(change.mean().asscalar())
        assert ("train_higher_order_penalty" in model.history.columns) == (factor > 0)
        if factor:
            parts = ("loss", "reconstruction", "higher_order_penalty")
            total, reconstruction, change = (model.history.column(f"test_{n}") for n in parts)
            np.testing.assert_allclose(total, reconstruction + factor * change, rtol=1e-5)
    assert found[5.0] < 0.5 * found[0.0]


def test_penalty_before_learning_initialises_and_records():
    model, data = contractive("dense")
    with autograd.record():
        penalty = model.penalty(data[:4])
    penalty.backward()
    weight = next(iter(model.encoder.collect_params(".*weight").values()))
    assert (weight.grad().asnumpy() != 0).any()


def test_another_encoder_has_another_penalty():
    model, data = contractive("dense")
    first = model.penalty(data[:4]).asnumpy()
    model.encoder = parts([8], "tanh")
    model.encoder.inference(data)
    assert (model.penalty(data[:4]).asnumpy() != first).any()


def test_an_encoder_that_gets_another_layer_has_another_penalty():
    model, data = contractive("convolutional")
    first = model.penalty(data[:2]).asnumpy()
    model.encoder.output_nn = parts([2], "tanh")
    model.encoder.inference(data)
    found = model.penalty(data[:2]).asnumpy()
    steps = np.eye(36, dtype=np.float32).reshape(36, 1, 6, 6) * 0.05
    for point, square in zip(data[:2], found):
        up, down = (model.encoder.inference(point + sign * steps) for sign in (1, -1))
        jacobian = (up - down).asnumpy() / 0.1
        assert square == pytest.approx((jacobian**2).sum(), rel=0.01)
    assert (found != first).all()


@pytest.mark.parametrize(("units", "factor"), [((8,), 1.0), ((8, 4), 0.0), ((8, 4), 1.0)], ids=str)
def test_scoring_has_no_part_in_the_learning(units, factor):
    # Without a closed form, and of higher order, the penalty of test data is drawn too.
    learned, scored = [], []
    for test in (None, POINTS[:7], POINTS[:7]):
        ab.seed(0)
        model = dense_model(
            ab.ContractiveAutoEncoder, units=units, penalty_lambda=0.5, higher_order_lambda=factor
        )
        model.learn(ab.ArrayIterator(POINTS, test_observed=test, epochs=3, batch_size=20))
        learned.append([arr.asnumpy() for arr in model.extract_learned_dict().values()])
        scored.append(model.loss_arr[:, 1])
    for first, *others in zip(*learned):
        for other in others:
            np.testing.assert_array_equal(first, other)
    np.testing.assert_array_equal(scored[1], scored[2])


def test_scores_of_an_encoder_that_does_not_change_are_the_same_in_each_epoch():
    model = dense_model(
        ab.ContractiveAutoEncoder, units=(8, 4), learning_rate=0.0, higher_order_lambda=1.0
    )
    model.learn(ab.ArrayIterator(POINTS, test_observed=POINTS[:7], epochs=3, batch_size=20))
    assert (model.loss_arr[:, 1] == model.loss_arr[0, 1]).all()


def test_accessors_and_checks():
    model, _ = contractive("convolutional")
    model.set_penalty_lambda(0.25)
    assert model.get_penalty_lambda() == model.penalty_lambda == 0.25
    with pytest.raises(ValueError, match="`penalty_lambda` must be a finite number"):
        model.penalty_lambda = -1.0
    with pytest.raises(TypeError, match="no keyword `penalty_lamda`. Did you mean"):
        contractive("dense", penalty_lamda=1.0)
    with pytest.raises(ValueError, match="`direction_n` must be at least 1"):
        contractive("dense", direction_n=0)
    with pytest.raises(ValueError, match="`higher_order_sigma`"):
        contractive("dense", higher_order_sigma=0.0)
    with pytest.raises(ValueError, match="`observed_arr` must have shape"):
        model.penalty(PICTURES[0])
    assert "penalty: 0.25 times" in repr(model)


def test_pooling_is_named_when_the_penalty_is_computed():
    layers = nn.HybridSequential()
    layers.add(nn.Conv2D(2, 3, padding=1), nn.MaxPool2D())
    model = ab.ContractiveCAE(
        maps(layers, "tanh"), maps(nn.Conv2DTranspose(1, 2, strides=2), "identity"),
        loss.L2Loss(), tied_weights_flag=False,
    )  # fmt: skip
    with pytest.raises(TypeError, match="cannot be computed through MaxPool2D"):
        model.learn(ab.ArrayIterator(PICTURES, epochs=1, batch_size=10))


def test_keywords_of_the_predecessor_are_tolerated():
    encoder, decoder = (
        maps(nn.Conv2D(4, 3), "relu"), maps(nn.Conv2DTranspose(1, 3), "identity")
    )  # fmt: skip
    model = ab.ContractiveCAE(
        encoder=encoder, decoder=decoder, computable_loss=ab.L2NormLoss(), initializer=None,
        learning_rate=1e-3, learning_attenuate_rate=1.0, attenuate_epoch=50, input_nn=None,
        input_result_height=None, input_result_width=None, input_result_channel=None,
        output_nn=None, optimizer_name="SGD", hidden_residual_flag=False, hidden_dense_flag=False,
        dense_axis=1, hybridize_flag=True, regularizatable_data_list=[], scale=1.0,
        tied_weights_flag=True,
    )  # fmt: skip
    model.batch_size = 20
    assert model.inference(PICTURES).shape == PICTURES.shape
