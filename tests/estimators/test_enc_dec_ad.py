"""EncDecAD: the procedure by hand, scikit-learn's interface, and that it finds anomalies."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import fbeta_score

import accelbrainbase as ab
from accelbrainbase.estimators.windows import (
    best_threshold,
    cut_windows,
    downsample,
    merge_windows,
    window_starts,
)


def waves(rows, variables=1, noise=0.05, seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(rows)[:, None] * 0.5
    return np.sin(time + np.arange(variables)) * 3 + 7 + rng.normal(0, noise, (rows, variables))


SETTINGS = {"window_len": 16, "hidden_n": 12, "epochs": 25, "random_state": 0}


class Mean:
    """Reconstructs each window by its mean; learns nothing."""

    def learn(self, iterator, callbacks):
        self.observed = np.concatenate(
            [batch[2].asnumpy() for batch in iterator.generate_inferenced_samples()]
        )

    def inference(self, windows):
        return np.broadcast_to(windows.mean(axis=1, keepdims=True), windows.shape)


def by_mean(**kwargs):
    settings = {"window_len": 8, "random_state": 0, **kwargs}
    return ab.EncDecAD(model_factory=lambda seq_len, variable_n: Mean(), **settings)


@pytest.fixture(scope="module")
def detector():
    return ab.EncDecAD(**SETTINGS).fit(waves(1200))


# -- windows ---------------------------------------------------------------------------


def test_windows_cover_the_whole_series():
    np.testing.assert_array_equal(window_starts(10, 4, 3), [0, 3, 6])
    np.testing.assert_array_equal(window_starts(11, 4, 3), [0, 3, 6, 7])
    np.testing.assert_array_equal(window_starts(4, 4, 3), [0])
    series = np.arange(22).reshape(11, 2)
    windows = cut_windows(series, np.array([0, 7]), 4)
    np.testing.assert_array_equal(windows, [series[:4], series[7:]])


def test_merged_windows_are_means():
    values = np.array([[1.0, 2, 3], [10, 20, 30]])
    merged = merge_windows(values, np.array([0, 1]), 5)
    np.testing.assert_array_equal(merged, [1, (2 + 10) / 2, (3 + 20) / 2, 30, np.nan])
    series = np.random.default_rng(0).normal(size=(20, 3))
    starts = window_starts(20, 6, 4)
    np.testing.assert_allclose(merge_windows(cut_windows(series, starts, 6), starts, 20), series)


def test_downsampling_takes_means():
    series = np.arange(14.0).reshape(7, 2)
    want = [series[:3].mean(axis=0), series[3:6].mean(axis=0), series[6]]
    np.testing.assert_allclose(downsample(series, 3), want)


@pytest.mark.parametrize("beta", [0.1, 1.0, 3.0])
def test_the_best_threshold_by_brute_force(beta):
    rng = np.random.default_rng(1)
    normal, bad = rng.integers(0, 30, 200).astype(float), rng.integers(10, 50, 60).astype(float)
    threshold, value = best_threshold(normal, bad, beta)
    truth = np.r_[np.zeros(200), np.ones(60)]
    values = [
        fbeta_score(truth, np.r_[normal, bad] > candidate, beta=beta, zero_division=0)
        for candidate in np.arange(-0.5, 50)
    ]
    assert value == pytest.approx(max(values))
    got = fbeta_score(truth, np.r_[normal, bad] > threshold, beta=beta, zero_division=0)
    assert got == pytest.approx(value)


# -- the procedure ---------------------------------------------------------------------


def test_the_procedure_by_hand():
    """μ, Σ, scores and threshold of a model whose reconstruction is the window's mean."""
    series = waves(400, 2)
    detector = by_mean(stride=8, quantile=0.9, score_stride=3).fit(series)
    train = 400 * 0.6
    np.testing.assert_allclose(detector.mean_, series[: int(train)].mean(axis=0))
    scaled = (series - detector.mean_) / series[: int(train)].std(axis=0)
    starts = window_starts(400, 8, 8)
    windows = cut_windows(scaled, starts, 8)
    assert len(windows) == 50
    np.testing.assert_allclose(detector.model_.observed, windows[30:40], atol=1e-6)
    errors = np.abs(windows - windows.mean(axis=1, keepdims=True))
    flat = errors[30:40].reshape(-1, 2)
    np.testing.assert_allclose(detector.error_mean_, flat.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(
        detector.error_covariance_, np.cov(flat.T, bias=True), rtol=1e-3, atol=1e-6
    )
    inverse = np.linalg.inv(np.cov(flat.T, bias=True))
    centred = errors - flat.mean(axis=0)
    scores = np.einsum("wtv,vu,wtu->wt", centred, inverse, centred)
    assert detector.threshold_ == pytest.approx(np.quantile(scores[40:], 0.9), rel=1e-3)
    many = cut_windows(scaled, window_starts(400, 8, 3), 8)
    centred = np.abs(many - many.mean(axis=1, keepdims=True)) - flat.mean(axis=0)
    want = merge_windows(
        np.einsum("wtv,vu,wtu->wt", centred, inverse, centred), window_starts(400, 8, 3), 400
    )
    np.testing.assert_allclose(detector.score_points(series), want, rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(detector.score_samples(series), -detector.score_points(series))
    np.testing.assert_allclose(
        detector.decision_function(series), detector.threshold_ - detector.score_points(series)
    )


def test_no_row_is_in_two_sets():
    detector = by_mean(window_len=10, stride=1, standardize=False)
    detector.seq_len_ = 10
    parts, _ = detector._divide([np.ones(300, dtype=bool)], False)
    used = [{row for _, begin in part for row in range(begin, begin + 10)} for part in parts]
    assert not used[0] & used[1] and not used[1] & used[2] and not used[0] & used[2]
    assert max(used[0]) < min(used[1]) < min(used[2])


def test_anomalies_choose_the_threshold_and_are_not_learned_from():
    series = waves(800)
    labels = np.ones(800, dtype=int)
    labels[500:516] = -1
    series[500:516] += np.random.default_rng(0).normal(0, 20, (16, 1))
    detector = by_mean(stride=4).fit(series, labels)
    clean = by_mean(stride=4).fit(series[:500])
    assert detector.error_mean_[0] == pytest.approx(clean.error_mean_[0], rel=0.1)
    assert detector.f_beta_ > 0.9
    alarms = detector.predict(series) == -1
    assert alarms[504:512].all() and not alarms[:450].any() and not alarms[560:].any()


def test_the_threshold_can_be_chosen_anew():
    series = waves(800)
    detector = by_mean(stride=4).fit(series)
    before = detector.threshold_
    other, labels = waves(300, seed=3), np.ones(300, dtype=int)
    other[100:120] *= 5
    labels[100:120] = -1
    assert detector.fit_threshold(other, labels) is detector
    assert detector.threshold_ != before and detector.f_beta_ > 0.9
    with pytest.raises(ValueError, match="both normal"):
        detector.fit_threshold(other, np.ones(300, dtype=int))


# -- the model finds anomalies ---------------------------------------------------------


def test_a_changed_shape_is_found_and_little_else(detector):
    series = waves(600, seed=5)
    series[300:312] = series[300]  # a flat line, within the range of the series
    scores = detector.score_points(series)
    assert 295 <= int(np.argmax(scores)) <= 317
    alarms = detector.predict(series) == -1
    assert alarms[302:310].any()
    assert np.delete(alarms, np.arange(280, 335)).mean() < 0.05


def test_the_reconstruction_is_in_the_units_of_the_series(detector):
    series = waves(200, seed=6)
    assert detector.reconstruct(series).shape == (200, 1)
    assert np.abs(detector.reconstruct(series) - series).mean() < 0.5


def test_windows_as_data():
    starts = np.arange(0, 1900, 12)
    windows = cut_windows(waves(2000), starts, 16)
    detector = ab.EncDecAD(**SETTINGS, quantile=1.0).fit(windows)
    good, bad = cut_windows(waves(400, seed=8), np.arange(0, 380, 19), 16), np.full((3, 16, 1), 7.0)
    assert detector.predict(bad).tolist() == [-1, -1, -1]
    assert (detector.predict(good) == 1).mean() > 0.8
    assert detector.decision_function(good).shape == (20,)


@pytest.mark.parametrize("length", [4, 20])
def test_series_are_scored_by_the_length_of_windows_that_were_learned(length):
    series = waves(600)
    detector = by_mean().fit(cut_windows(series, np.arange(0, 570, 7), length))  # of 8 by default
    assert np.isfinite(detector.score_points(series[:length])).all()
    with pytest.raises(ValueError, match=f"`series` must have at least {length} rows"):
        detector.score_points(series[: length - 1])


def test_several_variables_break_their_relation():
    series = waves(1200, 3)
    detector = ab.EncDecAD(**SETTINGS).fit(series)
    broken = waves(300, 3, seed=9)
    broken[150:162, 1] = broken[150:162, 1][::-1]
    assert 140 <= int(np.argmax(detector.score_points(broken))) <= 172


def test_downsampled_scores_have_the_rows_of_the_series():
    series = np.repeat(waves(900), 3, axis=0)[:-1]
    detector = by_mean(downsample=3).fit(series)
    scores = detector.score_points(series)
    assert scores.shape == (len(series),)
    np.testing.assert_array_equal(scores[::3], scores[1::3])
    assert detector.reconstruct(series).shape == series.shape


def test_a_list_of_series():
    parts = [waves(200, seed=n) for n in range(5)]
    detector = by_mean().fit(parts)
    assert detector.decision_function(parts).shape == (1000,)
    labels = [np.ones(200, dtype=int) for _ in parts]
    labels[2][50:60] = -1
    assert by_mean().fit(parts, labels).f_beta_ >= 0


def test_a_dense_auto_encoder_takes_the_place_of_the_lstm():
    def make(seq_len, variable_n):
        loss = ab.L2NormLoss()
        parts = [
            ab.NeuralNetworks(loss, units_list=[n], activation_list=["identity"])
            for n in (4, seq_len * variable_n)
        ]
        return ab.AutoEncoder(*parts, loss, optimizer_name="Adam", learning_rate=1e-2)

    detector = ab.EncDecAD(**SETTINGS, model_factory=make).fit(waves(1200))
    series = waves(600, seed=5)
    series[300:312] = series[300]
    assert 290 <= int(np.argmax(detector.score_points(series))) <= 322
    assert isinstance(detector.model_, ab.AutoEncoder)


# -- scikit-learn's interface ----------------------------------------------------------


def test_the_same_seed_gives_the_same_detector(detector):
    again = clone(detector).fit(waves(1200))
    assert again.threshold_ == detector.threshold_
    assert again.get_params() == detector.get_params()


def test_settings_are_kept_as_they_are():
    detector = ab.EncDecAD(window_len=12, split=(0.5, 0.3, 0.2))
    assert detector.get_params()["split"] == (0.5, 0.3, 0.2)
    assert detector.set_params(beta=0.5).beta == 0.5


def test_a_detector_that_is_not_fitted_says_so():
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        ab.EncDecAD().predict(waves(100))


def test_fit_predict_and_scores_agree():
    series = waves(400)
    detector = by_mean()
    labels = detector.fit_predict(series)
    np.testing.assert_array_equal(labels == -1, detector.decision_function(series) < 0)


def test_the_input_is_not_changed(detector):
    series = waves(300)
    copy = series.copy()
    detector.predict(series)
    by_mean().fit(series)
    np.testing.assert_array_equal(series, copy)


def test_plot(detector):
    labels = np.ones(200, dtype=int)
    labels[50:60] = -1
    above, below = detector.plot(waves(200), labels)
    assert [line.get_label() for line in above.lines] == ["series", "reconstruction", "alarms"]
    assert below.lines[1].get_ydata()[0] == detector.threshold_


@pytest.mark.parametrize(
    ("settings", "X", "y", "message"),
    [
        ({}, waves(5), None, "`X` must have at least 8 rows"),
        ({}, waves(12), None, "`X` is too short"),
        ({}, np.zeros((3, 4, 5, 6)), None, "`X` must be a series of shape"),
        ({}, np.array([[np.nan]] * 100), None, "`X` must hold finite numbers"),
        ({}, waves(200), np.ones(100), "`y` must have a label for each of the 200 rows"),
        ({}, waves(200), np.zeros(200), "`y` must hold 1 for normal and -1"),
        ({"window_len": 1}, waves(200), None, "`window_len` must be at least 2"),
        ({"split": (1, 1)}, waves(200), None, "`split` must have three shares"),
        ({"beta": 0.0}, waves(200), None, "`beta` must be"),
        ({"quantile": 2.0}, waves(200), None, "`quantile` must be"),
        ({"downsample": 0}, waves(200), None, "`downsample` must be at least 1"),
        (
            {"downsample": 16},
            np.zeros((30, 16, 1)),
            None,
            "`X` must have at least 17 rows in each w",
        ),
        ({"score_stride": 9}, waves(200), None, "`score_stride` must be at most 8"),
    ],
)
def test_bad_arguments_are_named(settings, X, y, message):
    with pytest.raises(ValueError, match=message):
        by_mean(**settings).fit(X, y)


def test_other_variables_are_named():
    detector = by_mean().fit(waves(200))
    with pytest.raises(ValueError, match="`X` must have 1 variables, as in `fit`, but has 2"):
        detector.predict(waves(200, 2))
    with pytest.raises(ValueError, match="`series` must be one series"):
        detector.score_points([waves(200), waves(200)])


def test_settings_reach_the_model():
    detector = ab.EncDecAD(
        **{**SETTINGS, "epochs": 1}, teacher_forcing=False, optimizer_name="SGD", learning_rate=0.25
    ).fit(waves(300, 2))
    model = detector.model_
    assert model.teacher_forcing_flag is False and model.optimizer_name == "SGD"
    assert model.learning_rate == 0.25 and model.max_gradient_norm == 1.0
    assert model.encoder.hidden_n == 12 and model.decoder.output_n == 2
