"""Policies whose candidates are images or phrases: draws, rewards by hand, looking ahead."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mxnet import gluon, nd

import accelbrainbase as ab

IMAGES = np.random.default_rng(0).random((10, 3, 4, 4)).astype(np.float32)
LABELS = np.eye(2, dtype=np.float32)[[0, 1] * 5]
TEXT = "The cat sat on the mat. Dogs bark at night. A cat is a small animal. The end."


def images(**kwargs):
    return ab.ArrayIterator(IMAGES, LABELS, batch_size=3, epochs=4, seed=0, **kwargs)


def similar(possible_n=4):
    policy = ab.UnlabeledSimilarImagePolicy()
    policy.unlabeled_image_iterator = images()
    policy.possible_n = possible_n
    return policy


def of_one_class(possible_n=4):
    policy = ab.LabeledSimilarImagePolicy()
    policy.labeled_image_iterator = images()
    policy.possible_n = possible_n
    return policy


@pytest.fixture
def summary(tmp_path):
    def make(texts=(TEXT,), seq_len=8, **kwargs):
        paths = []
        for number, text in enumerate(texts):
            paths.append(tmp_path / f"{number}.txt")
            paths[-1].write_text(text, encoding="utf-8")
        policy = ab.LabeledSummarizationPolicy(paths, **kwargs)
        policy.unlabeled_t_hot_txt_iterator = ab.UnlabeledTHotTXTIterator(
            paths, batch_size=3, epochs=4, seq_len=seq_len, norm_mode=None, seed=0
        )
        policy.possible_n = 5
        return policy

    return make


def phrase(policy, text):
    tokens = policy.unlabeled_t_hot_txt_iterator.token_list
    rows = nd.array([[tokens.index(character) for character in text]])
    return nd.expand_dims(nd.one_hot(rows, depth=len(tokens)), axis=1)


# -- images --------------------------------------------------------------------------------


def test_draws_have_candidates_for_each_agent():
    action_arr, meta = similar().draw()
    assert action_arr.shape == (3, 4, 3, 4, 4) and meta is None
    action_arr, label_arr = of_one_class().draw()
    assert action_arr.shape == (3, 4, 3, 4, 4) and label_arr.shape == (3, 4, 2)
    for image, label in zip(
        action_arr.asnumpy().reshape(-1, 48), label_arr.asnumpy().reshape(-1, 2)
    ):
        place = np.abs(IMAGES.reshape(10, 48) - image).sum(axis=1).argmin()
        np.testing.assert_array_equal(LABELS[place], label)


@pytest.mark.parametrize("target", [np.arange(10) % 2, None, np.ones((10, 1))])
def test_labels_that_are_not_one_hot_are_an_error(target):
    policy = ab.LabeledSimilarImagePolicy()
    policy.labeled_image_iterator = ab.ArrayIterator(IMAGES, target, batch_size=3)
    with pytest.raises(ValueError, match=r"`labeled_image_iterator` must .* shape \(3,.*one_hot"):
        policy.draw()


def test_mini_batches_of_another_size_are_an_error():
    policy = similar()
    policy.draw()
    policy.iteratorable_data.batch_size = 2
    with pytest.raises(ValueError, match="of one size, but after .* of 3 data .* such as 2"):
        for _ in range(20):
            policy.draw()


def test_reward_of_similar_images():
    policy = similar()
    arr = nd.array(IMAGES[:3])
    assert policy.observe_reward_value(None, arr).asnumpy().tolist() == [[0], [0], [0]]
    policy.observe_state(arr, None)
    np.testing.assert_array_equal(policy.observe_reward_value(None, arr).asnumpy(), np.ones((3, 1)))
    other = nd.array(IMAGES[4:7])
    error = np.square(IMAGES[:3] - IMAGES[4:7]).reshape(3, -1).mean(axis=1, keepdims=True)
    for state_arr in (arr, None):
        reward_arr = policy.observe_reward_value(state_arr, other).asnumpy()
        np.testing.assert_allclose(reward_arr, 1 / (1 + error), rtol=1e-5)
    np.testing.assert_array_equal(other.asnumpy(), IMAGES[4:7])


def test_reward_of_the_same_class():
    policy = of_one_class()
    arr = nd.array(IMAGES[:2])
    labels = nd.array(LABELS[:2])
    assert policy.observe_reward_value(None, arr, labels).asnumpy().tolist() == [[0], [0]]
    policy.observe_state(arr, labels)
    reward_arr = policy.observe_reward_value(arr, arr, nd.array([[1, 0], [1, 0]])).asnumpy()
    same, different = 1 / math.log(1 + math.exp(-1)), 1 / math.log(1 + math.exp(1))
    np.testing.assert_allclose(reward_arr, [[same], [different]], rtol=1e-5)
    with pytest.raises(ValueError, match="`meta_data_arr` must be the labels"):
        policy.observe_reward_value(arr, arr)


def test_controller_learns_over_images():
    ab.seed(0)
    network = ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[8, 1], activation_list=["tanh", "identity"]
    )
    controller = ab.DQNController(
        ab.FunctionApproximator(network), similar(), ab.L2NormLoss(), optimizer_name="Adam",
        learning_rate=0.1, recursive_learning_flag=True,
    )  # fmt: skip
    controller.learn(60)
    bias = (controller.q_logs_arr[:, 0] - controller.q_logs_arr[:, 1]).reshape(6, 10).mean(axis=1)
    assert abs(bias[-1]) < 0.5 * abs(bias[0])
    states, values = controller.inference(3)
    assert [state.shape for state in states] == [(3, 3, 4, 4)] * 3
    assert [value.shape for value in values] == [(3, 1)] * 3


def test_learning_over_an_iterator_goes_on_from_a_checkpoint(tmp_path):
    def learned(path, fail=False):
        network = ab.NeuralNetworks(
            gluon.loss.L2Loss(), units_list=[4, 1], activation_list=["tanh", "identity"]
        )
        controller = ab.DQNController(
            ab.FunctionApproximator(network), of_one_class(), gluon.loss.L2Loss(),
            learning_rate=0.01, recursive_learning_flag=True,
        )  # fmt: skip
        callbacks = [ab.Checkpoint(path, every=5, seed=1), *([Failing()] if fail else [])]
        controller.learn(15, callbacks=callbacks)
        return controller

    class Failing(ab.Callback):
        order = 200

        def on_row_end(self, state):
            if state.row == 10:
                raise RuntimeError("killed")

    ab.seed(0)
    whole = learned(tmp_path / "whole")
    ab.seed(0)
    with pytest.raises(RuntimeError, match="killed"):
        learned(tmp_path / "broken", fail=True)
    resumed = learned(tmp_path / "broken")
    np.testing.assert_array_equal(resumed.q_logs_arr, whole.q_logs_arr)


def test_nothing_to_draw_from():
    with pytest.raises(ValueError, match="UnlabeledSimilarImagePolicy has nothing to draw from"):
        ab.UnlabeledSimilarImagePolicy().draw()
    with pytest.raises(ValueError, match="`possible_n` must be at least 1"):
        similar(possible_n=0)


# -- phrases -------------------------------------------------------------------------------


def test_draws_of_phrases(summary):
    policy = summary()
    action_arr, meta = policy.draw()
    assert action_arr.shape[:4] == (3, 5, 1, 8) and meta.shape == (3, 5, 1, 8)
    for row in meta.reshape(-1, 8):
        assert "".join(row) in TEXT


@pytest.mark.parametrize("abstract_pos", ["top", "bottom"])
def test_reward_is_position_less_what_is_repeated(summary, abstract_pos):
    policy = summary(abstract_pos=abstract_pos, s_a_dist_weight=0.3)
    n = len(TEXT)
    before, after = "cat sat ", "cat is a"
    place = TEXT.index(after)
    if abstract_pos == "bottom":
        place = n - place - len(after)
    common = sum(a == b for a, b in zip(before, after)) / phrase(policy, after).size
    wanted = math.tanh(0.7 * (n - place + 1) / n - 0.3 * common)
    characters = np.array([[list(after)]])
    for meta in (characters, None):
        reward_arr = policy.observe_reward_value(
            phrase(policy, before), phrase(policy, after), meta
        )
        assert reward_arr.shape == (1, 1)
        assert reward_arr.asscalar() == pytest.approx(wanted, rel=1e-5)
    alone = policy.observe_reward_value(None, phrase(policy, after)).asscalar()
    assert alone == pytest.approx(math.tanh(0.7 * (n - place + 1) / n), rel=1e-5)


def test_phrases_of_several_texts(summary):
    other = "Nothing but a cat is a cat."
    policy = summary(texts=(TEXT, other), seq_len=4, s_a_dist_weight=0.0)
    mean = np.mean([(len(t) - t.index(" cat") + 1) / len(t) for t in (TEXT, other)])
    reward = policy.observe_reward_value(None, phrase(policy, " cat")).asscalar()
    assert reward == pytest.approx(math.tanh(mean), rel=1e-5)
    only = (len(TEXT) - TEXT.index("Dogs") + 1) / len(TEXT)
    reward = policy.observe_reward_value(None, phrase(policy, "Dogs")).asscalar()
    assert reward == pytest.approx(math.tanh(only), rel=1e-5)
    assert policy.observe_reward_value(None, phrase(policy, "zzzz"[:0] + "ttNt")).asscalar() == 0


def test_errors_of_the_summarization_policy(summary, tmp_path):
    with pytest.raises(ValueError, match="`abstract_pos` must be one of 'top', 'bottom'"):
        summary(abstract_pos="topp")
    with pytest.raises(ValueError, match="`s_a_dist_weight` must be a finite number"):
        summary(s_a_dist_weight=1.5)
    with pytest.raises(FileNotFoundError):
        ab.LabeledSummarizationPolicy([tmp_path / "none.txt"])
    with pytest.raises(TypeError, match="must be a list of paths"):
        ab.LabeledSummarizationPolicy("a.txt")
