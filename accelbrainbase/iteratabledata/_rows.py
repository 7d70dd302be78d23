"""In what order rows are drawn. Draws are made here, in NumPy, whatever the tensor library."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def pass_seed(seed: int | None) -> int:
    """Return the seed of one pass over the data, or of a split.

    That is `seed`; or where it is `None`, a number from NumPy's global state, which
    `accelbrainbase.seed` sets. For the order of mini-batches, call it when the first one is
    asked for: a learning with checkpoints has seeded NumPy by then, and repeats after a restart.
    """
    return int(np.random.randint(2**31)) if seed is None else seed


def endless_blocks(size: int, batch_size: int, generator: np.random.Generator) -> Iterator:
    """Generate row numbers from a stream of shuffled epochs: no end, nothing left out.

    Args:
        size: Number of rows.
        batch_size: Number of rows in a batch, at most `size`.
        generator: Shuffles.

    Yields:
        Row numbers of whole batches, one after the other, shape `(batches * batch_size,)`.
    """
    rest = np.empty(0, dtype=np.int64)
    while True:
        rows = np.concatenate([rest, generator.permutation(size)])
        whole = len(rows) - len(rows) % batch_size
        yield rows[:whole]
        rest = rows[whole:]
