"""A generator whose data points are to differ from each other."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase._checks import check_number
from accelbrainbase._mxnet.pulling_away import pulling_away_term
from accelbrainbase.controllablemodel._mxnet.gan_controller import GANController


class PullingAway(GANController):
    r"""Adds the pulling-away term to what the generator minimises.

    .. math:: f(S) = \frac{1}{N (N - 1)} \sum_i \sum_{j \ne i}
        \left( \frac{S_i^\top S_j}{\lVert S_i \rVert \lVert S_j \rVert} \right)^2

    :math:`S_i` are the features of generated data points: the codes of an auto-encoder.

    Attributes:
        pulling_away_weight: Factor on the term; 0 for none.

    References:
        - Zhao, J., Mathieu, M., & LeCun, Y. (2016). Energy-based generative adversarial
          network. arXiv:1609.03126. Equation 4.
    """

    pulling_away_weight: float = 0.0

    def set_pulling_away(self, weight: float) -> None:
        """Check and set `pulling_away_weight`."""
        self.pulling_away_weight = check_number("pulling_away_weight", weight, low=0.0)

    def _loss_of_generator(self, judged_arr: nd.NDArray) -> Any:
        loss_arr = super()._loss_of_generator(judged_arr)
        if self.pulling_away_weight == 0.0:
            return loss_arr
        term = pulling_away_term(self.discriminative_model.feature_points_arr)
        self._also["pulling_away_term"] = term.detach()
        return nd.broadcast_add(loss_arr, self.pulling_away_weight * term)
