"""Kills learnings by SIGKILL at random moments, resumes them, and compares bits.

    python tests/kill_and_resume.py --kills 500

Each learning runs in a process of its own, forked from one that has only imported MXNet. It
is killed again and again until one process comes to the end; then its parameters and its
history must be those of a learning that was never interrupted.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import accelbrainbase as ab

OPTIMIZERS = {
    "SGD": {"momentum": 0.9}, "Adam": {}, "RMSProp": {}, "AdaGrad": {}, "Nadam": {},
}  # fmt: skip


def learn(optimizer_name: str, directory: Path) -> None:
    """Learn with dropout, noise, batch normalisation and early stopping; save the result."""
    from mxnet.gluon import nn

    ab.seed(7)
    data = (load_digits().data[:250] / 16).astype(np.float32)
    encoder = ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[32, 8], activation_list=["tanh", "identity"],
        dropout_rate_list=[0.2, 0.0], hidden_batch_norm_list=[nn.BatchNorm(), None],
    )  # fmt: skip
    decoder = ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[32, 64], activation_list=["tanh", "sigmoid"]
    )
    model = ab.AutoEncoder(
        encoder, decoder, ab.L2NormLoss(), optimizer_name=optimizer_name, learning_rate=0.01,
        optimizer_params=OPTIMIZERS[optimizer_name], learning_attenuate_rate=0.7,
        attenuate_epoch=5,
    )  # fmt: skip
    iterator = ab.ArrayIterator(
        data, test_fraction=0.2, epochs=14, batch_size=32, noiseable_data=ab.GaussNoise(0.0, 0.1)
    )
    model.learn(
        iterator,
        callbacks=[
            ab.EarlyStopping(patience=6),
            ab.Checkpoint(directory / "learning.checkpoint", every=2),
        ],
    )
    parameters = [p.data().asnumpy() for p in model.collect_params().values()]
    result = {f"p{n}": value for n, value in enumerate(parameters)}
    np.savez(directory / "writing.npz", history=model.history.array(), **result)
    os.replace(directory / "writing.npz", directory / "result.npz")


def in_child(work: Callable[..., None], *args: object) -> int:
    """Run `work(*args)` in a forked process; return its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work(*args)
        code = 0
    except BaseException as error:  # noqa: BLE001 - the child reports and ends here
        print(f"child: {error!r}", file=sys.stderr, flush=True)
    os._exit(code)


def wait(pid: int, seconds: float) -> int | None:
    """Return the exit status, or `None` if the process still runs after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        if time.monotonic() >= end:
            return None
        time.sleep(0.001)


def run(kills: int, seed: int = 0) -> dict[str, int]:
    """Kill `kills` processes; return what was counted.

    Raises:
        AssertionError: If a resumed learning ends with other bits.
    """
    import mxnet  # noqa: F401 - imported once, before all forks; no operator runs here

    draw = random.Random(seed)
    counted = {"kills": 0, "learnings": 0, "resumed": 0, "left over": 0}
    root = Path(tempfile.mkdtemp())
    try:
        references: dict[str, dict[str, np.ndarray]] = {}
        while counted["kills"] < kills:
            name = list(OPTIMIZERS)[counted["learnings"] % len(OPTIMIZERS)]
            if name not in references:
                directory = root / name
                directory.mkdir()
                begin = time.monotonic()
                assert wait(in_child(learn, name, directory), 300) == 0
                seconds = time.monotonic() - begin
                references[name] = dict(np.load(directory / "result.npz"))
            directory = root / f"{counted['learnings']}"
            directory.mkdir()
            for _ in range(draw.randint(1, 6)):
                resumed = (directory / "learning.checkpoint").exists()
                pid = in_child(learn, name, directory)
                status = wait(pid, draw.uniform(0, seconds))
                counted["resumed"] += resumed
                if status is not None:
                    assert status == 0, f"{name}: the child failed"
                    break
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                counted["kills"] += 1
            if not (directory / "result.npz").exists():
                assert wait(in_child(learn, name, directory), 300) == 0
            result = dict(np.load(directory / "result.npz"))
            for key, value in references[name].items():
                np.testing.assert_array_equal(result[key], value, err_msg=f"{name}: {key}")
            counted["learnings"] += 1
            kept = {"learning.checkpoint", "result.npz", "writing.npz"}
            counted["left over"] += len({p.name for p in directory.iterdir()} - kept)
            shutil.rmtree(directory)
    finally:
        shutil.rmtree(root)
    return counted


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    begun = time.monotonic()
    print(run(arguments.kills, arguments.seed), f"{time.monotonic() - begun:.0f} s")
