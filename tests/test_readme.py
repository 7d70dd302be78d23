"""What the README and the demo show, runs."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

import accelbrainbase as ab

ROOT = Path(__file__).parents[1]


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.S | re.M)


def test_example_of_the_readme(capsys):
    (code,) = python_blocks("README.md")
    assert len([line for line in code.splitlines() if line]) <= 10
    scope: dict = {}
    exec(compile(code, "README.md", "exec"), scope)
    assert scope["codes"].shape == (1797, 8)
    assert "test_loss" in capsys.readouterr().out
    assert scope["model"].history.column("test_loss").min() < 0.15


def test_readme_names_every_model_and_nothing_else():
    page = (ROOT / "README.md").read_text("utf-8")
    table = page.split("## Models")[1].split("## ")[0]
    cells = re.findall(r"^\| (`[^|]*) \|", table, re.M)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    rooms = (".observabledata.", ".controllablemodel.", ".estimators.")
    public = {name for name, module in ab._EXPORTS.items() if any(room in module for room in rooms)}
    assert named == public


def test_links_in_the_documentation_exist():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            made = target.startswith(("https://", "api/"))  # the latter by `make docs`
            assert made or (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.fixture(scope="module")
def quickstart():
    spec = importlib.util.spec_from_file_location("quickstart", ROOT / "demo" / "quickstart.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["quickstart"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["quickstart"]


def test_quickstart_beats_pca_and_draws(quickstart, tmp_path):
    table = quickstart.run(tmp_path, epochs=20)
    assert list(table.index) == [
        "auto-encoder", "stacked auto-encoder", "convolutional auto-encoder", "PCA",
        "raw pixels (64)",
    ]  # fmt: skip
    for name in table.index[:3]:
        assert table.loc[name, "error test"] < table.loc["PCA", "error test"]
        assert table.loc[name, "accuracy on codes"] > 0.8
    drawn = {path.name: path.stat().st_size for path in tmp_path.glob("*.png")}
    assert set(drawn) == {
        "auto-encoder.png", "stacked-auto-encoder.png", "convolutional-auto-encoder.png",
        "PCA.png", "losses.png",
    }  # fmt: skip
    assert min(drawn.values()) > 5000
