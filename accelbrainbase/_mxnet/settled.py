"""Waiting until the device has written what it does not say that it writes."""

from __future__ import annotations

from mxnet import nd


def settle() -> None:
    """Wait for all pending work.

    Call it before parameters are read, copied or set as a whole, and before an inference that
    follows a step of learning.

    The running statistics of batch normalisation are written in its backward pass, of which
    MXNet's scheduler knows nothing: a copy that is asked for right after a step is made before
    that step has written, and a value that is set then is overwritten.
    """
    nd.waitall()
