"""A penalty on the gradient of a discriminator, by its input."""

from __future__ import annotations

from typing import Any

from mxnet import autograd, nd

from accelbrainbase._checks import check_number
from accelbrainbase._mxnet.tangent import Tangent


class GradientPenalty:
    r"""Keeps the slope of a critic near a target, on the lines from generated to true points.

    .. math:: \lambda \, (\lVert \nabla_{\hat{x}} D(\hat{x}) \rVert - c)^2, \quad
        \hat{x} = \epsilon x + (1 - \epsilon) G(z), \; \epsilon \sim U(0, 1)

    MXNet cannot differentiate a gradient. But the penalty's gradient by the parameters is that
    of a directional derivative of the network, :math:`v^\top \nabla D(\hat{x})` with the constant
    :math:`v = 2 \lambda (\lVert g \rVert - c)\, g / \lVert g \rVert`, where :math:`g` is the
    gradient; and that derivative is computed forward, by carrying a tangent through the layers.
    So it is exact.

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
        self._tangents: dict[int, tuple[Any, Tangent]] = {}

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
            judged_arr = critic(point_arr)
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
        kept = self._tangents.get(id(network))
        if kept is None or kept[0] is not network:
            kept = (network, Tangent(network))
            self._tangents = {id(network): kept}
        return kept[1]


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
        return slope_arr.reshape((-1,))
