"""A controller that lets several models learn in turns."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from mxnet.gluon import Block

from accelbrainbase._checks import check_integer
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase.controllable_model import ControllableModel
from accelbrainbase.learning.callback import Callback

_READS = 100


class LearnableController(GluonLearner, ControllableModel):
    """Several models in one algorithm: override `_take_turn`, the loop is the same.

    Models are plain attributes. Their trainers are `LazyTrainer` attributes of the class, so
    that they can be replaced, and the rates of all are attenuated. The arguments of the
    constructor are those of `GluonLearner`; `attenuate_epoch` counts turns.
    """

    def _take_turn(self) -> Any:
        """Abstract: let each model learn once.

        Returns:
            Losses by name, left on the device; each a number or an array.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `_take_turn`")

    def constrain(self, block: Block) -> None:
        """Apply the constraints of a model, and those of the networks within.

        Args:
            block: The model that has taken a step.
        """
        if getattr(block, "regularizatable_data_list", None):
            block.regularize()
        for child in block._children.values():
            self.constrain(child)

    def _prepare_turns(self) -> None:
        """Hook: let all parameters get their shapes, before the first turn.

        A checkpoint can only be gone on from when they are known. Draws of samplers do not
        matter here: they go back to where they were.
        """

    def _evaluate_turn(self) -> Any:
        """Hook: score what was learned, after a turn; `None` if there is nothing to score.

        Returns:
            Scores by name, as `_take_turn` returns losses. Their columns begin with `test_`.
        """
        return None

    def _later_columns(self) -> Iterable[str]:
        """Hook: names of the columns of the history that the first turns may lack."""
        return ()

    def learn(self, iter_n: int = 1000, *, callbacks: Iterable[Callback] | None = None) -> None:
        """Template: take `iter_n` turns. What they return is in `history`, a row a turn.

        Args:
            iter_n: Number of turns.
            callbacks: Take part in the learning. They hear of turns a hundredth of the
                learning at a time, since reading the device at each turn would slow it.
        """
        iter_n = check_integer("iter_n", iter_n, low=1)
        self.run_loop(
            lambda _: self._take_turn(),
            itertools.repeat(None),
            unit="turn",
            rows=iter_n,
            steps=iter_n,
            prepare=lambda _: self._prepare_turns(),
            evaluate=lambda _: self._evaluate_turn(),
            read_every=max(1, iter_n // _READS),
            callbacks=callbacks,
            later_columns=self._later_columns(),
        )
