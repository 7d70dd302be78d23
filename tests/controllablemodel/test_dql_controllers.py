"""Deep Q-learning over candidates: its targets by hand, its fixed point, its samplers."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import gluon, nd

import accelbrainbase as ab

GAMMA = 0.8
DRAWS: list[tuple[int, ...]] = []  # outside of samplers, which forget what they looked ahead at


class Chain(ab.PolicySampler):
    """Agents on the places 0 … 4 of a line, who may go left or right; 4 pays 1, 0 pays 0.2.

    A candidate is the place that would be gone to, one-hot. A foreign sampler: it calls no
    constructor of ours, and keeps its state where only it knows.
    """

    n = 5

    def __init__(self, places=(0, 1, 2, 3), recording=True):
        self.places = list(places)
        self.recording = recording
        self.visited = []
        self.calls = []
        self.possible_n = 2

    def draw(self):
        DRAWS.append(tuple(self.places))
        places = np.array(self.places)
        keys = np.stack([np.maximum(places - 1, 0), np.minimum(places + 1, self.n - 1)], axis=1)
        names = np.array([[f"to {place}" for place in row] for row in keys])
        return nd.one_hot(nd.array(keys), depth=self.n), names

    def observe_state(self, state_arr, meta_data_arr):
        self.places = state_arr.argmax(axis=1).asnumpy().astype(int).tolist()
        self.meta = meta_data_arr

    def observe_reward_value(self, state_arr, action_arr, meta_data_arr=None):
        if self.recording:
            self.calls.append(("reward", state_arr, tuple(meta_data_arr)))
        return nd.dot(action_arr, nd.array([0.2, 0, 0, 0, 1]))  # of rank 1, as in a maze

    def update_state(self, action_arr, meta_data_arr=None):
        if self.recording:
            self.visited.append(tuple(meta_data_arr))
        return action_arr, meta_data_arr


def best_values(n=5, gamma=GAMMA):
    """Q* of each place by value iteration: r + γ max over its neighbours."""
    reward, values = np.array([0.2, 0, 0, 0, 1.0]), np.zeros(n)
    for _ in range(500):
        left = np.maximum(np.arange(n) - 1, 0)
        right = np.minimum(np.arange(n) + 1, n - 1)
        values = reward + gamma * np.maximum(values[left], values[right])
    return values


def table(**kwargs):
    """A network that is a table: one weight for each place."""
    return ab.NeuralNetworks(
        gluon.loss.L2Loss(), units_list=[1], activation_list=["identity"],
        output_no_bias_flag=True, **kwargs,
    )  # fmt: skip


def controller_of(sampler, model=None, **kwargs):
    settings = {"learning_rate": 0.5, **kwargs}
    controller = ab.DQNController(
        ab.FunctionApproximator(table() if model is None else model), sampler,
        gluon.loss.L2Loss(), **settings,
    )  # fmt: skip
    controller.gamma_value = GAMMA
    return controller


class Passes(gluon.HybridBlock):
    """Counts what passes through a network."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.sizes = []

    def forward(self, x):
        self.sizes.append(x.shape[0])
        return self.network(x)


# -- the algorithm -------------------------------------------------------------------------


@pytest.mark.parametrize("recursive", [False, True])
def test_fixed_point_is_that_of_value_iteration(recursive):
    ab.seed(0)
    places = (0, 1, 2, 3, 4)
    sampler = Chain(places, recording=False)
    controller = controller_of(sampler, recursive_learning_flag=recursive, learning_rate=2.0)
    controller.epsilon_greedy_rate = 0.3
    controller.learn(300)
    values = controller.function_approximator.inference(nd.one_hot(nd.arange(5), depth=5))
    np.testing.assert_allclose(values.asnumpy()[:, 0], best_values(), atol=1e-3)
    if not recursive:
        assert tuple(sampler.places) == places


def test_target_by_hand():
    controller = controller_of(Chain())
    reward, following = nd.array([[1.0], [2.0]]), nd.array([[10.0], [20.0]])
    np.testing.assert_allclose(controller.update_q(reward, following).asnumpy(), [[9], [18]])
    controller.alpha_value, controller.gamma_value = 0.5, 0.1
    np.testing.assert_allclose(controller.update_q(reward, following).asnumpy(), [[1], [2]])


