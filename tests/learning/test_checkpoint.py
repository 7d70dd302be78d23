"""Checkpoints: what is written comes back, and nothing else is accepted."""

from __future__ import annotations

import ast
import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from accelbrainbase.errors import CheckpointError, LearningInterruptedWarning
from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.checkpoint import Checkpoint
from accelbrainbase.learning.checkpoint_file import read_checkpoint, write_checkpoint
from accelbrainbase.learning.early_stopping import EarlyStopping
from accelbrainbase.learning.loop import LearningLoop
from accelbrainbase.learning.randomness import OwnRandomness

MUTATIONS = 1500
ARRAYS = {
    "a.float": np.linspace(0, 1, 24, dtype=np.float32).reshape(2, 3, 4),
    "b.int": np.arange(5),
    "c.number": np.array(3.5),
    "d.none": np.empty((0, 2), dtype=np.float32),
}
STATE = {"row": 3, "losses": [0.1, 1 / 3, float("nan")], "text": "ä", "none": None}


# -- the file ---------------------------------------------------------------------------


def test_round_trip_is_exact(tmp_path):
    write_checkpoint(tmp_path / "c", ARRAYS, STATE)
    arrays, state = read_checkpoint(tmp_path / "c")
    assert set(arrays) == set(ARRAYS)
    for name, arr in ARRAYS.items():
        assert arrays[name].dtype == arr.dtype and arrays[name].shape == arr.shape
        np.testing.assert_array_equal(arrays[name], arr)
    assert json.dumps(state) == json.dumps(STATE)


def test_arrays_that_are_not_contiguous(tmp_path):
    arr = np.arange(12.0).reshape(3, 4).T[::2]
    write_checkpoint(tmp_path / "c", {"a": arr}, {})
    np.testing.assert_array_equal(read_checkpoint(tmp_path / "c")[0]["a"], arr)


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Truncate, change, insert or remove bytes at a random place."""
    place, kind = draw.randrange(len(data)), draw.randrange(5)
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + bytes([data[place] ^ (1 << draw.randrange(8))]) + data[place + 1 :]
    if kind == 2:
        return data[:place] + draw.randbytes(draw.randint(1, 8)) + data[place:]
    if kind == 3:
        return data[:place] + data[place + draw.randint(1, 8) :]
    return draw.randbytes(8) + data[8:]


def test_mutated_files_are_never_loaded(tmp_path):
    path = tmp_path / "c"
    write_checkpoint(path, ARRAYS, STATE)
    data, draw, tried = path.read_bytes(), random.Random(0), 0
    while tried < MUTATIONS:
        other = mutated(data, draw)
        if other == data:
            continue
        path.write_bytes(other)
        with pytest.raises(CheckpointError, match=str(path)):
            read_checkpoint(path)
        tried += 1


@pytest.mark.parametrize(
    "data",
    [b"", b"\x89PNG\r\n\x1a\n" + bytes(100), b"\xff" * 64, b"\x02" + bytes(7) + b"{}", bytes(1000)],
)
def test_foreign_files(tmp_path, data):
    (tmp_path / "c").write_bytes(data)
    with pytest.raises(CheckpointError, match="not a checkpoint|truncated"):
        read_checkpoint(tmp_path / "c")


def test_safetensors_of_others(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.ones(3)}, tmp_path / "c", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="not a checkpoint of this library"):
        read_checkpoint(tmp_path / "c")


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_checkpoint(tmp_path / "c")


def test_file_executes_nothing(tmp_path):
    write_checkpoint(tmp_path / "c", ARRAYS, STATE)
    assert b"pickle" not in (tmp_path / "c").read_bytes()
    code = """
