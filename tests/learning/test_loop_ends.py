"""How a learning may end before its time: Ctrl-C, data that end, errors, losses gone wrong."""

from __future__ import annotations

import itertools
import math
import signal
import warnings
from pathlib import Path

import numpy as np
import pytest
from loop_doubles import ArrayBackend, At, DeviceBackend, Learner, Recorder

from accelbrainbase.errors import LearningInterruptedWarning, NonFiniteLossError
from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.history import History
from accelbrainbase.learning.loop import LearningLoop


def run(step=float, batches=None, *, snapshot_every=50, **kwargs):
    loop = LearningLoop(snapshot_every=snapshot_every)
    return loop.run(step, itertools.count(1) if batches is None else batches, **kwargs)


def interrupt(*_):
    raise KeyboardInterrupt


def interrupt_at(number, value=float):
    return lambda batch: interrupt() if batch == number else value(batch)


# -- data that end ---------------------------------------------------------------------------


def test_data_that_end_inside_a_row():
    recorder = Recorder()
    message = r"^the mini-batches ended after 7 of 20 steps; what was learned .* is kept$"
    with pytest.warns(LearningInterruptedWarning, match=message):
        history = run(
            batches=range(1, 8),
            rows=4,
            steps=20,
            evaluate=lambda batch: 10.0 * batch,
            callbacks=[recorder],
        )
    assert history.row_list == [
        {"train_loss": 3.0, "test_loss": 50.0},
        {"train_loss": 6.5, "test_loss": 70.0},
    ]
    assert history.interrupted
    assert recorder.log[-3:] == [("step", 7), ("row", 2), ("end", 7)]
    assert recorder.state.stop_reason == "the data ended"
    assert recorder.state.error is None


def test_data_that_end_with_a_row():
    with pytest.warns(LearningInterruptedWarning, match="ended after 10 of 20 steps"):
        history = run(batches=range(10), rows=4, steps=20, evaluate=lambda _: 0.0)
    assert len(history) == 2 and history.interrupted


def test_data_that_never_begin():
    evaluated = []
    with pytest.warns(LearningInterruptedWarning, match="ended after 0 of 20 steps"):
        history = run(batches=[], rows=4, steps=20, evaluate=evaluated.append)
    assert len(history) == 0 and not evaluated


def test_data_that_end_where_rows_are_read_late():
    with pytest.warns(LearningInterruptedWarning, match="ended after 7 of 20 steps"):
        history = run(batches=range(7), rows=20, read_every=5)
    assert list(history.column("train_loss")) == [0, 1, 2, 3, 4, 5, 6]


def test_data_that_suffice_exactly_are_no_reason_to_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not run(batches=range(6), rows=2, steps=6).interrupted


def test_warning_points_at_the_line_that_asked_for_the_learning():
    for ending in ([1], map(interrupt, [1])):
        with pytest.warns(LearningInterruptedWarning) as caught:
            run(batches=ending, rows=2)
        assert Path(caught[0].filename) == Path(__file__)


# -- Ctrl-C ----------------------------------------------------------------------------------


def broken_batches(number):
    yield from range(1, number)
    raise KeyboardInterrupt


OPEN = {"train_loss": 5.5}  # steps 5 and 6 of a row of four
INTERRUPTS = {
    "step": ({"step": interrupt_at(7)}, [OPEN], 6, 2),
    "batches": ({"batches": broken_batches(7)}, [OPEN], 6, 2),
    "on_step_end": ({"hook": ("step", 6)}, [OPEN], 6, 2),
    "batch_size": ({"batch_size": interrupt_at(6, lambda _: 4)}, [OPEN], 6, 2),
    "evaluate": ({"evaluate": interrupt_at(8, lambda _: 0.5)}, [{"train_loss": 6.5}], 8, 2),
    "first step of a row": ({"step": interrupt_at(5)}, [], 4, 2),
    "on_row_end": ({"hook": ("row", 1)}, [], 4, 2),
    "on_row_end of the last row": (
        {"hook": ("row", 5)},
        [{"train_loss": 4 * row - 1.5, "test_loss": 0.5} for row in range(2, 6)],
        20,
        5,
    ),
}


