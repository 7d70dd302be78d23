"""Contractive auto-encoders with convolutions."""

from __future__ import annotations

from accelbrainbase._mxnet.contractive_block import ContractiveBlock
from accelbrainbase.observabledata._mxnet.convolutionalneuralnetworks.convolutional_auto_encoder import (  # noqa: E501
    ConvolutionalAutoEncoder,
)


class ContractiveCAE(ContractiveBlock, ConvolutionalAutoEncoder):
    r"""Learns maps, or a code, that change little when the picture changes.

    .. math:: \min \; \ell(g(h), x) + \lambda \lVert J_f(x) \rVert_F^2, \quad
        J_f(x) = \frac{\partial h}{\partial x}

    (Rifai et al. 2011, equation 5), averaged over the mini-batch; h is what the encoder gives.
    With `higher_order_lambda` the Jacobian is also to change little nearby:
    :math:`\gamma \, E_\epsilon \lVert J_f(x) - J_f(x + \epsilon) \rVert_F^2` (CAE+H).

    The norm is exact, in closed form, for an encoder of one convolution: the squared slopes of
    the units times the squared weights that reach into the picture, so it is right at borders
    too. Deeper encoders, those with an `output_nn`, dropout or batch normalisation too, carry
    `direction_n` random directions forward, which gives it without bias. `penalty` gives it
    exactly, always.

    The penalty belongs to `learn`. Within an adversarial game (`EBGANController`, …) the losses
    of the controller count, and this is a `ConvolutionalAutoEncoder`.

    Args:
        *args: Those of `ConvolutionalAutoEncoder`: `encoder`, `decoder`, `computable_loss`, …
        penalty_lambda: The factor :math:`\lambda`, at least 0.
        higher_order_lambda: The factor :math:`\gamma`; 0 for none.
        higher_order_sigma: Standard deviation of :math:`\epsilon`.
        higher_order_n: Number of draws of it for each data point.
        direction_n: Number of directions in which a Jacobian without closed form is looked at.
        **kwargs: The others of `ConvolutionalAutoEncoder`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown; in learning, if
            the encoder has layers that tangents cannot pass, such as pooling.
        ValueError: If an argument has an impossible value.

    References:
        - Rifai, S., Vincent, P., Muller, X., Glorot, X., & Bengio, Y. (2011). Contractive
          auto-encoders: explicit invariance during feature extraction. ICML.
        - Rifai, S., Mesnil, G., Vincent, P., Muller, X., Bengio, Y., Dauphin, Y., & Glorot, X.
          (2011). Higher order contractive auto-encoder. ECML PKDD.
    """
