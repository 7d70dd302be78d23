"""The loop's accounts: rows, steps, evaluation, the rate, callbacks, and the device."""

from __future__ import annotations

import gc
import itertools
import math
import subprocess
import sys
import weakref

import numpy as np
import pytest
from loop_doubles import ArrayBackend, At, DeviceBackend, Learner, Recorder

from accelbrainbase.errors import NonFiniteLossError
from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.history import History
from accelbrainbase.learning.loop import LearningLoop
from accelbrainbase.learning.losses import Weighted


def nothing(_):
    return 0.0


def run(step=nothing, batches=None, **kwargs):
    return LearningLoop().run(step, itertools.count(1) if batches is None else batches, **kwargs)


# -- rows and steps --------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [*range(1, 13), 49, 97, 300])
def test_rows_close_at_their_steps(rows):
    """Exactly `rows` rows; row e closes after step ⌈e·steps/rows⌉; each step is in one row."""
    for steps in {*range(1, 30), rows - 1, rows, rows + 1, 3 * rows, 250} - {0}:
        check_rows(rows, steps)


def test_weighted_means_are_over_the_whole_row():
    """A row in which nothing counts has no entry."""
    counts = {1: [1, 1], 2: [0, 0], 3: [1, 0], 4: [0, 0], 5: [0, 0], 6: [0, 0]}

    def step(number):
        return {"loss": 0.0, "part": Weighted(np.array([number, 10.0]), np.array(counts[number]))}

    history = run(step, rows=2, steps=6, evaluate=lambda number: {"part": step(number)["part"]})
    np.testing.assert_allclose(history.column("train_part"), [(1 + 10 + 3) / 3, np.nan])
    np.testing.assert_allclose(history.column("test_part"), [3, np.nan])
    with pytest.raises(NonFiniteLossError, match="`train_part` is nan in epoch 1, step 1"):
        run(lambda _: {"part": Weighted(np.array([np.nan]), np.array([1.0]))}, rows=1)


def check_rows(rows, steps):
    drawn, evaluated_at = [], []

    def batches():
        for number in itertools.count(1):
            drawn.append(number)
            yield number

    def evaluate(batch):
        evaluated_at.append(batch)
        return 10.0 * batch

    recorder = Recorder()
    history = run(float, batches(), rows=rows, steps=steps, evaluate=evaluate, callbacks=[recorder])
    closing = [math.ceil(e * steps / rows) for e in range(1, rows + 1)]
    assert len(history) == rows
    assert drawn == list(range(1, steps + 1)), "no batch is drawn in vain"
    assert evaluated_at == closing, "once a row, with the last batch"
    assert list(history.column("test_loss")) == [10.0 * step for step in closing]
    expected, hooks, before = [], [("begin", 0)], 0
    for row, last in enumerate(closing, start=1):
        inside = range(before + 1, last + 1)
        expected.append(sum(inside) / len(inside) if inside else expected[-1])
        hooks += [*(("step", number) for number in inside), ("row", row)]
        before = last
    np.testing.assert_allclose(history.column("train_loss"), expected)
    assert recorder.log == [*hooks, ("end", steps)]


def test_one_step_a_row_if_steps_are_omitted():
    recorder = Recorder()
    assert len(run(rows=5, callbacks=[recorder])) == 5
    assert recorder.state.steps == 5


def test_row_means_weigh_samples():
    batches = [np.zeros(4), np.zeros(4), np.ones(2)]
    history = run(lambda arr: arr, batches * 2, rows=2, steps=6, evaluate=lambda arr: arr)
    assert list(history.column("train_loss")) == [0.2, 0.2]
    assert list(history.column("test_loss")) == [1.0, 1.0]


