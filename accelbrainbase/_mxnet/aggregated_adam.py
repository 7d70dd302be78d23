"""Adam that updates many parameters in one operator."""

from __future__ import annotations

import math
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._mxnet.optimizers import Adam

_AT_ONCE = 40
_LARGEST = 2**14  # elements; for larger ones MXNet's own operator is the faster one


@mx.optimizer.register
class AggregatedAdam(Adam):
    """Adam, of which one operator updates up to 40 small parameters.

    MXNet's own calls an operator for each parameter, which takes most of the time of a step of
    a small network. The numbers are the same. Large parameters, and all with weight decay or
    clipped gradients, are updated by MXNet's own.

    Args:
        **kwargs: The arguments of `mxnet.optimizer.Adam`.

    References:
        - Kingma, D. P., & Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.
          Section 2.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.aggregate_num = _AT_ONCE
        self._factor: tuple[Any, nd.NDArray] | None = None

    def update(self, index: Any, weight: Any, grad: Any, state: Any) -> None:
        """Update parameters by their gradients."""
        if not isinstance(index, (tuple, list)):
            super().update(index, weight, grad, state)
            return
        together = []
        plain = self.clip_gradient is None
        for one, decay in zip(zip(index, weight, grad, state), self._get_wds(index)):
            arr = one[1]
            small = arr.size <= _LARGEST and arr.stype == "default" and arr.dtype == np.float32
            if plain and small and not decay:
                together.append(one)
            else:
                super().update(*one)
        if together:
            self._update_together(*zip(*together))

    def _update_together(self, index: Any, weight: Any, grad: Any, state: Any) -> None:
        self._update_count(index)
        rates = self._get_lrs(index)
        for number, key in enumerate(index):
            t = self._index_update_count[key]
            rates[number] *= math.sqrt(1.0 - self.beta2**t) / (1.0 - self.beta1**t)
        means, variances = zip(*state)
        nd.contrib.multi_adamw_update(
            weight,
            grad,
            means,
            variances,
            self._factor_on(weight[0].context),
            rates,
            [0.0] * len(weight),
            [1.0] * len(weight),
            out=list(weight),
            beta1=self.beta1,
            beta2=self.beta2,
            epsilon=self.epsilon,
        )

    def _factor_on(self, ctx: mx.Context) -> nd.NDArray:
        """Return `rescale_grad` as an array, which the operator wants."""
        if self._factor is None or self._factor[0] != (self.rescale_grad, ctx):
            self._factor = (self.rescale_grad, ctx), nd.array([self.rescale_grad], ctx=ctx)
        return self._factor[1]
