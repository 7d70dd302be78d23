"""Mini-batches of arrays and tables: order, split, labels, normalisation, messages.

All tests run for NumPy, for data that are kept on MXNet's device, and for data that are too large
for it.
"""

from __future__ import annotations

import math

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from mxnet import nd

import accelbrainbase as ab
from accelbrainbase.iteratabledata.array_iterator import ArrayIterator as NumPyIterator
from accelbrainbase.noiseable_data import NoiseableData

N = 23
DATA = np.arange(N * 2.0).reshape(N, 2)  # row i is (2i, 2i + 1)
TABLE = pd.DataFrame(DATA, columns=["a", "b"], index=range(100, 100 + N))


class Streaming(ab.ArrayIterator):
    device_budget = 0


KINDS = [NumPyIterator, ab.ArrayIterator, Streaming]


@pytest.fixture(params=KINDS, ids=["numpy", "resident", "streaming"])
def kind(request):
    return request.param


class AddTen(NoiseableData):
    def noise(self, arr):
        return arr + 10


def values(arr):
    return arr.asnumpy() if isinstance(arr, nd.NDArray) else arr


def learned(iterator, part=0):
    """The row numbers of each mini-batch."""
    return [
        (values(b[part])[:, 0] / 2).astype(int).tolist()
        for b in iterator.generate_learned_samples()
    ]


def flat(batches):
    return [row for batch in batches for row in batch]


# -- mini-batches ----------------------------------------------------------------------


def test_kind_of_arrays(kind):
    iterator = kind(DATA, DATA[:, 0], test_fraction=0.2, batch_size=5)
    for batch in (
        next(iterator.generate_learned_samples()), next(iterator.generate_inferenced_samples())[2:]
    ):  # fmt: skip
        for arr in batch:
            assert isinstance(arr, np.ndarray if kind is NumPyIterator else nd.NDArray)
            assert arr.dtype == np.float32
            assert kind is NumPyIterator or arr.context == mx.cpu()


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("batch_size", [1, 5, 22, 23])
def test_an_epoch_goes_through_the_data_once(kind, batch_size, drop_last):
    iterator = kind(DATA, epochs=4, batch_size=batch_size, drop_last=drop_last)
    batches = learned(iterator)
    per_epoch = (math.floor if drop_last else math.ceil)(N / batch_size)
    assert len(batches) == iterator.iter_n == 4 * per_epoch
    for epoch in range(4):
        rows = flat(batches[epoch * per_epoch : (epoch + 1) * per_epoch])
        assert len(set(rows)) == len(rows) == (N - N % batch_size if drop_last else N)
    sizes = [len(batch) for batch in batches[:per_epoch]]
    assert sizes[:-1] == [batch_size] * (per_epoch - 1)
    assert sizes[-1] == (batch_size if drop_last else N % batch_size or batch_size)


def test_a_batch_larger_than_the_data_is_all_of_them(kind):
    iterator = kind(DATA, epochs=3, batch_size=1000)
    assert iterator.iter_n == 3
    assert [sorted(batch) for batch in learned(iterator)] == [list(range(N))] * 3


def test_without_shuffling_the_order_stays(kind):
    iterator = kind(DATA, epochs=2, batch_size=10, shuffle=False)
    assert flat(learned(iterator)) == [*range(N), *range(N)]


def test_targets_belong_to_their_rows(kind):
    iterator = kind(DATA, DATA[:, 0] * 3, batch_size=5, epochs=2)
    for x, target, *_ in iterator.generate_learned_samples():
        assert target.shape == (x.shape[0],)
        np.testing.assert_array_equal(values(target), values(x)[:, 0] * 3)


def test_without_target_it_is_the_data_point(kind):
    for x, target, t, test_target in kind(
        DATA, test_fraction=0.3, batch_size=5, epochs=1
    ).generate_learned_samples():
        assert x is target and t is test_target


def test_the_order_is_that_of_all_kinds_and_a_function_of_seed_and_epoch():
    batches = [learned(kind(DATA, epochs=3, batch_size=N, seed=4)) for kind in KINDS]
    assert batches[0] == batches[1] == batches[2]
    for epoch, rows in enumerate(batches[0]):
        assert rows == np.random.default_rng([4, epoch]).permutation(N).tolist()


