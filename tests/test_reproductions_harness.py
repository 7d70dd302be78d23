"""What reproductions share."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image

PATH = Path(__file__).parent.parent / "reproductions" / "_harness.py"


def harness():
    import sys

    spec = importlib.util.spec_from_file_location("_harness", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["_harness"] = module
    spec.loader.exec_module(module)
    return module


def test_a_report_replaces_its_own_section_only(tmp_path):
    h, page = harness(), tmp_path / "reproductions.md"
    settings = {"budget": "1 minute", "page": page}
    h.report("one", "First", [h.Row("RBM", "nats", -90.123, -86.34, "S")], seeds=[0], **settings)
    h.report("two", "Second", [h.Row("DBM", "nats", "none")], seeds=[1, 2], **settings)
    h.report("one", "First", [h.Row("RBM", "nats", -88.0, -86.34, "S")], seeds=[0], **settings)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Reproductions")
    assert text.count("## First") == text.count("## Second") == 1
    assert "| RBM | nats | -88.00 | -86.34 | S |" in text and "-90.12" not in text
    assert "| DBM | nats | none |  |  |" in text and "seeds 1, 2" in text
    assert text.index("## First") < text.index("## Second")


def test_grid_of_images(tmp_path):
    images = np.zeros((3, 2, 4))
    images[1, 0, 0] = 5.0
    path = harness().save_grid(images, tmp_path / "new" / "grid.png", columns=2, scale=1)
    pixels = np.asarray(Image.open(path))
    assert pixels.shape == (2 * 3 + 1, 2 * 5 + 1)
    assert pixels[1, 6] == 255 and pixels[1, 1] == 0 and pixels[0, 0] == 128