@pytest.mark.parametrize("value", [float, lambda loss: np.array([[loss]])])
def test_one_number_from_a_step_counts_for_its_mini_batch(value):
    sizes = [4, 4, 1, 4, 4, 2]

    def step(number):
        losses = {"loss": value(number), "each": np.full(sizes[number - 1], number)}
        return losses if number % 3 else {**losses, "some": value(number)}

    history = run(step, rows=2, steps=6, batch_size=lambda number: sizes[number - 1])
    expected = [(4 * 1 + 4 * 2 + 1 * 3) / 9, (4 * 4 + 4 * 5 + 2 * 6) / 10]
    np.testing.assert_allclose(history.column("train_loss"), expected, rtol=1e-12)
    np.testing.assert_allclose(history.column("train_each"), expected, rtol=1e-12)
    np.testing.assert_array_equal(history.column("train_some"), [3, 6])
    assert run(step, rows=2, steps=6).column("train_loss").tolist() == [2, 5]  # sizes unknown


def test_losses_of_any_shape_count_each_entry():
    losses = [np.zeros((2, 3)), np.float32(1.0), 1, np.ones((1, 1, 4), np.float32)]
    assert run(lambda arr: arr, losses, rows=1, steps=4).column("train_loss")[0] == 0.5


def test_losses_by_name_and_columns_that_come_and_go():
    steps = [{"a": 1.0}, {"a": 3.0, "b": np.array([1.0, 2.0])}, {}, None, {"b": 7.0}, {"b": 9.0}]
    history = run(
        lambda losses: losses,
        steps,
        rows=3,
        steps=6,
        evaluate=lambda losses: None if losses is None else {"accuracy": 0.5},
    )
    assert history.row_list == [
        {"train_a": 2.0, "train_b": 1.5, "test_accuracy": 0.5},
        {},
        {"train_b": 8.0, "test_accuracy": 0.5},
    ]


def test_rows_without_steps_repeat_the_training_losses_only():
    tests = itertools.count()
    history = run(float, rows=4, steps=2, evaluate=lambda _: next(tests))
    assert list(history.column("train_loss")) == [1.0, 1.0, 2.0, 2.0]
    assert list(history.column("test_loss")) == [0.0, 1.0, 2.0, 3.0]
    tests = iter([7.0, None, 8.0, None])
    history = run(float, rows=4, steps=2, evaluate=lambda _: next(tests))
    assert history.row_list[1] == {"train_loss": 1.0}, "a test is not repeated"


def test_losses_returned_in_one_dict_that_changes_are_kept_apart():
    losses = {}

    def step(batch):
        losses["loss"] = float(batch)
        return losses

    assert run(step, rows=1, steps=3).column("train_loss")[0] == 2.0


def test_prepare_runs_once_before_the_first_step():
    log = []
    run(
        lambda batch: log.append(("step", batch)),
        rows=2,
        steps=4,
        prepare=lambda batch: log.append(("prepare", batch)),
    )
    assert log == [("prepare", 1), *(("step", number) for number in range(1, 5))]


def test_samples_are_counted():
    seen = []
    counter = At("step", 3, lambda state: seen.append(state.samples))
    run(rows=1, steps=4, batch_size=lambda batch: 10 * batch, callbacks=[counter])
    assert seen == [60]


# -- the rate --------------------------------------------------------------------------------


