"""The limit of the norm of gradients."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mxnet import nd
from mxnet.gluon import HybridBlock


def limit_norm(gradients: list[nd.NDArray], limit: float) -> None:
    """Scale arrays in place so that the norm of all together is at most `limit`.

    What `gluon.utils.clip_global_norm` does, without waiting for the norm and with a graph for it.

    Args:
        gradients: Arrays on one device.
        limit: The greatest norm, above 0.
    """
    factors = _graph(tuple(arr.shape for arr in gradients), limit)(*gradients)
    for arr in gradients:
        nd.broadcast_mul(arr, factors[arr.ndim - 1], out=arr)


@lru_cache(maxsize=64)
def _graph(shapes: tuple[tuple[int, ...], ...], limit: float) -> HybridBlock:
    """Return the graph for arrays of these shapes, which is planned once."""
    graph = _Factor(max(map(len, shapes)), limit)
    graph.hybridize(static_alloc=True, static_shape=True)
    return graph


class _Factor(HybridBlock):
    """What arrays are multiplied by, in the shape `(1,)`, `(1, 1)`, … for each number of axes."""

    def __init__(self, most_axes: int, limit: float) -> None:
        super().__init__()
        self._most_axes, self._limit = most_axes, limit

    def hybrid_forward(self, F: Any, *gradients: Any) -> list[Any]:
        """Compute the factor from the arrays."""
        rows = [F.reshape(arr, shape=(-1,)) for arr in gradients]
        squares = F.stack(*(F.dot(row, row) for row in rows))
        norm = F.sqrt(F.sum(squares))
        factor = self._limit / F.maximum(norm, self._limit)
        return [F.reshape(factor, shape=(1,) * n) for n in range(1, self._most_axes + 1)]
