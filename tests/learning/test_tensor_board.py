"""Writing losses for TensorBoard."""

from __future__ import annotations

import struct
import sys

import pytest
from loop_doubles import Learner

from accelbrainbase.learning.backend import Backend
from accelbrainbase.learning.loop import LearningLoop
from accelbrainbase.learning.tensor_board import TensorBoard

NEEDED = (
    "tensorboardX is not installed, so TensorBoard's files are NOT tested: make test installs it"
)


def learn(callback, step=float, rows=3):
    return LearningLoop().run(
        step,
        range(100),
        rows=rows,
        steps=2 * rows,
        evaluate=lambda batch: {"loss": 10.0 * batch, "accuracy": 0.5},
        attenuate_rate=0.5,
        attenuate_every=1,
        backend=Backend(Learner(learning_rate=0.25)),
        callbacks=[callback],
    )


def read_scalars(directory):
    """Scalars of all files of events, by tag: lists of (row, value).

    A file is a list of records: length (8 bytes), its checksum (4), the event, its
    checksum (4).
    """
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2", reason=NEEDED)
    scalars = {}
    for path in sorted(directory.glob("events.out.tfevents.*")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            (size,) = struct.unpack_from("<Q", data, at)
            event = event_pb2.Event.FromString(data[at + 12 : at + 12 + size])
            at += 12 + size + 4
            for value in event.summary.value:
                scalars.setdefault(value.tag, []).append((event.step, value.simple_value))
    return scalars


EXPECTED = {
    "loss/train": [(1, 0.5), (2, 2.5), (3, 4.5)],
    "loss/test": [(1, 10.0), (2, 30.0), (3, 50.0)],
    "accuracy/test": [(1, 0.5), (2, 0.5), (3, 0.5)],
    "learning_rate": [(1, 0.25), (2, 0.125), (3, 0.0625)],
}


def test_writes_every_column_as_a_scalar(tmp_path):
    pytest.importorskip("tensorboardX", reason=NEEDED)
    learn(TensorBoard(tmp_path))
    assert read_scalars(tmp_path) == EXPECTED


def test_files_are_complete_after_an_error(tmp_path):
    pytest.importorskip("tensorboardX", reason=NEEDED)
    callback = TensorBoard(str(tmp_path / "new" / "directory"))
    with pytest.raises(ZeroDivisionError):
        learn(callback, step=lambda number: 1 / (number - 2))
    assert read_scalars(tmp_path / "new" / "directory")["loss/train"] == [(1, -0.75)]
    assert callback._writer is None


def test_can_be_used_again(tmp_path):
    pytest.importorskip("tensorboardX", reason=NEEDED)
    callback = TensorBoard(tmp_path)
    learn(callback, rows=1)
    learn(callback, rows=1)
    assert read_scalars(tmp_path)["loss/train"] == [(1, 0.5), (1, 0.5)]


def test_nothing_is_written_before_the_learning_begins(tmp_path):
    pytest.importorskip("tensorboardX", reason=NEEDED)
    TensorBoard(tmp_path / "later")
    assert not (tmp_path / "later").exists()


def test_without_tensorboard_the_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    message = (
        r"^The callback `TensorBoard` needs `tensorboardX`, which is not installed: "
        r"pip install 'accel-brain-base\[tensorboard\]'$"
    )
    with pytest.raises(ImportError, match=message):
        TensorBoard(tmp_path)
