"""The distribution that a restricted Boltzmann machine is: energies, likelihoods, samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_choice, check_integer
from accelbrainbase._mxnet.boltzmann.annealed_importance import (
    annealed_log_partition,
    inverse_temperatures,
)
from accelbrainbase._mxnet.boltzmann.bipartite_machine import EXACT_UNIT_N, BipartiteMachine
from accelbrainbase._mxnet.boltzmann.estimate import Estimate
from accelbrainbase._mxnet.boltzmann.gibbs_step import gibbs_chain

_SURELY_TOO_HIGH = 1.0  # nats; less may be the error of an estimate


class Distribution:
    """What a `RestrictedBoltzmannMachines` can be asked, of which this is a part.

    How it learns, it does not know.
    """

    visible_dim: int
    ctx: Any
    fantasy_arr: Any
    _visible_units: Any
    _hidden_units: Any

    @property
    def machine(self) -> BipartiteMachine:
        """Abstract: the machine whose energies and probabilities the methods return."""
        raise NotImplementedError

    def _visible(self, name: str, arr: Any) -> nd.NDArray:
        """Abstract: check visible states, and return them flat on the device."""
        raise NotImplementedError

    def _hidden(self, name: str, arr: Any) -> nd.NDArray:
        """Abstract: check hidden states, and return them on the device."""
        raise NotImplementedError

    def _bias_of(self, visible_arr: nd.NDArray) -> nd.NDArray:
        """Abstract: return the visible biases at which the machine alone has the data's mean."""
        raise NotImplementedError

    # -- energies and probabilities ----------------------------------------------------

    def energy(self, visible_arr: Any, hidden_arr: Any) -> nd.NDArray:
        """Return the energy of states of all units: lower means more probable.

        Args:
            visible_arr: Visible states, shape `(batch, visible_dim)`.
            hidden_arr: Hidden states, shape `(batch, hidden_dim)`.

        Returns:
            E(v, h) in nats, shape `(batch,)`.

        Raises:
            ValueError: If a shape does not fit; or if the hidden units are rectified: each
                stands for many copies, whose number alone does not say the energy.
        """
        self._need_states("energy")
        visible_arr = self._visible("visible_arr", visible_arr)
        hidden_arr = self._hidden("hidden_arr", hidden_arr)
        check_same_rows("hidden_arr", hidden_arr, visible_arr)
        return self.machine.energy(visible_arr, hidden_arr)

    def free_energy(self, visible_arr: Any) -> nd.NDArray:
        r"""Return the free energy of data points: lower means more probable.

        .. math:: F(v) = -a^\top v - \sum_j \log(1 + e^{b_j + W_j v})

        The hidden units are summed out, so nothing is sampled. Only differences between data
        points of one model have a meaning; `log_likelihood` subtracts log Z.

        Args:
            visible_arr: Visible states, shape `(batch, visible_dim)`.

        Returns:
            Free energy in nats, shape `(batch,)`.

        References:
            - Hinton, G. E. (2012). A practical guide to training restricted Boltzmann
              machines. Section 16.1.
        """
        return self.machine.free_energy(self._visible("visible_arr", visible_arr))

    def log_partition(
        self,
        method: str = "auto",
        *,
        data_arr: Any = None,
        chain_n: int = 100,
        temperature_n: int = 10_000,
        betas: Sequence[float] | None = None,
    ) -> Estimate:
        """Return log Z, the logarithm of the partition function, in nats.

        Args:
            method: `"exact"` sums over all states of the smaller side, of at most 20 units;
                `"ais"` estimates by annealed importance sampling; `"auto"` is exact where that
                is possible.
            data_arr: For AIS: data whose mean the base-rate model has, shape
                `(rows, *features)`. `None`: its visible biases are those of this machine.
            chain_n: For AIS: number of chains.
            temperature_n: For AIS: number of intermediate temperatures.
            betas: For AIS: the inverse temperatures, ascending from 0 to 1, instead of those of
                Salakhutdinov & Murray (2008).

        Returns:
            log Z: a `float` whose attribute `error` is its standard error (0 if exact).

        Raises:
            ValueError: If the method does not apply.
        """
        check_choice("method", method, ("auto", "exact", "ais"))
        machine = self.machine
        side = machine.smaller_side()
        if method == "exact" or (method == "auto" and side is not None and side <= EXACT_UNIT_N):
            if side is None or side > EXACT_UNIT_N:
                raise ValueError(
                    f'`method="exact"` needs a side of at most {EXACT_UNIT_N} units with two '
                    f"states each; this machine has "
                    f"{'none' if side is None else f'{side} on its smaller one'}. "
                    f'Use `method="ais"`.'
                )
            return Estimate(machine.exact_log_partition())
        self._need_states("log_partition")
        return annealed_log_partition(
            machine,
            self._base_bias(data_arr),
            chain_n=check_integer("chain_n", chain_n, low=1),
            betas=_check_betas(betas, temperature_n),
        )

    def _base_bias(self, data_arr: Any) -> nd.NDArray:
        if data_arr is None:
            return self.machine.visible_bias
        return self._bias_of(self._visible("data_arr", data_arr))

    def log_likelihood(
        self, visible_arr: Any, log_partition: float | None = None, **kwargs: Any
    ) -> nd.NDArray:
        """Return log p(v) of data points.

        Args:
            visible_arr: Visible states, shape `(batch, visible_dim)`.
            log_partition: What `log_partition` returned, so that it is computed once. Its
                error is the same for all data points. `None`: it is computed here.
            **kwargs: Arguments of `log_partition`, where it is computed here.

        Returns:
            Log-likelihood in nats (of a density, for Gaussian units), shape `(batch,)`.

        Raises:
            TypeError: If there are arguments of `log_partition`, and its value too.

        Warns:
            UserWarning: If a probability is above 1: log Z is too small.
        """
        log_z = self._log_z(log_partition, kwargs)
        return self._as_log_probability(-self.free_energy(visible_arr) - log_z)

    def _as_log_probability(self, arr: nd.NDArray) -> nd.NDArray:
        """Return log-probabilities, after a warning where those of states are above 0."""
        if self._visible_units.states is None:  # a density may be above 1
            return arr
        highest = float(arr.max().asscalar())
        if highest > _SURELY_TOO_HIGH:
            warnings.warn(
                f"A log-probability of {highest:.3g} nats is above 0, which is impossible: log Z "
                f"is too small. Where annealed importance sampling has estimated it, no chain has "
                f"found the modes of the model, and its `error` does not tell. Try more chains "
                f"and temperatures; if it is of other parameters, compute it anew.",
                UserWarning,
                stacklevel=3,
            )
        return arr

    def _log_z(self, log_partition: float | None, kwargs: dict[str, Any]) -> float:
        """Return log Z as given, or computed with the given arguments."""
        if log_partition is None:
            return float(self.log_partition(**kwargs))
        if kwargs:
            raise TypeError(
                f"`{next(iter(kwargs))}` must not be given together with `log_partition`, which "
                f"is not computed then."
            )
        return float(log_partition)

    def pseudo_log_likelihood(self, visible_arr: Any, unit_n: int | None = None) -> nd.NDArray:
        """Return the sum over the visible units of log p(v_i | all other visible units).

        It needs no partition function, and follows the log-likelihood roughly.

        Args:
            visible_arr: States of the visible units, shape `(batch, visible_dim)`.
            unit_n: Number of units, drawn at random, from which the sum is estimated. `None`
                takes all of them.

        Returns:
            Pseudo-log-likelihood in nats, shape `(batch,)`.

        Raises:
            ValueError: If the visible units are Gaussian.
        """
        if self._visible_units.states is None:
            raise ValueError(
                "`pseudo_log_likelihood` needs visible units with two states; those of this "
                "machine are Gaussian."
            )
        arr, machine = self._visible("visible_arr", visible_arr), self.machine
        units: Iterable[int] = range(self.visible_dim)
        if unit_n is not None:
            unit_n = min(check_integer("unit_n", unit_n, low=1), self.visible_dim)
            units = nd.random.shuffle(nd.arange(self.visible_dim)).asnumpy()[:unit_n].astype(int)
        total = nd.zeros((arr.shape[0],), ctx=self.ctx)
        for unit in units:
            total += machine.conditional_log_probability(arr, int(unit))
        return total if unit_n is None else total * (self.visible_dim / unit_n)

    def _need_states(self, what: str) -> None:
        if self._hidden_units.states is None:
            raise ValueError(
                f"`{what}` is not defined for {self._hidden_units.kind} hidden units: each "
                f"stands for many binary copies. `free_energy` is defined."
            )

    # -- samples -----------------------------------------------------------------------

    def sample_hidden(self, visible_arr: Any) -> nd.NDArray:
        """Draw hidden states given visible ones.

        Args:
            visible_arr: Shape `(batch, visible_dim)`.

        Returns:
            Shape `(batch, hidden_dim)`.
        """
        return self.machine.sample_hidden(self._visible("visible_arr", visible_arr))

    def sample_visible(self, hidden_arr: Any) -> nd.NDArray:
        """Draw visible states given hidden ones.

        Args:
            hidden_arr: Shape `(batch, hidden_dim)`.

        Returns:
            Shape `(batch, visible_dim)`.
        """
        return self.machine.sample_visible(self._hidden("hidden_arr", hidden_arr))

    def gibbs(self, visible_arr: Any, steps: int = 1, *, mean: bool = False) -> nd.NDArray:
        """Run Gibbs sampling from given visible states.

        Args:
            visible_arr: Where the chains start, shape `(batch, visible_dim)`.
            steps: Number of steps; each draws the hidden units, then the visible ones.
            mean: Whether to return expectations given the last hidden states, not states.

        Returns:
            The visible units, shape `(batch, visible_dim)`.
        """
        arr = self._visible("visible_arr", visible_arr)
        steps = check_integer("steps", steps, low=1)
        return gibbs_chain(self.machine, arr, steps)[1 if mean else 0]

    def draw(self, n: int, steps: int = 1000, *, mean: bool = False) -> nd.NDArray:
        """Draw new data points, by Gibbs sampling.

        The chains start at persistent chains of learning, where there are any; else at draws
        from the visible biases alone.

        Args:
            n: Number of data points.
            steps: Number of steps.
            mean: Whether to return expectations given the last hidden states, not states.

        Returns:
            Shape `(n, visible_dim)`.
        """
        n = check_integer("n", n, low=1)
        machine = self.machine
        if self.fantasy_arr is None:
            x = nd.broadcast_to(machine.visible_bias, shape=(n, self.visible_dim))
            units = self._visible_units
            arr = units.sample(nd, x, units.mean(nd, x), machine.variance)
        else:
            rows = nd.arange(n, ctx=self.ctx) % self.fantasy_arr.shape[0]
            arr = machine.sample_visible(self.fantasy_arr.take(rows))
        return self.gibbs(arr, steps, mean=mean)


def check_same_rows(name: str, hidden_arr: nd.NDArray, visible_arr: nd.NDArray) -> None:
    """Raise a `ValueError` unless there are hidden states for each of the visible ones.

    Args:
        name: Name of `hidden_arr`, for the message.
        hidden_arr: Hidden states, shape `(batch, hidden_dim)`.
        visible_arr: Visible states, shape `(batch, visible_dim)`.
    """
    if hidden_arr.shape[0] != visible_arr.shape[0]:
        raise ValueError(
            f"`{name}` must have a row for each of the {visible_arr.shape[0]} rows of "
            f"`visible_arr`, but has {hidden_arr.shape[0]}."
        )


def _check_betas(betas: Sequence[float] | None, temperature_n: int) -> np.ndarray:
    if betas is None:
        return inverse_temperatures(check_integer("temperature_n", temperature_n, low=3))
    arr = np.asarray(betas, dtype=np.float64)
    if arr.ndim != 1 or len(arr) < 2 or arr[0] != 0 or arr[-1] != 1 or (np.diff(arr) < 0).any():
        raise ValueError(
            "`betas` must be numbers that ascend from 0.0 to 1.0, but got "
            f"{arr.shape[0] if arr.ndim == 1 else arr.shape} of them."
        )
    return arr
