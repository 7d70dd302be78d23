"""Deep belief networks."""

from __future__ import annotations

import numpy as np
import pytest
from boltzmann_by_hand import TinyMachine, all_states
from sklearn.datasets import load_digits

import accelbrainbase as ab


def digits(n=300):
    return (load_digits().data[:n] / 16).astype(np.float32)


def network(dims, **kwargs):
    parts = [
        ab.RestrictedBoltzmannMachines(
            ab.L2NormLoss(), visible_dim=below, hidden_dim=above, learning_rate=0.1, momentum=0.5
        )
        for below, above in zip(dims, dims[1:])
    ]
    return ab.DeepBeliefNetworks(ab.L2NormLoss(), parts, learning_rate=0.1, **kwargs)


def filled():
    rng = np.random.default_rng(3)
    dbn = network([4, 3, 3])
    for part in dbn.rbm_list:
        part.weights_arr = rng.normal(0, 1.0, part.weights_arr.shape)
        part.visible_bias_arr = rng.normal(0, 0.5, part.visible_dim)
        part.hidden_bias_arr = rng.normal(0, 0.5, part.hidden_dim)
    tiny = [
        TinyMachine(
            p.weights_arr.asnumpy(), p.visible_bias_arr.asnumpy(), p.hidden_bias_arr.asnumpy()
        )
        for p in dbn.rbm_list
    ]  # fmt: skip
    return dbn, tiny


def test_samples_have_the_joint_distribution():
    """p(v) = Σ p(v | h¹) p_top(h¹): undirected on top, directed below."""
    dbn, (bottom, top) = filled()
    p_first = np.exp(top.log_p)
    p_visible = np.zeros(16)
    for state, probability in zip(all_states(3), p_first):
        mean = bottom.mean_visible(state)[0]
        given = np.prod(np.where(all_states(4) > 0, mean, 1 - mean), axis=1)
        p_visible += probability * given
    ab.seed(0)
    drawn = dbn.draw(20_000, steps=50).asnumpy()
    number = (drawn @ (2 ** np.arange(4)[::-1])).astype(int)
    share = np.bincount(number, minlength=16) / len(drawn)
    assert np.abs(share - p_visible).max() < 0.015
    means = dbn.draw(20_000, steps=50, mean=True).asnumpy()
    np.testing.assert_allclose(means.mean(axis=0), p_visible @ all_states(4), atol=0.015)


def test_passes_up_and_down_by_hand():
    dbn, (bottom, top) = filled()
    data = all_states(4)
    first = bottom.mean_hidden(data)
    np.testing.assert_allclose(
        dbn.inference(data).asnumpy(),
        1 / (1 + np.exp(-top.hidden_bias - first @ top.weight.T)), atol=1e-5,
    )  # fmt: skip
    np.testing.assert_allclose(dbn.rbm_list[0].feature_points_arr.asnumpy(), first, atol=1e-5)
    features = all_states(3)
    middle = top.mean_visible(features)
    np.testing.assert_allclose(
        dbn.decode(features).asnumpy(),
        1 / (1 + np.exp(-bottom.visible_bias - middle @ bottom.weight)), atol=1e-5,
    )  # fmt: skip
    ab.seed(0)
    up = dbn.sample_hidden(np.repeat(data[3:4], 20_000, axis=0)).asnumpy().mean(axis=0)
    p_first = [
        np.prod(np.where(state > 0, first[3], 1 - first[3])) for state in all_states(3)
    ]  # fmt: skip
    np.testing.assert_allclose(up, p_first @ top.mean_hidden(all_states(3)), atol=0.015)
    down = dbn.sample_visible(np.repeat(features[2:3], 20_000, axis=0)).asnumpy().mean(axis=0)
    p_middle = [
        np.prod(np.where(state > 0, middle[2], 1 - middle[2])) for state in all_states(3)
    ]  # fmt: skip
    np.testing.assert_allclose(down, p_middle @ bottom.mean_visible(all_states(3)), atol=0.015)


