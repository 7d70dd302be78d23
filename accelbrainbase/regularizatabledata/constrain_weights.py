"""A limit on the size of weights, for NumPy arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from accelbrainbase._accessors import Accessors
from accelbrainbase._checks import check_is_a, check_number
from accelbrainbase.regularizatable_data import RegularizatableData

#: What weights are multiplied with, again and again, until they are below the limit.
SHRINKAGE = 0.9


class ConstrainWeights(Accessors, RegularizatableData):
    r"""Shrinks weights that are too large after each step of learning.

    By default the whole array of weights :math:`w` is multiplied by 0.9 until

    .. math:: \sum_i w_i^2 \le c

    with the limit :math:`c`. That is a harsh limit for a large layer: it holds for the sum
    over all of its units. With `per_unit=True` it is the max-norm constraint of the paper:
    the incoming weights of each unit are projected onto the ball
    :math:`\lVert w \rVert_2^2 \le c`; units below the limit stay as they are.

    Args:
        weight_limit: The largest sum of squares :math:`c`, above 0. The paper's radius is
            its square root, and 3 to 4 there: `weight_limit=9.0` to `16.0`.
        per_unit: Whether the limit holds for each unit, not for the whole layer. Units are
            axis 0 of the array, as in Gluon's dense and convolutional layers (not in
            transposed convolutions).

    Raises:
        ValueError: If `weight_limit` is not above 0.

    References:
        - Srivastava, N., Hinton, G., Krizhevsky, A., Sutskever, I., & Salakhutdinov, R.
          (2014). Dropout: a simple way to prevent neural networks from overfitting.
          Journal of Machine Learning Research, 15. Section 5.1.
    """

    def __init__(self, weight_limit: float = 0.9, *, per_unit: bool = False) -> None:
        check_is_a("per_unit", per_unit, bool)
        self.weight_limit = weight_limit
        self.per_unit = per_unit

    @property
    def weight_limit(self) -> float:
        """The largest sum of squares of weights."""
        return self._weight_limit

    @weight_limit.setter
    def weight_limit(self, value: float) -> None:
        self._weight_limit = check_number("weight_limit", value, low=0.0, low_open=True)

    def constrain_weight(self, weight_arr: Any) -> Any:
        """Return the weights, shrunk to the limit. `weight_arr` is not modified.

        Args:
            weight_arr: Weights of one layer, shape `(units, *incoming)`.

        Returns:
            Array of the same shape and dtype: `weight_arr` itself where all is below the
            limit.

        Raises:
            TypeError: If `weight_arr` is not a NumPy array.
        """
        check_is_a("weight_arr", weight_arr, np.ndarray)
        if self.per_unit:
            axes = tuple(range(1, weight_arr.ndim))
            squares = np.sum(np.square(weight_arr), axis=axes, keepdims=True)
            if not (squares > self.weight_limit).any():
                return weight_arr
            factor = np.sqrt(self.weight_limit / np.maximum(squares, self.weight_limit))
            return weight_arr * factor.astype(weight_arr.dtype)
        total = float(np.sum(np.square(weight_arr)))
        if not self.weight_limit < total < math.inf:
            return weight_arr
        times = math.ceil(math.log(self.weight_limit / total) / math.log(SHRINKAGE**2))
        return weight_arr * SHRINKAGE**times

    def regularize(self, params_dict: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters with the weights among them shrunk to the limit.

        Weights are the entries whose name ends with `weight`.

        Args:
            params_dict: Parameters by name. It is not modified.

        Returns:
            Parameters by the same names; all but weights are the same objects.
        """
        return {
            name: self.constrain_weight(arr) if name.endswith("weight") else arr
            for name, arr in params_dict.items()
        }