import pickle, sys
pickle.loads = pickle.load = pickle.Unpickler = None
from accelbrainbase.learning.checkpoint_file import read_checkpoint
print(len(read_checkpoint(sys.argv[1])[0]))
"""
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "c")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.strip() == "4"


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_write_error_keeps_the_old_file(tmp_path, monkeypatch, failing):
    path = tmp_path / "c"
    write_checkpoint(path, {"a": np.ones(3)}, {"row": 1})

    def fail(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, fail)
        with pytest.raises(OSError, match="No space left") as caught:
            write_checkpoint(path, {"a": np.zeros(3)}, {"row": 2})
    assert caught.value.filename == str(path)
    assert read_checkpoint(path)[1] == {"row": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_permissions_are_those_of_other_files(tmp_path):
    (tmp_path / "plain").touch()
    write_checkpoint(tmp_path / "c", {"a": np.ones(3)}, {})
    modes = {(tmp_path / name).stat().st_mode for name in ("plain", "c")}
    assert len(modes) == 1


def test_disk_that_is_full_keeps_the_old_file(tmp_path):
    """A limit on the size of files makes the kernel itself refuse the write."""
    path = tmp_path / "c"
    write_checkpoint(path, {"a": np.ones(3)}, {"row": 1})
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_checkpoint(path, {"a": np.zeros(100_000)}, {"row": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    assert read_checkpoint(path)[1] == {"row": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


# -- the callback, on a learner in NumPy ------------------------------------------------


class Walk:
    """Takes random steps; its batches and its steps both draw from NumPy's global state."""

    def __init__(self):
        self.value = np.zeros(3)
        self.learning_rate = 1.0

    def step(self, batch):
        self.value = self.value + self.learning_rate * np.random.normal(size=3) * batch
        return float(np.abs(self.value).sum())

    def batches(self):
        order = np.random.permutation(1000)  # kept inside the generator
        for n in range(1000):
            yield order[n] / 1000 + np.random.uniform()

    def evaluate(self, _batch):
        return float(np.square(self.value).sum())


class WalkBackend(Backend):
    def snapshot(self):
        return self.learner.value.copy()

    def restore(self, snapshot):
        self.learner.value = snapshot.copy()

    def export_snapshot(self, snapshot):
        return {"value": snapshot}

    def import_snapshot(self, arrays):
        return arrays["value"]

    def capture(self):
        arrays, values = super().capture()
        return {**arrays, "value": self.learner.value}, values

    def resume(self, arrays, values):
        super().resume(arrays, values)
        self.learner.value = arrays["value"]


class Killed(BaseException):
    pass


class Kill(Callback):
    def __init__(self, step):
        self.step = step

    def on_step_end(self, state):
        if state.step == self.step:
            raise Killed


def walk(callbacks, *, rows=10, steps=37, seed=0):
    np.random.seed(seed)
    learner = Walk()
    history = LearningLoop().run(
        learner.step, learner.batches(), rows=rows, steps=steps, evaluate=learner.evaluate,
        attenuate_rate=0.5, attenuate_every=3, callbacks=callbacks, backend=WalkBackend(learner),
    )  # fmt: skip
    return learner.value, history.array()


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("killed_at", [[1], [5], [12], [36], [37], [8, 20, 30]])
def test_resumed_learning_equals_an_uninterrupted_one(tmp_path, every, killed_at):
    value, table = walk([Checkpoint(tmp_path / "whole", every=every)])
    assert np.isfinite(table).all() and len(table) == 10
    path = tmp_path / "parts"
    for step in killed_at:
        with pytest.raises(Killed):
            walk([Checkpoint(path, every=every), Kill(step)])
        np.random.uniform(size=5)
    resumed, resumed_table = walk([Checkpoint(path, every=every)])
    np.testing.assert_array_equal(resumed, value)
    np.testing.assert_array_equal(resumed_table, table)


def test_the_seed_of_the_learning_decides(tmp_path):
    first = walk([Checkpoint(tmp_path / "a", seed=5)], seed=1)[0]
    second = walk([Checkpoint(tmp_path / "b", seed=5)], seed=2)[0]
    third = walk([Checkpoint(tmp_path / "c", seed=6)], seed=1)[0]
    np.testing.assert_array_equal(first, second)
    assert (first != third).all()


