"""From the start of Python to the end of the first step of learning."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

TITLE = "start of Python to first step"
WARM_UP, REPEAT = 1, 1

OURS = """
import numpy as np
import accelbrainbase as ab
model = ab.NeuralNetworks(ab.L2NormLoss(), units_list=[8], activation_list=["tanh"])
model.learn(ab.ArrayIterator(np.ones((4, 8)), epochs=1, batch_size=4))
"""
TORCH = """
import torch
net = torch.nn.Linear(8, 8)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-5)
x = torch.ones(4, 8)
loss = (torch.tanh(net(x)) - x).square().mean()
loss.backward()
optimizer.step()
"""


def run_code(code: str) -> Callable[[int], None]:
    """Return what runs `code` in a new Python `n` times."""

    def run(n: int) -> None:
        for _ in range(n):
            subprocess.run([sys.executable, "-c", code], check=True)

    return run


def ours() -> Callable[[int], None]:
    """This library."""
    return run_code(OURS)


def torch_eager() -> Callable[[int], None]:
    """PyTorch."""
    return run_code(TORCH)
