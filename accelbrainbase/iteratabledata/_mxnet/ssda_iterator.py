"""Mini-batches of images in directories, and of a pretext task of another domain."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from accelbrainbase.iteratabledata._mxnet._target_folders import TwoDomainFolders
from accelbrainbase.iteratabledata._two_domains import PretextDomains


class SSDAIterator(PretextDomains, TwoDomainFolders):
    """Draws mini-batches of labelled images, and of a pretext task of a target domain.

    Implement `create_pretext_task_samples`. Images of each domain are drawn from a stream of
    shuffled epochs: each once before any comes again. The rest is as in `LabeledImageIterator`;
    `SSDAArrayIterator` does the same with arrays.

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
        ctx: The device; `None`: that of `image_extractor`, if it has one; else the usual one.
        seed: Seed of the order and of the pretext task, at least 0.
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

    @abstractmethod
    def create_pretext_task_samples(self, target_domain_batch_arr: Any) -> tuple[Any, Any]:
        """Make samples of the pretext task from data points.

        `pretext_generator` draws what is random, so that it follows from the seed.

        Args:
            target_domain_batch_arr: Images, shape `(batch, channel, height, width)`.

        Returns:
            Images to ask about, of the same shape, and the answers, one-hot, shape
            `(batch, pretext_block_n * answers)`.
        """
