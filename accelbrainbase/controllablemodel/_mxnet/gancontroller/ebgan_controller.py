"""Energy-based generative adversarial networks."""

from __future__ import annotations

from typing import Any

from mxnet import gluon
from mxnet.initializer import Initializer

from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.computableloss._mxnet.generatorloss.eb_generator_loss import EBGeneratorLoss
from accelbrainbase.controllablemodel._mxnet.gancontroller.pulling_away import PullingAway
from accelbrainbase.observabledata._mxnet.adversarialmodel.discriminative_model import (
    DiscriminativeModel,
)
from accelbrainbase.observabledata._mxnet.adversarialmodel.generative_model import GenerativeModel
from accelbrainbase.samplable_data import SamplableData


class EBGANController(PullingAway):
    r"""Lets a generator and an energy learn in an adversarial game.

    The discriminator, an auto-encoder, gives low energies to true data points and energies of at
    least a margin to generated ones (`EBDiscriminatorLoss`); the generator minimises the energy
    of what it generates, :math:`D(G(z))`. The margin decays by epochs: passes over the true
    data, or turns where their number is not known.

    Args:
        true_sampler: Draws true data points.
        generative_model: The generator.
        discriminative_model: The energy: an `EBDiscriminativeModel`.
        discriminator_loss: What it minimises: an `EBDiscriminatorLoss`.
        feature_matching_loss: As in `GANController`.
        optimizer_name: Name of a Gluon optimiser, for both.
        learning_rate: The learning rate of both.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` turns.
        attenuate_epoch: Number of turns between two attenuations.
        hybridize_flag: Whether the networks are compiled to static graphs.
        scale: Factor on the initial weights that `initializer` draws.
        ctx: The device; that of the generator if omitted.
        initializer: As in `GANController`.
        pulling_away_weight: Factor on the pulling-away term, which keeps generated data points
            different from each other; 0 for none. The paper uses 0.1.
        **kwargs: More arguments of `GANController`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.

    References:
        - Zhao, J., Mathieu, M., & LeCun, Y. (2016). Energy-based generative adversarial
          network. arXiv:1609.03126.
    """

    def __init__(
        self,
        true_sampler: SamplableData,
        generative_model: GenerativeModel,
        discriminative_model: DiscriminativeModel,
        discriminator_loss: gluon.loss.Loss | ComputableLoss,
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
        super().__init__(
            true_sampler=true_sampler,
            generative_model=generative_model,
            discriminative_model=discriminative_model,
            generator_loss=EBGeneratorLoss(),
            discriminator_loss=discriminator_loss,
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
