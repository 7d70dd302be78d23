"""The deep Q-network: targets by hand, the fixed point, checkpoints, CartPole."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import autograd, gluon, init, nd

import accelbrainbase as ab

gymnasium = pytest.importorskip("gymnasium")
pytestmark = pytest.mark.filterwarnings("error::UserWarning")

GAMMA = 0.5
REWARDS = np.array([0.2, 0.0, 0.0, 0.0, 1.0])


class Chain(gymnasium.Env):
    """Five places in a line, left or right; being at an end pays. It has no end but is cut off."""

    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(0, 1, (5,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.time = int(self.np_random.integers(5)), 0
        return np.eye(5, dtype=np.float32)[self.place], {}

    def step(self, action):
        self.place = min(max(self.place + 2 * int(action) - 1, 0), 4)
        self.time += 1
        observed = np.eye(5, dtype=np.float32)[self.place]
        return observed, REWARDS[self.place], False, self.time == 7, {}


def best_values():
    """Q* of states and actions by value iteration."""
    follow = np.stack([np.maximum(np.arange(5) - 1, 0), np.minimum(np.arange(5) + 1, 4)], axis=1)
    values = np.zeros((5, 2))
    for _ in range(100):
        values = REWARDS[follow] + GAMMA * values[follow].max(axis=2)
    return values


def table(**kwargs):
    return ab.NeuralNetworks(
        gluon.loss.L2Loss(), units_list=[2], activation_list=["identity"],
        output_no_bias_flag=True, **kwargs,
    )  # fmt: skip


def dense(units=(16, 2), **kwargs):
    return ab.NeuralNetworks(
        gluon.loss.L2Loss(), units_list=list(units),
        activation_list=["relu"] * (len(units) - 1) + ["identity"], **kwargs,
    )  # fmt: skip


def controller_of(model, env=Chain, **kwargs):
    settings = {"gamma_value": GAMMA, "learning_starts": 16, "env_n": 2, **kwargs}
    sampler = ab.GymnasiumPolicy(env, env_n=settings.pop("env_n"), seed=0)
    return ab.DeepQNetworkController(ab.FunctionApproximator(model), sampler, **settings)


def values_of(controller):
    return [p.data().asnumpy() for p in controller.collect_params().values()]


# -- the target ----------------------------------------------------------------------------


class OneBatch(ab.ReplayMemory):
    """Draws the same always."""

    def sample(self, batch_size):
        rng = np.random.default_rng(0)
        observed, following = rng.random((2, batch_size, 5)).astype(np.float32)
        numbers = np.stack(
            [rng.integers(2, size=batch_size), rng.random(batch_size) * 4,
             rng.choice([0, 0.5], batch_size)], axis=1,
        )  # fmt: skip
        return observed, following, numbers.astype(np.float32)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("double", [False, True])
def test_step_by_hand(double, hybridize_flag):
    """One step of SGD on Huber's loss: ΔW = -η mean of clip(Q(s, a) - y) s, at row a."""
    ab.seed(0)
    controller = controller_of(
        table(hybridize_flag=hybridize_flag), next_value=ab.DoubleNextValue() if double else None,
        replay_memory=OneBatch(), optimizer_name="SGD", learning_rate=0.5,
        hybridize_flag=hybridize_flag, batch_size=8, target_every=100, learning_starts=100,
    )  # fmt: skip
    controller.learn(1)
    (parameter,) = controller.collect_params().values()
    target = parameter.data().asnumpy()
    weight = np.random.default_rng(5).normal(size=(2, 5)).astype(np.float32)
    parameter.set_data(nd.array(weight))
    observed, following, numbers = OneBatch().sample(8)
    actions, returns, discounts = numbers[:, 0].astype(int), numbers[:, 1], numbers[:, 2]
    by_target = following @ target.T
    chooses = (following @ weight.T if double else by_target).argmax(axis=1)
    wanted = returns + discounts * by_target[np.arange(8), chooses]
    error = (observed @ weight.T)[np.arange(8), actions] - wanted
    gradient = np.zeros_like(weight)
    np.add.at(gradient, actions, np.clip(error, -1, 1)[:, np.newaxis] * observed)
    loss_arr, predicted_arr = controller._update_once()
    np.testing.assert_allclose(values_of(controller)[0], weight - 0.5 * gradient / 8, rtol=1e-5)
    huber = np.where(np.abs(error) < 1, error**2 / 2, np.abs(error) - 0.5)
    np.testing.assert_allclose(loss_arr.asnumpy(), huber, rtol=1e-4)
    np.testing.assert_allclose(predicted_arr.asnumpy(), error + wanted, rtol=1e-5)


