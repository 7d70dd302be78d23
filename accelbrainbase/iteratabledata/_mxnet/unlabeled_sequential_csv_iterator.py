"""Mini-batches of windows of CSV files."""

from __future__ import annotations

import os
from typing import Any

import mxnet as mx

from accelbrainbase._checks import check_is_a
from accelbrainbase.extractabledata.unlabeled_csv_extractor import UnlabeledCSVExtractor
from accelbrainbase.iteratabledata._arrays import check_finite
from accelbrainbase.iteratabledata._mxnet.window_iterator import WindowIterator
from accelbrainbase.iteratabledata.labeled_image_iterator import LabeledImageIterator
from accelbrainbase.noiseable_data import NoiseableData


class UnlabeledSequentialCSVIterator(WindowIterator, LabeledImageIterator):
    """Draws windows of neighbouring rows of two CSV files of numbers.

    Arrays have the shape `(batch, seq_len, columns)`. The target is the window itself, without
    noise. One mean and deviation, or range, of the training file normalises training, test
    and inference alike. At inference, the windows of the test file come in their order.

    Args:
        unlabeled_csv_extractor: Reads the files.
        train_csv_path: Path of the training file; a row for each time.
        test_csv_path: Path of the test file, with the same columns.
        epochs: Number of passes over the training file.
        batch_size: Number of windows in a mini-batch. If there are fewer, it is all of them.
        seq_len: Length of the windows.
        norm_mode: `"z_score"`, `"min_max"`, or `None`.
        scale: What values are multiplied with, after normalisation.
        noiseable_data: Corrupts the observed windows to learn from, after normalisation.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.
        seed: Seed of the order, at least 0; `None`: drawn from NumPy's global state at each
            call of `generate_learned_samples`.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If `unlabeled_csv_extractor` is none.
        ValueError: If a file is empty, shorter than `seq_len`, has cells that are empty or no
            numbers, or the columns of the two differ in number.
    """

    def __init__(
        self,
        unlabeled_csv_extractor: UnlabeledCSVExtractor,
        train_csv_path: str | os.PathLike[str],
        test_csv_path: str | os.PathLike[str],
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
        arrays: list[Any] = []
        for name, path in (("train_csv_path", train_csv_path), ("test_csv_path", test_csv_path)):
            arrays.append(unlabeled_csv_extractor.extract(path))
            check_finite(name, arrays[-1])
        if arrays[0].shape[1] != arrays[1].shape[1]:
            raise ValueError(
                f"`test_csv_path` must have the {arrays[0].shape[1]} columns of numbers that "
                f"`train_csv_path` has, but has {arrays[1].shape[1]}."
            )
        super().__init__(
            arrays[:1],
            arrays[1:],
            [os.fspath(train_csv_path)],
            [os.fspath(test_csv_path)],
            seq_len=seq_len,
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            ctx=ctx,
            seed=seed,
        )
        self.fit_normalization(arrays[0])
