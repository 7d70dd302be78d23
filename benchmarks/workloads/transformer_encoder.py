"""A step of learning of a Transformer encoder: 2 layers, width 64, 4 heads, batch 32, length 32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.ours import learns

TITLE = "Transformer encoder, 2 layers of 64, length 32, step"
WARM_UP, REPEAT = 10, 30
GOALS = {"torch_eager": 1.0}

BATCH, LENGTH, WIDTH, HEADS, LAYERS = 32, 32, 64, 4, 2


def data(n: int = 10) -> np.ndarray:
    """Series of noise."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((n * BATCH, LENGTH, WIDTH)).astype(np.float32)


def our_model() -> Any:
    """Return the encoder of this library."""
    import accelbrainbase as ab

    # isort: split
    from mxnet import gluon

    return ab.TransformerEncoder(
        WIDTH, LAYERS, HEADS, gluon.loss.L2Loss(), dropout_rate=0.1, optimizer_name="Adam",
        learning_rate=1e-3,
    )  # fmt: skip


def ours() -> Callable[[int], None]:
    """This library, through `learn`, with dropout."""
    import accelbrainbase as ab

    iterator = ab.ArrayIterator(data(), batch_size=BATCH, epochs=1, seed=0)
    return learns(our_model(), iterator)


def torch_model() -> tuple[Any, Any]:
    """Return PyTorch, and its own encoder of the same sizes, pre-norm."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, 4 * WIDTH, dropout=0.1, batch_first=True, norm_first=True
    )
    norm = nn.LayerNorm(WIDTH)
    return torch, nn.TransformerEncoder(layer, LAYERS, norm, enable_nested_tensor=False)


def torch_eager() -> Callable[[int], None]:
    """PyTorch, with dropout."""
    torch, net = torch_model()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    arr = torch.from_numpy(data())

    def run(n: int) -> None:
        done = 0
        while done < n:
            for rows in torch.randperm(len(arr)).split(BATCH):
                batch = arr[rows]
                optimizer.zero_grad()
                loss = 0.5 * torch.square(net(batch) - batch).mean()
                loss.backward()
                optimizer.step()
                done += 1
                if done == n:
                    break
        loss.item()

    return run
