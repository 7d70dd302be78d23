"""Draws noise: what a generator starts from."""

from __future__ import annotations

from typing import Any

from accelbrainbase._checks import check_is_a
from accelbrainbase.samplabledata.iterator_sampler import IteratorSampler


class NoiseSampler(IteratorSampler):
    """Draws what a generator starts from: here, the mini-batches of an iterator.

    Subclasses draw from distributions. A `noise_sampler` within adds its own draw, so noise of
    several kinds can be put together.
    """

    _inner: NoiseSampler | None = None

    @property
    def noise_sampler(self) -> NoiseSampler | None:
        """A sampler whose draw is added, or `None`."""
        return self._inner

    @noise_sampler.setter
    def noise_sampler(self, value: NoiseSampler | None) -> None:
        check_is_a("noise_sampler", value, NoiseSampler, optional=True)
        self._inner = value

    def draw(self) -> Any:
        """Draw one mini-batch.

        Returns:
            Samples of shape `(batch, *features)`.

        Raises:
            ValueError: If there is no iterator.
        """
        return self.add_inner_noise(self.next_mini_batch()[0])

    def add_inner_noise(self, arr: Any) -> Any:
        """Return `arr` plus a draw of `noise_sampler`, if there is one."""
        return arr if self.noise_sampler is None else arr + self.noise_sampler.draw()