@pytest.mark.parametrize("rows, steps", [(7, 7), (7, 20), (7, 3)])
@pytest.mark.parametrize("every", [1, 2, 3, 7, 8])
def test_attenuation_once_every_so_many_rows(rows, steps, every):
    learner = Learner(learning_rate=1.0)
    used = []
    history = run(
        lambda _: used.append(learner.learning_rate),
        rows=rows,
        steps=steps,
        attenuate_rate=0.5,
        attenuate_every=every,
        backend=Backend(learner),
    )
    recorded = history.column("learning_rate")
    assert list(recorded) == [0.5 ** (row // every) for row in range(rows)]
    assert learner.learning_rate == 0.5 ** (rows // every)
    # The recorded rate is the one that the steps of the row used.
    closing = [math.ceil(e * steps / rows) for e in range(1, rows + 1)]
    expected = [
        recorded[row]
        for row in range(rows)
        for _ in range(closing[row] - (closing[row - 1] if row else 0))
    ]
    assert used == expected


def test_rows_are_attenuated_on_time_where_they_are_read_late():
    learner = Learner(learning_rate=1.0)
    history = run(
        rows=6,
        attenuate_rate=0.5,
        attenuate_every=2,
        read_every=6,
        backend=Backend(learner),
    )
    assert list(history.column("learning_rate")) == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]


def test_no_rate_no_column():
    assert run(rows=2, attenuate_rate=0.5, attenuate_every=1).columns == ["train_loss"]


# -- callbacks -------------------------------------------------------------------------------


def test_callbacks_are_called_in_their_order():
    log = []
    callbacks = [Recorder(log, "a"), Recorder(log, "b")]
    run(rows=1, steps=2, callbacks=iter(callbacks))
    assert log == [
        *[("a", "begin", 0), ("b", "begin", 0)],
        *[("a", "step", 1), ("b", "step", 1), ("a", "step", 2), ("b", "step", 2)],
        *[("a", "row", 1), ("b", "row", 1), ("a", "end", 2), ("b", "end", 2)],
    ]


def test_callback_hooks_do_nothing_by_default():
    assert len(run(rows=2, callbacks=[Callback()])) == 2


def test_hooks_of_steps_that_nobody_overrides_are_not_called(monkeypatch):
    calls = []
    hooked = Callback()
    hooked.on_step_end = lambda state: calls.append(state.step)
    monkeypatch.setattr(Callback, "on_step_end", lambda *_: calls.append("for nothing"))
    run(rows=3, callbacks=[Callback(), hooked])
    assert calls == [1, 2, 3]


def test_callbacks_see_where_the_learning_stands():
    seen = []

    def look(state):
        seen.append((state.row, state.rows, state.step, state.steps, state.losses, state.backend))
        assert state.learning_rate == 0.1 and state.stop_reason is None and state.error is None
        assert len(state.history) == state.row

    backend = Backend(Learner(learning_rate=0.1))
    history = run(float, rows=2, steps=4, callbacks=[At("row", 2, look)], backend=backend)
    assert seen == [(2, 2, 4, 4, {"train_loss": 3.5, "learning_rate": 0.1}, backend)]
    assert history.row_list[-1] == seen[0][4]


@pytest.mark.parametrize("loss", [1.0, None])
def test_stop_in_a_step_closes_the_row(loss):
    recorder = Recorder()
    stop = At("step", 5, lambda state: state.stop("enough"))
    evaluated = []
    history = run(
        lambda _: loss,
        rows=5,
        steps=20,
        evaluate=evaluated.append,
        callbacks=[stop, recorder],
    )
    assert recorder.log[-3:] == [("step", 5), ("row", 2), ("end", 5)]
    assert evaluated == [4, 5]
    assert len(history) == 2 and not history.interrupted
    assert recorder.state.stop_reason == "enough"


def test_stop_at_the_end_of_a_row_closes_no_other():
    recorder = Recorder()
    stop = At("row", 2, lambda state: state.stop("enough"))
    history = run(rows=5, steps=20, callbacks=[stop, recorder])
    assert recorder.log[-2:] == [("row", 2), ("end", 8)]
    assert len(history) == 2


def test_stop_where_rows_are_read_late_keeps_all_rows():
    stop = At("row", 2, lambda state: state.stop("enough"))
    assert len(run(rows=50, read_every=10, callbacks=[stop])) == 10
    stop = At("step", 13, lambda state: state.stop("enough"))
    assert len(run(rows=50, read_every=10, callbacks=[stop])) == 13


def test_stop_before_the_first_step():
    batches = iter([1])
    stop = At("begin", 0, lambda state: state.stop("not today"))
    assert len(run(batches=batches, rows=5, callbacks=[stop])) == 0
    assert next(batches) == 1


def test_rows_that_are_read_late_are_told_late_and_completely():
    told = []

    class Listener(Callback):
        def on_row_end(self, state):
            told.append((state.step, state.row, state.losses["train_loss"]))

    history = run(float, rows=5, steps=10, read_every=2, callbacks=[Listener()])
    assert told == [(4, 1, 1.5), (4, 2, 3.5), (8, 3, 5.5), (8, 4, 7.5), (10, 5, 9.5)]
    assert list(history.column("train_loss")) == [1.5, 3.5, 5.5, 7.5, 9.5]


# -- the device ------------------------------------------------------------------------------


@pytest.mark.parametrize("max_ahead", [1, 3, 16])
def test_run_ahead_is_bounded(max_ahead):
    backend = DeviceBackend()
    LearningLoop(max_ahead=max_ahead).run(
        lambda _: backend.loss(), itertools.repeat(None), rows=1, steps=40, backend=backend
    )
    assert backend.waited == [(step, step - max_ahead) for step in range(max_ahead + 1, 41)]


def test_run_ahead_waits_for_all_losses_of_a_step():
    backend = DeviceBackend()

    def step(_):
        loss = backend.loss()
        return {"a": loss, "b": loss}

    LearningLoop(max_ahead=2).run(
        step, itertools.repeat(None), rows=2, steps=4, read_every=2, backend=backend
    )
    assert backend.waited == [(3, 1), (3, 1), (4, 2), (4, 2)]


def test_losses_are_read_at_the_end_of_rows_only():
    backend = DeviceBackend()
    run(lambda _: backend.loss(), rows=3, steps=9, backend=backend, callbacks=[Recorder()])
    assert backend.read_log == [(3, [1, 2, 3]), (6, [4, 5, 6]), (9, [7, 8, 9])]


def test_losses_are_read_every_so_many_rows():
    backend = DeviceBackend()
    run(lambda _: backend.loss(), rows=5, read_every=3, backend=backend)
    assert [step for step, _ in backend.read_log] == [3, 3, 3, 5, 5]
    assert [steps for _, steps in backend.read_log] == [[1], [2], [3], [4], [5]]


def test_recent_losses_are_those_of_a_settled_step():
    backend = DeviceBackend()
    seen = []

    class Looker(Callback):
        def on_step_end(self, state):
            seen.append(state.recent_losses())

    LearningLoop(max_ahead=2).run(
        lambda number: {"loss": backend.loss(np.array([number - 1.0, number + 1.0]))},
        itertools.count(1),
        rows=1,
        steps=5,
        callbacks=[Looker()],
        backend=backend,
    )
    assert seen == [{}, {}, {"loss": 1.0}, {"loss": 2.0}, {"loss": 3.0}]


# -- between runs ----------------------------------------------------------------------------


class Batch:
    """Something that a weak reference can point to."""


def test_nothing_is_kept_between_runs():
    loop = LearningLoop(max_ahead=2, snapshot_every=1)
    before = dict(vars(loop))
    learner = Learner(w=[1.0])
    batch_list = [Batch() for _ in range(8)]
    references = [weakref.ref(thing) for thing in [learner, *batch_list]]
    log = []

    def learn(learner, batches):
        recorder = Recorder()
        history = loop.run(
            lambda _: 1.0,
            batches,
            rows=3,
            steps=8,
            attenuate_rate=0.5,
            attenuate_every=1,
            backend=ArrayBackend(learner),
            callbacks=[recorder],
        )
        log.append((history.row_list, recorder.log, learner.learning_rate))

    learn(learner, batch_list)
    learn(Learner(w=[1.0]), range(8))
    assert log[0] == log[1]
    assert vars(loop) == before
    del learner, batch_list
    gc.collect()
    assert [reference() for reference in references] == [None] * 9


def test_history_that_is_given_is_continued():
    history = History("turn")
    assert run(float, rows=2, history=history) is history
    run(float, rows=3, history=history)
    assert list(history.column("train_loss")) == [1.0, 2.0, 1.0, 2.0, 3.0]
    assert history.unit == "turn"


def test_batches_can_be_taken_up_by_the_next_run():
    batches = iter(range(1, 7))
    run(batches=batches, rows=2, steps=4)
    assert list(batches) == [5, 6]


# -- arguments -------------------------------------------------------------------------------

BAD = [
    ({"rows": 0}, ValueError, "`rows` must be at least 1, but got 0"),
    ({"rows": 2.0}, TypeError, "`rows` must be an integer, but got 2.0"),
    ({"rows": True}, TypeError, "`rows` must be an integer, but got True"),
    ({"steps": 0}, ValueError, "`steps` must be at least 1, but got 0"),
    ({"steps": "3"}, TypeError, "`steps` must be an integer, but got '3'"),
    ({"read_every": 0}, ValueError, "`read_every` must be at least 1"),
    ({"attenuate_every": 0}, ValueError, "`attenuate_every` must be at least 1"),
    ({"attenuate_rate": -0.1}, ValueError, r"`attenuate_rate` must be a finite number in \[0, inf"),
    ({"attenuate_rate": math.nan}, ValueError, "`attenuate_rate` must be a finite number"),
    ({"attenuate_rate": "0.1"}, TypeError, "`attenuate_rate` must be a number, but got '0.1'"),
    ({"step": None}, TypeError, "`step` must be a `Callable`, but got None"),
    ({"evaluate": 1}, TypeError, "`evaluate` must be a `Callable` or None, but got 1"),
    ({"prepare": 1}, TypeError, "`prepare` must be a `Callable` or None, but got 1"),
    ({"batch_size": 32}, TypeError, "`batch_size` must be a `Callable` or None, but got 32"),
    ({"batches": 5}, TypeError, "`batches` must be a `Iterable`, but got 5"),
    ({"callbacks": Callback()}, TypeError, r"`callbacks` must be a list.*: `\[Callback\(…\)\]`"),
    ({"callbacks": 5}, TypeError, "`callbacks` must be a `Iterable` or None, but got 5"),
    ({"callbacks": [print]}, TypeError, "`callbacks` must be a `Callback`, but got <built-in"),
    ({"callbacks": [Recorder]}, TypeError, "`callbacks` .* Pass an instance, not the class"),
    ({"backend": Learner()}, TypeError, "`backend` must be a `Backend` or None, but got <.*Lea"),
    ({"history": []}, TypeError, r"`history` must be a `History` or None, but got \[\]"),
]


@pytest.mark.parametrize("kwargs, error, message", BAD, ids=[str(bad[0])[:30] for bad in BAD])
def test_bad_arguments_are_named(kwargs, error, message):
    drawn = []
    batches = (drawn.append(1) for _ in range(3))
    with pytest.raises(error, match=message):
        run(**{"rows": 2, "batches": batches, **kwargs})
    assert not drawn


@pytest.mark.parametrize(
    "kwargs, error, message",
    [
        ({"max_ahead": 0}, ValueError, "`max_ahead` must be at least 1, but got 0"),
        ({"max_ahead": None}, TypeError, "`max_ahead` must be an integer, but got None"),
        ({"snapshot_every": 0}, ValueError, "`snapshot_every` must be at least 1, but got 0"),
        ({"snapshot_every": 1.5}, TypeError, "`snapshot_every` must be an integer, but got 1.5"),
    ],
)
def test_bad_settings_are_named(kwargs, error, message):
    with pytest.raises(error, match=message):
        LearningLoop(**kwargs)


# -- what is imported ------------------------------------------------------------------------

HEAVY = ["mxnet", "torch", "matplotlib", "pandas", "tqdm", "tensorboardX", "sklearn", "scipy"]
MODULES = [
    "loop", "backend", "callback", "history", "state",
    "early_stopping", "progress_bar", "tensor_board",
]  # fmt: skip


def test_learning_imports_no_tensor_library_nor_what_only_some_callbacks_need():
    code = (
        "import importlib, sys\n"
        f"for name in {MODULES}:\n"
        "    importlib.import_module('accelbrainbase.learning.' + name)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.strip() == "[]"


def test_a_quiet_learning_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from accelbrainbase import EarlyStopping, LearningLoop, ProgressBar\n"
        "callbacks = [EarlyStopping(), ProgressBar()]\n"
        "LearningLoop().run(float, range(9), rows=3, steps=9, callbacks=callbacks)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr == "", "where there is no terminal nothing is shown"
