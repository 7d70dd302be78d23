"""The environments of the peers, built when they are first needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".bench"

#: What pip installs, command by command. The CPU build of PyTorch is the one of its own wheels.
ENVIRONMENTS: dict[str, list[list[str]]] = {
    "torch": [["torch==2.13.0", "numpy>=1.26,<3", "scikit-learn>=1.3", "Pillow"]],
    "stable_baselines3": [["torch==2.13.0", "stable-baselines3==2.9.2", "numpy>=1.26,<3"]],
    "predecessor": [
        ["mxnet==1.9.1", "numpy==1.23.5", "pandas<2.1", "scikit-learn<1.4", "Pillow"],
        ["--no-deps", "accel-brain-base==1.1.0"],
    ],
}


def environment_of(side: str) -> str | None:
    """Return the name of the environment in which a side runs; `None` for our own."""
    return next((name for name in ENVIRONMENTS if side.startswith(name)), None)


def python_of(side: str) -> Path:
    """Return the Python that runs a side; its environment is built if it is not there.

    Raises:
        RuntimeError: If the environment cannot be built; the message is pip's last line.
    """
    name = environment_of(side)
    if name is None:
        return Path(sys.executable)
    home = PLACE / name
    python, stamp = home / "bin" / "python", home / ".installed"
    wanted = repr(ENVIRONMENTS[name])
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"building the environment `{name}` …", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    for packages in ENVIRONMENTS[name]:
        command = [str(python), "-m", "pip", "install", "--quiet", *packages]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["?"])[-1]
            raise RuntimeError(f"the environment `{name}` could not be built: {last}")
    stamp.write_text(wanted)
    return python
