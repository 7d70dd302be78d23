"""An agent that puts a summary together from phrases of texts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_choice, check_is_a, check_number
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.iteratabledata._mxnet.unlabeled_t_hot_csv_iterator import paths_of
from accelbrainbase.iteratabledata._mxnet.unlabeled_t_hot_txt_iterator import (
    UnlabeledTHotTXTIterator,
    text_of,
)
from accelbrainbase.samplabledata.policysampler._mxnet.iterator_policy import IteratorPolicy


class LabeledSummarizationPolicy(IteratorPolicy):
    r"""Rewards phrases that stand where texts sum themselves up, and that say something new.

    .. math:: r = \tanh\left((1 - w) \frac{L - k + 1}{L} - w \, \overline{s \odot a}\right)

    k is the number of characters before the phrase in a text of length L: phrases near the
    beginning count more, with `abstract_pos="bottom"` those near the end. The second term is the
    mean of the product of the one-hot characters of the phrase before and this one: it is larger
    the more they have in common.

    Args:
        txt_path_list: Paths of the texts, in UTF-8. Where a phrase stands in several, their
            mean counts; in none, 0.
        abstract_pos: Where texts sum themselves up: `"top"` or `"bottom"`.
        s_a_dist_weight: The weight :math:`w` in [0, 1] of what is new against the position.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If an argument has an impossible value, or a file is no text.

    Example:
        >>> policy = LabeledSummarizationPolicy(["a.txt"])
        >>> policy.unlabeled_t_hot_txt_iterator = UnlabeledTHotTXTIterator(["a.txt"], seq_len=10)
    """

    def __init__(
        self,
        txt_path_list: Sequence[str | os.PathLike[str]],
        abstract_pos: str = "top",
        s_a_dist_weight: float = 0.3,
    ) -> None:
        check_choice("abstract_pos", abstract_pos, ("top", "bottom"))
        self.abstract_pos = abstract_pos
        self.s_a_dist_weight = check_number("s_a_dist_weight", s_a_dist_weight, low=0.0, high=1.0)
        self._txt_list = [text_of(path) for path in paths_of("txt_path_list", txt_path_list)]
        self._position_dict: dict[str, float] = {}

    @property
    def unlabeled_t_hot_txt_iterator(self) -> IteratableData | None:
        """The iterator whose windows are the phrases."""
        return self.iteratorable_data

    @unlabeled_t_hot_txt_iterator.setter
    def unlabeled_t_hot_txt_iterator(self, value: IteratableData) -> None:
        check_is_a("unlabeled_t_hot_txt_iterator", value, UnlabeledTHotTXTIterator)
        self.iteratorable_data = value

    def _meta_of(self, action_arr: nd.NDArray, target_list: list[nd.NDArray]) -> np.ndarray:  # noqa: ARG002
        """Return the characters, shape `(batch, possible_n, 1, seq_len)`."""
        return self._characters_of(action_arr)

    def _characters_of(self, arr: nd.NDArray) -> np.ndarray:
        token_arr: np.ndarray = getattr(self.iteratorable_data, "token_arr")  # noqa: B009
        return token_arr[arr.argmax(axis=-1).asnumpy().astype(np.int64)]

    def observe_reward_value(
        self, state_arr: Any, action_arr: Any, meta_data_arr: Any = None
    ) -> nd.NDArray:
        """Tell what a phrase is worth after the one before.

        Args:
            state_arr: The phrase before, shape `(batch, 1, seq_len, tokens)`; `None`: that of
                `observe_state`, if there is one.
            action_arr: The phrase, of the same shape.
            meta_data_arr: Its characters, shape `(batch, 1, seq_len)`; `None`: those of
                `action_arr`.

        Returns:
            The rewards, in (-1, 1), shape `(batch, 1)`.
        """
        if meta_data_arr is None:
            meta_data_arr = self._characters_of(action_arr)
        state_arr = self._state_arr if state_arr is None else state_arr
        batch = action_arr.shape[0]
        phrases = ["".join(row) for row in np.asarray(meta_data_arr).reshape(batch, -1)]
        positions = nd.array([[self._worth_of(phrase)] for phrase in phrases])
        value_arr = (1.0 - self.s_a_dist_weight) * positions.as_in_context(action_arr.context)
        if state_arr is not None:
            common_arr = (state_arr * action_arr).reshape((batch, -1))
            value_arr = value_arr - self.s_a_dist_weight * common_arr.mean(axis=1, keepdims=True)
        return nd.tanh(value_arr)

    def _worth_of(self, phrase: str) -> float:
        """Return how near to where texts sum themselves up a phrase stands, in [0, 1 + 1/L]."""
        if phrase not in self._position_dict:
            values = []
            for text in self._txt_list:
                if self.abstract_pos == "top":
                    before = text.find(phrase)
                else:
                    found = text.rfind(phrase)
                    before = found if found < 0 else len(text) - found - len(phrase)
                if before >= 0:
                    values.append((len(text) - before + 1) / len(text))
            self._position_dict[phrase] = float(np.mean(values)) if values else 0.0
        return self._position_dict[phrase]
