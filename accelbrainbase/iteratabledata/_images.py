"""Many images: decoded ahead in background threads, and kept in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import numpy as np

THREAD_NAME = "accelbrainbase-images"


class ImageStore:
    """Files of images by their number; those that fit are kept once they were decoded.

    Args:
        paths: Paths of the files.
        decode_many: Generates the position of a path among those it got, and what is in its
            file, as an array. Called in threads.
        shape: Shape of that array.
        dtype: Its dtype.
        budget: How many bytes may be kept.
    """

    def __init__(
        self,
        paths: list[str],
        decode_many: Callable[[list[str]], Iterator[tuple[int, np.ndarray]]],
        shape: tuple[int, ...],
        dtype: Any,
        budget: int,
    ) -> None:
        self.paths = paths
        self.decode_many = decode_many
        self.shape = shape
        self.dtype = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * self.dtype.itemsize
        self.capacity = min(len(paths), budget // size)
        # Memory is taken when it is written to.
        self._kept = np.empty((self.capacity, *shape), dtype=self.dtype)
        self._is_kept = np.zeros(len(paths), dtype=bool)

    def has(self, numbers: np.ndarray) -> bool:
        """Return whether all of these images are in memory."""
        return bool(self._is_kept[numbers].all())

    def load(self, numbers: np.ndarray, stopped: Event | None = None) -> np.ndarray:
        """Return images, decoded or from memory.

        Args:
            numbers: Numbers of the files.
            stopped: Set when nobody wants them any more.

        Returns:
            Array of shape `(len(numbers), *shape)`.

        Raises:
            ValueError: If a file gives an array of another shape; and what `decode_many` raises.
        """
        if self.has(numbers):
            return self._kept[numbers]
        distinct, inverse = np.unique(numbers, return_inverse=True)
        if len(distinct) < len(numbers):
            return self.load(distinct, stopped)[inverse]
        arr = np.empty((len(numbers), *self.shape), dtype=self.dtype)
        is_kept = self._is_kept[numbers]
        arr[is_kept] = self._kept[numbers[is_kept]]
        rows = np.flatnonzero(~is_kept).tolist()
        paths = [self.paths[numbers[row]] for row in rows]
        for position, image in self.decode_many(paths):
            if stopped is not None and stopped.is_set():
                break
            if image.shape != self.shape:
                raise ValueError(
                    f"{paths[position]!r} must give an array of the shape {self.shape}, but "
                    f"gives {image.shape}. Let the extractor bring all images to one shape."
                )
            row = rows[position]
            arr[row] = image
            if numbers[row] < self.capacity:
                self._kept[numbers[row]] = image
                self._is_kept[numbers[row]] = True  # after it is there: threads look at this
        return arr


def read_ahead(
    store: ImageStore, requests: Iterator[tuple[np.ndarray, Any]], thread_n: int
) -> Iterator[tuple[np.ndarray, Any]]:
    """Generate images for each request, which threads decode before they are asked for.

    Threads begin at the first image that is not in memory, and end when the generator is
    exhausted, closed or collected, or an image cannot be decoded: that error is raised where
    its mini-batch would have come.

    Args:
        store: The images.
        requests: Numbers of images, and anything that belongs to them.
        thread_n: Number of threads; 0: decode in the thread that asks.

    Yields:
        Images of shape `(len(numbers), *shape)`, and what belongs to them.
    """
    waiting: deque[tuple[Any, Any]] = deque()
    pool: ThreadPoolExecutor | None = None
    stopped = Event()
    try:
        for numbers, other in requests:
            if thread_n > 0 and not store.has(numbers):
                if pool is None:
                    pool = ThreadPoolExecutor(thread_n, thread_name_prefix=THREAD_NAME)
                waiting.append((pool.submit(store.load, numbers, stopped), other))
            else:
                waiting.append((numbers, other))
            if len(waiting) > 2 * thread_n:
                yield _next_of(store, waiting)
        while waiting:
            yield _next_of(store, waiting)
    finally:
        stopped.set()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


def _next_of(store: ImageStore, waiting: deque[tuple[Any, Any]]) -> tuple[np.ndarray, Any]:
    item, other = waiting.popleft()
    return (item.result() if isinstance(item, Future) else store.load(item)), other
