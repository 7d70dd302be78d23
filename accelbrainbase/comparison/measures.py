"""How near generated samples are to true ones."""

from __future__ import annotations

import numpy as np


def frechet_distance(true_arr: np.ndarray, generated_arr: np.ndarray) -> float:
    r"""Squared Fréchet distance between the normal distributions that fit two sets.

    .. math:: \|\mu - \hat\mu\|^2
        + \mathrm{tr}\left(\Sigma + \hat\Sigma - 2 (\Sigma \hat\Sigma)^{1/2}\right)

    Args:
        true_arr: Features, shape `(n, features)`.
        generated_arr: Features, shape `(m, features)`.

    Returns:
        The distance, at least 0.

    References:
        - Heusel, M., et al. (2017). GANs trained by a two time-scale update rule converge to a
          local Nash equilibrium. NeurIPS. Equation 6.
    """
    shift = true_arr.mean(axis=0) - generated_arr.mean(axis=0)
    one, other = (
        np.atleast_2d(np.cov(arr, rowvar=False, bias=True)) for arr in (true_arr, generated_arr)
    )
    # tr((AB)^½) = tr((A^½ B A^½)^½), and that matrix is symmetric and not negative.
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    eigenvalues = np.linalg.eigvalsh(root @ other @ root)
    trace = np.trace(one) + np.trace(other) - 2 * np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    return float(max(shift @ shift + trace, 0.0))


def squared_mmd(true_arr: np.ndarray, generated_arr: np.ndarray) -> float:
    r"""Squared maximum mean discrepancy, unbiased, with a Gaussian kernel.

    .. math:: k(x, y) = \exp\left(-\|x - y\|^2 / 2\sigma^2\right)

    σ is the median distance between different true data points.

    Args:
        true_arr: Features, shape `(n, features)`, at least two rows.
        generated_arr: Features, shape `(m, features)`, at least two rows.

    Returns:
        The estimate; around 0, also below, where both are of one distribution.

    References:
        - Gretton, A., et al. (2012). A kernel two-sample test. Journal of Machine Learning
          Research, 13, 723-773. Equation 3.
    """
    within = _squared_distances(true_arr, true_arr)
    apart = within[~np.eye(len(within), dtype=bool)]
    scale = 2 * max(float(np.median(apart)), 1e-12)
    one = np.exp(-apart / scale).mean()
    inner = _squared_distances(generated_arr, generated_arr)
    other = np.exp(-inner[~np.eye(len(inner), dtype=bool)] / scale).mean()
    between = np.exp(-_squared_distances(true_arr, generated_arr) / scale).mean()
    return float(one + other - 2 * between)


def precision_and_recall(
    true_arr: np.ndarray, generated_arr: np.ndarray, neighbour_n: int = 3
) -> tuple[float, float]:
    """Share of generated samples that are like true ones, and the other way round.

    A set covers balls around its points, each up to its k-th nearest neighbour in the set.
    Precision is the share of generated samples in the balls of the true ones, recall the
    share of true data points in the balls of the generated ones.

    Args:
        true_arr: Features, shape `(n, features)`, more than `neighbour_n` rows.
        generated_arr: Features, shape `(m, features)`, more than `neighbour_n` rows.
        neighbour_n: The number k.

    Returns:
        Precision and recall, in [0, 1].

    References:
        - Kynkäänniemi, T., et al. (2019). Improved precision and recall metric for assessing
          generative models. NeurIPS. Equations 1 and 2.
    """
    between = _squared_distances(true_arr, generated_arr)
    covered = between <= _radii(true_arr, neighbour_n)[:, np.newaxis]
    covering = between <= _radii(generated_arr, neighbour_n)[np.newaxis, :]
    return float(covered.any(axis=0).mean()), float(covering.any(axis=1).mean())


def _radii(arr: np.ndarray, neighbour_n: int) -> np.ndarray:
    """Return the squared distance of each point to its k-th nearest neighbour but itself."""
    return np.partition(_squared_distances(arr, arr), neighbour_n, axis=1)[:, neighbour_n]


def _squared_distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the squared distances of all pairs, shape `(n, m)`."""
    squares = np.square(one).sum(axis=1)[:, np.newaxis] + np.square(other).sum(axis=1)
    return np.clip(squares - 2 * one @ other.T, 0, None)
