"""A model whose step is one gradient step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from mxnet import autograd, nd

from accelbrainbase._accessors import read_only
from accelbrainbase._mxnet.class_targets import check_class_numbers, takes_class_numbers
from accelbrainbase._mxnet.features import detached_features, is_of_output, of_output
from accelbrainbase._mxnet.loss_block import LossBlock
from accelbrainbase._mxnet.shared_batch import join, split

#: Packages whose losses look at prediction and truth alone.
_KNOWN = ("accelbrainbase", "mxnet")


class GradientBlock(LossBlock):
    """A model whose step is one gradient step on `_batch_loss`.

    Args:
        computable_loss: The loss: a `ComputableLoss`, or any loss of Gluon.
        **kwargs: The arguments of `GluonLearner`.

    Attributes:
        compute_acc_flag: Whether the share of right answers is recorded too, for
            classifiers. Targets are then one-hot, shape `(batch, classes)`, or class
            numbers, shape `(batch,)`.
    """

    compute_acc_flag: bool = False
    _learns_on_several = True

    # -- the step ----------------------------------------------------------------------

    def _train_step(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        return self._gradient_step(self._batch_loss, observed_arr, target_arr)

    def _gradient_step(self, compute: Callable[..., Any], *arrays: nd.NDArray) -> Any:
        """Take one gradient step on what `compute(*arrays)` gives, and apply the constraints.

        Args:
            compute: Returns losses as `_batch_loss` does. Where several devices share the
                mini-batch it is called for each, with its share of the arrays.
            *arrays: The mini-batch, the samples along axis 0; the last ones may be `None`.

        Returns:
            The losses, of all samples.
        """
        if self._other_ctx:
            losses = self._shared_step(compute, *arrays)
        else:
            with self._features_as_needed(compute), autograd.record():
                losses = compute(*arrays)
            self.update(_minimised(losses), arrays[0].shape[0], self.trainer)
        self._after_update()
        return losses

    def _shared_step(self, compute: Callable[..., Any], *arrays: nd.NDArray) -> Any:
        shares = split(arrays, self.ctx_list)
        sizes = [share[0].shape[0] for share in shares]
        found = []
        # The first device comes last: the features that are kept are on it.
        for ctx, share in reversed(list(zip(self.ctx_list, shares))):
            with ctx, self._features_as_needed(compute), autograd.record():
                found.append(compute(*share))
        found.reverse()
        self.update_shared([_minimised(losses) for losses in found], sizes, self.trainer)
        return join(found, sizes, self.ctx)

    def _features_as_needed(self, compute: Callable[..., Any]) -> AbstractContextManager[None]:
        """Keep features as data where no method that makes the loss can be a loss of them."""
        hooks = (compute, self._score, self.compute_loss)
        known = type(self._loss).__module__.partition(".")[0] in _KNOWN
        return detached_features() if known and is_of_output(*hooks) else nullcontext()

    @of_output
    def _batch_loss(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        """Hook: loss of each sample, shape `(batch,)`; the step averages.

        Returns:
            The losses, or a `dict`: its `loss` is minimised, the others are recorded.
        """
        return self._score(self(observed_arr), target_arr)

    def _prepare_on(self, batch: Sequence[Any]) -> None:
        with self._features_as_needed(self._batch_loss):  # with the graph of the steps
            super()._prepare_on(batch)
            if takes_class_numbers(self._loss):
                parts = self._split(batch)
                pred_arr: Any = self.inference(self.on_device("observed_arr", parts[0][0]))
                pred_arr = pred_arr[-1] if isinstance(pred_arr, tuple) else pred_arr
                check_class_numbers(self._loss, pred_arr, parts, self.on_device)

    def _after_update(self) -> None:
        """Hook: constrain the parameters. Nothing is copied when there are no constraints."""
        if self.regularizatable_data_list:
            self.regularize()

    def _evaluate(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        return self._score(self.inference(observed_arr), target_arr)

    @of_output
    def _score(self, pred_arr: nd.NDArray, target_arr: nd.NDArray) -> dict[str, nd.NDArray]:
        """Return the losses, and where asked for the right answers, by name."""
        scores = {"loss": self.compute_loss(pred_arr, target_arr)}
        if self.compute_acc_flag:
            with autograd.pause():
                predicted, answer = class_pairs(pred_arr, target_arr)
                scores["accuracy"] = predicted == answer
        return scores

    # -- accuracy ----------------------------------------------------------------------

    @read_only
    def acc_arr(self) -> np.ndarray:
        """Share of right answers in training and test, in [0, 1], shape `(epochs, 2)`.

        Empty unless `compute_acc_flag` was `True` in `learn`.
        """
        if "train_accuracy" not in self.history.columns:
            return np.empty((0, 2))
        return self.history.array(["train_accuracy", "test_accuracy"])

    def compute_acc(
        self, prob_arr: nd.NDArray, batch_target_arr: nd.NDArray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Compare predicted classes with the right ones.

        Args:
            prob_arr: Scores of the classes, shape `(batch, classes)`.
            batch_target_arr: One-hot, of the same shape, or class numbers, shape `(batch,)`.

        Returns:
            The share of right answers in [0, 1], the predicted classes and the right ones,
            both of shape `(batch,)`.

        Raises:
            ValueError: If there are less than two classes, or the shapes do not fit.
        """
        predicted, answer = (arr.asnumpy() for arr in class_pairs(prob_arr, batch_target_arr))
        return float((predicted == answer).mean()), predicted, answer


def _minimised(losses: Any) -> nd.NDArray:
    return losses["loss"] if isinstance(losses, dict) else losses


def class_pairs(pred_arr: nd.NDArray, target_arr: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray]:
    """Return the predicted and the right class of each sample, shape `(batch,)` each.

    Args:
        pred_arr: Scores of the classes, shape `(batch, classes)`.
        target_arr: One-hot, of the same shape, or class numbers, shape `(batch,)`.

    Raises:
        ValueError: If there are less than two classes, or the shapes do not fit.
    """
    if pred_arr.ndim < 2 or pred_arr.shape[-1] < 2:
        raise ValueError(
            f"Accuracy needs scores of at least two classes, shape (batch, classes), but the "
            f"model gave {pred_arr.shape}. Set `compute_acc_flag = False`."
        )
    predicted = nd.argmax(pred_arr, axis=-1)
    if target_arr.shape == pred_arr.shape:
        return predicted, nd.argmax(target_arr, axis=-1)
    if target_arr.size != predicted.size:
        raise ValueError(
            f"Accuracy needs targets that are one-hot, shape {pred_arr.shape}, or class numbers, "
            f"shape {predicted.shape}, but got {target_arr.shape}. Set `compute_acc_flag = False`."
        )
    return predicted, target_arr.reshape(predicted.shape).astype("float32")
