"""Detectors of anomalies by what a model cannot reconstruct."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.exceptions import NotFittedError

from accelbrainbase._checks import check_integer, check_number
from accelbrainbase.estimators.windows import (
    best_threshold,
    cut_windows,
    downsample,
    merge_windows,
    window_starts,
)
from accelbrainbase.iteratabledata._arrays import as_numbers, check_finite
from accelbrainbase.plotting.anomalies import anomaly_scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AT_ONCE = 512


class ReconstructionDetector(OutlierMixin, BaseEstimator):
    r"""The procedure of Malhotra et al. (2016), for any model that reconstructs windows.

    A model learns to reconstruct windows of normal series. Where the series is not as it was in
    learning, the reconstruction is off. The data are divided as in the paper (section 2.2):

    - :math:`s_N`, normal: the model learns from it;
    - :math:`v_{N1}`, normal: learning stops when it is reconstructed best; the mean μ and
      the covariance Σ of its error vectors :math:`e_i = |x_i - \hat{x}_i|` are taken;
    - :math:`v_{N2}`, normal, and :math:`v_A`, anomalous: the threshold τ of the score
      :math:`a_i = (e_i - \mu)^\top \Sigma^{-1} (e_i - \mu)` has the best :math:`F_\beta` on
      them. Each point of a window that holds an anomaly counts as anomalous. Without anomalies,
      τ is a quantile of the scores of :math:`v_{N2}`.

    Data `X` are long series, or windows:

    - a long series: shape `(rows, variables)`, or `(rows,)` for one variable; several of
      them: a list of such arrays. Windows are cut out of them, and each row gets the mean of
      the scores that the windows over it give. Labels and scores are those of the rows.
    - windows: shape `(windows, seq_len, variables)`. Labels and scores are those of windows; the
      score of a window is the highest of its points.

    Labels are 1 for normal and -1 for anomalous, as in scikit-learn.

    Subclasses implement `_make_model` and `_learn`, and list all settings in a constructor of
    their own, as scikit-learn wants it.
    """

    window_len: int
    stride: int | None
    score_stride: int | None
    downsample: int
    standardize: bool
    split: Sequence[float]
    beta: float
    quantile: float
    random_state: int | None

    # -- what varies -------------------------------------------------------------------

    @abstractmethod
    def _make_model(self, seq_len: int, variable_n: int) -> Any:
        """Abstract: return a new model; its `inference` reconstructs windows."""

    @abstractmethod
    def _learn(self, model: Any, window_arr: np.ndarray, stopping_arr: np.ndarray) -> None:
        """Abstract: let `model` learn from windows, until it is best on `stopping_arr`."""

    # -- fitting -----------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> ReconstructionDetector:
        """Learn what is normal, and choose the threshold.

        Args:
            X: Series or windows.
            y: Labels, 1 normal and -1 anomalous: an array for a series or for windows, a list
                of arrays for a list of series. `None`: all is normal.

        Returns:
            This detector.

        Raises:
            TypeError: If `X` are not numbers.
            ValueError: If `X` is too short, or a setting is impossible.
        """
        self._check_settings()
        series, is_windows = self._as_series("X", X, int(self.window_len))
        labels = _as_labels(y, series, is_windows)
        self.n_features_in_ = series[0].shape[1]
        self.seq_len_ = int(self.window_len)
        if is_windows:
            self.seq_len_ = len(downsample(series[0], self.downsample))
        else:
            self._score_stride()  # before learning: rows without a score are an error
        self._fit_scaling(series, labels)
        normal, anomalous = self._divide(labels, is_windows)
        train, stopping, threshold = normal
        self.model_ = self._make_model(self.seq_len_, self.n_features_in_)
        self._learn(self.model_, self._windows(series, train), self._windows(series, stopping))
        errors = self._errors(self._windows(series, stopping)).reshape(-1, self.n_features_in_)
        self.error_mean_ = errors.mean(axis=0)
        centred = errors - self.error_mean_
        self.error_covariance_ = centred.T @ centred / len(errors)
        self._choose_threshold(series, threshold, anomalous, is_windows)
        return self

    def fit_threshold(self, X: Any, y: Any) -> ReconstructionDetector:
        """Choose the threshold anew on labelled data, by the best F-beta.

        Args:
            X: Series or windows that were not learned from.
            y: Labels, 1 normal and -1 anomalous, as in `fit`.

        Returns:
            This detector.

        Raises:
            ValueError: If `y` has not both kinds.
        """
        series, is_windows = self._checked("X", X)
        labels = _as_labels(y, series, is_windows)
        places, bad = self._places(labels, is_windows, self._score_stride())
        if bad.all() or not bad.any():
            raise ValueError("`y` must have both normal (1) and anomalous (-1) labels.")
        self._choose_threshold(series, places[~bad], places[bad], is_windows)
        return self

    def _check_settings(self) -> None:
        check_integer("window_len", self.window_len, low=2)
        for name in ("stride", "score_stride"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name), low=1)
        check_integer("downsample", self.downsample, low=1)
        check_number("beta", self.beta, low=0.0, low_open=True)
        check_number("quantile", self.quantile, low=0.0, high=1.0)
        shares = [check_number("split", share, low=0.0, low_open=True) for share in self.split]
        if len(shares) != 3:
            raise ValueError(
                f"`split` must have three shares (learning, stopping, threshold), but has "
                f"{len(shares)}."
            )

    def _stride(self) -> int:
        return self.stride or max(1, self.seq_len_ // 4)

    def _score_stride(self) -> int:
        stride = self.score_stride or max(1, self.seq_len_ // 4)
        if stride > self.seq_len_:
            raise ValueError(
                f"`score_stride` must be at most {self.seq_len_}, the length of the windows, but "
                f"got {stride}: the rows between two windows would have no score."
            )
        return stride

    def _as_series(self, name: str, X: Any, seq_len: int) -> tuple[list[np.ndarray], bool]:
        """Return series of shape `(rows, variables)`, and whether they are windows.

        Series must have a window of `seq_len`, and windows two rows, after downsampling.
        """
        if isinstance(X, (list, tuple)) and X and np.ndim(X[0]) >= 1:
            arrays = [as_numbers(f"{name}[{number}]", arr) for number, arr in enumerate(X)]
            is_windows = False
        else:
            whole = as_numbers(name, X)
            is_windows = whole.ndim == 3
            arrays = list(whole) if is_windows else [whole]
        arrays = [arr[:, np.newaxis] if arr.ndim == 1 else arr for arr in arrays]
        for arr in arrays:
            if arr.ndim != 2 or arr.shape[1:] != arrays[0].shape[1:]:
                raise ValueError(
                    f"`{name}` must be a series of shape (rows, variables), a list of such, or "
                    f"windows of shape (windows, seq_len, variables), but has an array of shape "
                    f"{arr.shape}."
                )
            check_finite(name, arr)
        arrays = [arr.astype(np.float64) for arr in arrays]
        shortest = min(len(arr) for arr in arrays)
        needed = self.downsample + 1 if is_windows else seq_len * self.downsample
        if shortest < needed:
            raise ValueError(
                f"`{name}` must have at least {needed} rows in each "
                f"{'window, for two' if is_windows else f'series, for one window of {seq_len}'} "
                f"after downsampling by {self.downsample}, but one has {shortest}."
            )
        return arrays, is_windows

    def _checked(self, name: str, X: Any) -> tuple[list[np.ndarray], bool]:
        """Return series to score."""
        if not hasattr(self, "model_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet. Call `fit(X)`.")
        series, is_windows = self._as_series(name, X, self.seq_len_)
        if series[0].shape[1] != self.n_features_in_:
            raise ValueError(
                f"`{name}` must have {self.n_features_in_} variables, as in `fit`, but has "
                f"{series[0].shape[1]}."
            )
        if is_windows and len(downsample(series[0], self.downsample)) != self.seq_len_:
            raise ValueError(
                f"`{name}` must have windows of length {self.seq_len_ * self.downsample}, as in "
                f"`fit`, but they have {series[0].shape[0]}."
            )
        return series, is_windows

    def _fit_scaling(self, series: list[np.ndarray], labels: list[np.ndarray]) -> None:
        """Take mean and deviation of what is normal; of one series, in the part to learn from."""
        normal = np.concatenate([arr[good] for arr, good in zip(series, labels)])
        if len(normal) < 2:
            raise ValueError("`y` must leave something normal (1) to learn from.")
        share = self.split[0] / sum(self.split)
        if len(series) == 1:
            normal = normal[: max(2, int(share * len(normal)))]
        self.mean_ = normal.mean(axis=0) if self.standardize else np.zeros(normal.shape[1])
        self.scale_ = normal.std(axis=0) if self.standardize else np.ones(normal.shape[1])
        self.scale_[self.scale_ == 0] = 1.0

    # Places of windows are rows `(series, first row)` in what is left after downsampling.

    def _places(
        self, labels: list[np.ndarray], is_windows: bool, stride: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of all windows, and which of them hold an anomaly."""
        places, bad = [], []
        for number, good in enumerate(labels):
            if is_windows:
                starts, anomalies = np.zeros(1, dtype=int), [not good.all()]
            else:
                spoilt = downsample((~good).astype(float), self.downsample) > 0
                starts = window_starts(len(spoilt), self.seq_len_, stride)
                anomalies = cut_windows(spoilt, starts, self.seq_len_).any(axis=1)
            places.append(np.stack([np.full(len(starts), number), starts], axis=1))
            bad.append(np.asarray(anomalies, dtype=bool))
        return np.concatenate(places), np.concatenate(bad)

    def _divide(
        self, labels: list[np.ndarray], is_windows: bool
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the places of s_N, v_N1, v_N2, and those of v_A."""
        places, bad = self._places(labels, is_windows, self._stride())
        normal = places[~bad]
        if is_windows:
            normal = np.random.default_rng(self.random_state).permutation(normal)
        shares = np.cumsum(self.split) / sum(self.split)
        first, second = (int(round(share * len(normal))) for share in shares[:2])
        parts = [normal[:first], normal[first:second], normal[second:]]
        if not is_windows:  # no row in two parts
            for number in (1, 2):
                before = parts[number - 1]
                if len(before):
                    last, end = before[-1][0], before[-1][1] + self.seq_len_
                    part = parts[number]
                    parts[number] = part[(part[:, 0] > last) | (part[:, 1] >= end)]
        if min(map(len, parts)) == 0:
            raise ValueError(
                f"`X` is too short: of {len(normal)} normal windows, `split` leaves "
                f"{[len(part) for part in parts]} that do not overlap for learning, stopping and "
                f"the threshold. Pass more rows, or make `window_len` smaller."
            )
        return parts, places[bad]

    def _prepared(self, arr: np.ndarray) -> np.ndarray:
        """Return a series, standardised and downsampled."""
        return (downsample(arr, self.downsample) - self.mean_) / self.scale_

    def _windows(self, series: list[np.ndarray], places: np.ndarray) -> np.ndarray:
        """Return the windows at `places`, shape `(windows, seq_len, variables)`, float32."""
        windows = []
        for number in np.unique(places[:, 0]):
            starts = places[places[:, 0] == number, 1]
            windows.append(cut_windows(self._prepared(series[number]), starts, self.seq_len_))
        return np.concatenate(windows).astype(np.float32)

    # -- scores ------------------------------------------------------------------------

    def _reconstructed(self, window_arr: np.ndarray) -> np.ndarray:
        pieces = []
        for begin in range(0, len(window_arr), _AT_ONCE):
            piece = self.model_.inference(window_arr[begin : begin + _AT_ONCE])
            pieces.append(np.asarray(piece.asnumpy() if hasattr(piece, "asnumpy") else piece))
        return np.concatenate(pieces).reshape(window_arr.shape).astype(np.float64)

    def _errors(self, window_arr: np.ndarray) -> np.ndarray:
        return np.abs(window_arr - self._reconstructed(window_arr))

    def _window_scores(self, window_arr: np.ndarray) -> np.ndarray:
        """Return the scores of the points of windows, shape `(windows, seq_len)`."""
        centred = self._errors(window_arr) - self.error_mean_
        # A variable that is always reconstructed exactly would divide by 0.
        ridge = 1e-8 * max(np.trace(self.error_covariance_) / len(self.error_mean_), 1e-30)
        covariance = self.error_covariance_ + ridge * np.eye(len(self.error_mean_))
        solved = np.linalg.solve(covariance, centred.reshape(-1, centred.shape[2]).T).T
        return np.einsum("wtv,wtv->wt", centred, solved.reshape(centred.shape))

    def _choose_threshold(
        self,
        series: list[np.ndarray],
        normal: np.ndarray,
        anomalous: np.ndarray,
        is_windows: bool,
    ) -> None:
        scores = self._window_scores(self._windows(series, normal))
        if len(anomalous):
            bad_scores = self._window_scores(self._windows(series, anomalous))
            self.threshold_, self.f_beta_ = best_threshold(
                scores.reshape(-1), bad_scores.reshape(-1), self.beta
            )
        else:
            if is_windows:
                values = scores.max(axis=1)
            else:
                values = np.concatenate(list(self._merged_by_series(scores, normal)))
            self.threshold_ = float(np.quantile(values, self.quantile))
        self.offset_ = -self.threshold_

    def _merged_by_series(self, scores: np.ndarray, places: np.ndarray) -> Iterator[np.ndarray]:
        """Generate the scores of the rows, of each series, over which there are windows."""
        for number in np.unique(places[:, 0]):
            of_series = places[:, 0] == number
            starts = places[of_series, 1] - places[of_series, 1].min()
            merged = merge_windows(scores[of_series], starts, starts.max() + self.seq_len_)
            yield merged[np.isfinite(merged)]

    def _merged(self, arr: np.ndarray, compute: Any) -> np.ndarray:
        """Return what `compute` makes of the windows of a series, merged and upsampled."""
        prepared = self._prepared(arr)
        starts = window_starts(len(prepared), self.seq_len_, self._score_stride())
        windows = cut_windows(prepared, starts, self.seq_len_).astype(np.float32)
        merged = merge_windows(compute(windows), starts, len(prepared))
        return np.repeat(merged, self.downsample, axis=0)[: len(arr)]

    def score_points(self, series: Any) -> np.ndarray:
        """Return the anomaly score of each row of a series; higher is more anomalous.

        Args:
            series: Shape `(rows, variables)` or `(rows,)`.

        Returns:
            Scores, shape `(rows,)`.
        """
        arrays, is_windows = self._checked("series", series)
        if is_windows or len(arrays) != 1:
            raise ValueError("`series` must be one series, shape (rows, variables).")
        return self._merged(arrays[0], self._window_scores)

    def reconstruct(self, series: Any) -> np.ndarray:
        """Return the reconstruction of a series, in its units.

        Args:
            series: Shape `(rows, variables)` or `(rows,)`.

        Returns:
            Shape `(rows, variables)`.
        """
        arrays, is_windows = self._checked("series", series)
        if is_windows or len(arrays) != 1:
            raise ValueError("`series` must be one series, shape (rows, variables).")
        return self._merged(arrays[0], self._reconstructed) * self.scale_ + self.mean_

    def score_samples(self, X: Any) -> np.ndarray:
        """Return how normal rows of series, or windows, are: the negative anomaly scores.

        Args:
            X: Series or windows.

        Returns:
            Shape `(rows,)` or `(windows,)`; a list of series gives the rows of all, one after
            the other.
        """
        series, is_windows = self._checked("X", X)
        if is_windows:
            windows = np.stack([self._prepared(arr) for arr in series]).astype(np.float32)
            return -self._window_scores(windows).max(axis=1)
        return -np.concatenate([self._merged(arr, self._window_scores) for arr in series])

    def decision_function(self, X: Any) -> np.ndarray:
        """Return how far scores are from the threshold; negative where there is an alarm.

        Args:
            X: Series or windows.

        Returns:
            Shape `(rows,)` or `(windows,)`.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Return 1 for normal and -1 for anomalous.

        Args:
            X: Series or windows.

        Returns:
            Integers of shape `(rows,)` or `(windows,)`.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    # -- a picture ---------------------------------------------------------------------

    def plot(self, series: Any, y: Any = None, *, axes: Sequence[Axes] | None = None) -> Any:
        """Draw a series and its reconstruction, the scores, the threshold and the alarms.

        Args:
            series: Shape `(rows, variables)` or `(rows,)`.
            y: Labels of its rows, drawn as shades where they are -1.
            axes: Two axes to draw on; a new figure if omitted.

        Returns:
            The axes: of the series, of the scores.
        """
        return anomaly_scores(
            self.score_points(series),
            threshold=self.threshold_,
            series=series,
            reconstructed=self.reconstruct(series),
            y=y,
            axes=axes,
        )


def _as_labels(y: Any, series: list[np.ndarray], is_windows: bool) -> list[np.ndarray]:
    """Return, for each series, which of its rows are normal."""
    lengths = [1] * len(series) if is_windows else [len(arr) for arr in series]
    if y is None:
        return [np.ones(len(arr), dtype=bool) for arr in series]
    if isinstance(y, (list, tuple)) and y and np.ndim(y[0]) == 1:
        parts = [np.asarray(part) for part in y]
    else:
        whole = np.asarray(y).reshape(-1)
        if len(whole) != sum(lengths):
            raise ValueError(
                f"`y` must have a label for each of the {sum(lengths)} "
                f"{'windows' if is_windows else 'rows'} of `X`, but has {len(whole)}."
            )
        parts = np.split(whole, np.cumsum(lengths)[:-1])
    if [len(part) for part in parts] != lengths:
        raise ValueError("`y` must have labels for each row of each series in `X`.")
    if not all(np.isin(part, (1, -1)).all() for part in parts):
        raise ValueError("`y` must hold 1 for normal and -1 for anomalous, and nothing else.")
    return [
        np.broadcast_to(part == 1, len(arr)) if is_windows else part == 1
        for part, arr in zip(parts, series)
    ]
