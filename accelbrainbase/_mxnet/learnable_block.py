"""A Gluon model that learns by the one loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from mxnet import nd

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase._mxnet.shared_batch import join
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.losses import by_name
from accelbrainbase.observable_data import ObservableData

_SCORED_AT_ONCE = 1024


class LearnableBlock(GluonLearner, ObservableData):
    """A Gluon model that learns by one loop. Vary the step, not the loop.

    Override `_train_step` (a machine that learns without gradients), or derive from
    `GradientBlock`, whose step is one gradient step. The arguments of the constructor are
    those of `GluonLearner`.
    """

    # -- what varies -------------------------------------------------------------------

    def _train_step(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        """Abstract: update the parameters once.

        Returns:
            Losses of shape `(batch,)`, left on the device; or a mapping of such, by name.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `_train_step`")

    def _evaluate(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        """Abstract: score held-out data, outside of any recording.

        Many test data come in pieces. One number for a whole piece counts as its mean.

        Returns:
            What `_train_step` returns.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `_evaluate`")

    def _prepare(self, observed_arr: nd.NDArray) -> None:
        """Hook: look at the first mini-batch before the first step.

        By default it initialises what is left to initialise, by one forward pass.
        """
        self.initialize_parameters()
        if any(p._deferred_init for p in self.collect_params().values()):
            self.inference(observed_arr)

    def _split(self, batch: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        """Hook: divide what the iterator generates into the training and the test part."""
        return batch[:2], batch[2:4]

    # -- the algorithm -----------------------------------------------------------------

    def learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Template: learn from the mini-batches of `iteratable_data`.

        What was recorded is in `history` and `loss_arr`: one row for each epoch.

        Args:
            iteratable_data: Generates the mini-batches.
            callbacks: Take part in the learning: `EarlyStopping`, `TensorBoard`, …

        Raises:
            TypeError: If `iteratable_data` is no `IteratableData`.
            NonFiniteLossError: If a loss is infinite or not a number.
        """
        check_is_a("iteratable_data", iteratable_data, IteratableData)
        epochs, iter_n = (
            check_integer(f"iteratable_data.{name}", _attribute(iteratable_data, name), low=1)
            for name in ("epochs", "iter_n")
        )
        self.run_loop(
            self._step_on,
            iteratable_data.generate_learned_samples(),
            unit="epoch",
            rows=epochs,
            steps=iter_n,
            evaluate=self._evaluate_on,
            prepare=self._prepare_on,
            batch_size=_batch_size,
            callbacks=callbacks,
        )

    def _step_on(self, batch: Sequence[Any]) -> Any:
        train, _ = self._split(batch)
        return self._train_step(*(self.on_device("observed_arr", arr) for arr in train))

    def _prepare_on(self, batch: Sequence[Any]) -> None:
        train, _ = self._split(batch)
        self._prepare(self.on_device("observed_arr", train[0]))

    def _evaluate_on(self, batch: Sequence[Any]) -> Any:
        """Score the test part, in pieces, so that its size does not matter."""
        _, test = self._split(batch)
        if not test or test[0] is None or not len(test[0]):
            return None
        arrays = [self.on_device("test_observed_arr", arr) for arr in test]
        self.settle()  # else it would be scored with the running statistics of the step before
        size = arrays[0].shape[0]
        begins = range(0, size, _SCORED_AT_ONCE)
        pieces = [
            by_name(self._evaluate(*(_piece(arr, begin) for arr in arrays))) for begin in begins
        ]
        if len(pieces) == 1:
            return pieces[0]
        return join(pieces, [min(_SCORED_AT_ONCE, size - begin) for begin in begins], self.ctx)

    # -- what was recorded -------------------------------------------------------------

    @read_only
    def loss_arr(self) -> np.ndarray:
        """Losses of training and test, one row for each epoch, shape `(epochs, 2)`.

        Empty before `learn`; the second column is NaN where there were no test data.
        """
        return self.history.array(["train_loss", "test_loss"])


def _attribute(iteratable_data: IteratableData, name: str) -> Any:
    try:
        return getattr(iteratable_data, name)
    except AttributeError as error:
        raise TypeError(
            f"`iteratable_data` must have the attribute `{name}` "
            f"({'number of mini-batches' if name == 'iter_n' else 'number of passes'}), "
            f"but {type(iteratable_data).__name__} has none. Set it in its constructor."
        ) from error


def _batch_size(batch: Sequence[Any]) -> int:
    return len(batch[0])


def _piece(arr: Any, begin: int) -> Any:
    return arr if arr is None else arr[begin : begin + _SCORED_AT_ONCE]
