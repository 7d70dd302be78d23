"""Dense networks: the numbers."""

import logging
import math

import mxnet as mx
import numpy as np
import pytest
from dense_numpy import (
    ACTIVATIONS,
    Batches,
    assert_same_bits,
    bits,
    dense,
    draw,
    fill,
    finite_differences,
    gradients,
    l2,
    network,
    values,
)  # fmt: skip
from mxnet import autograd, gluon, nd

import accelbrainbase as ab
from accelbrainbase._mxnet._exception.init_deferred_error import InitDeferredError
from accelbrainbase._mxnet.activations import ACTIVATIONS as OURS

both_modes = pytest.mark.parametrize("hybridize_flag", [False, True])


# -- forward ---------------------------------------------------------------------------


def test_every_activation_has_a_reference():
    assert set(OURS) == set(ACTIVATIONS)


@both_modes
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("batch", [1, 7])
def test_forward_pass_by_numpy(name, batch, hybridize_flag):
    model = network([5, 4, 3], [name] * 3, hybridize_flag=hybridize_flag)
    x = draw(batch, 6, scale=2.0)
    model.inference(x)
    fill(model)
    expected = dense(x, values(model), [name] * 3)
    atol = 2e-5 if name == "log_softmax" else 1e-6  # oneDNN's is that exact
    np.testing.assert_allclose(model.inference(x).asnumpy(), expected, rtol=1e-4, atol=atol)


@pytest.mark.parametrize("name", ["relu6", "selu", "elu", "leaky", "softsign", "gelu"])
def test_activation_far_from_zero(name):
    """The net above hardly leaves [-6, 6]; saturation and tails are seen here."""
    z = np.array([[-20.0, -7.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 5.9, 6.1, 20.0]])
    got = OURS[name](nd, nd.array(z)).asnumpy()
    np.testing.assert_allclose(got, ACTIVATIONS[name](z), rtol=1e-5, atol=1e-7)


@both_modes
def test_identity_adjusted_follows_the_batch_size(hybridize_flag):
    model = network([3], ["identity_adjusted"], hybridize_flag=hybridize_flag)
    for batch in (2, 5, 2, 1):
        x = draw(batch, 4)
        model.inference(x)
        weight = values(model)["0.weight"]
        expected = x @ weight.T / (batch * 3)
        np.testing.assert_allclose(model.inference(x).asnumpy(), expected, rtol=1e-5)


def test_log_softmax_is_a_logarithm():
    model = network([4], ["log_softmax"])
    out = model.inference(draw(5, 3)).asnumpy()
    assert (out < 0).all()
    np.testing.assert_allclose(np.exp(out).sum(axis=1), 1.0, rtol=1e-5)


def test_log_softmax_of_large_scores_is_finite():
    out = OURS["log_softmax"](nd, nd.array([[0.0, 500.0]])).asnumpy()
    np.testing.assert_allclose(out, [[-500.0, 0.0]], rtol=1e-6, atol=1e-5)


@both_modes
def test_images_are_flattened(hybridize_flag):
    model = network([4], ["tanh"], hybridize_flag=hybridize_flag)
    x = draw(3, 2, 5, 5)
    out = model.inference(x).asnumpy()
    np.testing.assert_allclose(out, dense(x, values(model), ["tanh"]), rtol=1e-5, atol=1e-6)


def test_default_layers():
    model = ab.NeuralNetworks(gluon.loss.L2Loss())
    assert model.units_list == [100, 1] and model.activation_list == ["tanh", "sigmoid"]
    assert ab.NeuralNetworks(gluon.loss.L2Loss(), units_list=[3, 4, 5]).activation_list == [
        "tanh", "tanh", "sigmoid",
    ]  # fmt: skip


# -- the order inside a layer ----------------------------------------------------------


