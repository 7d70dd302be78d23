"""Restricted Boltzmann machines, against brute force."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from boltzmann_by_hand import TinyMachine, all_states, bars_and_stripes
from mxnet import nd
from sklearn.datasets import load_digits

import accelbrainbase as ab
from accelbrainbase._mxnet.boltzmann.annealed_importance import inverse_temperatures
from accelbrainbase._mxnet.boltzmann.statistics_step import Correlations

VISIBLE, HIDDEN = 6, 4
RNG = np.random.default_rng(5)
WEIGHT = RNG.normal(0, 0.8, (HIDDEN, VISIBLE))
VISIBLE_BIAS = RNG.normal(0, 0.5, VISIBLE)
HIDDEN_BIAS = RNG.normal(0, 0.5, HIDDEN)
DATA = (RNG.random((12, VISIBLE)) < [0.9, 0.8, 0.3, 0.5, 0.2, 0.6]).astype(np.float64)
STATES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


def machine(visible_dim=VISIBLE, hidden_dim=HIDDEN, **kwargs):
    return ab.RestrictedBoltzmannMachines(
        ab.L2NormLoss(), visible_dim=visible_dim, hidden_dim=hidden_dim, **kwargs
    )


def filled(scale=1.0, **kwargs):
    """A machine with the parameters above."""
    rbm = machine(**kwargs)
    rbm.weights_arr = WEIGHT * scale
    rbm.visible_bias_arr, rbm.hidden_bias_arr = VISIBLE_BIAS, HIDDEN_BIAS
    return rbm


def digits(n=500):
    return (load_digits().data[:n] / 16).astype(np.float32)


KINDS = [("sigmoid", "sigmoid"), ("tanh", "tanh"), ("sigmoid", "tanh"), ("tanh", "sigmoid")]


@pytest.fixture(params=KINDS, ids="-".join)
def pair(request):
    """A machine and the same by hand, for each pair of kinds of units."""
    visible, hidden = request.param
    rbm = filled(visible_activation=visible, hidden_activation=hidden)
    tiny = TinyMachine(WEIGHT, VISIBLE_BIAS, HIDDEN_BIAS, STATES[visible], STATES[hidden])
    return rbm, tiny


# -- energies and probabilities --------------------------------------------------------


def test_energy(pair):
    rbm, tiny = pair
    visible, hidden = tiny.visible_states[::5], tiny.hidden_states[:13]
    np.testing.assert_allclose(
        rbm.energy(visible, hidden).asnumpy(), tiny.energy(visible, hidden), atol=1e-5
    )


def test_free_energy_and_likelihood(pair):
    rbm, tiny = pair
    states = tiny.visible_states
    expected = -np.logaddexp.reduce(tiny.minus_energy, axis=1)
    np.testing.assert_allclose(rbm.free_energy(states).asnumpy(), expected, atol=1e-5)
    log_z = rbm.log_partition()
    assert log_z == pytest.approx(tiny.log_z, abs=1e-5) and log_z.error == 0.0
    log_p = rbm.log_likelihood(states).asnumpy()
    np.testing.assert_allclose(log_p, tiny.log_p, atol=1e-5)
    assert np.exp(log_p.astype(np.float64)).sum() == pytest.approx(1.0, abs=1e-5)


def test_conditionals(pair):
    rbm, tiny = pair
    visible, hidden = tiny.visible_states[::7], tiny.hidden_states
    np.testing.assert_allclose(rbm.encode(visible).asnumpy(), tiny.mean_hidden(visible), atol=1e-5)
    np.testing.assert_allclose(rbm.decode(hidden).asnumpy(), tiny.mean_visible(hidden), atol=1e-5)


def test_samples_have_the_conditional_means(pair):
    rbm, tiny = pair
    ab.seed(0)
    many = 20_000
    visible, hidden = tiny.visible_states[11:12], tiny.hidden_states[5:6]
    drawn = rbm.sample_hidden(np.repeat(visible, many, axis=0)).asnumpy()
    assert set(np.unique(drawn)) == set(np.unique(tiny.hidden_states))
    np.testing.assert_allclose(drawn.mean(axis=0), tiny.mean_hidden(visible)[0], atol=0.03)
    drawn = rbm.sample_visible(np.repeat(hidden, many, axis=0)).asnumpy()
    assert set(np.unique(drawn)) == set(np.unique(tiny.visible_states))
    np.testing.assert_allclose(drawn.mean(axis=0), tiny.mean_visible(hidden)[0], atol=0.03)


def test_exact_partition_enumerates_either_side():
    """6 + 4 units count over the hidden side, 4 + 6 over the visible one."""
    turned = machine(visible_dim=HIDDEN, hidden_dim=VISIBLE)
    turned.weights_arr = WEIGHT.T
    turned.visible_bias_arr, turned.hidden_bias_arr = HIDDEN_BIAS, VISIBLE_BIAS
    assert turned.log_partition("exact") == pytest.approx(filled().log_partition("exact"), abs=1e-5)


def test_free_energy_with_zero_weights():  # softplus(0) = log 2 for each hidden unit
    rbm = machine(visible_dim=2, hidden_dim=3)
    rbm.weights_arr = np.zeros((3, 2))
    got = rbm.free_energy([[0, 1]]).asscalar()
    assert got == pytest.approx(-3 * math.log(2), rel=1e-6)


def test_pseudo_log_likelihood(pair):
    rbm, tiny = pair
    states, log_p = tiny.visible_states, tiny.log_p
    rows, expected = range(0, len(states), 9), []
    for row in rows:
        total = 0.0
        for unit in range(VISIBLE):
            others = np.delete(states, unit, axis=1)
            same = np.flatnonzero((others == others[row]).all(axis=1))
            total += log_p[row] - np.logaddexp.reduce(log_p[same])
        expected.append(total)
    got = rbm.pseudo_log_likelihood(states[list(rows)])
    np.testing.assert_allclose(got.asnumpy(), expected, atol=1e-4)
    ab.seed(0)
    drawn = [rbm.pseudo_log_likelihood(states[:1], unit_n=2).asscalar() for _ in range(300)]
    assert np.mean(drawn) == pytest.approx(
        rbm.pseudo_log_likelihood(states[:1]).asscalar(), abs=4 * np.std(drawn) / np.sqrt(300)
    )


def test_gibbs_sampling_has_the_distribution_of_the_machine():
    ab.seed(1)
    rbm, tiny = filled(), TinyMachine(WEIGHT, VISIBLE_BIAS, HIDDEN_BIAS)
    drawn = rbm.draw(20_000, steps=60).asnumpy()
    number = (drawn @ (2 ** np.arange(VISIBLE)[::-1])).astype(int)
    share = np.bincount(number, minlength=2**VISIBLE) / len(drawn)
    assert np.abs(share - np.exp(tiny.log_p)).max() < 0.01
    start = np.zeros((20_000, VISIBLE))
    one = rbm.gibbs(start, steps=1).asnumpy().mean(axis=0)
    hidden = tiny.hidden_states
    p_hidden = np.exp(hidden @ HIDDEN_BIAS)
    expected = p_hidden / p_hidden.sum() @ tiny.mean_visible(hidden)
    np.testing.assert_allclose(one, expected, atol=0.015)
    means = rbm.gibbs(start[:5], steps=2, mean=True).asnumpy()
    assert ((means > 0) & (means < 1)).all()


@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
def test_annealed_importance_sampling_is_within_its_error(kinds):
    visible, hidden = kinds
    rbm = filled(scale=1.5, visible_activation=visible, hidden_activation=hidden)
    exact = rbm.log_partition("exact")
    ab.seed(0)
    rough = rbm.log_partition("ais", chain_n=400, temperature_n=200)
    assert 0 < rough.error < 0.2
    assert abs(rough - exact) < 3 * rough.error
    data = np.where(DATA > 0, *reversed(STATES[visible]))
    fine = rbm.log_partition("ais", data_arr=data, chain_n=400, temperature_n=1500)
    assert abs(fine - exact) < 3 * fine.error and fine.error < rough.error
    assert repr(fine) == f"{float(fine):.6g} ± {fine.error:.2g}"


def test_temperatures_are_those_of_the_paper():
    betas = inverse_temperatures(14_500)
    assert len(betas) == 14_501 and betas[0] == 0 and betas[-1] == 1
    assert (betas < 0.5).sum() == 500 and (betas < 0.9).sum() == 4500
    assert (np.diff(betas) > 0).all()


# -- Gaussian and rectified units ------------------------------------------------------


def gaussian(variance=0.7, **kwargs):
    return filled(visible_activation="identity", visible_variance=variance, **kwargs)


def test_gaussian_energies_integrate_to_the_partition_function():
    """One visible unit: log Z and free energies by integrating on a grid."""
    rbm = machine(1, 3, visible_activation="identity", visible_variance=0.7)
    weight, bias = np.array([[0.9], [-1.2], [0.4]]), np.array([0.3, -0.2, 0.1])
    rbm.weights_arr, rbm.hidden_bias_arr, rbm.visible_bias_arr = weight, bias, [0.5]
    grid = np.linspace(-12, 12, 20_001)
    hidden = all_states(3)
    minus = (
        -((grid[:, None] - 0.5) ** 2) / 1.4
        + (hidden @ bias)[None, :]
        + grid[:, None] / 0.7 * (hidden @ weight[:, 0])[None, :]
    )
    free = -np.logaddexp.reduce(minus, axis=1)
    log_z = np.log(np.exp(-free).sum() * (grid[1] - grid[0]))
    np.testing.assert_allclose(
        rbm.free_energy(grid[::2000, None]).asnumpy(), free[::2000], rtol=1e-4
    )
    np.testing.assert_allclose(
        rbm.energy(np.repeat(grid[9000:9001, None], 8, axis=0), hidden).asnumpy(),
        -minus[9000], atol=1e-4,
    )  # fmt: skip
    assert rbm.log_partition() == pytest.approx(log_z, abs=1e-4)
    ab.seed(0)
    estimate = rbm.log_partition("ais", chain_n=500, temperature_n=500)
    assert abs(estimate - log_z) < 3 * estimate.error < 0.3


def test_gaussian_samples():
    ab.seed(0)
    rbm = gaussian(variance=0.25)
    hidden = np.tile([[1.0, 0.0, 1.0, 1.0]], (20_000, 1))
    drawn = rbm.sample_visible(hidden).asnumpy()
    expected = VISIBLE_BIAS + hidden[0] @ WEIGHT
    np.testing.assert_allclose(drawn.mean(axis=0), expected, atol=0.02)
    np.testing.assert_allclose(drawn.std(axis=0), 0.5, atol=0.02)
    np.testing.assert_allclose(rbm.decode(hidden[:1]).asnumpy()[0], expected, rtol=1e-5)


def test_rectified_units_are_many_copies():
    """The free energy sums over copies with shifted biases (Nair & Hinton 2010, equation 2)."""
    rbm = filled(hidden_activation="relu")
    x = HIDDEN_BIAS + DATA @ WEIGHT.T
    copies = sum(np.logaddexp(0, x - i + 0.5) for i in range(1, 200)).sum(axis=1)
    np.testing.assert_allclose(
        rbm.free_energy(DATA).asnumpy(), -DATA @ VISIBLE_BIAS - copies, rtol=1e-4
    )
    np.testing.assert_allclose(rbm.encode(DATA).asnumpy(), np.maximum(x, 0), atol=1e-5)
    ab.seed(0)
    drawn = rbm.sample_hidden(np.repeat(DATA[:1], 20_000, axis=0)).asnumpy()
    noise = np.random.default_rng(0).normal(size=(200_000, HIDDEN))
    by_hand = np.maximum(x[0] + noise / np.sqrt(1 + np.exp(-x[0])), 0)
    np.testing.assert_allclose(drawn.mean(axis=0), by_hand.mean(axis=0), atol=0.03)
    np.testing.assert_allclose(drawn.std(axis=0), by_hand.std(axis=0), atol=0.03)
    for undefined in (lambda: rbm.energy(DATA, np.zeros((12, HIDDEN))),
                      lambda: rbm.log_partition("ais")):  # fmt: skip
        with pytest.raises(ValueError, match="not defined for rectified hidden units"):
            undefined()
    assert math.isfinite(rbm.log_partition("exact"))  # over the visible side


@pytest.mark.parametrize("data", ["z_score", "raw"])
@pytest.mark.parametrize("variance", [1.0, "learned"])
def test_gaussian_machine_does_not_diverge_at_its_defaults(data, variance):
    ab.seed(0)
    observed = load_digits().data.astype(np.float32)[:1000]
    if data == "z_score":
        observed = (observed - observed.mean(axis=0)) / (observed.std(axis=0) + 1e-3)
    rbm = ab.RestrictedBoltzmannMachines(
        ab.L2NormLoss(), visible_activation="identity", visible_dim=64, visible_variance=variance
    )
    rbm.learn(ab.ArrayIterator(observed, epochs=40, batch_size=50, test_fraction=0.2, seed=0))
    assert np.isfinite(rbm.loss_arr).all()
    assert rbm.loss_arr[-1, 1] < rbm.loss_arr[0, 1] < 1.1 * observed.std()
    if variance == "learned":
        assert (rbm.variance_arr.asnumpy() > 1e-3).all()


def test_variance_is_learned():
    """Two clusters far apart, with small noise: one hidden unit tells which."""
    ab.seed(0)
    rng = np.random.default_rng(0)
    which = rng.random((2000, 1)) < 0.5
    observed = np.where(which, 1.0, -1.0) * [1.0, -1.0] + rng.normal(0, [0.6, 1.0], (2000, 2))
    rbm = machine(
        2, 1, visible_activation="identity", visible_variance="learned", cd_k=3,
        learning_rate=0.01,
    )  # fmt: skip
    rbm.learn(ab.ArrayIterator(observed, epochs=150, batch_size=100, seed=0))
    np.testing.assert_allclose(rbm.variance_arr.asnumpy()[0], [0.36, 1.0], rtol=0.15)


# -- learning --------------------------------------------------------------------------


def mean_statistics(rbm, data, repeats):
    """What `statistics` gives on average, as gradients of the mean log-likelihood."""
    total, visible_arr = None, nd.array(data)
    for _ in range(repeats):
        products, gradients, _, _ = rbm.statistics(visible_arr)
        weight = products.gradient_to(nd.zeros((HIDDEN, VISIBLE))) / -len(data)
        biases = [-gradients[p] / len(data) for p in (rbm.visible_bias, rbm.hidden_bias)]
        arrays = [weight.asnumpy(), *(arr.asnumpy().ravel() for arr in biases)]
        total = arrays if total is None else [a + b for a, b in zip(total, arrays)]
    return [arr / repeats for arr in total]


def test_gradients_by_hand_agree_with_finite_differences():
    tiny = TinyMachine(WEIGHT, VISIBLE_BIAS, HIDDEN_BIAS)
    gradient = tiny.gradients(DATA)[0]
    for at in ((0, 0), (3, 5)):
        shifted = []
        for step in (1e-4, -1e-4):
            weight = WEIGHT.copy()
            weight[at] += step
            other = TinyMachine(weight, VISIBLE_BIAS, HIDDEN_BIAS)
            shifted.append(other.log_likelihood(DATA).mean())
        assert gradient[at] == pytest.approx((shifted[0] - shifted[1]) / 2e-4, rel=1e-5)


def test_long_contrastive_divergence_has_the_exact_gradient(pair):
    rbm, tiny = pair
    data = np.where(DATA > 0, *reversed(np.unique(tiny.visible_states)))
    long = filled(
        visible_activation=rbm.visible_activation,
        hidden_activation=rbm.hidden_activation,
        cd_k=60,
        scale=0.6,
    )
    tiny = TinyMachine(
        WEIGHT * 0.6, VISIBLE_BIAS, HIDDEN_BIAS,
        STATES[rbm.visible_activation], STATES[rbm.hidden_activation],
    )  # fmt: skip
    ab.seed(0)
    many = np.tile(data, (1000, 1))
    for got, expected in zip(mean_statistics(long, many, 3), tiny.gradients(data)):
        np.testing.assert_allclose(got, expected, atol=0.03)


def test_one_step_points_to_the_right_side():
    """CD-1 is biased, but on average within a right angle of the gradient, and shorter."""
    rbm, tiny = filled(), TinyMachine(WEIGHT, VISIBLE_BIAS, HIDDEN_BIAS)
    ab.seed(0)
    got = np.concatenate([a.ravel() for a in mean_statistics(rbm, np.tile(DATA, (500, 1)), 3)])
    expected = np.concatenate([a.ravel() for a in tiny.gradients(DATA)])
    cosine = got @ expected / np.linalg.norm(got) / np.linalg.norm(expected)
    assert cosine > 0.7
    assert 0.2 < np.linalg.norm(got) / np.linalg.norm(expected) < 1.2


def test_first_step_by_hand():
    """CD-1 with one possible sample: saturated hidden units, so nothing is random."""
    rbm = machine(2, 1)
    rbm.weights_arr, rbm.hidden_bias_arr = [[0.5, -0.5]], [60.0]
    products, gradients, reconstructed, _ = rbm.statistics(nd.array([[1.0, 0.0]]))
    seen = 1 / (1 + np.exp([-0.5, 0.5]))
    np.testing.assert_allclose(reconstructed.asnumpy(), [seen], rtol=1e-5)
    gradient = products.gradient_to(nd.zeros((1, 2)))
    np.testing.assert_allclose(gradient.asnumpy(), [seen - [1.0, 0.0]], atol=1e-5)
    np.testing.assert_allclose(
        gradients[rbm.visible_bias].asnumpy(), [seen - [1.0, 0.0]], atol=1e-5
    )


def test_persistent_chains_converge_on_the_exact_gradient():
    """More chains that ran for longer: nearer, at parameters that stand still."""
    tiny = TinyMachine(WEIGHT, VISIBLE_BIAS, HIDDEN_BIAS)
    exact = np.concatenate([a.ravel() for a in tiny.gradients(DATA)])
    distances = []
    for chain_n, steps in ((10, 1), (10_000, 100)):
        ab.seed(3)
        rbm = filled(persistent=True, chain_n=chain_n)
        rbm._prepare(nd.array(DATA))
        rbm.visible_bias_arr = VISIBLE_BIAS
        for _ in range(steps):
            got = np.concatenate([a.ravel() for a in mean_statistics(rbm, DATA, 1)])
        distances.append(np.linalg.norm(got - exact))
        assert rbm.fantasy_arr.shape == (chain_n, HIDDEN)
    assert distances[1] < 0.05 < distances[0]


def test_gradient_of_weights_by_numpy():
    rng = np.random.RandomState(0)
    shapes = ((8, 5), (8, 7), (3, 5), (3, 7))  # 8 data points, 3 chains
    arrays = [rng.rand(*shape).astype(np.float32) for shape in shapes]
    data_output, data_input, model_output, model_input = arrays
    expected = 8 * (model_output.T @ model_input / 3 - data_output.T @ data_input / 8)
    got = Correlations(*map(nd.array, arrays)).gradient_to(nd.zeros((5, 7)))
    np.testing.assert_allclose(got.asnumpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("settings", [
    {},
    {"momentum": 0.9},
    {"momentum": {0: 0.5, 2: 0.9}, "wd": 1e-3, "l1_cost": 1e-3},
    {"momentum": {0: 0.0, 2: 0.9}},
    {"wd": 1e-2},
    {"l1_cost": 1e-2},
    {"optimizer_params": {"momentum": 0.7}},
    {"persistent": True, "chain_n": 13, "learning_attenuate_rate": 0.5, "attenuate_epoch": 1},
    {"visible_activation": "identity", "visible_variance": "learned", "momentum": 0.5},
], ids=str)  # fmt: skip
def test_steps_of_the_weights_by_numpy(settings):
    rbm = machine(64, 20, learning_rate=0.1, **settings)
    velocity, taken = 0.0, []
    statistics = rbm.statistics

    def seen(visible_arr):
        found = statistics(visible_arr)
        gradient = found[0].gradient_to(nd.zeros((20, 64))).asnumpy() / len(visible_arr)
        momentum = rbm.trainer.optimizer.momentum
        taken.append((rbm.weights_arr.asnumpy(), gradient, rbm.learning_rate, momentum))
        return found

    rbm.statistics = seen
    rbm.learn(ab.ArrayIterator(digits(100), epochs=4, batch_size=32, seed=0))
    assert len(taken) == 16
    for number, (before, gradient, rate, momentum) in enumerate(taken[:-1]):
        gradient += settings.get("l1_cost", 0.0) * np.sign(before)
        gradient += settings.get("wd", 0.0) * before
        velocity = momentum * velocity - rate * gradient
        after = taken[number + 1][0]
        np.testing.assert_allclose(after, before + velocity, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("optimizer_name", ["SGD", "NAG"])
def test_momentum_that_begins_at_0_grows(optimizer_name):
    weights = []
    for later in (0.0, 0.9):
        ab.seed(0)
        rbm = machine(
            64, 20, optimizer_name=optimizer_name, learning_rate=0.1, momentum={0: 0.0, 1: later}
        )
        for _ in range(2):
            rbm.learn(ab.ArrayIterator(digits(64), epochs=1, batch_size=8, seed=0))
            weights.append(rbm.weights_arr.asnumpy())
    np.testing.assert_allclose(weights[0], weights[2], atol=1e-6)
    assert np.abs(weights[1] - weights[3]).max() > 1e-2


@pytest.mark.parametrize("optimizer_name", ["Adam", "RMSProp", "NAG", "Signum", "AdaGrad"])
def test_other_optimizers_apply_to_the_gradient(optimizer_name):
    ab.seed(0)
    momentum = {"momentum": 0.5} if optimizer_name in ("NAG", "Signum") else {}
    rbm = machine(64, 20, optimizer_name=optimizer_name, learning_rate=0.01, **momentum)
    rbm.learn(ab.ArrayIterator(digits(), epochs=12, batch_size=32, seed=0))
    assert rbm.loss_arr[-1, 0] < 0.97 * rbm.loss_arr[0, 0]


def test_schedules_follow_the_epochs():
    rbm = machine(64, 8, cd_k={0: 1, np.int64(2): 3}, momentum={0: 0.25, 1: 0.75})
    seen = []

    class Watch(ab.Callback):
        def on_step_end(self, state):
            seen.append((rbm._kernel()._steps, rbm.trainer.optimizer.momentum))

    data = ab.ArrayIterator(digits(64), epochs=3, batch_size=32)
    rbm.learn(data, callbacks=[Watch()])
    assert seen == [(1, 0.25)] * 2 + [(1, 0.75)] * 2 + [(3, 0.75)] * 2
    rbm.learn(data, callbacks=[Watch()])  # goes on where it was
    assert seen[-1] == (3, 0.75) and seen[6] == (3, 0.75)


def test_visible_biases_come_from_the_data():
    rbm = machine(64, 8, learning_rate=0.0)
    data = digits(200)
    rbm.learn(ab.ArrayIterator(data, epochs=1, batch_size=200))
    mean = (data.sum(axis=0) + 1) / 202
    np.testing.assert_allclose(rbm.visible_bias_arr.asnumpy(), np.log(mean / (1 - mean)), rtol=1e-3)
    rbm.visible_bias_arr = np.ones(64)
    rbm.learn(ab.ArrayIterator(data, epochs=1, batch_size=200))
    assert (rbm.visible_bias_arr.asnumpy() == 1).all()  # only where they are still 0
    rbm = machine(64, 8, learning_rate=0.0, bias_from_data=False)
    rbm.learn(ab.ArrayIterator(data, epochs=1, batch_size=200))
    assert (rbm.visible_bias_arr.asnumpy() == 0).all()


def test_sparsity():
    activities = []
    for target in (None, 0.05):
        ab.seed(0)
        rbm = machine(
            64, 30, learning_rate=0.1, sparsity_target=target, sparsity_cost=1.0, momentum=0.5
        )
        rbm.learn(ab.ArrayIterator(digits(), epochs=25, batch_size=25, seed=0))
        activities.append(rbm.encode(digits()).mean().asscalar())
    assert activities[1] == pytest.approx(0.05, abs=0.03) and activities[0] > 0.15


def test_l1_cost_makes_weights_small():
    sizes = []
    for cost in (0.0, 0.02):
        ab.seed(0)
        rbm = machine(64, 20, learning_rate=0.1, l1_cost=cost)
        rbm.learn(ab.ArrayIterator(digits(), epochs=10, batch_size=25, seed=0))
        sizes.append(np.abs(rbm.weights_arr.asnumpy()).mean())
    assert sizes[1] < 0.5 * sizes[0]


def test_dropout_leaves_units_out_in_both_phases():
    ab.seed(0)
    rbm = machine(64, 400, hidden_dropout_rate=0.75)
    data = nd.array(digits(50))
    products, _, _, code = rbm.statistics(data)
    out_of_data, out_of_model = code.asnumpy() == 0, products.model_output.asnumpy() == 0
    assert out_of_data.mean() == pytest.approx(0.75, abs=0.02)
    np.testing.assert_array_equal(out_of_data, out_of_model)
    assert (out_of_data[0] != out_of_data[1]).any()  # other units for each sample
    rbm = machine(64, 10, visible_dropout_rate=0.5)
    products, _, _, _ = rbm.statistics(nd.ones((50, 64)))
    left_out = products.data_input.asnumpy() == 0
    assert left_out.mean() == pytest.approx(0.5, abs=0.05)
    np.testing.assert_array_equal(left_out, products.model_input.asnumpy() == 0)


def test_units_that_are_left_out_say_nothing_of_the_variance():
    ab.seed(0)
    rbm = machine(
        64, 10, visible_activation="identity", visible_variance="learned",
        visible_dropout_rate=0.5,
    )  # fmt: skip
    products, gradients, _, _ = rbm.statistics(nd.random.normal(shape=(1, 64)))
    left_out = products.data_input.asnumpy() == 0
    assert left_out.mean() == pytest.approx(0.5, abs=0.2)
    np.testing.assert_array_equal(left_out, gradients[rbm.log_variance].asnumpy() == 0)


def test_inference_scales_by_the_share_that_was_kept():
    plain, dropped = filled(), filled(hidden_dropout_rate=0.25, visible_dropout_rate=0.5)
    code = dropped.encode(DATA).asnumpy()
    np.testing.assert_allclose(
        code, 1 / (1 + np.exp(-HIDDEN_BIAS - 0.5 * DATA @ WEIGHT.T)), rtol=1e-5
    )
    np.testing.assert_allclose(
        dropped.inference(DATA).asnumpy(),
        1 / (1 + np.exp(-VISIBLE_BIAS - 0.75 * code @ WEIGHT)), rtol=1e-5,
    )  # fmt: skip
    np.testing.assert_array_equal(
        plain.free_energy(DATA).asnumpy(), dropped.free_energy(DATA).asnumpy()
    )


@pytest.mark.slow
@pytest.mark.parametrize("settings", [
    {"persistent": True, "chain_n": 300, "cd_k": 10, "learning_attenuate_rate": 0.5,
     "attenuate_epoch": 2000},
    {"cd_k": 20},
], ids=["PCD", "CD"])  # fmt: skip
def test_bars_and_stripes(settings):
    """The exact log-likelihood comes within 10 % of the entropy of the data, log 30."""
    ab.seed(0)
    data = bars_and_stripes(4)
    entropy = math.log(len(data))
    assert len(data) == 30
    rbm = machine(16, 16, learning_rate=0.05, momentum=0.5, **settings)
    copies = 1 if rbm.persistent else 4
    rbm.learn(
        ab.ArrayIterator(np.tile(data, (copies, 1)), epochs=8000, batch_size=30 * copies, seed=0)
    )
    reached = float(rbm.log_likelihood(data).mean().asscalar())
    print(f"{settings}: log-likelihood {reached:.3f}, entropy {entropy:.3f} nats")
    assert -1.1 * entropy < reached < -entropy


# -- contract attributes, files, errors ------------------------------------------------


def test_contract_attributes():
    rbm = machine(64, 12)
    rbm.learn(ab.ArrayIterator(digits(100), epochs=3, batch_size=32, test_fraction=0.2))
    assert rbm.loss_list == rbm.loss_arr[:, 0].tolist() and len(rbm.loss_list) == 3
    assert rbm.test_loss_list == rbm.get_test_loss_arr() == rbm.loss_arr[:, 1].tolist()
    assert rbm.feature_points_arr.shape[1] == 12  # of the last mini-batch
    reconstruction = rbm.inference(digits(7).reshape(7, 8, 8))
    assert reconstruction.shape == (7, 64)
    np.testing.assert_array_equal(rbm.visible_activity_arr.asnumpy(), reconstruction.asnumpy())
    np.testing.assert_array_equal(
        rbm.hidden_activity_arr.asnumpy(), rbm.encode(digits(7)).asnumpy()
    )
    np.testing.assert_array_equal(
        rbm.feature_points_arr.asnumpy(), rbm.hidden_activity_arr.asnumpy()
    )
    assert rbm.get_weights_arr().shape == (12, 64)
    rbm.set_hidden_bias_arr(np.full(12, 2.0))
    assert (rbm.hidden_bias_arr.asnumpy() == 2).all()
    for name in ("loss_list", "test_loss_list", "feature_points_arr"):
        with pytest.raises(ab.ReadOnlyError, match=name):
            setattr(rbm, name, None)


def test_overridden_forward_propagation_is_used():
    class Halved(ab.RestrictedBoltzmannMachines):
        def forward_propagation(self, F, x):
            return 0.5 * super().forward_propagation(F, x)

    rbm = Halved(ab.L2NormLoss(), visible_dim=64, hidden_dim=4)
    half = rbm.inference(digits(3)).asnumpy()
    np.testing.assert_allclose(half, 0.5 * rbm.decode(rbm.feature_points_arr).asnumpy())


def test_files_of_1_1_0_load(tmp_path):
    """They have the weight and the hidden bias, each twice, and no visible bias."""
    layer = "_RestrictedBoltzmannMachines__visible_unit"
    arrays = {f"{layer}.weight": nd.array(WEIGHT), f"{layer}.bias": nd.array(HIDDEN_BIAS)}
    for name in (layer, "2"):
        arrays[f"{name}.weight"] = nd.array(WEIGHT)
        arrays[f"{name}.bias"] = nd.array(HIDDEN_BIAS)
    nd.save(str(tmp_path / "old.params"), arrays)
    rbm = machine()
    with pytest.raises(ab.ParameterFileError, match="has no visible_bias"):
        rbm.load_parameters(tmp_path / "old.params")
    rbm.load_parameters(tmp_path / "old.params", allow_missing=True)
    np.testing.assert_allclose(rbm.weights_arr.asnumpy(), WEIGHT, rtol=1e-6)
    np.testing.assert_allclose(rbm.hidden_bias_arr.asnumpy(), HIDDEN_BIAS, rtol=1e-6)


def test_learned_machine_counts_on_with_its_chains():
    ab.seed(0)
    rbm = machine(64, 12, persistent=True)
    rbm.learn(ab.ArrayIterator(digits(100), epochs=2, batch_size=32))
    chains = rbm.fantasy_arr.copy()
    assert chains.shape == (32, 12)  # not those of the smaller last mini-batch
    rbm.learn(ab.ArrayIterator(digits(100), epochs=1, batch_size=32))
    assert rbm.fantasy_arr.shape == (32, 12)
    assert (rbm.fantasy_arr != chains).sum().asscalar() > 0
    assert rbm.draw(70, steps=3).shape == (70, 64)


def test_killed_learning_with_chains_resumes_bit_for_bit(tmp_path):
    """Chains, the running mean of the activity and the schedules belong to the checkpoint."""

    class Killed(BaseException):
        pass

    class Kill(ab.Callback):
        def on_step_end(self, state):
            if state.step == 11:
                raise Killed

    def learn(name, *callbacks):
        ab.seed(3)
        rbm = machine(
            64, 12, persistent=True, chain_n=9, sparsity_target=0.1, learning_rate=0.05,
            momentum={0: 0.5, 1: 0.7, 3: 0.9}, cd_k={0: 1, 3: 2},
        )  # fmt: skip
        data = ab.ArrayIterator(digits(100), epochs=5, batch_size=25, seed=0)
        rbm.learn(data, callbacks=[ab.Checkpoint(tmp_path / name), *callbacks])
        return rbm

    whole = learn("whole")
    with pytest.raises(Killed):
        learn("parts", Kill())
    resumed = learn("parts")
    np.testing.assert_array_equal(resumed.history.array(), whole.history.array())
    for name in ("weights_arr", "hidden_bias_arr", "fantasy_arr", "mean_activity_arr"):
        np.testing.assert_array_equal(
            getattr(resumed, name).asnumpy(), getattr(whole, name).asnumpy()
        )


@pytest.mark.parametrize(("settings", "message"), [
    ({"visible_activation": "relu"}, "`visible_activation` chooses the kind of units"),
    ({"hidden_activation": "identity"}, "`hidden_activation` chooses the kind of units"),
    ({"hidden_batch_norm": "norm"}, "`hidden_batch_norm` must be None.*no energy"),
    ({"visible_batch_norm": "norm"}, "`visible_batch_norm` must be None"),
    ({"hidden_dropout_rate": 1.0}, "`hidden_dropout_rate` must be a finite number"),
    ({"visible_dropout_rate": -0.1}, "`visible_dropout_rate` must be a finite number"),
    ({"persistent": True, "hidden_dropout_rate": 0.5}, "`persistent` must be False with dropout"),
    ({"cd_k": 0}, "`cd_k` must be at least 1"),
    ({"cd_k": {3: 1}}, "`cd_k` must say what holds from the first epoch"),
    ({"momentum": 1.0}, "`momentum` must be a finite number"),
    ({"chain_n": 0}, "`chain_n` must be at least 1"),
    ({"l1_cost": -1}, "`l1_cost`"),
    ({"sparsity_target": 0.0}, "`sparsity_target`"),
    ({"sparsity_target": 0.1, "hidden_activation": "relu"}, "`sparsity_target` needs"),
    ({"visible_variance": 0.0}, "`visible_variance`"),
    ({"visible_variance": "learnt"}, "`visible_variance` must be .*Did you mean `learned`"),
    ({"visible_variance": "learned"}, "needs Gaussian visible units"),
    ({"visible_dim": 0}, "`visible_dim` must be at least 1"),
], ids=str)  # fmt: skip
def test_impossible_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        machine(**settings)


def test_momentum_needs_an_optimizer_that_has_it():
    rbm = machine(optimizer_name="Adam", momentum=0.5)
    with pytest.raises(ValueError, match="`momentum` must be None with `optimizer_name='Adam'`"):
        rbm.learn(ab.ArrayIterator(DATA, epochs=1, batch_size=4))


def test_impossible_questions():
    rbm = filled()
    with pytest.raises(ValueError, match="`visible_arr` must have 6 features"):
        rbm.free_energy(np.zeros((2, 5)))
    with pytest.raises(ValueError, match=r"`hidden_arr` must have shape \(batch, 4\)"):
        rbm.decode(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="`hidden_arr` must have a row for each of the 3 rows"):
        rbm.energy(np.zeros((3, 6)), np.zeros((2, 4)))
    with pytest.raises(TypeError, match="`chain_n` must not be given together with"):
        rbm.log_likelihood(DATA, 3.0, chain_n=5)
    with pytest.raises(ValueError, match="`method` must be one of"):
        rbm.log_partition("exactly")
    with pytest.raises(ValueError, match="`betas` must be numbers that ascend"):
        rbm.log_partition("ais", betas=[0.0, 0.7, 0.5, 1.0])
    with pytest.raises(ValueError, match="`weights_arr` must have shape"):
        rbm.weights_arr = WEIGHT.T
    with pytest.raises(ValueError, match="at most 20 units"):
        machine(30, 25).log_partition("exact")
    with pytest.raises(ValueError, match="needs visible units with two states"):
        gaussian().pseudo_log_likelihood(DATA)


def test_data_that_do_not_fit_the_units_are_noticed():
    rbm = machine(64, 5)
    with pytest.warns(UserWarning, match="values from 0 to 16, but Bernoulli visible units"):
        rbm.learn(ab.ArrayIterator(16 * digits(50), epochs=1, batch_size=10))


@pytest.mark.parametrize("deep", [False, True])
def test_a_log_probability_above_0_is_warned_of(deep):
    machine = ab.RestrictedBoltzmannMachines(ab.L2NormLoss(), visible_dim=4, hidden_dim=3)
    method = machine.log_likelihood
    if deep:
        top = ab.RestrictedBoltzmannMachines(ab.L2NormLoss(), visible_dim=3, hidden_dim=2)
        machine = ab.DeepBoltzmannMachines(ab.L2NormLoss(), [machine, top])
        method = machine.log_likelihood_bound
    data = np.ones((2, 4), dtype=np.float32)
    log_z = machine.log_partition("exact")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        method(data, log_z)
    with pytest.warns(UserWarning, match="above 0, which is impossible"):
        method(data, log_z - 20.0)
