"""Dense layers that value a state, and apart from it the advantage of each action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mxnet import gluon
from mxnet.initializer import Initializer

from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.observabledata._mxnet.neural_networks import NeuralNetworks


class DuelingNetworks(NeuralNetworks):
    r"""Dense layers whose last ones are two streams: the value of a state, and advantages.

    .. math:: Q(s, a) = V(s) + \left(A(s, a) - \frac{1}{|A|} \sum_{a'} A(s, a')\right)

    Each transition teaches the value of its state, whichever action was taken; so states in which
    actions hardly matter are learned sooner. It takes the arguments of `NeuralNetworks`, and its
    place: alone, or as the dense layers behind convolutions or an LSTM.

    Both streams have layers of the same widths, but for the last: the one of the value has one
    unit.

    Args:
        computable_loss: The loss: a `ComputableLoss`, or any loss of Gluon.
        initializer: Draws the initial weights, as in `NeuralNetworks`.
        units_list: Number of units of each layer; the last is that of the actions.
        activation_list: Activation of each layer; if omitted: `relu`, and `identity` for the last.
        dropout_rate_list: Dropout rate in [0, 1) of each layer; no dropout if omitted.
        hidden_batch_norm_list: A `BatchNorm` block or `None` for each layer; of the shared layers
            only.
        shared_n: Number of layers that both streams share; if omitted all but the last two, so
            that a stream has one hidden layer, as in the paper.
        **kwargs: More arguments of `NeuralNetworks`: `output_no_bias_flag`, `learning_rate`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value, or a list has not one entry for each
            layer.

    Attributes:
        shared_n: Number of layers that both streams share.
        value_stream: The layers that only the value has, as a network.

    References:
        - Wang, Z., et al. (2016). Dueling network architectures for deep reinforcement learning.
          ICML. Equation 9. (Of its recipe for Atari, the gradient that enters the shared layers
          is not scaled by 1/√2 here; limits to its norm are `max_gradient_norm`.)

    Example:
        >>> network = DuelingNetworks(
        ...     gluon.loss.HuberLoss(),
        ...     units_list=[128, 128, 2],
        ...     activation_list=["relu", "relu", "identity"],
        ... )
    """

    def __init__(
        self,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        initializer: Initializer | None = None,
        *,
        units_list: Sequence[int],
        activation_list: Sequence[str] | None = None,
        dropout_rate_list: Sequence[float] | None = None,
        hidden_batch_norm_list: Sequence[gluon.HybridBlock | None] | None = None,
        shared_n: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_is_a("units_list", units_list, Sequence)
        last = len(units_list) - 1
        if activation_list is None:
            activation_list = ["relu"] * last + ["identity"]
        super().__init__(
            computable_loss,
            initializer,
            units_list=units_list,
            activation_list=activation_list,
            dropout_rate_list=dropout_rate_list,
            hidden_batch_norm_list=hidden_batch_norm_list,
            **kwargs,
        )
        n = max(0, last - 1) if shared_n is None else check_integer("shared_n", shared_n, low=0)
        if n > last:
            raise ValueError(
                f"`shared_n` must be at most {last}, so that each stream has a layer of its own, "
                f"but got {n}."
            )
        if any(block is not None for block in self._stack.batch_norm_list[n:]):
            raise ValueError(
                f"`hidden_batch_norm_list` must have None for the layers of the streams, from "
                f"number {n} on: the two cannot share one. Normalise the shared layers only."
            )
        self.shared_n = n
        with self.name_scope():
            self.value_stream = NeuralNetworks(
                computable_loss,
                initializer,
                units_list=[*self._units_list[n:-1], 1],
                activation_list=self._stack.activation_list[n:],
                dropout_rate_list=self._stack.dropout_rate_list[n:],
                output_no_bias_flag=kwargs.get("output_no_bias_flag", False),
                all_no_bias_flag=kwargs.get("all_no_bias_flag", False),
                not_init_flag=self.not_init_flag or self.init_deferred_flag,
                hybridize_flag=self.hybridize_flag,
                scale=self.scale,
                ctx=self.ctx,
            )
        self.complete()

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the values of all actions.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: States, shape `(batch, *features)`; they are flattened.

        Returns:
            The values, shape `(batch, actions)`.
        """
        for number in range(self.shared_n):
            x = self._stack.layer(number, F, x)
        value_arr = self.value_stream(x)
        last = len(self._stack) - 1
        for number in range(self.shared_n, last):
            x = self._stack.layer(number, F, x)
        advantage_arr = self._stack.layer(last, F, x)
        self.keep_features(x if last else advantage_arr)
        mean_arr = F.mean(advantage_arr, axis=1, keepdims=True)
        return F.broadcast_add(value_arr, F.broadcast_sub(advantage_arr, mean_arr))  # equation 9
