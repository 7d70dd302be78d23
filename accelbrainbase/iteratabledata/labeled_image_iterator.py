"""The interface of iterators over images with labels."""

from __future__ import annotations

from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator


class LabeledImageIterator(MiniBatchIterator):
    """Generates mini-batches of images, or of other data points, with labels.

    Implement both generators. Learned tuples are
    ``(observed_arr, label_arr, test_observed_arr, test_label_arr)``; images have the shape
    `(batch, channel, height, width)`, labels are one-hot, shape `(batch, classes)`.
    """
