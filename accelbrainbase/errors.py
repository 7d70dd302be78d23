"""Errors and warnings of our own: those which someone would catch."""

from __future__ import annotations


class ReadOnlyError(TypeError, AttributeError):
    """A read-only property was written.

    It is a `TypeError` since programs written for 1.1.0 expect one, and an
    `AttributeError` since that is what Python itself raises.
    """


class ParameterFileError(ValueError):
    """A file of parameters is truncated, corrupt, or of another model.

    The model in memory is as it was.
    """


class CheckpointError(ValueError):
    """A checkpoint is truncated, corrupt, foreign, or of another learning.

    The model in memory is as it was.
    """


class NonFiniteLossError(ArithmeticError):
    """A loss became infinite or not a number while learning.

    Attributes:
        column: Name of the loss.
        row: Number of the epoch (or the row of a controller), from 1.
        iteration: Number of the step, from 1.
        learning_rate: The learning rate at that step, or `None` if there is none.
    """

    def __init__(
        self,
        message: str,
        *,
        column: str,
        row: int,
        iteration: int,
        learning_rate: float | None,
    ) -> None:
        super().__init__(message)
        self.column = column
        self.row = row
        self.iteration = iteration
        self.learning_rate = learning_rate


class LearningInterruptedWarning(UserWarning):
    """Learning ended before its time, because the user or the data ended it."""


class GameOverWarning(UserWarning):
    """One player of an adversarial game is so far ahead that the other cannot learn."""
