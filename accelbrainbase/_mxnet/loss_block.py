"""A model whose losses are those of an injected loss."""

from __future__ import annotations

from typing import Any

from mxnet import gluon, nd

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.class_targets import compared
from accelbrainbase._mxnet.features import of_output
from accelbrainbase._mxnet.fused_inference import FusedInference
from accelbrainbase._mxnet.learnable_block import LearnableBlock
from accelbrainbase.computable_loss import ComputableLoss


class LossBlock(LearnableBlock):
    """A model whose losses are those of an injected loss, minimised or only recorded.

    Args:
        computable_loss: The loss: a `ComputableLoss`, or any loss of Gluon.
        **kwargs: The arguments of `GluonLearner`.
    """

    _loss: ComputableLoss | gluon.loss.Loss | None = None

    def __init__(self, computable_loss: ComputableLoss | gluon.loss.Loss, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.computable_loss = computable_loss

    @property
    def computable_loss(self) -> Any:
        """The loss: a `ComputableLoss`, or a loss of Gluon."""
        return self._loss

    @computable_loss.setter
    def computable_loss(self, value: ComputableLoss | gluon.loss.Loss) -> None:
        check_is_a("computable_loss", value, (ComputableLoss, gluon.loss.Loss))
        # Adapted to our interface here, once, not at every call. Both are kept out of Gluon's
        # registry of children: a loss has no part in the graph of the network.
        compute = value.compute if isinstance(value, ComputableLoss) else value
        self.__dict__.update(_loss=value, _compute=compute)

    @of_output
    def compute_loss(self, pred_arr: nd.NDArray, labeled_arr: nd.NDArray) -> nd.NDArray:
        """Compute the loss of each sample.

        Args:
            pred_arr: Predictions, shape `(batch, *features)`.
            labeled_arr: The truth.

        Returns:
            Losses of shape `(batch,)`.

        Raises:
            ValueError: If the loss cannot compare the two.
        """
        return compared("computable_loss", self._compute, pred_arr, labeled_arr)

    def _settings(self) -> dict[str, Any]:
        return {"loss": type(self._loss).__name__, **super()._settings()}

    # -- the door ----------------------------------------------------------------------

    def inference(self, observed_arr: Any) -> nd.NDArray:
        """Infer: one forward pass.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`, any batch size.

        Returns:
            The output, shape `(batch, *output)`.
        """
        observed_arr = self.on_device("observed_arr", observed_arr)
        self._check_input(observed_arr)
        return self(observed_arr)

    def optimize_for_inference(self, observed_arr: Any) -> FusedInference:
        """Return a snapshot of the model that infers the same, faster on a CPU.

        Convolution, batch normalisation, activation and shortcut become one operator. Later
        learning does not change the snapshot: call this again.

        Args:
            observed_arr: Some data points, as for `inference`; the snapshot is checked with them.

        Returns:
            An object with `inference(observed_arr)`.

        Raises:
            TypeError: If the model does more at inference than to compute one graph.

        Warns:
            UserWarning: If nothing can be fused here; the snapshot then computes unfused.

        Example:
            >>> fast = model.optimize_for_inference(observed_arr[:32])
            >>> fast.inference(observed_arr)
        """
        return FusedInference(self, observed_arr)

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        """Hook: raise a `ValueError` where `observed_arr` does not fit the network."""

    def _prepare(self, observed_arr: nd.NDArray) -> None:
        self._check_input(observed_arr)
        super()._prepare(observed_arr)
