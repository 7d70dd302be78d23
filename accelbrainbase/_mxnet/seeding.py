"""One seed for everything that draws random numbers."""

from __future__ import annotations

import random

import mxnet as mx
import numpy as np

from accelbrainbase._checks import check_integer


def seed(value: int) -> None:
    """Seed MXNet, NumPy and Python, so that a program repeats bit for bit on a CPU.

    Initial parameters, dropout, noise and the order of mini-batches follow from it.

    Args:
        value: The seed, at least 0. MXNet and NumPy count it modulo 2³².
    """
    number = check_integer("value", value, low=0) % 2**32
    mx.random.seed(number)
    np.random.seed(number)
    random.seed(number)


def seed_by(random_state: int | None) -> None:
    """Seed everything by the `random_state` of an estimator; `None` leaves all as it is.

    Args:
        random_state: The seed, at least 0, or `None`.
    """
    if random_state is not None:
        seed(check_integer("random_state", random_state, low=0))