class OneWeightedBatch(ab.PrioritizedReplayMemory):
    """Draws the same always, with weights; keeps the errors that it is told."""

    weights = np.linspace(0.1, 1.0, 8).astype(np.float32)

    def sample(self, batch_size):
        observed, following, numbers = OneBatch.sample(self, batch_size)
        self.row_arr = np.arange(batch_size)
        return observed, following, np.column_stack([numbers, self.weights])

    def set_errors(self, row_arr, error_arr):
        self.told = (row_arr, error_arr)


@pytest.mark.parametrize("loss", [None, ab.L2NormLoss()], ids=["Huber", "ours"])
@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_weighted_step_by_hand(hybridize_flag, loss):
    """Algorithm 1 of Schaul et al.: Δ = Σ w δ ∇Q, here with δ clipped by Huber's loss."""
    ab.seed(0)
    memory = OneWeightedBatch()
    controller = controller_of(
        table(hybridize_flag=hybridize_flag), next_value=ab.DoubleNextValue(), batch_size=8,
        replay_memory=memory, optimizer_name="SGD", learning_rate=0.5, update_n=2,
        hybridize_flag=hybridize_flag, target_every=100, learning_starts=100,
        computable_loss=loss,
    )  # fmt: skip
    controller.learn(1)
    controller.learning_starts = 0
    (parameter,) = controller.collect_params().values()
    target = parameter.data().asnumpy()
    weight = np.random.default_rng(5).normal(size=(2, 5)).astype(np.float32)
    parameter.set_data(nd.array(weight))
    observed, following, numbers = OneBatch().sample(8)
    actions, returns, discounts = numbers[:, 0].astype(int), numbers[:, 1], numbers[:, 2]
    errors = []
    for _ in range(2):
        chooses = (following @ weight.T).argmax(axis=1)
        wanted = returns + discounts * (following @ target.T)[np.arange(8), chooses]
        errors.append((observed @ weight.T)[np.arange(8), actions] - wanted)
        slope = np.clip(errors[-1], -1, 1) if loss is None else np.sign(errors[-1])
        gradient = np.zeros_like(weight)
        np.add.at(gradient, actions, (memory.weights * slope)[:, np.newaxis] * observed)
        weight = weight - 0.5 * gradient / 8
    controller.learn(1)
    np.testing.assert_allclose(values_of(controller)[0], weight, rtol=1e-5, atol=1e-6)
    row_arr, error_arr = memory.told
    np.testing.assert_array_equal(row_arr, np.tile(np.arange(8), 2))
    np.testing.assert_allclose(error_arr, np.concatenate(errors), rtol=1e-4, atol=1e-6)


def test_weights_without_effect_are_the_uniform_path():
    def learned(memory):
        ab.seed(0)
        controller = controller_of(dense(), replay_memory=memory, step_n=8, update_n=2)
        controller.learn(8)
        return controller

    class AllWeightsOne(ab.PrioritizedReplayMemory):
        def sample(self, batch_size):
            found = ab.ReplayMemory.sample(self, batch_size)
            self.row_arr = np.zeros(batch_size, int)
            return *found[:2], np.column_stack([found[2], np.ones(batch_size, np.float32)])

    uniform, weighted = learned(ab.ReplayMemory()), learned(AllWeightsOne())
    for one, two in zip(values_of(uniform), values_of(weighted)):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-7)


def test_priorities_wait_once_a_turn(monkeypatch):
    waits = []
    asnumpy = nd.NDArray.asnumpy
    monkeypatch.setattr(nd.NDArray, "asnumpy", lambda arr: waits.append(1) or asnumpy(arr))
    found = []
    for memory in (ab.ReplayMemory(), ab.PrioritizedReplayMemory()):
        controller = controller_of(
            table(), replay_memory=memory, step_n=4, update_n=16, epsilon=lambda step: 1.0
        )
        controller._prepare_turns()
        controller._take_turn(), controller._take_turn()  # learning starts
        waits.clear()
        controller._take_turn()
        found.append(len(waits))
    assert found == [0, 1] and controller.update_count == 32
    assert len(set(memory._sums.priority_arr[: len(memory)])) > 2


