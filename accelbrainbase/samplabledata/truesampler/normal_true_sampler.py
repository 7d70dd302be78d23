"""The former place of `NormalTrueSampler`, which needs a tensor library."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

_HOME = "accelbrainbase.samplabledata.truesampler._mxnet.normal_true_sampler"


def __getattr__(name: str) -> Any:
    if name != "NormalTrueSampler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(
        f"NormalTrueSampler has moved: import it from `accelbrainbase`, or from `{_HOME}`. "
        f"This path goes with version 3.",
        FutureWarning,
        stacklevel=2,
    )
    return import_module(_HOME).NormalTrueSampler
