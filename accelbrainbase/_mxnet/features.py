"""Features beside the output of a network, hybridised or not.

A hybridised network runs its Python code once, to trace a graph; a tensor that is kept on
`self` then is a symbol, not data. So the traced graph returns the output *and* the
features, and `__call__`, which runs every time, keeps the features and returns the output
alone. A network within another traces into the outer graph, which returns the features of
all its parts.
"""

from __future__ import annotations

import threading
from typing import Any

from mxnet import nd, sym
from mxnet.gluon import HybridBlock


class _Owners:
    """The blocks whose features a graph returns, and which of its outputs they are.

    Not a list, which Gluon would take for a container of unregistered children.
    """

    def __init__(self, blocks: tuple[FeatureBlock, ...], places: tuple[int, ...]) -> None:
        self.blocks = blocks
        self.places = places


class _Tape(threading.local):
    """The features noted while a graph is traced; `None` when none is."""

    entries: list[tuple[FeatureBlock, Any]] | None = None


_TAPE = _Tape()
_LOST = object()


class FeatureBlock(HybridBlock):
    """A block whose `forward_propagation(F, x)` may keep features by `keep_features`.

    `forward_propagation` returns the output alone and can be overridden; `hybrid_forward`
    adds the features to the graph.
    """

    _features: Any = None
    _owners: _Owners | None = None

    def forward_propagation(self, F: Any, x: Any, *args: Any) -> Any:
        """Abstract: compute the output.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: The input.
            *args: More inputs.

        Returns:
            The output.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `forward_propagation`")

    def hybrid_forward(self, F: Any, x: Any, *args: Any) -> Any:
        """Compute the output; while a graph is traced, the features too."""
        if F is not sym or _TAPE.entries is not None:
            return self.forward_propagation(F, x, *args)
        _TAPE.entries = []
        try:
            output = self.forward_propagation(F, x, *args)
            entries = _TAPE.entries
        finally:
            _TAPE.entries = None
        # Each tensor once: every output more costs time in the backward pass.
        tensors = [output]
        places = []
        for _, features in entries:
            known = [place for place, tensor in enumerate(tensors) if tensor is features]
            places.append(known[0] if known else len(tensors))
            if not known:
                tensors.append(features)
        self._owners = _Owners(tuple(owner for owner, _ in entries), tuple(places))
        return tensors if entries else output

    def keep_features(self, features: Any) -> None:
        """Keep the features of this forward pass; for use in `forward_propagation`.

        Args:
            features: A tensor, data or symbol.
        """
        if isinstance(features, nd.NDArray):
            self._features = features
        elif _TAPE.entries is not None:
            _TAPE.entries.append((self, features))
        else:  # within a graph that a foreign block traces, and which cannot return them
            self._features = _LOST

    def __call__(self, *args: Any) -> Any:
        """Compute the output and keep the features."""
        output = super().__call__(*args)
        symbolic = not isinstance(args[0], nd.NDArray)
        if self._owners is None or not self._owners.blocks or not (self._active or symbolic):
            return output
        if symbolic and _TAPE.entries is not None:
            return output  # traced into the graph of another network, which returns them
        for owner, place in zip(self._owners.blocks, self._owners.places):
            owner._features = _LOST if symbolic else output[place]
        return output[0]

    def kept_features(self) -> nd.NDArray:
        """Return what `keep_features` kept in the last forward pass.

        Raises:
            ValueError: If there was no forward pass yet, or its features are out of reach.
        """
        name = type(self).__name__
        if self._features is None:
            raise ValueError(
                f"{name} has no feature points yet. Call `inference(observed_arr)` first."
            )
        if self._features is _LOST:
            raise ValueError(
                f"The feature points of this {name} are out of reach: it was called within a "
                f"hybridised block of another library. Call it directly, or do not hybridise "
                f"that block."
            )
        return self._features
