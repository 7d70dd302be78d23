"""Puts the mini-batches of a neutral iterator on MXNet's device."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase._mxnet.host_copy import copied


class OnDevice:
    """Comes before a neutral iterator among the base classes.

    Attributes:
        ctx: The device.
    """

    ctx: mx.Context

    def _put(self, arr: np.ndarray) -> nd.NDArray:
        return copied(arr, self.ctx)


def device_of(extractor: Any, ctx: mx.Context | None) -> mx.Context:
    """Return `ctx`, or that of an extractor which has one, or the usual one."""
    return resolve_context(getattr(extractor, "ctx", None) if ctx is None else ctx)
