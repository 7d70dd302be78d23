"""Writing files whole or not at all."""

from __future__ import annotations

import os
import secrets
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
        OSError: If it cannot be written, for instance since the disk is full; it names the file.
    """
    path = Path(filename)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"`{path}` cannot be written, since there is no directory `{path.parent}` (seen from "
            f"`{Path.cwd()}`). Make it first."
        )
    temporary = str(path.with_name(f".{path.name}.{secrets.token_hex(8)}"))
    # Not by `tempfile`, whose files are private: this one has the permissions of others.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
    try:
        write(temporary)
        with open(temporary, "rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        os.unlink(temporary)
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # the new name too
    finally:
        os.close(directory)
