"""The discriminator of an adversarial game."""

from __future__ import annotations

from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import HybridBlock
from mxnet.initializer import Initializer

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.spectral_normalization import SpectralNormalization
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.adversarial_model import AdversarialModel


class DiscriminativeModel(AdversarialModel):
    r"""Judges whether data points are true or generated.

    Its network ends in one unit: with `sigmoid`, for the probability of being true, or with
    `identity`, for a logit or score, where the losses of the controller are to match.

    Learning alone it is a classifier: the target is 1 for true and 0 for generated data points,
    shape `(batch, 1)`.

    Args:
        model: The network.
        initializer: Draws the initial values of parameters whose shape is not known yet;
            `None` leaves that to the network.
        learning_rate: The learning rate of `learn`; in a game that of the controller counts.
        optimizer_name: Name of a Gluon optimiser, likewise.
        hybridize_flag: Whether the network is compiled to a static graph.
        scale: Factor on the initial weights that `initializer` draws.
        ctx: The device; that of `model` if omitted.
        computable_loss: What `learn` minimises: binary cross-entropy of probabilities if
            omitted.
        spectral_normalization_flag: Whether the weights of all dense layers and convolutions
            are divided by their largest singular value, so that the network is Lipschitz with
            constant 1 (where its activations are).
        **kwargs: More arguments of `GluonLearner`.

    Raises:
        TypeError: If `model` is no `HybridBlock`, or a keyword is unknown.

    References:
        - Goodfellow, I., et al. (2014). Generative adversarial nets. Advances in neural
          information processing systems, 27.
        - Miyato, T., Kataoka, T., Koyama, M., & Yoshida, Y. (2018). Spectral normalization for
          generative adversarial networks. ICLR.
    """

    _spectral: SpectralNormalization | None = None

    def __init__(
        self,
        model: HybridBlock,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        optimizer_name: str = "SGD",
        hybridize_flag: bool = True,
        scale: float = 1.0,
        ctx: Any = None,
        *,
        computable_loss: ComputableLoss | gluon.loss.Loss | None = None,
        spectral_normalization_flag: bool = False,
        **kwargs: Any,
    ) -> None:
        if spectral_normalization_flag:
            check_is_a("model", model, HybridBlock)
            self.__dict__["_spectral"] = SpectralNormalization(model)
        super().__init__(
            model=model,
            computable_loss=computable_loss,
            initializer=initializer,
            learning_rate=learning_rate,
            optimizer_name=optimizer_name,
            hybridize_flag=hybridize_flag,
            scale=scale,
            ctx=ctx,
            **kwargs,
        )

    def _default_loss(self) -> ComputableLoss | gluon.loss.Loss:
        return gluon.loss.SigmoidBinaryCrossEntropyLoss(from_sigmoid=True)

    def _train_step(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        self.prepare_step()
        return super()._train_step(observed_arr, target_arr)

    def prepare_step(self) -> None:
        """Follow the singular vectors of the weights. Controllers call it before each step."""
        if self._spectral is not None:
            self._spectral.follow()
