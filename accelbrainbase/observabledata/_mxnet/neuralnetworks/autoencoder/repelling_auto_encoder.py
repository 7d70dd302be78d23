"""Repelling auto-encoders with dense layers."""

from __future__ import annotations

from accelbrainbase._mxnet.repelling_block import RepellingBlock
from accelbrainbase.observabledata._mxnet.neuralnetworks.auto_encoder import AutoEncoder


class RepellingAutoEncoder(RepellingBlock, AutoEncoder):
    r"""Learns codes that point into different directions for different data points.

    .. math:: \min \; \ell(g(h), x) + \lambda \frac{1}{N (N - 1)} \sum_i \sum_{j \ne i}
        \left( \frac{h_i^\top h_j}{\lVert h_i \rVert \lVert h_j \rVert} \right)^2

    The second part is the pulling-away term of Zhao et al. (2016, equation 4), over the N data
    points of a mini-batch. In an energy-based adversarial game it belongs to the loss of the
    generator alone: there give `pulling_away_weight` to `EBGANController`, not this class.

    Args:
        *args: Those of `AutoEncoder`: `encoder`, `decoder`, `computable_loss`, …
        penalty_lambda: The factor :math:`\lambda`, at least 0; the paper uses 0.1.
        **kwargs: The others of `AutoEncoder`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.

    References:
        - Zhao, J., Mathieu, M., & LeCun, Y. (2016). Energy-based generative adversarial
          network. arXiv:1609.03126. Section 2.4.
    """
