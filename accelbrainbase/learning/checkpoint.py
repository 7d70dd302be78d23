"""Checkpoints: a learning that is killed goes on where it was."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np

from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.checkpoint_file import read_checkpoint, write_checkpoint
from accelbrainbase.learning.randomness import seed_of
from accelbrainbase.learning.state import LearningState

logger = logging.getLogger(__name__)


class Checkpoint(Callback):
    """Writes a checkpoint after every `every` rows, and goes on from it when it exists.

    The checkpoint holds the parameters, the state of the optimisers, the history, where the
    learning stands, and what other callbacks remember. A learning that was killed at any
    moment and is started again, by the same program, ends with the same parameters as one
    that was never interrupted: bit for bit on a CPU. One that is complete is not repeated.

    MXNet's random state can be set but not read. So with this callback all random numbers
    are seeded anew at the beginning and after each checkpoint, from `seed` and the number of
    the row; the mini-batches are drawn with NumPy and Python random numbers of their own. An
    iterator that keeps what it drew with *MXNet's* random numbers from one mini-batch to
    another, after the first one, is beyond that.

    When a learning goes on, the mini-batches that it has seen are generated again and passed
    over.

    Args:
        path: Path of the file. Its directory must exist.
        every: Number of rows (epochs, or turns of a controller) between two checkpoints. The
            last row has one too. Where rows are read several at a time (controllers), a
            checkpoint waits for the reading.
        resume: Whether to go on from an existing file. `False` starts afresh and replaces it.
        seed: Seed of all random numbers of the learning; by default one is drawn from NumPy.

    Raises:
        FileNotFoundError: If the directory does not exist.
        CheckpointError: In `learn`, if the file is corrupt or of another learning. The model
            is as it was.

    Example:
        >>> model.learn(iterator, callbacks=[Checkpoint("run.checkpoint", every=5)])
    """

    order = 100  # it holds what the others make of a row, so they come first

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        every: int = 1,
        resume: bool = True,
        seed: int | None = None,
    ) -> None:
        check_is_a("path", path, (str, os.PathLike))
        check_is_a("resume", resume, bool)
        self.path = Path(path)
        if not self.path.parent.is_dir():
            raise FileNotFoundError(
                f"`path` must be in a directory that exists, but there is no {self.path.parent}."
            )
        self.every = check_integer("every", every, low=1)
        self.resume = resume
        self.seed = None if seed is None else check_integer("seed", seed, low=0)
        self._seed = 0
        self._row = 0

    def on_train_begin(self, state: LearningState) -> None:
        """Seed all random numbers; hand the loop the checkpoint to go on from."""
        self._row = 0
        if self.resume and self.path.exists():
            arrays, saved = read_checkpoint(self.path)
            state.resume_from(arrays, saved, os.fspath(self.path))
            self._seed, self._row = saved["seed"], saved["row"]
            logger.info("going on from %s, after row %d", self.path, self._row)
        else:
            self._seed = int(np.random.randint(2**31)) if self.seed is None else self.seed
        state.seed_batches(seed_of(self._seed, "batches"))
        state.reseed(seed_of(self._seed, self._row))

    def on_row_end(self, state: LearningState) -> None:
        """Write a checkpoint if it is time, and seed all random numbers anew."""
        due = state.row - self._row >= self.every or state.row == state.rows
        if due and state.is_at_row_end:
            arrays, captured = state.capture()
            write_checkpoint(self.path, arrays, {**captured, "seed": self._seed})
            self._row = state.row
            state.reseed(seed_of(self._seed, self._row))
