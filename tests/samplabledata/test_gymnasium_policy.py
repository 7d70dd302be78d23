"""Environments of gymnasium: episodes, candidates, and going on from a checkpoint."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import gluon

import accelbrainbase as ab

gymnasium = pytest.importorskip("gymnasium")


class Line(gymnasium.Env):
    """From 0 to the right (action 1) up to 4, which ends and pays 1; each start is drawn."""

    action_space = gymnasium.spaces.Discrete(2, start=3)
    observation_space = gymnasium.spaces.Box(0, 1, (5,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = int(self.np_random.integers(3))
        return self.observed(), {}

    def step(self, action):
        assert action in (3, 4)
        self.place = min(max(self.place + 2 * (action - 3) - 1, 0), 4)
        return self.observed(), float(self.place == 4), self.place == 4, False, {}

    def observed(self):
        return np.eye(5, dtype=np.float32)[self.place]


def places(arr):
    return np.asarray(arr).argmax(axis=-1).tolist()


def test_episodes_begin_anew_and_their_ends_are_told():
    policy = ab.GymnasiumPolicy(Line, env_n=3, seed=0)
    assert policy.action_n == 2 and policy.observed_shape == (5,)
    at = places(policy.observed_arr)
    for _ in range(4):
        before = places(policy.observed_arr)
        next_arr, reward_arr, terminated_arr, truncated_arr = policy.step([1, 1, 1])
        assert places(next_arr) == [place + 1 for place in before]
        np.testing.assert_array_equal(reward_arr, next_arr[:, 4])
        np.testing.assert_array_equal(terminated_arr, next_arr[:, 4] == 1)
        assert not truncated_arr.any()
        assert (np.array(places(policy.observed_arr)) < 4).all()
    assert [(n, total) for n, total, _ in policy.episode_list[:1]] == [(at.index(max(at)), 1.0)]
    lengths = {number: length for number, _, length in reversed(policy.episode_list)}
    assert lengths == {n: 4 - place for n, place in enumerate(at)}


def test_same_seed_gives_the_same_episodes():
    def starts(seed):
        policy = ab.GymnasiumPolicy("CartPole-v1", env_n=2, seed=seed)
        return np.concatenate([policy.step([1, 0])[0] for _ in range(30)])

    np.testing.assert_array_equal(starts(4), starts(4))
    assert (starts(4) != starts(5)).any()
    first = ab.GymnasiumPolicy("CartPole-v1", env_n=2, seed=4).observed_arr
    assert (first[0] != first[1]).any()


def test_state_comes_back_from_a_checkpoint():
    def acted(policy, begin, n):
        return [policy.step([t % 2, t % 3 == 0])[0] for t in range(begin, begin + n)]

    whole = ab.GymnasiumPolicy("CartPole-v1", env_n=2, seed=1)
    acted(whole, 0, 40)
    captured = whole.capture()
    other = ab.GymnasiumPolicy("CartPole-v1", env_n=2, seed=9)
    other.resume(captured)
    np.testing.assert_array_equal(other.observed_arr, whole.observed_arr)
    np.testing.assert_array_equal(acted(other, 40, 40), acted(whole, 40, 40))
    assert other.episode_list == whole.episode_list and whole.episode_list
    with pytest.raises(ab.CheckpointError, match="of 2 environments side by side"):
        ab.GymnasiumPolicy("CartPole-v1", env_n=3, seed=1).resume(captured)


def test_play_counts_equally_many_episodes_of_each_environment():
    policy = ab.GymnasiumPolicy(Line, env_n=3, seed=0)
    seen = []

    def act(observed_arr):
        seen.append(len(observed_arr))
        return np.ones(3, int)

    returns = policy.play(act, 5)
    assert returns.tolist() == [1.0] * 6 and set(seen) == {3}
    assert policy.play(lambda observed_arr: np.zeros(3, int), 3, max_steps=10).tolist() == [0.0] * 3


def test_play_counts_no_episode_that_had_no_step():
    policy = ab.GymnasiumPolicy("CartPole-v1", seed=0, max_episode_steps=3)
    for max_steps, expected in ((2, [2]), (3, [3]), (4, [3, 1]), (6, [3, 3])):
        returns = policy.play(lambda observed_arr: [0], 4, max_steps=max_steps)
        assert returns.tolist() == expected


def test_candidates_are_states_and_actions():
    policy = ab.GymnasiumPolicy(Line, env_n=2, seed=0)
    action_arr, number_arr = policy.draw()
    assert action_arr.shape == (2, 2, 7) and number_arr.tolist() == [[0, 1], [0, 1]]
    np.testing.assert_array_equal(action_arr[:, 1, :5], policy.observed_arr)
    np.testing.assert_array_equal(action_arr[0, :, 5:], np.eye(2))
    policy.step([1, 1])
    before = places(policy.observed_arr)
    action_arr, number_arr = policy.draw()
    rewards = policy.observe_reward_value(None, action_arr[:, 1], number_arr[:, 1])
    assert rewards.tolist() == [float(place == 3) for place in before]
    next_arr, _, ended = policy.look_ahead(action_arr[:, 0], number_arr[:, 0])
    assert places(next_arr[:, 0, :5]) == [max(place - 1, 0) for place in before]
    assert ended.tolist() == [False, False] and places(policy.observed_arr) == before
    assert places(policy.step([1, 1])[0]) == [place + 1 for place in before]


def test_contract_algorithm_learns_in_gymnasium():
    """Q of a candidate is 1, γ, γ² … by the way to go, with γ = 0.5."""
    ab.seed(0)
    network = ab.NeuralNetworks(
        gluon.loss.L2Loss(), units_list=[16, 1], activation_list=["tanh", "identity"]
    )
    controller = ab.DQNController(
        ab.FunctionApproximator(network), ab.GymnasiumPolicy(Line, env_n=4, seed=0),
        gluon.loss.L2Loss(), optimizer_name="Adam", learning_rate=0.02,
        recursive_learning_flag=True,
    )  # fmt: skip
    controller.epsilon_greedy_rate = 0.5
    controller.learn(500)
    action_arr = np.concatenate([np.eye(5)[:4], np.tile([0, 1], (4, 1))], axis=1)
    values = controller.function_approximator.inference(action_arr).asnumpy()[:, 0]
    np.testing.assert_allclose(values, [0.125, 0.25, 0.5, 1.0], atol=0.08)


def test_errors_say_what_to_do():
    policy = ab.GymnasiumPolicy(Line, seed=0)
    with pytest.raises(ab.ReadOnlyError, match="`possible_n`"):
        policy.possible_n = 3
    assert policy.possible_n == 2
    with pytest.raises(TypeError, match="must be the name of an environment or a function"):
        ab.GymnasiumPolicy(Line())
    vector = gymnasium.make_vec("CartPole-v1", num_envs=3)
    for env in (vector, lambda: vector):
        with pytest.raises(
            TypeError, match="vector environment of 3. Give a function .* `env_n=3`"
        ):
            ab.GymnasiumPolicy(env)
    for name, steps in (("episode_n", 0), ("max_steps", 0), ("max_steps", -1)):
        numbers = {"episode_n": 1, "max_steps": 5, name: steps}
        with pytest.raises(ValueError, match=f"`{name}` must be at least 1"):
            policy.play(lambda observed_arr: [0], **numbers)
    with pytest.raises(TypeError, match="`max_steps` must be an integer"):
        policy.play(lambda observed_arr: [0], 1, 2.5)
    with pytest.raises(TypeError, match="must have discrete actions"):
        ab.GymnasiumPolicy("Pendulum-v1")
    with pytest.raises(ValueError, match="gives no pictures"):
        ab.GymnasiumPolicy("CartPole-v1", seed=0).render()
