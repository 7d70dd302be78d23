"""The interface of iterators over a labelled and an unlabelled domain."""

from __future__ import annotations

from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator


class DRCNIterator(MiniBatchIterator):
    """Generates mini-batches of a labelled source domain and an unlabelled target domain.

    Implement both generators. Learned tuples are
    ``(observed_arr, label_arr, test_observed_arr, test_label_arr, target_domain_arr)``; labels
    are one-hot, shape `(batch, classes)`. What is to be tested on may be `None`.
    """
