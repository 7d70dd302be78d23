"""A step of learning of a contractive convolutional auto-encoder: 28×28, 32 maps, batch 128.

One convolution of 5×5 with sigmoid units and a tied transposed one. The penalty is the closed
form of the Jacobian's norm. Beside PyTorch with the same closed form, and beside the plain step
of this library (`ours_plain`): a ratio of at least 0.67 there says that the penalty costs at
most half of a plain step.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.workloads.conv_auto_encoder import data, maps, run_of, torch_run

TITLE = "contractive CAE 28×28, 32 maps, closed form, step"
WARM_UP, REPEAT = 10, 30
GOALS = {"torch_eager": 1.0, "ours_plain": 1 / 1.5}

BATCH, MAPS = 128, 32


def ours(cls_name: str = "ContractiveCAE") -> Callable[[int], None]:
    """This library."""
    import accelbrainbase as ab

    # isort: split
    from mxnet.gluon import nn

    model = getattr(ab, cls_name)(
        maps([nn.Conv2D(MAPS, 5, padding=2)], ["sigmoid"]),
        maps([nn.Conv2DTranspose(1, 5, padding=2)], ["identity"]),
        ab.L2NormLoss(), optimizer_name="Adam", learning_rate=1e-3,
    )  # fmt: skip
    return run_of(model, data(BATCH), BATCH)


def ours_plain() -> Callable[[int], None]:
    """The same without the penalty."""
    return ours("ConvolutionalAutoEncoder")


def torch_eager(compiled: bool = False) -> Callable[[int], None]:
    """PyTorch, as a user would write it."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(1)
    layer = nn.Conv2d(1, MAPS, 5, padding=2)
    bias = nn.Parameter(torch.zeros(1))
    net = nn.ParameterList([*layer.parameters(), bias])
    ones = torch.ones(1, 1, 28, 28)

    def step(arr):
        code = torch.sigmoid(layer(arr))
        output = functional.conv_transpose2d(code, layer.weight, bias, padding=2)
        reach = functional.conv2d(ones, layer.weight.square(), padding=2)
        penalty = ((code * (1 - code)).square() * reach).flatten(1).sum(dim=1)
        loss = torch.sqrt(torch.square(output - arr).flatten(1).mean(dim=1))
        return (loss + 1e-3 * penalty).mean()

    return torch_run(net, step, BATCH, compiled)


def torch_compile() -> Callable[[int], None]:
    """The same, compiled."""
    return torch_eager(compiled=True)
