"""One step of a learner against finite differences of what each part shall descend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from mxnet import nd

RATE = 0.5


def values_of(block: Any) -> dict[str, np.ndarray]:
    return {name: p.data().asnumpy().copy() for name, p in block.collect_params().items()}


def check_step(
    model: Any, batch: tuple, descended: dict[Any, Callable[[], float]], probes: int = 3
) -> None:
    """Take one step of SGD with `RATE`; compare the change of some values of each parameter.

    `descended` has for each part a function that computes what that part is to descend.
    """
    rng = np.random.default_rng(0)
    expected = []
    for part, objective in descended.items():
        for parameter in part.collect_params().values():
            value = parameter.data().asnumpy()
            for index in rng.choice(value.size, min(probes, value.size), replace=False):
                slope = []
                for step in (1e-2, -1e-2):
                    moved = value.copy()
                    moved.flat[index] += step
                    parameter.set_data(nd.array(moved))
                    slope.append(objective())
                parameter.set_data(nd.array(value))
                expected.append((parameter, index, value.flat[index],
                                 (slope[0] - slope[1]) / 2e-2))  # fmt: skip
    model._train_step(*(nd.array(arr) for arr in batch))
    assert max(abs(slope) for *_, slope in expected) > 1e-2
    for parameter, index, before, slope in expected:
        after = parameter.data().asnumpy().flat[index]
        np.testing.assert_allclose(
            (before - after) / RATE, slope, rtol=2e-2, atol=2e-3, err_msg=parameter.name
        )
