"""Contractive auto-encoders with dense layers."""

from __future__ import annotations

from accelbrainbase._mxnet.contractive_block import ContractiveBlock
from accelbrainbase.observabledata._mxnet.neuralnetworks.auto_encoder import AutoEncoder


class ContractiveAutoEncoder(ContractiveBlock, AutoEncoder):
    r"""Learns codes that change little when the data point changes.

    .. math:: \min \; \ell(g(h), x) + \lambda \lVert J_f(x) \rVert_F^2, \quad
        J_f(x) = \frac{\partial h}{\partial x}

    (Rifai et al. 2011, equation 5), averaged over the mini-batch. What the reconstruction needs
    keeps the codes from shrinking along the data; in all other directions they contract. With
    `higher_order_lambda` the Jacobian is also to change little nearby:
    :math:`\gamma \, E_\epsilon \lVert J_f(x) - J_f(x + \epsilon) \rVert_F^2` (CAE+H).

    The norm is exact, in closed form, for an encoder of one dense layer. Deeper encoders, those
    with dropout or batch normalisation too, carry `direction_n` random directions forward, which
    gives it without bias. `penalty` gives it exactly, always.

    How large `penalty_lambda` should be depends on the loss: `L2NormLoss`, near 0.1, needs a
    hundredth of what a cross-entropy summed over pixels does. Tied weights
    (`tied_weights_flag=True`, as in the paper) keep the encoder from shrinking while the decoder
    makes up for it.

    Args:
        *args: Those of `AutoEncoder`: `encoder`, `decoder`, `computable_loss`, …
        penalty_lambda: The factor :math:`\lambda`, at least 0.
        higher_order_lambda: The factor :math:`\gamma`; 0 for none.
        higher_order_sigma: Standard deviation of :math:`\epsilon`.
        higher_order_n: Number of draws of it for each data point.
        direction_n: Number of directions in which a Jacobian without closed form is looked at.
        **kwargs: The others of `AutoEncoder`.

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
