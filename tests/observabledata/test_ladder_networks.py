"""Dense ladder networks: numbers against algorithm 1 in NumPy, gradients, labels and marks."""

from __future__ import annotations

import numpy as np
import pytest
from ladder_numpy import g, ladder_costs
from mxnet import autograd, gluon, nd
from sklearn.datasets import load_digits

import accelbrainbase as ab
from accelbrainbase._mxnet.ladder import Columns, combinator

CROSS_ENTROPY = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
SQUARES = gluon.loss.L2Loss(weight=2.0)
UNITS, FEATURES, BATCH = [7, 5, 4], 6, 9
ACTIVATIONS = ["relu", "tanh", "softmax"]


def network(units_list, activation_list=None, **kwargs):
    return ab.NeuralNetworks(
        CROSS_ENTROPY, units_list=units_list,
        activation_list=activation_list or ["identity"] * len(units_list), **kwargs,
    )  # fmt: skip


def make(weights=None, hybridize_flag=True, **kwargs):
    settings = {"supervised_loss": CROSS_ENTROPY, "optimizer_name": "Adam", **kwargs}
    model = ab.LadderNetworks(
        network(UNITS, ACTIVATIONS), network([5, 7, FEATURES]), SQUARES,
        denoising_weight_list=weights, hybridize_flag=hybridize_flag, **settings,
    )  # fmt: skip
    return model


def scattered(model, seed=0):
    """Give all parameters values that matter; return the model."""
    rng = np.random.default_rng(seed)
    model.inference(np.zeros((2, FEATURES), np.float32))
    for name, parameter in model.collect_params().items():
        if "running" not in name:
            parameter.set_data(nd.array(rng.normal(0.3, 0.5, parameter.shape)))
    return model


def data(n=BATCH, seed=1):
    rng = np.random.default_rng(seed)
    observed = rng.random((n, FEATURES)).astype(np.float32)
    return observed, np.eye(4, dtype=np.float32)[rng.integers(4, size=n)]


def fixed_noise(sigma, n=BATCH, seed=2):
    rng = np.random.default_rng(seed)
    return [sigma * rng.normal(size=(n, width)).astype(np.float32) for width in [FEATURES, *UNITS]]


def in_numpy(model, observed, noises):
    get = {name: p.data().asnumpy().astype(np.float64) for name, p in parameters(model).items()}
    encoder = [lambda h, W=get[f"encoder.{n}.weight"]: h @ W.T for n in range(3)]
    decoder = [lambda h, W=get[f"decoder.{2 - n}.weight"]: h @ W.T for n in range(3)]
    return ladder_costs(
        observed.astype(np.float64), noises, encoder, decoder, ACTIVATIONS,
        [get[f"ladder.gamma_{level}"] for level in (1, 2, 3)],
        [get[f"ladder.beta_{level}"] for level in (1, 2, 3)],
        [get[f"ladder.combinator_{level}"][:, None] for level in range(4)],
    )  # fmt: skip


def parameters(model):
    return model._collect_params_with_prefix()


def with_noise(model, noises):
    """Let a model draw this noise."""
    model._draw = lambda x: [nd.array(noise[: x.shape[0]]) for noise in noises]
    return model


def test_combinator_by_hand():
    a = np.arange(1, 11, dtype=np.float32).reshape(10, 1) / 10
    noisy, u = np.array([[0.5]], np.float32), np.array([[2.0]], np.float32)
    # mu = .1 sigmoid(.2 * 2 + .3) + .4 * 2 + .5 = 1.366819; upsilon = .6 sigmoid(2.2) + 1.8 + 1
    columns = Columns(nd, nd.array(noisy), 1, False)
    got = combinator(columns, nd.array(noisy), nd.array(u), nd.array(a)).asscalar()
    assert got == pytest.approx((0.5 - 1.366819) * 3.340151 + 1.366819, rel=1e-5)


