"""An inference of MobileNetV2: batch 32, 3×96×96, 10 classes; ours by `optimize_for_inference`."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.ours import infers
from benchmarks.workloads.mobilenet_v2 import data, our_model, torch_model

TITLE = "MobileNetV2 96x96, inference"
WARM_UP, REPEAT = 3, 10
GOALS = {"torch_eager": 1.8}


def ours() -> Callable[[int], None]:
    """This library, with its operators fused."""
    model = our_model()  # which imports this library, before MXNet
    from mxnet import nd

    pictures = nd.array(data(1)[0])
    fast = model.optimize_for_inference(pictures)
    if not fast.fused:
        raise RuntimeError("the operators could not be fused")
    return infers(fast, pictures)


def gluon() -> Callable[[int], None]:
    """The same model without `optimize_for_inference`: what fusing gains."""
    model = our_model()
    from mxnet import nd

    pictures = nd.array(data(1)[0])
    return infers(model, pictures)


def torch_eager(compiled: bool = False) -> Callable[[int], None]:
    """PyTorch, as a user would write it."""
    torch, net = torch_model()
    pictures = torch.from_numpy(data(1)[0])
    net.eval()
    compute = torch.compile(net) if compiled else net

    def run(n: int) -> None:
        with torch.no_grad():
            for _ in range(n):
                compute(pictures)

    return run


def torch_compile() -> Callable[[int], None]:
    """The same, compiled."""
    return torch_eager(compiled=True)
