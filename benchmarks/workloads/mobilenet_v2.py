"""A step of learning of MobileNetV2: batch 32, 3×96×96, 10 classes, SGD with momentum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.ours import learns

TITLE = "MobileNetV2 96x96, step"
WARM_UP, REPEAT = 2, 5
GOALS = {"torch_eager": 0.9}

BATCH, SIZE, CLASSES = 32, 96, 10
PARAMETERS = 2_236_682
"""As many as `torchvision.models.mobilenet_v2(num_classes=10)` has: the same network."""

TABLE_2 = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip
"""t, c, n, s of the paper."""


def data(n: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of noise, and classes."""
    rng = np.random.default_rng(0)
    pictures = rng.standard_normal((n * BATCH, 3, SIZE, SIZE), dtype=np.float32)
    return pictures, rng.integers(CLASSES, size=n * BATCH)


def our_model() -> Any:
    """Our model, whose shapes are known."""
    import accelbrainbase as ab

    model = ab.MobileNetV2.standard(
        class_n=CLASSES, optimizer_name="SGD", learning_rate=1e-3,
        optimizer_params={"momentum": 0.9},
    )  # fmt: skip
    model.compute_acc_flag = False
    model.inference(data(1)[0][:1])
    if model.parameter_n != PARAMETERS:
        raise RuntimeError(f"it has {model.parameter_n} parameters")
    return model


def ours() -> Callable[[int], None]:
    """This library, through `learn`."""
    import accelbrainbase as ab

    model = our_model()
    pictures, classes = data()
    one_hot = np.eye(CLASSES, dtype=np.float32)[classes]
    iterator = ab.ArrayIterator(pictures, one_hot, batch_size=BATCH, epochs=1, seed=0)
    return learns(model, iterator)


def torch_model() -> Any:
    """The network of torchvision, written out: its wheel is built for another PyTorch."""
    import torch
    from torch import nn

    torch.set_num_threads(1)

    def layer(into: int, out: int, kernel: int, stride: int, groups: int = 1, act: bool = True):
        parts: list[Any] = [
            nn.Conv2d(into, out, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(out),
        ]
        return [*parts, nn.ReLU6(inplace=True)] if act else parts

    class Bottleneck(nn.Module):
        def __init__(self, into: int, out: int, stride: int, expansion: int) -> None:
            super().__init__()
            hidden = into * expansion
            self.residual = stride == 1 and into == out
            self.branch = nn.Sequential(
                *(layer(into, hidden, 1, 1) if expansion != 1 else []),
                *layer(hidden, hidden, 3, stride, hidden),
                *layer(hidden, out, 1, 1, act=False),
            )

        def forward(self, x):
            return x + self.branch(x) if self.residual else self.branch(x)

    layers, maps = layer(3, 32, 3, 2), 32
    for expansion, out, n, stride in TABLE_2:
        for number in range(n):
            layers.append(Bottleneck(maps, out, stride if number == 0 else 1, expansion))
            maps = out
    layers += layer(maps, 1280, 1, 1)
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, CLASSES))
    if sum(p.numel() for p in net.parameters()) != PARAMETERS:
        raise RuntimeError("it is another network")
    return torch, net


def torch_eager(compiled: bool = False) -> Callable[[int], None]:
    """PyTorch, as a user would write it."""
    torch, net = torch_model()
    pictures, classes = (torch.from_numpy(arr) for arr in data())
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)
    loss_of = torch.nn.CrossEntropyLoss()
    compute = torch.compile(net) if compiled else net

    def run(n: int) -> None:
        done = 0
        while done < n:
            for rows in torch.randperm(len(pictures)).split(BATCH):
                optimizer.zero_grad()
                loss = loss_of(compute(pictures[rows]), classes[rows])
                loss.backward()
                optimizer.step()
                done += 1
                if done == n:
                    break
        loss.item()

    return run


def torch_compile() -> Callable[[int], None]:
    """The same, compiled."""
    return torch_eager(compiled=True)
