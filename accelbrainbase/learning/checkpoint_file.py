"""Files of checkpoints: arrays and a state, in a format that executes nothing when loaded.

A checkpoint is a safetensors file. Its metadata hold the state as JSON, and the SHA-256 of
the whole file (with 64 zeros in the place of the digest), so that a file of which one bit
has changed is not loaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from accelbrainbase._files import write_atomically
from accelbrainbase.errors import CheckpointError

FORMAT = "accelbrainbase-checkpoint-1"
_ZEROS = "0" * 64
_HEAD = 8  # bytes that hold the length of the header


def write_checkpoint(
    filename: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]
) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        filename: Path of the file; an existing one is replaced once the new one is safe.
        arrays: Arrays by name.
        state: What else belongs to it; JSON can hold it. Floats come back bit for bit.

    Raises:
        OSError: If the file cannot be written; an existing one stays.
    """
    from safetensors.numpy import save

    contiguous = {name: np.asarray(arr, order="C") for name, arr in arrays.items()}
    metadata = {"format": FORMAT, "sha256": _ZEROS, "state": json.dumps(state)}
    data = save(contiguous, metadata=metadata)
    digest = hashlib.sha256(data).hexdigest()
    place = data.index(_ZEROS.encode())
    whole = data[:place] + digest.encode() + data[place + len(_ZEROS) :]

    def write(path: str) -> None:
        with open(path, "wb") as stream:
            stream.write(whole)

    write_atomically(filename, write)


def read_checkpoint(
    filename: str | os.PathLike[str],
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a checkpoint.

    Args:
        filename: Path of the file.

    Returns:
        The arrays by name, and the state.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file is truncated, corrupt or foreign.
    """
    from safetensors.numpy import load

    path = os.fspath(filename)
    with open(path, "rb") as stream:
        data = stream.read()
    metadata = _metadata(path, data)
    digest = metadata.get("sha256")
    if metadata.get("format") != FORMAT or not isinstance(digest, str) or len(digest) != 64:
        raise CheckpointError(
            f"{path} is not a checkpoint of this library (or of another version of it). Give a "
            f"file that the callback `Checkpoint` wrote."
        )
    head = data[: _header_end(path, data)].replace(digest.encode(), _ZEROS.encode(), 1)
    if hashlib.sha256(head + data[len(head) :]).hexdigest() != digest:
        raise CheckpointError(
            f"{path} is corrupt: its bytes are not those that were written. Resume from another "
            f"checkpoint, or start afresh."
        )
    return load(data), json.loads(metadata["state"])


def _header_end(path: str, data: bytes) -> int:
    if len(data) < _HEAD:
        raise CheckpointError(f"{path} is truncated: it has {len(data)} bytes.")
    (length,) = struct.unpack("<Q", data[:_HEAD])
    if length > len(data) - _HEAD:
        raise CheckpointError(f"{path} is truncated, or not a checkpoint: its header is cut off.")
    return _HEAD + int(length)


def _metadata(path: str, data: bytes) -> dict[str, Any]:
    try:
        header = json.loads(data[_HEAD : _header_end(path, data)])
        metadata = header["__metadata__"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} is not a checkpoint: its header cannot be read.") from error
    return metadata if isinstance(metadata, dict) else {}
