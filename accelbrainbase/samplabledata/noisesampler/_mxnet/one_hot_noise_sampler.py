"""Labels that are drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import mxnet as mx
import numpy as np
from mxnet import nd

from accelbrainbase._checks import check_integer
from accelbrainbase._mxnet.device import resolve_context
from accelbrainbase.samplabledata.noise_sampler import NoiseSampler


class OneHotNoiseSampler(NoiseSampler):
    """Draws one-hot labels: conditions for a generator, or a categorical prior of codes.

    Args:
        class_n: Number of classes.
        batch_size: Number of samples in a draw.
        probability_list: Probability of each class; if omitted, all are equal.
        ctx: The device; `None`: the context that was entered, else a GPU, else the CPU.

    Raises:
        ValueError: If the probabilities do not fit.
    """

    def __init__(
        self,
        class_n: int,
        batch_size: int = 40,
        probability_list: Sequence[float] | None = None,
        ctx: mx.Context | None = None,
    ) -> None:
        self.class_n = check_integer("class_n", class_n, low=1)
        self.batch_size = check_integer("batch_size", batch_size, low=1)
        self.ctx = resolve_context(ctx)
        equal = [1.0 / self.class_n] * self.class_n
        given = np.asarray(equal if probability_list is None else probability_list, dtype=float)
        if given.shape != (self.class_n,) or (given < 0).any() or abs(given.sum() - 1) > 1e-5:
            raise ValueError(
                f"`probability_list` must have {self.class_n} probabilities which sum to 1, but "
                f"got {probability_list}."
            )
        self.probability_list = given.tolist()
        self._probability_arr = nd.array(given, ctx=self.ctx)

    def draw(self) -> nd.NDArray:
        """Draw one mini-batch.

        Returns:
            One-hot labels, shape `(batch, classes)`.
        """
        label_arr = nd.random.multinomial(self._probability_arr, shape=self.batch_size)
        return self.add_inner_noise(nd.one_hot(label_arr, self.class_n))
