"""The interface of iterators over images without labels."""

from __future__ import annotations

from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator


class UnlabeledImageIterator(MiniBatchIterator):
    """Generates mini-batches of images without labels.

    Implement both generators. Learned tuples are
    ``(observed_arr, target_arr, test_observed_arr, test_target_arr)``, images of shape
    `(batch, channel, height, width)`; the target is the image that is to be reconstructed.
    """