@both_modes
def test_batch_norm_comes_after_the_activation(hybridize_flag):
    model = network(
        [4, 3], ["tanh", "sigmoid"], hybridize_flag=hybridize_flag,
        hidden_batch_norm_list=[gluon.nn.BatchNorm(), None],
    )  # fmt: skip
    x = draw(6, 5)
    model.inference(x)
    fill(model)
    p = values(model)
    hidden = np.tanh(x @ p["0.weight"].T + p["0.bias"])
    deviation = np.sqrt(p["4.running_var"] + 1e-5)
    hidden = p["4.gamma"] * (hidden - p["4.running_mean"]) / deviation + p["4.beta"]
    expected = ACTIVATIONS["sigmoid"](hidden @ p["1.weight"].T + p["1.bias"])
    np.testing.assert_allclose(model.inference(x).asnumpy(), expected, rtol=1e-4)


def test_batch_norms_are_numbered_among_themselves():
    """As in 1.1.0, whose files must load."""
    model = network([4, 3], hidden_batch_norm_list=[None, gluon.nn.BatchNorm()])
    model.inference(draw(2, 5))
    assert set(values(model)) == {
        "0.weight", "0.bias", "1.weight", "1.bias",
        "4.gamma", "4.beta", "4.running_mean", "4.running_var",
    }  # fmt: skip


@both_modes
def test_dropout_comes_after_the_activation(hybridize_flag):
    """What is dropped is 0, not sigmoid(0) = 0.5; what is kept is scaled by 1 / (1 - rate)."""
    model = network([40], ["sigmoid"], dropout_rate_list=[0.25], hybridize_flag=hybridize_flag)
    x = draw(30, 5)
    kept = model.inference(x).asnumpy() / 0.75
    with autograd.train_mode():
        learned = model(nd.array(x)).asnumpy()
    dropped = learned == 0
    assert dropped.mean() == pytest.approx(0.25, abs=0.05)
    np.testing.assert_allclose(learned[~dropped], kept[~dropped], rtol=1e-5)


@both_modes
def test_dropout_comes_before_the_batch_norm(hybridize_flag):
    """What is dropped is shifted and scaled with the rest of its column: one value, not 0."""
    model = network(
        [8], ["sigmoid"], dropout_rate_list=[0.5], hidden_batch_norm_list=[gluon.nn.BatchNorm()],
        hybridize_flag=hybridize_flag,
    )  # fmt: skip
    x = draw(50, 5)
    model.inference(x)
    with autograd.train_mode():
        learned = model(nd.array(x)).asnumpy()
    for column in learned.T:
        lowest = column.min()
        assert np.isclose(column, lowest, atol=1e-5).mean() == pytest.approx(0.5, abs=0.25)
        assert lowest < -0.5


# -- dropout and batch normalisation in learning ---------------------------------------


class Watched(ab.NeuralNetworks):
    """Keeps what it predicted in learning and in evaluation."""

    def _score(self, pred_arr, target_arr):
        self.__dict__.setdefault("seen", []).append(pred_arr.asnumpy())
        return super()._score(pred_arr, target_arr)


@both_modes
def test_dropout_drops_in_learning_and_not_in_evaluation(hybridize_flag):
    model = Watched(
        gluon.loss.L2Loss(), units_list=[50], activation_list=["sigmoid"],
        dropout_rate_list=[0.5], hybridize_flag=hybridize_flag,
    )  # fmt: skip
    x, target = draw(20, 5), draw(20, 50)
    model.learn(Batches([(x, target)] * 2))
    first, second, evaluated = model.seen
    assert (first == 0).mean() == pytest.approx(0.5, abs=0.1)
    assert (second == 0).mean() == pytest.approx(0.5, abs=0.1)
    assert ((first == 0) != (second == 0)).any()
    assert (evaluated > 0).all()
    assert_same_bits([model.inference(x).asnumpy()], [model.inference(x).asnumpy()])


