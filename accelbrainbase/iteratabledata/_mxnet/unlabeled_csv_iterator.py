"""Mini-batches of the rows of CSV files."""

from __future__ import annotations

import os

import mxnet as mx

from accelbrainbase._checks import check_is_a
from accelbrainbase.extractabledata.unlabeled_csv_extractor import UnlabeledCSVExtractor
from accelbrainbase.iteratabledata._mxnet.table_iterator import TableIterator
from accelbrainbase.noiseable_data import NoiseableData


class UnlabeledCSVIterator(TableIterator):
    """Draws mini-batches of the rows of two CSV files of numbers.

    The files are read once, in the constructor. Rows are drawn from a stream of shuffled
    epochs; the target is the row itself, without noise. One mean and deviation, or range, of
    the training file normalises training, test and inference alike.

    Args:
        unlabeled_csv_extractor: Reads the files.
        train_csv_path: Path of the training file.
        test_csv_path: Path of the test file, with the same columns.
        epochs: Number of passes over the training file.
        batch_size: Number of rows in a mini-batch. If there are fewer, it is all of them.
        norm_mode: `"z_score"`, `"min_max"`, or `None`.
        scale: What values are multiplied with, after normalisation.
        noiseable_data: Corrupts the observed rows of the training file, after normalisation.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.
        seed: Seed of the order, at least 0; `None`: drawn from NumPy's global state at each
            call of `generate_learned_samples`.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If `unlabeled_csv_extractor` is none.
        ValueError: If a file is empty, has cells that are empty or no numbers, or the columns of
            the two differ in number.
    """

    def __init__(
        self,
        unlabeled_csv_extractor: UnlabeledCSVExtractor,
        train_csv_path: str | os.PathLike[str],
        test_csv_path: str | os.PathLike[str],
        epochs: int = 300,
        batch_size: int = 20,
        norm_mode: str | None = "z_score",
        scale: float = 1.0,
        noiseable_data: NoiseableData | None = None,
        ctx: mx.Context | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        check_is_a("unlabeled_csv_extractor", unlabeled_csv_extractor, UnlabeledCSVExtractor)
        super().__init__(
            unlabeled_csv_extractor.extract(train_csv_path),
            unlabeled_csv_extractor.extract(test_csv_path),
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            ctx=ctx,
            seed=seed,
        )
