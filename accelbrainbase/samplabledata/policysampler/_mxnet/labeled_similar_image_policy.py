"""An agent that goes from image to image of the same class."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.samplabledata.policysampler._mxnet.iterator_policy import IteratorPolicy


class LabeledSimilarImagePolicy(IteratorPolicy):
    r"""Rewards going on to an image of the class of the image before.

    .. math:: r = \frac{1}{-\sum_j a_j \log \mathrm{softmax}(s)_j}

    of the one-hot label s of the image before and a of the next. With two classes this is 3.19 if
    they are the same, and 0.76 if not.

    Example:
        >>> policy = LabeledSimilarImagePolicy()
        >>> policy.labeled_image_iterator = iterator
        >>> policy.possible_n = 10
    """

    @property
    def labeled_image_iterator(self) -> IteratableData | None:
        """The iterator whose images are candidates."""
        return self.iteratorable_data

    @labeled_image_iterator.setter
    def labeled_image_iterator(self, value: IteratableData) -> None:
        self.iteratorable_data = value

    def _meta_of(self, action_arr: nd.NDArray, target_list: list[nd.NDArray]) -> nd.NDArray:  # noqa: ARG002
        """Return the labels, shape `(batch, possible_n, classes)`.

        Raises:
            ValueError: If they are not one-hot.
        """
        shape = tuple(target_list[0].shape)
        if len(shape) != 2 or shape[1] < 2:
            raise ValueError(
                f"`labeled_image_iterator` must generate one-hot labels, shape (batch, classes), "
                f"of at least two classes, but generates targets of shape {shape}. Of an "
                f"`ArrayIterator` give text as `target`, or `one_hot=True`."
            )
        return nd.stack(*target_list, axis=1)

    def observe_reward_value(
        self,
        state_arr: Any,  # noqa: ARG002
        action_arr: Any,
        meta_data_arr: Any = None,
    ) -> nd.NDArray:
        """Tell whether an image is of the class of the one before.

        Args:
            state_arr: It has no effect: the label of the image before is that of
                `observe_state`.
            action_arr: The image, shape `(batch, *features)`.
            meta_data_arr: Its label, shape `(batch, classes)`.

        Returns:
            The rewards, shape `(batch, 1)`; 0 if there is no image before.

        Raises:
            ValueError: If there is no label.
        """
        before_arr = self._state_meta_data_arr
        if before_arr is None:
            return nd.zeros((action_arr.shape[0], 1), ctx=action_arr.context)
        if meta_data_arr is None:
            raise ValueError(
                "`meta_data_arr` must be the labels of the images, shape (batch, classes), but "
                "is None. Pass what `draw` returned with them."
            )
        entropy_arr = -nd.sum(nd.log_softmax(before_arr) * meta_data_arr, axis=1, keepdims=True)
        return 1.0 / entropy_arr
