"""Adversarial auto-encoders."""

from __future__ import annotations

from typing import Any

from mxnet import autograd, gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.lazy_trainer import LazyTrainer
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.controllablemodel._mxnet.gan_controller import (
    GANController,
    adapted,
    with_penalty,
)
from accelbrainbase.observabledata._mxnet.adversarialmodel.discriminative_model import (
    DiscriminativeModel,
)
from accelbrainbase.observabledata._mxnet.adversarialmodel.generative_model import GenerativeModel
from accelbrainbase.observabledata._mxnet.adversarialmodel.generativemodel.generative_auto_encoder import (  # noqa: E501
    GenerativeAutoEncoder,
)
from accelbrainbase.samplable_data import SamplableData


class AAEController(GANController):
    r"""Lets an auto-encoder learn codes that are spread like a prior.

    The encoder is the generator of an adversarial game, in which codes are the data points and
    `true_sampler` draws from the prior p(z). A turn has the two phases of the paper: the
    *regularisation*, in which the discriminator learns to tell draws of the prior from codes,
    and the encoder to prevent that; and the *reconstruction*, in which encoder and decoder
    minimise the `reconstruction_loss`. Each phase has an optimiser of its own.

    The prior may be any that can be drawn from: `NormalTrueSampler`,
    `GaussianMixtureTrueSampler`, `SwissRollTrueSampler`. Where it draws labels too
    (`labeled=True`), the codes are to be followed by the labels of their data points
    (section 2.3): `generative_model` is a `GenerativeAutoEncoder` with a `label_flag`.

    What the auto-encoder has of its own holds in the reconstruction: its `noiseable_data`, and the
    penalty of a contractive or repelling one.

    The history has one more column, `train_reconstruction_loss`, and where there is a penalty
    `train_reconstruction_penalty`, weighted.

    Args:
        true_sampler: Draws from the prior.
        generative_model: The auto-encoder, with the samplers that draw the data points.
        discriminative_model: The discriminator of codes.
        generator_loss: What the encoder minimises in the regularisation.
        discriminator_loss: What the discriminator minimises.
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
        **kwargs: More arguments of `GANController`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.

    References:
        - Makhzani, A., et al. (2015). Adversarial autoencoders. arXiv:1511.05644.
    """

    generator_trainer = LazyTrainer("encoder")
    reconstruction_trainer = LazyTrainer("generative_model")
    _reconstruction_loss: Any = None

    def __init__(
        self,
        true_sampler: SamplableData,
        generative_model: GenerativeModel,
        discriminative_model: DiscriminativeModel,
        generator_loss: gluon.loss.Loss | ComputableLoss,
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
        **kwargs: Any,
    ) -> None:
        check_is_a("generative_model", generative_model, GenerativeModel)
        for part in ("encoder", "decoder"):
            if not hasattr(generative_model.model, part):
                raise TypeError(
                    f"`generative_model` must be a `GenerativeAutoEncoder`, whose network has an "
                    f"encoder and a decoder, but its `{type(generative_model.model).__name__}` "
                    f"has no `{part}`."
                )
        super().__init__(
            true_sampler=true_sampler,
            generative_model=generative_model,
            discriminative_model=discriminative_model,
            generator_loss=generator_loss,
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
        self.reconstruction_loss = reconstruction_loss

    @property
    def reconstruction_loss(self) -> Any:
        """How far reconstructions are from the data points."""
        return self._reconstruction_loss

    @reconstruction_loss.setter
    def reconstruction_loss(self, value: Any) -> None:
        check_is_a("reconstruction_loss", value, (gluon.loss.Loss, ComputableLoss))
        self.__dict__["_reconstruction_loss"] = adapted(value)

    @property
    def encoder(self) -> Any:
        """The encoder: what generates codes."""
        return self.generative_model.model.encoder

    def train_generator(self) -> tuple[Any, Any]:
        """Let the encoder take one step against the discriminator, then both reconstruct.

        Returns:
            The loss of the encoder against the discriminator, and the posterior of the codes.
        """
        losses = super().train_generator()
        self._also["reconstruction_loss"] = self.train_reconstruction()
        return losses

    def train_reconstruction(self) -> nd.NDArray:
        """Let encoder and decoder take one step on the `reconstruction_loss`.

        Returns:
            The loss of each sample, shape `(batch,)`.
        """
        model = self.generative_model
        with autograd.record():
            if self._has_own_draw():
                _, observed_arr, reconstructed_arr = model.draw()[:3]
                penalty_arr = None
            else:
                observed_arr, reconstructed_arr, penalty_arr = model.draw_in_learning()
            loss_arr = self.reconstruction_loss(reconstructed_arr, observed_arr)
            learned_arr = loss_arr if penalty_arr is None else with_penalty(loss_arr, penalty_arr)
        self.update(learned_arr, observed_arr.shape[0], self.reconstruction_trainer)
        if penalty_arr is not None:
            self._also["reconstruction_penalty"] = penalty_arr.detach()
        self.constrain(model)
        return loss_arr

    def _generate(self) -> nd.NDArray:
        model = self.generative_model
        return model.draw()[0] if self._has_own_draw() else model.draw_code()

    def _has_own_draw(self) -> bool:
        """Tell whether the generator draws in a way of its own: it is of another package."""
        return getattr(type(self.generative_model), "draw", None) is not GenerativeAutoEncoder.draw
