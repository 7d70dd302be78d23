"""Deep belief networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mxnet import gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._checks import check_integer, check_list_of
from accelbrainbase._mxnet.boltzmann.bipartite_machine import BipartiteMachine
from accelbrainbase._mxnet.boltzmann.gibbs_step import gibbs_chain
from accelbrainbase._mxnet.boltzmann.machine_stack import MachineStack
from accelbrainbase._mxnet.boltzmann.statistics_step import step_along
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.learning.callback import Callback, checked_callbacks
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks
from accelbrainbase.observabledata._mxnet.neuralnetworks.auto_encoder import AutoEncoder
from accelbrainbase.observabledata._mxnet.restricted_boltzmann_machines import (
    RestrictedBoltzmannMachines,
)
from accelbrainbase.observabledata._mxnet.restrictedboltzmannmachines.greedy_learning import (
    encoded,
    goes_on,
    learn_greedily,
)
from accelbrainbase.observabledata._mxnet.restrictedboltzmannmachines.unrolling import (
    Layer,
    auto_encoder_of,
    network_of,
)


class DeepBeliefNetworks(MachineStack, RestrictedBoltzmannMachines):
    r"""A deep belief network: undirected between the two top layers, directed below.

    .. math::
        p(v, h^1, \dots, h^L) = p(v \mid h^1) \cdots p(h^{L-2} \mid h^{L-1}) \, p(h^{L-1}, h^L)

    It is made of restricted Boltzmann machines that learn greedily: each learns the features of
    the one below it. The top one stays a restricted machine; the others become directed layers,
    whose weights serve upwards (recognition) and downwards (generation).

    `learn` lets the lower machines learn first, each with its own settings, once; then the top
    one, with the settings of the network. What is recorded then is the loss of the
    reconstruction through all layers.

    Args:
        computable_loss: The loss of the reconstruction, which is recorded.
        rbm_list: The restricted machines, the one of the data first.
        initializer: No effect: the machines initialise their weights.
        optimizer_name: Name of a Gluon optimiser, for the top machine.
        learning_rate: The learning rate of the top machine.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        ctx: The device; that of the first machine if omitted.
        momentum: Momentum in [0, 1), or values by epoch: `{0: 0.5, 5: 0.9}`.
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If the machines do not fit each other.

    References:
        - Hinton, G. E., Osindero, S., & Teh, Y. W. (2006). A fast learning algorithm for deep
          belief nets. Neural Computation, 18(7), 1527-1554.
        - Hinton, G. E., & Salakhutdinov, R. R. (2006). Reducing the dimensionality of data with
          neural networks. Science, 313(5786), 504-507.
    """

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
        momentum: float | Mapping[int, float] | None = None,
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
        self.complete()

    def _check_machines(self, rbm_list: Sequence[Any]) -> tuple[Any, ...]:
        listed = check_list_of("rbm_list", rbm_list, RestrictedBoltzmannMachines, "machine")
        return super()._check_machines(listed)

    # -- layers ------------------------------------------------------------------------

    @property
    def machine(self) -> BipartiteMachine:
        """The top machine."""
        return self._rbm_list[-1].machine

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the features of all layers in a pass from below.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, *features)`; they are flattened.

        Returns:
            The features of the top layer, shape `(batch, units)`.
        """
        x = F.flatten(x)
        for machine in self._rbm_list:
            x = machine._up(F, x)
            machine.keep_features(x)
        self.keep_features(x)
        return x

    def inference(self, observed_arr: Any) -> nd.NDArray:
        """Return the features of the top layer; those of each are in `rbm_list[i]`.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`, any batch size.

        Returns:
            Shape `(batch, units of the top layer)`.
        """
        return MachineStack.inference(self, observed_arr)

    def _decoded(self, feature_arr: nd.NDArray) -> nd.NDArray:
        for machine in reversed(self._rbm_list):
            feature_arr = machine.decode(feature_arr)
        return feature_arr

    # -- learning ----------------------------------------------------------------------

    def learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Let the machines learn, the lower ones first; a second time, the top one goes on.

        What the lower machines recorded is in their own `history`; that of the top is here.

        Args:
            iteratable_data: Generates the mini-batches, for each machine anew.
            callbacks: Take part in the learning of the top machine. With a `Checkpoint` to go
                on from, it goes on without the lower ones.
        """
        callback_list = checked_callbacks(callbacks)
        if not (self._learned_layers or goes_on(callback_list)):
            self.pre_learn(iteratable_data)
            if not self._learned_layers:  # an interrupt ended it
                return
        self._learned_layers = True
        RestrictedBoltzmannMachines.learn(self, iteratable_data, callbacks=callback_list)

    def pre_learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Let all machines but the top one learn, each from the features of the last.

        Args:
            iteratable_data: Generates the mini-batches.
            callbacks: Take part in each of the learnings.
        """
        self._learned_layers = learn_greedily(
            self._rbm_list[:-1], iteratable_data, callbacks=callbacks
        )

    def build_trainer(self, parameters: gluon.ParameterDict) -> gluon.Trainer:  # noqa: ARG002
        """Return a trainer of the top machine: the lower ones have learned."""
        return RestrictedBoltzmannMachines.build_trainer(self, self._rbm_list[-1].collect_params())

    def _prepare(self, observed_arr: nd.NDArray) -> None:
        MachineStack._prepare(self, observed_arr)
        self._rbm_list[-1]._look_at(self._below(observed_arr))

    def _below(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Return what the top machine sees of data points."""
        visible_arr = observed_arr.reshape((observed_arr.shape[0], -1))
        return encoded(visible_arr, self._rbm_list[:-1])

    def _epoch_ended(self) -> None:
        super()._epoch_ended()
        self._rbm_list[-1]._epoch_n += 1

    def _train_step(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:  # noqa: ARG002
        top = self._rbm_list[-1]
        visible_arr = observed_arr.reshape((observed_arr.shape[0], -1))
        correlations, gradients, reconstructed, code = top.statistics(self._below(observed_arr))
        step_along(self, {top.weight: correlations}, gradients, l1_cost=top.l1_cost)
        if self.regularizatable_data_list:
            self.regularize()
        self._features = top._features = code
        for machine in reversed(self._rbm_list[:-1]):
            reconstructed = machine.decode(reconstructed)
        return self.compute_loss(reconstructed, visible_arr)

    def capture(self) -> tuple[dict[str, nd.NDArray], dict[str, Any]]:
        """Return what a checkpoint must hold beside parameters: that of the top machine."""
        return self._rbm_list[-1].capture()

    def resume(self, arrays: Mapping[str, nd.NDArray], values: Mapping[str, Any]) -> None:
        """Set what `capture` returned."""
        self._rbm_list[-1].resume(arrays, values)
        self._epoch_n = values["epoch_n"]

    def load_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Load parameters; `learn` then goes on with the top machine."""
        super().load_parameters(*args, **kwargs)
        self._learned_layers = True

    # -- probabilities and samples -----------------------------------------------------

    def energy(self, visible_arr: Any, hidden_arr: Any) -> nd.NDArray:
        """Return the energy of the top machine: the layers below it are directed.

        Args:
            visible_arr: States of its visible units, shape `(batch, units)`.
            hidden_arr: States of its hidden units, shape `(batch, units)`.

        Returns:
            Energy in nats, shape `(batch,)`.
        """
        return self._rbm_list[-1].energy(visible_arr, hidden_arr)

    def free_energy(self, visible_arr: Any) -> nd.NDArray:
        """Return the free energy, in the top machine, of features of the layers below it.

        Args:
            visible_arr: Visible states of the network, shape `(batch, visible units)`.

        Returns:
            Free energy in nats, shape `(batch,)`.
        """
        arr = self._below(self._visible("visible_arr", visible_arr))
        return self._rbm_list[-1].free_energy(arr)

    def log_likelihood(self, visible_arr: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        """Raise: the layers below the top cannot be summed out."""
        raise _intractable("log_likelihood")

    def pseudo_log_likelihood(self, visible_arr: Any, unit_n: Any = None) -> Any:  # noqa: ARG002
        """Raise: the layers below the top cannot be summed out."""
        raise _intractable("pseudo_log_likelihood")

    def log_partition(self, method: str = "auto", **kwargs: Any) -> Any:
        """Return log Z of the top machine.

        Args:
            method: `"exact"`, `"ais"` or `"auto"`.
            **kwargs: As in `RestrictedBoltzmannMachines.log_partition`; `data_arr` are data
                points of the network.
        """
        if kwargs.get("data_arr") is not None:
            data_arr = self._visible("data_arr", kwargs["data_arr"])
            kwargs["data_arr"] = self._below(data_arr)
        return self._rbm_list[-1].log_partition(method, **kwargs)

    def sample_hidden(self, visible_arr: Any) -> nd.NDArray:
        """Draw the top layer in a pass from below, drawing each layer.

        Args:
            visible_arr: Shape `(batch, visible units)`.

        Returns:
            Shape `(batch, units of the top layer)`.
        """
        arr = self._visible("visible_arr", visible_arr)
        for machine in self._rbm_list:
            arr = machine.sample_hidden(arr)
        return arr

    def sample_visible(self, hidden_arr: Any) -> nd.NDArray:
        """Draw visible units given the top layer: ancestral sampling, layer by layer.

        Args:
            hidden_arr: Shape `(batch, units of the top layer)`.

        Returns:
            Shape `(batch, visible units)`.
        """
        arr = self._hidden("hidden_arr", hidden_arr)
        for machine in reversed(self._rbm_list):
            arr = machine.sample_visible(arr)
        return arr

    def gibbs(self, visible_arr: Any, steps: int = 1, *, mean: bool = False) -> nd.NDArray:
        """Go up, run Gibbs sampling in the top machine, and come down again.

        Args:
            visible_arr: Visible states, shape `(batch, visible units)`.
            steps: Number of steps in the top machine.
            mean: Whether to return expectations of the visible units, not states.

        Returns:
            The visible units, shape `(batch, visible units)`.
        """
        arr = self._visible("visible_arr", visible_arr)
        for machine in self._rbm_list[:-1]:
            arr = machine.sample_hidden(arr)
        steps = check_integer("steps", steps, low=1)
        states, means = gibbs_chain(self.machine, arr, steps)
        return self._descend(states, means, mean)

    def draw(self, n: int, steps: int = 1000, *, mean: bool = False) -> nd.NDArray:
        """Draw new data points: Gibbs sampling in the top machine, then down layer by layer.

        Args:
            n: Number of data points.
            steps: Number of steps in the top machine.
            mean: Whether to return expectations of the visible units, not states.

        Returns:
            Shape `(n, visible units)`.
        """
        top = self._rbm_list[-1]
        if len(self._rbm_list) == 1:
            return top.draw(n, steps, mean=mean)
        states = top.draw(n, steps)
        return self._descend(states, states, mean)

    def _descend(self, states: nd.NDArray, means: nd.NDArray, mean: bool) -> nd.NDArray:
        """Draw the layers below the visible side of the top machine."""
        for machine in reversed(self._rbm_list[:-1]):
            given = states
            states, means = machine.sample_visible(given), machine.decode(given)
        return means if mean else states

    # -- fine-tuning -------------------------------------------------------------------

    def unroll(self, **kwargs: Any) -> AutoEncoder:
        """Return an auto-encoder with copies of the layers, for fine-tuning.

        Args:
            **kwargs: Arguments of `AutoEncoder`: `learning_rate`, `optimizer_name`, …; the loss
                is that of this network unless `computable_loss` is given.
        """
        down: list[Layer] = [
            (m._layers_of_passes()[1], m.visible_bias.data(), m.visible_activation)
            for m in reversed(self._rbm_list)
        ]
        return auto_encoder_of(self._up_layers(), down, self, **kwargs)

    def unroll_classifier(
        self, class_n: int, computable_loss: Any, **kwargs: Any
    ) -> NeuralNetworks:
        """Return a classifier with copies of the layers, and a new one on top.

        Args:
            class_n: Number of classes.
            computable_loss: The loss, such as softmax cross-entropy.
            **kwargs: Arguments of `NeuralNetworks`: `learning_rate`, `optimizer_name`, …
        """
        return network_of(
            self._up_layers(),
            self,
            computable_loss=computable_loss,
            class_n=check_integer("class_n", class_n, low=2),
            **kwargs,
        )

    def _up_layers(self) -> list[Layer]:
        return [
            (m._layers_of_passes()[0], m.hidden_bias.data(), m.hidden_activation)
            for m in self._rbm_list
        ]


def _intractable(what: str) -> ValueError:
    return ValueError(
        f"`{what}` is intractable for a deep belief network: the layers below the top machine "
        f"cannot be summed out. `free_energy` compares data points by the top machine."
    )
