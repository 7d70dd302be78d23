"""Greedy layer-wise pre-training of auto-encoders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from accelbrainbase._checks import check_is_a
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.iteratabledata._mxnet.encoded_iterator import EncodedIterator
from accelbrainbase.learning.callback import Callback, checked_callbacks
from accelbrainbase.learning.checkpoint import Checkpoint


def learn_one_by_one(
    auto_encoder_list: Sequence[Any],
    iteratable_data: IteratableData,
    callbacks: Iterable[Callback] | None = None,
) -> None:
    """Let auto-encoders learn one after another, each from the codes of the last.

    An interrupt ends the learning of all.

    Args:
        auto_encoder_list: Models with `learn` and `encode`, the one of the data first.
        iteratable_data: Generates the data points.
        callbacks: Take part in each of the learnings.

    References:
        - Bengio, Y., Lamblin, P., Popovici, D., & Larochelle, H. (2007). Greedy layer-wise
          training of deep networks. NIPS 19. Section 4.
    """
    check_is_a("iteratable_data", iteratable_data, IteratableData)
    callback_list = callbacks_of_parts(callbacks, len(auto_encoder_list))
    encode: Callable[[Any], Any] | None = None
    for part in auto_encoder_list:
        data = iteratable_data if encode is None else EncodedIterator(iteratable_data, encode)
        part.learn(data, callbacks=callback_list)
        if part.history.interrupted:
            return
        encode = part.encode if encode is None else partial(_compose, part.encode, encode)


def callbacks_of_parts(callbacks: Iterable[Callback] | None, part_n: int) -> list[Callback]:
    """Return callbacks that take part in several learnings, one after another.

    Args:
        callbacks: The callbacks.
        part_n: Number of learnings.

    Raises:
        ValueError: If a `Checkpoint` would let a part go on from the file of the one before.
    """
    callback_list = checked_callbacks(callbacks)
    if part_n > 1 and any(isinstance(callback, Checkpoint) for callback in callback_list):
        raise ValueError(
            f"`callbacks` must have no `Checkpoint` where {part_n} models learn one after another: "
            f"each would go on from the file of the one before it. Let the models learn one by "
            f"one, each with a `Checkpoint` of its own."
        )
    return callback_list


def _compose(outer: Callable[[Any], Any], inner: Callable[[Any], Any], arr: Any) -> Any:
    return outer(inner(arr))
