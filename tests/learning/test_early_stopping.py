"""Ending when nothing improves any more, with the best parameters."""

from __future__ import annotations

import itertools
import logging
import math

import numpy as np
import pytest
from loop_doubles import ArrayBackend, At, Learner, Recorder

from accelbrainbase.errors import LearningInterruptedWarning, NonFiniteLossError
from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.early_stopping import EarlyStopping
from accelbrainbase.learning.loop import LearningLoop

CURVE = [5.0, 3.0, 4.0, 2.0, 2.5, 2.0, 2.1, 1.0, 0.5, 0.4]  # best of 3 without gain: row 4


def learn(stopping, curve=CURVE, *, test_curve=None, steps=None, callbacks=(), **kwargs):
    """Rows with the losses of `curve`; the parameter `w` is the number of the last step."""
    learner = Learner(w=0.0)
    backend = ArrayBackend(learner)

    def step(number):
        learner.parameters["w"] = np.array(float(number))
        loss = curve[(number - 1) * len(curve) // (steps or len(curve))]
        return loss() if callable(loss) else loss

    tests = None if test_curve is None else iter(test_curve)
    history = LearningLoop().run(
        step,
        itertools.count(1),
        rows=len(curve),
        steps=steps,
        evaluate=None if tests is None else lambda _: next(tests),
        backend=backend,
        callbacks=[stopping, *callbacks],
        **kwargs,
    )
    return history, learner.parameters["w"], backend


def interrupt():
    raise KeyboardInterrupt


def test_stops_and_restores_the_best():
    stopping, recorder = EarlyStopping(patience=3), Recorder()
    history, w, backend = learn(stopping, callbacks=[recorder])
    assert len(history) == 7
    assert (stopping.best_row, stopping.best_value) == (4, 2.0)
    assert w == 4.0
    assert backend.restored_n == 1
    reason = "no improvement for 3 epochs (best: 2 in epoch 4)"
    assert recorder.state.stop_reason == reason
    assert not history.interrupted


def test_parameters_of_the_end_of_the_best_row():
    _, w, _ = learn(EarlyStopping(patience=3), steps=50)
    assert w == 20.0


@pytest.mark.parametrize("patience, rows", [(1, 3), (2, 6), (4, 10), (99, 10)])
def test_patience(patience, rows):
    history, _, _ = learn(EarlyStopping(patience=patience))
    assert len(history) == rows


def test_the_best_is_restored_also_when_all_rows_were_learned():
    stopping = EarlyStopping(patience=99)
    history, w, _ = learn(stopping, [3.0, 1.0, 2.0])
    assert len(history) == 3
    assert (w, stopping.best_row) == (2.0, 2)


def test_nothing_is_restored_where_the_last_row_is_the_best():
    _, w, backend = learn(EarlyStopping(patience=99), [3.0, 2.0, 1.0])
    assert (w, backend.restored_n) == (3.0, 0)


def test_restore_best_false_leaves_the_last():
    history, w, backend = learn(EarlyStopping(patience=3, restore_best=False))
    assert (len(history), w, backend.restored_n) == (7, 7.0, 0)


def test_restoring_is_told_in_the_log(caplog):
    with caplog.at_level(logging.INFO, logger="accelbrainbase"):
        learn(EarlyStopping(patience=3))
    assert "restored the parameters of epoch 4" in caplog.text


def test_mode_max():
    stopping = EarlyStopping(patience=2, mode="max")
    history, w, _ = learn(stopping, [1.0, 3.0, 2.0, 3.0, 9.0])
    assert (len(history), w, stopping.best_value) == (4, 2.0, 3.0)


def test_min_delta_is_the_least_gain_that_counts():
    curve = [8.0, 7.5, 7.0, 6.5, 6.0]
    stopping = EarlyStopping(patience=2, min_delta=0.5)
    history, w, _ = learn(stopping, curve)
    # A gain of exactly 0.5 is none; that of two rows together is one.
    assert (len(history), stopping.best_row, w) == (5, 5, 5.0)
    stopping = EarlyStopping(patience=2, min_delta=1.0)
    history, w, _ = learn(stopping, curve)
    assert (len(history), stopping.best_row, w) == (3, 1, 1.0)


def test_equal_losses_are_no_improvement():
    history, _, _ = learn(EarlyStopping(patience=3), [1.0] * 9)
    assert len(history) == 4


# -- what is watched -------------------------------------------------------------------------


def test_watches_the_test_loss_where_there_is_one():
    history, w, _ = learn(EarlyStopping(patience=1), [4.0, 3.0, 2.0], test_curve=[1.0, 2.0, 0.0])
    assert (len(history), w) == (2, 1.0)


def test_watches_the_column_that_is_named():
    stopping = EarlyStopping(patience=1, monitor="train_loss")
    history, _, _ = learn(stopping, [4.0, 3.0, 2.0], test_curve=[1.0, 2.0, 3.0])
    assert (len(history), stopping.best_value) == (3, 2.0)


def test_unknown_column():
    message = (
        r"`monitor` must be a recorded column, but 'test_acc' is none of \['learn.*'train_loss'\]"
    )
    with pytest.raises(ValueError, match=message):
        learn(EarlyStopping(monitor="test_acc"))


def test_no_default_where_losses_have_other_names():
    with pytest.raises(ValueError, match="`monitor` must .* 'train_loss' is none of .*'train_g'"):
        learn(EarlyStopping(), [{"g": 1.0}])


def test_rows_without_the_column_are_passed_over():
    """Turns before learning begins; turns that do not update the model that is watched."""
    stopping = EarlyStopping(patience=2, monitor="train_a")
    a, b = {"a": 2.0}, {"b": 0.0}
    history, w, _ = learn(stopping, [None, None, a, b, b, b, {"a": 1.0}, b, {"a": 3.0}, a])
    assert (len(history), stopping.best_row, w) == (9, 7, 7.0)


@pytest.mark.parametrize("monitor", [None, "test_loss"])
@pytest.mark.parametrize("at", [1, 7])
def test_ctrl_c_with_an_open_row_is_no_row_to_compare(monitor, at):
    """The open row has no test loss. Its training loss must not pass for one."""
    stopping = EarlyStopping(patience=9, monitor=monitor)
    curve = [0.1] * 4
    interrupting = At("step", at, lambda _: interrupt())
    with pytest.warns(LearningInterruptedWarning):
        history, w, _ = learn(
            stopping, curve, test_curve=[3.0, 2.0], steps=12, callbacks=[interrupting]
        )
    if at == 7:
        assert (stopping.best_row, stopping.best_value, w) == (2, 2.0, 6.0)
        assert len(history) == 3
    else:
        assert w == 1.0
        assert len(history) == 1


# -- other ends ------------------------------------------------------------------------------


def test_best_is_restored_after_ctrl_c():
    with pytest.warns(LearningInterruptedWarning):
        _, w, _ = learn(EarlyStopping(), [3.0, 1.0, 2.0, interrupt, 0.0])
    assert w == 2.0


def test_best_is_restored_after_an_error():
    stopping, recorder = EarlyStopping(), Recorder()
    w = []
    keep = At("end", 0, lambda state: w.append(state.backend.learner.parameters["w"]))
    with pytest.raises(ZeroDivisionError):
        learn(stopping, [3.0, 1.0, lambda: 1 / 0], callbacks=[recorder, keep])
    assert w == [2.0], "the step that failed had changed them"


def test_best_is_restored_after_losses_that_are_not_finite():
    """The loop puts back its own copy, from before the first step; the best one is better."""
    w = []
    keep = At("end", 0, lambda state: w.append(state.backend.learner.parameters["w"]))
    with pytest.raises(NonFiniteLossError, match="before the first step"):
        learn(EarlyStopping(), [3.0, 1.0, math.inf], callbacks=[keep])
    assert w == [2.0]


def test_a_row_after_which_parameters_are_not_finite_is_not_the_best():
    class Breaking(ArrayBackend):
        copy_n = 0

        def snapshot(self):
            self.copy_n += 1
            return None if self.copy_n == 3 else super().snapshot()

    learner = Learner(w=0.0)
    stopping = EarlyStopping(patience=9)

    def step(number):
        learner.parameters["w"] = np.array(float(number))
        return 10.0 - number if number < 4 else 99.0

    LearningLoop(snapshot_every=None).run(
        step, itertools.count(1), rows=5, backend=Breaking(learner), callbacks=[stopping]
    )
    assert (stopping.best_row, learner.parameters["w"]) == (2, 2.0)


def test_stops_without_parameters_to_copy():
    stopping = EarlyStopping(patience=1)
    history = LearningLoop().run(
        lambda number: [2.0, 1.0, 3.0][number],
        range(3),
        rows=3,
        callbacks=[stopping],
        backend=Backend(),
    )
    assert (len(history), stopping.best_row) == (3, 2)


def test_rows_that_are_read_late():
    """Stops at the reading; what is kept are the parameters of a reading."""
    stopping = EarlyStopping(patience=3)
    history, w, backend = learn(
        stopping, [5.0, 4.0, 3.0, 2.0, 9.0, 9.0, 9.0, 9.0, 9.0], read_every=2
    )
    assert (len(history), stopping.best_row, w) == (8, 4, 4.0)
    assert backend.restored_n == 1


def test_it_can_be_used_again():
    stopping = EarlyStopping(patience=3)
    learn(stopping, [0.1, 0.2])
    history, w, _ = learn(stopping)
    assert (len(history), stopping.best_row, stopping.best_value, w) == (7, 4, 2.0, 4.0)


def test_what_is_watched_is_chosen_for_each_learning():
    stopping = EarlyStopping(patience=9)
    learn(stopping, [0.1, 0.2])
    learn(stopping, [0.1, 0.2], test_curve=[4.0, 3.0])
    assert (stopping.best_row, stopping.best_value) == (2, 3.0)


def test_nothing_is_kept_after_the_end():
    stopping = EarlyStopping(patience=3)
    learn(stopping)
    held = [value for value in vars(stopping).values() if isinstance(value, (dict, np.ndarray))]
    assert not held


@pytest.mark.parametrize(
    "kwargs, error, message",
    [
        ({"patience": 0}, ValueError, "`patience` must be at least 1, but got 0"),
        ({"patience": 1.5}, TypeError, "`patience` must be an integer, but got 1.5"),
        ({"min_delta": -1}, ValueError, r"`min_delta` must be a finite number in \[0, inf"),
        ({"min_delta": None}, TypeError, "`min_delta` must be a number, but got None"),
        ({"mode": "maxi"}, ValueError, "`mode` must be one of 'min', 'max', .* mean `max`"),
    ],
)
def test_bad_arguments_are_named(kwargs, error, message):
    with pytest.raises(error, match=message):
        EarlyStopping(**kwargs)
