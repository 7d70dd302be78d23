"""Programs for pyqlearning 1.2.7: its notebooks' mazes, for each class of its MXNet side."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon.nn import Conv2D

import accelbrainbase as ab

pytest.importorskip("pyqlearning", reason="pyqlearning is not installed: run `make downstream`")

from classes_of_libraries import classes_without_program  # noqa: E402
from pyqlearning.samplabledata.policysampler._mxnet.maze_multi_agent_policy import (  # noqa: E402
    MazeMultiAgentPolicy,
)
from pyqlearning.samplabledata.policysampler._mxnet.maze_policy import MazePolicy  # noqa: E402

# It assigns arrays of one element to elements of arrays.
pytestmark = pytest.mark.filterwarnings("ignore:Conversion of an array:DeprecationWarning")
LIMIT = 60


def network(ctx):
    return ab.ConvolutionalNeuralNetworks(
        computable_loss=ab.L2NormLoss(),
        hidden_units_list=[Conv2D(16, 3, padding=1), Conv2D(16, 3, strides=2, padding=1)],
        hidden_activation_list=["relu", "relu"],
        hidden_dropout_rate_list=[0.0, 0.0],
        hidden_batch_norm_list=[None, None],
        output_nn=ab.NeuralNetworks(
            computable_loss=ab.L2NormLoss(), units_list=[32, 1],
            activation_list=["relu", "identity"], dropout_rate_list=[0.0, 0.0], ctx=ctx,
        ),
        ctx=ctx,
    )  # fmt: skip


def mobilenet(ctx):
    return ab.MobileNetV2(
        computable_loss=ab.L2NormLoss(),
        input_filter_n=8, input_kernel_size=(3, 3), input_strides=(1, 1), input_padding=(1, 1),
        bottleneck_dict_list=[
            {"filter_rate": 1, "filter_n": 8, "block_n": 1, "stride": 1},
            {"filter_rate": 2, "filter_n": 8, "block_n": 1, "stride": 2},
        ],
        hidden_filter_n=16, pool_size=None,
        output_nn=ab.NeuralNetworks(
            computable_loss=ab.L2NormLoss(), units_list=[1], activation_list=["identity"],
            dropout_rate_list=[0.0], ctx=ctx,
        ),
        ctx=ctx,
    )  # fmt: skip


def controller(policy, model, **kwargs):
    settings = {"optimizer_name": "Adam", "learning_rate": 0.002, **kwargs}
    dqn = ab.DQNController(
        function_approximator=ab.FunctionApproximator(model=model, ctx=model.ctx),
        policy_sampler=policy, computable_loss=ab.L2NormLoss(), ctx=model.ctx, **settings,
    )  # fmt: skip
    dqn.alpha_value, dqn.gamma_value, dqn.epsilon_greedy_rate = 1.0, 0.9, 0.7
    return dqn


def maze(kind, ctx, **kwargs):
    return kind(
        batch_size=2, map_size=(8, 8), moving_max_dist=3, possible_n=6, memory_num=8,
        repeating_penalty=0.5, ctx=ctx, **kwargs,
    )  # fmt: skip


def steps_to_the_end(dqn, *, greedy_rate):
    """Numbers of steps of two walks; those that reach no end take the limit."""
    policy, before = dqn.policy_sampler, dqn.epsilon_greedy_rate
    numbers = []
    dqn.epsilon_greedy_rate = greedy_rate
    for _ in range(2):
        policy.inferencing_mode = True
        policy.reset_agent_pos()
        state_list, q_list = dqn.inference(iter_n=LIMIT)
        assert len(state_list) == len(q_list)
        assert all(q_arr.shape == (2, 1) for q_arr in q_list)
        ended = policy.check_the_end_flag(state_list[-1])
        numbers.append(len(state_list) if ended else LIMIT)
        policy.inferencing_mode = False
        policy.reset_agent_pos()
    dqn.epsilon_greedy_rate = before
    return numbers


def test_maze_is_solved(ctx):
    policy = maze(MazePolicy, ctx)
    assert policy.map_arr.shape == (9, 9)
    dqn = controller(policy, network(ctx))
    at_random = steps_to_the_end(dqn, greedy_rate=0.0)
    dqn.learn(iter_n=60)
    assert dqn.q_logs_arr.shape == (60, 2)
    gap_arr = abs(dqn.q_logs_arr[:, 0] - dqn.q_logs_arr[:, 1])
    # The goal is reached now and then, where the value is learned last: the median.
    assert np.median(gap_arr[-20:]) < 0.3 * gap_arr[:10].mean()
    greedily = steps_to_the_end(dqn, greedy_rate=1.0)
    assert max(greedily) < LIMIT
    assert np.mean(greedily) < np.mean(at_random)


def test_maze_with_recursive_learning_stops_at_the_goal(ctx):
    policy = maze(MazePolicy, ctx)
    dqn = controller(policy, network(ctx), recursive_learning_flag=True)
    policy.inferencing_mode = True  # the agent walks; it does not jump to random places
    dqn.learn(iter_n=LIMIT)
    assert 0 < len(dqn.q_logs_arr) <= LIMIT
    before = len(dqn.q_logs_arr)
    policy.reset_agent_pos()
    dqn.learn(iter_n=2)
    assert len(dqn.q_logs_arr) == before + 2


def test_maze_with_other_agents(ctx):
    policy = maze(MazeMultiAgentPolicy, ctx, enemy_num=1, enemy_init_dist=3)
    dqn = controller(policy, network(ctx))
    dqn.learn(iter_n=25)
    gap_arr = abs(dqn.q_logs_arr[:, 0] - dqn.q_logs_arr[:, 1])
    assert gap_arr[-5:].mean() < 0.5 * gap_arr[:3].mean()
    policy.inferencing_mode = True
    policy.reset_agent_pos()
    state_list, q_list = dqn.inference(iter_n=30)
    assert state_list[0].shape == (2, 3, 9, 9)  # agent, map, enemy
    assert len(q_list) == len(state_list) <= 30
    assert set(policy.END_STATE_list) <= {"Goal", "Not goal", "Crash", "Not crash"}


def test_maze_by_mobilenet(ctx, tmp_path):
    """The notebooks' function approximator."""
    dqn = controller(maze(MazePolicy, ctx), mobilenet(ctx), learning_rate=0.01)
    dqn.learn(iter_n=25)
    assert np.isfinite(dqn.q_logs_arr).all()
    gap_arr = abs(dqn.q_logs_arr[:, 0] - dqn.q_logs_arr[:, 1])
    assert gap_arr[-5:].mean() < 0.7 * gap_arr[:3].mean()
    dqn.save_parameters(str(tmp_path / "dqn.params"))
    other = controller(maze(MazePolicy, ctx), mobilenet(ctx))
    other.load_parameters(str(tmp_path / "dqn.params"), ctx=ctx)
    arr = mx.nd.ones((3, 2, 9, 9), ctx=ctx)
    both = [d.function_approximator.inference(arr).asnumpy() for d in (dqn, other)]
    np.testing.assert_array_equal(*both)


def test_every_class_of_the_mxnet_side_has_a_program():
    assert classes_without_program("pyqlearning", __file__) == set()
