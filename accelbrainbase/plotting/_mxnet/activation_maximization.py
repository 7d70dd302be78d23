"""The inputs that activate a unit most (Erhan et al. 2010)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import mxnet as mx
import numpy as np
from mxnet import autograd, nd

from accelbrainbase._checks import check_integer, check_number
from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase.plotting.pictures import samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TINY = 1e-12
_BISECTIONS = 40  # a float32 has 24 bits


def maximize_activations(
    activation: Callable[[nd.NDArray], nd.NDArray],
    units: Sequence[int],
    shape: Sequence[int],
    *,
    norm: float,
    steps: int = 200,
    step_size: float = 0.1,
    bounds: tuple[float, float] | None = None,
    start: Any = None,
    seed: int = 0,
    ctx: mx.Context | None = None,
) -> np.ndarray:
    r"""Find, for each unit, an input of a given norm that activates it most.

    .. math:: x^* = \arg\max_{x:\, \|x\| = \rho} h_j(x)

    (section 4.1 of the paper), by gradient ascent from a random input. Each step goes
    `step_size` times the norm along the gradient, scaled to length one, and back to the sphere;
    the steps get shorter to the end. The maximum is local: another seed may find another.

    Args:
        activation: Computes the activations, shape `(batch, units)` or `(batch, maps, height,
            width)`, of inputs of shape `(batch, *shape)`: such as `model.encode`, or a Gluon
            block. Of a map its mean counts. Take what goes into a sigmoid or softmax rather
            than what comes out of it: where that is flat, the gradient is lost.
        units: Numbers of the units, counted from 0.
        shape: Shape of one input.
        norm: The norm ρ of the inputs: such as the mean norm of the data.
        steps: Number of steps.
        step_size: Length of the first step, as a share of `norm`.
        bounds: Least and greatest value of the inputs, kept by clipping; then the norm is at
            most `norm`, which must be within reach. `None`: there are none.
        start: Where to begin, shape `(len(units), *shape)`; if omitted, normal noise on the
            sphere.
        seed: Seed of the noise, at least 0.
        ctx: The device; if omitted, the one that models use.

    Returns:
        The inputs, shape `(len(units), *shape)`.

    Raises:
        TypeError: If `activation` is no function.
        ValueError: If there is no such unit, or a setting is out of its range.

    References:
        - Erhan, D., Courville, A., & Bengio, Y. (2010). Understanding representations learned
          in deep architectures. Technical report 1355, Université de Montréal.
    """
    if not callable(activation):
        raise TypeError(
            f"`activation` must be a function such as `model.encode`, but got {activation!r}."
        )
    norm = check_number("norm", norm, low=0.0, low_open=True)
    step_size = check_number("step_size", step_size, low=0.0, low_open=True)
    steps = check_integer("steps", steps, low=1)
    sizes = tuple(check_integer("shape", size, low=1) for size in shape)
    if bounds is not None:
        _check_bounds(bounds, sizes, norm)
    device = resolve_context(ctx)
    x = nd.array(_start(start, len(units), sizes, seed, norm), ctx=device)
    chosen = _one_hot(activation(x), units)
    for step in range(steps):
        x.attach_grad()
        with autograd.record(train_mode=False):
            total = (_of_units(activation(x)) * chosen).sum()
        total.backward()
        length = step_size * norm * (1.0 - step / steps)
        x = x.detach() + _on_sphere(x.grad, length)
        x = _on_sphere(x, norm) if bounds is None else _within(x, bounds, norm)
    return x.asnumpy()


def maximal_activations(
    activation: Callable[[nd.NDArray], nd.NDArray],
    units: Sequence[int],
    shape: Sequence[int],
    *,
    norm: float,
    columns: int = 10,
    picture_shape: tuple[int, ...] | None = None,
    cmap: str = "gray",
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """Draw what `maximize_activations` finds: a picture for each unit.

    Args:
        activation: Computes the activations.
        units: Numbers of the units, counted from 0.
        shape: Shape of one input.
        norm: The norm of the inputs.
        columns: Number of pictures in a row.
        picture_shape: `(height, width)` of a picture, where an input is a row of numbers that
            is no square.
        cmap: Name of matplotlib's colours.
        ax: Axes to draw on; a new figure if omitted.
        **kwargs: More arguments of `maximize_activations`.

    Returns:
        The axes.
    """
    found = maximize_activations(activation, units, shape, norm=norm, **kwargs)
    return samples(found, columns=columns, shape=picture_shape, cmap=cmap, ax=ax)


def _start(start: Any, n: int, sizes: tuple[int, ...], seed: int, norm: float) -> np.ndarray:
    if n == 0:
        raise ValueError("`units` must have at least one entry, but is empty.")
    if start is None:
        drawn = np.random.default_rng(check_integer("seed", seed, low=0)).normal(size=(n, *sizes))
        lengths = np.sqrt(np.square(drawn).reshape(n, -1).sum(axis=1))
        return norm * drawn / lengths.reshape(n, *[1] * len(sizes))
    arr = start.asnumpy() if hasattr(start, "asnumpy") else np.asarray(start)
    if arr.shape != (n, *sizes):
        raise ValueError(f"`start` must have shape {(n, *sizes)}, but has {arr.shape}.")
    return arr


def _of_units(activated: nd.NDArray) -> nd.NDArray:
    """Return one number for each unit: of a map its mean."""
    if activated.ndim > 2:
        return activated.reshape((0, 0, -1)).mean(axis=2)
    return activated


def _one_hot(activated: nd.NDArray, units: Sequence[int]) -> nd.NDArray:
    """Return 1 where a row's unit is, shape `(len(units), units)`."""
    unit_n = activated.shape[1] if activated.ndim > 1 else 0
    for unit in units:
        if not 0 <= check_integer("units", unit) < unit_n:
            raise ValueError(
                f"`units` must be numbers of the {unit_n} units, counted from 0, but one is {unit}."
            )
    return nd.array(np.eye(unit_n)[list(units)], ctx=activated.context)


