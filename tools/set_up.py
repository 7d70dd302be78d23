"""Sets up what `make` needs: a virtual environment with the package in it.

    python tools/set_up.py [--venv .venv] [--extras dev]

Needs nothing but the standard library of Python 3.9 to 3.13. Does its work only where
pyproject.toml, the extras or the Python have changed since the last time, and may run twice at
once: the second waits.
"""

import argparse
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MXNET = "mxnet==1.9.1"
# MXNet's metadata asks for NumPy < 2, which has no wheel from this Python on.
FIRST_PYTHON_WITHOUT_NUMPY_1 = (3, 13)


def fail(message):
    print(f"\nset-up: {message}", file=sys.stderr)
    sys.exit(1)


def run(*command, quiet=False):
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run([str(word) for word in command], stdout=output, stderr=output).returncode


def pip_of_this_python():
    """Folder that holds the pip of the Python that runs this script, or None."""
    spec = importlib.util.find_spec("pip")
    return Path(spec.origin).parent.parent if spec and spec.origin else None


def check_tools():
    """Ends with a clear message if a virtual environment with pip cannot be made."""
    if importlib.util.find_spec("venv") is None:
        fail(
            f"{sys.executable} has no module venv.\n"
            "Install it (Debian: apt install python3-venv; elsewhere it belongs to Python),\n"
            "or choose another Python: make PYTHON=/path/to/python3.12 ..."
        )
    if importlib.util.find_spec("ensurepip") is None and pip_of_this_python() is None:
        fail(
            f"{sys.executable} has neither ensurepip nor pip.\n"
            "Install one of them (Debian, Ubuntu: apt install python3-venv),\n"
            "or choose another Python: make PYTHON=/path/to/python3.12 ..."
        )


def is_sound(venv):
    """Whether `venv` is a working environment, at this place, of the Python that runs this."""
    python = venv / "bin" / "python"
    question = "import pip, sys; print(sys.version_info[:3], sys.prefix)"
    try:
        answer = subprocess.run([python, "-c", question], capture_output=True, text=True)
    except OSError:
        return False
    return answer.stdout.strip() == f"{sys.version_info[:3]} {venv}"


def make_venv(venv):
    print(f"set-up: virtual environment {venv} with Python {sys.version.split()[0]}", flush=True)
    if venv.exists():
        shutil.rmtree(venv)
    if importlib.util.find_spec("ensurepip") is not None:
        if run(sys.executable, "-m", "venv", venv) == 0:
            return
        shutil.rmtree(venv, ignore_errors=True)
    # Debian without python3-venv has no ensurepip. The pip outside can install a pip inside.
    outside = pip_of_this_python()
    install = (
        "import runpy, sys; sys.path.append(sys.argv.pop(1));"
        " runpy.run_module('pip', run_name='__main__')"
    )
    if (
        outside is None
        or run(sys.executable, "-m", "venv", "--without-pip", venv) != 0
        or run(venv / "bin" / "python", "-c", install, outside, "install", "-q", "-I", "pip") != 0
    ):
        shutil.rmtree(venv, ignore_errors=True)
        fail(f"{sys.executable} could not make {venv}. Debian, Ubuntu: apt install python3-venv")


def install(venv, extras):
    is_new_enough = (
        "import pip, sys; sys.exit(tuple(map(int, pip.__version__.split('.')[:2])) < (22, 3))"
    )
    if run(venv / "bin" / "python", "-c", is_new_enough) != 0:
        # Older ones do not know editable installs by pyproject.toml, or `--python`.
        run(venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--upgrade", "pip")
    target = f"{ROOT}[{extras}]" if extras else str(ROOT)
    print(
        f"set-up: installing {target} (some minutes at first)",
        flush=True,
    )
    pip = [
        venv / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    commands = [[*pip, "--no-warn-conflicts", "--editable", target]]
    if sys.version_info >= FIRST_PYTHON_WITHOUT_NUMPY_1:
        commands.append([*pip, "--no-deps", MXNET])
    for command in commands:
        if run(*command) != 0:
            fail(
                f"{' '.join(map(str, command))} failed, see above.\n"
                "It needs a package index that pip can reach, some 1.5 GB of disk, and a system\n"
                f"for which {MXNET} has wheels (Linux with glibc 2.17 or newer)."
            )


def stamp_of(venv, extras):
    """File that says: installed. Its name changes with all that the installation depends on."""
    inputs = [
        (ROOT / "pyproject.toml").read_bytes(),
        Path(__file__).read_bytes(),
        str(ROOT).encode(),
    ]
    return (
        venv / f".installed-{extras or 'base'}-{hashlib.sha256(b'|'.join(inputs)).hexdigest()[:16]}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--venv", default=".venv", help="folder of the environment (default: %(default)s)"
    )
    parser.add_argument(
        "--extras", default="", help="extras of pyproject.toml, separated by commas"
    )
    arguments = parser.parse_args()
    venv = (ROOT / arguments.venv).absolute()
    began = time.monotonic()
    with open(f"{venv}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = stamp_of(venv, arguments.extras)
        sound = is_sound(venv)
        if sound and stamp.exists():
            return
        if not sound:
            check_tools()
            make_venv(venv)
        install(venv, arguments.extras)
        stamp.touch()  # last: an interrupted set-up is repeated
    print(f"set-up: done in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    if not (3, 9) <= sys.version_info[:2] <= (3, 13):
        fail(f"Python 3.9 to 3.13 is needed, but {sys.executable} is {sys.version.split()[0]}.")
    os.environ.pop("PYTHONHOME", None)
    main()