@both_modes
def test_running_statistics_of_batch_norm(hybridize_flag):
    model = network(
        [4], ["tanh"], hidden_batch_norm_list=[gluon.nn.BatchNorm(momentum=0.9)],
        hybridize_flag=hybridize_flag, learning_rate=0.0,
    )  # fmt: skip
    x, other = draw(16, 5), draw(9, 5, seed=1, scale=3.0)
    model.inference(x)
    assert (values(model)["2.running_mean"] == 0).all()  # inference leaves them alone
    model.learn(Batches([(x, draw(16, 4)), (other, draw(9, 4))]))
    p = values(model)
    mean, variance = 0.0, 1.0
    for batch in (x, other):
        hidden = dense(batch, p, ["tanh"])
        mean = 0.9 * mean + 0.1 * hidden.mean(axis=0)
        variance = 0.9 * variance + 0.1 * hidden.var(axis=0)
    np.testing.assert_allclose(p["2.running_mean"], mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(p["2.running_var"], variance, rtol=1e-4)
    expected = (dense(x, p, ["tanh"]) - mean) / np.sqrt(variance + 1e-5)
    np.testing.assert_allclose(model.inference(x).asnumpy(), expected, rtol=1e-4, atol=1e-5)


def test_given_batch_norm_is_the_one_that_learns():
    norm = gluon.nn.BatchNorm()
    model = network([4], hidden_batch_norm_list=[norm], learning_rate=0.1)
    model.learn(Batches([(draw(8, 3), draw(8, 4))]))
    assert (norm.gamma.data().asnumpy() != 1).any()


# -- gradients and steps ---------------------------------------------------------------


@both_modes
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_gradients_by_finite_differences(name, position, hybridize_flag):
    names = ["tanh", "tanh"]
    names[position] = name
    model = network([4, 3], names, hybridize_flag=hybridize_flag)
    x, target = draw(5, 6), draw(5, 3, seed=1)
    model.inference(x)
    fill(model)
    got, p = gradients(model, x, target), values(model)
    for name in p:
        expected = finite_differences(lambda q: l2(dense(x, q, names), target).sum(), p, name)
        np.testing.assert_allclose(got[name], expected, rtol=1e-3, atol=2e-5, err_msg=name)


def mean_gradients(model, x, target) -> dict:
    return {name: arr / len(x) for name, arr in gradients(model, x, target).items()}


def learned_model(x, target, pairs=None, **kwargs):
    """Return a model, what it was before, and the mean gradients there."""
    ab.seed(1)
    model = network([4, 3], **kwargs)
    model.inference(x)
    fill(model)
    before, slope = values(model), mean_gradients(model, x, target)
    model.learn(Batches(pairs or [(x, target)]))
    return model, before, slope


@both_modes
@pytest.mark.parametrize("wd", [0.0, 0.1])
def test_one_step_of_gradient_descent_by_hand(wd, hybridize_flag):
    """w ← w − η (g / n + λ w): the mean gradient, and the decay on top."""
    x, target = draw(7, 5), draw(7, 3, seed=1)
    model, before, slope = learned_model(
        x, target, learning_rate=0.5, wd=wd, hybridize_flag=hybridize_flag
    )
    for name, value in values(model).items():
        expected = before[name] - 0.5 * (slope[name] + wd * before[name])
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6, err_msg=name)


