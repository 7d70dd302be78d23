"""What the discriminator of a GAN with a geometric loss minimises."""

from __future__ import annotations

from typing import Any

from accelbrainbase.computableloss._mxnet.discriminatorloss.score_loss import ScoreLoss


class HingeDiscriminatorLoss(ScoreLoss):
    r"""Hinge loss: scores beyond ±1 are good enough.

    .. math:: L = \max(0, 1 - D(x)) + \max(0, 1 + D(G(z)))

    The discriminator gives scores: its last activation is `identity`. The generator that
    belongs to it minimises `WassersteinGeneratorLoss`.

    Args:
        weight: Factor on the loss; `None` is 1.
        batch_axis: The axis of the samples.
        prefix: As in Gluon.
        params: As in Gluon.

    References:
        - Lim, J. H., & Ye, J. C. (2017). Geometric GAN. arXiv:1705.02894.
        - Miyato, T., Kataoka, T., Koyama, M., & Yoshida, Y. (2018). Spectral normalization for
          generative adversarial networks. ICLR. Equation 16.
    """

    def true_term(self, F: Any, true_posterior_arr: Any) -> Any:
        """Return what the scores lack to 1."""
        return F.relu(1.0 - true_posterior_arr)

    def generated_term(self, F: Any, generated_posterior_arr: Any) -> Any:
        """Return how far the scores are above −1."""
        return F.relu(1.0 + generated_posterior_arr)
