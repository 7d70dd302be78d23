"""Mini-batches of codes instead of data points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from accelbrainbase._checks import check_is_a
from accelbrainbase.iteratable_data import IteratableData


class EncodedIterator(IteratableData):
    """Generates what a network makes of the mini-batches of another iterator.

    Observed data points *and* targets are the codes: what an auto-encoder of codes needs.

    Args:
        iteratable_data: Generates the data points.
        encode: Computes codes of shape `(batch, *code)` from an array of data points.
    """

    def __init__(self, iteratable_data: IteratableData, encode: Callable[[Any], Any]) -> None:
        check_is_a("iteratable_data", iteratable_data, IteratableData)
        self.iteratable_data = iteratable_data
        self.encode = encode

    @property
    def epochs(self) -> int:
        """Number of passes over the data."""
        return self.iteratable_data.epochs  # type: ignore[attr-defined, no-any-return]

    @property
    def iter_n(self) -> int:
        """Number of mini-batches to learn from."""
        return self.iteratable_data.iter_n  # type: ignore[attr-defined, no-any-return]

    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate mini-batches of codes.

        Yields:
            ``(code_arr, code_arr, test_code_arr, test_code_arr)``; the last two are `None`
            where there are no test data.
        """
        test_observed_arr, test_code_arr = None, None
        for observed_arr, _, test_arr, _ in self.iteratable_data.generate_learned_samples():
            code_arr = self.encode(observed_arr)
            if test_arr is not test_observed_arr:  # often the same array at each step
                test_observed_arr, test_code_arr = test_arr, self.encode(test_arr)
            yield code_arr, code_arr, test_code_arr, test_code_arr

    def generate_inferenced_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate the codes of the test data.

        Yields:
            ``(None, None, test_code_arr, what belongs to the data points)``.
        """
        for _, _, test_arr, other in self.iteratable_data.generate_inferenced_samples():
            yield None, None, self.encode(test_arr), other
