"""The largest memory of a process that learns a convolutional auto-encoder of 60,000 images."""

from __future__ import annotations

import resource
from collections.abc import Callable

from benchmarks.workloads import conv_auto_encoder as workload

TITLE = "60,000 images 28×28 through a convolutional auto-encoder: largest memory"
WARM_UP, REPEAT, UNIT = 0, 1, "MB"
BATCH, STEPS = 128, 469  # an epoch


def _peak(run: Callable[[int], None]) -> Callable[[int], float]:
    def measured(n: int) -> float:
        run(n * STEPS)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    return measured


def ours() -> Callable[[int], float]:
    """This library, with the images in an `ArrayIterator`."""
    return _peak(workload.ours(BATCH, STEPS))


def torch_eager() -> Callable[[int], float]:
    """PyTorch, with the images in a tensor."""
    return _peak(workload.torch_eager(BATCH, STEPS))


def predecessor() -> Callable[[int], float]:
    """The published 1.1.0."""
    return _peak(workload.predecessor(BATCH, STEPS))
