"""Mini-batches of 64 images from a folder, from the second epoch on: out of memory.

PyTorch's `DataLoader` has no such thing, and decodes anew.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.workloads import image_folder

TITLE = "image folder, kept in memory, mini-batch of 64"
WARM_UP, REPEAT = 30, 100  # an epoch has 29
GOALS = {"torch_eager": 5.0}


def ours() -> Callable[[int], None]:
    """This library, as it is by default."""
    return image_folder.ours(2**28)


torch_eager = image_folder.torch_eager
