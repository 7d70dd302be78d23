"""The backend for learners written in NumPy or plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from loop_doubles import Learner

from accelbrainbase.learning.backend import Backend


def test_read_gives_an_array_of_rank_one_for_each_loss():
    losses = [1, 2.5, np.float32(0.5), np.ones((2, 3), np.float32), [1.0, 2.0], np.array(3)]
    read = Backend().read(losses)
    expected = [[1.0], [2.5], [0.5], [1.0] * 6, [1.0, 2.0], [3.0]]
    assert [arr.tolist() for arr in read] == expected
    assert all(arr.dtype == np.float64 and arr.ndim == 1 for arr in read)


def test_rate_is_that_of_the_learner():
    learner = Learner(learning_rate=0.1)
    backend = Backend(learner)
    assert backend.learning_rate == 0.1
    backend.scale_learning_rate(0.5)
    assert learner.learning_rate == backend.learning_rate == 0.05
    learner.learning_rate = np.float32(0.5)
    assert type(backend.learning_rate) is float


@pytest.mark.parametrize("learner", [None, object()])
def test_no_rate(learner):
    backend = Backend(learner)
    assert backend.learning_rate is None
    backend.scale_learning_rate(0.5)
    assert backend.learning_rate is None


def test_hooks_that_have_nothing_to_do():
    backend = Backend(Learner())
    backend.wait(1.0)
    assert backend.snapshot() is None
    backend.restore(None)