def test_learning_is_greedy():
    ab.seed(0)
    dbn = network([64, 30, 12])
    lower, upper = dbn.rbm_list
    dbn.learn(ab.ArrayIterator(digits(), epochs=6, batch_size=30, test_fraction=0.2, seed=0))
    assert lower.loss_arr.shape == (6, 2) and len(upper.history) == 0
    assert dbn.loss_arr.shape == (6, 2)
    assert lower.loss_arr[-1, 1] < lower.loss_arr[0, 1]
    below = lower.weights_arr.asnumpy()
    first = dbn.loss_arr[-1, 0]
    dbn.learn(ab.ArrayIterator(digits(), epochs=10, batch_size=30, seed=0))
    np.testing.assert_array_equal(below, lower.weights_arr.asnumpy())  # the top went on alone
    assert dbn.loss_arr[-1, 0] < first


def test_unrolled_networks_start_where_the_network_is():
    ab.seed(0)
    dbn = network([64, 30, 12])
    dbn.learn(ab.ArrayIterator(digits(), epochs=3, batch_size=30, seed=0))
    encoder_decoder = dbn.unroll(optimizer_name="Adam", learning_rate=0.01)
    np.testing.assert_allclose(
        encoder_decoder.inference(digits(9)).asnumpy(),
        dbn.decode(dbn.encode(digits(9))).asnumpy(), atol=1e-5,
    )  # fmt: skip
    encoder_decoder.learn(ab.ArrayIterator(digits(), epochs=3, batch_size=30, seed=0))
    assert encoder_decoder.loss_arr[-1, 0] < dbn.loss_arr[-1, 0]
    classifier = dbn.unroll_classifier(10, ab.L2NormLoss())
    assert classifier.inference(digits(4)).shape == (4, 10)
    np.testing.assert_allclose(
        classifier.feature_points_arr.asnumpy(), dbn.encode(digits(4)).asnumpy(), atol=1e-5
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"visible_variance": 4.0},
        {"visible_variance": "learned"},
        {"visible_dropout_rate": 0.3, "hidden_dropout_rate": 0.4},
    ],
)
def test_unrolled_networks_know_variance_and_dropout(settings):
    ab.seed(0)
    lowest = ab.RestrictedBoltzmannMachines(
        ab.L2NormLoss(), visible_activation="identity", visible_dim=6, hidden_dim=5,
        learning_rate=0.05, **settings,
    )  # fmt: skip
    upper = ab.RestrictedBoltzmannMachines(ab.L2NormLoss(), visible_dim=5, hidden_dim=3)
    dbn = ab.DeepBeliefNetworks(ab.L2NormLoss(), [lowest, upper])
    data = np.random.default_rng(0).normal(0, 2.0, (40, 6)).astype(np.float32)
    dbn.learn(ab.ArrayIterator(data, epochs=5, batch_size=10, seed=0))
    codes = dbn.encode(data)
    unrolled = dbn.unroll()
    for got, expected in (
        (unrolled.inference(data), dbn.decode(codes)),
        (unrolled.encoder.inference(data), codes),
    ):
        np.testing.assert_allclose(got.asnumpy(), expected.asnumpy(), atol=1e-5)
    classifier = dbn.unroll_classifier(2, ab.L2NormLoss())
    classifier.inference(data)
    np.testing.assert_allclose(classifier.feature_points_arr.asnumpy(), codes.asnumpy(), atol=1e-5)


def test_expectations_of_a_network_of_one_machine():
    dbn = network([4, 3])
    ab.seed(0)
    states, means = (dbn.draw(50, 2, mean=mean).asnumpy() for mean in (False, True))
    assert np.isin(states, (0, 1)).all()
    assert ((means > 0) & (means < 1)).all()


def test_what_belongs_to_the_top_machine():
    dbn, (bottom, top) = filled()
    assert dbn.log_partition() == pytest.approx(top.log_z, abs=1e-5)
    states = all_states(3)
    np.testing.assert_allclose(
        dbn.energy(states, states[::-1]).asnumpy(), top.energy(states, states[::-1]), atol=1e-5
    )
    data = all_states(4)
    first = bottom.mean_hidden(data)
    expected = -first @ top.visible_bias - np.logaddexp(
        0, top.hidden_bias + first @ top.weight.T
    ).sum(axis=1)
    np.testing.assert_allclose(dbn.free_energy(data).asnumpy(), expected, atol=1e-5)
    with pytest.raises(ValueError, match="`log_likelihood` is intractable"):
        dbn.log_likelihood(data)
