"""Windows of CSV files and texts: shapes, order, normalisation, tokens."""

from __future__ import annotations

import subprocess
import sys

import mxnet as mx
import numpy as np
import pytest

import accelbrainbase as ab
from accelbrainbase.iteratabledata.labeled_image_iterator import LabeledImageIterator
from accelbrainbase.iteratabledata.unlabeled_image_iterator import UnlabeledImageIterator
from accelbrainbase.noiseable_data import NoiseableData

TRAIN, TEST = np.arange(40.0).reshape(20, 2), 100 + np.arange(16.0).reshape(8, 2)


class AddTen(NoiseableData):
    def noise(self, arr):
        return arr + 10


def write(path, arr):
    rows = [",".join(f"c{n}" for n in range(arr.shape[1]))]
    path.write_text("\n".join(rows + [",".join(map(str, row)) for row in arr]) + "\n")
    return str(path)


@pytest.fixture
def series(tmp_path):
    paths = write(tmp_path / "train.csv", TRAIN), write(tmp_path / "test.csv", TEST)

    def make(**kwargs):
        settings = {"epochs": 3, "batch_size": 4, "seq_len": 5, "norm_mode": None, **kwargs}
        extractor = ab.UnlabeledCSVExtractor()
        return ab.UnlabeledSequentialCSVIterator(extractor, *paths, **settings)

    return make


@pytest.fixture
def tokens(tmp_path):
    one, two, test = (tmp_path / f"{name}.csv" for name in ("one", "two", "test"))
    write(one, np.array([[3, 4], [5, 3], [4, 4], [7, 3]]))
    write(two, np.array([[6, 6], [3, 3], [4, 5]]))
    write(test, np.array([[2, 4], [5, 5], [3, 4]]))

    def make(**kwargs):
        settings = {"epochs": 3, "batch_size": 2, "seq_len": 2, "norm_mode": None, **kwargs}
        extractor = ab.UnlabeledCSVExtractor()
        return ab.UnlabeledTHotCSVIterator(extractor, [one, two], [test], **settings)

    return make


TEXT, TEST_TEXT = "abcdefghij\nklmnopqrst\n", "abba kadabra?"


@pytest.fixture
def texts(tmp_path):
    (tmp_path / "train.txt").write_text(TEXT)
    (tmp_path / "test.txt").write_text(TEST_TEXT)

    def make(**kwargs):
        settings = {"epochs": 2, "batch_size": 3, "seq_len": 4, "norm_mode": None, **kwargs}
        paths = [tmp_path / "train.txt"], [tmp_path / "test.txt"]
        return ab.UnlabeledTHotTXTIterator(*paths, **settings)

    return make


def decoded(iterator, arr):
    numbers = arr.asnumpy()[:, 0].argmax(axis=-1)
    return ["".join(iterator.token_arr[row]) for row in numbers]


def test_windows_of_neighbouring_rows(series):
    iterator = series()
    batches = list(iterator.generate_learned_samples())
    assert len(batches) == iterator.iter_n == 15  # 3 epochs of 20 rows, by 4
    assert isinstance(iterator, LabeledImageIterator) and iterator.seq_len == 5
    for observed, target, test, test_target in batches:
        assert observed.shape == target.shape == (4, 5, 2)
        assert test.shape == test_target.shape == (4, 5, 2)
        for window in observed.asnumpy():
            np.testing.assert_array_equal(window, window[0, 0] + np.arange(10).reshape(5, 2))
        assert test.asnumpy().min() >= 100


def test_an_epoch_has_each_window_once(series):
    iterator = series(batch_size=2)
    batches = [
        batch[0].asnumpy() for batch, _ in zip(iterator.generate_learned_samples(), range(8))
    ]
    starts = sorted(int(window[0, 0]) for batch in batches for window in batch)
    assert starts == list(range(0, 32, 2))


def test_the_seed_fixes_the_order(series):
    def drawn(iterator):
        return np.stack([batch[0].asnumpy() for batch in iterator.generate_learned_samples()])

    one, two, other = series(seed=1), series(seed=1), series(seed=2)
    np.testing.assert_array_equal(drawn(one), drawn(two))
    np.testing.assert_array_equal(drawn(one), drawn(one))
    assert (drawn(one) != drawn(other)).any()
    free = series()
    assert (drawn(free) != drawn(free)).any()


def test_inference_has_all_windows_in_order(series):
    batches = list(series(batch_size=3).generate_inferenced_samples())
    assert [batch[2].shape for batch in batches] == [(3, 5, 2), (1, 5, 2)]
    whole = np.concatenate([batch[2].asnumpy() for batch in batches])
    np.testing.assert_array_equal(whole, np.stack([TEST[n : n + 5] for n in range(4)]))
    assert all(batch[0] is batch[1] is batch[3] is None for batch in batches)