@pytest.mark.parametrize("where", INTERRUPTS)
def test_ctrl_c_ends_the_learning_with_what_was_recorded(where):
    kwargs, more_rows, step_n, row = INTERRUPTS[where]
    kwargs = dict(kwargs)
    recorder = Recorder()
    callbacks = [At(*kwargs.pop("hook", ("never", 0)), interrupt), recorder]
    kwargs.setdefault("evaluate", lambda _: 0.5)
    message = (
        f"^learning was interrupted in epoch {row} of 5, after {step_n} of 20 steps; "
        f"what was learned and recorded until then is kept$"
    )
    with pytest.warns(LearningInterruptedWarning, match=message) as caught:
        history = run(rows=5, steps=20, callbacks=callbacks, **kwargs)
    assert len(caught) == 1
    assert history.row_list == [{"train_loss": 2.5, "test_loss": 0.5}, *more_rows]
    assert history.interrupted
    assert recorder.log[-1] == ("end", step_n)
    assert recorder.state.stop_reason == "interrupted"
    assert recorder.state.error is None


def test_ctrl_c_itself():
    def step(number):
        if number == 7:
            signal.raise_signal(signal.SIGINT)
        return float(number)

    # A shell that starts the tests in the background has them ignore the signal.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(LearningInterruptedWarning, match="after 6 of 20 steps"):
            assert len(run(step, rows=5, steps=20)) == 2
    finally:
        signal.signal(signal.SIGINT, handler)


@pytest.mark.parametrize("where", ["prepare", "on_train_begin"])
def test_ctrl_c_before_the_first_step(where):
    recorder = Recorder()
    prepare = interrupt if where == "prepare" else None
    at = At("begin" if where == "on_train_begin" else "never", 0, interrupt)
    with pytest.warns(LearningInterruptedWarning, match="in epoch 1 of 5, after 0 of 20 steps"):
        history = run(rows=5, steps=20, prepare=prepare, callbacks=[recorder, at])
    assert len(history) == 0 and history.interrupted
    assert recorder.log == [("begin", 0), ("end", 0)]


@pytest.mark.parametrize("read_every", [3, 10])
@pytest.mark.parametrize("late", [False, True])
def test_ctrl_c_while_the_device_is_read_loses_no_row(read_every, late):
    """Also when all steps are done, and only the last rows wait for the device."""

    class Interrupted(DeviceBackend):
        pending = True

        def read(self, values):
            if self.pending and (self.step == 10 if late else True):
                self.pending = False
                raise KeyboardInterrupt
            return super().read(values)

    backend = Interrupted()
    with pytest.warns(LearningInterruptedWarning, match="interrupted"):
        history = run(
            lambda number: backend.loss(float(number)),
            rows=10,
            read_every=read_every,
            backend=backend,
        )
    done = 10 if late or read_every == 10 else 3
    assert list(history.column("train_loss")) == list(range(1, done + 1))


def test_ctrl_c_where_rows_are_read_late():
    recorder = Recorder()
    with pytest.warns(LearningInterruptedWarning, match="after 13 of 20 steps"):
        history = run(interrupt_at(14), rows=20, read_every=10, callbacks=[recorder])
    assert list(history.column("train_loss")) == list(range(1, 14))
    assert [number for hook, number in recorder.log if hook == "row"] == list(range(1, 14))


def test_ctrl_c_twice_ends_at_once():
    recorder = Recorder()

    class Slow(Backend):
        def read(self, values):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupt_at(3), rows=1, steps=9, backend=Slow(), callbacks=[recorder])
    assert recorder.log[-1] == ("end", 2)
    assert isinstance(recorder.state.error, KeyboardInterrupt)


def test_a_history_that_goes_on_is_no_longer_interrupted():
    history = History()
    with pytest.warns(LearningInterruptedWarning):
        run(interrupt_at(2), rows=3, history=history)
    assert history.interrupted
    run(rows=2, history=history)
    assert len(history) == 3 and not history.interrupted


def test_warnings_that_are_errors_lose_nothing():
    recorder, history = Recorder(), History()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(LearningInterruptedWarning):
            run(interrupt_at(3), rows=1, steps=9, history=history, callbacks=[recorder])
    assert len(history) == 1
    assert recorder.log[-1] == ("end", 2)


# -- errors ----------------------------------------------------------------------------------


class Trouble(Exception):
    pass


def fail(*_):
    raise Trouble("broken")


