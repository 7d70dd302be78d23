"""The kinds of units by the name of their activation function."""

from __future__ import annotations

from collections.abc import Iterable

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.boltzmann.bernoulli_units import BernoulliUnits
from accelbrainbase._mxnet.boltzmann.gaussian_units import GaussianUnits
from accelbrainbase._mxnet.boltzmann.rectified_units import RectifiedUnits
from accelbrainbase._mxnet.boltzmann.spin_units import SpinUnits
from accelbrainbase._mxnet.boltzmann.stochastic_units import StochasticUnits

VISIBLE_UNITS: tuple[type[StochasticUnits], ...] = (BernoulliUnits, GaussianUnits, SpinUnits)
HIDDEN_UNITS: tuple[type[StochasticUnits], ...] = (BernoulliUnits, RectifiedUnits, SpinUnits)


def units_of(name: str, activation: str, kinds: Iterable[type[StochasticUnits]]) -> StochasticUnits:
    """Return the units whose expectation is the given activation function.

    Args:
        name: Name of the argument, for the message.
        activation: Name of the function.
        kinds: What is possible in this layer.

    Raises:
        TypeError: If `activation` is not text.
        ValueError: If there are no such units.
    """
    check_is_a(name, activation, str)
    found = {kind.activation: kind for kind in kinds}
    if activation not in found:
        listed = ", ".join(f"{key!r} ({kind.kind})" for key, kind in found.items())
        raise ValueError(
            f"`{name}` chooses the kind of units of a Boltzmann machine and must be one of "
            f"{listed}; but got {activation!r}, which is the expectation of no kind of unit."
        )
    return found[activation]()