def test_logs_are_predicted_and_target_values():
    """With α below 1, the target is α (r + γ max Q) + (1 - α) Q."""
    ab.seed(0)
    controller = controller_of(Chain((3,)), learning_rate=0.0)
    controller.alpha_value, controller.epsilon_greedy_rate = 0.25, 1.0
    controller.learn(1)
    weight = controller.function_approximator.model.collect_params().values()
    weight = [p.data().asnumpy() for p in weight][0][0]
    place = 2 if weight[2] > weight[4] else 4
    reward = float(place == 4)
    following = max(weight[max(place - 1, 0)], weight[min(place + 1, 4)])
    target = 0.25 * (reward + GAMMA * following) + 0.75 * weight[place]
    np.testing.assert_allclose(controller.q_logs_arr, [[weight[place], target]], rtol=1e-5)


def test_logs_are_appended_over_learnings():
    controller = controller_of(Chain())
    assert controller.q_logs_arr.shape == (0, 2)
    controller.learn(3)
    first = controller.q_logs_arr
    controller.learn(iter_n=2)
    assert controller.q_logs_arr.shape == (5, 2)
    np.testing.assert_array_equal(controller.q_logs_arr[:3], first)
    assert controller.t == 5
    controller.inference(4)
    assert controller.t == 9


@pytest.mark.parametrize("callbacks", [ab.ProgressBar(), 3, [ab.ProgressBar]])
def test_logs_stay_where_callbacks_are_none(callbacks):
    controller = controller_of(Chain())
    controller.learn(3)
    logs_arr = controller.q_logs_arr
    for _ in range(2):
        with pytest.raises(TypeError, match="`callbacks` must be a "):
            controller.learn(3, callbacks=callbacks)
        np.testing.assert_array_equal(controller.q_logs_arr, logs_arr)


def test_candidates_are_valued_in_one_pass():
    counted = Passes(table())
    sampler = Chain((0, 1, 2))
    controller = controller_of(sampler, counted, hybridize_flag=False)
    controller.hybridize(False)
    controller.learn(1)
    counted.sizes.clear()
    sampler.calls.clear()
    DRAWS.clear()
    controller.learn(1)
    assert counted.sizes == [3 * 2 + 2 * 3 * 2, 3]  # candidates and what follows; the step
    assert DRAWS == [(0, 1, 2), (0, 0, 1), (1, 2, 3)]
    assert len(sampler.calls) == 2


def test_looking_ahead_leaves_the_sampler_as_it_was():
    sampler = Chain((0, 1, 2))
    before = {name: list(v) if isinstance(v, list) else v for name, v in vars(sampler).items()}
    action_arr, names = sampler.draw()
    next_arr, next_names, ended = sampler.look_ahead(action_arr[:, 1], names[:, 1])
    assert next_names.tolist() == [["to 0", "to 2"], ["to 1", "to 3"], ["to 2", "to 4"]]
    assert next_arr.shape == (3, 2, 5) and ended is False
    assert {**vars(sampler), "calls": []} == before


def test_state_is_none_unless_recursive_and_moves_with_what_was_chosen():
    sampler = Chain()
    controller_of(sampler).learn(3)
    assert {call[1] for call in sampler.calls} == {None}
    assert sampler.visited == []
    controller = controller_of(sampler, recursive_learning_flag=True)
    sampler.calls.clear()
    controller.learn(2)
    states = [call[1] for call in sampler.calls]
    assert states[0] is None and states[2] is not None
    went = [int(name[3:]) for name in sampler.visited[0]]
    np.testing.assert_array_equal(states[2].argmax(axis=1).asnumpy(), went)


class Ending(Chain):
    """The end is at 4, told from the meta data."""

    def check_the_end_flag(self, state_arr, meta_data_arr=None):
        return all(name == "to 4" for name in meta_data_arr)


