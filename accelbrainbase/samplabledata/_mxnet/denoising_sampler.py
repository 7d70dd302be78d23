"""Samples of a denoising auto-encoder, from its Markov chain."""

from __future__ import annotations

from typing import Any

from mxnet import nd

from accelbrainbase._checks import check_integer
from accelbrainbase._mxnet.denoising_transition import DenoisingTransition
from accelbrainbase._mxnet.device import as_ndarray, resolve_context
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.observable_data import ObservableData
from accelbrainbase.samplable_data import SamplableData


class DenoisingSampler(SamplableData):
    r"""Draws data points that a denoising auto-encoder takes for likely.

    Chains go on from draw to draw: each step corrupts the data points,
    :math:`\tilde{x} \sim C(\tilde{x} | x)`, and draws from what the auto-encoder makes of them,
    :math:`x \sim P(x | \tilde{x})`. With the corruption that it learned from, the samples follow
    the distribution of the data, as far as the auto-encoder has learned it. Neighbours in a
    chain are alike.

    Args:
        observable_data: The auto-encoder.
        noiseable_data: The corruption C.
        observed_arr: Where the chains start, one for each data point, NDArray or NumPy array of
            shape `(batch, *features)`.
        distribution: What P is: `"bernoulli"` for data in [0, 1], `"gaussian"` with the
            standard deviation `sigma`, or `"mean"`.
        sigma: Standard deviation of `"gaussian"`, above 0.
        step_n: Number of steps of a draw.
        mean_flag: Whether a draw returns the means of the last step instead of what is drawn
            from them; the chains are the same.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has an impossible value.

    Attributes:
        state_arr: Where the chains are, shape `(batch, *features)`.

    References:
        - Bengio, Y., Yao, L., Alain, G., & Vincent, P. (2013). Generalized denoising
          auto-encoders as generative models. Advances in neural information processing
          systems, 26. Equation 6, theorem 1.
    """

    def __init__(
        self,
        observable_data: ObservableData,
        noiseable_data: NoiseableData,
        observed_arr: Any,
        distribution: str = "bernoulli",
        sigma: float = 0.1,
        step_n: int = 1,
        mean_flag: bool = False,
    ) -> None:
        self.transition = DenoisingTransition(observable_data, noiseable_data, distribution, sigma)
        ctx = getattr(observable_data, "ctx", None)
        self.state_arr: nd.NDArray = as_ndarray("observed_arr", observed_arr, resolve_context(ctx))
        self.step_n = check_integer("step_n", step_n, low=1)
        self.mean_flag = bool(mean_flag)

    def draw(self) -> Any:
        """Let the chains go `step_n` steps on.

        Returns:
            A data point of each chain, shape `(batch, *features)`.
        """
        for _ in range(self.step_n):
            corrupted_arr = self.transition.corrupt(self.state_arr)
            mean_arr = self.transition.mean(corrupted_arr)
            self.state_arr = self.transition.draw(mean_arr)
        return mean_arr if self.mean_flag else self.state_arr
