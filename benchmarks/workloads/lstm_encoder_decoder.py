"""A step of learning of an LSTM encoder/decoder: batch 64, length 30, 64 cells, 8 features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.ours import learns

TITLE = "LSTM encoder/decoder 64 cells, length 30, step"
WARM_UP, REPEAT = 10, 30
GOALS = {"torch_eager": 1.0}

BATCH, LENGTH, FEATURES, HIDDEN = 64, 30, 8, 64


def data(n: int = 10) -> np.ndarray:
    """Series of noise."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((n * BATCH, LENGTH, FEATURES)).astype(np.float32)


def our_model() -> Any:
    """Return the encoder/decoder of this library."""
    import accelbrainbase as ab

    # isort: split
    from mxnet import gluon

    loss = gluon.loss.L2Loss()
    settings = {"hidden_n": HIDDEN, "dropout_rate": 0.0, "output_activation": "identity"}
    return ab.EncoderDecoder(
        ab.LSTMNetworks(computable_loss=loss, output_layer_flag=False, **settings),
        ab.LSTMNetworks(computable_loss=loss, output_n=FEATURES, **settings),
        loss, optimizer_name="Adam", learning_rate=1e-3,
    )  # fmt: skip


def ours() -> Callable[[int], None]:
    """This library, through `learn`: reversed order, teacher forcing."""
    import accelbrainbase as ab

    iterator = ab.ArrayIterator(data(), batch_size=BATCH, epochs=1, seed=0)
    return learns(our_model(), iterator)


def torch_parts() -> tuple[Any, Any, Any, Any]:
    """Return PyTorch, and an encoder, a decoder and an output layer of it."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    encoder = nn.LSTM(FEATURES, HIDDEN, batch_first=True)
    decoder = nn.LSTM(FEATURES, HIDDEN, batch_first=True)
    return torch, encoder, decoder, nn.Linear(HIDDEN, FEATURES)


def torch_eager() -> Callable[[int], None]:
    """PyTorch with its fused LSTM: the same network, the same teacher forcing."""
    torch, encoder, decoder, output = torch_parts()
    parameters = [*encoder.parameters(), *decoder.parameters(), *output.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    arr = torch.from_numpy(data())

    def run(n: int) -> None:
        done = 0
        while done < n:
            for rows in torch.randperm(len(arr)).split(BATCH):
                batch = arr[rows]
                optimizer.zero_grad()
                _, (hidden, cell) = encoder(batch)
                backwards = batch.flip(1)
                states, _ = decoder(backwards[:, :-1], (hidden, cell))
                states = torch.cat([hidden.transpose(0, 1), states], dim=1)
                loss = 0.5 * torch.square(output(states).flip(1) - batch).mean()
                loss.backward()
                optimizer.step()
                done += 1
                if done == n:
                    break
        loss.item()

    return run
