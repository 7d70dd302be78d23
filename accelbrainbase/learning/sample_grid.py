"""Pictures of what a model generates, while it learns."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.state import LearningState


class SampleGrid(Callback):
    """Saves a picture with samples after every `every` rows (turns), and after the last.

    The files are called after the row: `000500.png`.

    Args:
        draw: Returns images, shape `(n, height, width)`, `(n, 1, height, width)` or
            `(n, 3, height, width)`: NumPy array or NDArray.
        folder: Where to save; it is made if it does not exist.
        every: Number of rows between two pictures. Where rows are read several at a time
            (controllers), a picture waits for the reading.
        columns: Number of images in a row of the picture.
        sample_n: How many of the drawn images are shown, at most.

    Raises:
        TypeError: If `draw` is no function.

    Example:
        >>> controller.learn(5000, 1, callbacks=[SampleGrid(generator.draw, "pictures")])
    """

    def __init__(
        self,
        draw: Callable[[], Any],
        folder: str | os.PathLike[str],
        *,
        every: int = 100,
        columns: int = 10,
        sample_n: int = 100,
    ) -> None:
        if not callable(draw):
            raise TypeError(f"`draw` must be a function that returns images, but got {draw!r}.")
        self.draw = draw
        self.folder = Path(folder)
        self.every = check_integer("every", every, low=1)
        self.columns = check_integer("columns", columns, low=1)
        self.sample_n = check_integer("sample_n", sample_n, low=1)
        self._row = 0

    def on_train_begin(self, state: LearningState) -> None:  # noqa: ARG002
        """Make the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._row = 0

    def on_row_end(self, state: LearningState) -> None:
        """Save a picture if it is time, and the parameters are those of this row."""
        due = state.row - self._row >= self.every or state.row == state.rows
        if due and state.is_at_row_end:
            self._row = state.row
            drawn = self.draw()
            arr = drawn.asnumpy() if hasattr(drawn, "asnumpy") else np.asarray(drawn)
            save_grid(arr[: self.sample_n], self.folder / f"{state.row:06d}.png", self.columns)

    def capture(self, state: LearningState) -> tuple[dict[str, np.ndarray], dict[str, Any]]:  # noqa: ARG002
        """Return the row of the last picture."""
        return {}, {"row": self._row}

    def on_resume(
        self,
        state: LearningState,  # noqa: ARG002
        arrays: Mapping[str, np.ndarray],  # noqa: ARG002
        values: Mapping[str, Any],
    ) -> None:
        """Save pictures, and so draw, at the rows at which it would have done."""
        self._row = values["row"]


def save_grid(arr: np.ndarray, path: str | os.PathLike[str], columns: int = 10) -> None:
    """Save images as one picture, from their least value as black to the greatest as white.

    Args:
        arr: Shape `(n, height, width)`, `(n, 1, height, width)` or `(n, 3, height, width)`.
        path: The file; its name says the format.
        columns: Number of images in a row.

    Raises:
        ValueError: If `arr` is of another shape.
    """
    if arr.ndim == 3:
        arr = arr[:, np.newaxis]
    if arr.ndim != 4 or arr.shape[1] not in (1, 3) or arr.size == 0:
        raise ValueError(
            f"Images must have shape (n, height, width), (n, 1, height, width) or "
            f"(n, 3, height, width), but got {arr.shape}."
        )
    from PIL import Image

    n, channel, height, width = arr.shape
    rows = -(-n // columns)
    low, high = float(arr.min()), float(arr.max())
    grid = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, channel), 128, np.uint8)
    for number, one in enumerate(arr):
        y, x = (
            index * (size + 1) + 1 for index, size in zip(divmod(number, columns), one.shape[1:])
        )
        shown = 255.0 * (one - low) / max(high - low, 1e-12)
        grid[y : y + height, x : x + width] = np.moveaxis(shown, 0, -1)
    Image.fromarray(grid[:, :, 0] if channel == 1 else grid).save(path)
