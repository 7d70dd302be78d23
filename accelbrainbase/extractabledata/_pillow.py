"""Reading files of images with Pillow, with messages that name the file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from io import BytesIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from accelbrainbase._checks import check_is_a
from accelbrainbase.extractabledata._png import filtered_rows, plain_image, stacked

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""Pillow's name for each number of channels."""

_BASIC = ("L", "LA", "RGB", "RGBA")
_FIRST, _MORE = 2**15, 2**20  # bytes to read at once
_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}


def read_pixels(path: str | os.PathLike[str], channel: int, width: int, height: int) -> np.ndarray:
    """Read an image of any mode and size, and convert it.

    Args:
        path: Path of the file.
        channel: Number of channels wanted, 1 to 4.
        width: Width wanted, in pixels.
        height: Height wanted, in pixels.

    Returns:
        uint8 array of shape `(channel, height, width)`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is a directory, no image, or broken.
    """
    return _pixels_of(path, _bytes_of(path), channel, (width, height))


def read_many(
    paths: Iterable[str | os.PathLike[str]], channel: int, width: int, height: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Read many images, small PNG files among them at once.

    Yields:
        Position of the path, and the pixels as `read_pixels` returns them; in any order.
    """
    mode, size = MODES[channel], (width, height)
    small: dict[int, tuple[str | os.PathLike[str], bytes]] = {}
    for position, path in enumerate(paths):
        data = _bytes_of(path)
        rows = filtered_rows(data, mode, size)
        if rows is None:
            yield position, _pixels_of(path, data, channel, size)
        else:
            small[position] = (path, rows)
    if not small:
        return
    try:
        pixels = stacked([rows for _, rows in small.values()], mode, size)
    except ValueError:  # one of them is broken: read each by itself, to know which
        for position, (path, _) in small.items():
            yield position, read_pixels(path, channel, width, height)
    else:
        yield from zip(small, np.moveaxis(pixels, -1, 1))


def _pixels_of(
    path: str | os.PathLike[str], data: bytes, channel: int, size: tuple[int, int]
) -> np.ndarray:
    """Return the pixels of an image of any mode and size, shape `(channel, height, width)`."""
    width, height = size
    try:
        image = plain_image(data) or Image.open(BytesIO(data))
        image = _converted(image, MODES[channel])
        if image.size != size:
            image = image.resize(size)  # bicubic
        pixels = np.frombuffer(image.tobytes(), dtype=np.uint8)
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        raise ValueError(
            f"{os.fspath(path)!r} must be an image, but {_what_instead(data)}. "
            "Move it away, or save it as PNG or JPEG."
        ) from error
    except Exception as error:  # Pillow raises nearly every kind where a file is broken
        raise ValueError(
            f"{os.fspath(path)!r} cannot be read as an image: {error}. "
            "Write it anew, or move it away."
        ) from error
    if channel == 1:
        return pixels.reshape(1, height, width)
    return np.ascontiguousarray(pixels.reshape(height, width, channel).transpose(2, 0, 1))


def _bytes_of(path: str | os.PathLike[str]) -> bytes:
    check_is_a("path", path, (str, os.PathLike))
    try:
        file = os.open(path, os.O_RDONLY)  # open() takes twice as long, for small files
        try:
            pieces = [os.read(file, _FIRST)]
            while len(pieces[-1]) == _FIRST or (pieces[-1] and len(pieces) > 1):
                pieces.append(os.read(file, _MORE))
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        finally:
            os.close(file)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"`path` must be an image, but there is no file {os.fspath(path)!r} "
            f"(seen from the directory {os.getcwd()!r})."
        ) from error
    except IsADirectoryError as error:
        raise ValueError(
            f"`path` must be an image, but {os.fspath(path)!r} is a directory."
        ) from error


def _what_instead(data: bytes) -> str:
    return "Pillow knows no such format" if data else "the file is empty"


def _converted(image: Image.Image, mode: str) -> Image.Image:
    """Return an image in `mode`, one of `MODES`. Without an alpha channel, alpha is dropped."""
    image = _with_eight_bits(image)
    has_alpha = mode in ("LA", "RGBA")
    if not has_alpha:
        image.info.pop("transparency", None)  # a colour that stands for transparent
    elif "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if has_alpha or image.mode == "PA" else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in _BASIC:  # CMYK, YCbCr, HSV and others
        image = image.convert(_PREMULTIPLIED.get(image.mode, "RGB"))
    return image if image.mode == mode else image.convert(mode)


def _with_eight_bits(image: Image.Image) -> Image.Image:
    """Map greys of 16 bits to 0..255; of other large numbers, the range is not known.

    (Pillow itself reads colours of 16 bits as 8 bits.)
    """
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        values = np.asarray(image).astype(np.uint32)
        greys = Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
        transparent = image.info.get("transparency")
        if transparent is not None:
            greys.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype("uint8")))
        return greys
    if image.mode in ("I", "F"):
        raise ValueError(
            f"its values are {'integers' if image.mode == 'I' else 'floats'} of 32 bits whose "
            "range is not stated; save it with 8 or 16 bits"
        )
    return image
