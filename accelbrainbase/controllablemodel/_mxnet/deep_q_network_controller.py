"""The deep Q-network: replay, target network, and one pass for all actions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._checks import check_integer, check_is_a, check_number
from accelbrainbase._mxnet.aggregated_adam import AggregatedAdam
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase._mxnet.learnable_controller import LearnableController
from accelbrainbase._mxnet.network_copy import NetworkCopy
from accelbrainbase._mxnet.next_values import MaxNextValue
from accelbrainbase._mxnet.q_step import QStep
from accelbrainbase._mxnet.settled import settle
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.linear_decay import LinearDecay
from accelbrainbase.learning.n_step_returns import NStepReturns
from accelbrainbase.learning.replay_memory import ReplayMemory
from accelbrainbase.learning.state import arrays_below
from accelbrainbase.observabledata._mxnet.functionapproximator.function_approximator import (
    FunctionApproximator,
)
from accelbrainbase.samplabledata.policysampler.gymnasium_policy import GymnasiumPolicy


class DeepQNetworkController(LearnableController):
    r"""Lets a network learn the values of all actions of a state: a deep Q-network (DQN).

    .. math:: y = R + \gamma^n v(s'), \quad
        L = \ell\left(Q(s, a), y\right)

    with the value :math:`v` of the next state by a *target network*, a copy of the network as it
    was some steps ago, and transitions :math:`(s, a, R, s')` drawn from a *replay memory*. A turn
    is `step_n` steps in each environment, ε-greedily, and then `update_n` gradient steps.

    What varies is injected: `next_value` (`MaxNextValue`, `DoubleNextValue`), `n_step` returns,
    the replay memory (`ReplayMemory`, `PrioritizedReplayMemory`), the schedule of ε, the loss
    (Huber's by default), and the network itself: any that gives one value for each action, such as
    `DuelingNetworks`.

    With an `evaluation_sampler` the greedy policy is evaluated after every `evaluate_every` turns,
    in environments of its own; `restore_best` goes back to the parameters that did best. The
    history has the columns `train_loss`, `train_predicted_q`, `train_return` and `train_length`
    (mean return and length of the episodes that ended in a turn), `train_epsilon`, and
    `test_return`. Where there is nothing to record they are NaN.

    Args:
        function_approximator: Gives the values of all actions, shape `(batch, actions)`.
        policy_sampler: The environments.
        computable_loss: The loss between predicted and target values; Huber's if omitted, whose
            gradient is that of the squared error, limited to [-1, 1].
        optimizer_name: Name of a Gluon optimiser.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` turns.
        attenuate_epoch: Number of turns between two attenuations.
        hybridize_flag: Whether the network is compiled to a static graph.
        scale: Factor on the initial weights that `initializer` draws.
        ctx: The device; that of the function approximator if omitted.
        initializer: Draws the initial values of parameters whose shape is not known yet.
        gamma_value: The discount γ in [0, 1].
        n_step: Number of steps whose rewards are summed before the value of a state counts.
        next_value: The value of the next state; `MaxNextValue` if omitted.
        replay_memory: Where transitions are kept; one of 100,000 if omitted.
        epsilon: Probability of an action at random, by the number of steps of all environments;
            `LinearDecay(1.0, 0.1, 10_000)` if omitted.
        batch_size: Number of transitions in a gradient step.
        step_n: Number of steps in each environment in a turn.
        update_n: Number of gradient steps in a turn.
        learning_starts: Number of steps of all environments before the first gradient step.
        target_every: Number of gradient steps between two updates of the target network.
        target_rate: How far the target network moves to the network in an update, in (0, 1].
        reward_limit: Rewards are clipped to ± this, to learn from; `None` for no limit. Recorded
            returns are not clipped.
        evaluation_sampler: Environments for evaluation, or `None`.
        evaluate_every: Number of turns between two evaluations.
        evaluation_episode_n: Number of episodes of an evaluation.
        **kwargs: More arguments of `GluonLearner`: `max_gradient_norm`, `optimizer_params`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.

    Attributes:
        step_count: Number of steps of all environments so far.
        update_count: Number of gradient steps so far.
        best_return: The largest mean return of an evaluation so far.

    References:
        - Mnih, V., et al. (2013). Playing Atari with deep reinforcement learning.
          arXiv:1312.5602.
        - Mnih, V., et al. (2015). Human-level control through deep reinforcement learning.
          Nature, 518, 529-533. Algorithm 1.

    Example:
        >>> network = NeuralNetworks(
        ...     L2NormLoss(), units_list=[64, 2], activation_list=["relu", "identity"]
        ... )
        >>> controller = DeepQNetworkController(
        ...     FunctionApproximator(network), GymnasiumPolicy("CartPole-v1", seed=0)
        ... )
        >>> controller.learn(iter_n=1000)
    """

    step_count: int = 0
    update_count: int = 0
    best_return: float = -np.inf

    _function_approximator: Any = None
    _policy_sampler: Any = None
    _loss: Any = None
    _target: Any = None
    _q_step: QStep | None = None
    _best: dict[str, nd.NDArray] | None = None
    _turn_n: int = 0

    def __init__(
        self,
        function_approximator: FunctionApproximator,
        policy_sampler: GymnasiumPolicy,
        computable_loss: gluon.loss.Loss | ComputableLoss | None = None,
        optimizer_name: str = AggregatedAdam.__name__,
        learning_rate: float = 1e-3,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        hybridize_flag: bool = True,
        scale: float = 1.0,
        ctx: mx.Context | None = None,
        initializer: Initializer | None = None,
        *,
        gamma_value: float = 0.99,
        n_step: int = 1,
        next_value: Callable[[Any, Any, Any], Any] | None = None,
        replay_memory: ReplayMemory | None = None,
        epsilon: Callable[[int], float] | None = None,
        batch_size: int = 32,
        step_n: int = 4,
        update_n: int = 1,
        learning_starts: int = 1000,
        target_every: int = 500,
        target_rate: float = 1.0,
        reward_limit: float | None = None,
        evaluation_sampler: GymnasiumPolicy | None = None,
        evaluate_every: int = 1000,
        evaluation_episode_n: int = 10,
        **kwargs: Any,
    ) -> None:
        check_is_a("function_approximator", function_approximator, FunctionApproximator)
        check_is_a("policy_sampler", policy_sampler, GymnasiumPolicy)
        check_is_a("replay_memory", replay_memory, ReplayMemory, optional=True)
        check_is_a("evaluation_sampler", evaluation_sampler, GymnasiumPolicy, optional=True)
        check_is_a("epsilon", epsilon, _CALLABLE, optional=True)
        check_is_a("next_value", next_value, _CALLABLE, optional=True)
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
        self.n_step_returns = NStepReturns(n_step, gamma_value)
        self.policy_sampler = policy_sampler
        self.evaluation_sampler = evaluation_sampler
        self.computable_loss = (
            gluon.loss.HuberLoss() if computable_loss is None else computable_loss
        )
        self.next_value = MaxNextValue() if next_value is None else next_value
        self.replay_memory = ReplayMemory() if replay_memory is None else replay_memory
        self.epsilon = LinearDecay() if epsilon is None else epsilon
        for name, value in (
            ("batch_size", batch_size), ("step_n", step_n), ("target_every", target_every),
            ("evaluate_every", evaluate_every), ("evaluation_episode_n", evaluation_episode_n),
        ):  # fmt: skip
            setattr(self, name, check_integer(name, value, low=1))
        for name, value in (("update_n", update_n), ("learning_starts", learning_starts)):
            setattr(self, name, check_integer(name, value, low=0))
        self.target_rate = check_number(
            "target_rate", target_rate, low=0.0, high=1.0, low_open=True
        )
        if reward_limit is not None:
            check_number("reward_limit", reward_limit, low=0.0, low_open=True)
        self.reward_limit = reward_limit
        self.complete()

    # -- the parts ---------------------------------------------------------------------

    @property
    def function_approximator(self) -> Any:
        """Gives the values of all actions."""
        return self._function_approximator

    @function_approximator.setter
    def function_approximator(self, value: FunctionApproximator) -> None:
        check_is_a("function_approximator", value, FunctionApproximator)
        self.__dict__.update(_function_approximator=value, _target=None, _q_step=None)
        self.__dict__.update(_best=None, best_return=-np.inf)  # they are those of another network
        self.register_child(value, "function_approximator")
        self.trainer = None

    @property
    def policy_sampler(self) -> Any:
        """The environments. Setting them forgets the steps that are not complete."""
        return self._policy_sampler

    @policy_sampler.setter
    def policy_sampler(self, value: GymnasiumPolicy) -> None:
        check_is_a("policy_sampler", value, GymnasiumPolicy)
        if not value.observed_shape:
            raise ValueError(
                "`policy_sampler` must observe vectors or pictures, but observes single numbers, "
                "which a network cannot value states by. Let "
                "`gymnasium.wrappers.FlattenObservation` make them one-hot."
            )
        self.__dict__["_policy_sampler"] = value
        self.n_step_returns.forget()

    @property
    def gamma_value(self) -> float:
        """The discount γ in [0, 1], of transitions that are completed from now on."""
        return self.n_step_returns.gamma_value

    @gamma_value.setter
    def gamma_value(self, value: float) -> None:
        self.n_step_returns.gamma_value = check_number("gamma_value", value, low=0.0, high=1.0)

    @property
    def computable_loss(self) -> Any:
        """The loss between predicted and target values."""
        return self._loss

    @computable_loss.setter
    def computable_loss(self, value: Any) -> None:
        check_is_a("computable_loss", value, (ComputableLoss, gluon.loss.Loss))
        compute = value.compute if isinstance(value, ComputableLoss) else value
        self.__dict__.update(_loss=value, _compute=compute)
        self.__dict__["_q_step"] = None

    # -- acting ------------------------------------------------------------------------

    def inference(self, observed_arr: Any) -> nd.NDArray:
        """Infer the values of all actions.

        Args:
            observed_arr: States, shape `(batch, *features)`.

        Returns:
            Values, shape `(batch, actions)`.

        Raises:
            ValueError: If the network gives another number of values.
        """
        q_arr = self.function_approximator.inference(observed_arr)
        wanted = (len(observed_arr), self.policy_sampler.action_n)
        if q_arr.shape != wanted:
            raise ValueError(
                f"`function_approximator` must give a value for each action, shape {wanted}, but "
                f"gave {q_arr.shape}. Let its last layer have {wanted[1]} units."
            )
        return q_arr

    def predict(self, observed_arr: Any) -> np.ndarray:
        """Return the numbers of the best actions, shape `(batch,)`.

        Args:
            observed_arr: States, shape `(batch, *features)`.
        """
        return self.inference(observed_arr).asnumpy().argmax(axis=1)

    def _act(self, epsilon: float) -> np.ndarray:
        """Choose an action for each environment, ε-greedily."""
        sampler = self.policy_sampler
        at_random = np.random.random_sample(sampler.env_n) < epsilon
        action_arr = np.random.randint(sampler.action_n, size=sampler.env_n)
        if at_random.all():
            return action_arr
        return np.where(at_random, action_arr, self.predict(sampler.observed_arr))

    def _step(self) -> None:
        """Take one step in each environment, and remember it."""
        sampler = self.policy_sampler
        observed_arr = sampler.observed_arr
        action_arr = self._act(self.epsilon(self.step_count))
        next_arr, reward_arr, terminated_arr, truncated_arr = sampler.step(action_arr)
        if self.reward_limit is not None:
            reward_arr = reward_arr.clip(-self.reward_limit, self.reward_limit)
        self.replay_memory.append(
            *self.n_step_returns.step(
                observed_arr, action_arr, reward_arr, next_arr, terminated_arr, truncated_arr
            )
        )
        self.step_count += sampler.env_n

    # -- learning ----------------------------------------------------------------------

    def learn(self, iter_n: int = 1000, *, callbacks: Iterable[Callback] | None = None) -> None:
        """Template: take `iter_n` turns. What they record is in `history`, a row a turn.

        A second call goes on in the same episodes.

        Args:
            iter_n: Number of turns.
            callbacks: Take part in the learning: `Checkpoint`, … They hear of turns a hundredth
                of the learning at a time.

        Raises:
            NonFiniteLossError: If a loss is infinite or not a number.
        """
        super().learn(iter_n, callbacks=callbacks)

    def _prepare_turns(self) -> None:
        self.initialize_parameters()
        self.inference(self.policy_sampler.observed_arr)
        if self._target is None:
            self.__dict__["_target"] = NetworkCopy(self.function_approximator)

    def _later_columns(self) -> list[str]:
        tested = [] if self.evaluation_sampler is None else ["test_return"]
        return ["train_loss", "train_predicted_q", "train_return", "train_length", *tested]

    def _take_turn(self) -> dict[str, Any]:
        sampler = self.policy_sampler
        seen = len(sampler.episode_list)
        for _ in range(self.step_n):
            self._step()
        losses: list[tuple[nd.NDArray, ...]] = []
        if self.step_count >= self.learning_starts and len(self.replay_memory):
            losses = self._update()
        self._turn_n += 1
        recorded: dict[str, Any] = {"epsilon": self.epsilon(self.step_count)}
        for name, arrays in zip(("loss", "predicted_q"), zip(*losses)):
            recorded[name] = arrays[0] if len(arrays) == 1 else nd.concat(*arrays, dim=0)
        if len(sampler.episode_list) > seen:
            _, returns, lengths = zip(*sampler.episode_list[seen:])
            recorded["return"], recorded["length"] = np.mean(returns), np.mean(lengths)
        return recorded

    def _update(self) -> list[tuple[nd.NDArray, ...]]:
        """Take the gradient steps of a turn; return the losses and predicted values of each."""
        memory: Any = self.replay_memory
        if not memory.weighted:
            return [self._update_once() for _ in range(self.update_n)]
        steps, rows = [], []
        for _ in range(self.update_n):
            steps.append(self._update_once())
            rows.append(memory.row_arr)
        if steps:  # one wait for the device, not one in each step
            errors = nd.concat(*(error_arr for *_, error_arr in steps), dim=0)
            memory.set_errors(np.concatenate(rows), errors.asnumpy())
        return steps

    def _update_once(self) -> tuple[nd.NDArray, ...]:
        """Take a gradient step; return losses, predicted values, and with weights errors."""
        step, memory = self._q_step, self.replay_memory
        varied = (self.next_value, memory.weighted)
        if step is None or (step.next_value, step.weighted) != varied:
            step = QStep(
                self.function_approximator, self._target, self.next_value, self._compute,
                self.hybridize_flag, memory.weighted,
            )  # fmt: skip
            self.__dict__["_q_step"] = step
        loss_arr, *rest = step(memory.sample(self.batch_size), self.ctx)
        self.update(loss_arr, self.batch_size, self.trainer)
        self.constrain(self)
        self.update_count += 1
        if self.update_count % self.target_every == 0:
            self._target.follow(self.target_rate)
        return loss_arr, *rest

    # -- evaluation --------------------------------------------------------------------

    def evaluate(
        self, episode_n: int = 100, policy_sampler: GymnasiumPolicy | None = None
    ) -> np.ndarray:
        """Play episodes greedily. Nothing is learned.

        Args:
            episode_n: Number of episodes.
            policy_sampler: The environments; `evaluation_sampler` if omitted.

        Returns:
            Their returns, shape `(episodes,)`.

        Raises:
            ValueError: If there are no environments to evaluate in.
        """
        sampler = self.evaluation_sampler if policy_sampler is None else policy_sampler
        if sampler is None:
            raise ValueError(
                "There are no environments to evaluate in. Give `policy_sampler`, or build the "
                "controller with an `evaluation_sampler`."
            )
        if sampler is self.policy_sampler:  # its open episodes are given up
            self.n_step_returns.forget()
        return sampler.play(self.predict, episode_n)

    def _evaluate_turn(self) -> dict[str, float] | None:
        if self.evaluation_sampler is None or self._turn_n % self.evaluate_every:
            return None
        settle()
        mean = float(self.evaluate(self.evaluation_episode_n).mean())
        if mean >= self.best_return:  # a later one has learned more
            self.best_return = mean
            parameters = self.collect_params().items()
            self.__dict__["_best"] = {name: p.data().copy() for name, p in parameters}
        return {"return": mean}

    def restore_best(self) -> None:
        """Go back to the parameters that did best in an evaluation.

        Raises:
            ValueError: If there was no evaluation.
        """
        if self._best is None:
            raise ValueError(
                "There was no evaluation yet. Build the controller with an `evaluation_sampler`, "
                "and learn at least `evaluate_every` turns."
            )
        for name, parameter in self.collect_params().items():
            parameter.set_data(self._best[name])
        self._forget_target()

    def _after_restore(self) -> None:
        """Let the target network be equal to the network."""
        if self._target is not None:
            self._target.follow(1.0)

    def _forget_target(self) -> None:
        """Let the next learning begin with a target network that is equal to the network."""
        self.__dict__.update(_target=None, _q_step=None)

    def record_gif(
        self,
        path: str | os.PathLike[str],
        policy_sampler: GymnasiumPolicy,
        *,
        max_steps: int = 500,
        milliseconds: int = 33,
    ) -> float:
        """Record an episode of the greedy policy as an animated GIF.

        Args:
            path: The file.
            policy_sampler: One environment, made with `render_mode="rgb_array"`.
            max_steps: Largest number of steps, at least 1.
            milliseconds: How long each picture is shown, at least 1.

        Returns:
            The return of what was recorded.

        Raises:
            ValueError: If a number is too small, or the environment gives no pictures.
        """
        check_is_a("policy_sampler", policy_sampler, GymnasiumPolicy)
        check_integer("milliseconds", milliseconds, low=1)
        from PIL import Image

        pictures: list[Any] = []

        def act(observed_arr: np.ndarray) -> np.ndarray:
            pictures.append(Image.fromarray(policy_sampler.render()).convert("P"))
            return self.predict(observed_arr)

        if policy_sampler is self.policy_sampler:
            self.n_step_returns.forget()
        returns = policy_sampler.play(act, 1, max_steps)
        pictures[0].save(
            path, format="GIF", save_all=True, append_images=pictures[1:], duration=milliseconds,
            loop=0,
        )  # fmt: skip
        return float(returns[0])

    # -- files and checkpoints ---------------------------------------------------------

    def _files(self, filename: Any) -> list[tuple[str, GluonLearner]]:
        """Return the one file: that of the function approximator."""
        return self.function_approximator._files(filename)

    def load_parameters(
        self,
        filename: str | os.PathLike[str],
        ctx: mx.Context | None = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
    ) -> None:
        """Load parameters that `save_parameters` saved; the target network gets them too.

        Args:
            filename: The path given to `save_parameters`.
            ctx: The device. `None` for that of the controller.
            allow_missing: Whether parameters that are not in the file stay as they are.
            ignore_extra: Whether entries of the file that no parameter has are ignored.

        Raises:
            FileNotFoundError: If there is no such file.
            ParameterFileError: If the file is corrupt, or its entries are not those of
                this network. The network is as it was.
        """
        super().load_parameters(filename, ctx, allow_missing, ignore_extra)
        self._forget_target()

    def capture(self) -> tuple[dict[str, nd.NDArray], dict[str, Any]]:
        """Return the target network, the replay memory, and where the environments are."""
        arrays, values = super().capture()
        kept = {name: getattr(self, name) for name in _COUNTS}
        kept["best_return"] = float(kept["best_return"]) if self._best is not None else None
        for name, part in (("memory", self.replay_memory), ("returns", self.n_step_returns)):
            part_arrays, kept[name] = part.capture()
            arrays.update({f"{name}.{key}": _on_host(arr) for key, arr in part_arrays.items()})
        if self._target is not None:
            arrays.update({f"target.{n}": arr for n, arr in enumerate(self._target.values())})
        if self._best is not None:
            arrays.update({f"best.{n}": arr for n, arr in enumerate(self._best.values())})
        for name in ("policy_sampler", "evaluation_sampler"):
            sampler = getattr(self, name)
            kept[name] = None if sampler is None else sampler.capture()
        return arrays, {**values, **kept}

    def resume(self, arrays: Mapping[str, nd.NDArray], values: Mapping[str, Any]) -> None:
        """Set what `capture` returned."""
        super().resume(arrays, values)
        for name in _COUNTS:
            setattr(self, name, values[name])
        self.best_return = -np.inf if values["best_return"] is None else values["best_return"]
        for name, part in (("memory", self.replay_memory), ("returns", self.n_step_returns)):
            found: Mapping[str, Any] = arrays_below(arrays, name)
            part.resume({key: arr.asnumpy() for key, arr in found.items()}, values[name])
        if self._target is not None:
            values_of_target = arrays_below(arrays, "target")
            self._target.set_values(
                [values_of_target[str(n)] for n in range(len(values_of_target))]
            )
        best = arrays_below(arrays, "best")
        if best:
            names = self.collect_params().keys()
            self.__dict__["_best"] = {name: best[str(n)] for n, name in enumerate(names)}
        for name in ("policy_sampler", "evaluation_sampler"):
            if values[name] is not None and getattr(self, name) is not None:
                getattr(self, name).resume(values[name])


_COUNTS = ("step_count", "update_count", "best_return", "_turn_n")
_CALLABLE: Any = Callable


def _on_host(arr: np.ndarray) -> nd.NDArray:
    return nd.array(arr, ctx=mx.cpu(), dtype=arr.dtype)
