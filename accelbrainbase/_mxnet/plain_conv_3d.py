"""Convolutions in three dimensions whose weights can be set."""

from __future__ import annotations

from typing import Any

from mxnet.gluon import nn


class PlainConv3D(nn.Conv3D):
    """A `Conv3D` that leaves its weight in the plain layout.

    On a CPU, MXNet's own changes the layout of its weight at the first inference; after that
    `set_data`, and so restoring and loading parameters, fails ("Check failed:
    to.IsDefaultData()"). This one computes with a copy. Arguments are those of
    `mxnet.gluon.nn.Conv3D`.
    """

    def hybrid_forward(self, F: Any, x: Any, weight: Any, bias: Any = None) -> Any:
        """Compute the convolution."""
        return super().hybrid_forward(F, x, F.identity(weight), bias)