def test_momentum_from_optimizer_params():
    x, target = draw(7, 5), draw(7, 3, seed=1)
    ab.seed(1)
    model = network([4, 3], learning_rate=0.5, wd=0.1, optimizer_params={"momentum": 0.9})
    model.inference(x)
    fill(model)
    expected, velocity = values(model), dict.fromkeys(values(model), 0.0)
    for _ in range(3):
        slope = mean_gradients(model, x, target)
        for name in expected:
            velocity[name] = 0.9 * velocity[name] - 0.5 * (slope[name] + 0.1 * expected[name])
            expected[name] = expected[name] + velocity[name]
        model.learn(Batches([(x, target)]))
        for name, value in values(model).items():
            np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_adam_by_hand():
    x, target = draw(7, 5), draw(7, 3, seed=1)
    settings = {"optimizer_name": "Adam", "learning_rate": 0.1}
    model, before, slope = learned_model(
        x, target, optimizer_params={"beta1": 0.5, "epsilon": 1e-3}, **settings
    )
    for name, value in values(model).items():
        rate = 0.1 * math.sqrt(1 - 0.999) / (1 - 0.5)
        step = rate * 0.5 * slope[name] / (np.sqrt(0.001 * slope[name] ** 2) + 1e-3)
        np.testing.assert_allclose(value, before[name] - step, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(("limit", "clipped"), [(1e-3, True), (1e3, False)])
def test_gradient_norm_is_limited(limit, clipped):
    """The norm of the *mean* gradient, of all parameters together."""
    x, target = draw(7, 5), draw(7, 3, seed=1)
    model, before, slope = learned_model(x, target, learning_rate=0.5, max_gradient_norm=limit)
    norm = math.sqrt(sum((arr**2).sum() for arr in slope.values()))
    assert (norm > limit) == clipped
    factor = limit / norm if clipped else 1.0
    for name, value in values(model).items():
        expected = -0.5 * factor * slope[name]
        np.testing.assert_allclose(value - before[name], expected, rtol=2e-3, atol=2e-7)


def test_smaller_last_batch_counts_by_its_own_size():
    """Its step is along the mean over *its* samples; the row's loss is the mean over all."""
    pairs = [(draw(8, 5), draw(8, 3, seed=1)), (draw(3, 5, seed=2), draw(3, 3, seed=3))]
    model, before, slope = learned_model(*pairs[0], pairs=pairs, learning_rate=0.5)
    middle = {name: before[name] - 0.5 * slope[name] for name in before}
    losses = np.concatenate(
        [l2(dense(x, p, ["tanh"] * 2), y) for p, (x, y) in zip((before, middle), pairs)]
    )
    x, target = pairs[1]
    got = values(model)
    for name in middle:
        slope = finite_differences(
            lambda q: l2(dense(x, q, ["tanh"] * 2), target).mean(), middle, name
        )
        np.testing.assert_allclose(got[name], middle[name] - 0.5 * slope, rtol=1e-3, atol=1e-5)
    test_loss = l2(dense(x, got, ["tanh"] * 2), target).mean()
    np.testing.assert_allclose(model.loss_arr, [[losses.mean(), test_loss]], rtol=1e-4)


def test_loss_that_is_already_a_mean_takes_the_same_step():
    class MeanLoss(ab.ComputableLoss):
        def compute(self, pred_arr, labeled_arr):
            return (0.5 * nd.square(pred_arr - labeled_arr)).mean()

    x, target = draw(7, 5), draw(7, 3, seed=1)
    vector, *_ = learned_model(x, target, learning_rate=0.5)
    mean, *_ = learned_model(x, target, learning_rate=0.5, computable_loss=MeanLoss())
    for name, value in values(mean).items():
        np.testing.assert_allclose(value, values(vector)[name], rtol=1e-5, atol=1e-7)


def test_constraints_run_after_the_step():
    class Rounded(ab.RegularizatableData):
        def regularize(self, params_dict):
            return {name: arr.round() for name, arr in params_dict.items()}

    x, target = draw(7, 5), draw(7, 3, seed=1)
    model, before, slope = learned_model(
        x, target, learning_rate=0.5, regularizatable_data_list=[Rounded()]
    )
    for name, value in values(model).items():
        np.testing.assert_array_equal(value, np.round(before[name] - 0.5 * slope[name]))


# -- initial values --------------------------------------------------------------------


def test_initial_weights_are_normal_with_variance_one_by_fan_in():
    ab.seed(0)
    model = network([300, 200])
    model.inference(np.zeros((1, 1000), dtype=np.float32))
    for name, fan_in in (("0.weight", 1000), ("1.weight", 300)):
        weight = values(model)[name] * math.sqrt(fan_in)
        assert weight.std() == pytest.approx(1, rel=0.01) and abs(weight.mean()) < 0.02
        assert (weight**4).mean() == pytest.approx(3, rel=0.05)  # normal; 1.8 if uniform
    assert (values(model)["0.bias"] == 0).all()


@both_modes
def test_scale_is_a_factor_on_weights_alone(hybridize_flag):
    def initial(scale):
        ab.seed(0)
        model = network(
            [4, 3], scale=scale, hidden_batch_norm_list=[gluon.nn.BatchNorm(), None],
            hybridize_flag=hybridize_flag,
        )  # fmt: skip
        model.inference(draw(2, 5))
        return values(model)

    plain, scaled = initial(1.0), initial(0.25)
    for name in plain:
        factor = 0.25 if name.endswith("weight") else 1.0
        np.testing.assert_array_equal(scaled[name], factor * plain[name], err_msg=name)
    assert (plain["4.gamma"] == 1).all() and (plain["0.weight"] != 0).all()


@pytest.mark.parametrize(
    ("settings", "without"),
    [({"output_no_bias_flag": True}, {"2.bias"}),
     ({"all_no_bias_flag": True}, {"0.bias", "1.bias", "2.bias"}),
     ({"all_no_bias_flag": True, "output_no_bias_flag": True}, {"0.bias", "1.bias", "2.bias"})],
)  # fmt: skip
def test_layers_without_bias(settings, without):
    names = ["tanh", "tanh", "tanh"]
    model = network([5, 4, 3], names, **settings)
    x = draw(2, 6)
    model.inference(x)
    fill(model)
    p = values(model)
    assert set(p) == {f"{n}.{kind}" for n in range(3) for kind in ("weight", "bias")} - without
    np.testing.assert_allclose(model.inference(x).asnumpy(), dense(x, p, names), rtol=1e-4)


# -- accuracy --------------------------------------------------------------------------


def test_compute_acc_by_numpy():
    model = network([4])
    scores, answer = draw(50, 4), np.random.default_rng(1).integers(4, size=50)
    share = (scores.argmax(axis=1) == answer).mean()
    assert 0 < share < 1
    for target in (np.eye(4)[answer], answer, answer.reshape(-1, 1)):
        got = model.compute_acc(nd.array(scores), nd.array(target))
        assert got[0] == pytest.approx(share)
        np.testing.assert_array_equal(got[1], scores.argmax(axis=1))
        np.testing.assert_array_equal(got[2], answer)


@both_modes
@pytest.mark.parametrize("one_hot", [True, False])
def test_recorded_accuracy_by_numpy(one_hot, hybridize_flag):
    """With a learning rate of 0 the model stays what it is."""
    loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=not one_hot)
    model = network(
        [4], ["identity"], computable_loss=loss, learning_rate=0.0, hybridize_flag=hybridize_flag
    )
    rng = np.random.default_rng(1)
    observed = [draw(8, 5), draw(3, 5, seed=2)]
    answers = [rng.integers(4, size=len(x)) for x in observed]
    targets = [np.eye(4)[a] if one_hot else a for a in answers]
    model.compute_acc_flag = True
    model.learn(Batches(zip(observed, targets), epochs=2))
    right = [model.inference(x).asnumpy().argmax(axis=1) == a for x, a in zip(observed, answers)]
    train, test = np.concatenate(right).mean(), right[-1].mean()
    assert train != test
    np.testing.assert_allclose(model.acc_arr, [[train, test]] * 2)
    assert model.loss_arr.shape == (2, 2)


