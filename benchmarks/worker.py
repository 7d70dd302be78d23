"""One side of a workload, in a process of its own: reads how often, answers how long.

    python benchmarks/worker.py WORKLOAD SIDE

After the set-up it writes `ready`; then, for each number that it reads, the seconds which the
work took that often, or what the work returns, such as its largest memory. It imports nothing of
this library unless its side does.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)


def main() -> None:
    """Set up, then time what is asked for."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    workload = importlib.import_module(f"benchmarks.workloads.{sys.argv[1]}")
    if sys.argv[2] == "predecessor":  # whose package has the name of ours, and is installed
        sys.path[:] = [path for path in sys.path if os.path.abspath(path) != ROOT]
    try:
        run = getattr(workload, sys.argv[2])()
        if workload.WARM_UP:
            run(workload.WARM_UP)
    except Exception as error:  # noqa: BLE001 - told to the other process
        traceback.print_exc()
        print(f"failed {type(error).__name__}: {error}".splitlines()[0], file=answers, flush=True)
        return
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        measured = run(int(line))
        seconds = time.perf_counter() - begin
        print(seconds if measured is None else measured, file=answers, flush=True)


if __name__ == "__main__":
    main()