def test_double_value_is_that_of_the_other_network():
    online, target = nd.array([[1, 5, 2], [3, 1, 2]]), nd.array([[9, 4, 7], [6, 8, 1]])
    assert ab.DoubleNextValue()(nd, online, target).asnumpy().tolist() == [4, 6]
    assert ab.MaxNextValue()(nd, None, target).asnumpy().tolist() == [9, 8]


def test_target_network_follows():
    ab.seed(0)
    settings = {"learning_rate": 0.1, "step_n": 16, "update_n": 1, "learning_starts": 0}
    controller = controller_of(table(), target_every=3, target_rate=1.0, **settings)
    controller.learn(1)
    first = controller._target.values()[0].asnumpy()
    assert (first != values_of(controller)[0]).any()
    controller.learn(1)
    np.testing.assert_array_equal(controller._target.values()[0].asnumpy(), first)
    controller.learn(1)
    np.testing.assert_array_equal(
        controller._target.values()[0].asnumpy(), values_of(controller)[0]
    )
    soft = controller_of(table(), target_every=1, target_rate=0.25, **settings)
    soft._prepare_turns()
    before = soft._target.values()[0].asnumpy()
    soft.learn(1)
    mixed = before + 0.25 * (values_of(soft)[0] - before)
    np.testing.assert_allclose(soft._target.values()[0].asnumpy(), mixed, rtol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {}, {"next_value": ab.DoubleNextValue()},
        {"replay_memory": ab.PrioritizedReplayMemory(beta=lambda seen: 1.0), "learning_rate": 8.0},
    ],
    ids=["max", "double", "priorities"],
)  # fmt: skip
def test_fixed_point_is_that_of_value_iteration(settings):
    """Of all actions in all states, since behaviour at random visits all."""
    ab.seed(0)
    controller = controller_of(
        table(), computable_loss=gluon.loss.L2Loss(), optimizer_name="SGD",
        epsilon=lambda step: 1.0, step_n=100, update_n=500, target_every=25, learning_starts=200,
        **{"learning_rate": 4.0, **settings},
    )  # fmt: skip
    controller.learn(2)
    np.testing.assert_allclose(controller.inference(np.eye(5)).asnumpy(), best_values(), atol=2e-3)
    assert controller.predict(np.eye(5)).tolist() == best_values().argmax(axis=1).tolist()


def test_n_steps_reach_the_same_values_where_behaviour_is_the_best():
    """Returns over n steps are of the behaviour, so it must be greedy for them to be Q*."""
    ab.seed(0)

    def best(observed):
        return best_values().argmax(axis=1)[observed.argmax(axis=1)]

    controller = controller_of(
        table(), computable_loss=gluon.loss.L2Loss(), optimizer_name="SGD", learning_rate=1.0,
        n_step=3, step_n=100, update_n=600, target_every=25, learning_starts=200,
    )  # fmt: skip
    controller._act = lambda epsilon: best(controller.policy_sampler.observed_arr)
    controller.learn(2)
    values = controller.inference(np.eye(5)).asnumpy()
    rows = np.arange(1, 5)  # no one goes to 0 but from there
    actions = best_values().argmax(axis=1)[rows]
    np.testing.assert_allclose(values[rows, actions], best_values()[rows, actions], atol=2e-3)


# -- acting --------------------------------------------------------------------------------


def test_share_of_actions_at_random():
    ab.seed(0)
    controller = controller_of(dense(), env_n=4)
    controller.inference(controller.policy_sampler.observed_arr)
    greedy = controller.predict(controller.policy_sampler.observed_arr)
    share = np.mean([controller._act(0.3) == greedy for _ in range(500)])
    assert share == pytest.approx(0.85, abs=0.04)
    assert (controller._act(0.0) == greedy).all()


def test_rewards_are_clipped_to_learn_from_only():
    class Rich(Chain):
        def step(self, action):
            observed, _, *ended = super().step(action)
            return observed, 10.0, *ended

    controller = controller_of(table(), Rich, reward_limit=1.0, step_n=20, update_n=0)
    controller.learn(1)
    assert set(controller.replay_memory.sample(50)[2][:, 1]) == {1.0}
    assert controller.policy_sampler.episode_list[0][1] == 70.0


