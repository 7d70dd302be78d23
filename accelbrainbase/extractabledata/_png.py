"""A short way through the commonest kind of PNG file, for Pillow's own decoder.

Opening a small file takes Pillow several times as long as decoding it, in Python, where threads
cannot help.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection

import numpy as np
from PIL import Image, ImageFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_LENGTH = struct.Struct(">I")
_MODES = {0: "L", 2: "RGB", 4: "LA", 6: "RGBA"}
_WITHOUT_EFFECT = frozenset(
    b"IHDR IDAT IEND bKGD cHRM eXIf gAMA hIST iCCP iTXt pHYs sBIT sPLT sRGB tEXt tIME zTXt".split()
)
_SMALL = 2**16  # bytes; for larger ones, what Pillow does in Python does not matter
_LARGE = 2**24  # Pillow has something to say about large images


def plain_image(data: bytes) -> Image.Image | None:
    """Return the image in a PNG file of 8 bits a sample, or `None` if it is anything else.

    All checksums are compared, also of files that Pillow is to open itself.

    Args:
        data: The whole file.

    Raises:
        ValueError: If it is a PNG file that was cut off, or some of it was changed.
    """
    found = _plain_parts(data)
    if found is None:
        return None
    mode, size, compressed = found
    return Image.frombytes(mode, size, compressed, "zip", mode)


def filtered_rows(data: bytes, mode: str, size: tuple[int, int]) -> bytes | None:
    """Return the rows of a small image as they are before decompression, for `stacked`.

    Args:
        data: The whole file.
        mode: Pillow's name of the mode wanted.
        size: Width and height wanted.

    Returns:
        The rows; `None` if the file is not a PNG of 8 bits with that mode and size, is broken, or
        so large that there is nothing to gain.
    """
    length = size[1] * (1 + len(mode) * size[0])
    if length > _SMALL:
        return None
    try:
        found = _plain_parts(data)
        if found is None or found[:2] != (mode, size):
            return None
        inflater = zlib.decompressobj()
        rows = inflater.decompress(found[2], length + 1)
    except (ValueError, zlib.error):
        return None
    return rows if inflater.eof and len(rows) == length else None


def stacked(rows: Collection[bytes], mode: str, size: tuple[int, int]) -> np.ndarray:
    """Decode many images at once: as a single one, in which they stand one above the other.

    A row of PNG is stored as the difference to its neighbours on the left and above (PNG
    specification, section 9: filtering). Above the first row of an image all counts as 0, so a
    row of zeros comes between two images.

    Args:
        rows: What `filtered_rows` returned for each image.
        mode: Pillow's name of their mode.
        size: Their width and height.

    Returns:
        uint8 array of shape `(images, height, width, channel)`.

    Raises:
        ValueError: If one of them is broken.
    """
    width, height = size
    gap = bytes(1 + len(mode) * width)
    compressed = zlib.compress(gap.join(rows) + gap, 0)  # what the decoder takes; not smaller
    image = Image.frombytes(mode, (width, len(rows) * (height + 1)), compressed, "zip", mode)
    pixels = np.frombuffer(image.tobytes(), dtype=np.uint8)
    return pixels.reshape(len(rows), height + 1, width, len(mode))[:, :height]


def _plain_parts(data: bytes) -> tuple[str, tuple[int, int], bytes] | None:
    """Return mode, width and height, and compressed data of a PNG file of 8 bits a sample."""
    if not data.startswith(SIGNATURE) or ImageFile.LOAD_TRUNCATED_IMAGES:
        return None
    header, pieces, kinds = _chunks_of(data)
    if len(header) != _HEADER.size:
        raise ValueError("it has no header (IHDR)")
    width, height, depth, colour, _, _, interlaced = _HEADER.unpack(header)
    mode = _MODES.get(colour)
    if (
        mode is None
        or depth != 8
        or interlaced
        or not kinds <= _WITHOUT_EFFECT
        or not 0 < width * height <= _LARGE
    ):
        return None
    return mode, (width, height), pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _chunks_of(data: bytes) -> tuple[bytes, list[bytes], set[bytes]]:
    """Return the header, the pieces of compressed data, and the names of all chunks."""
    header, pieces, kinds = b"", [], set()
    begin, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        if begin + 12 > len(data):
            raise ValueError("the file ends too early")
        end = begin + 8 + _LENGTH.unpack_from(data, begin)[0]
        if end + 4 > len(data):
            raise ValueError("the file ends too early")
        kind = data[begin + 4 : begin + 8]
        if zlib.crc32(data[begin + 4 : end]) != _LENGTH.unpack_from(data, end)[0]:
            raise ValueError(f"the checksum of its part {kind!r} is wrong")
        kinds.add(kind)
        if kind == b"IDAT":
            pieces.append(data[begin + 8 : end])
        elif kind == b"IHDR":
            header = data[begin + 8 : end]
        begin = end + 4
    return header, pieces, kinds
