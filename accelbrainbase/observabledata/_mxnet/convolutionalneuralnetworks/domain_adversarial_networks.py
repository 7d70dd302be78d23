"""Classifiers whose features a discriminator cannot tell apart by their domain."""

from __future__ import annotations

from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import HybridBlock

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_is_a, check_number
from accelbrainbase._mxnet.adaptation_block import AdaptationBlock
from accelbrainbase._mxnet.gradient_reversal import reverse_gradient
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
    ConvolutionalNeuralNetworks,
)


class DomainAdversarialNetworks(AdaptationBlock, ConvolutionalNeuralNetworks):
    r"""A classifier of a labelled domain that adapts to another, unlabelled one, by a game.

    The features that the encoder gives go into a label predictor, and, through a reversal of
    gradients, into a discriminator that tells the domains apart (Ganin & Lempitsky 2015). So
    one step lets the discriminator descend its loss, and the encoder ascend it:

    .. math:: \theta_f \leftarrow \theta_f - \mu \left(
        \frac{\partial L_y}{\partial \theta_f} - \lambda \frac{\partial L_d}{\partial \theta_f}
        \right)

    The history has the columns `loss`, `classification_loss`, `adversarial_loss` and `accuracy`;
    test data have no adversarial loss, since they are of one domain.

    Args:
        encoder: Gives the features: maps, or a code where it ends in an `output_nn`.
        output_nn: The label predictor: a network from features to scores of the classes.
        discriminator: A network from features to one number: the probability that they are of
            the source domain, or its logit, as the loss wants it.
        computable_loss: The loss, such as `DomainAdversarialLoss`.
        reversal_strength: The :math:`\lambda`, at least 0. It can be changed while learning, as
            the paper does (section 4).
        tol: By how much the training loss of an epoch may exceed that of the epoch before.
            Beyond it, the learning rate is halved, and a warning goes to the log.
        est: The least rate that such halving may lead to.
        **kwargs: More arguments of `GluonLearner`: `optimizer_name`, `learning_rate`, …

    Raises:
        TypeError: If a part is of the wrong type, or a keyword is unknown.
        ValueError: If `reversal_strength` is below 0.

    Attributes:
        encoder: Gives the features.
        discriminator: Tells the domains apart.

    Example:
        >>> model = DomainAdversarialNetworks(encoder, classifier, judge, DomainAdversarialLoss())
        >>> model.learn(DRCNArrayIterator(source, labels, target_domain))
        >>> score_arr = model.inference(target_domain)

    References:
        - Ganin, Y., & Lempitsky, V. (2015). Unsupervised domain adaptation by backpropagation.
          ICML.
    """

    encoder: Any = None
    discriminator: Any = None
    _uses_all_parts = False  # the discriminator has no part in inference
    _output_nn: Any = None
    _loss_names = ("classification_loss", "adversarial_loss")
    _loss_columns = (
        "train_loss", "test_loss", "train_classification_loss", "test_classification_loss",
        "train_adversarial_loss",
    )  # fmt: skip

    def __init__(
        self,
        encoder: ConvolutionalNeuralNetworks,
        output_nn: HybridBlock,
        discriminator: HybridBlock,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        *,
        reversal_strength: float = 1.0,
        tol: float = 3.0,
        est: float = 1e-08,
        **kwargs: Any,
    ) -> None:
        check_is_a("encoder", encoder, ConvolutionalNeuralNetworks)
        check_is_a("output_nn", output_nn, HybridBlock)
        check_is_a("discriminator", discriminator, HybridBlock)
        kwargs.setdefault("ctx", encoder.ctx_list)
        # Not the constructor of the network: the layers are those of the parts.
        AdaptationBlock._set_up(self, computable_loss, tol, est, **kwargs)
        self.reversal_strength = reversal_strength
        self.encoder = encoder
        self.output_nn = output_nn
        self.discriminator = discriminator
        self.complete()

    @property
    def reversal_strength(self) -> float:
        """How much the encoder learns against the discriminator, at least 0."""
        return self._reversal_strength

    @reversal_strength.setter
    def reversal_strength(self, value: float) -> None:
        self._reversal_strength = check_number("reversal_strength", value, low=0.0)

    @read_only
    def hidden_units_list(self) -> list[HybridBlock]:
        """The layers of the encoder."""
        return self.encoder.hidden_units_list

    @read_only
    def hidden_activation_list(self) -> list[str]:
        """Name of the activation of each layer of the encoder."""
        return self.encoder.hidden_activation_list

    def forward_propagation(self, F: Any, x: Any) -> Any:  # noqa: ARG002
        """Compute the scores of the classes.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, channel, height, width)`.

        Returns:
            The scores, shape `(batch, classes)`.
        """
        code = self.encoder(x)
        self.keep_features(code)
        return self._output_nn(code)

    def _first_layer(self) -> HybridBlock:
        return self.encoder._first_layer()

    def _check_maps(self, observed_arr: nd.NDArray) -> None:
        self.encoder._check_maps(observed_arr)

    def _tied_layers(self) -> list[HybridBlock]:
        return self.encoder._tied_layers()

    # -- learning ----------------------------------------------------------------------

    def compute_loss(self, *arrays: nd.NDArray) -> Any:
        """Compute the losses of each sample.

        Args:
            *arrays: Scores and classes; what the discriminator gives for both domains.

        Returns:
            Total, classification and adversarial losses, shape `(batch,)` each.
        """
        return self._compute(*arrays)

    def _judge(self, code_arr: nd.NDArray) -> nd.NDArray:
        return self.discriminator(reverse_gradient(nd, code_arr, self.reversal_strength))

    def _losses_of(self, *arrays: nd.NDArray) -> tuple[Any, nd.NDArray]:
        observed_arr, label_arr, target_domain_arr = arrays
        source_arr, target_arr = self.encoder(observed_arr), self.encoder(target_domain_arr)
        score_arr = self._output_nn(source_arr)
        judged = self._judge(source_arr), self._judge(target_arr)
        return self.compute_loss(score_arr, label_arr, *judged), score_arr

    def _try(self, observed_arr: nd.NDArray) -> nd.NDArray:
        output = super()._try(observed_arr)
        # The other head gets its shapes too, so that all can be saved after the first pass.
        if any(p._deferred_init for p in self.discriminator.collect_params().values()):
            self.discriminator(self.kept_features())
        return output

    def _evaluate(self, *arrays: nd.NDArray) -> Any:
        observed_arr, label_arr = arrays
        score_arr = self.inference(observed_arr)
        judged_arr = nd.zeros((observed_arr.shape[0], 1), ctx=self.ctx)
        classification_arr = self.compute_loss(score_arr, label_arr, judged_arr, judged_arr)[1]
        return self._recorded((classification_arr, classification_arr), score_arr, label_arr)