def test_seed(kind):
    def batches(**kwargs):
        return learned(kind(DATA, epochs=2, batch_size=6, **kwargs))

    iterator = kind(DATA, epochs=2, batch_size=6, seed=1)
    assert learned(iterator) == learned(iterator) == batches(seed=1) != batches(seed=2)
    iterator = kind(DATA, epochs=2, batch_size=6)
    ab.seed(3)
    first, second = learned(iterator), learned(iterator)
    assert first != second
    ab.seed(3)
    assert batches() == first
    # The seed is drawn with the first mini-batch, so that checkpoints can repeat the order.
    ab.seed(9)
    generator = iterator.generate_learned_samples()
    ab.seed(3)
    assert (values(next(generator)[0])[:, 0] / 2).astype(int).tolist() == first[0]


def test_iter_n_can_be_set(kind):
    iterator = kind(DATA, epochs=1, batch_size=10)
    iterator.iter_n = 8
    assert len(learned(iterator)) == 8
    iterator = kind(DATA, epochs=1, batch_size=10)
    iterator.epochs, iterator.batch_size = 3, 23
    assert len(learned(iterator)) == iterator.iter_n == 3
    iterator.batch_size, iterator.drop_last = 24, True
    with pytest.raises(ValueError, match="`batch_size` must be at most 23"):
        iterator.generate_learned_samples()


# -- test data -------------------------------------------------------------------------


@pytest.mark.parametrize(("fraction", "test_n"), [(0.25, 6), (0.01, 1), (0.9, 21)])
def test_split(kind, fraction, test_n):
    iterator = kind(DATA, DATA[:, 1], test_fraction=fraction, epochs=1, batch_size=4, seed=0)
    assert (iterator.dataset_size, iterator.test_size) == (N - test_n, test_n)
    batch = next(iterator.generate_learned_samples())
    np.testing.assert_array_equal(values(batch[2]), DATA[iterator.test_index])
    np.testing.assert_array_equal(values(batch[3]), DATA[iterator.test_index, 1])
    assert sorted([*flat(learned(iterator)), *iterator.test_index]) == list(range(N))
    assert (np.diff(iterator.test_index) > 0).all()


def test_split_follows_from_the_seed(kind):
    def index(**kwargs):
        return kind(DATA, test_fraction=0.4, **kwargs).test_index.tolist()

    assert index(seed=1) == index(seed=1) != index(seed=2)
    ab.seed(1)
    first, second = index(), index()
    ab.seed(1)
    assert index() == first != second
    assert index(shuffle=False) == list(range(N))[-10:]


def test_test_data_are_the_same_objects_each_time(kind):
    iterator = kind(DATA, test_observed=DATA[:7] + 1, epochs=2, batch_size=5)
    tests = [batch[2] for batch in iterator.generate_learned_samples()]
    assert all(test is tests[0] for test in tests) and tests[0].shape == (7, 2)
    assert iterator.test_index is None and iterator.test_size == 7


def test_without_test_data(kind):
    iterator = kind(DATA, epochs=1)
    assert next(iterator.generate_learned_samples())[2:] == (None, None)
    assert iterator.test_size == 0
    with pytest.raises(ValueError, match="no test data to infer from.*`test_fraction`"):
        iterator.generate_inferenced_samples()


@pytest.mark.parametrize("target", [None, DATA[:, 0] * 3])
def test_inference_in_order_each_row_once(kind, target):
    iterator = kind(
        DATA[:3], None if target is None else target[:3], test_observed=DATA, test_target=target,
        batch_size=10, norm_mode="min_max",
    )  # fmt: skip
    batches = list(iterator.generate_inferenced_samples())
    assert [batch[2].shape[0] for batch in batches] == [10, 10, 3]
    assert all(batch[:2] == (None, None) for batch in batches)
    got = np.concatenate([values(batch[2]) for batch in batches])
    np.testing.assert_allclose(got, DATA / 5, rtol=1e-6)
    if target is None:
        assert all(batch[3] is None for batch in batches)
    else:
        got = np.concatenate([values(batch[3]) for batch in batches])
        np.testing.assert_array_equal(got, target)


