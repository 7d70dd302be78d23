"""Command line: makes a plain `import mxnet` work in this environment, also before accelbrainbase.

    python -m accelbrainbase.mxnet_compat enable | disable | status

`enable` writes one small start-up file (`.pth`) to the environment's site-packages. At the start
of Python it only adds a finder, which does nothing until MXNet is imported; then it hands over to
`accelbrainbase.mxnet_compat`. `disable` removes the file. Where accelbrainbase has been
uninstalled, the file does nothing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

_FILE_NAME = "accelbrainbase-mxnet.pth"

# Runs at every start of Python in the environment, so it is short and imports nothing. It knows a
# finder that is there already (`site` may be processed twice) by the attribute that the package's
# own finder has as well.
_FINDER_SOURCE = """\
import sys
class Finder:
    is_accelbrainbase_mxnet_hook = True
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != 'mxnet':
            return None
        try:
            from accelbrainbase.mxnet_compat import find_spec
        except ImportError:
            return None
        return find_spec(name, path, target)
if not any(hasattr(f, 'is_accelbrainbase_mxnet_hook') for f in sys.meta_path):
    sys.meta_path.insert(0, Finder)
"""
# `site` executes the lines of a .pth file that begin with `import`, each on its own.
_FILE_TEXT = (
    "# Written by `python -m accelbrainbase.mxnet_compat enable`; `... disable` removes it.\n"
    f"import sys; exec({_FINDER_SOURCE!r}, {{}})\n"
)


def start_up_file() -> Path:
    """Where the start-up file of this environment belongs, whether it is there or not."""
    return Path(sysconfig.get_paths()["purelib"]) / _FILE_NAME


def _is_current(path: Path) -> bool:
    try:
        return path.read_text(encoding="utf-8") == _FILE_TEXT
    except FileNotFoundError:
        return False


def _fail(action: str, path: Path, error: OSError) -> int:
    print(
        f"error: cannot {action} {path}: {error.strerror or error}.\n"
        "Run the command as the owner of that folder, or use a virtual environment:"
        " python -m venv .venv",
        file=sys.stderr,
    )
    return 1


def enable() -> int:
    """Write the start-up file.

    Returns:
        Exit code: 0, also if the file was there already; 1 if it cannot be written.
    """
    path = start_up_file()
    if _is_current(path):
        print(f"Already enabled: {path}")
        return 0
    try:
        # By renaming: a Python that starts in this moment sees the whole file or none.
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(_FILE_TEXT)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        return _fail("write", path, error)
    print(
        f"Enabled: {path}\n"
        f"From the next start of Python on, a plain `import mxnet` works in {sys.prefix}."
    )
    return 0


def disable() -> int:
    """Remove the start-up file.

    Returns:
        Exit code: 0, also if there was no file; 1 if it cannot be removed.
    """
    path = start_up_file()
    try:
        path.unlink()
    except FileNotFoundError:
        print(f"Not enabled: there is no {path}")
        return 0
    except OSError as error:
        return _fail("remove", path, error)
    print(f"Disabled: removed {path}")
    return 0


def _try(statement: str) -> str:
    """Empty if `statement` runs in a new Python of this environment, else what it fails with."""
    done = subprocess.run(
        [sys.executable, "-c", statement], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines()
    starts = [
        i for i, line in enumerate(lines) if line and not line[0].isspace() and "Error" in line
    ]
    return (
        "\n".join(lines[starts[-1] :] if starts else lines[-1:]) or f"exit code {done.returncode}"
    )


def _installed_version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def status() -> int:
    """Tell what is the case in this environment.

    Returns:
        Exit code: 0 if MXNet can be imported after `import accelbrainbase`, 1 if not.
    """
    path = start_up_file()
    if _is_current(path):
        state = "yes"
    elif path.exists():
        state = "yes, by another version of accelbrainbase (`enable` renews it)"
    else:
        state = "no"
    plain = _try("import mxnet")
    after = _try("from accelbrainbase.mxnet_compat import import_mxnet; import_mxnet()")
    rows = [
        ("Python", f"{'.'.join(map(str, sys.version_info[:3]))} ({sys.executable})"),
        ("NumPy", _installed_version("numpy")),
        ("MXNet", _installed_version("mxnet")),
        ("enabled", f"{state} ({path})"),
        ("plain `import mxnet`", "fails" if plain else "works"),
        ("`import mxnet` after `import accelbrainbase`", "fails" if after else "works"),
    ]
    for title, value in rows:
        print(f"{title:<45} {value}")
    if after:
        print(f"\n{after}")
    elif plain:
        print(
            f"\nThe plain import fails with: {plain.splitlines()[0]}\n"
            "To make it work in this environment: python -m accelbrainbase.mxnet_compat enable"
        )
    return 1 if after else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words after the program's name; those of the process by default.

    Returns:
        Exit code.
    """
    parser = argparse.ArgumentParser(
        prog="python -m accelbrainbase.mxnet_compat",
        description="Makes a plain `import mxnet` work, also before accelbrainbase is imported.",
    )
    commands = {
        "enable": (enable, "write the start-up file to site-packages"),
        "disable": (disable, "remove it"),
        "status": (status, "tell versions, and which imports work"),
    }
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (_, text) in commands.items():
        subparsers.add_parser(name, help=text)
    command, _ = commands[parser.parse_args(arguments).command]
    return command()


if __name__ == "__main__":
    sys.exit(main())
