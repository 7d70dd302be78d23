"""Mini-batches of windows of CSV files of tokens."""

from __future__ import annotations

import os
from collections.abc import Sequence

import mxnet as mx
import numpy as np

from accelbrainbase._checks import check_is_a
from accelbrainbase.extractabledata.unlabeled_csv_extractor import UnlabeledCSVExtractor
from accelbrainbase.iteratabledata._arrays import check_finite
from accelbrainbase.iteratabledata._mxnet.t_hot_iterator import THotIterator
from accelbrainbase.iteratabledata.labeled_image_iterator import LabeledImageIterator
from accelbrainbase.noiseable_data import NoiseableData


class UnlabeledTHotCSVIterator(THotIterator, LabeledImageIterator):
    """Draws windows of neighbouring rows of CSV files of whole numbers, each number one-hot.

    Arrays have the shape `(batch, seq_len, columns, numbers)`, such as the pitches of several
    voices. The one-hot axis runs from the smallest number in all files to the largest, so it is
    the same for all of them. No window reaches from one file into another.

    Args:
        unlabeled_csv_extractor: Reads the files.
        train_csv_path_list: Paths of the training files; a row for each time.
        test_csv_path_list: Paths of the test files, with as many columns.
        epochs: Number of passes over the training files.
        batch_size: Number of windows in a mini-batch. If there are fewer, it is all of them.
        seq_len: Length of the windows.
        norm_mode: `"z_score"`, `"min_max"`, or `None`, for what is observed; the target stays
            0 and 1.
        scale: What is observed is multiplied with, after normalisation.
        noiseable_data: Corrupts the observed windows to learn from, after normalisation.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.
        seed: Seed of the order, at least 0; `None`: drawn from NumPy's global state at each
            call of `generate_learned_samples`.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If `unlabeled_csv_extractor` is none, or a list of paths is a single path.
        ValueError: If a file is empty, shorter than `seq_len`, holds anything but whole
            numbers, or the files differ in their number of columns.

    Attributes:
        token_arr: The whole numbers in the order of the one-hot axis.
    """

    def __init__(
        self,
        unlabeled_csv_extractor: UnlabeledCSVExtractor,
        train_csv_path_list: Sequence[str | os.PathLike[str]],
        test_csv_path_list: Sequence[str | os.PathLike[str]],
        epochs: int = 300,
        batch_size: int = 20,
        seq_len: int = 10,
        norm_mode: str | None = "z_score",
        scale: float = 1.0,
        noiseable_data: NoiseableData | None = None,
        ctx: mx.Context | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        check_is_a("unlabeled_csv_extractor", unlabeled_csv_extractor, UnlabeledCSVExtractor)
        names = {
            "train_csv_path_list": paths_of("train_csv_path_list", train_csv_path_list),
            "test_csv_path_list": paths_of("test_csv_path_list", test_csv_path_list),
        }
        series = {
            argument: [_tokens_of(unlabeled_csv_extractor, path) for path in paths]
            for argument, paths in names.items()
        }
        train, test = series.values()
        low = min(arr.min() for arr in (*train, *test))
        high = max(arr.max() for arr in (*train, *test))
        columns = train[0].shape[1]
        for argument, arrays in series.items():
            for arr, path in zip(arrays, names[argument]):
                if arr.shape[1] != columns:
                    raise ValueError(
                        f"`{argument}` must name files with the {columns} columns of the first "
                        f"training file, but {path!r} has {arr.shape[1]}."
                    )
        super().__init__(
            [arr - low for arr in train],
            [arr - low for arr in test],
            *names.values(),
            seq_len=seq_len,
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            ctx=ctx,
            seed=seed,
        )
        self.token_arr = np.arange(low, high + 1)
        self._set_token_n(len(self.token_arr))


def paths_of(name: str, paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Return paths as text; raise unless there is a list of at least one."""
    if isinstance(paths, (str, os.PathLike)):
        raise TypeError(f"`{name}` must be a list of paths, but got one: pass `[{paths!r}]`.")
    listed = [os.fspath(path) for path in paths]
    if not listed:
        raise ValueError(f"`{name}` must have at least one path, but is empty.")
    return listed


def _tokens_of(extractor: UnlabeledCSVExtractor, path: str) -> np.ndarray:
    arr = extractor.extract(path)
    check_finite(path, arr)
    if (arr != np.round(arr)).any():
        raise ValueError(
            f"{path!r} must hold whole numbers, which become one-hot, but holds "
            f"{arr[arr != np.round(arr)][0]:g}. For measured numbers there is "
            f"`UnlabeledSequentialCSVIterator`."
        )
    return arr.astype(np.int64)
