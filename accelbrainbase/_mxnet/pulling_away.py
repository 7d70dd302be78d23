"""The pulling-away term of Zhao et al. (2016)."""

from __future__ import annotations

from mxnet import nd


def pulling_away_term(feature_arr: nd.NDArray) -> nd.NDArray:
    r"""Return the mean squared cosine between the features of different samples, shape `(1,)`.

    .. math:: f(S) = \frac{1}{N (N - 1)} \sum_i \sum_{j \ne i}
        \left( \frac{S_i^\top S_j}{\lVert S_i \rVert \lVert S_j \rVert} \right)^2

    Args:
        feature_arr: Features, shape `(batch, *features)`.

    References:
        - Zhao, J., Mathieu, M., & LeCun, Y. (2016). Energy-based generative adversarial
          network. arXiv:1609.03126. Equation 4.
    """
    size = feature_arr.shape[0]
    flat_arr = feature_arr.reshape((size, -1))
    length_arr = nd.sqrt(nd.sum(nd.square(flat_arr), axis=1, keepdims=True) + 1e-12)
    unit_arr = nd.broadcast_div(flat_arr, length_arr)
    cosine_arr = nd.FullyConnected(unit_arr, unit_arr, num_hidden=size, no_bias=True)
    own_arr = nd.sum(nd.square(unit_arr), axis=1)  # 1, or 0 where there are no features
    others = nd.sum(nd.square(cosine_arr)) - nd.sum(nd.square(own_arr))
    return others / max(1, size * (size - 1))
