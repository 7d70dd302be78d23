"""Convolutions and batch normalisation of three dimensions that are right on a CPU.

With oneDNN, MXNet's layers have two defects there:

- `Conv3D` changes the layout of its weight at the first inference; after that `set_data`, and so
  restoring and loading parameters, fails ("Check failed: to.IsDefaultData()");
- the gradient of `BatchNorm` fails for maps of three dimensions ("Check failed: !is_view").

So in our models the former computes with a copy of its weight, and the latter by
MXNet's own operator. Parameters, numbers and files are unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from mxnet.gluon import nn
from mxnet.gluon.nn import conv_layers


def make_maps_safe(layers: Iterable[Any]) -> None:
    """Let layers for maps of three dimensions compute by sound operators.

    Layers whose class overrides `hybrid_forward` are left as they are, and all of them where
    there is no `Conv3D` among them.

    Args:
        layers: All layers of a network.
    """
    layers = list(layers)
    volumes = [layer for layer in layers if isinstance(layer, nn.Conv3D)]
    if not volumes:
        return
    for layer in volumes:
        if type(layer).hybrid_forward is conv_layers._Conv.hybrid_forward:
            layer.hybrid_forward = partial(_convolve, layer)
    for layer in layers:
        native = isinstance(layer, nn.BatchNorm) and type(layer).hybrid_forward is _NORM
        if native and layer._kwargs["axis"] == 1 and not layer.fuse_relu:
            layer.hybrid_forward = partial(_normalise, layer)


_NORM = nn.BatchNorm.hybrid_forward


def _convolve(self: Any, F: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    """Take the place of `hybrid_forward` of a `Conv3D`."""
    return type(self).hybrid_forward(self, F, x, F.identity(weight), bias)


def _normalise(
    self: Any, F: Any, x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any
) -> Any:
    """Take the place of `hybrid_forward` of a `BatchNorm` of channels, of maps of any size.

    Where channels are not the second axis, MXNet takes an operator of its own, which is sound.
    """
    settings = {**self._kwargs, "axis": 2}
    swapped = F.swapaxes(x, dim1=1, dim2=2)
    y = F.BatchNorm(swapped, gamma, beta, running_mean, running_var, name="fwd", **settings)
    return F.swapaxes(y, dim1=1, dim2=2)
