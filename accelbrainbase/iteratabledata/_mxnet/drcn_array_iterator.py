"""Mini-batches of two domains from NumPy arrays and pandas tables."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np

from accelbrainbase.iteratabledata._mxnet.array_iterator import ArrayIterator
from accelbrainbase.iteratabledata._two_domains import TwoDomains
from accelbrainbase.iteratabledata.drcn_iterator import DRCNIterator
from accelbrainbase.noiseable_data import NoiseableData


class DRCNArrayIterator(TwoDomains, ArrayIterator, DRCNIterator):
    """Mini-batches of a labelled source domain and an unlabelled target domain, from arrays.

    Each epoch goes through the source domain once, in a new order; the target domain goes round
    as often as is needed. Mini-batches of both have `batch_size` data points, where there are as
    many; but the last one of the source domain may be smaller.

    Args:
        observed: Data points of the source domain, as in `ArrayIterator`.
        target: Their classes: labels, shape `(rows,)`, which become one-hot; or one-hot, shape
            `(rows, classes)`.
        target_domain: Data points of the target domain, shape `(rows, *features)`.
        test_observed: Data points to test on: of the target domain, where some have labels.
        test_target: Their classes.
        test_fraction: Share of the source domain to hold out as test data instead.
        epochs: Number of passes over the source domain.
        batch_size: Number of data points in a mini-batch of each domain.
        shuffle: Whether the order is random.
        drop_last: Whether a smaller last mini-batch is left out.
        norm_mode: How data points are normalised, as in `ArrayIterator`: by one mean and
            deviation, or range, of the source domain, for both domains and test data.
        scale: What data points are multiplied with, after normalisation.
        noiseable_data: Corrupts, or augments, mini-batches of the source domain. Those of the
            target domain stay clean: a model corrupts them itself.
        one_hot: Whether `target` is labels; `None` decides by its rank.
        seed: Seed of order and split, at least 0.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.

    Attributes:
        label_list: The labels in the order of the columns of one-hot targets (sorted), or
            `None` where they were one-hot already.

    Raises:
        TypeError: If data are not numbers.
        ValueError: If data are empty, ragged, not finite, or do not fit each other.

    Example:
        >>> iterator = DRCNArrayIterator(source, labels, target_domain, epochs=20)
        >>> model.learn(iterator)
    """

    def __init__(
        self,
        observed: Any,
        target: Any,
        target_domain: Any,
        *,
        test_observed: Any = None,
        test_target: Any = None,
        test_fraction: float | None = None,
        epochs: int = 100,
        batch_size: int = 64,
        shuffle: bool = True,
        drop_last: bool = False,
        norm_mode: str | None = None,
        scale: float = 1.0,
        noiseable_data: NoiseableData | None = None,
        one_hot: bool | None = None,
        seed: int | None = None,
        ctx: mx.Context | None = None,
    ) -> None:
        super().__init__(
            observed,
            target,
            test_observed=test_observed,
            test_target=test_target,
            test_fraction=test_fraction,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            one_hot=holds_labels(target) if one_hot is None else one_hot,
            seed=seed,
            ctx=ctx,
        )
        self._set_up_target_domain(
            target_domain_of(target_domain, self.observed_shape, shuffle, self.ctx)
        )
        self._target_domain.fit_normalization(self._observed)


def holds_labels(target: Any) -> bool:
    """Tell whether targets of classes are labels, or else one-hot vectors."""
    if target is None:
        raise TypeError(
            "`target` must hold the classes of the source domain, but is None. For a domain "
            "without labels use `ArrayIterator`."
        )
    shape = np.shape(target)
    return len(shape) < 2 or shape[1] == 1


def target_domain_of(
    target_domain: Any, shape: tuple[int, ...], shuffle: bool, ctx: mx.Context
) -> ArrayIterator:
    """Return the iterator over a target domain, whose data points must have a given shape."""
    if target_domain is None:
        raise TypeError("`target_domain` must hold data points of the target domain, but is None.")
    try:
        inner = ArrayIterator(target_domain, batch_size=1, shuffle=shuffle, drop_last=True, ctx=ctx)
    except (TypeError, ValueError) as error:
        raise type(error)(str(error).replace("`observed`", "`target_domain`")) from error
    if inner.observed_shape != shape:
        raise ValueError(
            f"`target_domain` must have rows of the shape {shape}, as `observed` has, but they "
            f"have {inner.observed_shape}."
        )
    return inner
