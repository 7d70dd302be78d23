"""Optimisers of MXNet that stay fast, for small parameters and for large ones.

What an optimiser remembers of a weight that gets no more gradients (of a unit that is dead, say)
shrinks by a factor in each step, until its numbers are the least that there are. Processors take
ten times as long for those: so every 128th step they become 0. Nothing else changes by that, since
what is below 1e-30 moves no weight.

MXNet's `SGD` updates four parameters at a time by one operator, large ones too; but that operator
is slow on large arrays: matrices of 784 x 256 took twice the time by `multi_sgd_mom_update`, those
of 1000 x 1000 fourteen times that of `sgd_mom_update`, one after another (one thread). Small ones
gain. The numbers are the same, bit for bit; with weight decay and no momentum, up to rounding.
"""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

#: Number of elements up to which a parameter is small.
_SMALL = 128 * 128
#: Operators take no more than 60 parameters at once.
_MOST = 50
_ALL = 1 << 20
#: Steps between two looks for tiny numbers: 0.9 ** 128 of 1e-30 is an ordinary number yet.
_TIDY_EVERY, _TINY = 128, 1e-30


def make_optimizer(name: str, **settings: Any) -> mx.optimizer.Optimizer:
    """Return the optimiser of that name.

    Args:
        name: A name that `mxnet.optimizer.create` knows, in upper or lower case.
        **settings: Its arguments.

    Raises:
        TypeError: If it does not take one of them.
    """
    ours = {"sgd": SGD, "adam": Adam, "nag": NAG, "rmsprop": RMSProp}.get(name.lower())
    return mx.optimizer.create(name, **settings) if ours is None else ours(**settings)


class _Tidy(mx.optimizer.Optimizer):
    """Every 128th step, what is below 1e-30 in what is remembered of a parameter becomes 0."""

    def update_multi_precision(self, index: Any, weight: Any, grad: Any, state: Any) -> None:
        """Update one parameter, or as many as the lists have."""
        super().update_multi_precision(index, weight, grad, state)
        if isinstance(index, (list, tuple)):
            for one, remembered in zip(index, state):
                self._drop_tiny(one, remembered)
        else:
            self._drop_tiny(index, state)

    def _drop_tiny(self, index: int, state: Any) -> None:
        if self._index_update_count[index] % _TIDY_EVERY:
            return
        for arr in state if isinstance(state, (tuple, list)) else [state]:
            if arr is not None and arr.stype == "default" and arr.dtype == np.float32:
                nd.elemwise_mul(arr, nd.abs(arr) >= _TINY, out=arr)


class Adam(_Tidy, mx.optimizer.Adam):
    """Adam, as MXNet's, which it may replace in a checkpoint."""


class NAG(_Tidy, mx.optimizer.NAG):
    """Nesterov's momentum, as MXNet's, which it may replace in a checkpoint."""


class RMSProp(_Tidy, mx.optimizer.RMSProp):
    """RMSProp, as MXNet's, which it may replace in a checkpoint."""


class SGD(_Tidy, mx.optimizer.SGD):
    """Stochastic gradient descent, as MXNet's, which it may replace in a checkpoint."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.aggregate_num = _ALL  # all of them come here

    def update_multi_precision(self, index: Any, weight: Any, grad: Any, state: Any) -> None:
        """Update one parameter, or as many as the lists have."""
        if not isinstance(index, (list, tuple)):
            super().update_multi_precision(index, weight, grad, state)
            return
        small = []
        for entry in zip(index, weight, grad, state):
            if entry[1].size <= _SMALL or not _is_plain(*entry[1:3]):
                small.append(entry)
            else:
                self._update_alone(*entry)
        for begin in range(0, len(small), _MOST):
            super().update_multi_precision(*zip(*small[begin : begin + _MOST]))

    def _update_alone(self, index: int, weight: Any, grad: Any, state: Any) -> None:
        self._update_count(index)
        settings = {"lr": self._get_lr(index), "wd": self._get_wd(index)}
        settings.update(rescale_grad=self.rescale_grad, lazy_update=False)
        if self.clip_gradient:
            settings["clip_gradient"] = self.clip_gradient
        if state is None:
            nd.sgd_update(weight, grad, out=weight, **settings)
        else:
            nd.sgd_mom_update(weight, grad, state, out=weight, momentum=self.momentum, **settings)
        self._drop_tiny(index, state)


def _is_plain(weight: Any, grad: Any) -> bool:
    return weight.dtype == np.float32 and weight.stype == grad.stype == "default"
