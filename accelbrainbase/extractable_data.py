"""The interface of readers of files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from accelbrainbase._described import Described


class ExtractableData(Described, ABC):
    """Reads a file and returns what is in it as an array.

    Implement `extract`; there is nothing else to implement.
    """

    @abstractmethod
    def extract(self, path: str) -> Any:
        """Return the data in the file at `path`.

        Args:
            path: Path of the file.

        Returns:
            Array of the data; implementations say its shape.
        """