def test_accuracy_is_empty_unless_asked_for():
    model = network([4], ["identity"])
    model.learn(Batches([(draw(3, 5), draw(3, 4))]))
    assert model.acc_arr.shape == (0, 2)


@pytest.mark.parametrize(
    ("pred", "target", "message"),
    [((5, 1), (5, 1), r"at least two classes.*gave \(5, 1\)"),
     ((5,), (5,), r"at least two classes"),
     ((5, 3), (5, 2), r"one-hot, shape \(5, 3\), or class numbers, shape \(5,\), but got")],
)  # fmt: skip
def test_accuracy_of_what_is_no_classifier(pred, target, message):
    with pytest.raises(ValueError, match=message):
        network([1]).compute_acc(nd.zeros(pred), nd.zeros(target))


# -- features --------------------------------------------------------------------------


@both_modes
def test_features_are_what_the_last_hidden_layer_gives(hybridize_flag):
    model = network([5, 4, 3], hybridize_flag=hybridize_flag)
    x = draw(6, 7)
    model.inference(x)
    fill(model)
    model.inference(x)
    expected = dense(x, values(model), ["tanh", "tanh"])
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), expected, rtol=1e-5, atol=1e-6)
    assert model.extract_feature_points() is model.feature_points_arr


@both_modes
def test_features_of_one_layer_are_its_output_and_gradients_go_through_both(hybridize_flag):
    """Both are one entry of the graph: the gradients must add up, not overwrite each other."""
    model = network([3], hybridize_flag=hybridize_flag)
    x = draw(4, 5)
    out = model.inference(x)
    assert_same_bits([model.feature_points_arr.asnumpy()], [out.asnumpy()])
    with autograd.record():
        out = model(nd.array(x))
        (out * model.feature_points_arr).sum().backward()
    p = values(model)
    expected = finite_differences(lambda q: (dense(x, q, ["tanh"]) ** 2).sum(), p, "0.weight")
    got = model._collect_params_with_prefix()["0.weight"].grad().asnumpy()
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-5)


