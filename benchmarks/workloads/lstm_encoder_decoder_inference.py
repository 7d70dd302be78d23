"""Reconstruction of series by an LSTM encoder/decoder, whose decoder reads what it has written."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.ours import infers
from benchmarks.workloads.lstm_encoder_decoder import LENGTH, data, our_model, torch_parts

TITLE = "LSTM encoder/decoder 64 cells, length 30, inference"
WARM_UP, REPEAT = 10, 50
GOALS = {"torch_eager": 1.0}


def ours() -> Callable[[int], None]:
    """This library."""
    model = our_model()  # which imports this library, before MXNet
    from mxnet import nd

    batch = nd.array(data(1))
    return infers(model, batch)


def torch_eager() -> Callable[[int], None]:
    """PyTorch with its fused LSTM, one call for each point that is written."""
    torch, encoder, decoder, output = torch_parts()
    batch = torch.from_numpy(data(1))

    @torch.no_grad()
    def run(n: int) -> None:
        for _ in range(n):
            _, state = encoder(batch)
            points = [output(state[0].transpose(0, 1))]
            while len(points) < LENGTH:
                hidden, state = decoder(points[-1], state)
                points.append(output(hidden))
            torch.cat(points[::-1], dim=1)

    return run