def test_history_has_returns_and_evaluations():
    ab.seed(0)
    evaluation_sampler = ab.GymnasiumPolicy(Chain, env_n=2, seed=9)
    controller = controller_of(
        table(), step_n=4, learning_starts=24, evaluation_sampler=evaluation_sampler,
        evaluate_every=3, evaluation_episode_n=2,
    )  # fmt: skip
    controller.learn(7)
    history = controller.history
    assert np.isnan(history.column("train_loss")).tolist() == [True] * 2 + [False] * 5
    assert np.isnan(history.column("train_return")).tolist() == [
        True, False, True, False, True, False, False,
    ]  # fmt: skip
    assert set(history.column("train_length")[[1, 3, 5, 6]]) == {7.0}
    assert np.isnan(history.column("test_return")).tolist() == [True, True, False] * 2 + [True]
    assert controller.step_count == 56 and controller.update_count == 5
    np.testing.assert_allclose(history.column("train_epsilon")[-1], 1 - 0.9 * 56 / 10_000)
    assert controller.best_return == np.nanmax(history.column("test_return"))


def test_best_parameters_come_back():
    ab.seed(0)
    sampler = ab.GymnasiumPolicy(Chain, env_n=1, seed=9)
    controller = controller_of(table(), evaluation_sampler=sampler, evaluate_every=1)
    with pytest.raises(ValueError, match="There was no evaluation yet"):
        controller.restore_best()
    returns = iter([1.0, 5.0, 5.0, 2.0])
    kept = []

    def evaluate(episode_n):
        kept.append(values_of(controller)[0])
        return np.array([next(returns)])

    controller.evaluate = evaluate
    controller.learn(4)
    controller.restore_best()
    np.testing.assert_array_equal(values_of(controller)[0], kept[2])
    assert controller.best_return == 5.0


@pytest.mark.parametrize("monitor", [None, "train_return", "test_return"])
def test_early_stopping_waits_for_the_column_that_it_watches(monitor):
    controller = controller_of(
        table(), learning_starts=40, step_n=4, evaluation_sampler=ab.GymnasiumPolicy(Chain, seed=1),
        evaluate_every=5, evaluation_episode_n=1, learning_rate=0.0,
    )  # fmt: skip
    mode = "min" if monitor is None else "max"
    stopping = ab.EarlyStopping(patience=12, monitor=monitor, mode=mode, min_delta=100.0)
    controller.learn(60, callbacks=[stopping])
    column = controller.history.column(monitor or "train_loss")
    first = int(np.flatnonzero(~np.isnan(column))[0])
    assert first > 0
    assert (stopping.best_row, stopping.best_value) == (first + 1, column[first])
    assert first + 12 < len(controller.history) < 60


def test_early_stopping_knows_a_misspelt_column():
    controller = controller_of(table(), learning_starts=40)
    message = "'test_return' is none of .*'train_epsilon', 'train_length', 'train_loss'"
    with pytest.raises(ValueError, match=message):  # there are no environments to evaluate in
        controller.learn(60, callbacks=[ab.EarlyStopping(monitor="test_return", mode="max")])


@pytest.mark.parametrize("n_step", [1, 3])
def test_discount_can_be_set_between_learnings(n_step):
    controller = controller_of(table(), n_step=n_step, replay_memory=ab.ReplayMemory(24))
    assert controller.gamma_value == GAMMA
    controller.gamma_value = 0.25
    controller.learn(20)
    found = set(controller.replay_memory._arrays["numbers"][:, 2].tolist())
    assert found == {0.25**n for n in range(1, n_step + 1)}  # shorter where episodes are cut off
    with pytest.raises(ValueError, match="`gamma_value` must be a finite number"):
        controller.gamma_value = 1.5


def test_learning_goes_on_after_a_loss_that_is_not_finite():
    controller = controller_of(
        table(), learning_rate=1e30, target_every=1, computable_loss=gluon.loss.L2Loss()
    )
    with pytest.raises(ab.NonFiniteLossError):
        controller.learn(100)
    controller.learning_rate = 0.1
    controller.learn(20)
    assert np.isfinite(controller.inference(np.eye(5)).asnumpy()).all()


def test_best_parameters_are_those_of_the_network():
    sampler = ab.GymnasiumPolicy(Chain, env_n=1, seed=9)
    controller = controller_of(table(), evaluation_sampler=sampler, evaluate_every=1)
    controller.learn(1)
    assert np.isfinite(controller.best_return)
    controller.function_approximator = ab.FunctionApproximator(table())
    assert controller.best_return == -np.inf
    with pytest.raises(ValueError, match="There was no evaluation yet"):
        controller.restore_best()


