"""What models share that adapt a classifier of one domain to another domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mxnet import autograd, nd

from accelbrainbase._accessors import read_only
from accelbrainbase._mxnet.gradient_block import GradientBlock, class_pairs
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.learning.callback import Callback, checked_callbacks
from accelbrainbase.learning.jump_guard import JumpGuard


class AdaptationBlock(GradientBlock):
    """Learns classes in the source domain, and something else in the target domain.

    A subclass overrides `_losses_of`; it names in `_loss_names` what its loss returns beside the
    total, and in `_loss_columns` what `loss_arr` shows. The loss of a mini-batch is minimised in
    one step for all parameters. Constructors call `_set_up` in the place of their base's.
    """

    compute_acc_flag: bool = True
    _loss_names: tuple[str, ...] = ()
    _loss_columns: tuple[str, ...] = ()
    _uses_all_parts: bool = True
    _tuple_size: int = 5
    _iterator_name: str = "DRCNIterator"

    def _set_up(self, computable_loss: Any, tol: float, est: float, **kwargs: Any) -> None:
        """Take the place of the constructor of `GradientBlock`, also where others stand between."""
        self._jump_guard = JumpGuard(tol, est)
        GradientBlock.__init__(self, computable_loss, **kwargs)

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Compile the network to a static graph, or run it imperatively.

        Where inference does not use all parts, only the parts are compiled: a graph of Gluon
        must use all parameters.

        Args:
            active: Whether to compile.
            **kwargs: Flags of Gluon.
        """
        super().hybridize(active, **kwargs)
        if not self._uses_all_parts:
            self._active = False

    @property
    def tol(self) -> float:
        """By how much the training loss may exceed that of the epoch before."""
        return self._jump_guard.tol

    @property
    def est(self) -> float:
        """The least learning rate that halving after such a jump may lead to."""
        return self._jump_guard.floor

    # -- learning ----------------------------------------------------------------------

    def learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Learn from the mini-batches of both domains.

        What was recorded is in `history` and `loss_arr`: one row for each epoch.

        Args:
            iteratable_data: Generates the mini-batches.
            callbacks: Take part in the learning: `EarlyStopping`, `TensorBoard`, …

        Raises:
            TypeError: If `iteratable_data` is no `IteratableData`, or generates no tuples of the
                kind that this model needs.
            NonFiniteLossError: If a loss is infinite or not a number.
        """
        super().learn(iteratable_data, callbacks=[*checked_callbacks(callbacks), self._jump_guard])

    def _split(self, batch: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        if len(batch) != self._tuple_size:
            raise TypeError(
                f"`iteratable_data` must generate tuples of {self._tuple_size}, as "
                f"`{self._iterator_name}` and its twin for arrays do, but generated {len(batch)} "
                f"arrays. {type(self).__name__} needs mini-batches of the target domain too."
            )
        return (*batch[:2], *batch[4:]), batch[2:4]

    def _losses_of(self, *arrays: nd.NDArray) -> tuple[Any, nd.NDArray]:
        """Abstract: compute what the loss returns, and the scores of classes.

        Args:
            *arrays: Data points and labels of the source domain, and what the iterator generates
                of the target domain.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `_losses_of`")

    def _train_step(self, *arrays: nd.NDArray) -> Any:
        return self._gradient_step(self._step_losses, *self._prepared(*arrays))

    def _step_losses(self, *arrays: nd.NDArray) -> Mapping[str, nd.NDArray]:
        losses, score_arr = self._losses_of(*arrays)
        return self._recorded(losses, score_arr, arrays[1])

    def _prepared(self, *arrays: nd.NDArray) -> tuple[nd.NDArray, ...]:
        """Hook: change or add to the arrays of a step, before it is recorded."""
        return arrays

    def _recorded(
        self, losses: Sequence[nd.NDArray], score_arr: nd.NDArray, label_arr: nd.NDArray
    ) -> Mapping[str, nd.NDArray]:
        """Return losses and right answers by name."""
        found = dict(zip(("loss", *self._loss_names), losses))
        if self.compute_acc_flag:
            with autograd.pause():
                predicted, answer = class_pairs(score_arr, label_arr)
                found["accuracy"] = predicted == answer
        return found

    # -- what was recorded -------------------------------------------------------------

    @read_only
    def loss_arr(self) -> np.ndarray:
        """What was recorded, one row for each epoch; empty before `learn`."""
        return self.history.array(list(self._loss_columns))