# -- bad arguments ---------------------------------------------------------------------

loss = gluon.loss.L2Loss()
BAD = [
    ({"units_list": []}, ValueError, "`units_list` must have at least one layer, but is empty"),
    ({"units_list": [3, 0]}, ValueError, "`units_list` must be at least 1, but got 0"),
    ({"units_list": [2.5]}, TypeError, "`units_list` must be an integer, but got 2.5"),
    ({"units_list": [True]}, TypeError, "`units_list` must be an integer, but got True"),
    ({"units_list": 3}, TypeError, "`units_list` must be a `Iterable` or None, but got 3"),
    ({"units_list": [3, 2], "activation_list": ["tanh"]}, ValueError,
     "`activation_list` must have one entry for each of the 2 layers, but has 1"),
    ({"units_list": [3], "activation_list": "tanh"}, TypeError,
     "`activation_list` must be a list with one entry for each layer"),
    ({"units_list": [3], "activation_list": ["thanh"]}, ValueError,
     "`activation_list` must be one of 'GELU', .*got 'thanh'. Did you mean `tanh`?"),
    ({"units_list": [3], "activation_list": [None]}, TypeError,
     "`activation_list` must be a `str`"),
    ({"units_list": [3], "dropout_rate_list": [0.1, 0.1]}, ValueError,
     "`dropout_rate_list` must have one entry for each of the 1 layers, but has 2"),
    ({"units_list": [3], "dropout_rate_list": [1.0]}, ValueError,
     r"`dropout_rate_list` must be a finite number in \[0, 1\), but got 1"),
    ({"units_list": [3], "dropout_rate_list": [-0.1]}, ValueError, "`dropout_rate_list` must be"),
    ({"units_list": [3], "dropout_rate_list": ["a"]}, TypeError,
     "`dropout_rate_list` must be a number"),
    ({"units_list": [3], "hidden_batch_norm_list": []}, ValueError,
     "`hidden_batch_norm_list` must have one entry for each of the 1 layers, but has 0"),
    ({"units_list": [3], "hidden_batch_norm_list": [True]}, TypeError,
     "`hidden_batch_norm_list` must be a `HybridBlock` or None"),
    ({"computable_loss": None}, TypeError,
     "`computable_loss` must be a `ComputableLoss` or `Loss`"),
    ({"computable_loss": gluon.loss.L2Loss}, TypeError, "Pass an instance, not the class"),
    ({"initializer": mx.init.Xavier}, TypeError,
     "`initializer` must be a `Initializer` or None.*Pass an instance, not the class"),
    ({"optimizer_name": "Foo"}, ValueError, "`optimizer_name` must be a Gluon optimiser.*'Foo'"),
    ({"optimizer_name": 3}, TypeError, "`optimizer_name` must be a `str`"),
    ({"learning_rate": float("nan")}, ValueError, "`learning_rate` must be a finite number"),
    ({"learning_attenuate_rate": -1}, ValueError, "`learning_attenuate_rate` must be"),
    ({"attenuate_epoch": 1.5}, TypeError, "`attenuate_epoch` must be an integer"),
    ({"wd": -0.1}, ValueError, r"`wd` must be a finite number in \[0, inf\)"),
    ({"max_gradient_norm": -1}, ValueError, "`max_gradient_norm` must be"),
    ({"ctx": "cpu"}, TypeError, "`ctx` must be a `Context` or None"),
    ({"regularizatable_data_list": [loss]}, TypeError,
     "`regularizatable_data_list` must be a `RegularizatableData`"),
    ({"unit_list": [3]}, TypeError,
     "NeuralNetworks takes no keyword `unit_list`. Did you mean `units_list`?"),
    ({"zzz": 1}, TypeError, "NeuralNetworks takes no keyword `zzz`.$"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "error", "message"), BAD)