class EndingEach(Chain):
    """The same, told of each agent."""

    def check_the_end_flag(self, state_arr, meta_data_arr=None):
        return [name == "to 4" for name in meta_data_arr]


def test_learning_and_inference_stop_at_the_end_of_what_was_chosen():
    ab.seed(0)
    controller = controller_of(Ending((3,)), recursive_learning_flag=True)
    controller.function_approximator.inference(nd.ones((1, 5)))
    for parameter in controller.collect_params().values():
        parameter.set_data(nd.array([[0, 0, 0, 0, 1]]))
    controller.epsilon_greedy_rate = 1.0
    controller.learn(50)
    assert len(controller.q_logs_arr) == 1
    sampler = Ending((1,))
    controller.policy_sampler = sampler
    for parameter in controller.collect_params().values():
        parameter.set_data(nd.array([[0, 1, 2, 3, 4]]))
    states, values = controller.inference(50)
    assert [state.argmax(axis=1).asscalar() for state in states] == [2, 3, 4]
    assert [value.shape for value in values] == [(1, 1)] * 3
    assert [value.asscalar() for value in values] == [2, 3, 4]


def test_what_comes_after_the_end_is_worth_nothing():
    ab.seed(0)
    controller = controller_of(EndingEach((3, 2)))
    controller.epsilon_greedy_rate = 0.5
    controller.learn(100)
    value = controller.function_approximator.inference(nd.array([[0, 0, 0, 0, 1]]))
    assert value.asscalar() == pytest.approx(1.0, abs=1e-3)
    following = controller_of(EndingEach((3,)), recursive_learning_flag=True)
    following.learn(20)
    assert len(following.q_logs_arr) == 20  # who has ended begins anew


@pytest.mark.parametrize("end", [True, np.array([True]), np.array([False, True, True])])
@pytest.mark.parametrize("starts", [(1,), (1, 2, 3)])
def test_an_end_counts_where_it_says_whose_it_is(end, starts):
    class Over(Chain):
        def check_the_end_flag(self, state_arr, meta_data_arr=None):
            return end

    ab.seed(0)
    controller = controller_of(Over(starts))
    if np.size(end) > 1 and len(starts) == 1:
        with pytest.raises(ValueError, match="one for each of the 1 agents"):
            controller.learn(1)
        return
    kept = []
    controller.update_q = lambda reward_arr, next_arr: kept.append(next_arr) or reward_arr
    controller.learn(3)
    worth_nothing = np.concatenate([arr.asnumpy() == 0 for arr in kept], axis=1)
    if np.size(end) == len(starts):
        np.testing.assert_array_equal(worth_nothing.all(axis=1), np.ravel(end))
    else:  # one flag, as pyqlearning's mazes give, may be that of any agent
        assert not worth_nothing.any()


# -- choosing ------------------------------------------------------------------------------


def choice():
    action_arr = nd.arange(24).reshape((2, 3, 4))
    q_arr = nd.array([[[0.1], [0.5], [0.3]], [[0.7], [0.2], [0.1]]])
    names = np.array([["a", "b", "c"], ["d", "e", "f"]])
    return action_arr, q_arr, q_arr * 10, q_arr * 100, names


def test_greedy_choice_is_the_largest_value_of_each_row():
    controller = controller_of(Chain())
    controller.epsilon_greedy_rate = 1.0
    action_arr, q_arr, reward_arr, next_arr, names = controller.select_action(*choice())
    np.testing.assert_array_equal(action_arr.asnumpy(), [[4, 5, 6, 7], [12, 13, 14, 15]])
    np.testing.assert_allclose(q_arr.asnumpy(), [[0.5], [0.7]], rtol=1e-6)
    np.testing.assert_allclose(reward_arr.asnumpy(), [[5], [7]], rtol=1e-6)
    np.testing.assert_allclose(next_arr.asnumpy(), [[50], [70]], rtol=1e-6)
    assert names.tolist() == ["b", "d"]
    assert controller.select_action(*choice()[:4])[4] is None


