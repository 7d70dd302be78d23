"""The table of what was recorded."""

from __future__ import annotations

import math

import numpy as np
import pytest

from accelbrainbase.learning.history import History

COLUMNS = ["train_loss", "learning_rate", "test_loss"]


@pytest.fixture
def history():
    """Two rows; the test joins in the second, which ends without a rate."""
    history = History()
    history.append({"train_loss": 0.5, "learning_rate": 0.1})
    history.append({"train_loss": np.float32(0.25), "test_loss": 1})
    return history


def test_columns_are_in_the_order_in_which_they_came_up(history):
    assert history.columns == COLUMNS
    assert len(history) == 2


def test_array_has_nan_where_nothing_was_recorded(history):
    expected = [[0.5, 0.1, math.nan], [0.25, math.nan, 1.0]]
    np.testing.assert_array_equal(history.array(), expected)
    np.testing.assert_array_equal(
        history.array(["test_loss", "nobody", "train_loss"]),
        [[math.nan, math.nan, 0.5], [1.0, math.nan, 0.25]],
    )
    assert history.array().dtype == np.float64
    assert history.array([]).shape == (2, 0)


def test_column(history):
    np.testing.assert_array_equal(history.column("train_loss"), [0.5, 0.25])
    np.testing.assert_array_equal(history.column("test_loss"), [math.nan, 1.0])
    with pytest.raises(KeyError, match="no column 'loss' was recorded; there are .*train_loss"):
        history.column("loss")


def test_rows_are_kept_as_numbers_and_apart(history):
    row = {"train_loss": 1.0}
    history.append(row)
    row["train_loss"] = 2.0
    assert history.row_list[-1] == {"train_loss": 1.0}
    assert all(type(value) is float for row in history.row_list for value in row.values())


def test_frame_counts_from_one(history):
    frame = history.to_frame()
    assert list(frame.columns) == COLUMNS
    assert list(frame.index) == [1, 2]
    assert frame.index.name == "epoch"
    assert frame.loc[2, "train_loss"] == 0.25
    assert np.isnan(frame.loc[1, "test_loss"])


def test_plot_draws_all_but_the_rate(history):
    ax = history.plot()
    assert [line.get_label() for line in ax.lines] == ["train_loss", "test_loss"]
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [1, 2])
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [0.5, 0.25])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [math.nan, 1.0])
    assert ax.get_xlabel() == "epoch"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train_loss", "test_loss"]
    assert all(float(tick).is_integer() for tick in ax.get_xticks())
    ax.figure.canvas.draw()


def test_plot_draws_what_is_asked_for_on_the_axes_given(history):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert history.plot(["learning_rate"], ax=ax) is ax
    assert [line.get_label() for line in ax.lines] == ["learning_rate"]
    with pytest.raises(KeyError, match="no column 'lerning_rate' was recorded"):
        history.plot(["lerning_rate"], ax=ax)


def test_plot_marks_rows_where_there_are_few():
    short, long = History(), History()
    for number in range(21):
        long.append({"train_loss": number})
    short.append({"train_loss": 1.0})  # one row: a curve without markers would be invisible
    assert short.plot().lines[0].get_marker() == "."
    assert long.plot().lines[0].get_marker() != "."


@pytest.mark.parametrize("method", ["array", "plot"])
def test_one_name_is_no_list_of_names(history, method):
    with pytest.raises(TypeError, match=r"`columns` must be a list of .*: `\['train_loss'\]`"):
        getattr(history, method)("train_loss")


def test_empty_history():
    history = History("turn")
    assert len(history) == 0 and history.columns == []
    assert history.array().shape == (0, 0)
    assert history.array(["train_loss", "test_loss"]).shape == (0, 2)
    assert history.to_frame().shape == (0, 0)
    assert not history.plot().lines
    assert repr(history) == "<History: no turn yet>"
    assert "<table" in history._repr_html_()


def test_repr_tells_the_last_row(history):
    assert repr(history) == "<History of 2 epochs; the last: train_loss=0.25, test_loss=1>"
    history.interrupted = True
    assert repr(history).startswith("<History of 2 epochs, interrupted; the last: ")


def test_jupyter_shows_a_table_that_stays_short(history):
    html = history._repr_html_()
    assert "<table" in html and "train_loss" in html and "0.25" in html
    for _ in range(1000):
        history.append({"train_loss": 0.0})
    assert history._repr_html_().count("<tr") < 20