# -- normalisation and noise -----------------------------------------------------------


@pytest.mark.parametrize("norm_mode", ["z_score", "min_max", None])
def test_training_and_test_are_normalised_alike(kind, norm_mode):
    train, test = DATA[:20], DATA[20:]
    iterator = kind(
        train, train[:, 0], test_observed=test, test_target=test[:, 0], norm_mode=norm_mode,
        scale=2.0, epochs=1, batch_size=20, shuffle=False,
    )  # fmt: skip
    shift, divisor = {
        "z_score": (train.mean(), train.std()), "min_max": (0, 39), None: (0, 1)
    }[norm_mode]  # fmt: skip
    x, target, t, test_target = next(iterator.generate_learned_samples())
    np.testing.assert_allclose(values(x), 2 * (train - shift) / divisor, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(values(t), 2 * (test - shift) / divisor, rtol=1e-5)
    np.testing.assert_array_equal(values(target), train[:, 0])
    np.testing.assert_array_equal(values(test_target), test[:, 0])
    iterator.norm_mode, iterator.scale = None, 1.0
    np.testing.assert_array_equal(values(next(iterator.generate_learned_samples())[0]), train)


def test_normalisation_keeps_small_differences_of_large_numbers(kind):
    times = 1.7e9 + np.arange(50.0).reshape(50, 1)  # all the same in float32
    iterator = kind(times, norm_mode="min_max", shuffle=False, epochs=1)
    x = values(next(iterator.generate_learned_samples())[0])
    np.testing.assert_allclose(x[:, 0], np.linspace(0, 1, 50), atol=1e-6)


def test_noise_goes_on_the_training_input_alone(kind):
    iterator = kind(DATA, test_fraction=0.3, norm_mode="min_max", noiseable_data=AddTen(), epochs=1)
    for x, target, t, test_target in iterator.generate_learned_samples():
        np.testing.assert_allclose(values(x), values(target) + 10, rtol=1e-6)
        assert values(target).max() <= 1
        assert t is test_target and values(t).max() <= 1.5
    assert values(next(iterator.generate_inferenced_samples())[2]).max() <= 1.5


def test_gauss_noise_of_either_side(kind):
    from accelbrainbase.noiseabledata.gauss_noise import GaussNoise

    noise = (GaussNoise if kind is NumPyIterator else ab.GaussNoise)(sigma=0.1)
    x, target, *_ = next(kind(DATA, noiseable_data=noise).generate_learned_samples())
    difference = values(x) - values(target)
    assert 0 < np.abs(difference).max() < 1


# -- targets ---------------------------------------------------------------------------

WORDS = [["fox", "ant", "bee"][n % 3] for n in range(N)]
NAMED = pytest.mark.parametrize(
    "target",
    [
        WORDS,
        np.array(WORDS),
        np.array(WORDS, dtype=object),
        np.array(WORDS).reshape(-1, 1),
        pd.Series(WORDS, index=range(50, 50 + N)),
        pd.Series(WORDS).astype("category"),
        pd.DataFrame({"kind": WORDS}),
    ],
    ids=["list", "str", "object", "column", "series", "category", "frame"],
)


@NAMED
def test_text_becomes_one_hot_over_sorted_classes(kind, target):
    iterator = kind(DATA, target, test_fraction=0.3, epochs=1, batch_size=4)
    assert iterator.label_list == ["ant", "bee", "fox"]
    batches = list(iterator.generate_learned_samples())
    pairs = [batch[:2] for batch in batches] + [batches[0][2:]]
    for x, label in pairs:
        assert label.dtype == np.float32 and label.shape == (x.shape[0], 3)
        for row, vector in zip(values(x), values(label)):
            wanted = WORDS[int(row[0] / 2)]
            assert vector.tolist() == [float(wanted == name) for name in ("ant", "bee", "fox")]


@pytest.mark.parametrize(
    ("target", "label_list"),
    [
        (np.arange(N) % 4, [0, 1, 2, 3]),
        (np.arange(N).reshape(-1, 1) % 2 * 5.0, [0.0, 5.0]),
        (np.arange(N) % 2 == 1, [False, True]),
    ],
)
def test_numbers_are_labels_where_asked(kind, target, label_list):
    iterator = kind(DATA, target, one_hot=True, shuffle=False, batch_size=N)
    assert iterator.label_list == label_list
    label = values(next(iterator.generate_learned_samples())[1])
    assert label.shape == (N, len(label_list))
    assert [label_list[i] for i in label.argmax(axis=1)] == target.reshape(-1).tolist()


def test_categories_of_numbers_are_labels(kind):
    iterator = kind(DATA, pd.Series(np.arange(N) % 3).astype("category"))
    assert iterator.label_list == [0, 1, 2]


@pytest.mark.parametrize(
    "target",
    [
        np.arange(N), np.arange(N) % 2 == 1, pd.Series(np.arange(N) * 0.5), DATA,
        np.zeros((N, 3, 4)), pd.DataFrame({"u": range(N)}), list(range(N)),
        pd.Series(range(N), dtype="Int64"),
    ],
)  # fmt: skip
def test_numbers_stay(kind, target):
    iterator = kind(DATA, target, shuffle=False, batch_size=N)
    assert iterator.label_list is None
    got = next(iterator.generate_learned_samples())[1]
    np.testing.assert_array_equal(values(got), np.asarray(target).astype(np.float32))


def test_labels_of_test_data(kind):
    iterator = kind(DATA, WORDS, test_observed=DATA[:2], test_target=["fox", "ant"])
    label = values(next(iterator.generate_learned_samples())[3])
    assert label.tolist() == [[0, 0, 1], [1, 0, 0]]


# -- what people have in hand ----------------------------------------------------------


@pytest.mark.parametrize(
    "observed",
    [
        DATA.astype(np.float16), DATA.astype(np.int64), DATA.astype(np.uint8), DATA.tolist(),
        np.asfortranarray(DATA), DATA[::-1][::-1], TABLE, TABLE.astype("Int64"),
        TABLE.astype({"a": "int8"}), nd.array(DATA),
    ],
)  # fmt: skip
def test_any_numbers(kind, observed):
    iterator = kind(observed, shuffle=False, batch_size=N)
    assert iterator.observed_shape == (2,)
    np.testing.assert_array_equal(values(next(iterator.generate_learned_samples())[0]), DATA)


def test_booleans_beside_numbers(kind):
    table = pd.DataFrame({"x": [0.5, 2.0], "flag": [True, False]})
    x = next(kind(table, shuffle=False).generate_learned_samples())[0]
    assert values(x).tolist() == [[0.5, 1], [2, 0]]


@pytest.mark.parametrize("shape", [(6, 1, 4, 4), (6, 5, 3)])
def test_any_rank(kind, shape):
    arr = np.random.default_rng(0).normal(size=shape)
    iterator = kind(arr, batch_size=4, epochs=1, shuffle=False, norm_mode="z_score")
    assert iterator.observed_shape == shape[1:]
    got = np.concatenate([values(b[0]) for b in iterator.generate_learned_samples()])
    np.testing.assert_allclose(got, (arr - arr.mean()) / arr.std(), rtol=1e-4, atol=1e-6)


def test_inputs_are_not_modified(kind):
    arr, target = DATA.astype(np.float32), DATA[:, 0].astype(np.float32)
    before = arr.copy(), target.copy()
    iterator = kind(arr, target, test_fraction=0.2, norm_mode="z_score", scale=3.0, epochs=1)
    for batch in (*iterator.generate_learned_samples(), *iterator.generate_inferenced_samples()):
        for part in batch:
            if part is not None:
                part[:] = -1
    assert (arr == before[0]).all() and (target == before[1]).all()
    assert arr.flags.writeable


def test_a_network_learns(kind):
    ab.seed(0)
    net = ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[2], activation_list=["identity"], dropout_rate_list=[0.0],
        optimizer_name="Adam", learning_rate=0.05,
    )  # fmt: skip
    net.learn(kind(DATA, test_fraction=0.3, norm_mode="z_score", epochs=40, batch_size=5))
    assert net.loss_arr.shape == (40, 2)
    assert net.loss_arr[-1].max() < 0.2 * net.loss_arr[0].max()


