"""The former place of `NormalTrueSampler`, which needs a tensor library."""

from __future__ import annotations

from accelbrainbase._deprecation import moved

__getattr__ = moved(
    __name__,
    {"NormalTrueSampler": "accelbrainbase.samplabledata.truesampler._mxnet.normal_true_sampler"},
    until="3",
)
