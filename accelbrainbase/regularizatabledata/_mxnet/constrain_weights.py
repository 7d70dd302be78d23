"""A limit on the size of weights, on the device."""

from __future__ import annotations

import math

from mxnet import nd

from accelbrainbase._checks import check_is_a
from accelbrainbase.regularizatabledata.constrain_weights import SHRINKAGE
from accelbrainbase.regularizatabledata.constrain_weights import (
    ConstrainWeights as NeutralConstrainWeights,
)


class ConstrainWeights(NeutralConstrainWeights):
    __doc__ = NeutralConstrainWeights.__doc__

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
        limit = self.weight_limit
        if self.per_unit:
            flat = weight_arr.reshape((weight_arr.shape[0], -1))
            ones = nd.ones((flat.shape[1],), ctx=flat.context, dtype=flat.dtype)
            # A product with ones is several times faster than a sum over an axis.
            squares = nd.dot(nd.square(flat), ones).expand_dims(1)
            factor = (limit / nd.maximum(squares, limit)).sqrt()
            return nd.broadcast_mul(flat, factor).reshape(weight_arr.shape)
        flat = weight_arr.reshape((-1,))
        total = nd.dot(flat, flat)
        # The loop "while the sum of squares is above the limit: times 0.9", in closed form.
        times = nd.ceil((limit / total).log() / math.log(SHRINKAGE**2))
        shrunk = SHRINKAGE ** nd.maximum(times, 0)
        factor = nd.where(total > limit, shrunk, nd.ones_like(shrunk))
        return nd.broadcast_mul(flat, factor).reshape(weight_arr.shape)
