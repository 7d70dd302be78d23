"""Runs a fast part of the tests on every Python that the machine has, with old and new NumPy.

    python tools/check_versions.py            all that is found
    python tools/check_versions.py --write    and write the table into the README
    python tools/check_versions.py --quick    fewer tests, as CI runs them

Needs nothing but the standard library. Each combination has an environment of its own in
`.versions`, which is kept: the second run is faster.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".versions"
MXNET = "mxnet==1.9.1"
BEGIN, END = "<!-- versions -->", "<!-- /versions -->"

#: The oldest releases with wheels for a Python, as far as pyproject.toml allows them.
OLDEST = {
    "3.9": ["numpy==1.21.6", "pandas==1.3.5", "scikit-learn==1.0.2", "scipy<1.8",
            "matplotlib==3.5.3", "Pillow==8.3.2"],
    "3.10": ["numpy==1.21.6", "pandas==1.3.5", "scikit-learn==1.0.2", "scipy<1.8",
             "matplotlib==3.5.3", "Pillow==8.4.0"],
    "3.11": ["numpy==1.23.5", "pandas==1.5.3", "scikit-learn==1.2.2", "scipy<1.11",
             "matplotlib==3.6.3", "Pillow==9.5.0"],
    "3.12": ["numpy==1.26.4", "pandas==2.1.4", "scikit-learn==1.3.2", "scipy<1.12",
             "matplotlib==3.8.4", "Pillow==10.4.0"],
    "3.13": ["numpy==2.1.3", "pandas==2.2.3", "scikit-learn==1.5.2", "scipy<1.15",
             "matplotlib==3.9.4", "Pillow==11.3.0"],
}  # fmt: skip
NEWEST = ["numpy>=2", "pandas", "scikit-learn", "matplotlib", "Pillow"]
OTHERS = ["requests", "tqdm", "safetensors", "pytest"]
TESTS = [
    "tests/test_mxnet_compat.py", "tests/test_architecture.py", "tests/learning",
    "tests/iteratabledata/test_array_iterator.py", "tests/_mxnet_side/test_parameter_files.py",
    "tests/test_model_contract.py",
]  # fmt: skip
CHOSEN = "not killed_processes and (not test_model_contract or AutoEncoder) and not Convolutional"
QUICK_TESTS = [
    "tests/test_mxnet_compat.py", "tests/iteratabledata/test_array_iterator.py",
    "tests/_mxnet_side/test_parameter_files.py", "tests/_mxnet_side/test_safe_deconvolution.py",
    "tests/test_model_contract.py",
]  # fmt: skip
QUICK_CHOSEN = (
    "not test_model_contract or [AutoEncoder] or [ConvolutionalAutoEncoder] or [LSTMNetworks] "
    "or [RestrictedBoltzmannMachines]"
)


def found_pythons() -> dict[str, Path]:
    """Return the Pythons of the machine by their version, 3.9 to 3.13."""
    found: dict[str, Path] = {}
    for version in OLDEST:
        candidates = [
            *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")),
            *filter(None, [shutil.which(f"python{version}")]),
        ]
        for candidate in candidates:
            question = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
            done = subprocess.run(
                [str(candidate), "-c", question], capture_output=True, text=True, check=False
            )
            if done.stdout.strip() == version:
                found[version] = Path(candidate)
                break
    return found


def environment(version: str, python: Path, packages: list[str], name: str) -> Path:
    """Return the Python of an environment with `packages`; it is built if it is not there."""
    home = PLACE / f"{version}-{name}"
    stamp = home / ".installed"
    wanted = repr([MXNET, packages, OTHERS])
    if not (stamp.exists() and stamp.read_text() == wanted):
        subprocess.run([str(python), "-m", "venv", "--clear", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
        for arguments in (["--only-binary=:all:", *packages, *OTHERS], ["--no-deps", MXNET]):
            subprocess.run([*pip, "-qq", *arguments], check=True)
        stamp.write_text(wanted)
    editable = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*editable, "install", "-qq", "--no-deps", "--editable", str(ROOT)], check=True)
    return home / "bin" / "python"


def versions_in(python: Path) -> str:
    """Return the versions of NumPy and pandas in an environment."""
    program = (
        "import numpy, pandas; print(f'| {numpy.__version__} | {pandas.__version__} |', end='')"
    )
    return subprocess.run(
        [str(python), "-c", program], capture_output=True, text=True, check=True
    ).stdout


def check(version: str, python: Path, name: str, quick: bool) -> tuple[str, bool]:
    """Run the tests of one combination; return its row of the table, and whether all passed."""
    begin = time.monotonic()
    try:
        inside = environment(version, python, OLDEST[version] if name == "oldest" else NEWEST, name)
    except subprocess.CalledProcessError as error:
        return f"| {version} | {name} | | the set-up FAILS: {error} |", False
    tests, chosen = (QUICK_TESTS, QUICK_CHOSEN) if quick else (TESTS, CHOSEN)
    command = [str(inside), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = (done.stdout.strip() or done.stderr[-200:]).splitlines()[-1]
    passed = re.search(r"(\d+) passed", last)
    good = passed is not None and done.returncode == 0
    if not good:
        print(done.stdout[-4000:], done.stderr[-4000:], flush=True)
    result = f"{passed[1]} tests pass" if passed and good else f"FAILS: {last}"
    row = f"| {version} {versions_in(inside)} {result} |"
    print(f"{row} {time.monotonic() - begin:.0f} s", flush=True)
    return row, good


def main() -> int:
    """Test every combination; print the table; return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the table into the README")
    parser.add_argument("--quick", action="store_true", help="fewer tests")
    parser.add_argument("--only", metavar="3.x", help="one Python only")
    parser.add_argument("--jobs", type=int, default=1, help="combinations at the same time")
    arguments = parser.parse_args()
    combinations = [
        (version, python, name, arguments.quick)
        for version, python in found_pythons().items()
        for name in ("oldest", "newest")
        if arguments.only in (None, version)
    ]
    if not combinations:
        print("no Python 3.9 to 3.13 with venv and ensurepip was found")
    with ThreadPoolExecutor(arguments.jobs) as pool:
        found = list(pool.map(lambda combination: check(*combination), combinations))
    failed = not all(good for _, good in found)
    if arguments.write and not failed:
        page = ROOT / "README.md"
        head = "| Python | NumPy | pandas | |\n|---|---|---|---|"
        table = "\n".join([BEGIN, head, *(row for row, _ in found), END])
        text = page.read_text("utf-8")
        page.write_text(re.sub(f"{BEGIN}.*?{END}", table, text, flags=re.S), "utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
