"""Former names work, and say once what to write instead."""

from __future__ import annotations

import subprocess
import sys
import types
import warnings

import pytest

import accelbrainbase as ab
from accelbrainbase._deprecation import moved


@pytest.fixture
def former(monkeypatch):
    module = types.ModuleType("former_place")
    module.__getattr__ = moved(
        "former_place", {"History": "accelbrainbase.learning.history"}, until="7"
    )
    monkeypatch.setitem(sys.modules, "former_place", module)
    return module


def test_a_former_name_warns_once(former):
    with pytest.warns(FutureWarning) as caught:
        assert former.History is ab.History
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "`former_place.History` has moved" in message
    assert "`accelbrainbase.learning.history`" in message
    assert "Version 7 drops" in message
    assert caught[0].filename == __file__  # it points at who uses the name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert former.History is ab.History


def test_where_warnings_are_errors_the_next_use_raises_again(former):
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(FutureWarning, match="has moved"):
                former.History  # noqa: B018


def test_other_names_are_missing_as_usual(former):
    with pytest.raises(AttributeError, match="module 'former_place' has no attribute 'Histroy'"):
        former.Histroy  # noqa: B018


def test_a_program_for_1_1_0_sees_one_warning():
    code = """
from accelbrainbase.samplabledata.truesampler.normal_true_sampler import NormalTrueSampler
import accelbrainbase.samplabledata.truesampler.normal_true_sampler as again
for _ in range(3):
    assert again.NormalTrueSampler is NormalTrueSampler
import accelbrainbase
assert accelbrainbase.NormalTrueSampler is NormalTrueSampler
"""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stderr.count("FutureWarning: ") == 1
    assert "<string>:2:" in done.stderr
