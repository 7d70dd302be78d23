"""A model around a network that is injected."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import HybridBlock
from mxnet.gluon.nn import HybridSequential

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.features import FeatureBlock
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase._mxnet.loss_block import LossBlock
from accelbrainbase.computable_loss import ComputableLoss


class InjectedNetwork(GradientBlock):
    """A part of a controller whose network is injected: any Gluon network.

    A controller lets its parts learn. Such a part can also learn alone, by `learn`: as every
    model it then minimises `computable_loss`.

    Args:
        model: The network. Parameters that it has learned stay learned.
        computable_loss: What `learn` minimises; each kind of part has a default.
        **kwargs: The arguments of `GluonLearner`.

    Raises:
        TypeError: If `model` is no `HybridBlock`.

    Attributes:
        model: The network.
    """

    model: Any = None
    _default_xavier_magnitude = 2.0

    def __init__(
        self,
        model: HybridBlock,
        computable_loss: ComputableLoss | gluon.loss.Loss | None = None,
        **kwargs: Any,
    ) -> None:
        check_is_a("model", model, HybridBlock)
        if kwargs.get("ctx") is None:
            kwargs["ctx"] = getattr(model, "ctx_list", None) or getattr(model, "ctx", None)
        if computable_loss is None:
            computable_loss = self._default_loss()
        super().__init__(computable_loss=computable_loss, **kwargs)
        self.model = model
        self.complete()

    @abstractmethod
    def _default_loss(self) -> ComputableLoss | gluon.loss.Loss:
        """Abstract: return what `learn` minimises by default."""

    def forward_propagation(self, F: Any, x: Any) -> Any:  # noqa: ARG002
        """Compute the output of the network.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, *features)`.

        Returns:
            The output, shape `(batch, *output)`.
        """
        layers = list(self.model) if isinstance(self.model, HybridSequential) else []
        if isinstance(self.model, FeatureBlock) or len(layers) < 2:
            return self.model(x)
        for layer in layers[:-1]:
            x = layer(x)
        self.keep_features(x)
        return layers[-1](x)

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """Features of the last forward pass, shape `(batch, *features)`.

        They are those of the network; of a `HybridSequential`, what its last layer gets.
        """
        if isinstance(self.model, FeatureBlock):
            return self.model.kept_features()
        return self.kept_features()

    def extract_feature_points(self) -> nd.NDArray:
        """Return `feature_points_arr`."""
        return self.feature_points_arr

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        if isinstance(self.model, LossBlock):
            self.model._check_input(observed_arr)
        elif observed_arr.ndim < 2 or 0 in observed_arr.shape:
            raise ValueError(
                f"`observed_arr` must have shape (batch, *features), with at least one data "
                f"point, but got {observed_arr.shape}."
            )
