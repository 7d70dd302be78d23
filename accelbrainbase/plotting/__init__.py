"""Pictures of models and of what they learn, with matplotlib.

Each function draws on the `Axes` that it is given, or on those of a new figure, and returns
them; none calls `show()`. What is drawn can be an array of NumPy or of a tensor library, and
matplotlib is imported when something is drawn.

Example:
    >>> from accelbrainbase import plotting
    >>> axes = plotting.reconstructions(digits, model.inference(digits))
    >>> axes.figure.savefig("reconstructions.png")
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_FUNCTIONS = {
    "anomaly_scores": "accelbrainbase.plotting.anomalies",
    "feature_maps": "accelbrainbase.plotting.networks",
    "filters": "accelbrainbase.plotting.networks",
    "latent_space": "accelbrainbase.plotting.codes",
    "losses": "accelbrainbase.plotting.curves",
    "maximal_activations": "accelbrainbase.plotting._mxnet.activation_maximization",
    "maximize_activations": "accelbrainbase.plotting._mxnet.activation_maximization",
    "q_values": "accelbrainbase.plotting.curves",
    "reconstructions": "accelbrainbase.plotting.pictures",
    "returns": "accelbrainbase.plotting.curves",
    "samples": "accelbrainbase.plotting.pictures",
}

__all__ = sorted(_FUNCTIONS)


def __getattr__(name: str) -> Any:
    if name not in _FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_FUNCTIONS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
