"""The interface of samplers of a pretext task for Transformers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from accelbrainbase._accessors import Accessors
from accelbrainbase.samplable_data import SamplableData


class PretextSampler(Accessors, SamplableData):
    """Draws samples of a pretext task, made of series of a target domain.

    Implement `preprocess`, which makes them and sets the five attributes. Subclasses need not
    call a constructor.

    Attributes:
        pretext_encoded_observed_arr: Series to encode, shape `(batch, length, depth_dim)`.
        pretext_decoded_observed_arr: Series to decode.
        pretext_encoded_mask_arr: Mask of what is encoded; `None` keeps all.
        pretext_decoded_mask_arr: Mask of what is decoded; `None` keeps all.
        pretext_label_arr: The answers.
    """

    pretext_encoded_observed_arr: Any = None
    pretext_decoded_observed_arr: Any = None
    pretext_encoded_mask_arr: Any = None
    pretext_decoded_mask_arr: Any = None
    pretext_label_arr: Any = None

    @abstractmethod
    def preprocess(self, target_domain_arr: Any) -> None:
        """Make samples of data points, and set the five attributes.

        Args:
            target_domain_arr: Series of the target domain, shape `(batch, length, depth_dim)`.
        """

    def draw(self) -> tuple[Any, Any, Any, Any, Any]:
        """Return what `preprocess` made.

        Returns:
            A tuple of series to encode, series to decode, their masks, and the answers.
        """
        return (
            self.pretext_encoded_observed_arr,
            self.pretext_decoded_observed_arr,
            self.pretext_encoded_mask_arr,
            self.pretext_decoded_mask_arr,
            self.pretext_label_arr,
        )
