"""Checks that a wheel holds every module of the tree, py.typed and the licence; nothing else."""

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(wheel):
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if not name.endswith("/")}
    metadata = {name for name in found if name.split("/")[0].endswith(".dist-info")}
    expected = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "accelbrainbase").rglob("*.py")
    }
    expected.add("accelbrainbase/py.typed")
    problems = [f"missing: {name}" for name in sorted(expected - found)]
    problems += [f"not wanted: {name}" for name in sorted(found - metadata - expected)]
    if not any(name.endswith("/LICENSE") for name in metadata):
        problems.append("missing: LICENSE")
    for problem in problems:
        print(f"{wheel}: {problem}", file=sys.stderr)
    if not problems:
        print(f"{wheel}: {len(expected)} files of accelbrainbase, nothing else")
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: check_wheel.py FILE.whl")
    sys.exit(main(sys.argv[1]))
