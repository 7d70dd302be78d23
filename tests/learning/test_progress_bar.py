"""Showing how far a learning has got."""

from __future__ import annotations

import io
import itertools
import re
import sys
import timeit
import types

import pytest
from loop_doubles import At, Learner
from tqdm.std import tqdm

from accelbrainbase.errors import LearningInterruptedWarning
from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.history import History
from accelbrainbase.learning.loop import LearningLoop
from accelbrainbase.learning.progress_bar import ProgressBar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def learn(*callbacks, step=lambda _: 0.25, rows=2, steps=40, **kwargs):
    kwargs.setdefault("backend", Backend(Learner(learning_rate=0.125)))
    return LearningLoop().run(
        step, itertools.count(1), rows=rows, steps=steps, callbacks=callbacks, **kwargs
    )


def draw(capsys, *args, seconds=0, **kwargs):
    """Learn with a bar; return all that was drawn, and the last of it."""
    bar = ProgressBar(show=True, seconds=seconds)
    learn(bar, *args, **kwargs)
    text = capsys.readouterr().err
    return text, last_line(text)


def last_line(text):
    return re.split(r"[\r\n]+", text.strip())[-1]


def test_quiet_where_there_is_no_terminal(capsys):
    learn(ProgressBar(seconds=0))
    assert capsys.readouterr().err == ""


def test_quiet_where_there_is_no_stderr(monkeypatch):
    for missing in (None, object()):
        monkeypatch.setattr(sys, "stderr", missing)
        assert len(learn(ProgressBar())) == 2


def test_shows_in_a_terminal(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    learn(ProgressBar(seconds=0))
    assert "40/40" in stream.getvalue()


def test_show_false_is_quiet_in_a_terminal(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    learn(ProgressBar(show=False, seconds=0))
    assert stream.getvalue() == ""


def test_shows_epoch_loss_rate_and_speed(capsys):
    _, line = draw(
        capsys, evaluate=lambda _: {"loss": 0.5, "accuracy": 0.75}, batch_size=lambda _: 32
    )
    for text in ("epoch 2/2", "40/40", "train_loss=0.25", "test_loss=0.5", "test_accuracy=0.75"):
        assert text in line
    assert "rate=0.125" in line
    assert int(re.search(r"samples/s=(\d+)", line)[1]) > 0
    assert "learning_rate" not in line


def test_shows_recent_losses_before_the_first_row_is_closed(capsys):
    text, last = draw(capsys, step=float, rows=1)
    # At step 20 that of 16 steps ago is settled.
    line = next(part for part in text.split("\r") if " 20/40" in part)
    assert "epoch 0/1" in line and "train_loss=4," in line
    assert "train_loss=20.5" in last


def test_no_speed_where_steps_have_no_samples_and_no_rate_where_there_is_none(capsys):
    text, last = draw(capsys, backend=Backend())
    assert "samples/s" not in text
    assert "rate=" not in text
    assert "train_loss=0.25" in last


def test_counts_turns_where_each_row_is_a_step(capsys):
    _, line = draw(capsys, rows=30, steps=30, read_every=10, history=History("turn"))
    assert "30/30" in line and " turn/s" in line
    assert "turn 30/30" not in line


def test_draws_once_a_refresh(capsys):
    text, _ = draw(capsys, rows=1, steps=10)
    # When it opens, after each step, after the row, and twice when it ends and closes.
    assert text.count("\r") <= 1 + 10 + 1 + 2


def test_is_drawn_as_often_as_asked_for(capsys, monkeypatch):
    clock = types.SimpleNamespace(perf_counter=itertools.count().__next__)  # a second a look
    monkeypatch.setattr("accelbrainbase.learning.progress_bar.time", clock)
    text, _ = draw(capsys, seconds=100, rows=1, steps=1000)
    assert 9 <= text.count("\r") <= 15


def test_is_not_drawn_more_often_than_asked_for(capsys):
    text, last = draw(capsys, seconds=1000, rows=10, steps=2000)
    assert text.count("\r") < 6
    assert "2000/2000" in last


def test_tells_why_the_learning_stopped(capsys):
    def step(number):
        if number == 5:
            raise KeyboardInterrupt
        return 0.25

    with pytest.warns(LearningInterruptedWarning):
        text, last = draw(capsys, step=step)
    assert "stopped: interrupted" in text
    assert "4/40" in last


def test_closed_after_an_error(capsys):
    bar, drawn = ProgressBar(show=True, seconds=0), []
    keep = At("step", 1, lambda _: drawn.append(bar._bar))
    before = len(tqdm._instances)
    with pytest.raises(ZeroDivisionError):
        learn(bar, keep, step=lambda number: 1 / (5 - number))
    assert drawn[0].disable, "what tqdm calls closed"
    text = capsys.readouterr().err
    assert "4/40" in last_line(text)
    assert text.endswith("\n"), "what is printed next has a line of its own"
    assert bar._bar is None
    assert len(tqdm._instances) == before


def test_can_be_used_again(capsys):
    bar = ProgressBar(show=True, seconds=0)
    learn(bar)
    learn(bar, rows=3, steps=6)
    line = last_line(capsys.readouterr().err)
    assert "epoch 3/3" in line and "6/6" in line


def test_shows_in_a_notebook(monkeypatch, capsys):
    class ZMQInteractiveShell:
        pass

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = ZMQInteractiveShell
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    # Without ipywidgets it is the bar in text.
    monkeypatch.setattr("accelbrainbase.learning.progress_bar.find_spec", lambda name: None)
    learn(ProgressBar(seconds=0))
    assert "40/40" in capsys.readouterr().err


def test_quiet_costs_next_to_nothing():
    """Less than 5 µs a step, where it takes about 0.1; the least of several tries counts."""
    step_n = 20_000

    def seconds(*callbacks):
        return min(timeit.repeat(lambda: learn(*callbacks, steps=step_n), number=1, repeat=5))

    assert (seconds(ProgressBar()) - seconds()) / step_n < 5e-6
