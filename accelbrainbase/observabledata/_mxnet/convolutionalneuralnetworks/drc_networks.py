"""Deep reconstruction-classification networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import HybridBlock
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.adaptation_block import AdaptationBlock
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
    ConvolutionalNeuralNetworks,
)
from accelbrainbase.observabledata._mxnet.convolutionalneuralnetworks.convolutional_auto_encoder import (  # noqa: E501
    ConvolutionalAutoEncoder,
)
from accelbrainbase.regularizatable_data import RegularizatableData


class DRCNetworks(AdaptationBlock, ConvolutionalNeuralNetworks):
    r"""A classifier of a labelled domain that adapts to another, unlabelled one.

    .. math:: \min \; \lambda \mathcal{L}_c(f_{lab}(f_{enc}(x^s)), y^s)
        + (1 - \lambda) \mathcal{L}_r(f_{dec}(f_{enc}(\tilde{x}^t)), x^t)

    (Ghifary et al. 2016, section 3): the encoder is shared by the label predictor, which learns
    in the source domain, and the decoder, which learns to reconstruct the target domain. Encoder
    and decoder are those of the auto-encoder that is injected, of whatever kind: what a
    contractive or repelling one, or a ladder, minimises beside the reconstruction is minimised
    here too. (Of a ladder, labels are learned by the noisy path.) The label predictor is
    `output_nn`. Both terms are descended in one step, on a mini-batch of each domain
    (the paper alternates between them).

    Two options of the paper are injected. A `noiseable_data` here makes the auto-encoder denoise:
    :math:`\tilde{x}^t` is a corrupted :math:`x^t`. A `noiseable_data` of the iterator corrupts,
    or augments, the data points of the source domain.

    The history has the columns `loss`, `classification_loss`, `reconstruction_loss` and
    `accuracy`, each of training and of test data. Both terms of the latter are of the test data;
    what the auto-encoder minimises beside is in the training `loss` only.

    Args:
        convolutional_auto_encoder: Its encoder gives what is classified: maps, or a code where
            the encoder ends in an `output_nn`.
        drcn_loss: The loss, such as `DRCNLoss`.
        initializer: Draws the initial values of parameters whose shape is not known yet;
            `None` leaves that to the initialisers of the parts.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        hidden_units_list: No effect: the layers are those of the parts.
        output_nn: The label predictor: a network from what the encoder gives to scores of the
            classes. It must be given.
        hidden_dropout_rate_list: No effect.
        optimizer_name: Name of a Gluon optimiser.
        hidden_activation_list: No effect.
        hidden_batch_norm_list: No effect.
        ctx: The device; that of the auto-encoder if omitted.
        hybridize_flag: Whether the networks are compiled to static graphs.
        regularizatable_data_list: Constraints, applied after each step.
        scale: Factor on the initial weights that `initializer` draws.
        tied_weights_flag: Whether the decoder uses the weights of the encoder, also where the
            auto-encoder was built otherwise.
        tol: By how much the training loss of an epoch may exceed that of the epoch before.
            Beyond it, the learning rate is halved, and a warning goes to the log.
        est: The least rate that such halving may lead to.
        wd: Weight decay, at least 0.
        noiseable_data: Corrupts what the auto-encoder gets of the target domain; `None`: that of
            the auto-encoder, if it has one.
        **kwargs: More arguments of `GluonLearner`: `optimizer_params`, …

    Raises:
        TypeError: If a part is of the wrong type, or a keyword is unknown.
        ValueError: If the weights are to be tied, and the layers do not mirror each other.

    Attributes:
        convolutional_auto_encoder: The auto-encoder.
        compute_acc_flag: Whether the share of right answers is recorded; `True` here.

    Example:
        >>> model = DRCNetworks(auto_encoder, DRCNLoss(), output_nn=classifier)
        >>> model.learn(DRCNArrayIterator(source, labels, target_domain))
        >>> decoded_arr, score_arr = model.inference(target_domain)

    References:
        - Ghifary, M., Kleijn, W. B., Zhang, M., Balduzzi, D., & Li, W. (2016). Deep
          reconstruction-classification networks for unsupervised domain adaptation. ECCV.
    """

    convolutional_auto_encoder: Any = None
    _default_xavier_magnitude: float = 1.0
    _output_nn: Any = None
    _loss_names = ("classification_loss", "reconstruction_loss")
    _loss_columns = (
        "train_loss", "test_loss", "train_classification_loss", "test_classification_loss",
        "train_reconstruction_loss", "test_reconstruction_loss",
    )  # fmt: skip

    def __init__(
        self,
        convolutional_auto_encoder: ConvolutionalAutoEncoder,
        drcn_loss: ComputableLoss | gluon.loss.Loss,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        hidden_units_list: Sequence[HybridBlock] | None = None,
        output_nn: HybridBlock | None = None,
        hidden_dropout_rate_list: Sequence[float] | None = None,
        optimizer_name: str = "SGD",
        hidden_activation_list: Sequence[str] | None = None,
        hidden_batch_norm_list: Sequence[HybridBlock | None] | None = None,
        ctx: Any = None,
        hybridize_flag: bool = True,
        regularizatable_data_list: Sequence[RegularizatableData] | None = None,
        scale: float = 1.0,
        tied_weights_flag: bool = True,
        tol: float = 3.0,
        est: float = 1e-08,
        wd: float | None = 0.0,
        *,
        noiseable_data: NoiseableData | None = None,
        **kwargs: Any,
    ) -> None:
        check_is_a(
            "convolutional_auto_encoder", convolutional_auto_encoder, ConvolutionalAutoEncoder
        )
        check_is_a("output_nn", output_nn, HybridBlock)
        without_effect = {
            "hidden_units_list": hidden_units_list,
            "hidden_dropout_rate_list": hidden_dropout_rate_list,
            "hidden_activation_list": hidden_activation_list,
            "hidden_batch_norm_list": hidden_batch_norm_list,
        }
        kwargs.update((name, value) for name, value in without_effect.items() if value)
        # Not the constructor of the network: the layers are those of the parts.
        AdaptationBlock._set_up(
            self,
            drcn_loss,
            tol,
            est,
            initializer=initializer,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            optimizer_name=optimizer_name,
            ctx=convolutional_auto_encoder.ctx_list if ctx is None else ctx,
            hybridize_flag=hybridize_flag,
            regularizatable_data_list=regularizatable_data_list,
            scale=scale,
            wd=wd,
            **kwargs,
        )
        self.convolutional_auto_encoder = convolutional_auto_encoder
        if noiseable_data is not None:
            self.noiseable_data = noiseable_data
        self.output_nn = output_nn
        self.tied_weights_flag = bool(tied_weights_flag)
        if self.tied_weights_flag:
            self.convolutional_auto_encoder.tie_weights()
        self.complete()

    # -- parts -------------------------------------------------------------------------

    @property
    def noiseable_data(self) -> NoiseableData | None:
        """Corrupts what the auto-encoder gets in learning: its own `noiseable_data`."""
        return self.convolutional_auto_encoder.noiseable_data

    @noiseable_data.setter
    def noiseable_data(self, value: NoiseableData | None) -> None:
        check_is_a("noiseable_data", value, NoiseableData, optional=True)
        self.convolutional_auto_encoder.noiseable_data = value

    @property
    def drcn_loss(self) -> Any:
        """The loss; another name of `computable_loss`."""
        return self.computable_loss

    @drcn_loss.setter
    def drcn_loss(self, value: ComputableLoss | gluon.loss.Loss) -> None:
        self.computable_loss = value

    @read_only
    def encoder(self) -> ConvolutionalNeuralNetworks:
        """The encoder of the auto-encoder, which both tasks share."""
        return self.convolutional_auto_encoder.encoder

    @read_only
    def decoder(self) -> ConvolutionalNeuralNetworks:
        """The decoder of the auto-encoder."""
        return self.convolutional_auto_encoder.decoder

    @read_only
    def hidden_units_list(self) -> list[HybridBlock]:
        """The layers of the auto-encoder."""
        return self.convolutional_auto_encoder.hidden_units_list

    @read_only
    def hidden_activation_list(self) -> list[str]:
        """Name of the activation of each layer of the auto-encoder."""
        return self.convolutional_auto_encoder.hidden_activation_list

    # -- the network -------------------------------------------------------------------

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the reconstruction and the scores of the classes.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, channel, height, width)`.

        Returns:
            A tuple of the reconstruction, shape `(batch, channel, height, width)`, and the
            scores, shape `(batch, classes)`.
        """
        code, decoded = self.convolutional_auto_encoder.code_and_reconstruction(F, x)
        self.keep_features(code)
        return decoded, self._output_nn(code)

    def __call__(self, *args: Any) -> Any:
        """Compute the output and keep the features."""
        output = super().__call__(*args)
        return tuple(output) if isinstance(output, list) else output

    def inference_auto_encoder(self, x: Any) -> nd.NDArray:
        """Reconstruct.

        Args:
            x: NDArray or NumPy array, shape `(batch, channel, height, width)`.

        Returns:
            The reconstruction, of the same shape.
        """
        return self.convolutional_auto_encoder.inference(x)

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """What the encoder gave in the last `inference`."""
        return self.kept_features()

    def _first_layer(self) -> HybridBlock:
        return self.encoder._first_layer()

    def _check_maps(self, observed_arr: nd.NDArray) -> None:
        self.convolutional_auto_encoder._check_maps(observed_arr)

    def _tied_layers(self) -> list[HybridBlock]:
        return self.convolutional_auto_encoder._tied_layers()

    # -- learning ----------------------------------------------------------------------

    def compute_loss(  # type: ignore[override]  # the contract's names
        self,
        decoded_arr: nd.NDArray,
        prob_arr: nd.NDArray,
        batch_observed_arr: nd.NDArray,
        batch_target_arr: nd.NDArray,
    ) -> tuple[nd.NDArray, ...]:
        """Compute the losses of each sample.

        Args:
            decoded_arr: Reconstructions, shape `(batch, channel, height, width)`.
            prob_arr: Scores of the classes, shape `(batch, classes)`.
            batch_observed_arr: What was to be reconstructed.
            batch_target_arr: The classes.

        Returns:
            Total, classification and reconstruction losses, shape `(batch,)` each.
        """
        return self._compute(decoded_arr, prob_arr, batch_observed_arr, batch_target_arr)

    def _losses_of(self, *arrays: nd.NDArray) -> tuple[Any, nd.NDArray]:
        observed_arr, label_arr, target_domain_arr = arrays
        auto_encoder = self.convolutional_auto_encoder
        score_arr = self._output_nn(auto_encoder.codes_in_learning(observed_arr))
        decoded_arr, cost_arr = auto_encoder.reconstruction_in_learning(target_domain_arr)
        losses = self.compute_loss(decoded_arr, score_arr, target_domain_arr, label_arr)
        if cost_arr is not None:
            losses = (nd.broadcast_add(losses[0], nd.mean(cost_arr)), *losses[1:])
        return losses, score_arr

    def _evaluate(self, *arrays: nd.NDArray) -> Any:
        observed_arr, label_arr = arrays
        decoded_arr, score_arr = self.inference(observed_arr)
        losses = self.compute_loss(decoded_arr, score_arr, observed_arr, label_arr)
        return self._recorded(losses, score_arr, label_arr)
