"""Codes of any auto-encoder, as a step of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import mxnet as mx
import numpy as np

from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase._mxnet.seeding import seed_by
from accelbrainbase.computableloss._mxnet.l2_norm_loss import L2NormLoss
from accelbrainbase.estimators.learned_model import LearnedTransformer
from accelbrainbase.iteratabledata._mxnet.array_iterator import ArrayIterator
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks
from accelbrainbase.observabledata._mxnet.neuralnetworks.auto_encoder import AutoEncoder


class AutoEncoderTransformer(LearnedTransformer):
    """Transforms data to the codes of an auto-encoder, in the place of a PCA.

    Args:
        code_n: Number of units of the code.
        hidden_units: Number of units of each layer between the data and the code; the decoder
            mirrors them. The code and the reconstruction are linear.
        epochs: Number of passes over the data.
        batch_size: Number of data points in a mini-batch.
        learning_rate: The learning rate.
        optimizer_name: Name of a Gluon optimiser.
        random_state: Seed of everything random, at least 0: it seeds MXNet's and NumPy's global
            states in `fit`. `None`: they are used as they are.
        ctx: The device.
        model_factory: Returns a model for the shape of a data point, instead of a dense
            auto-encoder: any with `learn(iterator)`, `encode(X)`, and `inference(X)` that
            reconstructs: a contractive, denoising or convolutional one, a stack, a Boltzmann
            machine.

    Attributes:
        model_: The model.
        n_features_in_: Number of features of a data point.

    Example:
        >>> make_pipeline(AutoEncoderTransformer(16, random_state=0), LogisticRegression())
    """

    def __init__(
        self,
        code_n: int = 16,
        hidden_units: Sequence[int] = (256,),
        *,
        epochs: int = 50,
        batch_size: int = 64,
        learning_rate: float = 2e-3,
        optimizer_name: str = "Adam",
        random_state: int | None = None,
        ctx: mx.Context | None = None,
        model_factory: Callable[[tuple[int, ...]], Any] | None = None,
    ) -> None:
        self.code_n = code_n
        self.hidden_units = hidden_units
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimizer_name = optimizer_name
        self.random_state = random_state
        self.ctx = ctx
        self.model_factory = model_factory

    def fit(self, X: Any, y: Any = None) -> AutoEncoderTransformer:  # noqa: ARG002
        """Learn to reconstruct data points.

        Args:
            X: Data points, shape `(rows, *features)`; values in [0, 1] or of variance 1 suit.
            y: No effect.

        Returns:
            This transformer.

        Raises:
            TypeError: If `X` are not numbers.
            ValueError: If a setting is impossible.
        """
        arr = self._first_data("X", X)
        seed_by(self.random_state)
        make = self._make_model if self.model_factory is None else self.model_factory
        self.model_ = make(self.observed_shape_)
        self.model_.learn(
            ArrayIterator(
                arr,
                epochs=self.epochs,
                batch_size=self.batch_size,
                seed=self.random_state,
                ctx=self.ctx,
            )  # fmt: skip
        )
        return self

    def _codes(self, arr: np.ndarray) -> Any:
        return self.model_.encode(arr)

    def reconstruct(self, X: Any) -> np.ndarray:
        """Return what becomes of data points through the code.

        Args:
            X: Data points, shape `(rows, *features)`.

        Returns:
            Of the same shape.
        """
        return self._by_model(lambda arr: self.model_.inference(arr), X).reshape(np.shape(X))

    def score(self, X: Any, y: Any = None) -> float:  # noqa: ARG002
        """Return minus the mean square of the error of reconstruction; higher is better.

        Args:
            X: Data points, shape `(rows, *features)`.
            y: No effect.
        """
        return -float(np.mean((self.reconstruct(X) - self._more_data("X", X)) ** 2))

    def _make_model(self, shape: tuple[int, ...]) -> AutoEncoder:
        check_is_a("hidden_units", self.hidden_units, Iterable)
        widths = [check_integer("hidden_units", width, low=1) for width in self.hidden_units]
        code_n = check_integer("code_n", self.code_n, low=1)
        encoder, decoder = (
            NeuralNetworks(
                L2NormLoss(),
                units_list=units,
                dropout_rate_list=[0.0] * len(units),
                activation_list=["relu"] * (len(units) - 1) + ["identity"],
                ctx=self.ctx,
            )  # fmt: skip
            for units in ([*widths, code_n], [*reversed(widths), int(np.prod(shape))])
        )
        return AutoEncoder(
            encoder, decoder, L2NormLoss(), optimizer_name=self.optimizer_name,
            learning_rate=self.learning_rate,
        )  # fmt: skip
