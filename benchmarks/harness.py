"""Runs a workload of ours and of its peers in turn, and prints ratios.

    python -m benchmarks.harness                      all workloads
    python -m benchmarks.harness dense_auto_encoder --pairs 9
    python -m benchmarks.harness --short              as CI runs it, see `SHORT`
    python -m benchmarks.harness --write              and write the table into docs/performance.md

Each side is a process of its own, with one thread, started three times. They take turns: A B A
B …, so that a machine whose speed drifts is as slow for the one as for the other. What counts is
the ratio of a pair, peer's time / ours: above 1, ours is faster. The table has its median, and
the smallest and largest pair. (Some workloads cost memory, not time: megabytes.)
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import workloads
from benchmarks.environments import ROOT, python_of

SIDES = (
    "limit", "gluon", "ours_plain", "torch_eager", "torch_compile", "numpy", "sklearn",
    "stable_baselines3", "predecessor",
)  # fmt: skip
#: What CI measures: sides that need no other environment, and the ratios that were seen. Below half
#: of one is a failure; less is noise.
SHORT = {
    ("dense_auto_encoder", "gluon"): 0.9,
    ("contractive_cae", "ours_plain"): 0.7,
    ("mobilenet_v2_inference", "gluon"): 3.0,
}
#: How often each side is started: one process may be twice as fast as the next, by where its memory
#: happens to lie.
LAUNCHES = 3
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
ONE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
}  # fmt: skip


class Side:
    """A process that does one side's work when it is asked to.

    Args:
        workload: Name of the workload.
        name: Name of the side.

    Raises:
        RuntimeError: If it cannot be set up; the message says why.
    """

    def __init__(self, workload: str, name: str) -> None:
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [str(python_of(name)), str(Path(__file__).with_name("worker.py")), workload, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, cwd=ROOT,
            env={**os.environ, **ONE_THREAD},
        )  # fmt: skip
        answer = self._answer()
        if answer != "ready":
            self.log.seek(0)
            last = (self.log.read().strip().splitlines() or ["no message"])[-1]
            raise RuntimeError(answer.partition("failed ")[2] or last)

    def cost(self, times: int) -> float:
        """Do the work `times` times; return how long it took, or what else it costs."""
        assert self.process.stdin is not None
        print(times, file=self.process.stdin, flush=True)
        return float(self._answer())

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def measure(workload: str, pairs: int, peers: Collection[str] = SIDES) -> list[dict[str, Any]]:
    """Return a row for each peer of a workload."""
    module = importlib.import_module(f"benchmarks.workloads.{workload}")
    repeat, unit = module.REPEAT, getattr(module, "UNIT", "ms")
    rows: list[dict[str, Any]] = []
    for name in SIDES:
        if name not in peers or not hasattr(module, name):
            continue
        row: dict[str, Any] = {"workload": module.TITLE, "peer": name}
        try:
            timed = [
                pair
                for _ in range(LAUNCHES)
                for pair in _take_turns(workload, name, repeat, -(-pairs // LAUNCHES))
            ]
        except RuntimeError as error:
            rows.append({**row, "note": str(error)[:60]})
            continue
        ratios = [peer / ours for ours, peer in timed]
        ours_once = statistics.median(ours for ours, _ in timed) / repeat
        row["ours"] = f"{_short(1000 * ours_once if unit == 'ms' else ours_once)} {unit}"
        row["ratio"] = statistics.median(ratios)
        row["from"], row["to"] = min(ratios), max(ratios)
        row["goal"] = getattr(module, "GOALS", {}).get(name)
        rows.append(row)
        print(f"{module.TITLE} / {name}: {row['ratio']:.2f}", file=sys.stderr, flush=True)
    return rows


def _take_turns(workload: str, name: str, repeat: int, pairs: int) -> list[list[float]]:
    """Return what ours and a peer cost, of `pairs` pairs in one process each."""
    sides: list[Side] = []
    try:
        sides += [Side(workload, "ours")]
        sides += [Side(workload, name)]
        return [[side.cost(repeat) for side in sides] for _ in range(pairs)]
    finally:
        for side in sides:
            side.close()


def _short(number: float) -> str:
    """Return a number with about three digits, never as a power of ten."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def table_of(rows: list[dict[str, Any]]) -> str:
    """Return the rows as text."""
    frame = pd.DataFrame(rows)
    formats: dict[str, Callable[[Any], str]] = {
        **{
            name: lambda value: "" if pd.isna(value) else f"{value:.2f}"
            for name in ("ratio", "from", "to", "goal")
        },
        **{name: lambda value: "" if pd.isna(value) else value for name in ("ours", "note")},
    }
    shown = {name: form for name, form in formats.items() if name in frame}
    return frame.to_string(index=False, formatters=shown)


def check_short(pairs: int) -> int:
    """Measure `SHORT`; return 1 if a ratio fell by more than half."""
    failed = 0
    for (workload, peer), seen in SHORT.items():
        (row,) = measure(workload, pairs, [peer])
        ratio = row.get("ratio", 0.0)
        good = ratio >= seen / 2
        failed |= not good
        print(
            f"{'passed' if good else 'FAILED'}  {row['workload']}: {ratio:.2f} of {peer}'s speed "
            f"(seen: {seen}) {row.get('note', '')}"
        )
    return int(failed)


def write_page(rows: list[dict[str, Any]]) -> None:
    """Write the table into docs/performance.md; rows of workloads not measured now stay."""
    text = PAGE.read_text("utf-8")
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    lines = dict.fromkeys(line for line in text[begin:end].splitlines() if line.startswith("| "))
    kept = [line for line in lines if not line.startswith(("| workload", "|---"))]
    measured = {(row["workload"], row["peer"]) for row in rows}
    kept = [
        line for line in kept
        if tuple(cell.strip() for cell in line.split("|")[1:3]) not in measured
    ]  # fmt: skip
    for row in rows:
        if "ratio" not in row:
            continue
        goal = row["goal"]
        kept.append(
            f"| {row['workload']} | {row['peer']} | {row['ours']} "
            f"| {row['ratio']:.2f} | {row['from']:.2f}–{row['to']:.2f} "
            f"| {'' if goal is None else _short(goal)} |"
        )
    head = [
        "| workload | peer | ours | ratio | pairs from–to | goal |",
        "|---|---|---|---|---|---|",
    ]
    table = "\n".join(["", *head, *sorted(kept), ""])
    PAGE.write_text(text[:begin] + table + text[end:], "utf-8")


def main() -> int:
    """Measure what is asked for, and print the table."""
    known = [info.name for info in pkgutil.iter_modules(workloads.__path__)]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", choices=[*known, []], help="all if omitted")
    parser.add_argument("--pairs", type=int, default=9, help="timings of each (at least 5)")
    parser.add_argument("--peers", nargs="+", choices=SIDES, default=SIDES, help="all if omitted")
    parser.add_argument("--short", action="store_true", help="a few; fail if one fell by half")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    if arguments.pairs < 5:
        parser.error("--pairs must be at least 5")
    if arguments.short:
        return check_short(arguments.pairs)
    rows = [
        row
        for name in arguments.workloads or known
        for row in measure(name, arguments.pairs, arguments.peers)
    ]
    print(f"\n{platform.machine()}, Python {platform.python_version()}, one thread a side.")
    print("ratio: time of the peer / our time, median over the pairs; above 1, ours is faster.\n")
    print(table_of(rows))
    if arguments.write:
        write_page(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
