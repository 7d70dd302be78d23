"""Cutting windows out of series, and putting back together what was computed of them."""

from __future__ import annotations

import numpy as np


def window_starts(length: int, seq_len: int, stride: int) -> np.ndarray:
    """Return where windows begin: every `stride` rows, and one that ends with the series.

    Args:
        length: Length of the series, at least `seq_len`.
        seq_len: Length of the windows.
        stride: Distance of neighbouring windows.
    """
    starts = np.arange(0, length - seq_len + 1, stride)
    last = length - seq_len
    return starts if starts[-1] == last else np.append(starts, last)


def cut_windows(series: np.ndarray, starts: np.ndarray, seq_len: int) -> np.ndarray:
    """Return windows of shape `(windows, seq_len, *features)`.

    Args:
        series: Shape `(rows, *features)`.
        starts: Where the windows begin.
        seq_len: Length of the windows.
    """
    return series[starts[:, np.newaxis] + np.arange(seq_len)]


def merge_windows(values: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Return, for each row of a series, the mean of what all windows over it say.

    Args:
        values: Shape `(windows, seq_len, *features)`.
        starts: Where the windows begin.
        length: Length of the series.

    Returns:
        Shape `(length, *features)`; NaN where no window was.
    """
    rows = (starts[:, np.newaxis] + np.arange(values.shape[1])).reshape(-1)
    total = np.zeros((length, *values.shape[2:]))
    np.add.at(total, rows, values.reshape(-1, *values.shape[2:]))
    count = np.bincount(rows, minlength=length).astype(np.float64)
    count[count == 0] = np.nan
    return total / count.reshape(-1, *[1] * (total.ndim - 1))


def downsample(series: np.ndarray, factor: int) -> np.ndarray:
    """Return the means of `factor` neighbouring rows each; the last one may be of fewer.

    Args:
        series: Shape `(rows, *features)`.
        factor: How many rows become one.
    """
    if factor == 1:
        return series
    begins = np.arange(0, len(series), factor)
    counts = np.diff(np.append(begins, len(series)))
    total = np.add.reduceat(series, begins, axis=0)
    return total / counts.reshape(-1, *[1] * (series.ndim - 1))


def best_threshold(
    normal_scores: np.ndarray, anomalous_scores: np.ndarray, beta: float
) -> tuple[float, float]:
    r"""Return the threshold over which a score is an alarm, by the best :math:`F_\beta`.

    .. math:: F_\beta = (1 + \beta^2) \frac{P R}{\beta^2 P + R}

    Args:
        normal_scores: Scores of what is normal.
        anomalous_scores: Scores of what is anomalous; the positive class.
        beta: Weight of the recall R against the precision P; less than 1 favours precision.

    Returns:
        The threshold, halfway between two scores, and its :math:`F_\beta`. Of equal ones, the
        highest threshold.

    References:
        - Malhotra, P., et al. (2016). LSTM-based encoder-decoder for multi-sensor anomaly
          detection. arXiv:1607.00148. Section 2.2.
    """
    scores = np.concatenate([normal_scores, anomalous_scores])
    positive = np.arange(len(scores)) >= len(normal_scores)
    order = np.argsort(-scores, kind="stable")
    scores, positive = scores[order], positive[order]
    found = np.cumsum(positive)
    ends = np.flatnonzero(np.append(np.diff(scores) != 0, True))  # alarms: all up to here
    precision = found[ends] / (ends + 1)
    recall = found[ends] / max(1, found[-1])
    weight = beta**2
    denominator = weight * precision + recall
    f_beta = np.where(
        denominator > 0, (1 + weight) * precision * recall / np.maximum(denominator, 1e-300), 0.0
    )
    best = int(np.argmax(f_beta))
    end = ends[best]
    below = scores[end + 1] if end + 1 < len(scores) else scores[end] - 1.0
    return float((scores[end] + below) / 2), float(f_beta[best])
