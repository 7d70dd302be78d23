"""Classifiers that learn from few labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon

from accelbrainbase._checks import check_integer
from accelbrainbase._mxnet.seeding import seed_by
from accelbrainbase.estimators.network_classifier import NetworkClassifier
from accelbrainbase.iteratabledata._mxnet.arrayiterator.semi_supervised_iterator import (
    SemiSupervisedIterator,
)
from accelbrainbase.learning.falling_rate import FallingRate
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks
from accelbrainbase.observabledata._mxnet.neuralnetworks.autoencoder.ladder_networks import (
    LadderNetworks,
)


class LadderClassifier(NetworkClassifier):
    """Learns classes from few labels and many data points without, by a ladder network.

    Labels are as in scikit-learn's semi-supervised classifiers: -1 means that there is none
    (`None`, NaN and the empty string too). All data points, labelled or not, are denoised.

    Args:
        hidden_units: Number of units of each layer between the data and the classes.
        epochs: Number of passes over all data points.
        batch_size: Number of unlabelled data points in a mini-batch; of labelled ones there are
            as many, or all of them if that is less.
        learning_rate: The learning rate; over the last third of the epochs it falls towards 0.
        optimizer_name: Name of a Gluon optimiser.
        noise_sigma: Standard deviation of the noise at each layer.
        denoising_weights: λ of each level, the data first; `None` for the paper's.
        random_state: Seed of everything random, at least 0: it seeds MXNet's and NumPy's global
            states in `fit`. `None`: they are used as they are.
        ctx: The device.
        model_factory: Returns a model for `(shape of a data point, number of classes)`, instead
            of a dense ladder: one with `learn(iterator, callbacks=…)`, whose `encode(X)` gives the
            probabilities of the classes, such as a `ConvolutionalLadderNetworks`.

    Attributes:
        model_: The model.
        classes_: The classes, sorted.
        n_features_in_: Number of features of a data point.

    Example:
        >>> y = np.full(len(X), -1)
        >>> y[:100] = labels
        >>> LadderClassifier(random_state=0).fit(X, y).score(X_test, y_test)

    References:
        - Rasmus, A., Valpola, H., Honkala, M., Berglund, M., & Raiko, T. (2015). Semi-supervised
          learning with ladder networks. NIPS. arXiv:1507.02672.
    """

    learns_from_unlabeled = True  # what `FewLabels` asks

    def __init__(
        self,
        hidden_units: Sequence[int] = (500, 250),
        *,
        epochs: int = 50,
        batch_size: int = 100,
        learning_rate: float = 2e-3,
        optimizer_name: str = "Adam",
        noise_sigma: float = 0.3,
        denoising_weights: Sequence[float] | None = None,
        random_state: int | None = None,
        ctx: mx.Context | None = None,
        model_factory: Callable[[tuple[int, ...], int], Any] | None = None,
    ) -> None:
        self.hidden_units = hidden_units
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimizer_name = optimizer_name
        self.noise_sigma = noise_sigma
        self.denoising_weights = denoising_weights
        self.random_state = random_state
        self.ctx = ctx
        self.model_factory = model_factory

    def fit(self, X: Any, y: Any) -> LadderClassifier:
        """Learn from labelled and unlabelled data points.

        Args:
            X: Data points, shape `(rows, *features)`; values in [0, 1] or of variance 1 suit.
            y: Labels, shape `(rows,)`; -1 where there is none.

        Returns:
            This classifier.

        Raises:
            TypeError: If `X` are not numbers.
            ValueError: If there are no two classes, or a setting is impossible.
        """
        arr = self._first_data("X", X)
        self._check_labels(y, len(arr))
        if all(label == -1 for label in np.ravel(y)):
            raise ValueError("`y` must have at least two classes, but all rows are marked by -1.")
        seed_by(self.random_state)
        iterator = SemiSupervisedIterator(
            arr, y, epochs=self.epochs, batch_size=self.batch_size, seed=self.random_state,
            ctx=self.ctx,
        )  # fmt: skip
        self.classes_ = np.array(iterator.label_list)
        if len(self.classes_) < 2:
            raise ValueError(f"`y` must have at least two classes, but has {self.classes_}.")
        make = self._make_model if self.model_factory is None else self.model_factory
        self.model_ = make(self.observed_shape_, len(self.classes_))
        self.model_.learn(iterator, callbacks=[FallingRate(2 / 3)])
        return self

    def _probabilities(self, arr: np.ndarray) -> Any:
        return self.model_.encode(arr)

    def _codes(self, arr: np.ndarray) -> Any:
        return self.model_.encode(arr)

    def _make_model(self, shape: tuple[int, ...], class_n: int) -> Any:
        widths = [check_integer("hidden_units", width, low=1) for width in self.hidden_units]
        loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
        encoder = NeuralNetworks(
            loss, units_list=[*widths, class_n],
            activation_list=["relu"] * len(widths) + ["softmax"],
            dropout_rate_list=[0.0] * (len(widths) + 1), ctx=self.ctx,
        )  # fmt: skip
        decoder = NeuralNetworks(
            loss, units_list=[*reversed(widths), int(np.prod(shape))],
            activation_list=["identity"] * (len(widths) + 1),
            dropout_rate_list=[0.0] * (len(widths) + 1), ctx=self.ctx,
        )  # fmt: skip
        return LadderNetworks(
            encoder, decoder, gluon.loss.L2Loss(weight=2.0), supervised_loss=loss,
            denoising_weight_list=self.denoising_weights, noise_sigma=self.noise_sigma,
            optimizer_name=self.optimizer_name, learning_rate=self.learning_rate,
        )  # fmt: skip
