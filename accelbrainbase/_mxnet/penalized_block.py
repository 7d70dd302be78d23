"""An auto-encoder that minimises a penalty on its codes beside its loss."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase._checks import check_number
from accelbrainbase._mxnet.auto_encoder_block import AutoEncoderBlock


class PenalizedBlock(AutoEncoderBlock):
    """Minimises the loss of the reconstruction plus `penalty_lambda` times a penalty.

    The history has the columns `loss` (the sum), `reconstruction` and `penalty`, of training
    and test.

    Args:
        *args: Those of the auto-encoder.
        penalty_lambda: Factor on the penalty, at least 0; the default of the class if omitted.
        **kwargs: The others of the auto-encoder.
    """

    _penalty_lambda: float = 0.0

    def __init__(self, *args: Any, penalty_lambda: float | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if penalty_lambda is not None:
            self.penalty_lambda = penalty_lambda

    @property
    def penalty_lambda(self) -> float:
        """Factor on the penalty, at least 0."""
        return self._penalty_lambda

    @penalty_lambda.setter
    def penalty_lambda(self, value: float) -> None:
        self._penalty_lambda = check_number("penalty_lambda", value, low=0.0)

    def _penalty_in_learning(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Abstract: compute the penalty on the codes of the last forward pass.

        Args:
            observed_arr: What went into it, shape `(batch, *features)`.

        Returns:
            Shape `(batch,)`, or `(1,)` if it is one for all of them.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `_penalty_in_learning`")

    def _batch_loss(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        observed_arr = self.corrupted(observed_arr)
        scores = self._score(self(observed_arr), target_arr)
        return self._with_penalty(scores, observed_arr)

    def reconstruction_in_learning(
        self, observed_arr: nd.NDArray
    ) -> tuple[nd.NDArray, nd.NDArray | None]:
        """Reconstruct as in learning; what is minimised beside is the penalty.

        Args:
            observed_arr: Clean data points, shape `(batch, *features)`.
        """
        observed_arr = self.corrupted(observed_arr)
        decoded_arr = self(observed_arr)
        return decoded_arr, self._weighted_penalties(observed_arr)

    def _weighted_penalties(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Hook: compute all that is minimised beside the loss, after a forward pass.

        Args:
            observed_arr: What went into it, shape `(batch, *features)`.

        Returns:
            Shape `(batch,)`, or `(1,)` if it is one for all of them.
        """
        return self.penalty_lambda * self._penalty_in_learning(observed_arr)

    def _evaluate(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        scores = super()._evaluate(observed_arr, target_arr)
        return self._with_penalty(scores, observed_arr)

    def _with_penalty(
        self, scores: dict[str, nd.NDArray], observed_arr: nd.NDArray
    ) -> dict[str, nd.NDArray]:
        penalty_arr = self._penalty_in_learning(observed_arr)
        if penalty_arr.shape != scores["loss"].shape:  # so that it counts as the loss does
            penalty_arr = nd.broadcast_add(nd.zeros_like(scores["loss"]), penalty_arr)
        loss_arr = scores["loss"] + self.penalty_lambda * penalty_arr
        return {
            **scores,
            "loss": loss_arr,
            "reconstruction": scores["loss"],
            "penalty": penalty_arr,
        }

    def _settings(self) -> dict[str, Any]:
        return {"penalty": f"{self.penalty_lambda:g} times", **super()._settings()}
