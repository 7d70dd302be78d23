"""A short way through the commonest kind of PNG file, for Pillow's own decoder."""

from __future__ import annotations

import struct
import zlib

from PIL import Image, ImageFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_LENGTH = struct.Struct(">I")
_MODES = {0: "L", 2: "RGB", 4: "LA", 6: "RGBA"}
_WITHOUT_EFFECT = frozenset(
    b"IHDR IDAT IEND bKGD cHRM eXIf gAMA hIST iCCP iTXt pHYs sBIT sPLT sRGB tEXt tIME zTXt".split()
)
_LARGE = 2**24  # Pillow has something to say about large images


def plain_image(data: bytes) -> Image.Image | None:
    """Return the image in a PNG file of 8 bits a sample, or `None` if it is anything else.

    Opening a small file takes Pillow several times as long as decoding it. Here its decoder is
    fed directly. All checksums are compared, also of files that Pillow is to open itself.

    Args:
        data: The whole file.

    Raises:
        ValueError: If it is a PNG file that was cut off, or some of it was changed.
    """
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
    compressed = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return Image.frombytes(mode, (width, height), compressed, "zip", mode)


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
