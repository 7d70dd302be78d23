"""Reads images, as NumPy arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from accelbrainbase._accessors import Accessors
from accelbrainbase._checks import check_choice, check_integer
from accelbrainbase.extractable_data import ExtractableData
from accelbrainbase.extractabledata._pillow import MODES, read_many, read_pixels


class ImageExtractor(Accessors, ExtractableData):
    """Reads a file of an image, whatever its mode and size, as a NumPy array.

    Grey, black and white, colour, palette, alpha, CMYK, 8 or 16 bits: all are converted to the
    number of channels that is asked for, and to the size (bicubic; the aspect ratio is not
    kept). Where no alpha channel is asked for it is dropped: transparent pixels have the
    colour that the file has there. Of several pictures in a file, the first one is read.

    To change what is read, override `decode`, which iterators call in background threads; an
    `extract` that is overridden they call in the main thread.

    Args:
        width: Width of the array, in pixels.
        height: Height of the array, in pixels.
        channel: Number of channels: 1 (grey), 2 (grey and alpha), 3 (red, green, blue) or
            4 (with alpha).

    Raises:
        TypeError: If an argument is no integer.
        ValueError: If an argument is out of range.
    """

    def __init__(self, width: int, height: int, channel: int) -> None:
        self.width = width
        self.height = height
        self.channel = channel

    @property
    def width(self) -> int:
        """Width of the array, in pixels."""
        return self._width

    @width.setter
    def width(self, value: int) -> None:
        self._width = check_integer("width", value, low=1)

    @property
    def height(self) -> int:
        """Height of the array, in pixels."""
        return self._height

    @height.setter
    def height(self, value: int) -> None:
        self._height = check_integer("height", value, low=1)

    @property
    def channel(self) -> int:
        """Number of channels, 1 to 4."""
        return self._channel

    @channel.setter
    def channel(self, value: int) -> None:
        self._channel = check_integer("channel", value)
        check_choice("channel", self._channel, MODES)

    def extract(self, path: str | os.PathLike[str]) -> Any:
        """Return the image in the file at `path`.

        Args:
            path: Path of the file.

        Returns:
            float32 array of shape `(channel, height, width)`, values in [0, 255].

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is a directory, no image, or broken.
        """
        return self._as_array(self.decode(path))

    def decode(self, path: str | os.PathLike[str]) -> np.ndarray:
        """Hook: return the pixels, as bytes.

        Args:
            path: Path of the file.

        Returns:
            uint8 NumPy array of shape `(channel, height, width)`.
        """
        return read_pixels(path, self.channel, self.width, self.height)

    def decode_many(
        self, paths: Sequence[str | os.PathLike[str]]
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Decode many files: in less time than one by one, where they are small PNG files.

        Args:
            paths: Paths of the files.

        Yields:
            Position of a path, and what `decode` returns for it; in any order.
        """
        if type(self).decode is not ImageExtractor.decode:
            return ((position, self.decode(path)) for position, path in enumerate(paths))
        return read_many(paths, self.channel, self.width, self.height)

    def _as_array(self, pixels: np.ndarray) -> Any:
        """Hook: return pixels as floats, in an array of the tensor library."""
        return pixels.astype(np.float32)
