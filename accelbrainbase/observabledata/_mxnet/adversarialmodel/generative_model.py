"""The generator of an adversarial game."""

from __future__ import annotations

from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import HybridBlock
from mxnet.initializer import Initializer

from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.computableloss._mxnet.l2_norm_loss import L2NormLoss
from accelbrainbase.observabledata._mxnet.adversarial_model import AdversarialModel
from accelbrainbase.samplable_data import SamplableData
from accelbrainbase.samplabledata.joining import join


class GenerativeModel(AdversarialModel):
    r"""Makes data points out of noise, and out of conditions where there are any.

    Without a condition sampler, :math:`G(z)`. With one whose `model` is `None`, noise is added
    to the condition, :math:`G(y + z)`: an image is turned into another. With one that has a
    `model`, :math:`G(m(y) + z)` joined with :math:`y`, so that the discriminator sees both. To
    condition on labels, as Mirza & Osindero do, see `ConditionalGenerativeModel`.

    Learning alone, it learns to map what it gets to the target.

    Args:
        noise_sampler: Draws the noise; `None` for none, where a condition is drawn.
        model: The network.
        initializer: Draws the initial values of parameters whose shape is not known yet;
            `None` leaves that to the network.
        condition_sampler: Draws the conditions, or `None`.
        conditonal_dim: The axis on which generated data points and conditions are joined.
        learning_rate: The learning rate of `learn`; in a game that of the controller counts.
        optimizer_name: Name of a Gluon optimiser, likewise.
        hybridize_flag: Whether the network is compiled to a static graph.
        scale: Factor on the initial weights that `initializer` draws.
        ctx: The device; that of `model` if omitted.
        computable_loss: What `learn` minimises: `L2NormLoss` if omitted.
        **kwargs: More arguments of `GluonLearner`.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If there is neither noise nor a condition.

    Attributes:
        conditonal_dim: The axis on which generated data points and conditions are joined.

    References:
        - Goodfellow, I., et al. (2014). Generative adversarial nets. Advances in neural
          information processing systems, 27.
    """

    conditonal_dim: int = 1
    _noise_sampler: Any = None
    _condition_sampler: Any = None

    def __init__(
        self,
        noise_sampler: SamplableData | None,
        model: HybridBlock,
        initializer: Initializer | None = None,
        condition_sampler: SamplableData | None = None,
        conditonal_dim: int = 1,
        learning_rate: float = 1e-05,
        optimizer_name: str = "SGD",
        hybridize_flag: bool = True,
        scale: float = 1.0,
        ctx: Any = None,
        *,
        computable_loss: ComputableLoss | gluon.loss.Loss | None = None,
        **kwargs: Any,
    ) -> None:
        check_is_a("noise_sampler", noise_sampler, SamplableData, optional=True)
        check_is_a("condition_sampler", condition_sampler, SamplableData, optional=True)
        if noise_sampler is None and condition_sampler is None:
            raise ValueError(
                "`noise_sampler` and `condition_sampler` are both None: the generator would have "
                "nothing to start from. Pass a sampler, such as a NormalNoiseSampler."
            )
        # Kept out of Gluon's children: samplers have no part in the graph.
        self.__dict__.update(_noise_sampler=noise_sampler, _condition_sampler=condition_sampler)
        super().__init__(
            model=model,
            computable_loss=computable_loss,
            initializer=initializer,
            learning_rate=learning_rate,
            optimizer_name=optimizer_name,
            hybridize_flag=hybridize_flag,
            scale=scale,
            ctx=ctx,
            **kwargs,
        )
        self.conditonal_dim = check_integer("conditonal_dim", conditonal_dim, low=1)

    def _default_loss(self) -> ComputableLoss | gluon.loss.Loss:
        return L2NormLoss()

    # -- samplers ----------------------------------------------------------------------

    @property
    def noise_sampler(self) -> Any:
        """Draws the noise, or `None`."""
        return self._noise_sampler

    @noise_sampler.setter
    def noise_sampler(self, value: SamplableData | None) -> None:
        check_is_a("noise_sampler", value, SamplableData, optional=True)
        self.__dict__["_noise_sampler"] = value

    @property
    def condition_sampler(self) -> Any:
        """Draws the conditions, or `None`."""
        return self._condition_sampler

    @condition_sampler.setter
    def condition_sampler(self, value: SamplableData | None) -> None:
        check_is_a("condition_sampler", value, SamplableData, optional=True)
        self.__dict__["_condition_sampler"] = value

    @property
    def conditon_sampler(self) -> Any:
        """`condition_sampler`, as 1.1.0 spelt it."""
        return self.condition_sampler

    @conditon_sampler.setter
    def conditon_sampler(self, value: SamplableData | None) -> None:
        self.condition_sampler = value

    # The network of the condition sampler learns with the generator, and is saved with it. It is
    # no child, since Gluon demands of a graph that it uses the parameters of all children.

    @property
    def condition_model(self) -> HybridBlock | None:
        """The network that the condition goes through, or `None`."""
        network = getattr(self.condition_sampler, "model", None)
        return network if isinstance(network, HybridBlock) else None

    def collect_params(self, select: str | None = None) -> gluon.ParameterDict:
        """Return the parameters of the network, and of the `condition_model`.

        Args:
            select: A regular expression; only parameters whose names match are returned.
        """
        parameters = super().collect_params(select)
        if self.condition_model is not None:
            parameters.update(self.condition_model.collect_params(select))
        return parameters

    def _collect_params_with_prefix(self, prefix: str = "") -> dict[str, gluon.Parameter]:
        parameters = super()._collect_params_with_prefix(prefix)
        if self.condition_model is not None:
            path = f"{prefix}." if prefix else ""
            parameters.update(
                self.condition_model._collect_params_with_prefix(f"{path}condition_model")
            )
        return parameters

    # -- drawing -----------------------------------------------------------------------

    def draw(self) -> Any:
        """Generate one mini-batch. Within `mxnet.autograd.record` the generator can learn by it.

        Returns:
            Generated data points, shape `(batch, *features)`; joined with their conditions
            where the condition sampler has a `model`.
        """
        start_arr, condition_arr = self._draw_start()
        generated_arr = self(start_arr)
        if condition_arr is None:
            return generated_arr
        return join(generated_arr, condition_arr, self.conditonal_dim)

    def _draw_start(self) -> tuple[nd.NDArray, nd.NDArray | None]:
        """Return what the network gets, and the condition to show to the discriminator."""
        noise_arr = None
        if self.noise_sampler is not None:
            noise_arr = self.on_device("noise_arr", self.noise_sampler.draw())
        if self.condition_sampler is None:
            return noise_arr, None
        condition_arr, sampled_arr = self.condition_sampler.draw()[:2]
        condition_arr = self.on_device("condition_arr", condition_arr)
        sampled_arr = self.on_device("sampled_arr", sampled_arr)
        start_arr = condition_arr if sampled_arr is None else sampled_arr
        if noise_arr is not None:
            start_arr = add_noise(start_arr, noise_arr)
        return start_arr, None if sampled_arr is None else condition_arr

    def interpolate(
        self, first_arr: Any, second_arr: Any, step_n: int = 8, *, spherical: bool = False
    ) -> nd.NDArray:
        """Generate data points along the way from one latent point to another.

        Args:
            first_arr: Where the ways begin, shape `(batch, *latent)`.
            second_arr: Where they end, of the same shape.
            step_n: Number of points of a way, both ends included; at least 2.
            spherical: Whether the way goes along a great circle, at the distance from the origin
                at which normal noise lies, instead of straight.

        Returns:
            Generated data points, shape `(batch, step_n, *features)`.

        Raises:
            ValueError: If the shapes differ.
        """
        first_arr = self.on_device("first_arr", first_arr)
        second_arr = self.on_device("second_arr", second_arr)
        check_integer("step_n", step_n, low=2)
        if first_arr.shape != second_arr.shape:
            raise ValueError(
                f"`first_arr` and `second_arr` must have one shape, but have {first_arr.shape} "
                f"and {second_arr.shape}."
            )
        shares = [n / (step_n - 1) for n in range(step_n)]
        mix = _along_circle if spherical else _along_line
        points = [self.generate(mix(first_arr, second_arr, share)) for share in shares]
        return nd.stack(*points, axis=1)

    def generate(self, latent_arr: Any) -> nd.NDArray:
        """Generate data points from given latent points.

        Args:
            latent_arr: NDArray or NumPy array, shape `(batch, *latent)`.

        Returns:
            Data points, shape `(batch, *features)`.
        """
        return self.inference(latent_arr)