def fail_at(number):
    return lambda batch: fail() if batch == number else float(batch)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"step": fail_at(7)},
        {"evaluate": fail_at(8)},
        {"prepare": fail},
        {"batch_size": fail},
        {"batches": map(fail, [1])},
        {"hook": ("step", 6)},
        {"hook": ("row", 2)},
    ],
    ids=["step", "evaluate", "prepare", "batch_size", "batches", "on_step_end", "on_row_end"],
)
def test_errors_are_raised_and_callbacks_hear_of_them(kwargs):
    kwargs = dict(kwargs)
    recorder = Recorder()
    callbacks = [recorder, At(*kwargs.pop("hook", ("never", 0)), fail)]
    with pytest.raises(Trouble) as caught:
        run(rows=5, steps=20, callbacks=callbacks, **kwargs)
    assert recorder.state.error is caught.value
    assert [hook for hook, _ in recorder.log].count("end") == 1
    assert recorder.log[-1] == ("end", recorder.state.step)


def test_an_error_keeps_the_rows_before_it():
    history = History()
    with pytest.raises(Trouble):
        run(fail_at(7), rows=5, steps=20, history=history)
    assert history.row_list == [{"train_loss": 2.5}]
    assert not history.interrupted


def test_callbacks_that_did_not_begin_do_not_end():
    log = []
    callbacks = [Recorder(log, "a"), At("begin", 0, fail), Recorder(log, "b")]
    with pytest.raises(Trouble):
        run(rows=1, callbacks=callbacks)
    assert log == [("a", "begin", 0), ("a", "end", 0)]


def test_all_callbacks_end_also_when_one_of_them_fails():
    log = []
    callbacks = [Recorder(log, "a"), At("end", 0, fail), Recorder(log, "b")]
    with pytest.raises(Trouble):
        run(rows=1, callbacks=callbacks)
    assert log[-2:] == [("a", "end", 1), ("b", "end", 1)]


def test_an_error_at_the_end_does_not_hide_the_one_before():
    with pytest.raises(Trouble) as caught:
        run(lambda _: 1 / 0, rows=1, callbacks=[At("end", 0, fail)])
    assert isinstance(caught.value.__context__, ZeroDivisionError)


def test_stop_iteration_in_a_step_is_an_error_of_the_step():
    with pytest.raises(StopIteration):
        run(lambda _: next(iter([])), rows=3)


# -- losses that are not finite --------------------------------------------------------------


def test_not_finite_names_the_first_bad_step():
    learner = Learner(learning_rate=0.25)

    def step(number):
        learner.parameters["w"] = np.array(float(number))
        return np.array([1.0, math.nan]) if number >= 8 else np.ones(2)

    learner.parameters["w"] = np.array(0.0)
    backend, recorder = ArrayBackend(learner), Recorder()
    with pytest.raises(NonFiniteLossError) as caught:
        run(
            step,
            rows=4,
            steps=20,
            attenuate_rate=0.5,
            attenuate_every=1,
            backend=backend,
            callbacks=[recorder],
            snapshot_every=5,
        )
    error = caught.value
    assert (error.column, error.row, error.iteration) == ("train_loss", 2, 8)
    assert error.learning_rate == 0.125
    assert isinstance(error, ArithmeticError)
    message = str(error)
    assert message.startswith("`train_loss` is nan in epoch 2, step 8, learning rate 0.125.")
    assert "set back to what they were after step 5." in message
    assert "Try a smaller learning rate, clipped gradients (`max_gradient_norm`)" in message
    assert learner.parameters["w"] == 5.0, "the last good ones"
    assert backend.restored_n == 1
    assert recorder.state.error is error
    assert recorder.log[-3:] == [("step", 9), ("step", 10), ("end", 10)], "the row does not count"
    assert len(recorder.state.history) == 1


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_each_kind_of_not_finite(bad):
    with pytest.raises(NonFiniteLossError, match=f"is {bad} in turn 1, step 1. No earlier"):
        run(lambda _: bad, rows=2, history=History("turn"))


def test_infinities_of_both_signs_warn_of_nothing_else():
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        with pytest.raises(NonFiniteLossError, match="`train_loss` is nan"):
            run(lambda _: np.array([math.inf, -math.inf]), rows=1)


