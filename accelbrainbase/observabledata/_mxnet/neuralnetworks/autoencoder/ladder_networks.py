"""Ladder networks with dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet import gluon, nd

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase._mxnet.ladder_block import LadderBlock
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks
from accelbrainbase.observabledata._mxnet.neuralnetworks.auto_encoder import AutoEncoder


class LadderNetworks(LadderBlock, AutoEncoder):
    r"""Learns classes from few labels, by denoising the units of all its layers.

    A noisy and a clean encoder share their weights. A decoder denoises each layer of the noisy
    one, from its noisy units :math:`\tilde z^{(l)}` (a lateral connection) and from what comes
    from above; the clean units :math:`z^{(l)}` are the target. So higher layers need not keep
    details, and what helps to denoise is what helps to classify:

    .. math::

        C = -\frac{1}{N} \sum_n \log P(\tilde y = t_n \mid x_n)
            + \sum_{l=0}^{L} \frac{\lambda_l}{N m_l} \sum_n
            \lVert z^{(l)}_n - \hat z^{(l)}_{n, \mathrm{BN}} \rVert^2

    (equation 3 and algorithm 1 of Rasmus et al. 2015). Each layer is batch-normalised without
    parameters, then scaled by its own γ and shifted by its own β. At inference running
    statistics of the clean encoder take the place of those of a batch.

    - With a `supervised_loss`, targets are classes: `encode` gives the top layer (with `softmax`
      their probabilities), `classify` the classes. Without one it is an auto-encoder, and targets
      are what to reconstruct.
    - `inference` gives the denoised data, `feature_points_arr` and `encode` the top layer.
    - The Γ-model denoises the top alone: `denoising_weight_list=[0, …, 0, 2]`. Its decoder is not
      learned. A list of zeros is the baseline: batch normalisation and noise.

    **Labelled and unlabelled data points.** Either apart: a `SemiSupervisedIterator` (or any
    iterator of tuples ``(labelled, label, test, test label, unlabelled)``, as a `DRCNIterator`
    generates) gives both at each step, and both have batch statistics of their own, as in the
    paper. Or in one mini-batch, from any iterator: a one-hot row of zeros, or the class number
    -1, means that there is no label, in test data too. Then the cost of classes is the mean over
    the labelled ones of the mini-batch, and 0 where there is none: where only a share s of the
    mini-batches has labels, the denoising costs weigh 1/s times as much beside it, and
    `train_supervised_loss` is s times the mean of the others. So with few labels let them stand
    apart.

    A mini-batch of a single data point has no deviations to normalise by. Where it is the last one
    of an epoch nothing is learned from it.

    Args:
        encoder: The layers W. Its last one is the top; for classes it has one unit for each, and
            the activation `softmax` (`supervised_loss` is then given what goes into it). Dropout
            is in the noisy path alone.
        decoder: The layers V, which mirror the encoder's: its last one has as many units as the
            data have features. Its activations have no part: the combinator g is in their place.
            Biases and batch normalisations of both are given up; β and the ladder's own take
            their place.
        computable_loss: The cost at the level of the data. The paper's is
            ``gluon.loss.L2Loss(weight=2.0)``, the mean of squares.
        supervised_loss: The loss of the scores, such as
            ``gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)``, or `None`.
        denoising_weight_list: λ of each level, the data first: one more than the encoder has
            layers. If omitted 1000, 10, 0.1, 0.1, …; without `supervised_loss` a thousandth.
        noise_sigma: Standard deviation of the noise at each level.
        noiseable_data: Corrupts the data instead of Gaussian noise.
        statistics_momentum: Weight of the past in the running statistics, in [0, 1).
        **kwargs: The other arguments of `AutoEncoder`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value, or the parts do not mirror each other.

    Attributes:
        alpha: Factor on all denoising costs together; 1 unless it is set.
        noise_sigma: Standard deviation of the noise.
        noiseable_data: What corrupts the data instead, or `None`.

    Example:
        >>> loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
        >>> layers = {"units_list": [500, 10], "activation_list": ["relu", "softmax"]}
        >>> encoder = NeuralNetworks(loss, **layers)
        >>> decoder = NeuralNetworks(loss, units_list=[500, 784])
        >>> model = LadderNetworks(
        ...     encoder, decoder, gluon.loss.L2Loss(weight=2.0), supervised_loss=loss,
        ...     optimizer_name="Adam", learning_rate=0.002,
        ... )
        >>> model.learn(SemiSupervisedIterator(images, labels, batch_size=100))  # -1: no label
        >>> model.classify(new_images)

    References:
        - Rasmus, A., Valpola, H., Honkala, M., Berglund, M., & Raiko, T. (2015). Semi-supervised
          learning with ladder networks. NIPS. arXiv:1507.02672.
        - Valpola, H. (2015). From neural PCA to deep unsupervised learning. arXiv:1411.7783.
    """

    def __init__(
        self,
        encoder: NeuralNetworks,
        decoder: NeuralNetworks,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        *,
        supervised_loss: ComputableLoss | gluon.loss.Loss | None = None,
        denoising_weight_list: Sequence[float] | None = None,
        noise_sigma: float = 0.3,
        noiseable_data: NoiseableData | None = None,
        statistics_momentum: float = 0.99,
        **kwargs: Any,
    ) -> None:
        for name, part in (("encoder", encoder), ("decoder", decoder)):
            check_is_a(name, part, NeuralNetworks)
            if not hasattr(part, "_stack"):
                raise ValueError(
                    f"`{name}` must have layers of its own, but {type(part).__name__} is made of "
                    f"other networks."
                )
        self._check_ladder(
            supervised_loss, denoising_weight_list, noise_sigma, noiseable_data,
            statistics_momentum, len(encoder._stack),
        )  # fmt: skip
        self._init_parts(encoder, decoder, computable_loss, kwargs)

    def _init_parts(
        self, encoder: NeuralNetworks, decoder: NeuralNetworks, loss: Any, kwargs: dict[str, Any]
    ) -> None:
        AutoEncoder.__init__(self, encoder, decoder, loss, **kwargs)
        wanted = encoder.units_list[-2::-1]
        if decoder.units_list[:-1] != wanted:
            raise ValueError(
                f"A ladder needs a decoder which mirrors the encoder: its `units_list` must be "
                f"{[*wanted, 'number of observed features']}, but is {decoder.units_list}."
            )
        widths = [decoder.units_list[-1], *encoder.units_list]
        self._build_ladder(encoder, decoder, widths, False, (encoder, decoder))
        self.complete()

    def _top(self, F: Any, y: Any, h: Any) -> tuple[Any, Any]:  # noqa: ARG002
        is_softmax = self.encoder.activation_list[-1] in ("softmax", "log_softmax")
        return (y if is_softmax else h), h

    def _back(self, F: Any, code: Any, h: Any) -> Any:  # noqa: ARG002
        return h

    def _level_shapes(self, observed_arr: nd.NDArray) -> list[tuple[int, ...]]:  # noqa: ARG002
        return [(width,) for width in self.ladder.widths]

    def _as_levels(self, observed_arr: nd.NDArray) -> nd.NDArray:
        return observed_arr if observed_arr.ndim == 2 else observed_arr.flatten()

    def _as_levels_of(self, F: Any, x: Any) -> Any:
        return F.flatten(x)

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        super()._check_input(observed_arr)
        self._check_width(observed_arr)

    def _check_width(self, observed_arr: nd.NDArray) -> None:
        """Raise unless a data point has as many features as the decoder gives."""
        width = int(observed_arr.size // observed_arr.shape[0])
        if width != self.ladder.widths[0]:
            raise ValueError(
                f"`observed_arr` must have {self.ladder.widths[0]} features for each data point, "
                f"as the last layer of the decoder has units, but got shape "
                f"{observed_arr.shape}."
            )

    def _file_parts(self) -> dict[str, GluonLearner]:
        return {}  # one file: the ladder's own parameters belong to neither part