def test_bad_arguments_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        ab.NeuralNetworks(**{"computable_loss": loss, **settings})


def test_bad_optimizer_params_are_named():
    with pytest.raises(TypeError, match="`optimizer_params` has an entry that SGD does not take"):
        network([3], optimizer_params={"momentun": 0.9})


@pytest.mark.parametrize(
    ("shape", "message"),
    [((5,), r"must have shape \(batch, features\).*got \(5,\)"),
     ((0, 5), "at least one data point"),
     ((2, 4), "must have 5 features for each data point.*got shape \\(2, 4\\)")],
)  # fmt: skip
def test_data_that_do_not_fit_are_named(shape, message):
    model = network([3])
    model.inference(draw(2, 5))
    with pytest.raises(ValueError, match=message):
        model.inference(np.zeros(shape, dtype=np.float32))
    if len(shape) == 2 and shape[0]:
        with pytest.raises(ValueError, match=message):
            model.learn(Batches([(np.zeros(shape, dtype=np.float32), draw(2, 3))]))


def test_lists_of_the_caller_are_not_kept():
    units, names, rates = [4, 3], ["tanh", "tanh"], [0.0, 0.0]
    model = network(units, names, dropout_rate_list=rates)
    for own in (model.units_list, model.activation_list):
        own.append("x")
    units.append(9)
    assert model.units_list == [4, 3] and model.activation_list == ["tanh", "tanh"]
    assert rates == [0.0, 0.0]


# -- deferred initialisation -----------------------------------------------------------


def test_parameters_before_the_first_forward_pass():
    model = network([3])
    with pytest.raises(gluon.parameter.DeferredInitializationError):
        model.extract_learned_dict()


def test_not_init_flag_leaves_the_parameters_to_the_caller():
    model = network([3], not_init_flag=True)
    with pytest.raises(RuntimeError, match="has not been initialized"):
        model.inference(draw(2, 4))
    model.initialize(mx.init.Constant(0.5), ctx=model.ctx)
    np.testing.assert_allclose(
        model.inference(np.ones((1, 2), "float32")).asnumpy(), np.tanh([[1.0] * 3]), rtol=1e-5
    )


@pytest.mark.parametrize("flag", ["not_init_flag", "init_deferred_flag"])
def test_learning_initialises_what_was_left(flag):
    model = network([3], learning_rate=0.1, **{flag: True})
    model.learn(Batches([(draw(2, 4), draw(2, 3))]))
    assert np.isfinite(model.loss_arr).all()


class Late(ab.NeuralNetworks):
    """Builds a layer after `super().__init__`, as programs written for 1.1.0 do."""

    def __init__(self, initializer=None, **kwargs):
        init_deferred_flag = self.init_deferred_flag
        self.init_deferred_flag = True
        self.initializer = initializer
        super().__init__(loss, **kwargs)
        self.init_deferred_flag = init_deferred_flag
        with self.name_scope():
            self.late = gluon.nn.Dense(2)
        if self.init_deferred_flag is False:
            try:
                self.collect_params().initialize(self.initializer, force_reinit=True, ctx=self.ctx)
                self.trainer = gluon.Trainer(self.collect_params(), "SGD", {"learning_rate": 0.5})
            except InitDeferredError:
                raise AssertionError("nothing is deferred here") from None
        if self.hybridize_flag:
            self.hybridize()

    def forward_propagation(self, F, x):
        return self.late(super().forward_propagation(F, x))


