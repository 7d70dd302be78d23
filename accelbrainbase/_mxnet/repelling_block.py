"""A repelling auto-encoder, dense or convolutional."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase._mxnet.penalized_block import PenalizedBlock
from accelbrainbase._mxnet.pulling_away import pulling_away_term


class RepellingBlock(PenalizedBlock):
    """Penalises codes of different data points that point into the same direction.

    Args:
        *args: Those of the auto-encoder.
        **kwargs: The others of the auto-encoder, and `penalty_lambda`.
    """

    _penalty_lambda: float = 0.1

    def penalty(self, observed_arr: Any) -> nd.NDArray:
        """Return the pulling-away term: the mean squared cosine between different codes.

        `penalty_lambda` is not in it.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.

        Returns:
            In [0, 1], shape `(1,)`; 0 for a single data point. It can be recorded and
            differentiated.
        """
        self.inference(observed_arr)
        return pulling_away_term(self.feature_points_arr)

    def _penalty_in_learning(self, observed_arr: nd.NDArray) -> nd.NDArray:  # noqa: ARG002
        return pulling_away_term(self.feature_points_arr)