def test_combinator_equals_numpy_in_each_column():
    rng = np.random.default_rng(0)
    a, noisy, u = rng.normal(size=(10, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    columns = Columns(nd, nd.array(noisy), 3, False)
    got = combinator(columns, nd.array(noisy), nd.array(u), nd.array(a)).asnumpy()
    np.testing.assert_allclose(got, g(noisy, u, a), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("sigma", [0.0, 0.3])
def test_cost_equals_algorithm_1(sigma, hybridize_flag):
    weights = [3.0, 0.7, 0.2, 0.05]
    noises = fixed_noise(sigma)
    model = with_noise(scattered(make(weights, hybridize_flag)), noises)
    observed, target = data()
    with autograd.record():
        losses = model._costs(nd.array(observed), nd.array(target), None)
    want = in_numpy(model, observed, noises)
    denoising = sum(weight * cost for weight, cost in zip(weights, want["costs"]))
    logits = want["logits"]
    entropy = np.log(np.exp(logits).sum(axis=1)) - (logits * target).sum(axis=1)
    np.testing.assert_allclose(losses["denoising_loss"].asnumpy(), denoising, rtol=2e-4)
    np.testing.assert_allclose(losses["supervised_loss"].asnumpy(), entropy, rtol=2e-4)
    np.testing.assert_allclose(losses["loss"].asnumpy(), entropy + denoising, rtol=2e-4)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_gradients_equal_finite_differences(hybridize_flag):
    weights = [3.0, 0.7, 0.2, 0.05]
    noises = fixed_noise(0.3)
    model = with_noise(scattered(make(weights, hybridize_flag)), noises)
    observed, target = data()

    def cost():
        found = in_numpy(model, observed, noises)
        logits = found["logits"]
        entropy = np.log(np.exp(logits).sum(axis=1)) - (logits * target).sum(axis=1)
        return (entropy + sum(w * c for w, c in zip(weights, found["costs"]))).sum()

    with autograd.record():
        losses = model._costs(nd.array(observed), nd.array(target), None)
    losses["loss"].backward()
    rng = np.random.default_rng(3)
    for name, parameter in parameters(model).items():
        if "running" in name:
            continue
        gradient, arr = parameter.grad().asnumpy(), parameter.data().asnumpy()
        for _ in range(4):
            place = tuple(rng.integers(size) for size in arr.shape)
            found = []
            for step in (1e-3, -1e-3):
                moved = arr.copy()
                moved[place] += step
                parameter.set_data(nd.array(moved))
                found.append(cost())
            parameter.set_data(nd.array(arr))
            numeric = (found[0] - found[1]) / 2e-3
            assert gradient[place] == pytest.approx(numeric, rel=5e-3, abs=5e-3), name


def test_labelled_data_have_statistics_of_their_own():
    noises = fixed_noise(0.3)
    model = with_noise(scattered(make([3.0, 0.7, 0.2, 0.05])), noises)
    (labelled, target), (unlabelled, _) = data(5, seed=4), data()
    with autograd.record():
        losses = model._costs(nd.array(labelled), nd.array(target), nd.array(unlabelled))
    alone = in_numpy(model, labelled, [noise[:5] for noise in noises])["logits"]
    entropy = np.log(np.exp(alone).sum(axis=1)) - (alone * target).sum(axis=1)
    np.testing.assert_allclose(losses["supervised_loss"].asnumpy(), entropy, rtol=2e-4)
    costs = in_numpy(model, unlabelled, noises)["costs"]
    denoising = 3.0 * costs[0] + 0.7 * costs[1] + 0.2 * costs[2] + 0.05 * costs[3]
    np.testing.assert_allclose(losses["denoising_loss"].asnumpy(), denoising, rtol=2e-4)
    assert losses["loss"].shape == (5,)
    np.testing.assert_allclose(
        losses["loss"].asnumpy(), entropy + denoising.mean(), rtol=2e-4
    )  # fmt: skip


def test_gamma_model_is_the_top_of_the_ladder():
    """λ on top alone: the cost of the top, and nothing below is computed or learned."""
    noises = fixed_noise(0.3)
    model = with_noise(scattered(make([0.0, 0.0, 0.0, 2.0])), noises)
    observed, target = data()
    with autograd.record():
        losses = model._costs(nd.array(observed), nd.array(target), None)
    want = in_numpy_of_top(model, observed, noises)
    np.testing.assert_allclose(losses["denoising_loss"].asnumpy(), 2.0 * want, rtol=2e-4)
    assert "ladder.combinator_2" not in parameters(model)
    before = parameters(model)["decoder.0.weight"].data().asnumpy()
    model.learn(ab.ArrayIterator(observed, target, epochs=2, batch_size=BATCH))
    np.testing.assert_array_equal(parameters(model)["decoder.0.weight"].data().asnumpy(), before)


def in_numpy_of_top(model, observed, noises):
    """The cost of level 3 does not depend on what is below in the decoder."""
    get = {name: p.data().asnumpy().astype(np.float64) for name, p in parameters(model).items()}
    width = [FEATURES, *UNITS]
    return ladder_costs(
        observed.astype(np.float64), noises,
        [lambda h, W=get[f"encoder.{n}.weight"]: h @ W.T for n in range(3)],
        [lambda h, n=n: np.zeros((len(h), width[n])) for n in range(3)], ACTIVATIONS,
        [get[f"ladder.gamma_{level}"] for level in (1, 2, 3)],
        [get[f"ladder.beta_{level}"] for level in (1, 2, 3)],
        [np.zeros((10, 1, width[n])) for n in range(3)] + [get["ladder.combinator_3"][:, None]],
    )["costs"][3]  # fmt: skip


def test_weights_of_zero_are_the_baseline():
    observed, target = data(40)
    model = make([0.0] * 4, learning_rate=1e-2)
    model.learn(ab.ArrayIterator(observed, target, epochs=3, batch_size=10))
    loss = model.history.array(["train_loss", "train_supervised_loss", "train_denoising_loss"])
    np.testing.assert_allclose(loss[:, 0], loss[:, 1])
    assert (loss[:, 2] == 0).all()


@pytest.mark.parametrize("sparse", [False, True])
def test_marked_rows_have_no_supervised_cost(sparse):
    loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=sparse)
    noises = fixed_noise(0.3)
    model = with_noise(scattered(make([3.0, 0.7, 0.2, 0.05], supervised_loss=loss)), noises)
    observed, target = data()
    marked = target.copy()
    marked[3:] = 0.0
    if sparse:
        marked = np.where(marked.any(axis=1), marked.argmax(axis=1), -1).astype(np.float32)
    with autograd.record():
        losses = model._costs(nd.array(observed), nd.array(marked), None)
    logits = in_numpy(model, observed, noises)["logits"]
    entropy = np.log(np.exp(logits).sum(axis=1)) - (logits * target).sum(axis=1)
    got = losses["supervised_loss"].asnumpy()
    assert (got[3:] == 0).all()
    assert got.mean() == pytest.approx(entropy[:3].mean(), rel=2e-4)


def test_a_batch_without_any_label_is_finite():
    model = scattered(make())
    observed, target = data()
    losses = model._train_step(nd.array(observed), nd.zeros_like(nd.array(target)))
    assert np.isfinite(losses["loss"].asnumpy()).all()
    assert (losses["supervised_loss"].asnumpy() == 0).all()


def test_inference_uses_statistics_of_the_clean_path():
    """With one batch seen and no noise, inference is what the batch gave."""
    noises = fixed_noise(0.0)
    model = with_noise(scattered(make([3.0, 0.7, 0.2, 0.05], learning_rate=0.0)), noises)
    observed, target = data()
    model._train_step(nd.array(observed), nd.array(target))
    want = in_numpy(model, observed, noises)
    np.testing.assert_allclose(
        model.inference(observed).asnumpy(), want["denoised"][0], rtol=1e-3, atol=1e-3
    )
    probability = np.exp(want["logits"]) / np.exp(want["logits"]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.encode(observed).asnumpy(), probability, atol=1e-4)
    np.testing.assert_array_equal(model.classify(observed), probability.argmax(axis=1))
    np.testing.assert_array_equal(
        model.feature_points_arr.asnumpy(), model.encode(observed).asnumpy()
    )


def test_running_statistics_are_averages_and_then_decay():
    model = scattered(make(learning_rate=0.0, statistics_momentum=0.5))
    running, arr = model.ladder.running_mean, nd.ones_like(model.ladder.running_mean.data())
    for value, want in ((2.0, 2.0), (4.0, 3.0), (7.0, 5.0)):  # 1/1, then 1/2, 1/2
        model.ladder.update_statistics(arr * value, arr, 0.5)
        np.testing.assert_allclose(running.data().asnumpy(), want)


def test_few_labels_and_many_data_points_beat_few_labels():
    digits = load_digits()
    observed = (digits.data / 16).astype(np.float32)
    order = np.random.RandomState(0).permutation(len(observed))
    train, test = order[:1400], order[1400:]
    target = np.full(len(train), -1)
    for digit in range(10):
        target[np.flatnonzero(digits.target[train] == digit)[:1]] = digit
    errors = []
    for weights in ([100.0, 10.0, 1.0, 1.0], [0.0] * 4):
        ab.seed(0)
        model = ab.LadderNetworks(
            network([100, 50, 10], ["relu", "relu", "softmax"]), network([50, 100, 64]), SQUARES,
            supervised_loss=CROSS_ENTROPY, denoising_weight_list=weights,
            optimizer_name="Adam", learning_rate=5e-3, statistics_momentum=0.9,
        )  # fmt: skip
        model.learn(
            ab.SemiSupervisedIterator(observed[train], target, epochs=30, batch_size=100, seed=0)
        )
        errors.append((model.classify(observed[test]) != digits.target[test]).mean())
    assert errors[0] < errors[1] - 0.05, errors


def test_accuracy_is_recorded_on_request():
    observed, target = data(40)
    model = make(learning_rate=1e-2)
    model.compute_acc_flag = True
    model.learn(
        ab.SemiSupervisedIterator(
            observed, target, epochs=2, batch_size=10, test_observed=observed, test_target=target
        )
    )
    assert model.acc_arr.shape == (2, 2)
    assert model.acc_arr[-1, 1] == pytest.approx(
        (model.classify(observed) == target.argmax(axis=1)).mean()
    )


def test_accuracy_counts_marked_rows_not():
    noises = fixed_noise(0.0)
    model = with_noise(scattered(make()), noises)
    model.compute_acc_flag = True
    observed, target = data()
    marked = target.copy()
    marked[4:] = 0.0
    with autograd.record():
        losses = model._costs(nd.array(observed), nd.array(marked), None)
    predicted = in_numpy(model, observed, noises)["logits"].argmax(axis=1)
    right = (predicted == target.argmax(axis=1))[:4].mean()
    accuracy = losses["accuracy"]
    got = np.average(accuracy.values.asnumpy(), weights=accuracy.weights.asnumpy())
    assert got == pytest.approx(right, abs=1e-6)


def test_accuracy_is_recorded_where_most_mini_batches_have_no_label():
    observed, target = data(40)
    target[2:] = 0.0
    ab.seed(0)
    model = make(learning_rate=0.0, noise_sigma=0.0)
    model.compute_acc_flag = True
    kept = []
    inner = model._score_of_classes
    model._score_of_classes = lambda *arrays: (
        kept.append((inner(*arrays), arrays[1])) or kept[-1][0]
    )
    model.learn(ab.ArrayIterator(observed, target, epochs=3, batch_size=4, seed=0))
    right, label = (np.concatenate([arr.asnumpy() for arr in arrs]) for arrs in zip(*kept))
    right = right.reshape(3, 40)[label.any(axis=1).reshape(3, 40)].reshape(3, 2)
    np.testing.assert_allclose(model.acc_arr[:, 0], right.mean(axis=1))


@pytest.mark.parametrize("sparse", [False, True])
def test_marked_rows_of_test_data_are_not_scored(sparse):
    observed, target = data(40)
    known = target.argmax(axis=1) if sparse else target.copy()
    known[5:] = -1 if sparse else 0
    ab.seed(0)
    loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=sparse)
    model = make(learning_rate=0.0, supervised_loss=loss)
    model.compute_acc_flag = True
    scores = {"epochs": 1, "one_hot": False, "test_observed": observed}
    model.learn(ab.ArrayIterator(observed, known, test_target=known, **scores))
    log_arr = np.log(model.encode(observed[:5]).asnumpy())
    costs = -(log_arr * target[:5]).sum(axis=1)
    assert model.loss_arr[0, 1] == pytest.approx(costs.mean(), rel=1e-4)
    right = log_arr.argmax(axis=1) == target[:5].argmax(axis=1)
    assert model.acc_arr[0, 1] == pytest.approx(right.mean())


def test_class_numbers_without_a_unit_are_named():
    observed, target = data(40)
    numbers = target.argmax(axis=1)
    numbers[numbers == numbers.max()] = target.shape[1]
    model = make(supervised_loss=gluon.loss.SoftmaxCrossEntropyLoss())
    with pytest.raises(ValueError, match=r"class numbers from -1 to .* one of the training data"):
        model.learn(ab.ArrayIterator(observed, numbers, one_hot=False, epochs=1))


@pytest.mark.parametrize("marked", [False, True])
def test_a_last_mini_batch_of_one_data_point_is_left_out(marked):
    """It has no deviations: the costs would be divided by the square root of 1e-5."""
    observed, target = data(21)
    found = []
    for n in (21, 20):
        ab.seed(0)
        model = scattered(make())
        kind = ab.ArrayIterator if marked else ab.SemiSupervisedIterator
        order = {"shuffle": False, "batch_size": 10, "epochs": 1, "seed": 0}
        labels = target[:n] * (np.arange(n) < 9)[:, None]
        model.learn(kind(observed[:n], labels, **order))
        found.append((model.history.array(), model.encode(observed).asnumpy()))
    for one, two in zip(*found):
        np.testing.assert_array_equal(one, two)


def test_mini_batches_of_one_data_point_are_refused():
    observed, target = data(6)
    with pytest.raises(ValueError, match="needs a `batch_size` above 1"):
        make().learn(ab.ArrayIterator(observed, target, batch_size=1, epochs=1))
    with pytest.raises(ValueError, match="needs a `labeled_batch_size` above 1"):
        make().learn(
            ab.SemiSupervisedIterator(
                observed, target, batch_size=3, labeled_batch_size=1, epochs=1
            )
        )


def test_settings_of_the_ladder_are_checked():
    for weights, message in (
        ([1.0, 2.0], "`denoising_weight_list` must have one entry for the data and one for each"),
        ([1.0, 1.0, 1.0, -1.0], "`denoising_weight_list` must be a finite number"),
    ):
        with pytest.raises(ValueError, match=message):
            make(weights)
    with pytest.raises(ValueError, match="must have an entry above 0"):
        make([0.0] * 4, supervised_loss=None)
    with pytest.raises(ValueError, match="`noise_sigma`"):
        make(noise_sigma=-1.0)
    with pytest.raises(TypeError, match="`supervised_loss`"):
        make(supervised_loss="cross entropy")
    with pytest.raises(ValueError, match=r"must be \[5, 7, 'number of observed features'\]"):
        ab.LadderNetworks(network(UNITS), network([5, 8, FEATURES]), SQUARES)
    with pytest.raises(ValueError, match="needs classes"):
        make(supervised_loss=None).classify(data()[0])
    unlabelled = make(supervised_loss=None)
    observed, target = data(20)
    with pytest.raises(ValueError, match="built with a `supervised_loss`"):
        unlabelled.learn(ab.SemiSupervisedIterator(observed, target, epochs=1, batch_size=10))


def test_data_that_do_not_fit_are_named():
    observed, target = (nd.array(arr) for arr in data())
    with pytest.raises(ValueError, match=r"unlabelled data points of the shape .* \(6,\), but"):
        make()._train_step(observed, target, observed[:, :5])

    class Whole(ab.ComputableLoss):
        def compute(self, pred_arr, real_arr):
            return (pred_arr - real_arr).square().sum()

    with pytest.raises(ValueError, match=r"`supervised_loss` must give one loss .*\(9,\)"):
        scattered(make(supervised_loss=Whole()))._train_step(observed, target)
    for loss, labels in ((gluon.loss.SoftmaxCrossEntropyLoss(), target),
                         (CROSS_ENTROPY, target.argmax(axis=1))):  # fmt: skip
        with pytest.raises(ValueError, match="`supervised_loss` cannot compare .*sparse_label"):
            scattered(make(supervised_loss=loss))._train_step(observed, labels)
    with pytest.raises(ValueError, match="must have 6 features"):
        make().inference(observed[:, :5])


def test_other_noise_on_the_data():
    class Halved(ab.NoiseableData):
        def noise(self, arr):
            return arr / 2

    noises = fixed_noise(0.0)
    model = scattered(make([3.0, 0.7, 0.2, 0.05], noise_sigma=0.0, noiseable_data=Halved()))
    observed, target = data()
    with autograd.record():
        losses = model._costs(nd.array(observed), nd.array(target), None)
    noises[0] = -observed / 2
    costs = in_numpy(model, observed, noises)["costs"]
    denoising = 3.0 * costs[0] + 0.7 * costs[1] + 0.2 * costs[2] + 0.05 * costs[3]
    np.testing.assert_allclose(losses["denoising_loss"].asnumpy(), denoising, rtol=2e-4)
