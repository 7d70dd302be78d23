"""The interface of initialisers."""

from __future__ import annotations

from abc import ABC

from mxnet.initializer import Initializer


class InitializableParams(Initializer, ABC):
    """Draws the initial values of parameters.

    An `mxnet.initializer.Initializer`: override ``_init_weight(name, arr)``, which fills `arr`.
    """
