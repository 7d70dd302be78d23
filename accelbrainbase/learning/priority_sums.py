"""Priorities, their sum, and which of them a number within the sum falls on."""

from __future__ import annotations

import numpy as np

_WIDTH = 32


class PrioritySums:
    """Priorities, and on which of them numbers within their sum fall, for many at once.

    What a sum tree is for, in a form that NumPy is fast with: a flat tree, in which priorities are
    summed in blocks of 32, and the sums of blocks are summed up. All sums are computed anew from
    what is below them; so rounding does not add up, and they follow from the priorities alone.

    Args:
        n: Number of places. All are empty, with priority 0.

    References:
        - Schaul, T., Quan, J., Antonoglou, I., & Silver, D. (2016). Prioritized experience replay.
          ICLR. Appendix B.2.1.
    """

    def __init__(self, n: int) -> None:
        block_n = -(-n // _WIDTH)
        self._n = n
        self._blocks = np.zeros((block_n, _WIDTH))
        self._sums, self._largest = np.zeros((2, block_n))
        self._least = np.full(block_n, np.inf)
        self._ends = np.zeros(block_n)  # sums of blocks up to each
        self._changed = np.zeros(block_n, dtype=bool)
        self._is_new = False

    @property
    def priority_arr(self) -> np.ndarray:
        """All priorities, shape `(n,)`: not to be written to."""
        return self._blocks.reshape(-1)[: self._n]

    def set(self, row_arr: np.ndarray, value_arr: np.ndarray | float) -> None:
        """Set priorities. Of a place that is named twice, the last counts.

        Args:
            row_arr: Numbers of places, shape `(k,)`.
            value_arr: Priorities above 0, shape `(k,)`, or one for all.
        """
        self._blocks.reshape(-1)[row_arr] = value_arr
        self._changed[row_arr // _WIDTH] = True
        self._is_new = True

    def _update(self) -> None:
        """Compute what follows from the blocks that have changed."""
        if not self._is_new:
            return
        changed = np.flatnonzero(self._changed)
        blocks = self._blocks[changed]
        self._sums[changed] = blocks.sum(axis=1)
        self._largest[changed] = blocks.max(axis=1)
        self._least[changed] = np.where(blocks > 0.0, blocks, np.inf).min(axis=1)
        np.cumsum(self._sums, out=self._ends)
        self._changed[changed] = False
        self._is_new = False

    @property
    def total(self) -> float:
        """The sum of all priorities."""
        self._update()
        return float(self._ends[-1])

    @property
    def least(self) -> float:
        """The smallest priority of a place that is not empty; infinite if all are."""
        self._update()
        return float(self._least.min())

    @property
    def largest(self) -> float:
        """The largest priority."""
        self._update()
        return float(self._largest.max())

    def find(self, value_arr: np.ndarray) -> np.ndarray:
        """Tell on which places numbers fall, if priorities lie one behind another.

        Args:
            value_arr: Numbers in [0, `total`), shape `(k,)`.

        Returns:
            The first place up to which priorities sum to more than the number, shape `(k,)`.
            Never an empty one.
        """
        # Rounding brings no number behind the last: it is held below the end of all, and of its
        # block.
        value_arr = np.minimum(value_arr, np.nextafter(self.total, 0.0))
        blocks = np.searchsorted(self._ends, value_arr, side="right")
        rest_arr = value_arr - np.where(blocks > 0, self._ends[blocks - 1], 0.0)
        ends = self._blocks[blocks].cumsum(axis=1)
        rest_arr = np.minimum(rest_arr, np.nextafter(ends[:, -1], 0.0))
        return blocks * _WIDTH + (ends > rest_arr[:, np.newaxis]).argmax(axis=1)
