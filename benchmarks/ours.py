"""How this library does its side of a workload: through `learn` and `inference`, as users do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def learns(model: Any, iterator: Any) -> Callable[[int], None]:
    """Return what lets `model` take `n` steps on mini-batches of `iterator`, and waits for them.

    One call of `learn` takes all `n`, as one row, so that its fixed cost (copies of the
    parameters that the model is set back to when a loss is not finite) is part of what is timed.
    """
    import accelbrainbase as ab  # before MXNet

    # isort: split
    from mxnet import nd

    class Endless(ab.IteratableData):
        """Passes over the data until `iter_n` mini-batches are drawn: one row."""

        epochs, iter_n = 1, 1

        def generate_learned_samples(self):  # type: ignore[no-untyped-def]
            while True:
                yield from iterator.generate_learned_samples()

        def generate_inferenced_samples(self):  # type: ignore[no-untyped-def]
            yield from ()

    endless = Endless()

    def run(n: int) -> None:
        endless.iter_n = n
        model.learn(endless)
        nd.waitall()  # for the last update too

    return run


def infers(model: Any, arr: Any) -> Callable[[int], None]:
    """Return what lets `model` infer the same mini-batch `n` times, one after the other."""

    def run(n: int) -> None:
        for _ in range(n):
            model.inference(arr).wait_to_read()

    return run