@both_modes
def test_subclass_that_builds_layers_after_super(hybridize_flag):
    ab.seed(0)
    model = Late(units_list=[3], activation_list=["tanh"], hybridize_flag=hybridize_flag)
    assert model.init_deferred_flag is False and ab.NeuralNetworks.init_deferred_flag is False
    x, target = draw(6, 4), draw(6, 2)
    model.inference(x)
    before = values(model)
    assert before["0.weight"].std() == pytest.approx(0.5, rel=0.6)  # Xavier, not Gluon's 0.04
    slope = mean_gradients(model, x, target)
    model.learn(Batches([(x, target)]))
    after = values(model)
    for name in before:
        np.testing.assert_allclose(
            after[name], before[name] - 0.5 * slope[name], rtol=1e-4, atol=1e-6
        )
    assert "late.weight" in after


def test_initializer_that_a_subclass_assigns_before_super():
    model = Late(mx.init.Constant(0.25), units_list=[3])
    model.inference(draw(2, 4))
    assert (values(model)["0.weight"] == 0.25).all()
    assert (values(model)["late.weight"] == 0.25).all()


def test_class_level_flag_leaves_everything_to_the_caller():
    class Deferred(ab.NeuralNetworks):
        init_deferred_flag = True

    model = Deferred(loss, units_list=[3])
    assert all(not p._deferred_init for p in model.collect_params().values())
    model.initialize_parameters()
    assert model.inference(draw(2, 4)).shape == (2, 3)


def test_default_initializer_can_be_read_and_set():
    model = network([3])
    assert isinstance(model.initializer, mx.init.Xavier)
    with pytest.raises(TypeError, match="`initializer` must be a `Initializer`"):
        model.initializer = "xavier"
    model.initializer = mx.init.Zero()
    model.initialize_parameters()  # replaces what is pending
    assert (model.inference(draw(2, 4)).asnumpy() == 0).all()


# -- keywords --------------------------------------------------------------------------


def test_keywords_of_bases_are_tolerated_with_a_note(caplog):
    class Fixed(ab.NeuralNetworks):
        def __init__(self, computable_loss, **kwargs):
            ab.GradientBlock.__init__(self, computable_loss, **kwargs)

    with caplog.at_level(logging.DEBUG, logger="accelbrainbase"):
        Fixed(loss, units_list=[3], output_no_bias_flag=True)
    assert [record.getMessage() for record in caplog.records] == [
        "`units_list` has no effect on Fixed",
        "`output_no_bias_flag` has no effect on Fixed",
    ]
    with pytest.raises(TypeError, match="Fixed takes no keyword `output_no_bia_flag`. Did you"):
        Fixed(loss, output_no_bia_flag=True)


def test_own_keywords_are_not_noted(caplog):
    with caplog.at_level(logging.DEBUG, logger="accelbrainbase"):
        model = network([3], prefix="mine_", wd=0.1, scale=2.0)
    assert not caplog.records
    assert list(model.collect_params()) == ["mine_dense0_weight", "mine_dense0_bias"]


def test_positional_order_of_the_contract():
    model = ab.NeuralNetworks(
        loss, mx.init.Zero(), 0.1, 0.5, 7, [4, 3], [0.0, 0.1], "adam", ["relu", "identity"],
        [None, None], mx.cpu(), False, [], 2.0, True, False, False,
    )  # fmt: skip
    assert (model.learning_rate, model.learning_attenuate_rate, model.attenuate_epoch) == (
        0.1, 0.5, 7,
    )  # fmt: skip
    assert model.units_list == [4, 3] and model.activation_list == ["relu", "identity"]
    assert model.optimizer_name == "adam" and not model.hybridize_flag and model.scale == 2.0
    model.inference(draw(2, 5))
    assert "1.bias" not in values(model) and (bits(model)[0] == 0).all()
