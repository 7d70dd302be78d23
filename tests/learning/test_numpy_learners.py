"""Three kinds of learners, in NumPy, on the loop as it is: only the step differs."""

from __future__ import annotations

import itertools
from collections import deque

import numpy as np
import pytest

from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.loop import LearningLoop


def sigmoid(arr):
    return 1.0 / (1.0 + np.exp(-arr))


# -- a restricted Boltzmann machine: no gradient, no loss function ---------------------------

EPOCHS, ITER_N, HIDDEN_DIM = 30, 120, 8


def stripes(count, seed):
    """Binary 4x4 pictures of horizontal stripes; three rows of data for each test row."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.integers(0, 2, size=(count, 4)), 4, axis=1).astype(float)


def stripe_batches(seed):
    rng = np.random.default_rng(seed)
    train_arr, test_arr = stripes(100, 1), stripes(20, 2)
    while True:
        yield train_arr[rng.choice(100, size=10, replace=False)], test_arr


class RBM:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.learning_rate = 0.5
        self.weight_arr = self.rng.normal(0, 0.01, size=(16, HIDDEN_DIM))
        self.visible_bias_arr, self.hidden_bias_arr = np.zeros(16), np.zeros(HIDDEN_DIM)

    def reconstruct(self, hidden_arr):
        return sigmoid(hidden_arr @ self.weight_arr.T + self.visible_bias_arr)

    def infer(self, visible_arr):
        return sigmoid(visible_arr @ self.weight_arr + self.hidden_bias_arr)

    def train_step(self, batch):
        observed_arr, _ = batch
        positive_arr = self.infer(observed_arr)
        hidden_arr = (self.rng.random(positive_arr.shape) < positive_arr).astype(float)
        negative_arr = self.reconstruct(hidden_arr)
        negative_hidden_arr = self.infer(negative_arr)
        rate = self.learning_rate / len(observed_arr)
        self.weight_arr += rate * (
            observed_arr.T @ positive_arr - negative_arr.T @ negative_hidden_arr
        )
        self.visible_bias_arr += rate * (observed_arr - negative_arr).sum(axis=0)
        self.hidden_bias_arr += rate * (positive_arr - negative_hidden_arr).sum(axis=0)
        return ((observed_arr - negative_arr) ** 2).mean(axis=1)

    def evaluate(self, batch):
        _, test_arr = batch
        return ((test_arr - self.reconstruct(self.infer(test_arr))) ** 2).mean(axis=1)


def contrastive_divergence_by_hand(seed):
    """CD-1 in one function, without the loop: what the RBM above must compute."""
    rng, batches, rate = np.random.default_rng(seed), stripe_batches(seed=3), 0.5
    w, a, b = rng.normal(0, 0.01, size=(16, HIDDEN_DIM)), np.zeros(16), np.zeros(HIDDEN_DIM)
    table = []
    for _ in range(EPOCHS):
        errors = []
        for _ in range(ITER_N // EPOCHS):
            v, test = next(batches)
            h = sigmoid(v @ w + b)
            v1 = sigmoid((rng.random(h.shape) < h).astype(float) @ w.T + a)
            h1 = sigmoid(v1 @ w + b)
            w = w + rate / len(v) * (v.T @ h - v1.T @ h1)
            a = a + rate / len(v) * (v - v1).sum(axis=0)
            b = b + rate / len(v) * (h - h1).sum(axis=0)
            errors.append(((v - v1) ** 2).mean(axis=1))
        test_error = ((test - sigmoid(sigmoid(test @ w + b) @ w.T + a)) ** 2).mean(axis=1)
        table.append([np.concatenate(errors).mean(), test_error.mean(), rate])
        if len(table) % 10 == 0:
            rate *= 0.5
    return w, a, b, np.array(table)


def test_rbm_equals_contrastive_divergence_by_hand_bit_for_bit():
    rbm = RBM(seed=0)
    history = LearningLoop().run(
        rbm.train_step,
        stripe_batches(seed=3),
        rows=EPOCHS,
        steps=ITER_N,
        evaluate=rbm.evaluate,
        attenuate_rate=0.5,
        attenuate_every=10,
        backend=Backend(rbm),
    )
    w, a, b, table = contrastive_divergence_by_hand(seed=0)
    assert np.array_equal(rbm.weight_arr, w)
    assert np.array_equal(rbm.visible_bias_arr, a)
    assert np.array_equal(rbm.hidden_bias_arr, b)
    assert np.array_equal(history.array(["train_loss", "test_loss", "learning_rate"]), table)
    # It learned: a machine that knows nothing is off by 0.25.
    assert history.column("test_loss")[0] > 0.2
    assert history.column("test_loss")[-1] < 0.1
    assert history.column("train_loss")[-1] < 0.5 * history.column("train_loss")[0]


# -- a generative adversarial network: two learners take turns -------------------------------


class GAN:
    """One-dimensional: the generator moves and stretches noise, a parabola discriminates."""

    def __init__(self, mean, deviation, seed):
        self.rng = np.random.default_rng(seed)
        self.mean, self.deviation = mean, deviation
        self.learning_rate = 0.05
        self.generator_arr = np.array([1.0, 0.0])  # deviation, mean
        self.discriminator_arr = np.zeros(3)

    def generate(self):
        noise_arr = self.rng.normal(size=64)
        return self.generator_arr[0] * noise_arr + self.generator_arr[1], noise_arr

    def judge(self, arr):
        features = np.stack([np.ones_like(arr), arr, arr**2], axis=1)
        return sigmoid(features @ self.discriminator_arr), features

    def discriminator_step(self):
        real_arr = self.rng.normal(self.mean, self.deviation, size=64)
        real_p, real_features = self.judge(real_arr)
        fake_p, fake_features = self.judge(self.generate()[0])
        grad = (fake_p @ fake_features - (1 - real_p) @ real_features) / 64
        # Weight decay keeps the two from running in circles.
        self.discriminator_arr -= self.learning_rate * (grad + 0.05 * self.discriminator_arr)
        return -np.log(real_p) - np.log(1 - fake_p)

    def generator_step(self):
        fake_arr, noise_arr = self.generate()
        p, _ = self.judge(fake_arr)
        slope = self.discriminator_arr[1] + 2 * self.discriminator_arr[2] * fake_arr
        upstream = -(1 - p) * slope  # of the non-saturating loss, -log p
        grad = np.array([(upstream * noise_arr).mean(), upstream.mean()])
        self.generator_arr -= self.learning_rate * grad
        return -np.log(p)

    def take_turn(self, _):
        for _ in range(2):
            discriminator_loss = self.discriminator_step()
        return {"discriminator": discriminator_loss, "generator": self.generator_step()}


def test_gan_takes_turns_and_finds_the_distribution():
    gan = GAN(mean=2.0, deviation=0.5, seed=0)
    read_at = []

    class CountingBackend(Backend):
        def read(self, values):
            read_at.append(turn_n)
            return super().read(values)

    turn_n = 0

    def take_turn(batch):
        nonlocal turn_n
        turn_n += 1
        return gan.take_turn(batch)

    history = LearningLoop().run(
        take_turn, itertools.repeat(None), rows=3000, read_every=300, backend=CountingBackend(gan)
    )
    assert turn_n == len(history) == 3000
    assert history.columns == ["train_discriminator", "train_generator", "learning_rate"]
    assert sorted(set(read_at)) == list(range(300, 3001, 300))
    assert len(read_at) == 2 * 3000
    assert gan.generator_arr[1] == pytest.approx(2.0, abs=0.25)
    assert abs(gan.generator_arr[0]) == pytest.approx(0.5, abs=0.25)
    # The first turn judged nothing: log 4 and log 2.
    assert history.column("train_generator")[0] == pytest.approx(np.log(2), abs=0.1)
    assert history.column("train_discriminator")[-300:].mean() == pytest.approx(np.log(4), abs=0.1)


# -- deep Q-learning: an environment instead of data -----------------------------------------

STATE_N, GAMMA = 7, 0.7


def move(state, action):
    """A chain: action 1 goes right, 0 left. A little at its left end, much at the right."""
    following = min(STATE_N - 1, state + 1) if action else max(0, state - 1)
    reward = {0: 0.3, STATE_N - 1: 1.0}.get(following, 0.0)
    return following, reward


def value_iteration():
    q = np.zeros((STATE_N, 2))
    for _ in range(200):
        for state, action in itertools.product(range(STATE_N), range(2)):
            following, reward = move(state, action)
            q[state, action] = reward + GAMMA * q[following].max()
    return q


class DQN:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.learning_rate = 0.5
        self.q_arr, self.target_q_arr = np.zeros((STATE_N, 2)), np.zeros((STATE_N, 2))
        self.memory = deque(maxlen=500)
        self.state, self.turn_n = STATE_N // 2, 0

    def act(self):
        if self.rng.random() < 0.3:
            return int(self.rng.integers(2))
        return int(self.q_arr[self.state].argmax())

    def take_turn(self, _):
        self.turn_n += 1
        action = self.act()
        following, reward = move(self.state, action)
        self.memory.append((self.state, action, reward, following))
        self.state = int(self.rng.integers(STATE_N)) if self.turn_n % 20 == 0 else following
        if len(self.memory) < 100:
            return None  # too few memories to learn from
        if self.turn_n % 50 == 0:
            self.target_q_arr = self.q_arr.copy()
        losses = []
        for index in self.rng.integers(len(self.memory), size=16):
            state, action, reward, following = self.memory[index]
            error = reward + GAMMA * self.target_q_arr[following].max() - self.q_arr[state, action]
            self.q_arr[state, action] += self.learning_rate * error
            losses.append(error**2)
        return np.array(losses)


def test_dqn_finds_the_optimal_policy():
    optimal = value_iteration()
    # Near the little reward it is not worth while to go for the large one.
    assert list(optimal.argmax(axis=1)) == [0, 0, 1, 1, 1, 1, 1]
    dqn = DQN(seed=0)
    history = LearningLoop().run(
        dqn.take_turn,
        itertools.repeat(None),
        rows=4000,
        read_every=40,
        attenuate_rate=0.5,
        attenuate_every=1000,
        backend=Backend(dqn),
    )
    assert len(history) == dqn.turn_n == 4000
    assert np.array_equal(dqn.q_arr.argmax(axis=1), optimal.argmax(axis=1))
    np.testing.assert_allclose(dqn.q_arr, optimal, atol=0.05)
    loss_arr = history.column("train_loss")
    assert np.isnan(loss_arr[:99]).all(), "turns without learning have no loss"
    assert np.isfinite(loss_arr[99:]).all()
    assert dqn.learning_rate == pytest.approx(0.5 * 0.5**4)
    assert list(history.column("learning_rate")[[999, 1000, 3999]]) == [0.5, 0.25, 0.0625]
