"""Features beside the output of a network, hybridised or not.

A hybridised network runs its Python code once, to trace a graph; a tensor that is kept on
`self` then is a symbol, not data. So the traced graph returns the output *and* the
features, and `__call__`, which runs every time, keeps the features and returns the output
alone. A network within another traces into the outer graph, which returns the features of
all its parts.

Gradients may flow back through features: a loss may be one of features. MXNet's backward pass
then adds up zeros for each of them in every step, whoever uses them. Where it is known that nobody
does (`detached_features`), another graph of the same network keeps them as data.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from mxnet import autograd, nd, sym
from mxnet.gluon import HybridBlock

from accelbrainbase._mxnet.settled import settle

_OF_A_GRAPH = (
    "_cached_graph",
    "_cached_op",
    "_cached_op_args",
    "_in_format",
    "_out_format",
    "_owners",
)
_MOST_GRAPHS = 16
_FOR_INFERENCE = "inference"  # begins the key of a graph
_Hook = TypeVar("_Hook", bound=Callable[..., Any])


class _Owners:
    """The blocks whose features a graph returns, and which of its outputs they are.

    Not a list, which Gluon would take for a container of unregistered children.
    """

    def __init__(self, blocks: tuple[FeatureBlock, ...], places: tuple[int, ...]) -> None:
        self.blocks = blocks
        self.places = places


class _Tape(threading.local):
    """What is known while networks are called.

    Attributes:
        entries: The features noted while a graph is traced; `None` when none is.
        detached: Whether features are data, through which no gradient flows.
        only_infers: Whether graphs are for inference alone.
    """

    entries: list[tuple[FeatureBlock, Any]] | None = None
    detached: bool = False
    only_infers: bool = False


_TAPE = _Tape()
_LOST = object()


@contextmanager
def detached_features() -> Iterator[None]:
    """Let compiled networks that are called within keep features as data: it is faster.

    For use around a loss that no features enter. Networks that are not compiled do not care.
    """
    before, _TAPE.detached = _TAPE.detached, True
    try:
        yield
    finally:
        _TAPE.detached = before


@contextmanager
def graphs_for_inference() -> Iterator[None]:
    """Let compiled networks that are called within have a graph that is for inference alone.

    In it, layers may compute by what is slow in a backward pass (`only_infers`). Calls outside of
    this go by the graph that they had.
    """
    before, _TAPE.only_infers = _TAPE.only_infers, True
    try:
        yield
    finally:
        _TAPE.only_infers = before


def only_infers() -> bool:
    """Tell whether the graph that is being traced is for inference alone."""
    return _TAPE.only_infers


def of_output(hook: _Hook) -> _Hook:
    """Mark a method of a loss which the output of the network enters, and no features.

    Where all methods that make a loss are marked, the network learns with `detached_features`. An
    override is not marked unless it says so: it may be a loss of features.
    """
    hook.of_output = True  # type: ignore[attr-defined]
    return hook


def is_of_output(*hooks: Any) -> bool:
    """Tell whether all of these methods are marked by `of_output`."""
    return all(getattr(hook, "of_output", False) for hook in hooks)


class FeatureBlock(HybridBlock):
    """A block whose `forward_propagation(F, x)` may keep features by `keep_features`.

    `forward_propagation` returns the output alone and can be overridden; `hybrid_forward`
    adds the features to the graph.
    """

    _features: Any = None
    _owners: _Owners | None = None
    _graphs: dict[tuple[Any, ...], dict[str, Any]] | None = None
    _graph_key: tuple[Any, ...] | None = None

    #: Names of attributes that a copy makes anew when it needs them.
    _not_copied: tuple[str, ...] = ("_features", "_owners", "_graphs", "_graph_key")

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy has: all but compiled graphs, and the features of the last pass."""
        settle()
        state = {name: v for name, v in vars(self).items() if name not in self._not_copied}
        state.update(_cached_graph=(), _cached_op=None, _cached_op_args=[])
        return {**state, "_in_format": None, "_out_format": None}

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
        if _TAPE.detached:
            tensors[1:] = [F.BlockGrad(features) for features in tensors[1:]]
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
        symbolic = not isinstance(args[0], nd.NDArray)
        if not symbolic:
            self._change_to(self._key_of(*args))
        output = super().__call__(*args)
        if self._owners is None or not self._owners.blocks or not (self._active or symbolic):
            return output
        if symbolic and _TAPE.entries is not None:
            return output  # traced into the graph of another network, which returns them
        for owner, place in zip(self._owners.blocks, self._owners.places):
            # Not `setattr`, in which Gluon looks for blocks and parameters.
            owner.__dict__["_features"] = _LOST if symbolic else output[place]
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

    # -- graphs that share the parameters -----------------------------------------------

    def _key_of(self, *_args: Any) -> tuple[Any, ...]:
        """Hook: tell which graph serves these inputs.

        Args:
            *_args: The inputs.
        """
        if _TAPE.only_infers:
            return (_FOR_INFERENCE,)
        key = self._graph_key
        if _TAPE.detached or autograd.is_recording() or key is None or key[0] == _FOR_INFERENCE:
            return (_TAPE.detached,)
        return key[:1]  # without gradients one is as good as the other

    def _change_to(self, key: tuple[Any, ...]) -> None:
        if key == self._graph_key:
            return
        graphs = self._graphs if self._graphs is not None else {}
        if self._graph_key is not None:
            graphs[self._graph_key] = {name: getattr(self, name) for name in _OF_A_GRAPH}
        super()._clear_cached_op()
        self._owners = None
        for name, value in graphs.pop(key, {}).items():
            setattr(self, name, value)
        if len(graphs) >= _MOST_GRAPHS:
            del graphs[next(iter(graphs))]
        self.__dict__.update(_graphs=graphs, _graph_key=key)

    def _clear_cached_op(self) -> None:
        super()._clear_cached_op()
        self.__dict__.update(_graphs=None, _graph_key=None)
