"""Initial parameters times a factor."""

from __future__ import annotations

from typing import Any

from mxnet import nd
from mxnet.initializer import Initializer


class ScaledInitializer(Initializer):
    """Multiplies by `scale` what another initialiser draws: the `scale` of the models.

    Parameters with an initialiser of their own (biases, the scale and shift of a batch
    normalisation) never come here.

    Args:
        initializer: Draws the parameters.
        scale: The factor.
    """

    def __init__(self, initializer: Initializer, scale: float) -> None:
        super().__init__(scale=scale)
        self.initializer = initializer
        self.scale = scale

    def _init_weight(self, name: Any, arr: nd.NDArray) -> None:
        self.initializer._init_weight(name, arr)
        arr *= self.scale
