"""Self-supervised domain adaptation with a discriminator of domains."""

from __future__ import annotations

from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import HybridBlock
from mxnet.initializer import Initializer

from accelbrainbase._checks import check_is_a, check_number
from accelbrainbase._mxnet.gradient_reversal import reverse_gradient
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.controllablemodel._mxnet.ssda_controller import SSDAController
from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
    ConvolutionalNeuralNetworks,
)


class AdversarialSSDAController(SSDAController):
    r"""An `SSDAController` whose encoder also learns against a discriminator of domains.

    The discriminator learns to tell features of the two domains apart; the encoder learns that
    it cannot, in the same step, by a reversal of gradients between them (Ganin & Lempitsky 2015).
    What it compares are features of samples of the pretext task of both domains, so that it
    cannot go by what the task does to the pictures; without `pretext_source_flag`, it compares
    those of the target domain with the data points of the source domain as they are.

    The history has one more column, `train_adversarial_loss`: what the discriminator pays. Test
    data have none, since they are of one domain.

    Args:
        encoder: As in `SSDAController`.
        classifier: As in `SSDAController`.
        pretext_task_model: As in `SSDAController`.
        discriminator: A network from features to one number: the probability that they are of
            the source domain, or its logit, as the loss wants it.
        adversarial_ssda_loss: The loss, such as `AdversarialSSDALoss`.
        initializer: As in `SSDAController`.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        optimizer_name: Name of a Gluon optimiser.
        ctx: The device; that of the encoder if omitted.
        hybridize_flag: Whether the networks are compiled to static graphs.
        scale: Factor on the initial weights that `initializer` draws.
        tol: As in `SSDAController`.
        est: As in `SSDAController`.
        wd: Weight decay, at least 0.
        reversal_strength: How much the encoder learns against the discriminator, at least 0: the
            factor on the reversed gradient. It can be changed while learning.
        **kwargs: More arguments of `SSDAController`: `pretext_source_flag`, …

    Raises:
        TypeError: If a part is of the wrong type, or a keyword is unknown.
        ValueError: If `reversal_strength` is below 0.

    Attributes:
        discriminator: Tells the domains apart.

    References:
        - Ganin, Y., & Lempitsky, V. (2015). Unsupervised domain adaptation by backpropagation.
          ICML.
        - Sun, Y., Tzeng, E., Darrell, T., & Efros, A. A. (2019). Unsupervised domain adaptation
          through self-supervision. arXiv:1909.11825.
    """

    discriminator: Any = None
    _loss_names = ("classification_loss", "pretext_loss", "adversarial_loss")
    _loss_columns = (*SSDAController._loss_columns, "train_adversarial_loss",
                     "test_adversarial_loss")  # fmt: skip
    _reversal_strength: float = 1.0

    def __init__(
        self,
        encoder: ConvolutionalNeuralNetworks,
        classifier: HybridBlock,
        pretext_task_model: HybridBlock,
        discriminator: HybridBlock,
        adversarial_ssda_loss: ComputableLoss | gluon.loss.Loss,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        optimizer_name: str = "SGD",
        ctx: Any = None,
        hybridize_flag: bool = True,
        scale: float = 1.0,
        tol: float = 3.0,
        est: float = 1e-08,
        wd: float | None = 0.0,
        *,
        reversal_strength: float = 1.0,
        **kwargs: Any,
    ) -> None:
        check_is_a("discriminator", discriminator, HybridBlock)
        self._parts = (discriminator, reversal_strength)
        super().__init__(
            encoder=encoder,
            classifier=classifier,
            pretext_task_model=pretext_task_model,
            ssda_loss=adversarial_ssda_loss,
            initializer=initializer,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            optimizer_name=optimizer_name,
            ctx=ctx,
            hybridize_flag=hybridize_flag,
            scale=scale,
            tol=tol,
            est=est,
            wd=wd,
            **kwargs,
        )

    def _set_up_parts(self) -> None:
        self.discriminator, self.reversal_strength = self._parts
        del self._parts

    @property
    def adversarial_ssda_loss(self) -> Any:
        """The loss; another name of `computable_loss`."""
        return self.computable_loss

    @adversarial_ssda_loss.setter
    def adversarial_ssda_loss(self, value: ComputableLoss | gluon.loss.Loss) -> None:
        self.computable_loss = value

    @property
    def reversal_strength(self) -> float:
        """How much the encoder learns against the discriminator, at least 0."""
        return self._reversal_strength

    @reversal_strength.setter
    def reversal_strength(self, value: float) -> None:
        self._reversal_strength = check_number("reversal_strength", value, low=0.0)

    def compute_loss(  # type: ignore[override]  # the contract's names
        self,
        pretext_pred_arr: nd.NDArray,
        pred_arr: nd.NDArray,
        pretext_label_arr: nd.NDArray,
        label_arr: nd.NDArray,
        source_posterior_arr: nd.NDArray,
        target_posterior_arr: nd.NDArray,
    ) -> tuple[nd.NDArray, ...]:
        """Compute the losses of each sample.

        Args:
            pretext_pred_arr: Scores of the pretext task, shape `(batch, answers)`; of several
                questions, `(batch, questions, answers)`.
            pred_arr: Scores of the classes, shape `(batch, classes)`.
            pretext_label_arr: Answers of the pretext task, one-hot.
            label_arr: The classes.
            source_posterior_arr: What the discriminator gives for the source domain.
            target_posterior_arr: What it gives for the target domain.

        Returns:
            Total, classification, pretext and adversarial losses, shape `(batch,)` each.
        """
        return self._compute(
            pretext_pred_arr, pred_arr, pretext_label_arr, label_arr,
            source_posterior_arr, target_posterior_arr,
        )  # fmt: skip

    def _heads(self) -> list[HybridBlock]:
        return [*super()._heads(), self.discriminator]

    def _judged(
        self, source_code_arr: nd.NDArray, target_code_arr: nd.NDArray
    ) -> tuple[nd.NDArray, ...]:
        return tuple(
            self.discriminator(reverse_gradient(nd, code_arr, self.reversal_strength))
            for code_arr in (source_code_arr, target_code_arr)
        )

    def _compute_held_out(self, *arrays: nd.NDArray) -> Any:
        nothing_arr = nd.zeros((arrays[1].shape[0], 1), ctx=self.ctx)
        losses = self._compute(*arrays, nothing_arr, nothing_arr)
        return losses[1] + losses[2], *losses[1:3]
