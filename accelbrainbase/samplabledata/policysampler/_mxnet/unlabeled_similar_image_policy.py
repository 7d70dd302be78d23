"""An agent that goes from image to similar image."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.samplabledata.policysampler._mxnet.iterator_policy import IteratorPolicy


class UnlabeledSimilarImagePolicy(IteratorPolicy):
    r"""Rewards going on to an image whose pixels are like those of the image before.

    .. math:: r = \frac{1}{1 + \frac{1}{n}\sum_i (s_i - a_i)^2}

    So the reward is 1 for equal images, and lower the more they differ.

    Example:
        >>> policy = UnlabeledSimilarImagePolicy()
        >>> policy.unlabeled_image_iterator = iterator
        >>> policy.possible_n = 10
    """

    @property
    def unlabeled_image_iterator(self) -> IteratableData | None:
        """The iterator whose images are candidates."""
        return self.iteratorable_data

    @unlabeled_image_iterator.setter
    def unlabeled_image_iterator(self, value: IteratableData) -> None:
        self.iteratorable_data = value

    def observe_reward_value(
        self,
        state_arr: Any,
        action_arr: Any,
        meta_data_arr: Any = None,  # noqa: ARG002
    ) -> nd.NDArray:
        """Tell how similar an image is to the one before.

        Args:
            state_arr: The image before, shape `(batch, *features)`; `None`: that of
                `observe_state`, if there is one.
            action_arr: The image, of the same shape.
            meta_data_arr: It has no effect.

        Returns:
            The rewards, in (0, 1], shape `(batch, 1)`; 0 if there is no image before.
        """
        state_arr = self._state_arr if state_arr is None else state_arr
        if state_arr is None:
            return nd.zeros((action_arr.shape[0], 1), ctx=action_arr.context)
        difference_arr = nd.square(state_arr - action_arr).reshape((action_arr.shape[0], -1))
        return 1.0 / (1.0 + difference_arr.mean(axis=1, keepdims=True))
