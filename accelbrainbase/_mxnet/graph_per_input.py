"""A network that computes differently with different inputs, hybridised or not."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase._mxnet.features import FeatureBlock


class GraphPerInput(FeatureBlock):
    """A block that keeps one compiled graph for each set of inputs it is called with.

    ``block(x)`` and ``block(x, mask)`` are then two graphs that share the parameters, so that
    a network may have another structure in learning (a teacher is an input) than at
    inference. Gluon alone keeps one graph, and refuses other inputs. Where a graph holds a
    loop over the series there is one for each length, of the last few lengths.
    """

    _length: int | None = None

    def __call__(self, x: Any, *args: Any) -> Any:
        """Compute the output; inputs that are `None` count as not given."""
        while args and args[-1] is None:
            args = args[:-1]
        return super().__call__(x, *args)

    def forward(self, x: Any, *args: Any) -> Any:
        """Run the graph of these inputs."""
        if not isinstance(x, nd.NDArray):
            return super().forward(x, *args)
        self.__dict__["_length"] = x.shape[1]
        try:
            return super().forward(x, *args)
        finally:
            self.__dict__["_length"] = None

    def _key_of(self, x: Any, *args: Any) -> tuple[Any, ...]:
        given = tuple(arg is not None for arg in args)
        return (*super()._key_of(x), *given, x.shape[1] if self._needs_length(*given) else None)

    def _needs_length(self, *_given: bool) -> bool:
        """Hook: tell whether the graph depends on the length of the series.

        Args:
            *_given: For each input after the first, whether it is given.
        """
        return False

    def length_of(self, F: Any, x: Any) -> int:
        """Return the length of the series `x`, for a loop over it.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Series, shape `(batch, seq_len, features)`.

        Raises:
            ValueError: If a graph is traced by a foreign block, and `seq_len` is not set.
        """
        if F is nd:
            return int(x.shape[1])
        length = self._length or getattr(self, "seq_len", None)
        if not length:
            raise ValueError(
                f"The length of the series is not known while another block traces its graph. "
                f"Build the {type(self).__name__} with `seq_len`, or do not hybridise that block."
            )
        return int(length)
