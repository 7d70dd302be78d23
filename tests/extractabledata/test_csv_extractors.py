"""CSV files as people have them, good and bad."""

from __future__ import annotations

import numpy as np
import pytest

import accelbrainbase as ab

LABELED = "x,label,y\n1,cat,2.5\n3,dog,4\n"


@pytest.fixture
def write(tmp_path):
    def write_(text, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write_


def test_numbers_as_in_the_file(write):
    arr = ab.UnlabeledCSVExtractor().extract(write("a,b\n1,2\n3,4\n"))
    assert arr.dtype == np.int64
    assert arr.tolist() == [[1, 2], [3, 4]]
    arr = ab.UnlabeledCSVExtractor().extract(write("a,b\n1,\n3,4.5\n"))
    assert arr.dtype == np.float64
    np.testing.assert_array_equal(arr, [[1, np.nan], [3, 4.5]])


def test_booleans_are_numbers(write):
    arr = ab.UnlabeledCSVExtractor().extract(write("a,b\nTrue,2\nFalse,4\n"))
    assert arr.tolist() == [[1, 2], [0, 4]]


def test_labels_may_be_in_any_column(write):
    arr, labels = ab.LabeledCSVExtractor().extract(write(LABELED))
    assert arr.tolist() == [[1, 2.5], [3, 4]]
    assert labels.tolist() == ["cat", "dog"]
    arr, labels = ab.LabeledCSVExtractor(label_column="y").extract(write("x,y\n1,7\n2,8\n"))
    assert arr.tolist() == [[1], [2]] and labels.tolist() == [7, 8]


def test_accessors():
    extractor = ab.LabeledCSVExtractor()
    assert extractor.get_label_column() == "label"
    extractor.set_label_column("kind")
    assert extractor.label_column == "kind"
    with pytest.raises(TypeError, match="`label_column` must be a `str`"):
        extractor.label_column = 3
    with pytest.raises(TypeError, match="`label_column` must be a `str`"):
        ab.LabeledCSVExtractor(label_column=None)


def test_a_file_without_header_is_noticed(write, caplog):
    ab.UnlabeledCSVExtractor().extract(write("1,2\n3,4\n"))
    assert "taken as the header, but looks like data: ['1', '2']" in caplog.text


@pytest.mark.parametrize("extractor", [ab.UnlabeledCSVExtractor(), ab.LabeledCSVExtractor()])
def test_bad_files(write, tmp_path, extractor):
    with pytest.raises(FileNotFoundError, match=r"no file '.*none\.csv' \(seen from the directory"):
        extractor.extract(str(tmp_path / "none.csv"))
    with pytest.raises(ValueError, match=r"data\.csv' is empty"):
        extractor.extract(write(""))
    with pytest.raises(ValueError, match=r"data\.csv' has a header but no rows"):
        extractor.extract(write("x,label\n"))
    with pytest.raises(ValueError, match=r"data\.csv' cannot be read.*line 3"):
        extractor.extract(write("x,label\n1,2\n1,2,3\n"))
    with pytest.raises(ValueError, match=r"in UTF-8, but '.*data\.csv' cannot be read"):
        extractor.extract(write(b"x,label\n1,\xff\xfe\n"))
    with pytest.raises(TypeError, match="`path` must be a `str` or `PathLike`"):
        extractor.extract([write("x,label\n1,2\n")])


def test_cells_that_are_no_numbers(write):
    message = r"data\.csv' must hold numbers, but column `b` has 'n/k' in row 1 \(counted from 0"
    with pytest.raises(ValueError, match=message):
        ab.UnlabeledCSVExtractor().extract(write("a,b\n1,2\n3,n/k\n5,x\n"))
    with pytest.raises(ValueError, match="column `x` has 'one' in row 0"):
        ab.LabeledCSVExtractor().extract(write("x,label\none,2\n"))


def test_label_column_that_is_missing(write):
    with pytest.raises(
        ValueError, match="`label_column` must be one of 'x', 'label', 'y'.*`label`"
    ):
        ab.LabeledCSVExtractor(label_column="lable").extract(write(LABELED))
    with pytest.raises(ValueError, match="no column but that of the labels, `label`"):
        ab.LabeledCSVExtractor().extract(write("label\n1\n"))
