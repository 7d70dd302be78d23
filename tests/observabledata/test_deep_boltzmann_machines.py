"""Deep Boltzmann machines, against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from boltzmann_by_hand import all_states
from mxnet import gluon, nd
from sklearn.datasets import load_digits

import accelbrainbase as ab

RNG = np.random.default_rng(7)
DATA = (RNG.random((10, 4)) < [0.9, 0.7, 0.2, 0.4]).astype(np.float64)


def machines(dims, **kwargs):
    settings = {"learning_rate": 0.05, **kwargs}
    return [
        ab.RestrictedBoltzmannMachines(
            ab.L2NormLoss(), visible_dim=below, hidden_dim=above, **settings
        )
        for below, above in zip(dims, dims[1:])
    ]


def filled(dims, scale=1.0, activation="sigmoid", **kwargs):
    """A deep machine with random parameters, and these: weights, and biases of the layers."""
    rng = np.random.default_rng(3)
    parts = machines(dims, visible_activation=activation, hidden_activation=activation)
    for part in parts:
        part.weights_arr = scale * rng.normal(0, 0.7, part.weights_arr.shape)
        part.visible_bias_arr = rng.normal(0, 0.5, part.visible_dim)
        part.hidden_bias_arr = rng.normal(0, 0.5, part.hidden_dim)
    weights = [part.weights_arr.asnumpy().astype(np.float64) for part in parts]
    biases = [parts[0].visible_bias_arr.asnumpy()]
    for lower, upper in zip(parts, parts[1:]):
        pair = lower.hidden_bias_arr.asnumpy() + upper.visible_bias_arr.asnumpy()
        biases.append(pair / 2)
    biases.append(parts[-1].hidden_bias_arr.asnumpy())
    return ab.DeepBoltzmannMachines(ab.L2NormLoss(), parts, **kwargs), weights, biases


class Enumerated:
    """All states of a deep machine."""

    def __init__(self, weights, biases, states=(0.0, 1.0)):
        dims = [len(bias) for bias in biases]
        flat = all_states(sum(dims), states)
        self.layers = np.split(flat, np.cumsum(dims)[:-1], axis=1)
        self.minus_energy = sum(layer @ bias for layer, bias in zip(self.layers, biases))
        for weight, below, above in zip(weights, self.layers, self.layers[1:]):
            self.minus_energy += np.einsum("bi,ji,bj->b", below, weight, above)
        self.log_z = np.logaddexp.reduce(self.minus_energy)
        self.p = np.exp(self.minus_energy - self.log_z)

    def rows(self, visible):
        return (self.layers[0] == visible).all(axis=1)

    def log_likelihood(self, data):
        return np.array(
            [np.logaddexp.reduce(self.minus_energy[self.rows(v)]) - self.log_z for v in data]
        )

    def gradients(self, data):
        """Gradients of the mean log-likelihood by weights, and by biases of layers."""
        clamped = np.zeros_like(self.p)
        for visible in data:
            rows = self.rows(visible)
            logs = self.minus_energy[rows]
            clamped[rows] += np.exp(logs - np.logaddexp.reduce(logs)) / len(data)
        difference = clamped - self.p
        weights = [
            (above * difference[:, None]).T @ below
            for below, above in zip(self.layers, self.layers[1:])
        ]
        return weights, [difference @ layer for layer in self.layers]


DIMS = [4, 3, 2]
CASES = [
    ([4, 3, 2], "sigmoid"),
    ([4, 3, 2], "tanh"),
    ([4, 3], "sigmoid"),
    ([3, 3, 2, 2], "sigmoid"),
]
STATES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


@pytest.fixture(params=CASES, ids=str)
def pair(request):
    dims, activation = request.param
    dbm, weights, biases = filled(dims, activation=activation)
    return dbm, Enumerated(weights, biases, STATES[activation])


def test_energy_and_partition_function(pair):
    dbm, tiny = pair
    np.testing.assert_allclose(dbm.energy(*tiny.layers).asnumpy(), -tiny.minus_energy, atol=1e-5)
    assert dbm.log_partition("exact") == pytest.approx(tiny.log_z, abs=1e-5)


def test_annealed_importance_sampling_is_within_its_error(pair):
    dbm, tiny = pair
    ab.seed(0)
    for kwargs in ({}, {"data_arr": tiny.layers[0][::50]}):
        estimate = dbm.log_partition("ais", chain_n=500, temperature_n=300, **kwargs)
        assert abs(estimate - tiny.log_z) < 4 * estimate.error < 0.3


def test_mean_field_bound_rises_to_below_the_likelihood(pair):
    dbm, tiny = pair
    data = np.unique(tiny.layers[0], axis=0)
    exact = tiny.log_likelihood(data)
    bounds = [dbm.log_likelihood_bound(data, steps=n).asnumpy() for n in (0, 1, 2, 5, 50)]
    for bound in bounds:
        assert (bound <= exact + 1e-5).all()
    for before, after in zip(bounds[1:], bounds[2:]):  # each update is coordinate ascent
        assert (after >= before - 1e-5).all()
    if len(dbm.dims) == 2:  # a restricted machine: the bound is tight
        np.testing.assert_allclose(bounds[0], exact, atol=1e-5)
    else:
        assert bounds[-1].mean() > bounds[0].mean()
        assert (exact - bounds[-1]).mean() < 0.2


def test_mean_field_is_the_best_factorised_distribution():
    """No other product of Bernoulli distributions nearby has a higher bound."""
    dbm, weights, biases = filled(DIMS)
    visible = DATA[:1]
    first, second = (arr.asnumpy().astype(float) for arr in dbm.mean_field(visible, steps=100))

    def bound(one, two):
        def entropy(p):
            return -(p * np.log(p) + (1 - p) * np.log(1 - p)).sum()

        value = visible[0] @ biases[0] + one @ biases[1] + two @ biases[2]
        value += one @ weights[0] @ visible[0] + two @ weights[1] @ one
        return value + entropy(one) + entropy(two)

    best = bound(first[0], second[0])
    got = dbm.log_likelihood_bound(visible, 0.0, steps=100).asscalar()
    assert got == pytest.approx(best, abs=1e-4)
    rng = np.random.default_rng(0)
    for _ in range(50):
        one = np.clip(first[0] + rng.normal(0, 0.05, 3), 0.01, 0.99)
        two = np.clip(second[0] + rng.normal(0, 0.05, 2), 0.01, 0.99)
        assert bound(one, two) <= best + 1e-5


def test_gradient_converges_on_the_exact_one():
    """With weak connections mean field is nearly exact; many long chains do the rest."""
    dbm, weights, biases = filled(DIMS, scale=0.3, chain_n=20_000, gibbs_steps=30)
    tiny = Enumerated(weights, biases)
    exact_weights, exact_biases = tiny.gradients(DATA)
    ab.seed(0)
    correlations, gradients, _, _ = dbm.joint_statistics(nd.array(DATA))
    for part, exact in zip(dbm.rbm_list, exact_weights):
        arr = correlations[part.weight].gradient_to(nd.zeros(part.weight.shape)) / -len(DATA)
        np.testing.assert_allclose(arr.asnumpy(), exact, atol=0.02)
    lower, upper = dbm.rbm_list
    for parameter, exact in zip(
        (lower.visible_bias, lower.hidden_bias, upper.visible_bias, upper.hidden_bias),
        (exact_biases[0], exact_biases[1], exact_biases[1], exact_biases[2]),
    ):
        got = -gradients[parameter].asnumpy().ravel() / len(DATA)
        np.testing.assert_allclose(got, exact, atol=0.02)


def test_samples_have_the_distribution_of_the_machine():
    dbm, weights, biases = filled(DIMS)
    tiny = Enumerated(weights, biases)
    ab.seed(0)
    for drawn in (dbm.draw(20_000, steps=50), dbm.gibbs(np.zeros((20_000, 4)), steps=50)):
        number = (drawn.asnumpy() @ (2 ** np.arange(4)[::-1])).astype(int)
        share = np.bincount(number, minlength=16) / 20_000
        expected = np.exp(tiny.log_likelihood(all_states(4)))
        assert np.abs(share - expected).max() < 0.015
    means = dbm.draw(50, steps=3, mean=True).asnumpy()
    assert ((means > 0) & (means < 1)).all()


def test_pre_learning_doubles_what_the_layer_above_will_give():
    """Each machine learns with these factors, and has none afterwards."""
    seen = []

    class Watch(ab.Callback):
        def on_train_begin(self, state):
            part = state.backend.learner
            seen.append((part.visible_dim, part._factors))

    parts = machines([4, 5, 3, 2])
    dbm = ab.DeepBoltzmannMachines(ab.L2NormLoss(), parts)
    dbm.pre_learn(ab.ArrayIterator(DATA, epochs=1, batch_size=5), callbacks=[Watch()])
    assert seen == [(4, (2.0, 1.0)), (5, (2.0, 2.0)), (3, (1.0, 2.0))]
    assert all(part._factors == (1.0, 1.0) for part in parts)


def test_bottom_up_pass_by_hand():
    dbm, weights, biases = filled(DIMS)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    first = sigmoid(biases[1] + 2 * DATA @ weights[0].T)
    second = sigmoid(biases[2] + first @ weights[1].T)
    for got, expected in zip(dbm.mean_field(DATA, steps=0), (first, second)):
        np.testing.assert_allclose(got.asnumpy(), expected, atol=1e-5)
    first = sigmoid(biases[1] + DATA @ weights[0].T + second @ weights[1])
    second = sigmoid(biases[2] + first @ weights[1].T)
    for got, expected in zip(dbm.mean_field(DATA, steps=1), (first, second)):
        np.testing.assert_allclose(got.asnumpy(), expected, atol=1e-5)


def test_joint_learning_raises_likelihood_and_bound():
    ab.seed(0)
    dbm, _, _ = filled(DIMS, scale=0.2, learning_rate=0.05, chain_n=200, momentum=0.5)
    rng = np.random.default_rng(0)
    data = np.where(rng.random((400, 1)) < 0.5, [1, 1, 0, 0], [0, 0, 1, 1]).astype(float)

    def measured():
        weights = [p.weights_arr.asnumpy().astype(float) for p in dbm.rbm_list]
        biases = [arr.asnumpy() for arr in dbm._biases(nd)]
        exact = Enumerated(weights, biases).log_likelihood(data[:50]).mean()
        return exact, dbm.log_likelihood_bound(data[:50]).mean().asscalar()

    before = measured()
    dbm.joint_learn(ab.ArrayIterator(data, epochs=40, batch_size=50, seed=0))
    after = measured()
    assert after[0] > before[0] + 1.0 and after[1] > before[1] + 1.0
    assert after[1] <= after[0] + 1e-4
    assert after[0] > -1.5  # the entropy of the data is log 2 = 0.69


def test_steps_of_the_weights_by_numpy():
    dbm, _, _ = filled(DIMS, learning_rate=0.1, momentum={0: 0.5, 2: 0.9}, wd=1e-3, chain_n=7)
    taken, statistics = [], dbm.joint_statistics

    def seen(visible_arr):
        found = statistics(visible_arr)
        momentum = dbm.trainer.optimizer.momentum
        for part in dbm.rbm_list:
            gradient = found[0][part.weight].gradient_to(nd.zeros(part.weight.shape)).asnumpy()
            taken.append((part.weights_arr.asnumpy(), gradient / len(visible_arr), momentum))
        return found

    dbm.joint_statistics = seen
    dbm.joint_learn(ab.ArrayIterator(DATA, epochs=4, batch_size=4, seed=0))
    for steps in (taken[::2], taken[1::2]):
        velocity = 0.0
        assert {momentum for *_, momentum in steps} == {0.5, 0.9}
        for (before, gradient, momentum), (after, *_) in zip(steps, steps[1:]):
            velocity = momentum * velocity - 0.1 * (gradient + 1e-3 * before)
            np.testing.assert_allclose(after, before + velocity, rtol=1e-4, atol=1e-6)


def digits(n=300):
    return (load_digits().data[:n] / 16).astype(np.float32)


def test_a_stack_whose_last_width_differs_from_the_input_learns():
    ab.seed(0)
    parts = machines([64, 20, 6], momentum=0.5)
    dbm = ab.DeepBoltzmannMachines(ab.L2NormLoss(), parts, learning_rate=0.01)
    dbm.learn(ab.ArrayIterator(digits(), epochs=3, batch_size=50, test_fraction=0.2, seed=0))
    assert dbm.loss_arr.shape == (3, 2) and np.isfinite(dbm.loss_arr).all()
    assert all(part.loss_arr.shape == (3, 2) for part in parts)
    features = dbm.inference(digits(9))
    assert features.shape == (9, 6)
    for part, width in zip(parts, (20, 6)):
        assert part.feature_points_arr.shape == (9, width)
    np.testing.assert_array_equal(
        parts[1].feature_points_arr.asnumpy(), dbm.feature_points_arr.asnumpy()
    )
    np.testing.assert_array_equal(dbm.encode(digits(9)).asnumpy(), features.asnumpy())
    decoded = dbm.decode(features)
    assert decoded.shape == (9, 64)
    np.testing.assert_allclose(
        dbm.reconstruction_error(digits(9)).asnumpy(),
        dbm.compute_loss(decoded, nd.array(digits(9))).asnumpy(), rtol=1e-6,
    )  # fmt: skip


def test_phases_run_alone():
    data = ab.ArrayIterator(digits(60), epochs=2, batch_size=20)
    parts = machines([64, 10, 5])
    dbm = ab.DeepBoltzmannMachines(ab.L2NormLoss(), parts)
    dbm.joint_learn(data)
    assert len(dbm.history) == 2 and all(len(part.history) == 0 for part in parts)
    dbm.pre_learn(data)
    assert all(len(part.history) == 2 for part in parts)
    dbm.learn(data)
    assert parts[0].history.row_list and len(dbm.history) == 2


def test_learned_parts_stay_learned_and_parts_can_be_replaced():
    parts = machines([64, 10])
    parts[0].learn(ab.ArrayIterator(digits(60), epochs=2, batch_size=20))
    before = parts[0].weights_arr.asnumpy()
    dbm = ab.DeepBoltzmannMachines(ab.L2NormLoss(), parts)
    np.testing.assert_array_equal(dbm.rbm_list[0].weights_arr.asnumpy(), before)
    assert dbm.inference(digits(3)).shape == (3, 10)
    dbm.rbm_list = machines([64, 12, 4])
    assert dbm.inference(digits(3)).shape == (3, 4) and dbm.dims == [64, 12, 4]
    assert dbm.get_rbm_list()[1].hidden_dim == 4


@pytest.mark.parametrize("model_type", [ab.DeepBoltzmannMachines, ab.DeepBeliefNetworks])
@pytest.mark.parametrize("name", ["learn", "pre_learn"])
def test_one_callback_must_be_in_a_list(model_type, name):
    model = model_type(ab.L2NormLoss(), machines([64, 10, 6]))
    data = ab.ArrayIterator(digits(60), epochs=1, batch_size=20)
    for learn in (getattr(model, name), model.rbm_list[0].learn):
        with pytest.raises(TypeError, match="`callbacks` must be a list, also of one"):
            learn(data, callbacks=ab.EarlyStopping())


class Interrupted(ab.ArrayIterator):
    """Ctrl-C, once, in the second epoch."""

    times = 1

    def generate_learned_samples(self):
        for number, batch in enumerate(super().generate_learned_samples()):
            if number == 4 and self.times:
                self.times -= 1
                raise KeyboardInterrupt
            yield batch


@pytest.mark.parametrize("model_type", [ab.DeepBoltzmannMachines, ab.DeepBeliefNetworks])
def test_an_interrupt_ends_the_learning_of_all(model_type):
    model = model_type(ab.L2NormLoss(), machines([64, 10, 8, 6]))
    data = Interrupted(digits(60), epochs=3, batch_size=20)
    with pytest.warns(ab.LearningInterruptedWarning):
        model.learn(data)
    histories = [model.history, *(part.history for part in model.rbm_list)]
    assert [len(history) for history in histories] == [0, 2, 0, 0]
    model.learn(data)
    assert len(model.history) == 3 and len(model.rbm_list[1].history) == 3


@pytest.mark.parametrize("model_type", [ab.DeepBoltzmannMachines, ab.DeepBeliefNetworks])
def test_machines_may_come_from_a_generator(model_type):
    model = model_type(ab.L2NormLoss(), (part for part in machines([4, 3, 2])))
    assert model.dims == [4, 3, 2]


def test_other_machines_learn_from_the_beginning():
    data = ab.ArrayIterator(digits(60), epochs=2, batch_size=20)
    dbm = ab.DeepBoltzmannMachines(ab.L2NormLoss(), machines([64, 10, 6]))
    dbm.learn(data)
    dbm.rbm_list = machines([64, 12, 4, 5])
    assert dbm.fantasy_list is None
    dbm.learn(data)
    assert [len(part.history) for part in dbm.rbm_list] == [2, 2, 2]
    assert [arr.shape[1] for arr in dbm.fantasy_list] == [64, 4]
    assert dbm.draw(3, 2).shape == (3, 64)


@pytest.mark.parametrize("model_type", [ab.DeepBoltzmannMachines, ab.DeepBeliefNetworks])
def test_machines_do_not_go_on_from_the_checkpoint_of_the_one_before(model_type, tmp_path):
    model = model_type(ab.L2NormLoss(), machines([64, 64, 64, 64]))
    data = ab.ArrayIterator(digits(60), epochs=2, batch_size=20)
    with pytest.raises(ValueError, match="`callbacks` must have no `Checkpoint`"):
        model.pre_learn(data, callbacks=[ab.Checkpoint(tmp_path / "checkpoint")])


def learned(model_type, dims=(64, 30, 10), epochs=15):
    ab.seed(0)
    parts = machines(dims, learning_rate=0.1, momentum=0.5)
    model = model_type(ab.L2NormLoss(), parts, learning_rate=0.02)
    model.pre_learn(ab.ArrayIterator(digits(), epochs=epochs, batch_size=30, seed=0))
    return model


def test_unrolled_auto_encoder_starts_where_the_machine_is():
    dbm = learned(ab.DeepBoltzmannMachines)
    encoder_decoder = dbm.unroll(learning_rate=0.01, optimizer_name="Adam")
    assert isinstance(encoder_decoder, ab.AutoEncoder)
    observed = digits(20)
    below = dbm.mean_field(observed, steps=0)[-1]
    np.testing.assert_allclose(
        encoder_decoder.encode(observed).asnumpy(), below.asnumpy(), atol=1e-5
    )
    np.testing.assert_allclose(
        encoder_decoder.inference(observed).asnumpy(), dbm.decode(below).asnumpy(), atol=1e-5
    )
    before = dbm.rbm_list[0].weights_arr.asnumpy()
    encoder_decoder.learn(ab.ArrayIterator(digits(), epochs=5, batch_size=30, seed=0))
    assert encoder_decoder.loss_arr[-1, 0] < encoder_decoder.loss_arr[0, 0]
    np.testing.assert_array_equal(before, dbm.rbm_list[0].weights_arr.asnumpy())  # a copy


def test_classifier_starts_with_the_mean_field_features():
    dbm = learned(ab.DeepBoltzmannMachines)
    observed = digits(20)
    loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=True)
    classifier = dbm.unroll_classifier(10, loss, learning_rate=0.01, optimizer_name="Adam")
    augmented = dbm.augment(observed)
    assert augmented.shape == (20, 74)
    first, second = dbm.mean_field(observed, steps=200)
    at_rest = nd.concat(nd.array(observed), second, dim=1)
    hidden = classifier._stack.layer(0, nd, at_rest)
    np.testing.assert_allclose(hidden.asnumpy(), first.asnumpy(), atol=1e-3)
    classifier.inference(at_rest)
    np.testing.assert_allclose(classifier.feature_points_arr.asnumpy(), second.asnumpy(), atol=1e-3)
    classifier.compute_acc_flag = True
    inputs, labels = dbm.augment(digits()).asnumpy(), load_digits().target[:300].astype(float)
    classifier.learn(
        ab.ArrayIterator(inputs, labels, epochs=40, batch_size=30, seed=0, test_fraction=0.2)
    )
    assert classifier.acc_arr[-1, 0] > 0.9


@pytest.mark.parametrize("ask", [
    lambda m: m.free_energy(DATA),
    lambda m: m.log_likelihood(DATA),
    lambda m: m.pseudo_log_likelihood(DATA),
    lambda m: m.sample_hidden(DATA),
    lambda m: m.statistics(DATA),
])  # fmt: skip
def test_what_is_intractable_says_what_to_use(ask):
    with pytest.raises(ValueError, match="is intractable for a deep Boltzmann machine.*Use `"):
        ask(filled(DIMS)[0])


def test_impossible_stacks():
    loss = ab.L2NormLoss()
    with pytest.raises(ValueError, match="`rbm_list` must have at least one machine"):
        ab.DeepBoltzmannMachines(loss, [])
    with pytest.raises(TypeError, match="`rbm_list` must be a `RestrictedBoltzmannMachines`"):
        ab.DeepBoltzmannMachines(loss, [1])
    wrong = [*machines([4, 3]), *machines([2, 2])]
    with pytest.raises(ValueError, match=r"`rbm_list\[1\]` must have as many visible units"):
        ab.DeepBoltzmannMachines(loss, wrong)
    mixed = [*machines([4, 3]), *machines([3, 2], hidden_activation="relu")]
    with pytest.raises(ValueError, match="units are all of one kind"):
        ab.DeepBoltzmannMachines(loss, mixed)
    one = machines([4, 4])[0]
    with pytest.raises(ValueError, match="`rbm_list` must have another machine for each layer"):
        ab.DeepBoltzmannMachines(loss, [one, one])
    with pytest.raises(
        TypeError, match="`rbm_list` must have restricted machines, but one .* stack"
    ):
        ab.DeepBoltzmannMachines(loss, [ab.DeepBoltzmannMachines(loss, machines([4, 3, 2]))])
    with pytest.raises(ValueError, match="`energy` needs the states of 2 hidden layers"):
        filled(DIMS)[0].energy(DATA, np.zeros((10, 3)))
    with pytest.raises(ValueError, match="`augment` needs a machine with at least two"):
        filled([4, 3])[0].augment(DATA)
    for name, value in itertools.product(("chain_n", "gibbs_steps"), (0, -1)):
        with pytest.raises(ValueError, match=f"`{name}` must be at least 1"):
            ab.DeepBoltzmannMachines(loss, machines(DIMS), **{name: value})