def test_not_finite_before_anything_was_good():
    learner = Learner(w=3.0)

    def step(_):
        learner.parameters["w"] = np.array(math.nan)
        return math.nan

    with pytest.raises(NonFiniteLossError, match="set back to what they were before the first"):
        run(step, rows=2, backend=ArrayBackend(learner))
    assert learner.parameters["w"] == 3.0


def test_the_first_copy_is_taken_after_prepare():
    learner = Learner()

    def prepare(_):
        learner.parameters["w"] = np.array(1.0)

    with pytest.raises(NonFiniteLossError, match="before the first step"):
        run(lambda _: math.nan, rows=1, prepare=prepare, backend=ArrayBackend(learner))
    assert learner.parameters["w"] == 1.0


def test_parameters_that_are_not_finite_are_no_good_copy():
    """The loss of a step is of the parameters before it; those after it may be broken."""
    learner = Learner(w=0.0)

    def step(number):
        loss = float(learner.parameters["w"])
        learner.parameters["w"] = np.array(math.nan if number == 3 else float(number))
        return loss

    with pytest.raises(NonFiniteLossError) as caught:
        run(step, rows=9, backend=ArrayBackend(learner), snapshot_every=1)
    assert caught.value.iteration == 4
    assert learner.parameters["w"] == 2.0


@pytest.mark.parametrize("snapshot_every, kept", [(1, 9), (2, 9), (4, 6), (9, 9), (10, 0)])
def test_copies_are_taken_every_so_many_steps(snapshot_every, kept):
    """At the end of rows of three steps."""
    learner = Learner(w=0.0)

    def step(number):
        learner.parameters["w"] = np.array(float(number))
        return math.nan if number == 11 else 0.0

    with pytest.raises(NonFiniteLossError):
        run(step, rows=4, steps=12, backend=ArrayBackend(learner), snapshot_every=snapshot_every)
    assert learner.parameters["w"] == kept


def test_no_copies_at_all():
    backend = ArrayBackend(Learner(w=0.0))
    with pytest.raises(NonFiniteLossError, match="No earlier parameters are kept: build the"):
        run(lambda _: math.nan, rows=1, backend=backend, snapshot_every=None)
    assert backend.restored_n == 0


def test_not_finite_where_rows_are_read_late():
    learner = Learner(learning_rate=1.0, w=0.0)

    def step(number):
        learner.parameters["w"] = np.array(float(number))
        return math.nan if number == 17 else 0.0

    history = History("turn")
    with pytest.raises(
        NonFiniteLossError, match="in turn 17, step 17, learning rate 0.5"
    ) as caught:
        run(
            step,
            rows=40,
            read_every=10,
            attenuate_rate=0.5,
            attenuate_every=15,
            backend=ArrayBackend(learner),
            history=history,
            snapshot_every=1,
        )
    assert (caught.value.row, caught.value.iteration) == (17, 17)
    assert len(history) == 16
    assert learner.parameters["w"] == 10.0, "of the last reading at which all was well"


def test_not_finite_test_loss_is_of_the_last_step_of_its_row():
    def evaluate(number):
        return {"loss": 0.0, "accuracy": math.nan if number == 6 else 0.0}

    with pytest.raises(NonFiniteLossError, match="`test_accuracy` is nan in epoch 2, step 6"):
        run(rows=4, steps=12, evaluate=evaluate, read_every=4)


def test_not_finite_reports_the_column_that_broke_first():
    def step(number):
        losses = {"a": math.nan if number >= 6 else 0.0}
        if number % 2:  # every other turn only
            losses["b"] = math.inf if number >= 5 else 0.0
        return losses

    with pytest.raises(NonFiniteLossError) as caught:
        run(step, rows=1, steps=10)
    assert (caught.value.column, caught.value.iteration) == ("train_b", 5)


def test_not_finite_while_an_interrupted_row_is_read_is_the_error():
    def step(number):
        return interrupt() if number == 4 else math.nan

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NonFiniteLossError):
            run(step, rows=1, steps=9)


def test_learning_goes_on_after_losses_that_were_not_finite():
    learner = Learner(w=0.0)
    backend = ArrayBackend(learner)

    def step(number):
        learner.parameters["w"] = learner.parameters["w"] + 1
        return math.nan if number == 3 else 0.0

    with pytest.raises(NonFiniteLossError):
        run(step, rows=3, backend=backend, snapshot_every=1)
    run(step, [10, 11], rows=2, backend=backend)
    assert learner.parameters["w"] == 4.0
