"""Mini-batches of the rows of CSV files with labels."""

from __future__ import annotations

import os
from typing import Any

import mxnet as mx

from accelbrainbase._checks import check_is_a
from accelbrainbase.extractabledata.labeled_csv_extractor import LabeledCSVExtractor
from accelbrainbase.iteratabledata._labels import classes_of, one_hot_of
from accelbrainbase.iteratabledata._mxnet.table_iterator import TableIterator
from accelbrainbase.iteratabledata.labeled_csv_iterator import (
    LabeledCSVIterator as NeutralLabeledCSVIterator,
)
from accelbrainbase.noiseable_data import NoiseableData


class LabeledCSVIterator(TableIterator, NeutralLabeledCSVIterator):
    """Draws mini-batches of the rows of two CSV files, and their labels.

    The files are read once, in the constructor. Rows are drawn from a stream of shuffled
    epochs; the target is the label, one-hot. One mean and deviation, or range, of the training
    file normalises training, test and inference alike.

    Args:
        labeled_csv_extractor: Reads the files.
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

    Attributes:
        label_list: The labels of the training file, sorted: the columns of one-hot vectors.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If `labeled_csv_extractor` is none, or labels are text beside numbers.
        ValueError: If a file is empty, has no labels, has cells that are empty or no numbers,
            the columns of the two differ in number, or the test file has a label which the
            training file does not have.
    """

    label_list: list[Any] | None = None

    def __init__(
        self,
        labeled_csv_extractor: LabeledCSVExtractor,
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
        check_is_a("labeled_csv_extractor", labeled_csv_extractor, LabeledCSVExtractor)
        train_arr, labels = labeled_csv_extractor.extract(train_csv_path)
        test_arr, test_labels = labeled_csv_extractor.extract(test_csv_path)
        self.label_list = classes_of("train_csv_path", labels)
        super().__init__(
            train_arr,
            test_arr,
            one_hot_of("train_csv_path", labels, self.label_list),
            one_hot_of("test_csv_path", test_labels, self.label_list),
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            ctx=ctx,
            seed=seed,
        )
