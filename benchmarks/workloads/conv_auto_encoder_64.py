"""A step of learning of a convolutional auto-encoder on 28×28, batch 64, Adam."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.workloads import conv_auto_encoder as workload

TITLE = "convolutional auto-encoder 28×28, 16-32, batch 64, step"
WARM_UP, REPEAT = 10, 50
GOALS = workload.GOALS
BATCH = 64


def ours() -> Callable[[int], None]:
    """This library."""
    return workload.ours(BATCH)


def torch_eager() -> Callable[[int], None]:
    """PyTorch, as a user would write it."""
    return workload.torch_eager(BATCH)


def torch_compile() -> Callable[[int], None]:
    """The same, compiled."""
    return workload.torch_compile(BATCH)


def predecessor() -> Callable[[int], None]:
    """The published 1.1.0."""
    return workload.predecessor(BATCH)
