"""What the iterators over folders of images share, whatever the tensor library."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase.extractable_data import ExtractableData
from accelbrainbase.extractabledata.image_extractor import ImageExtractor
from accelbrainbase.iteratabledata._folders import directories_of, files_of, names_of, with_slash
from accelbrainbase.iteratabledata._images import ImageStore, read_ahead
from accelbrainbase.iteratabledata._rows import endless_blocks, pass_seed
from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator
from accelbrainbase.noiseable_data import NoiseableData


@dataclass(frozen=True)
class _Part:
    """The training or test data.

    Attributes:
        items: Number of the file of each data point, shape `(size,)`; or of all of its files,
            shape `(size, seq_len)`.
        labels: Number of the class of each data point, shape `(size,)`.
    """

    items: np.ndarray
    labels: np.ndarray


class ImageFolderIterator(MiniBatchIterator):
    """Draws mini-batches of the images in directories, as NumPy arrays of float32.

    Subclasses call `_set_up_folders` in their constructor, and override `_put` to have the
    arrays of a tensor library. Random numbers are drawn in the main thread; background threads
    do nothing but decode.

    Attributes:
        label_list: Names of the classes, in the order of the columns of one-hot vectors; `None`
            without labels.
        seed: Seed of the order, or `None`.
        cache_budget: How many bytes of decoded images are kept in memory.
        thread_n: Number of threads that decode.
        image_extractor: Reads the files.
    """

    label_list: list[str] | None = None
    seed: int | None = None
    cache_budget: int = 2**30
    thread_n: int = 1
    image_extractor: Any = None
    _store: tuple[Any, ImageStore] | None = None

    def _set_up_folders(
        self,
        image_extractor: ExtractableData,
        dir_list: Iterable[str | os.PathLike[str]],
        test_dir_list: Iterable[str | os.PathLike[str]] | None,
        *,
        epochs: int,
        batch_size: int,
        norm_mode: str | None,
        scale: float,
        noiseable_data: NoiseableData | None,
        seed: int | None,
        cache_budget: int,
        thread_n: int | None,
        labelled: bool = False,
    ) -> None:
        """Check all arguments, list the files and keep the settings.

        Where `labelled`, each directory is a class.
        """
        check_is_a("image_extractor", image_extractor, ExtractableData)
        self.image_extractor = image_extractor
        self.seed = None if seed is None else check_integer("seed", seed, low=0)
        self.cache_budget = check_integer("cache_budget", cache_budget, low=0)
        self.thread_n = (
            min(8, _processor_n())
            if thread_n is None
            else check_integer("thread_n", thread_n, low=0)
        )
        self._set_up(
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            dataset_size=1,  # known below; all checks come before files are listed
        )

        directories = directories_of("dir_list", dir_list)
        self._paths: list[str] = []
        self._train = self._part_of(directories, list(range(len(directories))))
        if labelled:
            self.label_list = names_of(directories)
            if isinstance(dir_list, list):
                dir_list.sort(key=with_slash)  # programs look classes up in it
        if test_dir_list is None:
            self._test = self._train
        else:
            test_directories = directories_of("test_dir_list", test_dir_list)
            classes = list(range(len(test_directories)))
            if labelled:
                classes = _classes_of(test_directories, directories)
            self._test = self._part_of(test_directories, classes)
        self.dataset_size = len(self._train.items)

    def _part_of(self, directories: list[str], classes: list[int]) -> _Part:
        """List the files of directories; a file that is listed already keeps its number."""
        known = {path: number for number, path in enumerate(self._paths)}
        items = []
        for directory in directories:
            numbers = [known.setdefault(path, len(known)) for path in files_of(directory)]
            items.append(self._items_of(np.array(numbers), directory))
        self._paths = list(known)
        return _Part(
            np.concatenate(items),
            np.repeat(classes, [len(item) for item in items]),
        )

    def _items_of(self, numbers: np.ndarray, _directory: str) -> np.ndarray:
        """Hook: return the data points which the files of a directory make."""
        return numbers

    # -- what to learn from ------------------------------------------------------------

    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate `iter_n` mini-batches to learn from. A second call starts again.

        Yields:
            A tuple ``(observed_arr, target_arr, test_observed_arr, test_target_arr)``: images of
            shape `(batch_size, channel, height, width)`. Targets are the clean images, or with
            labels one-hot, shape `(batch_size, classes)`. Test data are drawn anew at the
            beginning of each epoch.
        """
        return self._learned_samples(self.iter_n)

    def _learned_samples(self, iter_n: int) -> Iterator[tuple[Any, ...]]:
        test: tuple[Any, Any] = (None, None)
        requests = self._draw_requests(pass_seed(self.seed), iter_n)
        store, thread_n = self._readers()
        for pixels, (rows, test_rows) in read_ahead(store, requests, thread_n):
            count = self._train.items[rows].size
            target_arr, label_arr = self._data_points(self._train, rows, pixels[:count])
            if test_rows is not None:
                test = self._data_points(self._test, test_rows, pixels[count:])
            observed_arr = target_arr
            if self.noiseable_data is not None:
                observed_arr = self.noiseable_data.noise(target_arr)
            yield observed_arr, label_arr, *test

    def _draw_requests(self, seed: int, iter_n: int) -> Iterator[tuple[np.ndarray, Any]]:
        """Draw what each step needs: a function of `seed` and the number of the step alone."""
        rows = self._drawn(self._train, np.random.default_rng([seed, 0]))
        test_rows = self._drawn(self._test, np.random.default_rng([seed, 1]))
        epoch = -1
        for step in range(iter_n):
            step_rows, step_test_rows = next(rows), None
            numbers = [self._train.items[step_rows].ravel()]
            if step * self.epochs // iter_n != epoch:
                epoch = step * self.epochs // iter_n
                step_test_rows = next(test_rows)
                numbers.append(self._test.items[step_test_rows].ravel())
            yield np.concatenate(numbers), (step_rows, step_test_rows)

    def _drawn(self, part: _Part, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Generate rows of mini-batches from a stream of shuffled epochs."""
        for block in endless_blocks(len(part.items), self.batch_size, generator):
            for begin in range(0, len(block), self.batch_size):
                yield block[begin : begin + self.batch_size]

    def _data_points(self, part: _Part, rows: Any, pixels: np.ndarray) -> tuple[Any, Any]:
        """Return clean data points and their targets."""
        shape = (*part.items[rows].shape, *pixels.shape[1:])
        observed_arr = self._put(self.pre_normalize(pixels.reshape(shape).astype(np.float32)))
        if self.label_list is None:
            return observed_arr, observed_arr
        one_hot = np.eye(len(self.label_list), dtype=np.float32)
        return observed_arr, self._put(one_hot[part.labels[rows]])

    def _put(self, arr: np.ndarray) -> Any:
        """Hook: return an array of the tensor library, on its device."""
        return np.ascontiguousarray(arr, dtype=np.float32)

    def _own_axes(self, ndim: int) -> tuple[int, ...]:
        """Each image is normalised by itself: over channels, height and width."""
        return tuple(range(max(0, ndim - 3), ndim))

    # -- what to infer from ------------------------------------------------------------

    def generate_inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate the test images in their order, each once, normalised as in learning.

        Yields:
            A tuple ``(None, None, test_observed_arr, list of the paths)``. The last mini-batch
            may be smaller.
        """
        size = len(self._test.items)
        blocks = (
            np.arange(begin, min(begin + self.batch_size, size))
            for begin in range(0, size, self.batch_size)
        )
        requests = ((self._test.items[rows].ravel(), rows) for rows in blocks)
        store, thread_n = self._readers()
        for pixels, rows in read_ahead(store, requests, thread_n):
            last = self._test.items[rows].reshape(len(rows), -1)[:, -1]
            observed_arr, _ = self._data_points(self._test, rows, pixels)
            yield None, None, observed_arr, [self._paths[number] for number in last]

    # -- images ------------------------------------------------------------------------

    def _readers(self) -> tuple[ImageStore, int]:
        """Return the images of the extractor as it is now, and how many threads read them."""
        extractor = self.image_extractor
        in_threads = isinstance(extractor, ImageExtractor) and (
            type(extractor).extract is ImageExtractor.extract
        )
        size = [getattr(extractor, name, None) for name in ("channel", "height", "width")]
        settings = (extractor, size, self.cache_budget)
        if self._store is None or self._store[0] != settings:
            # Someone's own `extract` may do anything: it is called in the main thread.
            decode_many = extractor.decode_many if in_threads else self._extract_many
            _, example = next(decode_many(self._paths[:1]))
            store = ImageStore(
                self._paths, decode_many, example.shape, example.dtype, self.cache_budget
            )
            self._store = (settings, store)
        return self._store[1], self.thread_n if in_threads else 0

    def _extract_many(self, paths: list[str]) -> Iterator[tuple[int, np.ndarray]]:
        for position, path in enumerate(paths):
            arr = self.image_extractor.extract(path)
            arr = arr.asnumpy() if hasattr(arr, "asnumpy") else arr
            yield position, np.asarray(arr, dtype=np.float32)


class VideoFolderIterator(ImageFolderIterator):
    """Draws mini-batches of sequences of images: files of a directory that follow each other.

    Attributes:
        at_intervals: How many files further the next image of a sequence is.
    """

    at_intervals: int = 1

    def _set_up_sequences(self, seq_len: int, at_intervals: int) -> None:
        """Check and keep the settings. Comes before `_set_up_folders`."""
        self.seq_len = check_integer("seq_len", seq_len, low=1)
        self.at_intervals = check_integer("at_intervals", at_intervals, low=1)

    def _items_of(self, numbers: np.ndarray, directory: str) -> np.ndarray:
        assert self.seq_len is not None
        offsets = np.arange(self.seq_len) * self.at_intervals
        begins = np.arange(len(numbers) - offsets[-1])
        if len(begins) == 0:
            raise ValueError(
                f"{directory!r} must hold at least {offsets[-1] + 1} images for sequences of "
                f"`seq_len={self.seq_len}` with `at_intervals={self.at_intervals}`, but holds "
                f"{len(numbers)}."
            )
        return numbers[begins[:, None] + offsets]


def _processor_n() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _classes_of(test_directories: list[str], directories: list[str]) -> list[int]:
    """Return the numbers of the classes of test directories: by name, else by position."""
    names, test_names = names_of(directories), names_of(test_directories)
    if set(test_names) <= set(names):
        return [names.index(name) for name in test_names]
    if len(directories) == len(test_directories):
        return list(range(len(directories)))
    missing = next(name for name in test_names if name not in names)
    raise ValueError(
        f"`test_dir_list` has a directory {missing!r}, but the classes of `dir_list` are "
        f"{names}. Name test directories like those to learn from, or pass as many."
    )
