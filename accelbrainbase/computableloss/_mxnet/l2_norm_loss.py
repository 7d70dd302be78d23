"""The root mean square error of each sample."""

from __future__ import annotations

from typing import Any

from mxnet import gluon, nd

from accelbrainbase.computable_loss import ComputableLoss


class L2NormLoss(gluon.loss.Loss, ComputableLoss):
    r"""Root mean square error over all axes but the batch: one value for each sample.

    .. math:: L_b = w \sqrt{\frac{1}{n} \sum_{i=1}^{n} (x_{bi} - y_{bi})^2}

    Where prediction and truth are equal, the loss is exactly 0, and so is its gradient
    (the root alone has none there).

    Args:
        weight: The factor :math:`w`; `None` is 1.
        batch_axis: The axis of the samples.
        **kwargs: `prefix` and `params`, as in Gluon.
    """

    def __init__(self, weight: float | None = 1.0, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        with self.name_scope():
            self._root = _RootMeanSquare(batch_axis)
        # One call of a small graph takes half the time of its operators one by one.
        self._root.hybridize()

    def __call__(self, *args: Any) -> Any:
        """Check the sizes where they are known, and compute the loss."""
        if len(args) > 1 and isinstance(args[0], nd.NDArray) and isinstance(args[1], nd.NDArray):
            pred_arr, real_arr = args[:2]
            if pred_arr.size != real_arr.size:
                raise ValueError(
                    f"`real_arr` must have as many elements as `pred_arr`, but `pred_arr` has "
                    f"the shape {pred_arr.shape} and `real_arr` {real_arr.shape}. Does the last "
                    "layer have as many units as the target has elements?"
                )
            if pred_arr.dtype != real_arr.dtype:
                args = (pred_arr, real_arr.astype(pred_arr.dtype), *args[2:])
        return super().__call__(*args)

    def compute(self, pred_arr: nd.NDArray, real_arr: nd.NDArray) -> nd.NDArray:
        """Return the root mean square error of each sample.

        Args:
            pred_arr: Predictions, shape `(batch, *features)`.
            real_arr: The truth, with as many elements; it is reshaped to `pred_arr`.

        Returns:
            Losses of shape `(batch,)`.

        Raises:
            ValueError: If the two differ in size.
        """
        return self(pred_arr, real_arr)

    def hybrid_forward(
        self, F: Any, orign_arr: Any, dest_arr: Any, sample_weight: Any = None
    ) -> Any:
        """Return the root mean square error of each sample.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            orign_arr: Predictions, shape `(batch, *features)`.
            dest_arr: The truth, with as many elements; it is reshaped to `orign_arr`.
            sample_weight: A factor for each sample, shape `(batch,)` or `(batch, 1)`.

        Returns:
            Losses of shape `(batch,)`.
        """
        loss_arr = self._root(orign_arr, dest_arr)
        if sample_weight is not None:
            loss_arr = loss_arr * F.reshape_like(sample_weight, loss_arr)
        return loss_arr if self._weight in (None, 1) else loss_arr * self._weight


class _RootMeanSquare(gluon.HybridBlock):
    """The loss without weights."""

    def __init__(self, batch_axis: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._batch_axis = batch_axis

    def hybrid_forward(self, F: Any, orign_arr: Any, dest_arr: Any) -> Any:
        square_arr = F.square(orign_arr - F.reshape_like(dest_arr, orign_arr))
        if self._batch_axis != 0:
            square_arr = F.swapaxes(square_arr, 0, self._batch_axis)
        square_arr = F.flatten(square_arr)
        # The softmax of n zeros is 1/n everywhere, so this product is the mean over n elements;
        # it takes half the time of `mean`, and n need not be known.
        row = F.slice_axis(square_arr, axis=0, begin=0, end=1)
        mean_arr = F.dot(square_arr, F.reshape(F.softmax(F.zeros_like(row)), (-1,)))
        # Away from 0, where the root has no gradient: sqrt(1) - 1 = 0.
        zero_arr = mean_arr == 0
        return F.sqrt(mean_arr + zero_arr) - zero_arr
