"""Reversal of gradients: one network learns against another in the same step."""

from __future__ import annotations

from typing import Any


def reverse_gradient(F: Any, x: Any, strength: float = 1.0) -> Any:
    r"""Return `x`, with a gradient that is turned round on the way back.

    .. math:: R_\lambda(x) = x, \quad \frac{dR_\lambda}{dx} = -\lambda I

    (Ganin & Lempitsky 2015, equations 7 and 8.)

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        x: A tensor of any shape.
        strength: The factor :math:`\lambda`.

    Returns:
        A tensor that equals `x`, up to rounding.

    References:
        - Ganin, Y., & Lempitsky, V. (2015). Unsupervised domain adaptation by backpropagation.
          ICML.
    """
    return F.BlockGrad((1.0 + strength) * x) - strength * x
