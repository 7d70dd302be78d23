"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_atomically(filename: str | os.PathLike[str], write: Callable[[str], None]) -> None:
    """Write a file so that it is never half of one, whatever happens meanwhile.

    It is written under another name in the same directory, forced to the disk, and renamed.
    Where that fails, an existing file stays as it was and nothing is left over.

    Args:
        filename: Path of the file; an existing one is replaced.
        write: Writes the file at the path that it is given.

    Raises:
        FileNotFoundError: If the directory does not exist.
    """
    path = Path(filename)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"`{path}` cannot be written, since there is no directory `{path.parent}` (seen from "
            f"`{Path.cwd()}`). Make it first."
        )
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        write(temporary)
        with open(temporary, "rb+") as stream:
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # temporary files are private, this one is not
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # the new name too
    finally:
        os.close(directory)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
