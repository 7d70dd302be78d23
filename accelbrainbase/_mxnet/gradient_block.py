"""A model whose step is one gradient step."""

from __future__ import annotations

from typing import Any

import numpy as np
from mxnet import autograd, gluon, nd

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.learnable_block import LearnableBlock
from accelbrainbase.computable_loss import ComputableLoss


class GradientBlock(LearnableBlock):
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
    _loss: ComputableLoss | gluon.loss.Loss | None = None

    def __init__(self, computable_loss: ComputableLoss | gluon.loss.Loss, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.computable_loss = computable_loss

    @property
    def computable_loss(self) -> Any:
        """The loss that is minimised: a `ComputableLoss`, or a loss of Gluon."""
        return self._loss

    @computable_loss.setter
    def computable_loss(self, value: ComputableLoss | gluon.loss.Loss) -> None:
        check_is_a("computable_loss", value, (ComputableLoss, gluon.loss.Loss))
        # Adapted to our interface here, once, not at every call. Both are kept out of Gluon's
        # registry of children: a loss has no part in the graph of the network.
        compute = value.compute if isinstance(value, ComputableLoss) else value
        self.__dict__.update(_loss=value, _compute=compute)

    def compute_loss(self, pred_arr: nd.NDArray, labeled_arr: nd.NDArray) -> nd.NDArray:
        """Compute the loss of each sample.

        Args:
            pred_arr: Predictions, shape `(batch, *features)`.
            labeled_arr: The truth.

        Returns:
            Losses of shape `(batch,)`.
        """
        return self._compute(pred_arr, labeled_arr)

    def _settings(self) -> dict[str, Any]:
        return {"loss": type(self._loss).__name__, **super()._settings()}

    # -- the step ----------------------------------------------------------------------

    def _train_step(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        with autograd.record():
            losses = self._batch_loss(observed_arr, target_arr)
        loss_arr = losses["loss"] if isinstance(losses, dict) else losses
        self.update(loss_arr, observed_arr.shape[0], self.trainer)
        self._after_update()
        return losses

    def _batch_loss(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        """Hook: loss of each sample, shape `(batch,)`; the step averages.

        Returns:
            The losses, or a `dict`: its `loss` is minimised, the others are recorded.
        """
        return self._score(self(observed_arr), target_arr)

    def _after_update(self) -> None:
        """Hook: constrain the parameters. Nothing is copied when there are no constraints."""
        if self.regularizatable_data_list:
            self.regularize()

    def _evaluate(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        return self._score(self.inference(observed_arr), target_arr)

    def _score(self, pred_arr: nd.NDArray, target_arr: nd.NDArray) -> dict[str, nd.NDArray]:
        """Return the losses, and where asked for the right answers, by name."""
        scores = {"loss": self.compute_loss(pred_arr, target_arr)}
        if self.compute_acc_flag:
            with autograd.pause():
                predicted, answer = _classes(pred_arr, target_arr)
                scores["accuracy"] = predicted == answer
        return scores

    def inference(self, observed_arr: Any) -> nd.NDArray:
        """Infer: one forward pass.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`, any batch size.

        Returns:
            The output, shape `(batch, *output)`.
        """
        observed_arr = self.on_device("observed_arr", observed_arr)
        self._check_input(observed_arr)
        return self(observed_arr)

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        """Hook: raise a `ValueError` where `observed_arr` does not fit the network."""

    def _prepare(self, observed_arr: nd.NDArray) -> None:
        self._check_input(observed_arr)
        super()._prepare(observed_arr)

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
        """
        predicted, answer = (arr.asnumpy() for arr in _classes(prob_arr, batch_target_arr))
        return float((predicted == answer).mean()), predicted, answer


def _classes(pred_arr: nd.NDArray, target_arr: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray]:
    one_hot = target_arr.ndim > 1 and target_arr.shape[1:] == pred_arr.shape[1:]
    answer = nd.argmax(target_arr, axis=1) if one_hot else target_arr.reshape(-1)
    return nd.argmax(pred_arr, axis=1), answer.astype("float32")
