"""Sets up what `make` needs: a virtual environment with the package in it.

    python tools/set_up.py [--venv .venv] [--extras dev] [--this-python]
                           [--also requirements.txt] [--without-dependencies requirements.txt]

Needs nothing but the standard library of Python 3.9 to 3.13. Does its work only where
pyproject.toml, this file, the extras, the further requirements or the place of the tree have
changed since the last time, and may run twice at once: the second waits for the first.
"""

import argparse
import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MXNET = "mxnet==1.9.1"
# MXNet's metadata asks for NumPy < 2, which has no wheel from this Python on.
FIRST_PYTHON_WITHOUT_NUMPY_1 = (3, 13)
# Knows editable installs by pyproject.toml, and `--python`.
FIRST_GOOD_PIP = (22, 3)
PIP_OF_ANOTHER = """
import runpy, sys
sys.path.append(sys.argv.pop(1))
runpy.run_module("pip", run_name="__main__")
"""


def say(message):
    print(f"set-up: {message}", flush=True)


def fail(message):
    sys.exit(f"\nset-up: {message}")


def run(*command):
    """Whether the command succeeds; it prints what it prints."""
    return subprocess.run([str(word) for word in command]).returncode == 0


def has_module(name):
    return importlib.util.find_spec(name) is not None


def check_tools():
    """Ends with a clear message if this Python cannot make a virtual environment with pip."""
    other = "or choose another Python: make PYTHON=/path/to/python3.12 ..."
    if not has_module("venv"):
        fail(
            f"{sys.executable} has no module venv. Install it (Debian, Ubuntu:\n"
            f"apt install python3-venv; elsewhere it belongs to Python),\n{other}"
        )
    if not has_module("ensurepip") and not has_module("pip"):
        fail(
            f"{sys.executable} has neither pip nor ensurepip. Install one of them\n"
            f"(Debian, Ubuntu: apt install python3-venv),\n{other}"
        )


def python_of(venv):
    return venv / "bin" / "python"


def versions_of(venv):
    """Versions of Python and pip in a virtual environment; None if it does not work here."""
    question = "import pip, sys; print(*sys.version_info[:3], pip.__version__, sys.prefix)"
    try:
        done = subprocess.run([python_of(venv), "-c", question], capture_output=True, text=True)
    except OSError:
        return None
    words = done.stdout.strip().split(" ", 4)
    if len(words) != 5 or words[4] != str(venv):
        return None
    return tuple(map(int, words[:3])), tuple(map(int, words[3].split(".")[:2]))


def make_venv(venv):
    say(f"virtual environment {venv} with Python {sys.version.split()[0]}")
    shutil.rmtree(venv, ignore_errors=True)
    if has_module("ensurepip"):
        if run(sys.executable, "-m", "venv", venv):
            return
    elif run(sys.executable, "-m", "venv", "--without-pip", venv):
        # Debian without python3-venv: the pip outside installs a pip inside.
        folder = Path(importlib.util.find_spec("pip").origin).parent.parent
        command = [python_of(venv), "-c", PIP_OF_ANOTHER, folder, "install", "-qq"]
        if run(*command, "--ignore-installed", "pip"):
            return
    shutil.rmtree(venv, ignore_errors=True)
    fail(
        f"{sys.executable} could not make the virtual environment {venv}, see above.\n"
        "Debian, Ubuntu: apt install python3-venv"
    )


def install(venv, extras, also, without_dependencies):
    python_version, pip_version = versions_of(venv)
    pip = [python_of(venv), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    target = f"{ROOT}[{extras}]" if extras else str(ROOT)
    commands = [[*pip, "--no-warn-conflicts", "--editable", target]]
    if pip_version < FIRST_GOOD_PIP:
        commands.insert(0, [*pip, "--upgrade", "pip"])
    if python_version >= FIRST_PYTHON_WITHOUT_NUMPY_1:
        commands.append([*pip, "--no-deps", MXNET])
    commands += [[*pip, "--no-warn-conflicts", "--requirement", path] for path in also]
    commands += [[*pip, "--no-deps", "--requirement", path] for path in without_dependencies]
    say(f"installing {target} and what it needs (some minutes at first)")
    for command in commands:
        if not run(*command):
            fail(
                f"{' '.join(map(str, command))}\nfailed, see above. It needs a package index that"
                " pip can reach, some 1.5 GB of disk,\nand a system for which"
                f" {MXNET} has wheels (Linux with glibc 2.17 or newer)."
            )


def digest(requirements):
    """Changes with all that an installation depends on, the extras apart."""
    inputs = [ROOT / "pyproject.toml", Path(__file__), *requirements]
    text = b"|".join([str(ROOT).encode(), *(path.read_bytes() for path in inputs)])
    return hashlib.sha256(text).hexdigest()[:16]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venv", default=".venv", help="folder of the environment (.venv)")
    parser.add_argument("--extras", default="", help="extras of pyproject.toml, by commas")
    for name, what in [("--also", ""), ("--without-dependencies", ", less what they need")]:
        parser.add_argument(
            name,
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help=f"install the requirements of this file too{what}",
        )
    parser.add_argument(
        "--this-python",
        action="store_true",
        help="make the environment anew if it has another version of Python",
    )
    arguments = parser.parse_args()
    venv = (ROOT / arguments.venv).absolute()
    wanted = digest([*arguments.also, *arguments.without_dependencies])
    began = time.monotonic()
    with open(f"{venv}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        versions = versions_of(venv)
        if versions is not None and arguments.this_python and versions[0] != sys.version_info[:3]:
            versions = None
        # What was installed with extras holds what is wanted without.
        pattern = f".installed-{arguments.extras or '*'}-{wanted}"
        if versions is not None and any(venv.glob(pattern)):
            return
        if versions is None:
            check_tools()
            make_venv(venv)
        install(venv, arguments.extras, arguments.also, arguments.without_dependencies)
        # Last: an interrupted set-up is repeated.
        (venv / f".installed-{arguments.extras or 'base'}-{wanted}").touch()
    say(f"done in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    if not (3, 9) <= sys.version_info[:2] <= (3, 13):
        fail(f"Python 3.9 to 3.13 is needed; {sys.executable} is {sys.version.split()[0]}.")
    main()
