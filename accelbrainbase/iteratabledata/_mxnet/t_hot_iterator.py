"""What the iterators over windows of tokens share."""

from __future__ import annotations

from typing import Any

import numpy as np
from mxnet import nd

from accelbrainbase.iteratabledata._mxnet.window_iterator import WindowIterator


class THotIterator(WindowIterator):
    """Draws windows of tokens, each token one-hot.

    What is observed is normalised (all tokens alike, so that a one-hot array keeps two
    values), scaled and corrupted; the target is one-hot, 0 and 1.
    """

    _token_n: int = 0

    def _set_token_n(self, token_n: int) -> None:
        self._token_n = token_n
        self.fit_normalization(np.eye(token_n))

    def _one_hot(self, window_arr: nd.NDArray) -> nd.NDArray:
        return nd.one_hot(window_arr, depth=self._token_n)

    def _observed(self, window_arr: nd.NDArray) -> nd.NDArray:
        return super()._observed(self._one_hot(window_arr))

    def _target(self, window_arr: nd.NDArray, observed_arr: Any) -> nd.NDArray:
        plain = self.scale == 1 and self.norm_mode in ("min_max", None)
        return observed_arr if plain else self._one_hot(window_arr)
