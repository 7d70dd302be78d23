"""Runs the notebooks of demo/ from top to bottom.

    python tools/run_notebooks.py                 all, in full; outputs are saved in them
    python tools/run_notebooks.py --quick         with their smallest settings; nothing is saved
    python tools/run_notebooks.py demo/X.ipynb    these

A notebook reads the environment variable QUICK: where it is 1, it takes its smallest settings. A
cell that fails, fails the run.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(path: Path, quick: bool) -> str | None:
    """Run a notebook; return why it failed, or `None`."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=1800, kernel_name="python3", resources={"metadata": {"path": ROOT}}
    )
    begin = time.monotonic()
    try:
        client.execute()
    except CellExecutionError as error:
        return str(error)[-2000:]
    if not quick:
        for cell in notebook.cells:  # when a cell ran is no result
            cell.metadata.pop("execution", None)
        notebook.metadata = {
            name: notebook.metadata[name] for name in ("kernelspec", "language_info")
        }
        notebook.metadata["language_info"].pop("version", None)
        nbformat.write(notebook, path)
    print(f"{path.name}: {time.monotonic() - begin:.0f} s", flush=True)
    return None


def main() -> int:
    """Run what is asked for; return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="all of demo/ if omitted")
    parser.add_argument("--quick", action="store_true", help="smallest settings; save nothing")
    arguments = parser.parse_args()
    os.environ["QUICK"] = "1" if arguments.quick else "0"
    os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning")
    os.environ.setdefault("TQDM_DISABLE", "1")  # bars are no result
    paths = arguments.notebooks or sorted((ROOT / "demo").glob("*.ipynb"))
    failed = []
    for path in paths:
        reason = run(path, arguments.quick)
        if reason is not None:
            failed.append(path.name)
            print(f"{path.name} FAILS:\n{reason}", flush=True)
    if failed:
        print("failed: " + ", ".join(failed))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
