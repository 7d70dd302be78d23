"""Mini-batches of windows of texts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_is_a
from accelbrainbase.iteratabledata._mxnet.t_hot_iterator import THotIterator
from accelbrainbase.iteratabledata._mxnet.unlabeled_t_hot_csv_iterator import paths_of
from accelbrainbase.iteratabledata.unlabeled_image_iterator import UnlabeledImageIterator
from accelbrainbase.noiseable_data import NoiseableData


class UnlabeledTHotTXTIterator(THotIterator, UnlabeledImageIterator):
    """Draws windows of the characters of texts, each character one-hot.

    Arrays have the shape `(batch, 1, seq_len, tokens)`. The tokens are the characters of all
    files, sorted, so that their order is the same in every process; set `token_list` to that
    of a model that was saved. No window reaches from one file into another.

    Args:
        train_txt_path_list: Paths of the training files, in UTF-8.
        test_txt_path_list: Paths of the test files; the training files if omitted.
        epochs: Number of passes over what counts as the data set.
        batch_size: Number of windows in a mini-batch. If there are fewer, it is all of them.
        seq_len: Length of the windows in characters.
        norm_mode: `"z_score"`, `"min_max"`, or `None`, for what is observed; the target stays
            0 and 1.
        scale: What is observed is multiplied with, after normalisation.
        noiseable_data: Corrupts the observed windows to learn from, after normalisation.
        dataset_size: Number of data points in an epoch; that of all characters if omitted.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.
        seed: Seed of the order, at least 0; `None`: drawn from NumPy's global state at each
            call of `generate_learned_samples`.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If a list of paths is a single path.
        ValueError: If a file is no text, or shorter than `seq_len`.
    """

    def __init__(
        self,
        train_txt_path_list: Sequence[str | os.PathLike[str]],
        test_txt_path_list: Sequence[str | os.PathLike[str]] | None = None,
        epochs: int = 300,
        batch_size: int = 20,
        seq_len: int = 10,
        norm_mode: str | None = "z_score",
        scale: float = 1.0,
        noiseable_data: NoiseableData | None = None,
        dataset_size: int | None = None,
        ctx: mx.Context | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        names = paths_of("train_txt_path_list", train_txt_path_list)
        test_names = names
        if test_txt_path_list is not None:
            test_names = paths_of("test_txt_path_list", test_txt_path_list)
        self._texts = {
            "train": [text_of(path) for path in names],
            "test": [text_of(path) for path in test_names],
        }
        self._pre_txt_arr: Sequence[str] | None = None
        everything = "".join(self._texts["train"] + self._texts["test"])
        self._token_list = sorted(set(everything))
        super().__init__(
            self._encoded("train"),
            self._encoded("test"),
            names,
            test_names,
            seq_len=seq_len,
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            ctx=ctx,
            seed=seed,
            dataset_size=dataset_size,
        )
        self._set_token_n(len(self._token_list))

    def _encoded(self, part: str) -> list[np.ndarray]:
        """Return the numbers of the characters of all texts of a part."""
        number_of = {token: number for number, token in enumerate(self._token_list)}
        try:
            return [
                np.array([number_of[character] for character in text], dtype=np.int64)
                for text in self._texts[part]
            ]
        except KeyError as error:
            raise ValueError(
                f"`token_list` must have all characters of the texts, but has no "
                f"{error.args[0]!r}. Add it, and to the model that was saved, or leave it out of "
                f"the texts."
            ) from error

    @property
    def token_list(self) -> list[str]:
        """The characters, in the order of the one-hot axis."""
        return list(self._token_list)

    @token_list.setter
    def token_list(self, value: Sequence[str]) -> None:
        tokens = list(value)
        if len(set(tokens)) != len(tokens):
            raise ValueError("`token_list` must name each character once.")
        before, self._token_list = self._token_list, tokens
        try:
            series = {part: self._encoded(part) for part in self._texts}
        except ValueError:
            self._token_list = before
            raise
        self._series = series
        self._kept = {}
        self._set_token_n(len(tokens))

    @read_only
    def token_arr(self) -> np.ndarray:
        """The characters, in the order of the one-hot axis, shape `(tokens,)`."""
        return np.array(self._token_list)

    @property
    def pre_txt_arr(self) -> Any:
        """Texts, one for each row of a mini-batch, that the rows are to continue; or `None`.

        Each row begins right behind one of the places where its text stands in a training
        file. A row whose text stands only where no window fits behind it is drawn at random.
        """
        return self._pre_txt_arr

    @pre_txt_arr.setter
    def pre_txt_arr(self, value: Any) -> None:
        for text in () if value is None else value:
            check_is_a("pre_txt_arr", text, str)
        self._pre_txt_arr = value

    def _choose(self, starts: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        if self._pre_txt_arr is None:
            return starts
        if len(self._pre_txt_arr) != len(starts):
            raise ValueError(
                f"`pre_txt_arr` must have a text for each of the {len(starts)} rows of a "
                f"mini-batch, but has {len(self._pre_txt_arr)}."
            )
        chosen = starts.copy()
        for row, text in enumerate(self._pre_txt_arr):
            behind = self._places_behind(text)
            if len(behind):
                chosen[row] = generator.choice(behind)
        return chosen

    def _places_behind(self, text: str) -> list[int]:
        """Return the rows behind `text` at which a window fits."""
        places, offset, found = [], 0, False
        for whole in self._texts["train"]:
            at = whole.find(text)
            while at >= 0:
                found = True
                if at + len(text) + self.seq_len <= len(whole):
                    places.append(offset + at + len(text))
                at = whole.find(text, at + 1)
            offset += len(whole)
        if not found:
            raise ValueError(f"`pre_txt_arr` has {text!r}, which stands in no training file.")
        return places

    def _one_hot(self, window_arr: nd.NDArray) -> nd.NDArray:
        return nd.expand_dims(super()._one_hot(window_arr), axis=1)


def text_of(path: str) -> str:
    """Return the text of a file; raise unless it is one, in UTF-8."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path!r} must be a text in UTF-8: {error}") from error
