"""What the discriminator of a least-squares GAN minimises."""

from __future__ import annotations

from typing import Any

from accelbrainbase.computableloss._mxnet.discriminatorloss.score_loss import ScoreLoss


class LeastSquaresDiscriminatorLoss(ScoreLoss):
    r"""Squared distance of scores from 1 for true, and from 0 for generated data points.

    .. math:: L = \tfrac12 (D(x) - 1)^2 + \tfrac12 D(G(z))^2

    The discriminator gives scores: its last activation is `identity`.

    Args:
        weight: Factor on the loss; `None` is 1.
        batch_axis: The axis of the samples.
        prefix: As in Gluon.
        params: As in Gluon.

    References:
        - Mao, X., et al. (2017). Least squares generative adversarial networks. Proceedings
          of the IEEE international conference on computer vision. Equation 9.
    """

    def true_term(self, F: Any, true_posterior_arr: Any) -> Any:
        """Return half of the squared distance from 1."""
        return 0.5 * F.square(true_posterior_arr - 1.0)

    def generated_term(self, F: Any, generated_posterior_arr: Any) -> Any:
        """Return half of the square."""
        return 0.5 * F.square(generated_posterior_arr)
