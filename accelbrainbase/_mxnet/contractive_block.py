"""A contractive auto-encoder, dense or convolutional."""

from __future__ import annotations

from typing import Any

import numpy as np
from mxnet import autograd, nd

from accelbrainbase._checks import check_integer, check_number
from accelbrainbase._mxnet.jacobian_penalty import JacobianPenalty
from accelbrainbase._mxnet.penalized_block import PenalizedBlock

_SCORING_SEED = 0


class ContractiveBlock(PenalizedBlock):
    """Penalises the Jacobian of its encoder.

    Args:
        *args: Those of the auto-encoder.
        higher_order_lambda: Factor on the change of the Jacobian nearby; 0 for none.
        higher_order_sigma: Standard deviation of what is added to the data points for it.
        higher_order_n: Number of such draws for each data point.
        direction_n: Number of directions in which a Jacobian without closed form is looked at.
        **kwargs: The others of the auto-encoder, and `penalty_lambda`.
    """

    _penalty_lambda: float = 1e-3
    _not_copied = (*PenalizedBlock._not_copied, "_jacobian")
    _jacobian: JacobianPenalty | None = None

    def __init__(
        self,
        *args: Any,
        higher_order_lambda: float = 0.0,
        higher_order_sigma: float = 0.1,
        higher_order_n: int = 1,
        direction_n: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.higher_order_lambda = check_number("higher_order_lambda", higher_order_lambda, low=0.0)
        self.higher_order_sigma = check_number(
            "higher_order_sigma", higher_order_sigma, low=0.0, low_open=True
        )
        self.higher_order_n = check_integer("higher_order_n", higher_order_n, low=1)
        self.direction_n = check_integer("direction_n", direction_n, low=1)

    def penalty(self, observed_arr: Any, *, direction_n: int | None = None) -> nd.NDArray:
        r"""Return :math:`\lVert \partial h / \partial x \rVert_F^2` of each data point.

        It is that of the encoder as it infers: without dropout, and with the running statistics
        of batch normalisations. `penalty_lambda` is not in it. Where the encoder is one dense
        layer or one convolution there is a closed form; else it takes as many forward passes
        as a data point has features, or `direction_n` for a draw around it.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.
            direction_n: Number of directions that are drawn; `None` for the exact value. No
                effect where there is a closed form.

        Returns:
            Shape `(batch,)`. It can be recorded and differentiated by the parameters.

        Raises:
            TypeError: If the encoder has layers that tangents cannot pass, such as pooling.
        """
        observed_arr = self.on_device("observed_arr", observed_arr)
        self._check_input(observed_arr)
        if any(p._deferred_init for p in self.collect_params().values()):
            self.inference(observed_arr)
        jacobian = self._jacobian_penalty()
        if direction_n is None or jacobian.is_closed:
            return jacobian.exact(observed_arr)
        n = check_integer("direction_n", direction_n, low=1)
        return jacobian.drawn(observed_arr, observed_arr, n)

    def _penalty_in_learning(self, observed_arr: nd.NDArray) -> nd.NDArray:
        code_arr = self.feature_points_arr
        return self._jacobian_penalty().drawn(
            observed_arr, code_arr, self.direction_n, _generator()
        )

    def _with_penalty(
        self, scores: dict[str, nd.NDArray], observed_arr: nd.NDArray
    ) -> dict[str, nd.NDArray]:
        code_arr = self.feature_points_arr
        scores = super()._with_penalty(scores, observed_arr)
        if self.higher_order_lambda == 0.0:
            return scores
        change_arr = self._change_in_learning(observed_arr, code_arr)
        loss_arr = scores["loss"] + self.higher_order_lambda * change_arr
        return {**scores, "loss": loss_arr, "higher_order_penalty": change_arr}

    def _weighted_penalties(self, observed_arr: nd.NDArray) -> nd.NDArray:
        code_arr = self.feature_points_arr
        penalty_arr = super()._weighted_penalties(observed_arr)
        if self.higher_order_lambda == 0.0:
            return penalty_arr
        change_arr = self._change_in_learning(observed_arr, code_arr)
        return penalty_arr + self.higher_order_lambda * change_arr

    def _change_in_learning(self, observed_arr: nd.NDArray, code_arr: nd.NDArray) -> nd.NDArray:
        return self._jacobian_penalty().change(
            observed_arr, code_arr, self.higher_order_sigma, self.higher_order_n, _generator()
        )

    def _jacobian_penalty(self) -> JacobianPenalty:
        """Return the penalty of the encoder, made once for the layers that it has."""
        if self._jacobian is None or not self._jacobian.is_of(self.encoder):
            # Kept out of Gluon's children: it has no parameters of its own.
            self.__dict__["_jacobian"] = JacobianPenalty(self.encoder)
        return self._jacobian  # type: ignore[return-value]

    def _settings(self) -> dict[str, Any]:
        settings = super()._settings()
        if self.higher_order_lambda:
            settings["higher-order penalty"] = f"{self.higher_order_lambda:g} times"
        return settings


def _generator() -> np.random.Generator | None:
    """Return what draws while data are scored: the same in each epoch, and apart from learning.

    So what is learned does not depend on whether there are test data.
    """
    return None if autograd.is_recording() else np.random.default_rng(_SCORING_SEED)
