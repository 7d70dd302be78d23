"""Dense networks whose first units are the probabilities of classes."""

from __future__ import annotations

from typing import Any

from mxnet import gluon

from accelbrainbase._checks import check_integer
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks


class CategoricalEncoder(NeuralNetworks):
    """Encodes data points by class and style: the encoder of a semi-supervised auto-encoder.

    The first `class_n` units of the last layer go through a softmax, the others, the style, stay
    as they are. The arguments are those of `NeuralNetworks`.

    Args:
        computable_loss: What it minimises where it learns alone.
        class_n: Number of classes, less than the units of the last layer.
        **kwargs: The arguments of `NeuralNetworks`.

    Raises:
        ValueError: If the last layer has no more units than there are classes.

    References:
        - Makhzani, A., et al. (2015). Adversarial autoencoders. arXiv:1511.05644. Section 4.
    """

    def __init__(
        self,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        class_n: int = 10,
        **kwargs: Any,
    ) -> None:
        self.class_n = check_integer("class_n", class_n, low=2)
        super().__init__(computable_loss, **kwargs)
        if self.units_list[-1] <= self.class_n:
            raise ValueError(
                f"The last layer must have more than `class_n={self.class_n}` units, for classes "
                f"and style, but `units_list` is {self.units_list}."
            )

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute probabilities and style.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, *features)`.

        Returns:
            Probabilities of the classes, followed by the style, shape
            `(batch, units_list[-1])`.
        """
        code = super().forward_propagation(F, x)
        category = F.softmax(F.slice_axis(code, axis=1, begin=0, end=self.class_n), axis=-1)
        return F.concat(category, F.slice_axis(code, axis=1, begin=self.class_n, end=None), dim=1)
