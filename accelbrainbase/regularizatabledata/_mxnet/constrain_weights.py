"""A limit on the size of weights, on the device."""

from __future__ import annotations

import math
from typing import Any

from mxnet import gluon, nd

from accelbrainbase._checks import check_is_a
from accelbrainbase.regularizatabledata.constrain_weights import SHRINKAGE
from accelbrainbase.regularizatabledata.constrain_weights import (
    ConstrainWeights as NeutralConstrainWeights,
)


class ConstrainWeights(NeutralConstrainWeights):
    __doc__ = NeutralConstrainWeights.__doc__

    _graph: _Shrinkage | None = None

    def constrain_weight(self, weight_arr: nd.NDArray) -> nd.NDArray:
        """Return the weights, shrunk to the limit. `weight_arr` is not modified.

        Nothing waits for the device, so it is not known here whether a weight was above
        the limit: the result is always a new array.

        Args:
            weight_arr: Weights of one layer, shape `(units, *incoming)`.

        Returns:
            Array of the same shape, dtype and context.

        Raises:
            TypeError: If `weight_arr` is not an NDArray.
        """
        check_is_a("weight_arr", weight_arr, nd.NDArray)
        settings = (self.weight_limit, self.per_unit)
        if self._graph is None or self._graph.settings != settings:
            self._graph = _Shrinkage(*settings)
            # As a graph, the many small operators take half the time.
            self._graph.hybridize()
        return self._graph(weight_arr)


class _Shrinkage(gluon.HybridBlock):
    """The constraint as a graph."""

    def __init__(self, weight_limit: float, per_unit: bool) -> None:
        super().__init__()
        self.settings = (weight_limit, per_unit)

    def hybrid_forward(self, F: Any, weight_arr: Any) -> Any:
        weight_limit, per_unit = self.settings
        if per_unit:
            flat = F.reshape(weight_arr, (0, -1))
            row = F.reshape(F.slice_axis(flat, axis=0, begin=0, end=1), (-1,))
            # A product with ones is several times faster than a sum over an axis.
            squares = F.expand_dims(F.dot(F.square(flat), F.ones_like(row)), axis=1)
            factor = F.sqrt(weight_limit / F.maximum(squares, weight_limit))
        else:
            flat = F.reshape(weight_arr, (-1,))
            total = F.dot(flat, flat)
            # The loop "while the sum of squares is above the limit: times 0.9", in closed form.
            times = F.ceil(F.log(weight_limit / total) / math.log(SHRINKAGE**2))
            shrunk = SHRINKAGE ** F.maximum(times, 0)
            factor = F.where(total > weight_limit, shrunk, F.ones_like(shrunk))
        return F.reshape_like(F.broadcast_mul(flat, factor), weight_arr)