def test_early_stopping_goes_on_watching(tmp_path):
    def callbacks(name):
        return [Checkpoint(tmp_path / name), EarlyStopping(2, mode="min", min_delta=0.0)]

    value, table = walk(callbacks("whole"))
    assert 3 <= len(table) < 10, "the test needs a learning that stops early"
    steps = -(-len(table) * 37 // 10)
    for killed_at in range(5, steps + 1, 3):
        with pytest.raises(Killed):
            walk([*callbacks(f"part{killed_at}"), Kill(killed_at)])
        resumed, resumed_table = walk(callbacks(f"part{killed_at}"))
        np.testing.assert_array_equal(resumed, value)
        np.testing.assert_array_equal(resumed_table, table)
    again, again_table = walk(callbacks("whole"))  # it had come to its end
    np.testing.assert_array_equal(again, value)
    np.testing.assert_array_equal(again_table, table)


def test_complete_learning_is_not_repeated(tmp_path):
    value, table = walk([Checkpoint(tmp_path / "c")])
    counted = []

    class Count(Callback):
        def on_step_end(self, state):
            counted.append(state.step)

    again, again_table = walk([Checkpoint(tmp_path / "c"), Count()])
    assert not counted
    np.testing.assert_array_equal(again, value)
    np.testing.assert_array_equal(again_table, table)


def test_resume_false_starts_afresh(tmp_path):
    value, _ = walk([Checkpoint(tmp_path / "c", seed=1)])
    fresh, _ = walk([Checkpoint(tmp_path / "c", seed=2, resume=False)])
    assert (fresh != value).all()
    assert read_checkpoint(tmp_path / "c")[1]["seed"] == 2


def test_more_epochs_go_on(tmp_path):
    walk([Checkpoint(tmp_path / "c")], rows=5, steps=20)
    more, table = walk([Checkpoint(tmp_path / "c")], rows=10, steps=40)
    whole, whole_table = walk([Checkpoint(tmp_path / "d")], rows=10, steps=40)
    np.testing.assert_array_equal(more, whole)
    np.testing.assert_array_equal(table, whole_table)


@pytest.mark.parametrize(("rows", "steps"), [(10, 38), (3, 12), (20, 37)])
def test_another_plan_is_refused(tmp_path, rows, steps):
    walk([Checkpoint(tmp_path / "c")])
    with pytest.raises(CheckpointError, match="row 10 of 10, step 37 of 37"):
        walk([Checkpoint(tmp_path / "c")], rows=rows, steps=steps)


def test_corrupt_checkpoint_is_refused_before_anything_changes(tmp_path):
    walk([Checkpoint(tmp_path / "c")])
    data = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(data[:-3])
    with pytest.raises(CheckpointError, match="corrupt|truncated"):
        walk([Checkpoint(tmp_path / "c")])
    assert (tmp_path / "c").read_bytes() == data[:-3]


def test_interrupted_row_is_not_a_place_to_go_on_from(tmp_path):
    class Interrupt(Callback):
        def on_step_end(self, state):
            if state.step == 6:
                raise KeyboardInterrupt

    with pytest.warns(LearningInterruptedWarning):
        walk([Checkpoint(tmp_path / "c"), Interrupt()])
    assert read_checkpoint(tmp_path / "c")[1]["step"] == 4
    value, table = walk([Checkpoint(tmp_path / "c")])
    whole, whole_table = walk([Checkpoint(tmp_path / "d")])
    np.testing.assert_array_equal(value, whole)
    np.testing.assert_array_equal(table, whole_table)


def test_turns_read_several_at_a_time(tmp_path):
    def turns(callbacks):
        np.random.seed(0)
        learner = Walk()
        history = LearningLoop().run(
            lambda _: learner.step(1.0), iter(range(100)), rows=50, read_every=7,
            callbacks=callbacks, backend=WalkBackend(learner),
        )  # fmt: skip
        return learner.value, history.array()

    value, table = turns([Checkpoint(tmp_path / "whole", every=10)])
    with pytest.raises(Killed):
        turns([Checkpoint(tmp_path / "part", every=10), Kill(33)])
    assert read_checkpoint(tmp_path / "part")[1]["row"] == 28
    resumed, resumed_table = turns([Checkpoint(tmp_path / "part", every=10)])
    np.testing.assert_array_equal(resumed, value)
    np.testing.assert_array_equal(resumed_table, table)


def test_bad_arguments(tmp_path):
    with pytest.raises(FileNotFoundError, match="`path` must be in a directory that exists"):
        Checkpoint(tmp_path / "none" / "c")
    with pytest.raises(ValueError, match="`every` must be at least 1"):
        Checkpoint(tmp_path / "c", every=0)
    with pytest.raises(TypeError, match="`path` must be a `str` or `PathLike`"):
        Checkpoint(3)


def test_own_randomness_is_apart_from_that_outside():
    def items():
        for _ in range(3):
            yield np.random.uniform(), random.random()

    np.random.seed(1)
    random.seed(1)
    inside, outside = [], []
    for item in OwnRandomness(items(), 9):
        inside.append(item)
        outside.append((np.random.uniform(), random.random()))
    np.random.seed(1)
    random.seed(1)
    assert outside == [(np.random.uniform(), random.random()) for _ in range(3)]
    np.random.uniform(size=3)
    assert list(OwnRandomness(items(), 9)) == inside


def test_killed_processes_end_with_the_same_bits():
    """The short form; `python tests/kill_and_resume.py --kills 500` is the long one."""
    script = Path(__file__).parents[1] / "kill_and_resume.py"
    out = subprocess.run(
        [sys.executable, str(script), "--kills", "50"], capture_output=True, text=True, check=False
    )
    assert out.returncode == 0, out.stderr[-2000:]
    counted = ast.literal_eval(out.stdout.split("}")[0] + "}")
    assert counted["kills"] >= 50 and counted["resumed"] > 10