def test_steps_before_an_evaluation_in_the_same_environments_are_not_continued():
    controller = controller_of(table(), n_step=4, step_n=3, learning_starts=10**6)
    controller.learn(1)  # 3 steps of both environments: nothing is complete
    controller.evaluate(2, controller.policy_sampler)
    controller.learn(1)
    assert len(controller.replay_memory) == 0
    controller.learn(1)
    assert len(controller.replay_memory) > 0
    controller.policy_sampler = ab.GymnasiumPolicy(Chain, env_n=3, seed=1)
    before = len(controller.replay_memory)
    controller.learn(2)  # 6 steps of three environments, of which 3 wait for what follows
    assert len(controller.replay_memory) == before + 3 * 3
    with pytest.raises(TypeError, match="`policy_sampler` must be a `GymnasiumPolicy`"):
        controller.policy_sampler = None


# -- networks ------------------------------------------------------------------------------


class Pictures(Chain):
    """The place as a column of a picture in bytes."""

    observation_space = gymnasium.spaces.Box(0, 255, (1, 5, 5), np.uint8)

    def picture(self, observed):
        return np.repeat(observed[np.newaxis, np.newaxis] * 255, 5, axis=1).astype(np.uint8)

    def reset(self, **kwargs):
        observed, told = super().reset(**kwargs)
        return self.picture(observed), told

    def step(self, action):
        observed, *told = super().step(action)
        return self.picture(observed), *told


def convolutional():
    return ab.ConvolutionalNeuralNetworks(
        gluon.loss.L2Loss(), hidden_units_list=[gluon.nn.Conv2D(4, 3)],
        hidden_activation_list=["relu"], hidden_dropout_rate_list=[0.0],
        hidden_batch_norm_list=[gluon.nn.BatchNorm()], output_nn=dense(),
    )  # fmt: skip


def foreign():
    network = gluon.nn.HybridSequential()
    network.add(gluon.nn.Dense(8, activation="relu"), gluon.nn.Dropout(0.2), gluon.nn.Dense(2))
    network.initialize()
    return network


@pytest.mark.parametrize(
    ("make", "env"), [(dense, Chain), (convolutional, Pictures), (foreign, Chain)],
    ids=["dense", "convolutional", "foreign"],
)  # fmt: skip
def test_networks_are_equivalents(make, env):
    ab.seed(0)
    controller = controller_of(
        make(), env, learning_rate=0.01, step_n=50, update_n=60, epsilon=lambda step: 1.0
    )
    controller.learn(3)
    loss = controller.history.column("train_loss")
    assert np.isfinite(loss).all() and loss[-1] < loss[0]
    assert (
        controller.replay_memory.sample(1)[0].dtype == controller.policy_sampler.observed_arr.dtype
    )


def test_both_hybridize_modes_give_the_same_numbers():
    def learned(flag):
        ab.seed(0)
        controller = controller_of(dense(hybridize_flag=flag), hybridize_flag=flag, step_n=8)
        controller.learn(8)
        return controller

    for one, two in zip(values_of(learned(False)), values_of(learned(True))):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


# -- files and checkpoints -----------------------------------------------------------------


@pytest.mark.parametrize("memory", [ab.ReplayMemory, ab.PrioritizedReplayMemory])
def test_learning_goes_on_from_a_checkpoint(tmp_path, memory):
    class Killing(ab.Callback):
        order = 200  # after the checkpoint

        def on_row_end(self, state):
            if state.row == 20:
                raise RuntimeError("killed")

    def learned(path, *callbacks):
        ab.seed(3)
        controller = controller_of(
            dense(), "CartPole-v1", n_step=3, next_value=ab.DoubleNextValue(), step_n=5,
            replay_memory=memory(60), update_n=2, target_every=4, evaluate_every=6,
            evaluation_sampler=ab.GymnasiumPolicy("CartPole-v1", env_n=2, seed=5),
            evaluation_episode_n=2, epsilon=ab.LinearDecay(1.0, 0.1, 200), max_gradient_norm=10.0,
        )  # fmt: skip
        controller.learn(40, callbacks=[ab.Checkpoint(path, every=10, seed=7), *callbacks])
        return controller

    whole = learned(tmp_path / "whole")
    with pytest.raises(RuntimeError, match="killed"):
        learned(tmp_path / "broken", Killing())
    resumed = learned(tmp_path / "broken")
    for one, two in zip(values_of(resumed), values_of(whole)):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(resumed.history.array(), whole.history.array())
    for one in (resumed, whole):
        one.restore_best()
    for one, two in zip(values_of(resumed), values_of(whole)):
        np.testing.assert_array_equal(one, two)
    assert resumed.update_count == whole.update_count > 60


