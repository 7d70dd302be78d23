"""Writing losses for TensorBoard."""

from __future__ import annotations

import os
from typing import Any

from accelbrainbase._optional import import_optional
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.state import LearningState


class TensorBoard(Callback):
    """Writes every column of the history as a scalar; needs the extra `tensorboard`.

    Args:
        log_dir: Directory of this learning; ``tensorboard --logdir`` reads it. Take another
            callback with a directory of its own for each learning to compare.

    Raises:
        ImportError: If `tensorboardX` is not installed.
    """

    def __init__(self, log_dir: str | os.PathLike[str]) -> None:
        self._module = import_optional(
            "tensorboardX", extra="tensorboard", purpose="The callback `TensorBoard`"
        )
        self.log_dir = os.fspath(log_dir)
        self._writer: Any = None
        self._learning_n = 0

    def on_train_begin(self, state: LearningState) -> None:  # noqa: ARG002
        """Open the file of events."""
        self._learning_n += 1
        # Names of files differ by the second only: a second learning must not replace the first.
        suffix = f".{self._learning_n}"
        self._writer = self._module.SummaryWriter(self.log_dir, filename_suffix=suffix)

    def on_row_end(self, state: LearningState) -> None:
        """Write the values of the row."""
        for name, value in state.losses.items():
            group, _, rest = name.partition("_")
            tag = f"{rest}/{group}" if group in ("train", "test") else name
            self._writer.add_scalar(tag, value, global_step=state.row)

    def on_train_end(self, state: LearningState) -> None:  # noqa: ARG002
        """Close the file of events."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
