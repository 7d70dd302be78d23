"""The interface of iterators over tables with labels."""

from __future__ import annotations

from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator


class LabeledCSVIterator(MiniBatchIterator):
    """Generates mini-batches of the rows of a table, with labels.

    Implement both generators. Learned tuples are
    ``(observed_arr, label_arr, test_observed_arr, test_label_arr)``; rows have the shape
    `(batch, columns)`, labels are one-hot, shape `(batch, classes)`.
    """
