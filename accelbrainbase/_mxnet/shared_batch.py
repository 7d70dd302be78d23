"""A mini-batch in shares, such as of several devices, and the losses that they find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mxnet as mx
from mxnet import nd
from mxnet.gluon.utils import split_and_load

from accelbrainbase.learning.losses import Weighted


def split(arrays: Sequence[Any], contexts: Sequence[mx.Context]) -> list[tuple[Any, ...]]:
    """Share out the samples of a mini-batch, as evenly as can be.

    Args:
        arrays: NDArrays, the samples along axis 0; or `None`, which stays `None`.
        contexts: The devices.

    Returns:
        The arrays of each device. Where there are fewer samples than devices, the last devices
        get nothing, and are left out.
    """
    fewest = min(arr.shape[0] for arr in arrays if arr is not None)
    used = list(contexts[: max(1, fewest)])
    shares = [
        [None] * len(used) if arr is None else split_and_load(arr, used, even_split=False)
        for arr in arrays
    ]
    return list(zip(*shares))


def join(losses: Sequence[Any], sizes: Sequence[int], ctx: mx.Context) -> Any:
    """Join what was found in shares to what would have been found in the whole.

    Args:
        losses: What a step returns, of each share: an array, or a mapping of such by name.
        sizes: Number of samples of each share.
        ctx: Where the result goes.

    Returns:
        The same kind of thing. Numbers for each sample come one behind another; of one number for
        a whole mini-batch it is the mean by samples.
    """
    first = losses[0]
    if isinstance(first, Mapping):
        return {name: join([found[name] for found in losses], sizes, ctx) for name in first}
    if isinstance(first, Weighted):
        return Weighted(*(join(part, sizes, ctx) for part in zip(*losses)))
    if isinstance(first, nd.NDArray):
        losses = [arr.as_in_context(ctx) for arr in losses]
        if max(sizes) == 1 or any(arr.size > 1 for arr in losses):
            return nd.concat(*losses, dim=0)
    return sum(size * found for size, found in zip(sizes, losses)) / sum(sizes)
