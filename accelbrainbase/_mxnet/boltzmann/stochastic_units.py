"""What the units of a layer of a Boltzmann machine can be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class StochasticUnits(ABC):
    r"""The units of one layer, given their total input x from the other layer.

    In an energy that is linear in the state s of a unit, :math:`p(s \mid x) \propto e^{s x}`
    times what belongs to the kind of unit.

    Attributes:
        activation: The name of the activation function that chooses these units.
        kind: What they are called in papers.
        states: The states of one unit, lower one first; `None` if they are not two.
    """

    activation: str
    kind: str
    states: tuple[float, float] | None = None

    @abstractmethod
    def mean(self, F: Any, x: Any) -> Any:
        """Return the expectation of each unit.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Total input, shape `(batch, units)`.
        """

    @abstractmethod
    def sample(self, F: Any, x: Any, mean: Any, variance: Any = None) -> Any:
        """Draw a state of each unit.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Total input, shape `(batch, units)`.
            mean: What `mean` returned for it.
            variance: Of Gaussian units: their variance, shape `(1, units)`.
        """

    @abstractmethod
    def log_sum(self, F: Any, x: Any, variance: Any = None) -> Any:
        r"""Return :math:`\log \sum_s e^{s x}` of each unit: what is left of it when summed out.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Total input, shape `(batch, units)`.
            variance: Of Gaussian units: their variance, shape `(1, units)`.
        """

    def input_of(self, F: Any, mean: Any) -> Any:
        """Return the input that has this expectation: the inverse of `mean`.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            mean: Expectations, strictly between the states.
        """
        raise NotImplementedError(f"{self.kind} units have no inverse of the mean")

    def entropy(self, F: Any, x: Any) -> Any:
        """Return the entropy of each unit in nats: log Σ e^{sx} − x E[s].

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Total input, shape `(batch, units)`.
        """
        return self.log_sum(F, x) - x * self.mean(F, x)
