"""Files of parameters in MXNet's format, read and written safely.

MXNet's own reader can bring the process down on bytes that are not what it expects, and
changes a model half before it notices. So files are read here, checked whole, and only
then set. They are written to a temporary file first, so that a file is never half of one.

The format (little-endian) is that of ``mxnet.nd.save``: an 8-byte magic number, 8 reserved
bytes, the number of arrays, the arrays, the number of names, the names. Each dense array
is: 4-byte magic number, storage type, rank, shape, device type, device id, dtype, values.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mxnet import nd
from mxnet.base import MXNetError

from accelbrainbase._files import write_atomically
from accelbrainbase.errors import ParameterFileError

_LIST_MAGIC = 0x112
_ARRAY_MAGIC = {0xF993FAC9, 0xF993FACA}  # version 2, and version 3 of NumPy semantics
_DENSE = 0
_DTYPES = {
    0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8", 7: "?",
}  # fmt: skip
_MAX_RANK = 32


def part_of(filename: str | os.PathLike[str], part: str) -> str:
    """Return `filename` with `_part` before its extension: `a.params`, `a_encoder.params`."""
    path = Path(filename)
    return str(path.with_name(f"{path.stem}_{part}{path.suffix}"))


def write_parameter_file(filename: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Write arrays by name, whole or not at all.

    Args:
        filename: Path of the file; an existing one is replaced.
        arrays: NDArrays by name.

    Raises:
        OSError: If the file cannot be written; an existing one stays.
    """

    def write(path: str) -> None:
        try:
            nd.save(path, dict(arrays))
            read_parameter_file(path)  # MXNet does not notice when there is no room for the end
        except (MXNetError, ParameterFileError) as error:
            raise OSError(
                f"{os.fspath(filename)} could not be written whole, so it stays as it was. Is "
                f"there room on the disk?"
            ) from error

    write_atomically(filename, write)


def read_parameter_file(filename: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read arrays by name.

    Args:
        filename: Path of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ParameterFileError: If the file is truncated, corrupt, or no file of parameters.
    """
    path = os.fspath(filename)
    with open(path, "rb") as stream:
        reader = _Reader(path, stream.read())
    magic, _ = reader.unpack("<QQ", "the head")
    if magic != _LIST_MAGIC:
        raise ParameterFileError(
            f"{path} is not a file of parameters: it begins with {reader.data[:8]!r}. "
            f"Give a file that `save_parameters` wrote."
        )
    arrays = [reader.array(number) for number in range(reader.count("arrays"))]
    names = [reader.text() for _ in range(reader.count("names"))]
    if len(names) != len(arrays):
        raise ParameterFileError(
            f"{path} holds {len(arrays)} arrays but {len(names)} names: it is not a file "
            f"that `save_parameters` wrote, or it is corrupt."
        )
    if reader.position != len(reader.data):
        extra = len(reader.data) - reader.position
        raise ParameterFileError(f"{path} is corrupt: {extra} bytes follow its end.")
    if len(set(names)) != len(names):
        raise ParameterFileError(f"{path} is corrupt: a name occurs twice.")
    return dict(zip(names, arrays))


class _Reader:
    """Takes values off bytes, and never reads beyond their end."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self.position = 0

    def take(self, size: int, what: str) -> memoryview:
        end = self.position + size
        if end > len(self.data):
            raise ParameterFileError(
                f"{self.path} is truncated: it ends after {len(self.data)} bytes, within {what}."
            )
        view = memoryview(self.data)[self.position : end]
        self.position = end
        return view

    def unpack(self, layout: str, what: str) -> tuple[int, ...]:
        return struct.unpack(layout, self.take(struct.calcsize(layout), what))

    def count(self, what: str) -> int:
        (number,) = self.unpack("<Q", f"the number of {what}")
        if number > len(self.data):
            raise self.corrupt(f"it claims to hold {number} {what}")
        return number

    def array(self, number: int) -> np.ndarray:
        what = f"array {number}"
        magic, storage, rank = self.unpack("<IiI", f"the head of {what}")
        if magic not in _ARRAY_MAGIC or storage != _DENSE or rank > _MAX_RANK:
            raise self.corrupt(f"the head of {what} is not that of a dense array")
        shape = self.unpack(f"<{rank}q", f"the shape of {what}")
        _, _, dtype_number = self.unpack("<iii", f"the type of {what}")
        if dtype_number not in _DTYPES or min(shape, default=0) < 0:
            raise self.corrupt(f"shape {shape} or type {dtype_number} of {what} is impossible")
        dtype = np.dtype(_DTYPES[dtype_number])
        size = dtype.itemsize
        for length in shape:
            size *= length
        values = np.frombuffer(self.take(size, f"the values of {what}"), dtype)
        try:
            return values.reshape(shape)
        except ValueError as error:  # no values at all, but lengths beyond all bounds
            raise self.corrupt(f"the shape {shape} of {what} is impossible") from error

    def text(self) -> str:
        (size,) = self.unpack("<Q", "the length of a name")
        try:
            return bytes(self.take(size, "a name")).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.corrupt("a name is not text") from error

    def corrupt(self, why: str) -> ParameterFileError:
        return ParameterFileError(f"{self.path} is corrupt: {why}.")