def test_share_of_greedy_choices():
    np.random.seed(0)
    controller = controller_of(Chain())
    controller.epsilon_greedy_rate = 0.4
    keys = np.array([controller.select_action_key(*choice()[:2]) for _ in range(1000)])
    greedy = (keys == [1, 0]).all(axis=1).mean()
    assert greedy == pytest.approx(0.4 + 0.6 / 9, abs=0.05)


@pytest.mark.parametrize("name", ["alpha_value", "gamma_value", "epsilon_greedy_rate"])
def test_rates_are_floats_in_0_to_1(name):
    controller = controller_of(Chain())
    with pytest.raises(TypeError, match=f"`{name}` must be a `float`"):
        setattr(controller, name, 1)
    with pytest.raises(ValueError, match=f"`{name}` must be a finite number in"):
        setattr(controller, name, 1.5)
    setattr(controller, name, 0.5)
    assert getattr(controller, f"get_{name}")() == 0.5


def test_errors_name_the_part():
    with pytest.raises(TypeError, match="`function_approximator` must be a `FunctionApproximator`"):
        ab.DQNController(table(), Chain(), gluon.loss.L2Loss())
    with pytest.raises(TypeError, match="`policy_sampler` must be a `PolicySampler`"):
        ab.DQNController(ab.FunctionApproximator(table()), None, gluon.loss.L2Loss())
    wide = ab.NeuralNetworks(gluon.loss.L2Loss(), units_list=[2])
    with pytest.raises(ValueError, match="must give one value for each candidate"):
        controller_of(Chain(), wide).learn(1)

    class TwoRewards(Chain):
        def observe_reward_value(self, state_arr, action_arr, meta_data_arr=None):
            return nd.ones((4, 2))

    with pytest.raises(ValueError, match="must tell one reward for each agent"):
        controller_of(TwoRewards()).learn(1)


# -- files and checkpoints -----------------------------------------------------------------


def values_of(controller):
    return [p.data().asnumpy() for p in controller.collect_params().values()]


def test_file_is_that_of_the_function_approximator(tmp_path):
    controller = controller_of(Chain())
    controller.learn(5)
    controller.save_parameters(tmp_path / "q.params")
    assert [path.name for path in tmp_path.iterdir()] == ["q.params"]
    other = controller_of(Chain())
    other.load_parameters(tmp_path / "q.params")
    np.testing.assert_array_equal(values_of(other)[0], values_of(controller)[0])
    approximator = ab.FunctionApproximator(table())
    approximator.load_parameters(tmp_path / "q.params")
    assert list(nd.load(str(tmp_path / "q.params"))) == ["model.0.weight"]


@pytest.mark.parametrize("recursive", [False, True])
def test_learning_goes_on_from_a_checkpoint(tmp_path, recursive):
    def learned(path, *callbacks):
        ab.seed(3)
        settings = {"optimizer_name": "Adam", "learning_rate": 0.01}
        controller = controller_of(Chain(), recursive_learning_flag=recursive, **settings)
        controller.epsilon_greedy_rate = 0.5
        checkpoint = ab.Checkpoint(path, every=10, seed=7)
        controller.learn(40, callbacks=[checkpoint, *callbacks])
        return controller

    class Killing(ab.Callback):
        order = 200  # after the checkpoint

        def on_row_end(self, state):
            if state.row == 20:
                raise RuntimeError("killed")

    whole = learned(tmp_path / "whole")
    with pytest.raises(RuntimeError, match="killed"):
        learned(tmp_path / "broken", Killing())
    resumed = learned(tmp_path / "broken")
    np.testing.assert_array_equal(values_of(resumed)[0], values_of(whole)[0])
    np.testing.assert_array_equal(resumed.q_logs_arr, whole.q_logs_arr)
    assert resumed.t == whole.t == 40


class Clip(ab.RegularizatableData):
    def regularize(self, params_dict):
        return {name: arr.clip(-0.01, 0.01) for name, arr in params_dict.items()}


def test_constraints_of_the_network_apply():
    controller = controller_of(Chain(), table(regularizatable_data_list=[Clip()]))
    controller.learn(20)
    assert np.abs(values_of(controller)[0]).max() == pytest.approx(0.01)
