"""The interface of iterators over series of two domains, for Transformers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from accelbrainbase._checks import check_is_a, check_list_of
from accelbrainbase.iteratabledata.mini_batch_iterator import MiniBatchIterator
from accelbrainbase.samplabledata.pretext_sampler import PretextSampler


class SSDATransformerIterator(MiniBatchIterator):
    """Generates mini-batches of series of a source domain, and of several pretext tasks.

    Implement both generators; `create_pretext_task_samples_list` makes what they generate of the
    target domain.
    """

    _pretext_samplers: tuple[PretextSampler, ...] = ()

    @property
    def pretext_samplers_list(self) -> list[PretextSampler]:
        """The samplers of the pretext tasks.

        Raises:
            ValueError: If there are none.
            TypeError: If it is set to what is no list of `PretextSampler`.
        """
        if not self._pretext_samplers:
            raise ValueError(
                f"`pretext_samplers_list` of {type(self).__name__} must have at least one "
                f"`PretextSampler`, but is empty. Set it first."
            )
        return list(self._pretext_samplers)

    @pretext_samplers_list.setter
    def pretext_samplers_list(self, value: list[PretextSampler]) -> None:
        check_is_a("pretext_samplers_list", value, (list, tuple))
        checked = check_list_of("pretext_samplers_list", value, PretextSampler, "sampler")
        self._pretext_samplers = tuple(checked)

    def create_pretext_task_samples_list(
        self, target_domain_batch_arr: Any
    ) -> tuple[list[Any], list[Any], list[Any], list[Any], list[Any]]:
        """Make samples of every pretext task from the same series.

        Args:
            target_domain_batch_arr: Series of the target domain, shape
                `(batch, length, depth_dim)`.

        Returns:
            Five lists with an entry for each task: series to encode, series to decode, their
            masks, and the answers.
        """
        drawn = []
        for sampler in self.pretext_samplers_list:
            sampler.preprocess(target_domain_batch_arr)
            drawn.append(sampler.draw())
        encoded, decoded, encoded_masks, decoded_masks, answers = (
            list(part) for part in zip(*drawn)
        )
        return encoded, decoded, encoded_masks, decoded_masks, answers

    @abstractmethod
    def generate_learned_samples(self) -> Iterator[tuple[Any, ...]]:
        """Generate `iter_n` mini-batches to learn from. A second call starts again.

        Yields:
            The ten of `TransformerIterator` of the source domain, then the five lists of
            `create_pretext_task_samples_list`.
        """
