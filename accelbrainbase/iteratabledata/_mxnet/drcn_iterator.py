"""Mini-batches of images of two domains in directories."""

from __future__ import annotations

from accelbrainbase.iteratabledata._mxnet._target_folders import TwoDomainFolders
from accelbrainbase.iteratabledata.drcn_iterator import DRCNIterator as NeutralDRCNIterator


class DRCNIterator(TwoDomainFolders, NeutralDRCNIterator):
    """Draws mini-batches of labelled images of a source domain, and images of a target domain.

    Images of each domain are drawn from a stream of shuffled epochs: each once before any comes
    again. The rest is as in `LabeledImageIterator`; `DRCNArrayIterator` does the same with arrays.

    Args:
        image_extractor: Reads the files, for instance an `ImageExtractor`.
        dir_list: Directories of the source domain, one for each class. A list is sorted in
            place, so that its order is that of the classes.
        target_domain_dir_list: Directories of the target domain.
        test_dir_list: Directories to test on and infer from, of the target domain where there
            are labels: with the names of those to learn from, or as many in the same order.
            `None`: those of `dir_list`.
        epochs: Number of passes over the source domain.
        batch_size: Number of images in a mini-batch of each domain.
        norm_mode: How each image is normalised, by itself: `"z_score"`, `"min_max"`, or `None`.
        scale: What values are multiplied with, after normalisation.
        noiseable_data: Corrupts, or augments, images of the source domain, after normalisation.
            Those of the target domain stay clean: a model corrupts them itself.
        ctx: The device; `None`: that of `image_extractor`, if it has one; else the usual one.
        seed: Seed of the order, at least 0.
        cache_budget: How many bytes of decoded images may be kept in memory.
        thread_n: Number of threads that decode mini-batches before they are needed, for each
            domain; `None`: one for each processor, at most 8; 0: none.

    Attributes:
        label_list: Names of the classes, in the order of the columns of one-hot vectors.

    Raises:
        FileNotFoundError: If there is no such directory.
        NotADirectoryError: If one is a file.
        TypeError: If an argument has the wrong type.
        ValueError: If a directory is empty, has directories in it, or is given twice, or if
            test directories do not fit the classes.
    """
