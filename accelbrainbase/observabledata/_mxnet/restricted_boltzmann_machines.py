"""Restricted Boltzmann machines."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from mxnet import gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_choice, check_integer, check_number
from accelbrainbase._mxnet.boltzmann.bipartite_machine import BipartiteMachine
from accelbrainbase._mxnet.boltzmann.contrastive_divergence import ContrastiveDivergence
from accelbrainbase._mxnet.boltzmann.distribution import Distribution
from accelbrainbase._mxnet.boltzmann.epoch_counter import EpochCounter
from accelbrainbase._mxnet.boltzmann.kinds_of_units import HIDDEN_UNITS, VISIBLE_UNITS, units_of
from accelbrainbase._mxnet.boltzmann.schedule import Schedule
from accelbrainbase._mxnet.boltzmann.statistics_step import Correlations, step_along
from accelbrainbase._mxnet.loss_block import LossBlock
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.learning.callback import Callback, checked_callbacks
from accelbrainbase.regularizatable_data import RegularizatableData

_LEARNED = "learned"
_NO_MOMENTUM = 1e-30  # lost in rounding beside any gradient
_MACHINE = "_RestrictedBoltzmannMachines__visible_unit"


class RestrictedBoltzmannMachines(Distribution, LossBlock):
    r"""A restricted Boltzmann machine: visible and hidden units, connected only to each other.

    .. math::
        p(v, h) = e^{-E(v, h)} / Z, \qquad E(v, h) = -a^\top v - b^\top h - h^\top W v

    Within a layer the units are independent given the other layer. The gradient of the
    log-likelihood is a difference of expectations, ⟨h vᵀ⟩ of the data minus ⟨h vᵀ⟩ of the
    model. Contrastive divergence (CD-k) estimates the latter by `cd_k` steps of Gibbs sampling
    from the data; persistent contrastive divergence (`persistent=True`) by chains that go on
    from step to step. No gradient is propagated back, and nothing is minimised but this:
    `computable_loss` is what is *recorded*, the loss of the reconstruction.

    The activations choose the kind of units: `"sigmoid"` Bernoulli (0 or 1), `"tanh"` spins
    (−1 or 1), `"identity"` Gaussian (visible only; normalise the data to unit variance, or
    learn it), `"relu"` noisy rectified (hidden only).

    Dropout leaves out hidden (visible) units for each sample, in both phases: a dropout RBM.
    `encode`, `decode` and `inference` then scale what one layer gets from the other by the
    share that was kept; energies and probabilities are those of the machine with all units.

    Args:
        computable_loss: The loss of the reconstruction, which is recorded.
        visible_activation: Kind of the visible units: `"sigmoid"`, `"tanh"` or `"identity"`.
        hidden_activation: Kind of the hidden units: `"sigmoid"`, `"tanh"` or `"relu"`.
        visible_dim: Number of visible units.
        hidden_dim: Number of hidden units.
        initializer: Draws the initial weights; by default N(0, 1 / visible_dim).
        optimizer_name: Name of a Gluon optimiser. With `"SGD"` steps are made in place.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        visible_dropout_rate: Share of visible units that are left out, in [0, 1).
        hidden_dropout_rate: Share of hidden units that are left out, in [0, 1).
        visible_batch_norm: Must be `None`.
        hidden_batch_norm: Must be `None`.
        regularizatable_data_list: Constraints, applied after each step.
        ctx: The device.
        cd_k: Number of Gibbs steps, or numbers by epoch: `{0: 1, 10: 5}` is 1 in the first ten
            epochs, then 5.
        persistent: Whether the chains go on from step to step.
        chain_n: Number of persistent chains; by default as many as the first mini-batch has
            data points.
        momentum: Momentum in [0, 1), or values by epoch: `{0: 0.5, 5: 0.9}`. `None`: what
            `optimizer_params` says.
        l1_cost: Factor on the sum of absolute weights, which is added to what is minimised.
            (`wd` is that of half their squares. Biases have no cost.)
        sparsity_target: Wanted mean activity of the hidden units, in (0, 1). `None`: any.
        sparsity_cost: Factor on the difference from it.
        sparsity_decay: Share of the running mean of the activity that each mini-batch keeps.
        visible_variance: Variance of Gaussian visible units: a number, or `"learned"`.
        bias_from_data: Whether visible biases that are still 0 are set from the first
            mini-batch before learning: log p / (1 − p), p the share of data points in which a
            unit is on.
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`, `scale`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.

    Attributes:
        visible_dim: Number of visible units.
        hidden_dim: Number of hidden units.
        weight: W, shape `(hidden_dim, visible_dim)`.
        visible_bias: a, shape `(visible_dim,)`.
        hidden_bias: b, shape `(hidden_dim,)`.
        fantasy_arr: Hidden states of the persistent chains, shape `(chain_n, hidden_dim)`, or
            `None` before there are any.
        mean_activity_arr: Running mean of the hidden activity, shape `(1, hidden_dim)`; `None`
            without `sparsity_target`.

    Example:
        >>> rbm = RestrictedBoltzmannMachines(
        ...     L2NormLoss(), visible_dim=784, hidden_dim=500, learning_rate=0.05,
        ...     momentum={0: 0.5, 5: 0.9},
        ... )

    References:
        - Ackley, D. H., Hinton, G. E., & Sejnowski, T. J. (1985). A learning algorithm for
          Boltzmann machines. Cognitive Science, 9(1), 147-169.
        - Hinton, G. E. (2002). Training products of experts by minimizing contrastive
          divergence. Neural Computation, 14(8), 1771-1800.
        - Tieleman, T. (2008). Training restricted Boltzmann machines using approximations to
          the likelihood gradient. ICML.
        - Hinton, G. E. (2012). A practical guide to training restricted Boltzmann machines.
        - Nair, V., & Hinton, G. E. (2010). Rectified linear units improve restricted Boltzmann
          machines. ICML.
        - Cho, K., Ilin, A., & Raiko, T. (2011). Improved learning of Gaussian-Bernoulli
          restricted Boltzmann machines. ICANN.
        - Srivastava, N., et al. (2014). Dropout: a simple way to prevent neural networks from
          overfitting. Journal of Machine Learning Research, 15, 1929-1958. Section 8.
    """

    fantasy_arr: nd.NDArray | None = None
    mean_activity_arr: nd.NDArray | None = None

    _visible_activity_arr: nd.NDArray | None = None
    _hidden_activity_arr: nd.NDArray | None = None
    _epoch_n = 0

    def __init__(
        self,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        visible_activation: str = "sigmoid",
        hidden_activation: str = "sigmoid",
        visible_dim: int = 1000,
        hidden_dim: int = 100,
        initializer: Initializer | None = None,
        optimizer_name: str = "SGD",
        learning_rate: float = 0.005,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        visible_dropout_rate: float = 0.0,
        hidden_dropout_rate: float = 0.0,
        visible_batch_norm: Any = None,
        hidden_batch_norm: Any = None,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        ctx: Any = None,
        *,
        cd_k: int | Mapping[int, int] = 1,
        persistent: bool = False,
        chain_n: int | None = None,
        momentum: float | Mapping[int, float] | None = None,
        l1_cost: float = 0.0,
        sparsity_target: float | None = None,
        sparsity_cost: float = 0.1,
        sparsity_decay: float = 0.95,
        visible_variance: float | str = 1.0,
        bias_from_data: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            computable_loss=computable_loss,
            initializer=initializer,
            optimizer_name=optimizer_name,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            regularizatable_data_list=regularizatable_data_list,
            ctx=ctx,
            **kwargs,
        )
        for name, norm in (
            ("visible_batch_norm", visible_batch_norm),
            ("hidden_batch_norm", hidden_batch_norm),
        ):
            _refuse_batch_norm(name, norm)
        self.visible_dim = check_integer("visible_dim", visible_dim, low=1)
        self.hidden_dim = check_integer("hidden_dim", hidden_dim, low=1)
        self._visible_units = units_of("visible_activation", visible_activation, VISIBLE_UNITS)
        self._hidden_units = units_of("hidden_activation", hidden_activation, HIDDEN_UNITS)
        self._dropout_rates = (
            check_number(
                "visible_dropout_rate", visible_dropout_rate, low=0.0, high=1.0, high_open=True
            ),
            check_number(
                "hidden_dropout_rate", hidden_dropout_rate, low=0.0, high=1.0, high_open=True
            ),
        )
        self.persistent = bool(persistent)
        if self.persistent and any(self._dropout_rates):
            raise ValueError(
                "`persistent` must be False with dropout: a chain that goes on from step to step "
                "would belong to another machine at each step."
            )
        self._cd_k = Schedule("cd_k", cd_k, partial(check_integer, low=1))
        self._momentum = None
        if momentum is not None:
            check = partial(check_number, low=0.0, high=1.0, high_open=True)
            self._momentum = Schedule("momentum", momentum, check)
        self.chain_n = None if chain_n is None else check_integer("chain_n", chain_n, low=1)
        self.l1_cost = check_number("l1_cost", l1_cost, low=0.0)
        self._set_sparsity(sparsity_target, sparsity_cost, sparsity_decay)
        self.bias_from_data = bool(bias_from_data)
        self._factors = (1.0, 1.0)
        self._kernels: dict[Any, ContrastiveDivergence] = {}
        self._rows: dict[tuple[int, float], nd.NDArray] = {}
        self._build(visible_variance)
        self.complete()

    def _set_sparsity(self, target: float | None, cost: float, decay: float) -> None:
        if target is not None:
            target = check_number(
                "sparsity_target", target, low=0.0, high=1.0, low_open=True, high_open=True
            )
            if self._hidden_units.activation != "sigmoid":
                raise ValueError(
                    "`sparsity_target` needs hidden units that are on or off, "
                    '`hidden_activation="sigmoid"`.'
                )
        self.sparsity_target = target
        self.sparsity_cost = check_number("sparsity_cost", cost, low=0.0)
        self.sparsity_decay = check_number(
            "sparsity_decay", decay, low=0.0, high=1.0, high_open=True
        )

    def _build(self, visible_variance: float | str) -> None:
        new = self.params.get
        self.weight = new("weight", shape=(self.hidden_dim, self.visible_dim))
        self.visible_bias = new("visible_bias", shape=(self.visible_dim,), init="zeros", wd_mult=0)
        self.hidden_bias = new("hidden_bias", shape=(self.hidden_dim,), init="zeros", wd_mult=0)
        self._fixed_variance = 1.0
        if visible_variance == _LEARNED:
            if self._visible_units.states is not None:
                raise ValueError(
                    '`visible_variance="learned"` needs Gaussian visible units, '
                    '`visible_activation="identity"`.'
                )
            self.log_variance = new(
                "log_variance", shape=(self.visible_dim,), init="zeros", wd_mult=0
            )
        elif isinstance(visible_variance, str):
            check_choice("visible_variance", visible_variance, ["a number", _LEARNED])
        else:
            self._fixed_variance = check_number(
                "visible_variance", visible_variance, low=0.0, low_open=True
            )

    def _set_factors(self, factors: tuple[float, float]) -> None:
        """Set factors on what hidden units get from visible ones, and the other way round."""
        if factors != self._factors:
            self._factors = factors
            self._clear_cached_op()

    # -- the network -------------------------------------------------------------------

    def _check_container_with_block(self) -> None:
        """The kernels of learning are no children: they have no parameters."""

    @read_only
    def visible_activation(self) -> str:
        """The activation that chose the kind of the visible units."""
        return self._visible_units.activation

    @read_only
    def hidden_activation(self) -> str:
        """The activation that chose the kind of the hidden units."""
        return self._hidden_units.activation

    def _settings(self) -> dict[str, Any]:
        chains = f"PCD-{self._cd_k}" if self.persistent else f"CD-{self._cd_k}"
        units = (
            f"{self.visible_dim} {self._visible_units.kind} - "
            f"{self.hidden_dim} {self._hidden_units.kind}"
        )
        return {"units": units, "learns by": chains, **super()._settings()}

    def hybrid_forward(self, F: Any, x: Any, *args: Any, **parameters: Any) -> Any:  # noqa: ARG002
        """Compute the reconstruction; while a graph is traced, the features too."""
        return super().hybrid_forward(F, x, *args)

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Reconstruct: the expectation of the hidden units, and what they expect.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, *features)`; they are flattened.

        Returns:
            The reconstruction, shape `(batch, visible_dim)`.
        """
        code = self._up(F, F.flatten(x))
        self.keep_features(code)
        return self._down(F, code)

    def _up(self, F: Any, visible_arr: Any) -> Any:
        factor = self._factors[0] * (1.0 - self._dropout_rates[0])
        if hasattr(self, "log_variance"):
            precision = F.exp(-F.reshape(_value(F, self.log_variance), (1, -1)))
            visible_arr = F.broadcast_mul(visible_arr, precision)
        elif self._visible_units.states is None:
            factor /= self._fixed_variance
        x = F.FullyConnected(
            visible_arr if factor == 1.0 else visible_arr * factor,
            _value(F, self.weight),
            _value(F, self.hidden_bias),
            num_hidden=self.hidden_dim,
        )
        return self._hidden_units.mean(F, x)

    def _down(self, F: Any, hidden_arr: Any) -> Any:
        factor = self._factors[1] * (1.0 - self._dropout_rates[1])
        x = F.FullyConnected(
            hidden_arr if factor == 1.0 else hidden_arr * factor,
            F.transpose(_value(F, self.weight)),
            _value(F, self.visible_bias),
            num_hidden=self.visible_dim,
        )
        return self._visible_units.mean(F, x)

    def _layers_of_passes(self) -> tuple[nd.NDArray, nd.NDArray]:
        """Return the weights that dense layers need to compute `encode` and `decode`.

        Returns:
            Upwards, shape `(hidden_dim, visible_dim)`; downwards, shape
            `(visible_dim, hidden_dim)`.
        """
        visible_rate, hidden_rate = self._dropout_rates
        weight = self.weight.data()
        up = weight * (1.0 - visible_rate)
        if self.variance_arr is not None:
            up = nd.broadcast_div(up, self.variance_arr)
        return up, weight.T * (1.0 - hidden_rate)

    @property
    def variance_arr(self) -> nd.NDArray | None:
        """Variance of Gaussian visible units, shape `(1, visible_dim)`; else `None`."""
        if self._visible_units.states is not None:
            return None
        if hasattr(self, "log_variance"):
            return nd.exp(self.log_variance.data()).reshape((1, -1))
        return nd.full((1, self.visible_dim), self._fixed_variance, ctx=self.ctx)

    @property
    def machine(self) -> BipartiteMachine:
        """The machine whose energies and probabilities the methods return."""
        return BipartiteMachine(
            self.weight.data(),
            self.visible_bias.data(),
            self.hidden_bias.data(),
            self._visible_units,
            self._hidden_units,
            self.variance_arr,
        )

    # -- inference ---------------------------------------------------------------------

    def inference(self, observed_arr: Any) -> nd.NDArray:
        """Reconstruct data points; `feature_points_arr` has the features then.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`, any batch size.

        Returns:
            The reconstruction, shape `(batch, visible_dim)`.
        """
        output = super().inference(observed_arr)
        self.visible_activity_arr, self.hidden_activity_arr = output, self.kept_features()
        return output

    def encode(self, observed_arr: Any) -> nd.NDArray:
        """Return the expectation of the hidden units given data points: the features.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.

        Returns:
            Shape `(batch, hidden_dim)`.
        """
        return self._up(nd, self._visible("observed_arr", observed_arr))

    def decode(self, hidden_arr: Any) -> nd.NDArray:
        """Return the expectation of the visible units given hidden ones.

        Args:
            hidden_arr: NDArray or NumPy array, shape `(batch, hidden_dim)`.

        Returns:
            Shape `(batch, visible_dim)`.
        """
        return self._down(nd, self._hidden("hidden_arr", hidden_arr))

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """Expectations of the hidden units in the last forward pass or step of learning.

        Shape `(batch, hidden_dim)`.
        """
        return self.kept_features()

    def _visible(self, name: str, arr: Any) -> nd.NDArray:
        arr = self.on_device(name, arr)
        self._check_visible(name, arr)
        return arr.reshape((arr.shape[0], -1))

    def _hidden(self, name: str, arr: Any) -> nd.NDArray:
        arr = self.on_device(name, arr)
        if arr.ndim != 2 or arr.shape[1] != self.hidden_dim or not arr.shape[0]:
            raise ValueError(
                f"`{name}` must have shape (batch, {self.hidden_dim}), but got {arr.shape}."
            )
        return arr

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        self._check_visible("observed_arr", observed_arr)

    def _check_visible(self, name: str, arr: nd.NDArray) -> None:
        if arr.ndim < 2 or 0 in arr.shape:
            raise ValueError(
                f"`{name}` must have shape (batch, features), with at least one data point, but "
                f"got {arr.shape}. Put a single one into a batch by `{name}.reshape((1, -1))`."
            )
        if math.prod(arr.shape[1:]) != self.visible_dim:
            raise ValueError(
                f"`{name}` must have {self.visible_dim} features for each data point, as many as "
                f"this {type(self).__name__} has visible units, but got shape {arr.shape}. Build "
                f"it with `visible_dim={math.prod(arr.shape[1:])}`."
            )

    # -- learning ----------------------------------------------------------------------

    def run_loop(
        self, *args: Any, callbacks: Iterable[Callback] | None = None, **kwargs: Any
    ) -> None:
        """Let the loop run, and count the epochs that schedules go by."""
        counter = EpochCounter(self._epoch_ended)
        super().run_loop(*args, callbacks=[counter, *checked_callbacks(callbacks)], **kwargs)

    def _epoch_ended(self) -> None:
        self._epoch_n += 1
        self._apply_momentum()

    def _apply_momentum(self) -> None:
        if self._momentum is not None:
            self.trainer.optimizer.momentum = self._momentum_now(self._momentum)

    def _momentum_now(self, schedule: Schedule) -> float:
        # An optimiser that takes its first step with a momentum of 0 never has any.
        least = _NO_MOMENTUM if schedule.highest() else 0.0
        return max(least, float(schedule.at(self._epoch_n)))

    def build_trainer(self, parameters: gluon.ParameterDict) -> gluon.Trainer:
        """Return a trainer for `parameters`, with the momentum of the schedule.

        Args:
            parameters: What it updates.
        """
        trainer = super().build_trainer(parameters)
        if self._momentum is None:
            return trainer
        if not hasattr(trainer.optimizer, "momentum"):
            raise ValueError(
                f"`momentum` must be None with `optimizer_name={self.optimizer_name!r}`, which "
                f"has none; its settings go into `optimizer_params`."
            )
        given, self.optimizer_params = self.optimizer_params, dict(self.optimizer_params)
        self.optimizer_params["momentum"] = self._momentum.highest()
        try:
            trainer = super().build_trainer(parameters)
        finally:
            self.optimizer_params = given
        trainer.optimizer.momentum = self._momentum_now(self._momentum)
        return trainer

    def _prepare(self, observed_arr: nd.NDArray) -> None:
        super()._prepare(observed_arr)
        self._look_at(observed_arr.reshape((observed_arr.shape[0], -1)))

    def _look_at(self, visible_arr: nd.NDArray) -> None:
        """Check the first mini-batch, and take visible biases from it."""
        _check_range(visible_arr, self._visible_units)
        if self.bias_from_data and not self.visible_bias.data().norm().asscalar():
            self.visible_bias.set_data(self._bias_of(visible_arr))

    def _bias_of(self, visible_arr: nd.NDArray) -> nd.NDArray:
        """Return the visible biases with which the units have the mean of the data."""
        states, batch_size = self._visible_units.states, visible_arr.shape[0]
        total = visible_arr.sum(axis=0)
        if states is None:
            return total / batch_size
        # As if each state had been seen once more: no bias is infinite.
        mean = (total + sum(states)) / (batch_size + 2.0)
        return self._visible_units.input_of(nd, mean.clip(*_inner(states)))

    def _first_particles(self, visible_arr: nd.NDArray) -> nd.NDArray:
        chain_n = self.chain_n or visible_arr.shape[0]
        rows = nd.array(np.arange(chain_n) % visible_arr.shape[0], ctx=self.ctx)
        return self.machine.sample_hidden(visible_arr.take(rows))

    def _train_step(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:  # noqa: ARG002
        visible_arr = observed_arr.reshape((observed_arr.shape[0], -1))
        correlations, gradients, reconstructed, code = self.statistics(visible_arr)
        step_along(self, {self.weight: correlations}, gradients, l1_cost=self.l1_cost)
        if self.regularizatable_data_list:
            self.regularize()
        self._features = self.hidden_activity_arr = code
        self.visible_activity_arr = reconstructed
        return self.compute_loss(reconstructed, visible_arr)

    def statistics(
        self, visible_arr: nd.NDArray
    ) -> tuple[Correlations, dict[gluon.Parameter, nd.NDArray], nd.NDArray, nd.NDArray]:
        """Run the Gibbs chain of one step of learning, and gather its statistics.

        Args:
            visible_arr: A mini-batch, shape `(batch, visible_dim)`.

        Returns:
            What the gradient of the weight is made of; for the other parameters, gradients of
            the negative log-likelihood as estimated, summed over the batch; the
            reconstruction; and the expectations of the hidden units.
        """
        batch_size = visible_arr.shape[0]
        arrays = [
            self.weight.data(),
            self.visible_bias.data(),
            self.hidden_bias.data(),
            self._row_of(batch_size, 1.0),
        ]
        if self._visible_units.states is None:
            arrays.append(self.variance_arr)
        if self.persistent:
            if self.fantasy_arr is None:
                self.fantasy_arr = self._first_particles(visible_arr)
            chain_n = self.fantasy_arr.shape[0]
            arrays += [self._row_of(chain_n, batch_size / chain_n), self.fantasy_arr]
        if self.sparsity_target is not None:
            arrays.append(self._penalty())
        outputs = self._kernel()(visible_arr, *arrays)
        learned, data_input, model_mean, model_input, visible_grad, hidden_grad = outputs[:6]
        reconstructed, code, state = outputs[6:9]
        if self.persistent:
            self.fantasy_arr = state
        if self.sparsity_target is not None:
            self._follow_activity(code)
        gradients = {self.visible_bias: visible_grad, self.hidden_bias: hidden_grad}
        if hasattr(self, "log_variance"):
            gradients[self.log_variance] = outputs[9]
        products = Correlations(learned, data_input, model_mean, model_input)
        return products, gradients, reconstructed, code

    def _row_of(self, n: int, value: float) -> nd.NDArray:
        key = (n, value)
        if key not in self._rows:
            self._rows[key] = nd.full((1, n), value, ctx=self.ctx)
        return self._rows[key]

    def _penalty(self) -> nd.NDArray:
        """Return the gradient of the penalty by the hidden inputs (Hinton 2012, section 11.1)."""
        if self.mean_activity_arr is None:
            self.mean_activity_arr = nd.full(
                (1, self.hidden_dim), self.sparsity_target, ctx=self.ctx
            )
        excess: nd.NDArray = self.mean_activity_arr - self.sparsity_target
        return self.sparsity_cost * excess

    def _follow_activity(self, code: nd.NDArray) -> None:
        keep, mean_arr = self.sparsity_decay, code.mean(axis=0, keepdims=True)
        before: nd.NDArray = self.mean_activity_arr
        self.mean_activity_arr = keep * before + (1.0 - keep) * mean_arr

    def _kernel(self) -> ContrastiveDivergence:
        key = (self._cd_k.at(self._epoch_n), self._factors, self.persistent, self._active)
        if key not in self._kernels:
            kernel = ContrastiveDivergence(
                self._visible_units,
                self._hidden_units,
                self.visible_dim,
                self.hidden_dim,
                key[0],
                persistent=self.persistent,
                input_factor=self._factors[0],
                output_factor=self._factors[1],
                visible_dropout_rate=self._dropout_rates[0],
                hidden_dropout_rate=self._dropout_rates[1],
                learned_variance=hasattr(self, "log_variance"),
                sparsity=self.sparsity_target is not None,
            )
            if self._active:
                # Memory is not shared between steps: the outputs stay what they are while the
                # next step is being computed.
                kernel.hybridize(static_alloc=False)
            self._kernels[key] = kernel
        return self._kernels[key]

    def _evaluate(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:  # noqa: ARG002
        visible_arr = observed_arr.reshape((observed_arr.shape[0], -1))
        return self.compute_loss(self.inference(observed_arr), visible_arr)

    def capture(self) -> tuple[dict[str, nd.NDArray], dict[str, Any]]:
        """Return what a checkpoint must hold beside parameters: chains, running means."""
        kept = {"fantasy": self.fantasy_arr, "mean_activity": self.mean_activity_arr}
        return {n: arr for n, arr in kept.items() if arr is not None}, {"epoch_n": self._epoch_n}

    def resume(self, arrays: Mapping[str, nd.NDArray], values: Mapping[str, Any]) -> None:
        """Set what `capture` returned."""
        self._epoch_n = values["epoch_n"]
        self.fantasy_arr = arrays.get("fantasy")
        self.mean_activity_arr = arrays.get("mean_activity")

    # -- contract attributes -----------------------------------------------------------

    @property
    def weights_arr(self) -> nd.NDArray:
        """The weights, shape `(hidden_dim, visible_dim)`. Setting copies."""
        return self.weight.data()

    @weights_arr.setter
    def weights_arr(self, value: Any) -> None:
        self._set("weights_arr", self.weight, value)

    @property
    def visible_bias_arr(self) -> nd.NDArray:
        """Biases of the visible units, shape `(visible_dim,)`. Setting copies."""
        return self.visible_bias.data()

    @visible_bias_arr.setter
    def visible_bias_arr(self, value: Any) -> None:
        self._set("visible_bias_arr", self.visible_bias, value)

    @property
    def hidden_bias_arr(self) -> nd.NDArray:
        """Biases of the hidden units, shape `(hidden_dim,)`. Setting copies."""
        return self.hidden_bias.data()

    @hidden_bias_arr.setter
    def hidden_bias_arr(self, value: Any) -> None:
        self._set("hidden_bias_arr", self.hidden_bias, value)

    def _set(self, name: str, parameter: gluon.Parameter, value: Any) -> None:
        arr = self.on_device(name, value)
        if arr is None or arr.shape != parameter.shape:
            raise ValueError(
                f"`{name}` must have shape {parameter.shape}, but got "
                f"{None if arr is None else arr.shape}."
            )
        parameter.set_data(arr)

    @property
    def visible_activity_arr(self) -> nd.NDArray | None:
        """Expectations of the visible units in the last inference or step of learning."""
        return self._visible_activity_arr

    @visible_activity_arr.setter
    def visible_activity_arr(self, value: nd.NDArray | None) -> None:
        self._visible_activity_arr = value

    @property
    def hidden_activity_arr(self) -> nd.NDArray | None:
        """Expectations of the hidden units in the last inference or step of learning."""
        return self._hidden_activity_arr

    @hidden_activity_arr.setter
    def hidden_activity_arr(self, value: nd.NDArray | None) -> None:
        self._hidden_activity_arr = value

    @read_only
    def loss_list(self) -> list[float]:
        """Training losses, one for each epoch."""
        return self.loss_arr[:, 0].tolist()

    @read_only
    def test_loss_list(self) -> list[float]:
        """Test losses, one for each epoch; NaN where there were no test data."""
        return self.loss_arr[:, 1].tolist()

    def get_test_loss_arr(self) -> list[float]:
        """Return `test_loss_list`, under the name that 1.1.0 gave it."""
        return self.test_loss_list

    # -- files -------------------------------------------------------------------------

    def _parameters_of_file(self, arrays: Mapping[str, Any]) -> dict[str, gluon.Parameter]:
        """Return the parameters by name; files of 1.1.0 have a dense layer for the hidden side."""
        for layer in (_MACHINE, "2"):
            if f"{layer}.weight" in arrays:
                parameters = {"visible_bias": self.visible_bias}
                for name in (layer, "2"):
                    if f"{name}.weight" in arrays:
                        parameters[f"{name}.weight"] = self.weight
                        parameters[f"{name}.bias"] = self.hidden_bias
                return parameters
        return super()._parameters_of_file(arrays)


def _value(F: Any, parameter: gluon.Parameter) -> Any:
    return parameter.data() if F is nd else parameter.var()


def _refuse_batch_norm(name: str, norm: Any) -> None:
    if norm is not None:
        raise ValueError(
            f"`{name}` must be None, but got {norm!r}: batch normalisation makes the input of a "
            f"unit depend on the other data points of the mini-batch, so the machine would have "
            f"no energy, and nothing to learn by contrastive divergence. Normalise the data "
            f"instead."
        )


def _inner(states: tuple[float, float]) -> tuple[float, float]:
    margin = 1e-4 * (states[1] - states[0])
    return states[0] + margin, states[1] - margin


def _check_range(visible_arr: nd.NDArray, units: Any) -> None:
    """Warn where data do not look like what the units can be."""
    if units.states is None:
        return
    low, high = float(visible_arr.min().asscalar()), float(visible_arr.max().asscalar())
    if low < units.states[0] or high > units.states[1]:
        warnings.warn(
            f"`observed_arr` has values from {low:g} to {high:g}, but {units.kind} visible units "
            f"are {units.states[0]:g} or {units.states[1]:g}. Scale the data, or use Gaussian "
            f'units: `visible_activation="identity"`.',
            UserWarning,
            stacklevel=2,
        )
