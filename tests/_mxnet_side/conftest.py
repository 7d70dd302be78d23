"""Lets these tests use the NumPy reference of the dense models."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "observabledata"))
