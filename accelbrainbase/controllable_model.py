"""The interface of controllers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class ControllableModel(ABC):
    """Lets several models take part in one algorithm, such as the two networks of a GAN.

    Implement `learn`. What it takes differs: an iterator over mini-batches
    (`iteratable_data`), or a number of turns (`iter_n`).
    """

    @abstractmethod
    def learn(self, *args: Any, **kwargs: Any) -> None:
        """Let the models learn in their turns."""
