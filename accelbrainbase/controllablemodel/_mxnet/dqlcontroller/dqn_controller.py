"""Deep Q-learning over candidates, ε-greedy."""

from __future__ import annotations

from typing import Any

import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_is_a, check_number
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase.controllablemodel._mxnet.dql_controller import DQLController


class DQNController(DQLController):
    """Deep Q-learning whose candidates are chosen ε-greedily.

    With the probability `epsilon_greedy_rate` every agent takes the candidate of the largest
    value, otherwise every agent takes one at random. For the deep Q-network of Mnih et al. (2015)
    with its replay and target network, whose actions are numbers, there is
    `DeepQNetworkController`.

    The arguments are those of `DQLController`.

    Example:
        >>> controller = DQNController(
        ...     FunctionApproximator(network),
        ...     policy_sampler,
        ...     L2NormLoss(),
        ...     recursive_learning_flag=True,
        ... )
        >>> controller.learn(iter_n=1000)
        >>> controller.q_logs_arr.shape
        (1000, 2)
    """

    _epsilon_greedy_rate: float = 0.75

    @property
    def epsilon_greedy_rate(self) -> float:
        """Probability of the greedy choice, in [0, 1]."""
        return self._epsilon_greedy_rate

    @epsilon_greedy_rate.setter
    def epsilon_greedy_rate(self, value: float) -> None:
        check_is_a("epsilon_greedy_rate", value, float)
        self._epsilon_greedy_rate = check_number("epsilon_greedy_rate", value, low=0.0, high=1.0)

    def select_action(
        self,
        possible_action_arr: nd.NDArray,
        possible_predicted_q_arr: nd.NDArray,
        possible_reward_value_arr: nd.NDArray,
        possible_next_q_arr: Any = None,
        possible_meta_data_arr: Any = None,
    ) -> tuple[Any, Any, Any, Any, Any]:
        """Choose one of the candidates of each agent, ε-greedily.

        Args:
            possible_action_arr: The candidates, shape `(batch, possible_n, *features)`.
            possible_predicted_q_arr: Their values, shape `(batch, possible_n, 1)`.
            possible_reward_value_arr: Their rewards, of the same shape.
            possible_next_q_arr: The best values of what comes after, of the same shape.
            possible_meta_data_arr: What else is known of them, or `None`.

        Returns:
            Of what was chosen: the candidate, its value, its reward, the best value of what
            comes next, and what else is known of it.
        """
        key_arr = self.select_action_key(possible_action_arr, possible_predicted_q_arr)
        rows = np.arange(len(key_arr)) * possible_action_arr.shape[1] + np.asarray(key_arr)
        row_arr = copied(rows, possible_action_arr.context, np.int32)

        def chosen(arr: Any) -> Any:
            if isinstance(arr, nd.NDArray):
                return nd.take(arr.reshape((-3, -2)), row_arr.as_in_context(arr.context))
            return None if arr is None else np.asarray(arr)[np.arange(len(key_arr)), key_arr]

        return (
            chosen(possible_action_arr),
            chosen(possible_predicted_q_arr),
            chosen(possible_reward_value_arr),
            chosen(possible_next_q_arr),
            chosen(possible_meta_data_arr),
        )

    def select_action_key(
        self, possible_action_arr: nd.NDArray, possible_predicted_q_arr: nd.NDArray
    ) -> np.ndarray:
        """Return the number of the candidate that each agent takes, shape `(batch,)`.

        Args:
            possible_action_arr: The candidates, shape `(batch, possible_n, *features)`.
            possible_predicted_q_arr: Their values, shape `(batch, possible_n, 1)`.
        """
        batch, possible_n = possible_action_arr.shape[:2]
        if np.random.uniform() < self.epsilon_greedy_rate:
            return possible_predicted_q_arr.asnumpy().reshape(batch, possible_n).argmax(axis=1)
        return np.random.randint(possible_n, size=batch)
