"""A penalty on the gradient of a discriminator, by its input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from mxnet import autograd, nd

from accelbrainbase._checks import check_number
from accelbrainbase._described import Described
from accelbrainbase._mxnet.tangent import Tangent


class GradientPenalty(Described):
    r"""Keeps the slope of a critic near a target, on the lines from generated to true points.

    .. math:: \lambda \, (\lVert \nabla_{\hat{x}} D(\hat{x}) \rVert - c)^2, \quad
        \hat{x} = \epsilon x + (1 - \epsilon) G(z), \; \epsilon \sim U(0, 1)

    MXNet cannot differentiate a gradient. But the penalty's gradient by the parameters is that
    of a directional derivative of the network, :math:`v^\top \nabla D(\hat{x})` with the constant
    :math:`v = 2 \lambda (\lVert g \rVert - c)\, g / \lVert g \rVert`, where :math:`g` is the
    gradient; and that derivative is computed forward, by carrying a tangent through the layers.
    So it is exact. Of a critic with more outputs than one, such as a map of scores, :math:`D` is
    their mean, as it is in the losses.

    Args:
        weight: The factor :math:`\lambda`, above 0.
        target: The slope :math:`c`.

    Raises:
        ValueError: If `weight` is not above 0.

    References:
        - Gulrajani, I., et al. (2017). Improved training of Wasserstein GANs. Advances in
          neural information processing systems, 30. Equation 3, Algorithm 1.
    """

    def __init__(self, weight: float = 10.0, target: float = 1.0) -> None:
        self.weight = check_number("weight", weight, low=0.0, low_open=True)
        self.target = check_number("target", target, low=0.0)
        self._tangents: WeakKeyDictionary[Any, Tangent] = WeakKeyDictionary()

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy has: networks of tangents are made anew for its own critic."""
        return {"weight": self.weight, "target": self.target}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Be a copy."""
        vars(self).update(state, _tangents=WeakKeyDictionary())

    def directions(
        self, critic: Any, true_arr: nd.NDArray, generated_arr: nd.NDArray
    ) -> PenaltyDirections:
        """Draw points between true and generated ones, and look at the slopes there.

        Args:
            critic: The discriminator: a network, or a model whose network is its `model`.
            true_arr: True data points, shape `(batch, *features)`.
            generated_arr: Generated ones; as many count as there are of both.

        Raises:
            TypeError: If a layer of the critic is of a kind that tangents cannot pass.
        """
        size = min(true_arr.shape[0], generated_arr.shape[0])
        full = (size, *(1,) * (true_arr.ndim - 1))
        share = nd.random.uniform(shape=full, ctx=true_arr.context, dtype=true_arr.dtype)
        true_arr, generated_arr = (
            true_arr[:size],
            generated_arr[:size].reshape((size, *true_arr.shape[1:])),
        )
        point_arr = generated_arr + nd.broadcast_mul(share, true_arr - generated_arr)
        return self.at(critic, point_arr)

    def at(self, critic: Any, point_arr: nd.NDArray) -> PenaltyDirections:
        """Look at the slopes at given points.

        Args:
            critic: The discriminator.
            point_arr: Shape `(batch, *features)`.
        """
        tangent = self._tangent_of(critic)
        point_arr = point_arr.copy()
        point_arr.attach_grad()
        with autograd.record():
            judged_arr = _for_each_sample(critic(point_arr))
        (gradient_arr,) = autograd.grad(judged_arr, [point_arr])
        axes = tuple(range(1, gradient_arr.ndim))
        norm_arr = nd.sqrt(nd.sum(nd.square(gradient_arr), axis=axes, keepdims=True) + 1e-12)
        excess_arr = norm_arr - self.target
        direction_arr = nd.broadcast_mul(2.0 * self.weight * excess_arr / norm_arr, gradient_arr)
        value_arr = self.weight * nd.square(excess_arr).reshape((-1,))
        return PenaltyDirections(tangent, point_arr.detach(), direction_arr, value_arr)

    def _tangent_of(self, critic: Any) -> Tangent:
        """Return the network of tangents of a critic, made once."""
        network = getattr(critic, "model", None) or critic
        tangent = self._tangents.get(network)
        if tangent is None:
            tangent = self._tangents[network] = Tangent(network)
        return tangent


class PenaltyDirections:
    """A penalty whose gradient by the parameters can be recorded.

    Attributes:
        value_arr: The penalty of each point, shape `(batch,)`.
    """

    def __init__(
        self,
        tangent: Tangent,
        point_arr: nd.NDArray,
        direction_arr: nd.NDArray,
        value_arr: nd.NDArray,
    ) -> None:
        self.tangent = tangent
        self.point_arr = point_arr
        self.direction_arr = direction_arr
        self.value_arr = value_arr

    def slope(self) -> nd.NDArray:
        """Return what has the penalty's gradient by the parameters, shape `(batch,)`.

        To be recorded by `mxnet.autograd` and added to the losses of the samples.
        """
        _, slope_arr = self.tangent(self.point_arr, self.direction_arr)
        return _for_each_sample(slope_arr)


def _for_each_sample(arr: nd.NDArray) -> nd.NDArray:
    """Average over all axes but the batch, shape `(batch,)`."""
    if arr.size == arr.shape[0]:
        return arr.reshape((-1,))
    return arr.reshape((arr.shape[0], -1)).mean(axis=1)
