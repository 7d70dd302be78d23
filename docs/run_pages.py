"""Runs the code of the pages, in full, and keeps what it prints and draws.

    python docs/run_pages.py [page …]      # such as guide/boltzmann; all if omitted

The blocks of a page run one after the other in one scope, in `docs/pictures`, where they save
pictures. What a block prints goes to `docs/output/<page>-<number>.txt`, which the page includes.
The tests run the same blocks with their sizes made small.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import time
from pathlib import Path

DOCS = Path(__file__).resolve().parent
PAGES = [
    "start", "guide/why", "guide/boltzmann", "guide/sequences", "guide/convolutions",
    "guide/generation", "guide/classification", "guide/reinforcement", "guide/operations",
]  # fmt: skip
# Lines such as `epochs = 30` say how long a page takes.
SIZES = re.compile(r"^(epochs|turns|image_n|steps|draw_n|episode_n) = [\d_]+$", re.M)


def blocks_of(page: str) -> list[tuple[int, str]]:
    """Return the Python blocks of a page, each with the number of its first line."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.S | re.M)
    return [(text[: match.start(1)].count("\n"), match.group(1)) for match in found]


def run(page: str, shrink=lambda code: code, scope: dict | None = None) -> list[str]:
    """Run the blocks of a page where we are; return what those that print have printed."""
    scope = {} if scope is None else scope
    scope["__name__"] = "__main__"
    printed = []
    for line, code in blocks_of(page):
        said = io.StringIO()
        place = "\n" * line  # so that errors name the line of the page
        with contextlib.redirect_stdout(said):
            exec(compile(place + shrink(code), str(DOCS / f"{page}.md"), "exec"), scope)
        if said.getvalue().strip():
            printed.append(said.getvalue())
    return printed


def main(pages: list[str]) -> None:
    sys.path.insert(0, str(DOCS.parent))
    import matplotlib

    import accelbrainbase  # noqa: F401 - before a page imports MXNet

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"savefig.dpi": 110, "font.size": 9})
    for folder in ("pictures", "output"):
        (DOCS / folder).mkdir(exist_ok=True)
    os.chdir(DOCS / "pictures")
    for page in pages:
        begin = time.perf_counter()
        name = page.rpartition("/")[2]
        for old in (DOCS / "output").glob(f"{name}-*.txt"):
            old.unlink()
        for number, text in enumerate(run(page), start=1):
            (DOCS / "output" / f"{name}-{number}.txt").write_text(text, encoding="utf-8")
        plt.close("all")
        for other in Path.cwd().iterdir():  # parameters that a page saves
            if other.suffix != ".png":
                other.unlink()
        print(f"{page}: {time.perf_counter() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or PAGES)
