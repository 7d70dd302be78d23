"""Rows of CSV files: drawn, normalised, labelled, inferred."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import nd

import accelbrainbase as ab
from accelbrainbase.iteratabledata.labeled_csv_iterator import LabeledCSVIterator as Neutral
from accelbrainbase.iteratabledata.labeled_image_iterator import LabeledImageIterator
from accelbrainbase.noiseable_data import NoiseableData

TRAIN, TEST = np.arange(21.0).reshape(7, 3), 100 + np.arange(15.0).reshape(5, 3)
TRAIN_LABELS, TEST_LABELS = list("babcbca"), list("cabba")


class AddTen(NoiseableData):
    def noise(self, arr):
        return arr + 10


def write(path, arr, labels=None):
    lines = ["x,y,z" + (",label" if labels else "")]
    for n, row in enumerate(arr):
        lines.append(",".join([*map(str, row), *([str(labels[n])] if labels else [])]))
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def unlabeled(tmp_path):
    paths = write(tmp_path / "train.csv", TRAIN), write(tmp_path / "test.csv", TEST)

    def make(**kwargs):
        settings = {"epochs": 4, "batch_size": 3, "norm_mode": None, **kwargs}
        return ab.UnlabeledCSVIterator(ab.UnlabeledCSVExtractor(), *paths, **settings)

    return make


@pytest.fixture
def labeled(tmp_path):
    def make(train_labels=TRAIN_LABELS, test_labels=TEST_LABELS, **kwargs):
        paths = (
            write(tmp_path / "train.csv", TRAIN, train_labels),
            write(tmp_path / "test.csv", TEST, test_labels),
        )
        settings = {"epochs": 4, "batch_size": 3, "norm_mode": None, **kwargs}
        return ab.LabeledCSVIterator(ab.LabeledCSVExtractor(), *paths, **settings)

    return make


def rows_of(batches, part=0):
    return np.concatenate([batch[part].asnumpy() for batch in batches])


@pytest.mark.parametrize(
    ("epochs", "batch_size", "iter_n"), [(4, 7, 4), (4, 3, 9), (2, 2, 7), (2, 10, 2), (1, 1, 7)]
)
def test_number_of_mini_batches(unlabeled, epochs, batch_size, iter_n):
    iterator = unlabeled(epochs=epochs, batch_size=batch_size)
    assert iterator.iter_n == iter_n == len(list(iterator.generate_learned_samples()))
    assert (iterator.epochs, iterator.batch_size, iterator.dataset_size) == (epochs, batch_size, 7)


def test_learned_tuples(unlabeled):
    for x, target, t, test_target in unlabeled().generate_learned_samples():
        assert x is target and t is test_target
        assert isinstance(x, nd.NDArray) and x.dtype == np.float32
        assert x.shape == t.shape == (3, 3)
        assert all(row.tolist() in TRAIN.tolist() for row in x.asnumpy())
        assert all(row.tolist() in TEST.tolist() for row in t.asnumpy())


def test_no_row_comes_twice_in_an_epoch(unlabeled):
    rows = rows_of(unlabeled(epochs=9).generate_learned_samples())[:, 0]
    assert len(rows) == 21 * 3
    epochs = rows.reshape(9, 7)
    assert all(sorted(epoch) == TRAIN[:, 0].tolist() for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 5


def test_test_rows_are_drawn_alike(unlabeled):
    rows = rows_of(unlabeled(epochs=12, batch_size=2).generate_learned_samples(), part=2)[:, 0]
    for begin in range(0, len(rows) - 5, 5):
        assert sorted(rows[begin : begin + 5]) == TEST[:, 0].tolist()


def test_batch_larger_than_the_files(unlabeled):
    for x, _, t, _ in unlabeled(batch_size=50).generate_learned_samples():
        assert x.shape == (7, 3) and t.shape == (5, 3)


def test_order_follows_from_the_seed(unlabeled):
    def rows(iterator):
        return rows_of(iterator.generate_learned_samples()).tolist()

    iterator = unlabeled(seed=5)
    assert rows(iterator) == rows(iterator) == rows(unlabeled(seed=5)) != rows(unlabeled(seed=6))
    iterator = unlabeled()
    ab.seed(1)
    first, second = rows(iterator), rows(iterator)
    ab.seed(1)
    assert rows(unlabeled()) == first != second


@pytest.mark.parametrize("norm_mode", ["z_score", "min_max", None])
def test_learning_and_inference_are_normalised_alike(unlabeled, norm_mode):
    iterator = unlabeled(norm_mode=norm_mode, scale=3.0)
    shift, divisor = {
        "z_score": (TRAIN.mean(), TRAIN.std()), "min_max": (0, 20), None: (0, 1)
    }[norm_mode]  # fmt: skip
    train, test = (3 * (arr - shift) / divisor for arr in (TRAIN, TEST))
    x = rows_of(iterator.generate_learned_samples())[:7]
    np.testing.assert_allclose(sorted(x.tolist()), train, rtol=1e-5, atol=1e-6)
    t = rows_of(iterator.generate_inferenced_samples(), part=2)
    np.testing.assert_allclose(t, test, rtol=1e-5)


def test_changed_settings_hold(unlabeled):
    iterator = unlabeled()
    next(iterator.generate_learned_samples())
    iterator.norm_mode, iterator.scale, iterator.epochs = "min_max", 2.0, 1
    assert rows_of(iterator.generate_learned_samples()).max() == 2
    assert iterator.iter_n == 2


def test_inference_in_order_each_row_once(unlabeled, labeled):
    batches = list(unlabeled().generate_inferenced_samples())
    assert [batch[2].shape[0] for batch in batches] == [3, 2]
    assert all(a is None and b is None and d is None for a, b, _, d in batches)
    np.testing.assert_array_equal(rows_of(batches, part=2), TEST)
    batches = list(labeled().generate_inferenced_samples())
    np.testing.assert_array_equal(rows_of(batches, part=2), TEST)
    columns = rows_of(batches, part=3).argmax(axis=1)
    assert [labeled().label_list[column] for column in columns] == TEST_LABELS


def test_noise_goes_on_the_training_input_alone(unlabeled):
    iterator = unlabeled(noiseable_data=AddTen(), norm_mode="min_max")
    for x, target, t, test_target in iterator.generate_learned_samples():
        np.testing.assert_allclose(x.asnumpy(), target.asnumpy() + 10, rtol=1e-6)
        assert target.asnumpy().max() <= 1
        assert t is test_target
    assert rows_of(iterator.generate_inferenced_samples(), part=2).min() == pytest.approx(5)


def test_labels_are_one_hot_and_belong_to_their_rows(labeled):
    iterator = labeled()
    assert iterator.label_list == ["a", "b", "c"]
    for x, label, t, test_label in iterator.generate_learned_samples():
        assert label.dtype == np.float32 and label.shape == test_label.shape == (3, 3)
        for arr, one_hot, table, labels in (
            (x, label, TRAIN, TRAIN_LABELS), (t, test_label, TEST, TEST_LABELS)
        ):  # fmt: skip
            for row, vector in zip(arr.asnumpy().tolist(), one_hot.asnumpy()):
                wanted = labels[table.tolist().index(row)]
                assert vector.tolist() == [float(wanted == name) for name in "abc"]


@pytest.mark.parametrize(
    ("labels", "label_list"),
    [
        ([7, 3, 5, 3, 7, 5, 3], [3, 5, 7]),
        ([0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5], [0.5, 1.5]),
        ([True, False] * 3 + [True], [False, True]),
    ],
)
def test_any_labels(labeled, labels, label_list):
    iterator = labeled(labels, labels[:5])
    assert iterator.label_list == label_list
    batch = next(iterator.generate_learned_samples())
    assert batch[1].shape == (3, len(label_list)) and (batch[1].asnumpy().sum(axis=1) == 1).all()


def test_text_labels_that_look_like_numbers_in_the_test_file(labeled):
    assert labeled(["1", "2", "x", "1", "2", "x", "1"], [1, 2, 1, 2, 1]).label_list == [
        "1",
        "2",
        "x",
    ]


def test_kinds(unlabeled, labeled):
    assert isinstance(unlabeled(), LabeledImageIterator)
    assert isinstance(labeled(), LabeledImageIterator) and isinstance(labeled(), Neutral)


def test_a_network_learns_labels(labeled):
    ab.seed(0)
    net = ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[8, 3], activation_list=["tanh", "softmax"],
        dropout_rate_list=[0.0, 0.0], optimizer_name="Adam", learning_rate=0.1,
    )  # fmt: skip
    net.learn(labeled(epochs=60, batch_size=7, norm_mode="z_score"))
    assert net.loss_arr.shape == (60, 2)
    assert net.loss_arr[-1, 0] < 0.5 * net.loss_arr[0, 0]


def test_bad_arguments(unlabeled, labeled, tmp_path):
    with pytest.raises(ValueError, match="`norm_mode` must be one of.*Did you mean `z_score`"):
        unlabeled(norm_mode="zscore")
    with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
        unlabeled(batch_size=0)
    with pytest.raises(TypeError, match="`noiseable_data` must be a `NoiseableData` or None"):
        labeled(noiseable_data=1.0)
    with pytest.raises(TypeError, match="takes no keyword `batchsize`. Did you mean `batch_size`"):
        labeled(batchsize=3)
    with pytest.raises(TypeError, match="`ctx` must be a `Context` or None"):
        labeled(ctx="cpu")
    with pytest.raises(TypeError, match="`seed` must be an integer"):
        labeled(seed=1.5)
    with pytest.raises(TypeError, match="`labeled_csv_extractor` must be a `LabeledCSVExtractor`"):
        ab.LabeledCSVIterator(ab.UnlabeledCSVExtractor(), "a", "b")
    with pytest.raises(TypeError, match="`unlabeled_csv_extractor` must be.*not the class"):
        ab.UnlabeledCSVIterator(ab.UnlabeledCSVExtractor, "a", "b")
    with pytest.raises(FileNotFoundError, match=r"no file '.*none\.csv'"):
        ab.UnlabeledCSVIterator(ab.UnlabeledCSVExtractor(), tmp_path / "none.csv", "b")


def test_bad_files(labeled, tmp_path):
    with pytest.raises(
        ValueError, match="`test_csv_path` has the label 'd' in row 1.*'a', 'b', 'c'"
    ):
        labeled(test_labels=list("adabc"))
    with pytest.raises(ValueError, match="`train_csv_path` must hold a label for each row.*row 2"):
        labeled(train_labels=["a", "b", "", "c", "a", "b", "c"])
    train = write(tmp_path / "a.csv", TRAIN)
    narrow = tmp_path / "narrow.csv"
    narrow.write_text("x,y\n1,2\n")
    extractor = ab.UnlabeledCSVExtractor()
    with pytest.raises(ValueError, match="`test_csv_path` must have the 3 columns.*but has 2"):
        ab.UnlabeledCSVIterator(extractor, train, narrow)
    gap = tmp_path / "gap.csv"
    gap.write_text("x,y,z\n1,2,3\n1,,3\n")
    with pytest.raises(ValueError, match="`train_csv_path` must hold finite.*row 1, column 1.*nan"):
        ab.UnlabeledCSVIterator(extractor, gap, train)