def add_noise(arr: nd.NDArray, noise_arr: nd.NDArray) -> nd.NDArray:
    """Add noise to data points or conditions, of which there may be fewer.

    Args:
        arr: Shape `(batch, *features)`.
        noise_arr: Shape `(batch, *features)`, with at least as many samples.

    Raises:
        ValueError: If the shapes do not fit.
    """
    size = arr.shape[0]  # the last mini-batch of an epoch may be smaller
    if arr.shape[1:] != noise_arr.shape[1:] or noise_arr.shape[0] < size:
        raise ValueError(
            f"`noise_sampler` must draw the shape {arr.shape} of what its noise is added to, but "
            f"draws {noise_arr.shape}."
        )
    return arr + (noise_arr if noise_arr.shape[0] == size else noise_arr[:size])


def _along_line(first_arr: nd.NDArray, second_arr: nd.NDArray, share: float) -> nd.NDArray:
    return (1.0 - share) * first_arr + share * second_arr


def _along_circle(first_arr: nd.NDArray, second_arr: nd.NDArray, share: float) -> nd.NDArray:
    flat = [arr.reshape((arr.shape[0], -1)) for arr in (first_arr, second_arr)]
    lengths = [nd.norm(arr, axis=1, keepdims=True) for arr in flat]
    units = [arr / nd.maximum(length, 1e-12) for arr, length in zip(flat, lengths)]
    cosine = nd.clip((units[0] * units[1]).sum(axis=1, keepdims=True), -1 + 1e-6, 1 - 1e-6)
    angle = nd.arccos(cosine)
    parts = [nd.sin((1.0 - share) * angle), nd.sin(share * angle)]
    unit = sum(nd.broadcast_mul(part / nd.sin(angle), u) for part, u in zip(parts, units))
    length = (1.0 - share) * lengths[0] + share * lengths[1]
    return nd.broadcast_mul(length, unit).reshape(first_arr.shape)