@pytest.mark.parametrize("norm_mode", ["z_score", "min_max"])
def test_the_training_file_normalises_everything(series, norm_mode):
    shift, divisor = (TRAIN.mean(), TRAIN.std()) if norm_mode == "z_score" else (0, 39)
    iterator = series(norm_mode=norm_mode, scale=2.0)
    (_, _, windows, _), *_ = iterator.generate_inferenced_samples()
    want = 2 * (np.stack([TEST[n : n + 5] for n in range(4)]) - shift) / divisor
    np.testing.assert_allclose(windows.asnumpy(), want, rtol=1e-5)


def test_noise_is_in_what_is_observed_only(series):
    observed, target, test, test_target = next(
        series(noiseable_data=AddTen()).generate_learned_samples()
    )
    np.testing.assert_array_equal(observed.asnumpy(), target.asnumpy() + 10)
    np.testing.assert_array_equal(test.asnumpy(), test_target.asnumpy())


def test_an_encoder_decoder_learns_from_windows(series):
    parts = [
        ab.LSTMNetworks(
            None, None, ab.L2NormLoss(), hidden_n=8, output_n=2, dropout_rate=0.0,
            output_activation="identity", output_layer_flag=flag,
        )
        for flag in (False, True)
    ]  # fmt: skip
    model = ab.EncoderDecoder(*parts, ab.L2NormLoss(), optimizer_name="Adam", learning_rate=1e-2)
    model.learn(series(norm_mode="z_score", epochs=20))
    assert model.loss_arr.shape == (20, 2) and model.loss_arr[-1, 0] < model.loss_arr[0, 0]


def test_a_window_longer_than_the_file_is_named(series):
    with pytest.raises(ValueError, match="`seq_len` must be at most 8, the length of '.*test.csv'"):
        series(seq_len=9)


def test_other_columns_are_named(tmp_path):
    paths = write(tmp_path / "a.csv", TRAIN), write(tmp_path / "b.csv", TRAIN[:, :1])
    with pytest.raises(ValueError, match="must have the 2 columns"):
        ab.UnlabeledSequentialCSVIterator(ab.UnlabeledCSVExtractor(), *paths)
    with pytest.raises(TypeError, match="`unlabeled_csv_extractor` must be a"):
        ab.UnlabeledSequentialCSVIterator("csv", *paths)


# -- tokens in CSV files ---------------------------------------------------------------


def test_tokens_are_one_hot_over_the_numbers_of_all_files(tokens):
    iterator = tokens()
    np.testing.assert_array_equal(iterator.token_arr, [2, 3, 4, 5, 6, 7])
    for observed, target, test, _ in iterator.generate_learned_samples():
        assert observed.shape == (2, 2, 2, 6) and test.shape == (2, 2, 2, 6)
        np.testing.assert_array_equal(observed.asnumpy().sum(axis=3), 1)
        np.testing.assert_array_equal(target.asnumpy(), observed.asnumpy())


def test_no_window_reaches_into_another_file(tokens):
    windows = set()
    for observed, *_ in tokens(epochs=20).generate_learned_samples():
        numbers = observed.asnumpy().argmax(axis=3) + 2
        windows |= {tuple(map(tuple, window)) for window in numbers}
    one = [(3, 4), (5, 3), (4, 4), (7, 3)]
    two = [(6, 6), (3, 3), (4, 5)]
    assert windows == {*zip(one, one[1:]), *zip(two, two[1:])}


def test_tokens_at_inference(tokens):
    batches = [batch[2].asnumpy() for batch in tokens().generate_inferenced_samples()]
    numbers = np.concatenate(batches).argmax(axis=3) + 2
    np.testing.assert_array_equal(numbers, [[[2, 4], [5, 5]], [[5, 5], [3, 4]]])


@pytest.mark.parametrize("norm_mode", ["z_score", "min_max", None])
def test_observed_tokens_are_normalised_and_targets_are_not(tokens, norm_mode):
    observed, target, _, test_target = next(
        tokens(norm_mode=norm_mode, scale=3.0).generate_learned_samples()
    )
    assert set(np.unique(target.asnumpy())) == set(np.unique(test_target.asnumpy())) == {0, 1}
    eye = np.eye(6)
    shift, divisor = (eye.mean(), eye.std()) if norm_mode == "z_score" else (0, 1)
    np.testing.assert_allclose(
        observed.asnumpy(), 3 * (target.asnumpy() - shift) / divisor, rtol=1e-5
    )


