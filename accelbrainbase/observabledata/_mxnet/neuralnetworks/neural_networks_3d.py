"""Dense neural networks over each point of a series."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks


class NN3DHybrid(NeuralNetworks):
    """Applies the same dense layers to each point of a series.

    The arguments of the constructor are those of `NeuralNetworks`. Batch size and length
    are taken from the data.

    Attributes:
        batch_size: Kept for programs that set it; it has no effect.
        seq_len: Kept for programs that set it; it has no effect.
    """

    batch_size: int | None = None
    seq_len: int | None = None

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the output.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, seq_len, features)`.

        Returns:
            The output, shape `(batch, seq_len, units_list[-1])`.
        """
        points = F.reshape(x, shape=(-3, 0))
        output = super().forward_propagation(F, points)
        return F.reshape_like(output, x, lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=2)

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        if observed_arr.ndim != 3 or 0 in observed_arr.shape:
            raise ValueError(
                f"`observed_arr` must have shape (batch, seq_len, features), but got "
                f"{observed_arr.shape}."
            )
        self._check_features(observed_arr[0])
