"""A generator that gets noise and a condition side by side."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase._mxnet.device import as_ndarray
from accelbrainbase.observabledata._mxnet.adversarialmodel.generative_model import GenerativeModel
from accelbrainbase.samplabledata.joining import join


class ConditionalGenerativeModel(GenerativeModel):
    r"""Makes data points out of noise for given conditions, such as labels.

    .. math:: G(z \mid y)

    The condition is fed to both networks: the generator gets noise and condition joined, and
    what is drawn is the generated data point joined with the condition, for the discriminator.
    True data points are joined with theirs by a `ConditionalTrueSampler`.

    The arguments are those of `GenerativeModel`; `condition_sampler` may be any sampler of
    conditions, such as a `OneHotNoiseSampler`, and is needed, like `noise_sampler`. Where the
    data points are images and the conditions labels, each label becomes a plane.

    References:
        - Mirza, M., & Osindero, S. (2014). Conditional generative adversarial nets.
          arXiv:1411.1784. Equation 2.
    """

    def __init__(self, noise_sampler: Any, model: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(noise_sampler, model, *args, **kwargs)
        if self.noise_sampler is None or self.condition_sampler is None:
            raise ValueError(
                "ConditionalGenerativeModel needs both a `noise_sampler` and a `condition_sampler`."
            )

    def _draw_start(self) -> tuple[nd.NDArray, nd.NDArray | None]:
        noise_arr = self.on_device("noise_arr", self.noise_sampler.draw())
        drawn = self.condition_sampler.draw()
        condition_arr, sampled_arr = drawn if isinstance(drawn, tuple) else (drawn, None)
        condition_arr = self.on_device("condition_arr", condition_arr)
        shown_arr = condition_arr if sampled_arr is None else sampled_arr
        size = min(noise_arr.shape[0], condition_arr.shape[0])
        start_arr = join(noise_arr[:size], shown_arr[:size], 1)
        return start_arr, condition_arr[:size]

    def generate(self, latent_arr: Any, condition_arr: Any = None) -> nd.NDArray:
        """Generate data points for given conditions.

        Args:
            latent_arr: Noise, shape `(batch, *latent)`; or noise and condition joined, where
                `condition_arr` is omitted.
            condition_arr: Conditions, shape `(batch, *condition)`.

        Returns:
            Data points alone, shape `(batch, *features)`.
        """
        if condition_arr is not None:
            latent_arr = as_ndarray("latent_arr", latent_arr, self.ctx)
            latent_arr = join(latent_arr, as_ndarray("condition_arr", condition_arr, self.ctx), 1)
        return self.inference(latent_arr)
