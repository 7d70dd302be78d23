"""An inference of a Transformer encoder: 2 layers, width 64, 4 heads, batch 32, length 32.

Ours by `optimize_for_inference`; PyTorch takes its fused path by itself.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.ours import infers
from benchmarks.workloads.transformer_encoder import data, our_model, torch_model

TITLE = "Transformer encoder, 2 layers of 64, length 32, inference"
WARM_UP, REPEAT = 10, 50
GOALS = {"torch_eager": 1.0}


def ours() -> Callable[[int], None]:
    """This library."""
    model = our_model()  # which imports this library, before MXNet
    from mxnet import nd

    batch = nd.array(data(1))
    fast = model.optimize_for_inference(batch)
    return infers(fast, batch)


def torch_eager() -> Callable[[int], None]:
    """PyTorch."""
    torch, net = torch_model()
    batch = torch.from_numpy(data(1))
    net.eval()

    @torch.no_grad()
    def run(n: int) -> None:
        for _ in range(n):
            net(batch)

    return run
