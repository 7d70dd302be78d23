"""The code of the documentation runs, and draws and prints what the pages show."""

from __future__ import annotations

import importlib.util
import re
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_digits

import accelbrainbase as ab

DOCS = Path(__file__).parents[1] / "docs"
spec = importlib.util.spec_from_file_location("run_pages", DOCS / "run_pages.py")
run_pages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_pages)

SMALL = {
    "epochs": 2, "turns": 3, "image_n": 300, "steps": 300, "draw_n": 60, "episode_n": 2
}  # fmt: skip


def shrink(code: str) -> str:
    return run_pages.SIZES.sub(lambda match: f"{match[1]} = {SMALL[match[1]]}", code)


@pytest.mark.parametrize("page", run_pages.PAGES)
def test_code_of_a_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("show() waits for someone"))
    printed = run_pages.run(page, shrink)
    plt.close("all")
    text = (DOCS / f"{page}.md").read_text("utf-8")
    name = page.rpartition("/")[2]
    drawn = {path.name for path in tmp_path.glob("*.png")}
    assert drawn == set(re.findall(r"pictures/([\w-]+\.png)", text))
    shown = re.findall(rf"output/({name}-\d+\.txt)", text)
    assert shown == [f"{name}-{number}.txt" for number in range(1, len(printed) + 1)]
    for path in [
        *(DOCS / "pictures" / one for one in drawn),
        *(DOCS / "output" / o for o in shown),
    ]:
        assert path.stat().st_size > 0, f"run docs/run_pages.py {page}"


def test_code_of_extending(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    digits = (load_digits().data > 7).astype(np.float32)

    def fast(code):
        return code.replace("test_fraction=0.2)", "test_fraction=0.2, epochs=2)")

    scope = {"digits": digits, "np": np, "time": time}
    run_pages.run("extending", fast, scope)
    assert len(scope["machine"].history) == 2


def test_every_block_is_python_or_marked_as_something_else():
    marks = set()
    for path in [*DOCS.glob("*.md"), *DOCS.glob("guide/*.md")]:
        lines = path.read_text("utf-8").splitlines()
        fences = [line for line in lines if line.startswith("```")]
        marks |= {fence for fence in fences[::2]}
        assert all(fence == "```" for fence in fences[1::2]), path.name
        python = [fence for fence in fences[::2] if fence == "```python"]
        page = path.relative_to(DOCS).with_suffix("").as_posix()
        assert not python or page in [*run_pages.PAGES, "extending"], f"{page} is not run"
    directives = {mark for mark in marks if mark.startswith("```{")}
    assert marks - directives <= {"```python", "```sh", "```"}


def extension(name):
    """An extension of the documentation, as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / "_ext" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_name_has_a_room():
    page = extension("flat_names").page()
    for name in ab.__all__:
        assert len(re.findall(rf"^   {name}$", page, re.M)) == 1, name


def test_names_break_between_words_in_code_of_tables_alone():
    breakable = extension("breakable_names").breakable
    code = "<code><span class='oneName'>ArrayIterator.iter_n</span></code>"
    broken = "<code><span class='oneName'>Array<wbr>Iterator.<wbr>iter_<wbr>n</span></code>"
    around = "<p>{0} ArrayIterator</p><table><td>{1} oneName</td></table>"
    assert breakable(around.format(code, code)) == around.format(code, broken)


def test_inherited_members_are_named_with_the_class_that_has_them():
    inherited = extension("inherited")
    found = inherited.inherited(ab.AutoEncoder)
    assert found["learn"] is ab.LearnableBlock and "save_parameters" in found
    assert "encode" not in found  # it is its own
    assert not [name for name in found if name.startswith(("_", "get_", "set_"))]
    line = inherited.entry("learn", ab.LearnableBlock)
    assert line.startswith("- :py:obj:`learn <accelbrainbase.LearnableBlock.learn>`: ")


def test_bars_of_formulas_grow_only_between_left_and_right():
    pytest.importorskip("sphinx")  # `make docs` installs it
    from docutils import nodes

    mathml = extension("mathml")

    def converted(text):
        return mathml.to_mathml(nodes.math(text, text), block=True)

    assert converted(r"\|x\|^2").count('<mo stretchy="false">‖</mo>') == 2
    assert converted(r"\left\|x\right\|^2").count("<mo>‖</mo>") == 2
    assert "Big" not in converted(r"a \Big/ b")
    assert "<code>" not in converted(r"\max_{a'} \log p(s')")
