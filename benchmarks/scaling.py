"""How the cost of learning grows, and whether memory stays flat.

    python -m benchmarks.scaling                        prints a table
    python -m benchmarks.scaling --picture scaling.png  and draws it

Times one step of learning of a dense auto-encoder against the size of the mini-batch, the width and
the number of its layers, and one epoch against the number of data points, each in a process of its
own with one thread: the least of several timings. The exponent is that of the last doublings, where
the fixed cost of a step matters least: 1 is proportional; for the width, whose products grow with
its square, 2.

Memory is the largest that a process has of its own while it learns (`RssAnon`: pages of files,
which the system may drop, do not count), less that of one which learns from 1000 rows. The rows
stay on disk (`numpy.memmap`) and are copied a mini-batch at a time.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
AXES = {
    "batch": [32, 64, 128, 256, 512, 1024],
    "width": [128, 256, 512, 1024, 2048],
    "depth": [2, 4, 8, 16, 32],
    "rows": [2_000, 4_000, 8_000, 16_000, 32_000],
}
MEMORY = [1_000, 10_000, 100_000]


def worker(axis: str, value: int) -> float:
    """Return seconds of a step, or of an epoch; of `memory` the peak in MB."""
    import numpy as np

    import accelbrainbase as ab

    class Memory(ab.Callback):
        """Notes the largest memory of its own, in MB."""

        peak = 0.0

        def on_step_end(self, state: Any) -> None:
            if state.step % 4 == 0:
                text = Path("/proc/self/status").read_text("ascii")
                kilobytes = text.split("RssAnon:")[1].split()[0]
                self.peak = max(self.peak, float(kilobytes) / 1024)

    sizes = {"batch": 128, "width": 256, "depth": 4, "rows": 2_000, axis: value}
    widths = [sizes["width"]] * (sizes["depth"] // 2)
    features = sizes["width"] if axis == "width" else 784

    def network(units: list[int], last: str) -> ab.NeuralNetworks:
        return ab.NeuralNetworks(
            ab.L2NormLoss(), units_list=units, activation_list=["relu"] * (len(units) - 1) + [last]
        )

    model = ab.AutoEncoder(
        network(widths, "relu"), network([*widths[1:], features], "sigmoid"), ab.L2NormLoss(),
        optimizer_name="SGD", learning_rate=1e-3,
    )  # fmt: skip
    if axis == "memory":
        with tempfile.NamedTemporaryFile() as file:
            rows = np.memmap(file.name, dtype=np.float32, mode="w+", shape=(value, features))
            for begin in range(0, value, 1000):
                rows[begin : begin + 1000] = np.random.default_rng(begin).random((1000, features))
                rows.flush()
            iterator = ab.ArrayIterator(rows, epochs=1, batch_size=128, seed=0)
            iterator.device_budget = 0
            watch = Memory()
            model.learn(iterator, callbacks=[watch])
        return watch.peak
    row_n = sizes["rows"] if axis == "rows" else 8 * sizes["batch"]
    data = np.random.default_rng(0).random((row_n, features), dtype=np.float32)
    iterator = ab.ArrayIterator(data, epochs=1, batch_size=sizes["batch"], seed=0, drop_last=True)
    model.learn(iterator)
    times = []
    for _ in range(7):
        begin = time.perf_counter()
        model.learn(iterator)
        times.append(time.perf_counter() - begin)
    return min(times) / (1 if axis == "rows" else iterator.iter_n)


def measured(axis: str, value: int) -> float:
    """Run `worker` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scaling", "--worker", axis, str(value)],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return float(json.loads(done.stdout.strip().splitlines()[-1]))


def exponent(values: list[int], times: list[float]) -> float:
    """Return the slope between the last value and the one two doublings before."""
    return math.log(times[-1] / times[-3]) / math.log(values[-1] / values[-3])


def _plain(number: float, _place: int) -> str:
    return f"{number:.3g}" if number < 1000 else f"{number / 1000:.3g}k"


def draw(found: dict[str, list[float]], path: Path) -> None:
    """Draw time against each axis."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FixedLocator, NullLocator

    figure, axes = plt.subplots(1, len(AXES), figsize=(3 * len(AXES), 3), layout="constrained")
    for ax, (axis, values) in zip(axes, AXES.items()):
        times = [1000 * seconds for seconds in found[axis]]
        ax.loglog(values, times, "o-")
        for ticks, places in ((ax.xaxis, values), (ax.yaxis, times)):
            ticks.set_minor_locator(NullLocator())
            ticks.set_major_locator(FixedLocator(places))
            ticks.set_major_formatter(_plain)
        ax.set_xlabel(axis)
        ax.set_title(f"exponent {exponent(values, found[axis]):.2f}")
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("ms a step (rows: an epoch)")
    figure.savefig(path, dpi=100)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path, help="where to draw it")
    parser.add_argument("--worker", nargs=2, metavar=("AXIS", "VALUE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        axis, value = arguments.worker
        print(json.dumps(worker(axis, int(value))))
        return
    found: dict[str, list[float]] = {}
    for axis, values in AXES.items():
        found[axis] = [measured(axis, value) for value in values]
        shown = ", ".join(f"{v}: {1000 * t:.1f}" for v, t in zip(values, found[axis]))
        print(f"{axis:6} exponent {exponent(values, found[axis]):.2f}   ms: {shown}", flush=True)
    peaks = [measured("memory", rows) for rows in MEMORY]
    shown = ", ".join(
        f"{rows} rows ({rows * 784 * 4 / 2**20:.0f} MB): {peak - peaks[0]:+.0f} MB"
        for rows, peak in zip(MEMORY, peaks)
    )
    print(f"memory beside that of {MEMORY[0]} rows: {shown}")
    if arguments.picture is not None:
        draw(found, arguments.picture)


if __name__ == "__main__":
    main()
