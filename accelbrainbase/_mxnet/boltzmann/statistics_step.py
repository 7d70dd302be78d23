"""A step along products of statistics, such as those of contrastive divergence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import HybridBlock

from accelbrainbase._mxnet.gluon_learner import GluonLearner


@dataclass(frozen=True)
class Correlations:
    """What the gradient of a weight is made of: ⟨s_out s_in⟩ of the data and of the model.

    Attributes:
        data_output: Shape `(batch, out)`.
        data_input: Shape `(batch, in)`.
        model_output: Shape `(chains, out)`.
        model_input: Shape `(chains, in)`.
    """

    data_output: nd.NDArray
    data_input: nd.NDArray
    model_output: nd.NDArray
    model_input: nd.NDArray

    @property
    def batch_size(self) -> int:
        """Number of data points."""
        return int(self.data_output.shape[0])

    @property
    def chain_n(self) -> int:
        """Number of chains."""
        return int(self.model_output.shape[0])

    def gradient_to(self, out: nd.NDArray) -> nd.NDArray:
        """Compute batch × (mean of the model − mean of the data), and return `out`.

        That is the gradient of the negative log-likelihood, summed over the data points.

        Args:
            out: Where it goes, shape `(out, in)`.
        """
        arrays = (self.model_output, self.model_input, self.data_output, self.data_input)
        left, right = _sides(*(arr.shape for arr in arrays))(*arrays)
        return nd.FullyConnected(left, right, no_bias=True, num_hidden=right.shape[0], out=out)


@lru_cache(maxsize=64)
def _sides(*shapes: tuple[int, ...]) -> HybridBlock:
    """Return the graph for arrays of these shapes, which is planned once."""
    (chain_n, _), _, (batch_size, _), _ = shapes
    graph = _Sides(batch_size / chain_n)
    graph.hybridize(static_alloc=True, static_shape=True)
    return graph


class _Sides(HybridBlock):
    """The factors of the gradient, so that it is one product by `FullyConnected`.

    `dot` and `linalg_gemm` are those of OpenBLAS, which took nearly twice as long on a processor
    that is newer than it, and four times before it was told which kernels to take.
    """

    def __init__(self, chain_weight: float) -> None:
        super().__init__()
        self._chain_weight = chain_weight

    def hybrid_forward(
        self, F: Any, model_output: Any, model_input: Any, data_output: Any, data_input: Any
    ) -> tuple[Any, Any]:
        """Return them, shapes `(out, chains + batch)` and `(in, chains + batch)`."""
        if self._chain_weight != 1.0:
            model_output = model_output * self._chain_weight
        left = F.concat(F.transpose(model_output), F.transpose(-data_output), dim=1)
        return left, F.concat(F.transpose(model_input), F.transpose(data_input), dim=1)


def step_along(
    learner: GluonLearner,
    correlations: Mapping[gluon.Parameter, Correlations],
    gradients: Mapping[gluon.Parameter, nd.NDArray],
    *,
    l1_cost: float = 0.0,
) -> None:
    """Take one step of the optimiser of `learner`.

    Args:
        learner: Its trainer takes the step.
        correlations: For each weight, what its gradient is made of.
        gradients: For each other parameter, what to descend along, summed over the batch.
        l1_cost: Factor on the sum of absolute weights, which is added to what is minimised.
    """
    batch_size = next(iter(correlations.values())).batch_size
    computed = dict(gradients)
    for weight, products in correlations.items():
        arr = products.gradient_to(weight.grad())
        if l1_cost:
            arr += (l1_cost * batch_size) * nd.sign(weight.data())
        computed[weight] = arr
    learner.update_by(computed, batch_size, learner.trainer)
