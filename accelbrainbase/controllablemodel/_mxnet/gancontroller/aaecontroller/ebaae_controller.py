"""Energy-based adversarial auto-encoders."""

from __future__ import annotations

from typing import Any

from mxnet import gluon
from mxnet.initializer import Initializer

from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.computableloss._mxnet.generatorloss.eb_generator_loss import EBGeneratorLoss
from accelbrainbase.controllablemodel._mxnet.gancontroller.aae_controller import AAEController
from accelbrainbase.controllablemodel._mxnet.gancontroller.pulling_away import PullingAway
from accelbrainbase.observabledata._mxnet.adversarialmodel.discriminative_model import (
    DiscriminativeModel,
)
from accelbrainbase.observabledata._mxnet.adversarialmodel.generative_model import GenerativeModel
from accelbrainbase.samplable_data import SamplableData


class EBAAEController(PullingAway, AAEController):
    """An adversarial auto-encoder as the generator, an energy as the discriminator.

    Codes have low energies where the prior is dense. The arguments are those of
    `AAEController` and `EBGANController`.

    Args:
        true_sampler: Draws from the prior.
        generative_model: The auto-encoder, with the samplers that draw the data points.
        discriminative_model: The energy of codes: an `EBDiscriminativeModel`.
        discriminator_loss: What it minimises: an `EBDiscriminatorLoss`.
        reconstruction_loss: How far reconstructions are from the data points.
        feature_matching_loss: As in `GANController`.
        optimizer_name: Name of a Gluon optimiser, for all.
        learning_rate: The learning rate of all.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` turns.
        attenuate_epoch: Number of turns between two attenuations.
        hybridize_flag: Whether the networks are compiled to static graphs.
        scale: Factor on the initial weights that `initializer` draws.
        ctx: The device; that of the generator if omitted.
        initializer: As in `GANController`.
        pulling_away_weight: As in `EBGANController`.
        **kwargs: More arguments of `GANController`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.

    References:
        - Makhzani, A., et al. (2015). Adversarial autoencoders. arXiv:1511.05644.
        - Zhao, J., Mathieu, M., & LeCun, Y. (2016). Energy-based generative adversarial
          network. arXiv:1609.03126.
    """

    def __init__(
        self,
        true_sampler: SamplableData,
        generative_model: GenerativeModel,
        discriminative_model: DiscriminativeModel,
        discriminator_loss: gluon.loss.Loss | ComputableLoss,
        reconstruction_loss: gluon.loss.Loss | ComputableLoss,
        feature_matching_loss: gluon.loss.Loss | ComputableLoss | None = None,
        optimizer_name: str = "SGD",
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        hybridize_flag: bool = True,
        scale: float = 1.0,
        ctx: Any = None,
        initializer: Initializer | None = None,
        *,
        pulling_away_weight: float = 0.0,
        **kwargs: Any,
    ) -> None:
        # By name: the constructor of `PullingAway` is that of `GANController`.
        AAEController.__init__(
            self,
            true_sampler=true_sampler,
            generative_model=generative_model,
            discriminative_model=discriminative_model,
            generator_loss=EBGeneratorLoss(),
            discriminator_loss=discriminator_loss,
            reconstruction_loss=reconstruction_loss,
            feature_matching_loss=feature_matching_loss,
            optimizer_name=optimizer_name,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            hybridize_flag=hybridize_flag,
            scale=scale,
            ctx=ctx,
            initializer=initializer,
            **kwargs,
        )
        self.set_pulling_away(pulling_away_weight)
