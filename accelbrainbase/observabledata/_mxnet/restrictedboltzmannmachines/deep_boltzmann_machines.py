"""Deep Boltzmann machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mxnet import gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._checks import check_integer, check_list_of, check_number
from accelbrainbase._mxnet.boltzmann.bipartite_machine import BipartiteMachine
from accelbrainbase._mxnet.boltzmann.deep_layers import (
    DeepLayers,
    DeepStatistics,
    odd_even_machine,
)
from accelbrainbase._mxnet.boltzmann.distribution import check_same_rows
from accelbrainbase._mxnet.boltzmann.estimate import Estimate
from accelbrainbase._mxnet.boltzmann.gibbs_step import gibbs_chain
from accelbrainbase._mxnet.boltzmann.machine_stack import MachineStack
from accelbrainbase._mxnet.boltzmann.statistics_step import Correlations, step_along
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.learning.callback import Callback, checked_callbacks
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks
from accelbrainbase.observabledata._mxnet.neuralnetworks.auto_encoder import AutoEncoder
from accelbrainbase.observabledata._mxnet.restricted_boltzmann_machines import (
    RestrictedBoltzmannMachines,
    _value,
)
from accelbrainbase.observabledata._mxnet.restrictedboltzmannmachines.greedy_learning import (
    goes_on,
    learn_greedily,
)
from accelbrainbase.observabledata._mxnet.restrictedboltzmannmachines.unrolling import (
    Layer,
    auto_encoder_of,
    network_of,
)


class DeepBoltzmannMachines(MachineStack, RestrictedBoltzmannMachines):
    r"""A deep Boltzmann machine: layers of units, each connected to its neighbours.

    .. math::
        E(v, h^1, \dots, h^L) = -\sum_{l=0}^{L} b_l^\top h^l
            - \sum_{l=1}^{L} {h^l}^\top W_l h^{l-1}, \qquad h^0 = v

    It is made of restricted machines. `pre_learn` lets them learn one after another, such that
    what they will get from the layer above is made up for: the first machine doubles its input,
    the last one what it gives back, those between do both; so the weights fit each other when
    the machines are put together. `joint_learn` then learns all layers together: for the data
    by mean field, for the model by persistent Gibbs chains. `learn` does the one, once, and
    then the other.

    A layer between two machines belongs to both; its bias in the deep machine is the mean of
    the hidden biases of the lower and the visible biases of the upper one.

    As a stacked auto-encoder: `inference` and `encode` give the features of the top layer by
    mean field, `decode` goes back down, `reconstruction_error` compares, and this is what is
    recorded in `loss_arr`. `unroll` and `unroll_classifier` make networks that
    back-propagation fine-tunes.

    Args:
        computable_loss: The loss of the reconstruction, which is recorded.
        rbm_list: The restricted machines, the one of the data first. Their units must all be
            Bernoulli, or all be spins. Each pre-learns with its own settings.
        initializer: No effect: the machines initialise their weights.
        optimizer_name: Name of a Gluon optimiser, for joint learning.
        learning_rate: The learning rate of joint learning.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        ctx: The device; that of the first machine if omitted.
        mean_field_steps: Number of mean-field updates.
        gibbs_steps: Number of steps of the chains at each step of joint learning.
        chain_n: Number of persistent chains.
        momentum: Momentum in [0, 1), or values by epoch: `{0: 0.5, 5: 0.9}`.
        l1_cost: Factor on the sum of absolute weights, which is added to what is minimised.
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If the machines do not fit each other.

    Attributes:
        fantasy_list: Even layers (0, 2, …) of the persistent chains, or `None`.

    References:
        - Salakhutdinov, R., & Hinton, G. E. (2009). Deep Boltzmann machines. AISTATS.
        - Salakhutdinov, R., & Larochelle, H. (2010). Efficient learning of deep Boltzmann
          machines. AISTATS.
    """

    fantasy_list: list[nd.NDArray] | None = None

    def __init__(
        self,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        rbm_list: Sequence[RestrictedBoltzmannMachines],
        initializer: Initializer | None = None,
        optimizer_name: str = "SGD",
        learning_rate: float = 0.005,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        ctx: Any = None,
        *,
        mean_field_steps: int = 10,
        gibbs_steps: int = 5,
        chain_n: int = 100,
        momentum: float | Mapping[int, float] | None = None,
        l1_cost: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            computable_loss,
            rbm_list,
            initializer=initializer,
            optimizer_name=optimizer_name,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            ctx=ctx,
            momentum=momentum,
            **kwargs,
        )
        self.mean_field_steps = check_integer("mean_field_steps", mean_field_steps, low=0)
        self.gibbs_steps = check_integer("gibbs_steps", gibbs_steps, low=1)
        self.chain_n = check_integer("chain_n", chain_n, low=1)
        self.l1_cost = check_number("l1_cost", l1_cost, low=0.0)
        self._deep_kernels: dict[Any, DeepStatistics] = {}
        self._rows: dict[tuple[int, float], nd.NDArray] = {}
        self.complete()

    def _check_machines(self, rbm_list: Sequence[Any]) -> tuple[Any, ...]:
        listed = check_list_of("rbm_list", rbm_list, RestrictedBoltzmannMachines, "machine")
        machines = super()._check_machines(listed)
        kinds = {m.visible_activation for m in machines} | {m.hidden_activation for m in machines}
        if len(kinds) > 1 or machines[0]._visible_units.states is None:
            raise ValueError(
                f"`rbm_list` must have machines whose units are all of one kind, with two states "
                f'(`"sigmoid"` or `"tanh"`), but they have {sorted(kinds)}.'
            )
        return machines

    def _set_machines(self, machines: tuple[Any, ...]) -> None:
        super()._set_machines(machines)
        self.fantasy_list = None  # chains belong to the layers that were

    # -- layers ------------------------------------------------------------------------

    def _layers(self, F: Any) -> DeepLayers:
        weights = [_value(F, machine.weight) for machine in self._rbm_list]
        return DeepLayers(F, weights, self._biases(F), self._visible_units, self.dims)

    def _biases(self, F: Any) -> list[Any]:
        machines = self._rbm_list
        biases = [_value(F, machines[0].visible_bias)]
        for lower, upper in zip(machines, machines[1:]):
            pair = _value(F, lower.hidden_bias) + _value(F, upper.visible_bias)
            biases.append(0.5 * pair)
        return [*biases, _value(F, machines[-1].hidden_bias)]

    @property
    def machine(self) -> BipartiteMachine:
        """The odd layers (as visible side) and the even ones (as hidden side)."""
        weights = [machine.weight.data() for machine in self._rbm_list]
        return odd_even_machine(weights, self._biases(nd), self._visible_units, self.dims)

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the features of all layers by mean field.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, *features)`; they are flattened.

        Returns:
            The features of the top layer, shape `(batch, units)`.
        """
        _, means = self._layers(F).mean_field(F.flatten(x), self.mean_field_steps)
        for machine, mean in zip(self._rbm_list, means[1:]):
            machine.keep_features(mean)
        self.keep_features(means[-1])
        return means[-1]

    def inference(self, observed_arr: Any) -> nd.NDArray:
        """Return the features of the top layer; those of each are in `rbm_list[i]`.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`, any batch size.

        Returns:
            Shape `(batch, units of the top layer)`.
        """
        return MachineStack.inference(self, observed_arr)

    def _decoded(self, feature_arr: nd.NDArray) -> nd.NDArray:
        return self._layers(nd).top_down(feature_arr)[0]

    def mean_field(self, observed_arr: Any, steps: int | None = None) -> list[nd.NDArray]:
        """Return the mean-field expectations of all hidden layers given data points.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.
            steps: Number of updates; `mean_field_steps` if omitted.

        Returns:
            One array for each hidden layer, shape `(batch, units)`.
        """
        steps = self.mean_field_steps if steps is None else check_integer("steps", steps, low=0)
        arr = self._visible("observed_arr", observed_arr)
        return self._layers(nd).mean_field(arr, steps)[1][1:]

    # -- learning ----------------------------------------------------------------------

    def learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Pre-learn, unless that was done or parameters were loaded; then learn jointly.

        What the machines recorded is in their own `history`; that of joint learning is here.

        Args:
            iteratable_data: Generates the mini-batches, for each phase anew.
            callbacks: Take part in joint learning. With a `Checkpoint` to go on from, it goes
                on without pre-learning.
        """
        callback_list = checked_callbacks(callbacks)
        if not (self._learned_layers or goes_on(callback_list)):
            self.pre_learn(iteratable_data)
            if not self._learned_layers:  # an interrupt ended it
                return
        self.joint_learn(iteratable_data, callbacks=callback_list)

    def pre_learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Let the machines learn one after another, each from the features of the last.

        Args:
            iteratable_data: Generates the mini-batches.
            callbacks: Take part in each of the learnings.
        """
        top = len(self._rbm_list) - 1
        factors = [
            (1.0 if number == top else 2.0, 1.0 if number == 0 else 2.0)
            for number in range(top + 1)
        ]
        self._learned_layers = learn_greedily(
            self._rbm_list, iteratable_data, factors=factors, callbacks=callbacks
        )

    def joint_learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Learn all layers together, from the parameters as they are.

        Args:
            iteratable_data: Generates the mini-batches.
            callbacks: Take part in the learning.
        """
        self._learned_layers = True
        RestrictedBoltzmannMachines.learn(self, iteratable_data, callbacks=callbacks)

    def _prepare(self, observed_arr: nd.NDArray) -> None:
        MachineStack._prepare(self, observed_arr)
        visible_arr = observed_arr.reshape((observed_arr.shape[0], -1))
        self._rbm_list[0]._look_at(visible_arr)

    def _first_chains(self, visible_arr: nd.NDArray) -> list[nd.NDArray]:
        """Return where the chains start: layers drawn in a pass from below."""
        rows = nd.arange(self.chain_n, ctx=self.ctx) % visible_arr.shape[0]
        start_arr = visible_arr.take(rows)
        inputs, means = self._layers(nd).bottom_up(start_arr)
        units = self._visible_units
        drawn = [units.sample(nd, x, mean) for x, mean in zip(inputs[1:], means[1:])]
        return [start_arr, *drawn][::2]

    def _train_step(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:  # noqa: ARG002
        visible_arr = observed_arr.reshape((observed_arr.shape[0], -1))
        correlations, gradients, means, reconstruction = self.joint_statistics(visible_arr)
        step_along(self, correlations, gradients, l1_cost=self.l1_cost)
        if self.regularizatable_data_list:
            self.regularize()
        for machine, mean in zip(self._rbm_list, means):
            machine._features = mean
        self._features = means[-1]
        return self.compute_loss(reconstruction, visible_arr)

    def joint_statistics(
        self, visible_arr: nd.NDArray
    ) -> tuple[
        dict[gluon.Parameter, Correlations],
        dict[gluon.Parameter, nd.NDArray],
        list[nd.NDArray],
        nd.NDArray,
    ]:
        """Run mean field and chains of one step of joint learning, and gather statistics.

        Args:
            visible_arr: A mini-batch, shape `(batch, visible units)`.

        Returns:
            What the gradients of the weights are made of; for the biases, the gradients of the
            negative log-likelihood as estimated, summed over the batch; the mean-field
            expectations of the hidden layers; and the reconstruction.
        """
        if self.fantasy_list is None:
            self.fantasy_list = self._first_chains(visible_arr)
        machines, top = self._rbm_list, len(self._rbm_list)
        batch_size, chain_n = visible_arr.shape[0], self.fantasy_list[0].shape[0]
        outputs = self._deep_kernel()(
            visible_arr,
            self._row_of(batch_size, 1.0),
            self._row_of(chain_n, batch_size / chain_n),
            *(machine.weight.data() for machine in machines),
            *self._biases(nd),
            *self.fantasy_list,
        )
        data = [visible_arr, *outputs[:top]]
        model = outputs[top : 2 * top + 1]
        bias_gradients = outputs[2 * top + 1 : 3 * top + 2]
        self.fantasy_list = model[::2]
        correlations, gradients = {}, {}
        for number, machine in enumerate(machines):
            correlations[machine.weight] = Correlations(
                data[number + 1], data[number], model[number + 1], model[number]
            )
            # Both biases of a shared layer move, and with them their mean.
            gradients[machine.visible_bias] = bias_gradients[number]
            gradients[machine.hidden_bias] = bias_gradients[number + 1]
        return correlations, gradients, data[1:], outputs[-1]

    def capture(self) -> tuple[dict[str, nd.NDArray], dict[str, Any]]:
        """Return what a checkpoint must hold beside parameters: the chains."""
        chains = enumerate(self.fantasy_list or ())
        return {f"chains.{n}": arr for n, arr in chains}, {"epoch_n": self._epoch_n}

    def resume(self, arrays: Mapping[str, nd.NDArray], values: Mapping[str, Any]) -> None:
        """Set what `capture` returned."""
        chains = [arrays[f"chains.{n}"] for n in range(len(arrays))]
        self._epoch_n = values["epoch_n"]
        self.fantasy_list = chains or None

    def _deep_kernel(self) -> DeepStatistics:
        key = (tuple(self.dims), self.mean_field_steps, self.gibbs_steps, self._active)
        if key not in self._deep_kernels:
            kernel = DeepStatistics(self._visible_units, *key[:3])
            if self._active:
                kernel.hybridize(static_alloc=False)
            self._deep_kernels[key] = kernel
        return self._deep_kernels[key]

    def load_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Load parameters; `learn` then goes on with joint learning."""
        super().load_parameters(*args, **kwargs)
        self._learned_layers = True

    # -- energies and probabilities ----------------------------------------------------

    def energy(self, visible_arr: Any, *hidden_arr: Any) -> nd.NDArray:
        """Return the energy of states of all units: lower means more probable.

        Args:
            visible_arr: Visible states, shape `(batch, visible units)`.
            *hidden_arr: States of each hidden layer, shape `(batch, units)`.

        Returns:
            Energy in nats, shape `(batch,)`.
        """
        states = [self._visible("visible_arr", visible_arr)]
        if len(hidden_arr) != len(self._rbm_list):
            raise ValueError(
                f"`energy` needs the states of {len(self._rbm_list)} hidden layers, but got "
                f"{len(hidden_arr)}."
            )
        for machine, arr in zip(self._rbm_list, hidden_arr):
            states.append(machine._hidden("hidden_arr", arr))
            check_same_rows("hidden_arr", states[-1], states[0])
        return -self._minus_energy(states)

    def _minus_energy(self, states: Sequence[nd.NDArray]) -> nd.NDArray:
        layers = self._layers(nd)
        total = nd.dot(states[0], layers.biases[0])
        for number in range(1, len(states)):
            x = layers.from_below(number, states[number - 1])
            total = total + (x * states[number]).sum(axis=1)
        return total

    def free_energy(self, visible_arr: Any) -> nd.NDArray:  # noqa: ARG002
        """Raise: the hidden layers cannot be summed out. See `log_likelihood_bound`."""
        raise _intractable("free_energy", "log_likelihood_bound")

    def log_likelihood(self, visible_arr: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        """Raise: see `log_likelihood_bound`."""
        raise _intractable("log_likelihood", "log_likelihood_bound")

    def pseudo_log_likelihood(self, visible_arr: Any, unit_n: Any = None) -> Any:  # noqa: ARG002
        """Raise: see `log_likelihood_bound`."""
        raise _intractable("pseudo_log_likelihood", "log_likelihood_bound")

    def sample_hidden(self, visible_arr: Any) -> nd.NDArray:  # noqa: ARG002
        """Raise: see `mean_field` and `gibbs`."""
        raise _intractable("sample_hidden", "mean_field")

    def sample_visible(self, hidden_arr: Any) -> nd.NDArray:
        """Draw visible states given those of the first hidden layer.

        Args:
            hidden_arr: Shape `(batch, units of the first hidden layer)`.

        Returns:
            Shape `(batch, visible units)`.
        """
        return self._rbm_list[0].sample_visible(hidden_arr)

    def statistics(self, visible_arr: Any) -> Any:  # noqa: ARG002
        """Raise: see `joint_statistics`."""
        raise _intractable("statistics", "joint_statistics")

    def log_likelihood_bound(
        self,
        visible_arr: Any,
        log_partition: float | None = None,
        *,
        steps: int | None = None,
        **kwargs: Any,
    ) -> nd.NDArray:
        r"""Return a lower bound of log p(v) of data points, by mean field.

        .. math:: \log p(v) \ge E_q[-E(v, h)] + H(q) - \log Z

        Args:
            visible_arr: Visible states, shape `(batch, visible units)`.
            log_partition: What `log_partition` returned, so that it is computed once. `None`:
                it is computed here.
            steps: Number of mean-field updates; `mean_field_steps` if omitted. The more, the
                higher the bound.
            **kwargs: Arguments of `log_partition`, where it is computed here.

        Returns:
            The bound in nats, shape `(batch,)`. Where log Z is estimated, its error is that of
            the bound too.

        Raises:
            TypeError: If there are arguments of `log_partition`, and its value too.

        Warns:
            UserWarning: If a bound is above 0: log Z is too small.

        References:
            - Salakhutdinov, R., & Hinton, G. E. (2009). Deep Boltzmann machines. Equation 9.
        """
        log_z = self._log_z(log_partition, kwargs)
        steps = self.mean_field_steps if steps is None else check_integer("steps", steps, low=0)
        arr, units = self._visible("visible_arr", visible_arr), self._visible_units
        inputs, means = self._layers(nd).mean_field(arr, steps)
        bound = self._minus_energy(means)
        for x in inputs[1:]:
            bound = bound + units.entropy(nd, x).sum(axis=1)
        return self._as_log_probability(bound - log_z)

    def _base_bias(self, data_arr: Any) -> nd.NDArray:
        """Return biases of the odd layers with which they have their mean over the data."""
        if data_arr is None:
            return self.machine.visible_bias
        means = self.mean_field(data_arr)[::2]
        return nd.concat(*(self._bias_of(mean) for mean in means), dim=0)

    def log_partition(self, method: str = "auto", **kwargs: Any) -> Estimate:
        """Return log Z in nats, as `RestrictedBoltzmannMachines.log_partition` does.

        The even layers are summed out. `data_arr` are data points; the base-rate model has the
        mean of the odd layers that mean field gives for them.

        Args:
            method: `"exact"`, `"ais"` or `"auto"`.
            **kwargs: `data_arr`, `chain_n`, `temperature_n`, `betas`.

        Returns:
            log Z: a `float` whose attribute `error` is its standard error (0 if exact).
        """
        return RestrictedBoltzmannMachines.log_partition(self, method, **kwargs)

    # -- samples -----------------------------------------------------------------------

    def gibbs(self, visible_arr: Any, steps: int = 1, *, mean: bool = False) -> nd.NDArray:
        """Run Gibbs sampling of all layers from given visible states.

        The upper layers start in a pass from below.

        Args:
            visible_arr: Where the chains start, shape `(batch, visible units)`.
            steps: Number of steps.
            mean: Whether to return expectations given the first hidden layer, not states.

        Returns:
            The visible units, shape `(batch, visible units)`.
        """
        arr = self._visible("visible_arr", visible_arr)
        steps = check_integer("steps", steps, low=1)
        inputs, means = self._layers(nd).bottom_up(arr)
        units = self._visible_units
        odd = [units.sample(nd, x, m) for x, m in zip(inputs[1::2], means[1::2])]
        return self._visible_of_chain(nd.concat(*odd, dim=1), steps, mean)

    def _visible_of_chain(self, odd_arr: nd.NDArray, steps: int, mean: bool) -> nd.NDArray:
        odd_arr, _ = gibbs_chain(self.machine, odd_arr, steps)
        layers, units = self._layers(nd), self._visible_units
        x = layers.from_above(0, odd_arr[:, : self.dims[1]])
        mean_arr = units.mean(nd, x)
        return mean_arr if mean else units.sample(nd, x, mean_arr)

    def draw(self, n: int, steps: int = 1000, *, mean: bool = False) -> nd.NDArray:
        """Draw new data points, by Gibbs sampling of all layers.

        The chains start at persistent chains of learning, where there are any; else at draws
        from the biases alone.

        Args:
            n: Number of data points.
            steps: Number of steps.
            mean: Whether to return expectations given the first hidden layer, not states.

        Returns:
            Shape `(n, visible units)`.
        """
        n, machine = check_integer("n", n, low=1), self.machine
        if self.fantasy_list is None:
            units = self._visible_units
            x = nd.broadcast_to(machine.visible_bias, shape=(n, machine.weight.shape[1]))
            odd_arr = units.sample(nd, x, units.mean(nd, x))
        else:
            rows = nd.arange(n, ctx=self.ctx) % self.fantasy_list[0].shape[0]
            even_arr = nd.concat(*(arr.take(rows) for arr in self.fantasy_list), dim=1)
            odd_arr = machine.sample_visible(even_arr)
        return self._visible_of_chain(odd_arr, check_integer("steps", steps, low=1), mean)

    # -- fine-tuning -------------------------------------------------------------------

    def _up_layers(self) -> list[Layer]:
        machines, biases = self._rbm_list, self._biases(nd)
        last, name = len(machines) - 1, self._visible_units.activation
        return [
            (machine.weight.data() * (1.0 if number == last else 2.0), biases[number + 1], name)
            for number, machine in enumerate(machines)
        ]

    def unroll(self, **kwargs: Any) -> AutoEncoder:
        """Return an auto-encoder with copies of the layers, for fine-tuning.

        Its encoder is the pass from below (with doubled weights below the top), its decoder the
        pass back down.

        Args:
            **kwargs: Arguments of `AutoEncoder`: `learning_rate`, `optimizer_name`, …; the loss
                is that of this machine unless `computable_loss` is given.

        References:
            - Hinton, G. E., & Salakhutdinov, R. R. (2006). Reducing the dimensionality of data
              with neural networks. Science, 313(5786), 504-507.
        """
        biases, name = self._biases(nd), self._visible_units.activation
        down = [
            (machine.weight.data().T * (1.0 if number == 0 else 2.0), biases[number], name)
            for number, machine in enumerate(self._rbm_list)
        ]
        return auto_encoder_of(self._up_layers(), down[::-1], self, **kwargs)

    def augment(self, observed_arr: Any) -> nd.NDArray:
        """Return data points beside the mean-field expectations of the second hidden layer.

        This is the input of the network that `unroll_classifier` returns.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.

        Returns:
            Shape `(batch, visible units + units of the second hidden layer)`.
        """
        self._need_two_layers("augment")
        arr = self._visible("observed_arr", observed_arr)
        return nd.concat(arr, self.mean_field(arr)[1], dim=1)

    def unroll_classifier(
        self, class_n: int, computable_loss: Any, **kwargs: Any
    ) -> NeuralNetworks:
        """Return a classifier with copies of the layers, for discriminative fine-tuning.

        Its first layer takes what `augment` returns, with the weights from below and from above
        as in the machine, so that it starts out with the mean field's features; the next layers
        follow; on top there is a new layer whose outputs are scores of the classes.

        Args:
            class_n: Number of classes.
            computable_loss: The loss, such as softmax cross-entropy.
            **kwargs: Arguments of `NeuralNetworks`: `learning_rate`, `optimizer_name`, …

        References:
            - Salakhutdinov, R., & Hinton, G. E. (2009). Deep Boltzmann machines. Section 3.3
              and figure 3.
        """
        self._need_two_layers("unroll_classifier")
        first, second = self._rbm_list[:2]
        layers = self._up_layers()
        weight = nd.concat(first.weight.data(), second.weight.data().T, dim=1)
        layers[0] = (weight, *layers[0][1:])
        return network_of(
            layers,
            self,
            computable_loss=computable_loss,
            class_n=check_integer("class_n", class_n, low=2),
            **kwargs,
        )

    def _need_two_layers(self, what: str) -> None:
        if len(self._rbm_list) < 2:
            raise ValueError(f"`{what}` needs a machine with at least two hidden layers.")


def _intractable(what: str, instead: str) -> ValueError:
    return ValueError(
        f"`{what}` is intractable for a deep Boltzmann machine: its hidden layers cannot be summed "
        f"out, nor drawn at once. Use `{instead}`."
    )
