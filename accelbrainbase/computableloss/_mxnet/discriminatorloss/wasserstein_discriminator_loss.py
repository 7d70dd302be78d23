"""What the critic of a Wasserstein GAN minimises."""

from __future__ import annotations

from typing import Any

from accelbrainbase.computableloss._mxnet.discriminatorloss.score_loss import ScoreLoss


class WassersteinDiscriminatorLoss(ScoreLoss):
    r"""Minus what the critic's scores of true data points exceed those of generated ones.

    .. math:: L = D(G(z)) - D(x)

    Over critics with a Lipschitz constant of 1, the least loss is minus the Wasserstein
    distance of the two distributions. So the critic needs spectral normalisation or a gradient
    penalty; its last activation is `identity`.

    Args:
        weight: Factor on the loss; `None` is 1.
        batch_axis: The axis of the samples.
        prefix: As in Gluon.
        params: As in Gluon.

    References:
        - Arjovsky, M., Chintala, S., & Bottou, L. (2017). Wasserstein generative adversarial
          networks. International conference on machine learning. Equation 2.
    """

    def true_term(self, F: Any, true_posterior_arr: Any) -> Any:  # noqa: ARG002
        """Return minus the scores."""
        return -true_posterior_arr

    def generated_term(self, F: Any, generated_posterior_arr: Any) -> Any:  # noqa: ARG002
        """Return the scores."""
        return generated_posterior_arr
