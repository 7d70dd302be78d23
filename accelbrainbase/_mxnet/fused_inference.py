"""Inference with operators that are fused."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon, nd
from mxnet.base import MXNetError

from accelbrainbase._mxnet.inference_graph import inference_graph, with_limited_units
from accelbrainbase._mxnet.on_devices import first_of

if TYPE_CHECKING:
    from accelbrainbase._mxnet.loss_block import LossBlock

logger = logging.getLogger(__name__)

_TOLERANCE = 1e-5  # of the fused graph
_PLAIN_TOLERANCE = 1e-4  # of the graph as it is


class FusedInference:
    """Infers what a model infers, faster: a snapshot of it.

    On a CPU, oneDNN computes convolution, batch normalisation, activation and the addition of a
    shortcut as one operator. The parameters are copied: what the model learns afterwards does
    not change this object. `LossBlock.optimize_for_inference` makes it.

    Args:
        model: The model.
        observed_arr: Data points, as for `model.inference`, to compile the graph with. The
            output is compared with the model's.

    Warns:
        UserWarning: If the operators cannot be fused here: on a GPU, without oneDNN, or where
            the numbers would differ by more than 1e-5 of the largest one. The same graph is then
            computed unfused.

    Raises:
        TypeError: If the model does more at inference than to compute one graph.

    Attributes:
        fused: Whether the operators are fused.
    """

    def __init__(self, model: LossBlock, observed_arr: Any) -> None:
        observed_arr = model.on_device("observed_arr", observed_arr)
        with autograd.pause(train_mode=False):
            expected = model.inference(observed_arr)
        if not isinstance(expected, nd.NDArray):
            raise _several_graphs(model)
        self._model = model
        self.fused = False
        observed, output = inference_graph(model, observed_arr)
        reason = self._why_not()
        if reason is None:
            self._block = self._compile(observed, with_limited_units(output))
            reason = self._try_to_fuse(observed_arr, expected)
        if reason is not None:
            warnings.warn(
                f"The operators of this {type(model).__name__} are not fused: {reason}. The "
                f"graph is computed as it is.",
                UserWarning,
                stacklevel=3,
            )
            self._block = self._compile(observed, output)
            self._block.hybridize(static_alloc=True, static_shape=True)
            with autograd.pause(train_mode=False):
                apart = _largest_difference(self._block(observed_arr), expected)
            if not apart <= _PLAIN_TOLERANCE:
                raise _several_graphs(model)

    def _why_not(self) -> str | None:
        if self._model.ctx.device_type == "gpu":
            return "the model is on a GPU, and fusing is oneDNN's, on the CPU"
        if not mx.runtime.Features().is_enabled("MKLDNN"):
            return "this MXNet was built without oneDNN"
        return None

    def _compile(self, observed: Any, output: Any) -> gluon.SymbolBlock:
        with warnings.catch_warnings():  # that the type of the input is not known, which is no harm
            warnings.simplefilter("ignore")
            block = gluon.SymbolBlock(output, observed)
        parameters = self._model.collect_params()
        for name, parameter in block.collect_params().items():
            source = first_of(parameters[name])
            parameter.dtype = source.dtype
            # Through NumPy: the layout of a convolution's weight may be oneDNN's.
            value = nd.array(source.asnumpy(), ctx=self._model.ctx, dtype=source.dtype)
            parameter._load_init(value, self._model.ctx)
        return block

    def _try_to_fuse(self, observed_arr: nd.NDArray, expected: nd.NDArray) -> str | None:
        """Fuse; return why it did not succeed, if so."""
        try:
            with autograd.pause(train_mode=False):
                self._block.optimize_for(
                    observed_arr, backend="MKLDNN", static_alloc=True, static_shape=True
                )
                found = self._block(observed_arr)
                found.wait_to_read()
        except MXNetError as error:
            logger.debug("oneDNN could not fuse", exc_info=error)
            return f"MXNet says: {str(error).splitlines()[-1]}"
        apart = _largest_difference(found, expected)
        if not apart <= _TOLERANCE:
            return f"the numbers differ by {apart:g} of the largest one"
        self.fused = True
        return None

    def inference(self, observed_arr: Any) -> nd.NDArray:
        """Infer.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`, any batch size.

        Returns:
            What the model returned when this object was made, shape `(batch, *output)`.

        Raises:
            ValueError: If the shape does not fit the model.
        """
        observed_arr = self._model.on_device("observed_arr", observed_arr)
        self._model._check_input(observed_arr)
        with autograd.pause(train_mode=False):
            return self._block(observed_arr)

    __call__ = inference


def _several_graphs(model: LossBlock) -> TypeError:
    return TypeError(
        f"`optimize_for_inference` needs a model whose `inference` is one graph, but a "
        f"{type(model).__name__} does more there. Call its `inference`."
    )


def _largest_difference(found: nd.NDArray, expected: nd.NDArray) -> float:
    """Return how far `found` is from what is expected, as a share of the largest number."""
    if found.shape != expected.shape:
        return np.inf
    wanted = expected.asnumpy()
    return float(np.abs(found.asnumpy() - wanted).max() / max(1.0, np.abs(wanted).max()))