def test_context(monkeypatch):
    assert ab.ArrayIterator(DATA, ctx=mx.cpu(1)).ctx == mx.cpu(1)
    with mx.cpu(1):
        iterator = ab.ArrayIterator(DATA)
    assert next(iterator.generate_learned_samples())[0].context == mx.cpu(1)
    with pytest.raises(TypeError, match="`ctx` must be a `Context` or None"):
        ab.ArrayIterator(DATA, ctx="cpu")


# -- messages --------------------------------------------------------------------------


def with_value(value, index=(3, 1)):
    arr = DATA.copy()
    arr[index] = value
    return arr


RAGGED = np.empty(2, dtype=object)
RAGGED[:] = [[1, 2], [3]]


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        # data
        ({"observed": []}, ValueError, r"`observed` must not be empty.*\(0,\)"),
        ({"observed": np.empty((0, 3))}, ValueError, r"`observed` must not be empty.*\(0, 3\)"),
        ({"observed": None}, TypeError, "must be a NumPy array, a pandas DataFrame.*got None"),
        ({"observed": "data.csv"}, TypeError, "got 'data.csv' of type `str`"),
        ({"observed": [[1, 2], [3]]}, ValueError, r"rows of one shape.*\[\[1, 2\], \[3\]\]"),
        ({"observed": RAGGED}, ValueError, "rows of one shape, but they differ: array"),
        ({"observed": DATA[:, 0]}, ValueError, r"shape \(rows, \*features\).*\(23,\).*reshape"),
        ({"observed": TABLE["a"]}, ValueError, r"shape \(rows, \*features\)"),
        ({"observed": [["1", "2"]]}, TypeError, "must hold numbers.*row 0, column 0.*'1'"),
        ({"observed": DATA.astype(str)}, TypeError, "must hold numbers, but has the dtype <U"),
        ({"observed": DATA.astype(object)}, TypeError, r"dtype object.*astype\('float32'\)"),
        ({"observed": DATA + 1j}, TypeError, "dtype complex128"),
        (
            {"observed": TABLE.assign(c=["x"] * N)}, TypeError,
            r"row 0, column 2 \(`c`\), counted from 0, is 'x'.*get_dummies",
        ),
        (
            {"observed": TABLE.assign(c=pd.Timestamp("2020-01-01"))}, TypeError,
            r"column 2 \(`c`\).*Timestamp",
        ),
        ({"observed": with_value(np.nan)}, ValueError, "finite.*row 3, column 1, counted.*is nan"),
        ({"observed": with_value(-np.inf)}, ValueError, "row 3, column 1.*is -inf"),
        ({"observed": with_value(1e39)}, ValueError, r"range of float32.*is 1e\+39"),
        (
            {"observed": with_value(np.nan, slice(4, 6))}, ValueError,
            "row 4, column 0, counted from 0, is nan, the first of 4 such values",
        ),
        (
            {"observed": TABLE.where(TABLE < 9)}, ValueError,
            r"row 4, column 1 \(`b`\).*`dropna`",
        ),
        (
            {"observed": TABLE.astype("Int64").where(TABLE < 9)}, ValueError,
            r"row 4, column 1 \(`b`\).*nan",
        ),
        (
            {"observed": np.full((2, 3, 4), np.nan)}, ValueError,
            r"row 0, position \(0, 0\), counted from 0, is nan",
        ),
        # targets
        ({"target": WORDS[:5]}, ValueError, "a row for each of the 23 rows of `observed`.*has 5"),
        ({"target": with_value(np.nan)}, ValueError, "`target` must hold finite numbers"),
        ({"target": [*WORDS[1:], None]}, ValueError, "label for each row.*row 22.*None"),
        ({"target": [*WORDS[1:], np.nan]}, ValueError, "label for each row.*row 22.*nan"),
        ({"target": pd.Series([None, *WORDS[1:]])}, ValueError, "label for each row.*row 0"),
        ({"target": [*WORDS[1:], 3]}, TypeError, "labels of one type, but has int and str"),
        ({"target": np.arange(N).astype(object)}, TypeError, "`target` must hold numbers"),
        ({"target": WORDS, "one_hot": False}, TypeError, "`target` must hold numbers"),
        ({"target": DATA, "one_hot": True}, ValueError, r"one label in each row.*\(23, 2\)"),
        (
            {"target": pd.DataFrame({"u": WORDS, "v": WORDS})}, ValueError,
            "one label in each row",
        ),
        ({"target": DATA[:, 0] / 4, "one_hot": True}, ValueError, "holds fractions such as 0.5"),
        # test data
        (
            {"test_observed": DATA, "test_fraction": 0.5}, ValueError,
            "`test_fraction` holds out rows.*Pass one of the two",
        ),
        ({"test_target": WORDS}, ValueError, "`test_target` needs `test_observed`"),
        (
            {"target": WORDS, "test_observed": DATA}, ValueError,
            "`target` is given but `test_target` is not",
        ),
        (
            {"test_observed": DATA, "test_target": WORDS}, ValueError,
            "`test_target` is given but `target` is not",
        ),
        (
            {"test_observed": DATA[:, :1]}, ValueError,
            r"`test_observed` must have rows of the shape \(2,\).*they have \(1,\)",
        ),
        (
            {"observed": TABLE, "test_observed": TABLE[["b", "a"]]}, ValueError,
            r"column 0 is `b`, not `a`. Pass `test_observed\[observed.columns\]`",
        ),
        (
            {"target": WORDS, "test_observed": DATA[:2], "test_target": ["ant", "cow"]}, ValueError,
            "`test_target` has the label 'cow' in row 1.*'ant', 'bee', 'fox'",
        ),
        (
            {"target": DATA[:, 0], "test_observed": DATA, "test_target": DATA}, ValueError,
            r"`test_target` must have the shape \(23,\).*but has \(23, 2\)",
        ),
        (
            {"target": WORDS, "test_observed": DATA, "test_target": WORDS[:4]}, ValueError,
            r"`test_target` must have the shape \(23, 3\).*but has \(4, 3\)",
        ),
        ({"test_fraction": 0.0}, ValueError, r"`test_fraction` must be .* in \(0, 1\), but got 0"),
        ({"test_fraction": 1.0}, ValueError, r"`test_fraction` must be .* in \(0, 1\), but got 1"),
        ({"test_fraction": "0.2"}, TypeError, "`test_fraction` must be a number"),
        ({"test_fraction": 0.99}, ValueError, "leave a row to learn from.*takes 23"),
        # settings
        ({"epochs": 0}, ValueError, "`epochs` must be at least 1"),
        ({"batch_size": 0}, ValueError, "`batch_size` must be at least 1"),
        ({"batch_size": 2.5}, TypeError, "`batch_size` must be an integer"),
        (
            {"batch_size": 24, "drop_last": True}, ValueError,
            "`batch_size` must be at most 23.*`drop_last=False`",
        ),
        ({"norm_mode": "zscore"}, ValueError, "`norm_mode` must be one of.*mean `z_score`"),
        ({"scale": None}, TypeError, "`scale` must be a number"),
        ({"noiseable_data": 0.1}, TypeError, "`noiseable_data` must be a `NoiseableData` or None"),
        ({"seed": -1}, ValueError, "`seed` must be at least 0"),
        ({"shuffle": "yes"}, TypeError, "`shuffle` must be a `bool`"),
        ({"one_hot": 1}, TypeError, "`one_hot` must be a `bool` or None"),
        ({"batchsize": 3}, TypeError, "takes no keyword `batchsize`. Did you mean `batch_size`"),
        ({"dtype": "float32"}, TypeError, "takes no keyword `dtype`"),
    ],
)  # fmt: skip
def test_messages(kind, kwargs, error, message):
    with pytest.raises(error, match=message):
        kind(**{"observed": DATA, **kwargs})


def test_masked_values_are_named(kind):
    masked = np.ma.masked_array(DATA, mask=np.arange(DATA.size).reshape(DATA.shape) < 2)
    with pytest.raises(ValueError, match="`observed` must not have masked values, but 2 are"):
        kind(masked)
    assert kind(np.ma.masked_array(DATA)).dataset_size == len(DATA)  # none is masked


def test_sparse_matrices_are_named(kind):
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"must be dense.*Pass `observed.toarray\(\)`"):
        kind(sparse.csr_matrix(DATA))