def test_bad_token_files_are_named(tokens, tmp_path):
    extractor = ab.UnlabeledCSVExtractor()
    good = write(tmp_path / "good.csv", np.ones((5, 2), dtype=int))
    broken = write(tmp_path / "broken.csv", np.full((5, 2), 1.5))
    wide = write(tmp_path / "wide.csv", np.ones((5, 3), dtype=int))
    with pytest.raises(ValueError, match="broken.csv' must hold whole numbers.* 1.5"):
        ab.UnlabeledTHotCSVIterator(extractor, [broken], [good], seq_len=2)
    with pytest.raises(ValueError, match="`test_csv_path_list` must name files with the 2 columns"):
        ab.UnlabeledTHotCSVIterator(extractor, [good], [wide], seq_len=2)
    with pytest.raises(TypeError, match="`train_csv_path_list` must be a list of paths"):
        ab.UnlabeledTHotCSVIterator(extractor, good, [good])
    with pytest.raises(ValueError, match="`test_csv_path_list` must have at least one"):
        ab.UnlabeledTHotCSVIterator(extractor, [good], [])


# -- texts -----------------------------------------------------------------------------


def test_windows_of_characters(texts):
    iterator = texts()
    assert isinstance(iterator, UnlabeledImageIterator)
    assert iterator.token_list == sorted(set(TEXT + TEST_TEXT))
    assert iterator.iter_n == int(2 * len(TEXT) / 3)
    for observed, target, test, _ in iterator.generate_learned_samples():
        assert observed.shape == target.shape == (3, 1, 4, len(iterator.token_list))
        assert all(window in TEXT for window in decoded(iterator, observed))
        assert all(window in TEST_TEXT for window in decoded(iterator, test))


def test_text_at_inference(texts):
    iterator = texts(batch_size=4)
    windows = [
        window
        for batch in iterator.generate_inferenced_samples()
        for window in decoded(iterator, batch[2])
    ]
    assert windows == [TEST_TEXT[n : n + 4] for n in range(len(TEST_TEXT) - 3)]


def test_without_test_files_the_training_files_serve(tmp_path):
    (tmp_path / "a.txt").write_text("abcabc")
    iterator = ab.UnlabeledTHotTXTIterator([tmp_path / "a.txt"], seq_len=3, dataset_size=40)
    assert iterator.iter_n == 300 * 40 / 20
    _, _, test, _ = next(iterator.generate_learned_samples())
    assert test.shape == (4, 1, 3, 3)


def test_rows_continue_the_text_before(texts):
    iterator = texts()
    iterator.pre_txt_arr = np.array(["abcd", "k", "rst"])
    for (observed, *_), _ in zip(iterator.generate_learned_samples(), range(4)):
        first, second, third = decoded(iterator, observed)
        assert (first, second) == ("efgh", "lmno")
        assert third in TEXT  # behind "rst" no window fits: drawn at random
    iterator.pre_txt_arr = ["abcd", "k", "xyz"]
    with pytest.raises(ValueError, match="'xyz', which stands in no training file"):
        next(iterator.generate_learned_samples())
    iterator.pre_txt_arr = ["abcd"]
    with pytest.raises(ValueError, match="a text for each of the 3 rows"):
        next(iterator.generate_learned_samples())
    with pytest.raises(TypeError, match="`pre_txt_arr` must be a `str`"):
        iterator.pre_txt_arr = [1, 2, 3]


def test_the_tokens_of_a_saved_model_can_be_set(texts):
    iterator = texts()
    tokens = iterator.token_list[::-1] + ["X"]
    iterator.token_list = tokens
    np.testing.assert_array_equal(iterator.token_arr, tokens)
    observed, *_ = next(iterator.generate_learned_samples())
    assert observed.shape[3] == len(tokens)
    assert all(window in TEXT for window in decoded(iterator, observed))
    with pytest.raises(ValueError, match="`token_list` must have all characters .* no 'c'"):
        iterator.token_list = ["a", "b"]
    assert iterator.token_list == tokens
    with pytest.raises(ValueError, match="each character once"):
        iterator.token_list = ["a", "a"]
    with pytest.raises(TypeError, match="read-only"):
        iterator.token_arr = None


def test_the_order_of_tokens_is_the_same_in_another_process(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT)
    code = (
        "import accelbrainbase as ab, mxnet as mx, sys\n"
        "print(ab.UnlabeledTHotTXTIterator([sys.argv[1]], seq_len=2).token_list)"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "a.txt")],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(texts) == 1


def test_no_text_is_named(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="a.bin' must be a text in UTF-8"):
        ab.UnlabeledTHotTXTIterator([tmp_path / "a.bin"])
    with pytest.raises(FileNotFoundError):
        ab.UnlabeledTHotTXTIterator([tmp_path / "missing.txt"])
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(ValueError, match="`seq_len` must be at most 0, the .*empty.txt'"):
        ab.UnlabeledTHotTXTIterator([tmp_path / "empty.txt"])


def test_context(series):
    observed, *_ = next(series(ctx=mx.cpu(1)).generate_learned_samples())
    assert observed.context == mx.cpu(1)
