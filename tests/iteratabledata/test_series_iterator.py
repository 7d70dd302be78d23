"""Series of unequal length: what is filled up and masked, and that nothing of it is learned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from mxnet import nd

import accelbrainbase as ab

RNG = np.random.default_rng(0)
LENGTHS = [5, 2, 7, 1, 4, 6]
SERIES = [RNG.normal(size=(length, 3)).astype(np.float32) for length in LENGTHS]


def rows_of(arr, mask):
    """The series without what they are filled up with."""
    return [one[: int(keep.sum())] for one, keep in zip(arr, mask)]


def test_padding_by_hand():
    arr, mask = ab.pad_series([[1, 2, 3], [4]])
    np.testing.assert_array_equal(arr[:, :, 0], [[1, 2, 3], [4, 0, 0]])
    np.testing.assert_array_equal(mask, [[1, 1, 1], [1, 0, 0]])
    assert (arr.dtype, mask.dtype) == (np.float32, np.float32)
    arr, mask = ab.pad_series([pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})], seq_len=4)
    np.testing.assert_array_equal(arr[0], [[1, 3], [2, 4], [0, 0], [0, 0]])
    assert mask.tolist() == [[1, 1, 0, 0]]


def test_each_epoch_has_each_series_with_its_mask_and_target():
    target = [np.cumsum(one, axis=0)[:, :1] for one in SERIES]
    iterator = ab.SeriesIterator(SERIES, target, epochs=2, batch_size=4, seed=0)
    batches = list(iterator.generate_learned_samples())
    assert len(batches) == iterator.iter_n == 4 and iterator.observed_shape == (7, 3)
    for epoch in (batches[:2], batches[2:]):
        seen = []
        for observed, wanted, test, test_target, mask, test_mask in epoch:
            assert test is test_target is test_mask is None
            assert mask.shape == observed.shape[:2]
            arrays = observed.asnumpy(), wanted.asnumpy(), mask.asnumpy()
            assert (arrays[0][arrays[2] == 0] == 0).all()
            for one, of_it in zip(rows_of(arrays[0], arrays[2]), rows_of(arrays[1], arrays[2])):
                seen.append(len(one))
                np.testing.assert_array_equal(one, SERIES[LENGTHS.index(len(one))])
                np.testing.assert_allclose(of_it, np.cumsum(one, axis=0)[:, :1], rtol=1e-6)
        assert sorted(seen) == sorted(LENGTHS)


@pytest.mark.parametrize("given", ["test_series", "test_fraction"])
def test_test_data(given):
    longer = [RNG.normal(size=(9, 3)), RNG.normal(size=(3, 3))]
    more = {"test_series": longer} if given == "test_series" else {"test_fraction": 0.3}
    iterator = ab.SeriesIterator(SERIES, batch_size=3, epochs=1, seed=0, **more)
    batches = list(iterator.generate_learned_samples())
    tests = {tuple(id(arr) for arr in (batch[2], batch[3], batch[5])) for batch in batches}
    assert len(tests) == 1  # the same objects each time
    expected = longer if given == "test_series" else [SERIES[i] for i in iterator.test_index]
    found = rows_of(batches[0][2].asnumpy(), batches[0][5].asnumpy())
    for one, wanted in zip(found, expected):
        np.testing.assert_allclose(one, wanted, rtol=1e-6)
    assert batches[0][0].shape[1] == batches[0][2].shape[1] == iterator.seq_len
    inferred = list(iterator.generate_inferenced_samples())
    assert sum(len(batch[2]) for batch in inferred) == iterator.test_size == len(expected)
    assert all(batch[5].shape == batch[2].shape[:2] for batch in inferred)


def encoder_decoder():
    ab.seed(3)
    parts = {"hidden_n": 6, "dropout_rate": 0.0, "output_activation": "identity"}
    return ab.EncoderDecoder(
        ab.LSTMNetworks(None, None, ab.L2NormLoss(), output_layer_flag=False, **parts),
        ab.LSTMNetworks(None, None, ab.L2NormLoss(), output_n=3, **parts),
        ab.L2NormLoss(), optimizer_name="Adam", learning_rate=1e-2,
    )  # fmt: skip


def test_what_is_filled_up_changes_nothing_that_is_learned():
    model = encoder_decoder()
    model.learn(ab.SeriesIterator(SERIES, epochs=3, batch_size=6, shuffle=False))
    losses = model.loss_arr
    learned = [p.data().asnumpy() for p in model.collect_params().values()]
    # The same with other numbers where nothing is.
    arr, mask = ab.pad_series(SERIES, seq_len=7)
    arr += 100.0 * (1.0 - mask[:, :, np.newaxis])

    class Filled(ab.IteratableData):
        epochs, iter_n = 3, 3

        def generate_learned_samples(self):
            for _ in range(3):
                yield nd.array(arr), nd.array(arr), None, None, nd.array(mask), None

        def generate_inferenced_samples(self):
            yield from ()

    other = encoder_decoder()
    other.learn(Filled())
    np.testing.assert_array_equal(other.loss_arr, losses)
    for one, two in zip(learned, other.collect_params().values()):
        np.testing.assert_array_equal(one, two.data().asnumpy())


def test_learns_with_test_data_and_noise():
    model = encoder_decoder()
    iterator = ab.SeriesIterator(
        SERIES, test_fraction=0.2, epochs=60, batch_size=5, noiseable_data=ab.GaussNoise(sigma=0.01)
    )
    model.learn(iterator)
    history = model.history.to_frame()
    assert history["train_loss"].iloc[-1] < 0.8 * history["train_loss"].iloc[0]
    assert history["test_loss"].notna().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"series": []}, "`series` must be a list of at least one series"),
        ({"series": [[1.0], [[1.0, 2.0]]]}, r"`series\[1\]` must have 1 features"),
        ({"series": [[1.0], []]}, r"`series\[1\]` must not be empty"),
        ({"series": [[1.0, np.nan]]}, r"`series\[0\]`"),
        ({"series": [np.zeros((2, 2, 2))]}, "must have the shape \\(length, features\\)"),
        ({"series": [[1.0, 2.0]], "target": [[1.0]]}, "with as many data points"),
        ({"series": [[1.0]], "target": [[1.0]], "test_series": [[1.0]]}, "`test_target` must be"),
        ({"series": [[1.0]], "test_series": [[[1.0, 2.0]]]}, r"`test_series\[0\]` must have 1"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ab.SeriesIterator(**arguments)


def test_a_length_that_is_too_short():
    with pytest.raises(ValueError, match="`seq_len` must be at least 7"):
        ab.pad_series(SERIES, seq_len=6)
    with pytest.raises(TypeError, match="`series`"):
        ab.pad_series(5)