def _on_sphere(arr: nd.NDArray, length: float) -> nd.NDArray:
    """Return `arr` with each of its entries scaled to the norm `length`."""
    flat = arr.reshape((arr.shape[0], -1))
    lengths = nd.sqrt(nd.square(flat).sum(axis=1, keepdims=True))
    return (flat * (length / nd.maximum(lengths, _TINY))).reshape(arr.shape)


def _check_bounds(bounds: tuple[float, float], sizes: tuple[int, ...], norm: float) -> None:
    if not bounds[0] < bounds[1]:
        raise ValueError(f"`bounds` must be (low, high) with low < high, but got {bounds}.")
    least = abs(_nearest_to_zero(bounds)) * math.sqrt(math.prod(sizes))
    if norm < least:
        raise ValueError(
            f"`norm` must be at least {least:.4g}, that of the smallest input within "
            f"`bounds={bounds}`, but got {norm:g}. Give a larger norm, or other bounds."
        )


def _nearest_to_zero(bounds: tuple[float, float]) -> float:
    return float(np.clip(0.0, *bounds))


def _within(arr: nd.NDArray, bounds: tuple[float, float], norm: float) -> nd.NDArray:
    r"""Return the nearest inputs within the bounds whose norm is at most `norm`.

    Where that is a limit they are :math:`\mathrm{clip}(s x)`, with the s in [0, 1] of which the
    norm is `norm`: what minimises :math:`\|z - x\|^2 + \mu \|z\|^2` within the bounds is
    :math:`\mathrm{clip}(x / (1 + \mu))`. The norm grows with s, so that bisection finds it.
    """
    flat = arr.reshape((arr.shape[0], -1)).asnumpy()
    low, high = np.zeros((len(flat), 1)), np.ones((len(flat), 1))
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        is_short = np.linalg.norm(np.clip(middle * flat, *bounds), axis=1, keepdims=True) <= norm
        low, high = np.where(is_short, middle, low), np.where(is_short, high, middle)
    return nd.array((high * flat).reshape(arr.shape), ctx=arr.context).clip(*bounds)
