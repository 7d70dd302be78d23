"""From the start of Python to the end of the import."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.workloads.import_time import run_code

TITLE = "import"
WARM_UP, REPEAT = 1, 1


def ours() -> Callable[[int], None]:
    """This library, which loads MXNet when it is first used."""
    return run_code("import accelbrainbase")


def torch_eager() -> Callable[[int], None]:
    """PyTorch."""
    return run_code("import torch")
