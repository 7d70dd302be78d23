"""Losses of classes, and targets that fit them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mxnet import gluon, nd
from mxnet.base import MXNetError


def compared(
    name: str,
    compute: Callable[[nd.NDArray, nd.NDArray], nd.NDArray],
    pred_arr: nd.NDArray,
    target_arr: nd.NDArray,
) -> nd.NDArray:
    """Return the loss of each sample.

    Args:
        name: How the loss is called, for the message.
        compute: Computes it.
        pred_arr: Predictions, shape `(batch, *features)`.
        target_arr: The truth.

    Raises:
        ValueError: If MXNet cannot compute it of these shapes.
    """
    try:
        return compute(pred_arr, target_arr)
    except MXNetError as error:
        raise ValueError(
            f"`{name}` cannot compare what the model gave, of shape {_shape(pred_arr)}, with "
            f"targets of shape {_shape(target_arr)}. One-hot targets, which iterators make of "
            f"labels that are text, want `SoftmaxCrossEntropyLoss(sparse_label=False)`; class "
            f"numbers, of shape (batch,), want `sparse_label=True`."
        ) from error


def takes_class_numbers(loss: Any) -> bool:
    """Tell whether a loss is one of class numbers: Gluon's, or one with a `sparse_label`."""
    if isinstance(loss, gluon.loss.SoftmaxCrossEntropyLoss):
        return loss._sparse_label
    return getattr(loss, "sparse_label", False) is True


def check_class_numbers(
    loss: Any,
    pred_arr: Any,
    parts: Sequence[Sequence[Any]],
    on_device: Callable[[str, Any], nd.NDArray],
    lowest: int = 0,
) -> None:
    """Raise a `ValueError` where there is a class number that has no unit.

    MXNet computes the loss of the nearest class instead.

    Args:
        loss: The loss; it takes class numbers.
        pred_arr: What the model gives for some data points, the classes along the axis of the
            loss.
        parts: Data points and targets of training, and of test. What is one-hot is left to the
            loss.
        on_device: `on_device` of the model.
        lowest: The lowest number there may be; -1 where it marks what has no class.
    """
    for part, of in zip(parts, ("training", "test")):
        if len(part) > 1 and part[1] is not None:
            target_arr = on_device("target_arr", part[1])
            _check_numbers(loss, pred_arr, target_arr, of, lowest)


def _check_numbers(loss: Any, pred_arr: Any, target_arr: nd.NDArray, of: str, lowest: int) -> None:
    if not isinstance(pred_arr, nd.NDArray) or target_arr.shape[1:] == pred_arr.shape[1:]:
        return
    if not target_arr.size:
        return
    axis = loss._axis if hasattr(loss, "_axis") else loss.axis
    unit_n = pred_arr.shape[axis]
    for number in (target_arr.min().asscalar(), target_arr.max().asscalar()):
        if not lowest <= number < unit_n:
            raise ValueError(
                f"`iteratable_data` must generate class numbers from {lowest} to {unit_n - 1}, "
                f"since the last layer has {unit_n} units, but one of the {of} data is {number:g}. "
                f"Give the last layer a unit for each class, and leave out what has no class."
            )


def _shape(arr: Any) -> Any:
    return getattr(arr, "shape", type(arr).__name__)
