"""Mini-batches of sequences of images in directories, with labels."""

from __future__ import annotations

import os
from collections.abc import Iterable

import mxnet as mx

from accelbrainbase.extractable_data import ExtractableData
from accelbrainbase.iteratabledata._mxnet._on_device import OnDevice, device_of
from accelbrainbase.iteratabledata.image_folder_iterator import VideoFolderIterator
from accelbrainbase.iteratabledata.labeled_image_iterator import LabeledImageIterator
from accelbrainbase.noiseable_data import NoiseableData


class LabeledVideoIterator(OnDevice, VideoFolderIterator, LabeledImageIterator):
    """Draws mini-batches of sequences of images in directories, one directory for each class.

    A sequence is `seq_len` files of one directory that follow each other in the order of their
    names (numbers in names by their value), each `at_intervals` files after the one before. It
    may begin at any file after which there are enough, so `dataset_size` is the number of such
    files.

    Sequences are drawn from a stream of shuffled epochs: each once before any comes again. Every
    mini-batch has the shape `(batch_size, seq_len, channel, height, width)`. The target is the
    class, one-hot: classes are the directories, sorted by their paths. The test mini-batch is
    drawn anew at the beginning of each epoch. For inference, each test sequence comes once, in
    the order of directories and names, with the path of its last image.

    Background threads decode mini-batches before they are asked for. All random draws happen in
    the main thread, so the order follows from the seed alone.

    Args:
        image_extractor: Reads the files, for instance an `ImageExtractor`.
        dir_list: Directories of images to learn from, with or without a slash at the end; one
            for each class. A list is sorted in place, so that its order is that of the classes.
            Names in them that begin with a dot are left out; directories within are an error.
        test_dir_list: Directories of images to test on and infer from: with the names of those
            to learn from, or as many in the same order. `None`: those of `dir_list`.
        epochs: Number of passes over the images to learn from.
        batch_size: Number of sequences in a mini-batch.
        seq_len: Number of images in a sequence.
        at_intervals: How many files further the next image of a sequence is.
        norm_mode: How each image is normalised, by itself: `"z_score"`, `"min_max"`, or `None`.
        scale: What values are multiplied with, after normalisation.
        noiseable_data: Corrupts the observed training images, after normalisation. Targets and
            test images stay clean.
        ctx: The device; `None`: that of `image_extractor`, if it has one; else the context that
            was entered, else a GPU, else the CPU.
        seed: Seed of the order, at least 0: then every call of `generate_learned_samples`
            generates the same. Without one, each call draws one from NumPy's global state,
            which `accelbrainbase.seed` sets.
        cache_budget: How many bytes of decoded images may be kept in memory, so that later
            epochs decode nothing. A pixel takes a byte for each channel. What does not fit is
            decoded again. Files that change are not noticed.
        thread_n: Number of threads that decode mini-batches before they are needed; `None`: one
            for each processor, at most 8; 0: none.

    Attributes:
        label_list: Names of the classes: of the directories, or their paths where two have the
            same name. The order is that of the columns of one-hot vectors.

    Raises:
        FileNotFoundError: If there is no such directory.
        NotADirectoryError: If one is a file.
        TypeError: If an argument has the wrong type.
        ValueError: If a directory is empty, has too few images or directories in it, or is
            given twice, or if test directories do not fit the classes. While generating: if a
            file is no image, or broken; the message names it.
    """

    def __init__(
        self,
        image_extractor: ExtractableData,
        dir_list: Iterable[str | os.PathLike[str]],
        test_dir_list: Iterable[str | os.PathLike[str]] | None = None,
        epochs: int = 300,
        batch_size: int = 20,
        seq_len: int = 10,
        at_intervals: int = 1,
        norm_mode: str | None = "z_score",
        scale: float = 1.0,
        noiseable_data: NoiseableData | None = None,
        ctx: mx.Context | None = None,
        *,
        seed: int | None = None,
        cache_budget: int = 2**30,
        thread_n: int | None = None,
    ) -> None:
        self.ctx = device_of(image_extractor, ctx)
        self._set_up_sequences(seq_len, at_intervals)
        self._set_up_folders(
            image_extractor,
            dir_list,
            test_dir_list,
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            seed=seed,
            cache_budget=cache_budget,
            thread_n=thread_n,
            labelled=True,
        )
