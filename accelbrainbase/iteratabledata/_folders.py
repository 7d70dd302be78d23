"""Directories of files, in what order, with messages that name them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from accelbrainbase._checks import check_is_a, short

_DIGITS = re.compile(r"(\d+)")


def directories_of(name: str, dir_list: Any) -> list[str]:
    """Return directories, sorted, each with one slash at its end.

    (1.1.0 wanted that slash. Sorting with it, classes have the order which they had.)

    Args:
        name: Name of the argument, for the message.
        dir_list: Paths of directories, with or without a slash at the end.

    Raises:
        TypeError: If it is no list of paths.
        ValueError: If it is empty, or has a directory twice.
        FileNotFoundError: If there is no such directory.
        NotADirectoryError: If one is a file.
    """
    if isinstance(dir_list, (str, bytes, os.PathLike)) or not isinstance(dir_list, Iterable):
        raise TypeError(
            f"`{name}` must be a list of directories, but got {short(dir_list)} of type "
            f"`{type(dir_list).__name__}`. Pass a list, also of one."
        )
    directories: list[str] = []
    for directory in dir_list:
        check_is_a(f"{name}[{len(directories)}]", directory, (str, os.PathLike))
        path = with_slash(directory)
        if not os.path.exists(path.rstrip("/") or "/"):
            raise FileNotFoundError(
                f"`{name}` must be a list of directories, but there is no directory {path!r} "
                f"(seen from the directory {os.getcwd()!r})."
            )
        if not os.path.isdir(path):
            raise NotADirectoryError(
                f"`{name}` must be a list of directories, but {path.rstrip('/')!r} is a file. "
                "Pass the directory that it is in."
            )
        if path in directories:
            raise ValueError(f"`{name}` must have each directory once, but has {path!r} twice.")
        directories.append(path)
    if not directories:
        raise ValueError(f"`{name}` must have at least one directory, but is empty.")
    return sorted(directories)


def with_slash(directory: str | os.PathLike[str]) -> str:
    """Return a path with one slash at its end."""
    return os.path.join(os.fspath(directory).rstrip("/") or "/", "")


def files_of(directory: str) -> list[str]:
    """Return the paths of all files in a directory, sorted; numbers in names by their value.

    Names that begin with a dot are left out.

    Raises:
        ValueError: If there are none, or a directory is among them.
    """
    with os.scandir(directory) as entries:
        visible = [entry for entry in entries if not entry.name.startswith(".")]
        inner = sorted(entry.name for entry in visible if entry.is_dir())
    if inner:
        raise ValueError(
            f"{directory!r} must hold files of images only, but has the directory {inner[0]!r}"
            f"{f' and {len(inner) - 1} more' if len(inner) > 1 else ''}. Directories within "
            "directories are not searched: list each one that holds images."
        )
    if not visible:
        raise ValueError(f"{directory!r} must hold files of images, but is empty.")
    return [directory + name for name in sorted((entry.name for entry in visible), key=_key)]


def names_of(directories: list[str]) -> list[str]:
    """Return the last parts of the paths; or the paths, where two have the same."""
    names = [os.path.basename(directory.rstrip("/")) for directory in directories]
    return names if len(set(names)) == len(names) else [path.rstrip("/") for path in directories]


def _key(name: str) -> tuple[list[Any], str]:
    parts: list[Any] = _DIGITS.split(name)
    parts[1::2] = [int(digits) for digits in parts[1::2]]
    return parts, name
