"""One step of the Markov chain of a denoising auto-encoder."""

from __future__ import annotations

from typing import Any

from mxnet import autograd, nd

from accelbrainbase._checks import check_choice, check_is_a, check_number
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.observable_data import ObservableData

_DRAWS = ("bernoulli", "gaussian", "mean")


class DenoisingTransition:
    r"""Corrupts data points, and draws from what an auto-encoder makes of corrupted ones.

    .. math:: \tilde{x} \sim C(\tilde{x} \mid x), \quad x' \sim P(x \mid \tilde{x})

    Alternating the two is a Markov chain whose stationary distribution estimates that of the
    data (Bengio et al. 2013, theorem 1).

    Args:
        observable_data: The auto-encoder; `inference` gives the mean of :math:`P(x|\tilde{x})`.
        noiseable_data: The corruption C.
        distribution: What P is: `"bernoulli"` for data in [0, 1], `"gaussian"` with the
            standard deviation `sigma`, or `"mean"` for all mass on the mean.
        sigma: Standard deviation of `"gaussian"`, above 0.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `distribution` is none of the three, or `sigma` not above 0.

    References:
        - Bengio, Y., Yao, L., Alain, G., & Vincent, P. (2013). Generalized denoising
          auto-encoders as generative models. Advances in neural information processing
          systems, 26. Equations 5 and 6.
    """

    def __init__(
        self,
        observable_data: ObservableData,
        noiseable_data: NoiseableData,
        distribution: str = "bernoulli",
        sigma: float = 0.1,
    ) -> None:
        check_is_a("observable_data", observable_data, ObservableData)
        check_is_a("noiseable_data", noiseable_data, NoiseableData)
        check_choice("distribution", distribution, _DRAWS)
        self.observable_data = observable_data
        self.noiseable_data = noiseable_data
        self.distribution = distribution
        self.sigma = check_number("sigma", sigma, low=0.0, low_open=True)

    def corrupt(self, arr: nd.NDArray) -> nd.NDArray:
        """Draw corrupted data points, of the shape of `arr`."""
        return self.noiseable_data.noise(arr)

    def mean(self, corrupted_arr: nd.NDArray) -> nd.NDArray:
        """Return the means of what corrupted data points come from, of their shape."""
        with autograd.pause(train_mode=False):
            mean_arr: Any = self.observable_data.inference(corrupted_arr)
        return mean_arr.reshape(corrupted_arr.shape)

    def draw(self, mean_arr: nd.NDArray) -> nd.NDArray:
        """Draw data points around their means."""
        if self.distribution == "bernoulli":
            return nd.random.uniform_like(mean_arr) < mean_arr
        if self.distribution == "gaussian":
            return mean_arr + self.sigma * nd.random.normal_like(mean_arr)
        return mean_arr
