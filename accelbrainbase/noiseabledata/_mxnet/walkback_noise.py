"""Corruption by walks of a denoising auto-encoder away from the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_integer, check_is_a, check_number
from accelbrainbase._mxnet.denoising_transition import DenoisingTransition
from accelbrainbase.noiseable_data import NoiseableData
from accelbrainbase.observable_data import ObservableData


class WalkbackNoise(NoiseableData):
    r"""Corrupts data points by short walks of the auto-encoder's own Markov chain.

    A walk corrupts, and then with probability `walk_rate` reconstructs and corrupts once more,
    and so on. An auto-encoder whose `noiseable_data` this is learns to walk back to the data
    from where its chain drifts off to, so that spurious modes vanish from the samples of
    `DenoisingSampler`. The corrupted data points of all lengths of walks are the additional
    training examples of algorithm 1 of the paper; here each mini-batch gets one of them, with
    the same probabilities.

    Args:
        observable_data: The auto-encoder that learns.
        noiseable_data: The corruption of each step.
        walk_rate: Probability of each further step, in [0, 1); the paper uses 0.5.
        distribution: How is drawn from a reconstruction: `"bernoulli"` for data in [0, 1],
            `"gaussian"` with the standard deviation `sigma`, or `"mean"`.
        sigma: Standard deviation of `"gaussian"`, above 0.
        step_n: Largest number of further steps.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has an impossible value.

    Example:
        >>> model.noiseable_data = WalkbackNoise(model, SaltAndPepperNoise(0.4))

    References:
        - Bengio, Y., Yao, L., Alain, G., & Vincent, P. (2013). Generalized denoising
          auto-encoders as generative models. Advances in neural information processing
          systems, 26. Algorithm 1.
    """

    def __init__(
        self,
        observable_data: ObservableData,
        noiseable_data: NoiseableData,
        walk_rate: float = 0.5,
        distribution: str = "bernoulli",
        sigma: float = 0.1,
        step_n: int = 10,
    ) -> None:
        self.transition = DenoisingTransition(observable_data, noiseable_data, distribution, sigma)
        self.walk_rate = check_number("walk_rate", walk_rate, low=0.0, high=1.0, high_open=True)
        self.step_n = check_integer("step_n", step_n, low=1)

    def noise(self, arr: Any) -> Any:
        """Return a corrupted copy of `arr`. `arr` itself is not modified.

        Args:
            arr: Observed data points, an NDArray of shape `(batch, *features)`.

        Returns:
            Array with the shape, dtype and context of `arr`.

        Raises:
            TypeError: If `arr` is no NDArray.
        """
        check_is_a("arr", arr, nd.NDArray)
        return self._walk(arr, self._drawn_length())

    def walk(self, arr: Any) -> list[Any]:
        """Return the corrupted data points of one walk, each step's: algorithm 1 in training.

        Args:
            arr: Observed data points, an NDArray of shape `(batch, *features)`.

        Returns:
            At least one array with the shape, dtype and context of `arr`. Each of them and
            `arr` make a mini-batch to learn from.

        Raises:
            TypeError: If `arr` is no NDArray.
        """
        check_is_a("arr", arr, nd.NDArray)
        steps: list[Any] = []
        self._walk(arr, self._drawn_length(), steps)
        return steps

    def _drawn_length(self) -> int:
        """Draw the number of further steps. NumPy draws it: the device is not waited for."""
        length = 0
        while length < self.step_n and np.random.random_sample() < self.walk_rate:
            length += 1
        return length

    def _walk(self, arr: nd.NDArray, length: int, steps: list[Any] | None = None) -> nd.NDArray:
        corrupted_arr = self.transition.corrupt(arr)
        for _ in range(length):
            if steps is not None:
                steps.append(corrupted_arr)
            drawn_arr = self.transition.draw(self.transition.mean(corrupted_arr))
            corrupted_arr = self.transition.corrupt(drawn_arr)
        if steps is not None:
            steps.append(corrupted_arr)
        return corrupted_arr
