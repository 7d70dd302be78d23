"""The mazes of pyqlearning, unmodified, learned by the contract's algorithm."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import gluon

import accelbrainbase as ab

pytest.importorskip("pyqlearning", reason="pyqlearning is not installed")

AGENTS = 8


def maze(ctx, **kwargs):
    from pyqlearning.samplabledata.policysampler._mxnet.maze_policy import MazePolicy

    return MazePolicy(
        batch_size=AGENTS, map_size=(6, 6), moving_max_dist=2, possible_n=4, memory_num=1,
        repeating_penalty=0.5, ctx=ctx, **kwargs,
    )  # fmt: skip


def maze_with_an_enemy(ctx):
    from pyqlearning.samplabledata.policysampler._mxnet.maze_multi_agent_policy import (
        MazeMultiAgentPolicy,
    )

    return MazeMultiAgentPolicy(
        batch_size=AGENTS, map_size=(6, 6), moving_max_dist=2, possible_n=4, memory_num=1,
        repeating_penalty=0.5, enemy_num=1, enemy_init_dist=3, enemy_moving_max_dist=1, ctx=ctx,
    )  # fmt: skip


def controller_of(policy, ctx):
    dense = ab.NeuralNetworks(
        gluon.loss.L2Loss(), units_list=[64, 1], activation_list=["relu", "identity"], ctx=ctx
    )
    network = ab.ConvolutionalNeuralNetworks(
        computable_loss=gluon.loss.L2Loss(),
        hidden_units_list=[
            gluon.nn.Conv2D(16, 3, padding=1), gluon.nn.Conv2D(16, 3, strides=2, padding=1),
        ],
        hidden_activation_list=["relu", "relu"], hidden_dropout_rate_list=[0.0, 0.0],
        hidden_batch_norm_list=[None, None], output_nn=dense, ctx=ctx,
    )  # fmt: skip
    controller = ab.DQNController(
        function_approximator=ab.FunctionApproximator(model=network, ctx=ctx),
        policy_sampler=policy, computable_loss=gluon.loss.L2Loss(), optimizer_name="Adam",
        learning_rate=1e-3, hybridize_flag=True, scale=1.0, ctx=ctx, initializer=None,
        recursive_learning_flag=True,
    )  # fmt: skip
    controller.gamma_value, controller.alpha_value = 0.9, 1.0
    controller.epsilon_greedy_rate = 0.7
    return controller


def steps_to_the_goal(controller, epsilon_greedy_rate, most=80):
    """How many steps the agents take until the policy says that it is the end."""
    policy = controller.policy_sampler
    learned, controller.epsilon_greedy_rate = controller.epsilon_greedy_rate, epsilon_greedy_rate
    policy.inferencing_mode = True
    counts = []
    for _ in range(3):
        policy.reset_agent_pos()
        states, values = controller.inference(iter_n=most)
        assert {state.shape for state in states} == {states[0].shape}
        assert {value.shape for value in values} == {(AGENTS, 1)}
        counts.append(len(states))
    policy.inferencing_mode = False
    controller.epsilon_greedy_rate = learned
    return float(np.mean(counts))


@pytest.mark.parametrize("make", [maze, maze_with_an_enemy])
def test_maze_is_learned(make, ctx):
    policy = make(ctx)
    controller = controller_of(policy, ctx)
    at_random = steps_to_the_goal(controller, 0.0)
    for _ in range(15):
        policy.reset_agent_pos()
        controller.learn(iter_n=60)
    assert controller.q_logs_arr.shape[1] == 2
    assert np.isfinite(controller.q_logs_arr).all()
    errors = np.abs(controller.q_logs_arr[:, 0] - controller.q_logs_arr[:, 1])
    assert errors[-50:].mean() < 0.1 * errors[:5].mean()
    if make is maze:
        assert steps_to_the_goal(controller, 1.0) < 0.5 * at_random


def test_maze_is_where_it_was_after_looking_ahead(ctx):
    policy = maze(ctx)
    action_arr, meta_data_arr = policy.draw()
    assert action_arr.shape == (AGENTS, 4, 2, 7, 7) and meta_data_arr is None
    before = policy.extract_now_state().asnumpy()
    next_arr, _, ended = policy.look_ahead(action_arr[:, 0])
    assert next_arr.shape == action_arr.shape and not ended
    np.testing.assert_array_equal(policy.extract_now_state().asnumpy(), before)
