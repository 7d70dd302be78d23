"""Deep Q-learning over candidates."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from mxnet import autograd, gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer, check_is_a, check_number
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase._mxnet.learnable_controller import LearnableController
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.learning.callback import Callback, checked_callbacks
from accelbrainbase.learning.state import LearningState
from accelbrainbase.observabledata._mxnet.functionapproximator.function_approximator import (
    FunctionApproximator,
)
from accelbrainbase.samplabledata.policy_sampler import PolicySampler

_VALUED_AT_ONCE = 4096


class DQLController(LearnableController):
    r"""Deep Q-learning whose actions are candidates: what they would lead to.

    .. math:: Q(a) \leftarrow (1 - \alpha) Q(a) + \alpha \left(r + \gamma \max_{a'} Q(a')\right)

    A turn: `policy_sampler` draws candidates for each agent of the batch; the function
    approximator gives the value of each, and the best value of what could be done after each, in
    one pass; `select_action` chooses; and the value of what was chosen takes a gradient step
    towards the right side above. Looking ahead leaves the sampler as it was.

    With `recursive_learning_flag=True` the sampler moves to the state that was chosen, and the
    learning stops at the end. Otherwise each turn is in the state in which the sampler is.

    The history has the columns `train_loss`, `train_predicted_q` and `train_target_q`.

    Args:
        function_approximator: Gives the value of candidates, shape `(batch, 1)`.
        policy_sampler: Draws candidates and tells rewards.
        computable_loss: The loss between predicted and target values: a `ComputableLoss`, or
            any loss of Gluon.
        optimizer_name: Name of a Gluon optimiser.
        learning_rate: The learning rate of the gradient step.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` turns.
        attenuate_epoch: Number of turns between two attenuations.
        hybridize_flag: Whether the network is compiled to a static graph.
        scale: Factor on the initial weights that `initializer` draws.
        ctx: The device; that of the function approximator if omitted.
        initializer: Draws the initial values of parameters whose shape is not known yet; `None`
            leaves that to the function approximator.
        recursive_learning_flag: Whether the state moves on with what was chosen.
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.

    Attributes:
        recursive_learning_flag: Whether the state moves on with what was chosen.
        t: Number of turns of `learn` and `inference` so far.

    References:
        - Watkins, C. J. C. H., & Dayan, P. (1992). Q-learning. Machine Learning, 8, 279-292.
          Equation 1.
    """

    recursive_learning_flag: bool = False
    t: int = 0

    _function_approximator: Any = None
    _policy_sampler: Any = None
    _loss: Any = None
    _alpha_value: float = 1.0
    _gamma_value: float = 0.5
    _state_arr: Any = None
    _state_meta_data_arr: Any = None
    _earlier_q_logs_arr: np.ndarray = np.empty((0, 2))
    _at_the_end: bool = False

    def __init__(
        self,
        function_approximator: FunctionApproximator,
        policy_sampler: PolicySampler,
        computable_loss: gluon.loss.Loss | ComputableLoss,
        optimizer_name: str = "SGD",
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        hybridize_flag: bool = True,
        scale: float = 1.0,
        ctx: Any = None,
        initializer: Initializer | None = None,
        recursive_learning_flag: bool = False,
        **kwargs: Any,
    ) -> None:
        check_is_a("function_approximator", function_approximator, FunctionApproximator)
        super().__init__(
            initializer=initializer,
            optimizer_name=optimizer_name,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            ctx=function_approximator.ctx if ctx is None else ctx,
            hybridize_flag=hybridize_flag,
            scale=scale,
            **kwargs,
        )
        self.function_approximator = function_approximator
        self.policy_sampler = policy_sampler
        self.computable_loss = computable_loss
        self.recursive_learning_flag = bool(recursive_learning_flag)
        self.complete()

    # -- the parts ---------------------------------------------------------------------

    @property
    def function_approximator(self) -> Any:
        """Gives the value of candidates."""
        return self._function_approximator

    @function_approximator.setter
    def function_approximator(self, value: FunctionApproximator) -> None:
        check_is_a("function_approximator", value, FunctionApproximator)
        self.__dict__["_function_approximator"] = value
        self.register_child(value, "function_approximator")
        self.trainer = None

    @property
    def policy_sampler(self) -> Any:
        """Draws candidates and tells rewards. Setting it forgets the state."""
        return self._policy_sampler

    @policy_sampler.setter
    def policy_sampler(self, value: PolicySampler) -> None:
        check_is_a("policy_sampler", value, PolicySampler)
        self.__dict__.update(_policy_sampler=value, _state_arr=None, _state_meta_data_arr=None)

    @property
    def computable_loss(self) -> Any:
        """The loss between predicted and target values."""
        return self._loss

    @computable_loss.setter
    def computable_loss(self, value: Any) -> None:
        check_is_a("computable_loss", value, (ComputableLoss, gluon.loss.Loss))
        # Kept out of Gluon's children: a loss has no part in the graph.
        compute = value.compute if isinstance(value, ComputableLoss) else value
        self.__dict__.update(_loss=value, _compute=compute)

    @property
    def alpha_value(self) -> float:
        """How far the target moves from the predicted value to the new one, in (0, 1]."""
        return self._alpha_value

    @alpha_value.setter
    def alpha_value(self, value: float) -> None:
        check_is_a("alpha_value", value, float)
        self._alpha_value = check_number("alpha_value", value, low=0.0, high=1.0, low_open=True)

    @property
    def gamma_value(self) -> float:
        """The discount of what comes next, in [0, 1]."""
        return self._gamma_value

    @gamma_value.setter
    def gamma_value(self, value: float) -> None:
        check_is_a("gamma_value", value, float)
        self._gamma_value = check_number("gamma_value", value, low=0.0, high=1.0)

    @read_only
    def q_logs_arr(self) -> np.ndarray:
        """Mean predicted and target values of all turns so far, shape `(turns, 2)`.

        They are appended over the calls of `learn`.
        """
        now_arr = self.history.array(["train_predicted_q", "train_target_q"])
        return np.concatenate([self._earlier_q_logs_arr, now_arr])

    # -- learning ----------------------------------------------------------------------

    def learn(self, iter_n: int = 100, *, callbacks: Iterable[Callback] | None = None) -> None:
        """Template: take `iter_n` turns, or fewer if the end is reached.

        Args:
            iter_n: Number of turns.
            callbacks: Take part in the learning: `Checkpoint`, … They hear of turns a hundredth
                of the learning at a time.

        Raises:
            NonFiniteLossError: If a loss is infinite or not a number.
        """
        iter_n = check_integer("iter_n", iter_n, low=1)
        callback_list = checked_callbacks(callbacks)
        self._earlier_q_logs_arr = self.q_logs_arr
        self._state_arr = self._state_meta_data_arr = None
        self._at_the_end = False
        super().learn(iter_n, callbacks=[*callback_list, _StopAtTheEnd(self)])

    def _prepare_turns(self) -> None:
        self.initialize_parameters()
        if any(p._deferred_init for p in self.collect_params().values()):
            action_arr, _ = self.policy_sampler.draw()
            self._value([self.on_device("action_arr", action_arr)])

    def _take_turn(self) -> dict[str, Any]:
        action_arr, _, reward_value_arr, next_max_q_arr, meta_data_arr = self._choose()
        with autograd.record():
            predicted_q_arr = self._q_of(action_arr)
            target_q_arr = self._target_of(
                predicted_q_arr.detach(), reward_value_arr, next_max_q_arr
            )
            loss_arr = self._compute(predicted_q_arr, target_q_arr)
        self.update(loss_arr, predicted_q_arr.shape[0], self.trainer)
        self.constrain(self)
        if self.recursive_learning_flag:
            self._at_the_end = self._move(action_arr, meta_data_arr)
        self.t += 1
        return {
            "loss": loss_arr,
            "predicted_q": predicted_q_arr.detach().reshape((-1,)),
            "target_q": target_q_arr.reshape((-1,)),
        }

    def _choose(self) -> tuple[Any, Any, Any, Any, Any]:
        """Draw candidates, value them and what comes after them, and select."""
        sampler = self.policy_sampler
        action_arr, meta_data_arr = sampler.draw()
        action_arr = self.on_device("action_arr", action_arr)
        rewards, arrays, ended_list = [], [action_arr], []
        for chosen_arr, chosen_meta_arr in _one_by_one(action_arr, meta_data_arr):
            reward_value_arr = sampler.observe_reward_value(
                self._state_arr, chosen_arr, chosen_meta_arr
            )
            rewards.append(self._column("reward", reward_value_arr, chosen_arr.shape[0]))
            next_arr, _, ended = sampler.look_ahead(chosen_arr, chosen_meta_arr)
            arrays.append(self.on_device("action_arr", next_arr))
            ended_list.append(ended)
        q_arr, *next_q_list = self._value(arrays)
        best_list = [
            self._worth(nd.max(next_q_arr, axis=1), ended)
            for next_q_arr, ended in zip(next_q_list, ended_list)
        ]
        return self.select_action(
            action_arr,
            q_arr,
            nd.stack(*rewards, axis=1),
            nd.stack(*best_list, axis=1),
            meta_data_arr,
        )

    def _value(self, arrays: Sequence[nd.NDArray]) -> list[nd.NDArray]:
        """Return the values of candidates, each of shape `(batch, possible_n, 1)`.

        All in one pass, or few where there are very many.
        """
        flat = [arr.reshape((-3, -2)) for arr in arrays]
        whole_arr = flat[0] if len(flat) == 1 else nd.concat(*flat, dim=0)
        n = whole_arr.shape[0]
        pieces = [
            self._q_of(whole_arr[begin : min(n, begin + _VALUED_AT_ONCE)])
            for begin in range(0, n, _VALUED_AT_ONCE)
        ]
        q_arr = pieces[0] if len(pieces) == 1 else nd.concat(*pieces, dim=0)
        values, begin = [], 0
        for arr in arrays:
            end = begin + arr.shape[0] * arr.shape[1]
            values.append(q_arr[begin:end].reshape((arr.shape[0], arr.shape[1], 1)))
            begin = end
        return values

    def _q_of(self, action_arr: nd.NDArray) -> nd.NDArray:
        """Return the value of each candidate, shape `(batch, 1)`."""
        q_arr = self.function_approximator.inference(action_arr)
        if q_arr.size != action_arr.shape[0]:
            raise ValueError(
                f"`function_approximator` must give one value for each candidate, shape "
                f"({action_arr.shape[0]}, 1), but gave {q_arr.shape}. Let its last layer have "
                f"one unit, or use a `DeepQNetworkController`, whose networks value all actions "
                f"of a state."
            )
        return q_arr.reshape((-1, 1))

    def _column(self, name: str, arr: Any, batch: int) -> nd.NDArray:
        arr = self.on_device(name, arr)
        if arr.size != batch:
            raise ValueError(
                f"`policy_sampler` must tell one {name} for each agent, shape ({batch}, 1) or "
                f"({batch},), but told {arr.shape}."
            )
        return arr.reshape((batch, 1))

    def _worth(self, best_arr: nd.NDArray, ended: Any) -> nd.NDArray:
        """Return values of what comes next, 0 for agents that are at the end."""
        ended_arr = np.asarray(ended.asnumpy() if isinstance(ended, nd.NDArray) else ended)
        if not ended_arr.any():
            return best_arr
        if ended_arr.size == 1 and best_arr.shape[0] > 1:  # it does not say which of the agents
            return best_arr
        if ended_arr.size != best_arr.shape[0]:
            raise ValueError(
                f"`policy_sampler.check_the_end_flag` must return one flag, or one for each of "
                f"the {best_arr.shape[0]} agents, but returned the shape {ended_arr.shape}."
            )
        goes_on = 1.0 - ended_arr.reshape((-1, 1)).astype(np.float32)
        return best_arr * self.on_device("ended", goes_on)

    def _target_of(
        self, predicted_q_arr: nd.NDArray, reward_value_arr: nd.NDArray, next_max_q_arr: nd.NDArray
    ) -> nd.NDArray:
        with autograd.pause():
            target_q_arr = self.update_q(reward_value_arr, next_max_q_arr)
            if self.alpha_value != 1.0:
                target_q_arr = target_q_arr + (1.0 - self.alpha_value) * predicted_q_arr
        return target_q_arr

    def update_q(self, reward_value_arr: nd.NDArray, next_max_q_arr: nd.NDArray) -> nd.NDArray:
        r"""Return what is new in the target, :math:`\alpha (r + \gamma \max Q)`.

        The template adds :math:`(1 - \alpha) Q`.

        Args:
            reward_value_arr: The rewards, shape `(batch, 1)`.
            next_max_q_arr: The best values of what could be done next, shape `(batch, 1)`.

        Returns:
            Values of shape `(batch, 1)`.
        """
        return self.alpha_value * (reward_value_arr + self.gamma_value * next_max_q_arr)

    @abstractmethod
    def select_action(
        self,
        possible_action_arr: nd.NDArray,
        possible_predicted_q_arr: nd.NDArray,
        possible_reward_value_arr: nd.NDArray,
        possible_next_q_arr: Any = None,
        possible_meta_data_arr: Any = None,
    ) -> tuple[Any, Any, Any, Any, Any]:
        """Abstract: choose one of the candidates of each agent.

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

    def _move(self, action_arr: nd.NDArray, meta_data_arr: Any) -> bool:
        """Let the sampler do what was chosen; return whether that is the end."""
        sampler = self.policy_sampler
        self._state_arr, self._state_meta_data_arr = sampler.update_state(action_arr, meta_data_arr)
        sampler.observe_state(self._state_arr, self._state_meta_data_arr)
        ended = sampler.check_the_end_flag(self._state_arr, self._state_meta_data_arr)
        ended = ended.asnumpy() if isinstance(ended, nd.NDArray) else np.asarray(ended)
        return ended.ndim == 0 and bool(ended)  # flags of agents are for what comes next only

    # -- inference ---------------------------------------------------------------------

    def inference(self, iter_n: int = 100) -> tuple[list[Any], list[nd.NDArray]]:
        """Act without learning; stop at the end.

        The state of the sampler moves on. Actions are chosen as in learning, by
        `select_action`.

        Args:
            iter_n: Largest number of actions.

        Returns:
            The states that were gone through, each of shape `(batch, *features)`, and the
            values of the actions, each of shape `(batch, 1)`.
        """
        iter_n = check_integer("iter_n", iter_n, low=1)
        self._state_arr = self._state_meta_data_arr = None
        state_list, q_list = [], []
        for _ in range(iter_n):
            action_arr, q_arr, _, _, meta_data_arr = self._choose()
            ended = self._move(action_arr, meta_data_arr)
            state_list.append(self._state_arr)
            q_list.append(q_arr)
            self.t += 1
            if ended:
                break
        return state_list, q_list

    # -- files and checkpoints ---------------------------------------------------------

    def _files(self, filename: Any) -> list[tuple[str, GluonLearner]]:
        """Return the one file: that of the function approximator."""
        return self.function_approximator._files(filename)

    def capture(self) -> tuple[dict[str, nd.NDArray], dict[str, Any]]:
        """Return the state, the logs of earlier learnings, and where the sampler is."""
        arrays, values = super().capture()
        values = {**values, "t": self.t, "q_logs": self._earlier_q_logs_arr.tolist()}
        for name, arr in (("state", self._state_arr), ("meta", self._state_meta_data_arr)):
            if isinstance(arr, nd.NDArray):
                arrays[name] = arr
            elif arr is not None:
                values[name] = np.asarray(arr).tolist()
        if hasattr(self.policy_sampler, "capture"):
            values["sampler"] = self.policy_sampler.capture()
        return arrays, values

    def resume(self, arrays: Mapping[str, nd.NDArray], values: Mapping[str, Any]) -> None:
        """Set what `capture` returned."""
        super().resume(arrays, values)
        self.t = values["t"]
        self._earlier_q_logs_arr = np.array(values["q_logs"]).reshape(-1, 2)
        if "sampler" in values:
            self.policy_sampler.resume(values["sampler"])
        found = {**arrays, **{n: np.array(values[n]) for n in ("state", "meta") if n in values}}
        self._state_arr, self._state_meta_data_arr = found.get("state"), found.get("meta")
        if self._state_arr is not None:
            self.policy_sampler.observe_state(self._state_arr, self._state_meta_data_arr)


class _StopAtTheEnd(Callback):
    """Ends the learning when the sampler is at the end."""

    def __init__(self, controller: DQLController) -> None:
        self.controller = controller

    def on_step_end(self, state: LearningState) -> None:
        if self.controller._at_the_end:
            state.stop("the sampler is at the end")


def _one_by_one(action_arr: nd.NDArray, meta_data_arr: Any) -> Iterator[tuple[nd.NDArray, Any]]:
    """Go through the candidates: of each, one for every agent."""
    for number in range(action_arr.shape[1]):
        meta = None if meta_data_arr is None else meta_data_arr[:, number]
        yield action_arr[:, number], meta
