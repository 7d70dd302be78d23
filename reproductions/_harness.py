"""What all reproductions share: the data, and their section of docs/reproductions.md.

A script puts its figures beside those of the paper:

    report(
        "boltzmann", "Boltzmann machines on MNIST",
        [Row("RBM 500, CD-25", "test log-probability, nats", ours=-90.1, paper=-86.34, …)],
        budget="20 minutes, one core", seeds=[0], notes="…",
    )

Running it again replaces its section, and leaves those of other scripts as they are.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reproductions.md"
_HEAD = (
    "# Reproductions\n\n"
    "Figures of this library beside those of the papers. Each section is written by the script\n"
    "that it names; a result below the paper's stands as it is, with the reason.\n"
)


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: The model or the setting.
        measure: What was measured, with its unit.
        ours: The figure of this library: a number, or text.
        paper: The paper's, or `None`.
        source: Which paper.
    """

    what: str
    measure: str
    ours: float | str
    paper: float | str | None = None
    source: str = ""


def report(
    name: str,
    title: str,
    rows: Iterable[Row],
    *,
    budget: str,
    seeds: Sequence[int],
    notes: str = "",
    pictures: Iterable[Path] = (),
    page: Path = PAGE,
) -> str:
    """Write a section of docs/reproductions.md, and print it.

    Args:
        name: Name of the script; also marks the section.
        title: Heading of the section.
        rows: The figures.
        budget: What it was allowed: time, cores.
        seeds: Seeds of the runs.
        notes: Why a figure is below the paper's, and what would close the rest.
        pictures: Files to show; they should be beside the page.
        page: The file.

    Returns:
        The section.
    """
    lines = [f"<!-- {name}: begin -->", f"## {title}", ""]
    lines += ["| what | measure | this library | paper | source |", "|---|---|---|---|---|"]
    for row in rows:
        paper = "" if row.paper is None else _shown(row.paper)
        lines.append(
            f"| {row.what} | {row.measure} | {_shown(row.ours)} | {paper} | {row.source} |"
        )
    lines += [
        "",
        f"{datetime.date.today().isoformat()}; budget: {budget}; "
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}; "
        f"`{command()}`",
    ]
    if notes:
        lines += ["", notes.strip()]
    for picture in pictures:
        lines += ["", f"![{picture.stem}]({os.path.relpath(picture, page.parent)})"]
    lines += [f"<!-- {name}: end -->"]
    section = "\n".join(lines)
    text = page.read_text(encoding="utf-8") if page.exists() else _HEAD
    mark = re.compile(rf"<!-- {re.escape(name)}: begin -->.*?<!-- {re.escape(name)}: end -->", re.S)
    if mark.search(text):
        text = mark.sub(lambda _: section, text)
    else:
        text = f"{text.rstrip()}\n\n{section}\n"
    page.write_text(text, encoding="utf-8")
    print(section)
    return section


def _shown(figure: float | str) -> str:
    return figure if isinstance(figure, str) else f"{figure:.2f}"


def command() -> str:
    """Return how the script was called, without the paths of this machine."""
    arguments = [Path(word).name if os.sep in word else word for word in sys.argv[1:]]
    return shlex.join(["python", f"reproductions/{Path(sys.argv[0]).name}", *arguments])


def parser(description: str, *, needs_data: bool = True) -> argparse.ArgumentParser:
    """Return a parser with the options that all scripts have.

    Args:
        description: What the script does.
        needs_data: Whether it reads files.
    """
    made = argparse.ArgumentParser(description=description)
    made.add_argument(
        "--data", type=Path, required=needs_data, help="directory with the .npz files"
    )
    made.add_argument("--long", action="store_true", help="the long budget")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--page", type=Path, default=PAGE, help="where the section is written")
    return made


class Clock:
    """Counts the time of a budget: that of the processor, so that other work does not count.

    Args:
        minutes: The budget.
    """

    def __init__(self, minutes: float) -> None:
        self.begin, self.seconds = time.process_time(), 60.0 * minutes

    @property
    def spent(self) -> float:
        """Share of the budget that is spent."""
        return (time.process_time() - self.begin) / self.seconds

    @property
    def minutes(self) -> float:
        """Minutes of the processor since the beginning."""
        return (time.process_time() - self.begin) / 60.0


def save_grid(images: np.ndarray, path: Path, columns: int = 10, scale: int = 2) -> Path:
    """Save images as one picture.

    Args:
        images: Values that are scaled to black and white, shape `(n, height, width)`.
        path: The file.
        columns: Number of images in a row.
        scale: Pixels for each value, in each direction.

    Returns:
        `path`.
    """
    from PIL import Image

    n, height, width = images.shape
    rows = -(-n // columns)
    low, high = images.min(), images.max()
    grid = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1), 128, dtype=np.uint8)
    for number, image in enumerate(images):
        y, x = divmod(number, columns)
        y, x = y * (height + 1) + 1, x * (width + 1) + 1
        grid[y : y + height, x : x + width] = 255 * (image - low) / max(high - low, 1e-12)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(grid)
    picture.resize((scale * grid.shape[1], scale * grid.shape[0]), Image.NEAREST).save(path)
    return path
