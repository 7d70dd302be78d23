"""Classifiers of pictures that adapt to another domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd
from mxnet.gluon import nn

from accelbrainbase._checks import check_integer
from accelbrainbase._mxnet.seeding import seed_by
from accelbrainbase.computableloss._mxnet.drcn_loss import DRCNLoss
from accelbrainbase.computableloss._mxnet.l2_norm_loss import L2NormLoss
from accelbrainbase.estimators.network_classifier import NetworkClassifier
from accelbrainbase.iteratabledata._mxnet.drcn_array_iterator import DRCNArrayIterator
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
    ConvolutionalNeuralNetworks,
)
from accelbrainbase.observabledata._mxnet.convolutionalneuralnetworks.convolutional_auto_encoder import (  # noqa: E501
    ConvolutionalAutoEncoder,
)
from accelbrainbase.observabledata._mxnet.convolutionalneuralnetworks.drc_networks import (
    DRCNetworks,
)
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks


class DRCNClassifier(NetworkClassifier):
    """Learns classes from labelled pictures of one domain, for pictures of another without labels.

    A deep reconstruction-classification network: the encoder serves the classification of the
    source domain and the reconstruction of the target domain. Its layers are convolutions of 5
    and 3 with max-pooling, and a dense layer, the code; the decoder has transposed convolutions.

    Args:
        maps: Number of maps of both convolutions.
        code_n: Number of units of the code.
        epochs: Number of passes over the source domain.
        batch_size: Number of data points of each domain in a mini-batch.
        learning_rate: The learning rate.
        optimizer_name: Name of a Gluon optimiser.
        rc_lambda: Weight of the classification, in [0, 1]; 1 is a classifier of the source domain
            alone.
        reconstruction_weight: Factor on the reconstruction; `None` for twice the number of
            pixels, with which it is the sum of squares, as in the paper.
        dropout_rate: Dropout rate of the code in learning, in [0, 1).
        noiseable_data: Corrupts what is to be reconstructed, as the paper's option.
        random_state: Seed of everything random, at least 0: it seeds MXNet's and NumPy's global
            states in `fit`. `None`: they are used as they are.
        ctx: The device.
        model_factory: Returns a model for `(shape of a data point, number of classes)`, instead
            of the network above: one with `learn(iterator)`, and whose `inference(X)` ends in
            the scores of the classes: a `DRCNetworks` with other parts, or a
            `DomainAdversarialNetworks`.

    Attributes:
        model_: The model.
        classes_: The classes, sorted.
        n_features_in_: Number of features of a data point.

    Example:
        >>> classifier = DRCNClassifier(random_state=0).fit(X_source, y_source, X_target)
        >>> classifier.score(X_target, y_target)

    References:
        - Ghifary, M., Kleijn, W. B., Zhang, M., Balduzzi, D., & Li, W. (2016). Deep
          reconstruction-classification networks for unsupervised domain adaptation. ECCV.
    """

    def __init__(
        self,
        maps: Sequence[int] = (24, 48),
        code_n: int = 100,
        *,
        epochs: int = 20,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        optimizer_name: str = "Adam",
        rc_lambda: float = 0.7,
        reconstruction_weight: float | None = None,
        dropout_rate: float = 0.5,
        noiseable_data: NoiseableData | None = None,
        random_state: int | None = None,
        ctx: mx.Context | None = None,
        model_factory: Callable[[tuple[int, ...], int], Any] | None = None,
    ) -> None:
        self.maps = maps
        self.code_n = code_n
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimizer_name = optimizer_name
        self.rc_lambda = rc_lambda
        self.reconstruction_weight = reconstruction_weight
        self.dropout_rate = dropout_rate
        self.noiseable_data = noiseable_data
        self.random_state = random_state
        self.ctx = ctx
        self.model_factory = model_factory

    def fit(self, X: Any, y: Any, X_target: Any) -> DRCNClassifier:
        """Learn.

        Args:
            X: Pictures of the source domain, shape `(rows, channel, height, width)`, values in
                [0, 1].
            y: Their labels, shape `(rows,)`.
            X_target: Pictures of the target domain, of the same shape.

        Returns:
            This classifier.

        Raises:
            TypeError: If data are not numbers.
            ValueError: If there are no two classes, shapes do not fit, or a setting is impossible.
        """
        source = self._first_data("X", X)
        target = self._more_data("X_target", X_target)
        self._check_labels(y, len(source))
        seed_by(self.random_state)
        iterator = DRCNArrayIterator(
            source, y, target, epochs=self.epochs, batch_size=self.batch_size,
            seed=self.random_state, ctx=self.ctx,
        )  # fmt: skip
        self.classes_ = np.array(iterator.label_list)
        if len(self.classes_) < 2:
            raise ValueError(f"`y` must have at least two classes, but has {self.classes_}.")
        make = self._make_model if self.model_factory is None else self.model_factory
        self.model_ = make(self.observed_shape_, len(self.classes_))
        self.model_.learn(iterator)
        return self

    def _probabilities(self, arr: np.ndarray) -> Any:
        output = self.model_.inference(arr)
        return nd.softmax(output[-1] if isinstance(output, tuple) else output, axis=1)

    def _codes(self, arr: np.ndarray) -> Any:
        return self.model_.encoder.inference(arr)

    def _make_model(self, shape: tuple[int, ...], class_n: int) -> Any:
        if len(shape) != 3 or shape[1] % 4 or shape[2] % 4:
            raise ValueError(
                f"`X` must be pictures of shape (rows, channel, height, width), with a height and "
                f"width that 4 divides, but data points have the shape {shape}. Pad them, or pass "
                f"a `model_factory`."
            )
        if len(self.maps) != 2:
            raise ValueError(
                f"`maps` must be two numbers, for two convolutions, but got {self.maps}. For other "
                f"networks pass a `model_factory`."
            )
        first, second = (check_integer("maps", number, low=1) for number in self.maps)
        inner = (second, shape[1] // 4, shape[2] // 4)
        encoder = self._convolutions(
            [_pooled(first, 5), _pooled(second, 3)], "relu",
            output_nn=self._dense([check_integer("code_n", self.code_n, low=1)], "relu",
                                  self.dropout_rate),
        )  # fmt: skip
        decoder = self._convolutions(
            [
                nn.Conv2DTranspose(first, 4, strides=2, padding=1),
                nn.Conv2DTranspose(shape[0], 4, strides=2, padding=1),
            ],
            "sigmoid", input_nn=self._dense([int(np.prod(inner))], "relu"),
            input_result_channel=inner[0], input_result_height=inner[1],
            input_result_width=inner[2],
        )  # fmt: skip
        weight = self.reconstruction_weight
        return DRCNetworks(
            ConvolutionalAutoEncoder(encoder, decoder, L2NormLoss(), tied_weights_flag=False),
            DRCNLoss(
                rc_lambda=self.rc_lambda,
                reconstruction_weight=2.0 * float(np.prod(shape)) if weight is None else weight,
            ),
            output_nn=self._dense([class_n], "identity"),
            optimizer_name=self.optimizer_name,
            learning_rate=self.learning_rate,
            tied_weights_flag=False,
            noiseable_data=self.noiseable_data,
        )

    def _dense(self, units: list[int], last: str, dropout_rate: float = 0.0) -> NeuralNetworks:
        return NeuralNetworks(
            L2NormLoss(), units_list=units, activation_list=[last],
            dropout_rate_list=[dropout_rate], ctx=self.ctx,
        )  # fmt: skip

    def _convolutions(
        self, layers: list[Any], last: str, **kwargs: Any
    ) -> ConvolutionalNeuralNetworks:
        return ConvolutionalNeuralNetworks(
            L2NormLoss(), hidden_units_list=layers, hidden_activation_list=["relu", last],
            hidden_dropout_rate_list=[0.0, 0.0], ctx=self.ctx, **kwargs,
        )  # fmt: skip


def _pooled(maps: int, size: int) -> nn.HybridSequential:
    block = nn.HybridSequential()
    block.add(nn.Conv2D(maps, size, padding=size // 2), nn.MaxPool2D(2))
    return block