def test_file_is_that_of_the_function_approximator(tmp_path):
    controller = controller_of(dense())
    controller.learn(2)
    controller.save_parameters(tmp_path / "q.params")
    other = controller_of(dense())
    other.learn(2)
    other.load_parameters(tmp_path / "q.params")
    for one, two in zip(values_of(controller), values_of(other)):
        np.testing.assert_array_equal(one, two)
    other._prepare_turns()
    for one, two in zip(values_of(controller), other._target.values()):
        np.testing.assert_array_equal(one, two.asnumpy())


def test_episode_is_recorded_as_a_picture(tmp_path):
    from PIL import Image

    controller = controller_of(dense(), "CartPole-v1")
    sampler = ab.GymnasiumPolicy("CartPole-v1", seed=3, render_mode="rgb_array")
    total = controller.record_gif(tmp_path / "agent.gif", sampler, max_steps=6)
    with Image.open(tmp_path / "agent.gif") as picture:
        assert picture.n_frames > 1 and total == 6.0  # equal pictures are one frame
    for name in ("max_steps", "milliseconds"):
        with pytest.raises(ValueError, match=f"`{name}` must be at least 1"):
            controller.record_gif(tmp_path / "none.gif", sampler, **{name: 0})
    with pytest.raises(TypeError, match="`policy_sampler` must be a `GymnasiumPolicy`"):
        controller.record_gif(tmp_path / "none.gif", "CartPole-v1")


# -- the optimiser -------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"wd": 0.01}, {"clip_gradient": 0.1}])
def test_aggregated_adam_is_adam(settings):
    def learned(name):
        ab.seed(0)
        network = gluon.nn.HybridSequential()
        network.add(gluon.nn.Dense(5, activation="tanh"), gluon.nn.Dense(6000), gluon.nn.Dense(2))
        network.initialize()
        trainer = gluon.Trainer(network.collect_params(), name, {"learning_rate": 0.01, **settings})
        x = nd.random.normal(shape=(8, 3))
        for _ in range(20):
            with autograd.record():
                loss = nd.square(network(x) - 1)
            loss.backward()
            trainer.step(8)
        return [p.data().asnumpy() for p in network.collect_params().values()]

    for one, two in zip(learned("Adam"), learned(ab.AggregatedAdam.__name__)):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=5e-5)  # a step is up to 0.01


# -- the door ------------------------------------------------------------------------------


def test_errors_name_the_argument():
    with pytest.raises(TypeError, match="`policy_sampler` must be a `GymnasiumPolicy`"):
        ab.DeepQNetworkController(ab.FunctionApproximator(table()), None)
    with pytest.raises(ValueError, match="`target_rate` must be a finite number in"):
        controller_of(table(), target_rate=0.0)
    with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
        controller_of(table(), batch_size=0)
    with pytest.raises(TypeError, match="takes no keyword `n_steps`. Did you mean `n_step`"):
        controller_of(table(), n_steps=3)
    with pytest.raises(ValueError, match="must give a value for each action"):
        controller_of(dense((4, 3))).learn(1)
    sampler = ab.GymnasiumPolicy("FrozenLake-v1", seed=0)
    with pytest.raises(ValueError, match="`policy_sampler` must observe vectors"):
        ab.DeepQNetworkController(ab.FunctionApproximator(table()), sampler)

    class Mean(ab.L2NormLoss):
        def compute(self, pred_arr, real_arr):
            return super().compute(pred_arr, real_arr).mean()

    memory = ab.PrioritizedReplayMemory()
    with pytest.raises(ValueError, match="one loss for each transition where `replay_memory` has"):
        controller_of(table(), replay_memory=memory, computable_loss=Mean()).learn(8)
    with pytest.raises(ValueError, match="no environments to evaluate in"):
        controller_of(table()).evaluate()


def test_cart_pole_is_balanced_longer():
    ab.seed(1)
    network = dense((128, 128, 2), initializer=init.Xavier("gaussian", "in", 2))
    controller = controller_of(
        network, "CartPole-v1", env_n=4, gamma_value=0.99, n_step=3, step_n=16,
        update_n=32, batch_size=64, next_value=ab.DoubleNextValue(), learning_starts=500,
        epsilon=ab.LinearDecay(1.0, 0.05, 2000), target_every=50,
    )  # fmt: skip
    controller.learn(60)
    returns = controller.evaluate(10, ab.GymnasiumPolicy("CartPole-v1", env_n=10, seed=77))
    assert returns.mean() > 100
