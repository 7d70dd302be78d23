"""The statistics of contrastive divergence, as one static graph."""

from __future__ import annotations

from typing import Any

from mxnet.gluon import HybridBlock

from accelbrainbase._mxnet.boltzmann.stochastic_units import StochasticUnits


class ContrastiveDivergence(HybridBlock):
    """Runs the Gibbs chain of one step of learning and gathers its statistics.

    Following Hinton (2012, section 3), hidden units that are driven by data are sampled, and
    the last update of the hidden units uses probabilities. The reconstruction uses
    probabilities in CD-1; with more steps, or persistent chains, it is sampled, so that the
    chain has the right distribution (Tieleman 2008).

    Args:
        visible_units: Kind of the visible units.
        hidden_units: Kind of the hidden units.
        visible_dim: Number of visible units.
        hidden_dim: Number of hidden units.
        steps: Number of full Gibbs steps.
        persistent: Whether the chain starts from fantasy particles instead of the data.
        input_factor: Factor on what the hidden units get from the visible ones.
        output_factor: Factor on what the visible units get from the hidden ones.
        visible_dropout_rate: Share of visible units that are left out for each sample.
        hidden_dropout_rate: Share of hidden units that are left out for each sample.
        learned_variance: Whether the gradient of the log-variances is computed.
        sparsity: Whether the penalty of sparsity is applied.
    """

    def __init__(
        self,
        visible_units: StochasticUnits,
        hidden_units: StochasticUnits,
        visible_dim: int,
        hidden_dim: int,
        steps: int,
        *,
        persistent: bool = False,
        input_factor: float = 1.0,
        output_factor: float = 1.0,
        visible_dropout_rate: float = 0.0,
        hidden_dropout_rate: float = 0.0,
        learned_variance: bool = False,
        sparsity: bool = False,
    ) -> None:
        super().__init__()
        self._visible_units, self._hidden_units = visible_units, hidden_units
        self._visible_dim, self._hidden_dim = visible_dim, hidden_dim
        self._steps, self._persistent = steps, persistent
        self._factors = (input_factor, output_factor)
        self._dropout_rates = (visible_dropout_rate, hidden_dropout_rate)
        self._learned_variance, self._sparsity = learned_variance, sparsity

    def hybrid_forward(
        self,
        F: Any,
        visible_arr: Any,
        weight: Any,
        visible_bias: Any,
        hidden_bias: Any,
        ones: Any,
        *more: Any,
    ) -> Any:
        """Compute the statistics.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            visible_arr: Data, shape `(batch, visible)`.
            weight: Shape `(hidden, visible)`.
            visible_bias: Shape `(visible,)`.
            hidden_bias: Shape `(hidden,)`.
            ones: Ones, shape `(1, batch)`.
            *more: In this order, what applies: the variance of Gaussian units, shape
                `(1, visible)`; of persistent chains batch / chains, shape `(1, chains)`, and
                the fantasy particles (hidden states), shape `(chains, hidden)`; the penalty of
                sparsity on the hidden inputs, shape `(1, hidden)`.

        Returns:
            Hidden and visible statistics of the data (the visible ones divided by the
            variance), the same of the model, the gradients (of the negative log-likelihood,
            summed) of visible and hidden biases, the reconstruction, hidden probabilities,
            hidden states; and that of the log-variances where it is learned.
        """
        rest = list(more)
        variance = rest.pop(0) if self._visible_units.states is None else None
        chain_ones = rest.pop(0) if self._persistent else ones
        particles = rest.pop(0) if self._persistent else None
        penalty = rest.pop(0) if self._sparsity else None
        half = _HalfSteps(self, F, weight, visible_bias, hidden_bias, variance, visible_arr)

        data_input, data_mean = half.up(visible_arr)
        data_state = half.hidden_state(data_input, data_mean)
        out_input, reconstructed = half.down(data_state)
        if particles is None:
            model_state, model_visible = data_state, None
            if self._steps > 1:
                model_visible = half.visible_state(out_input, reconstructed)
            else:
                model_visible = reconstructed
        else:
            model_state = particles
            model_visible = half.visible_state(*half.down(particles))
        for step in range(self._steps):
            if step:
                model_visible = half.visible_state(*half.down(model_state))
            model_input, model_mean = half.up(model_visible)
            if step < self._steps - 1 or self._persistent:
                model_state = half.hidden_state(model_input, model_mean)

        learned = data_mean if penalty is None else F.broadcast_sub(data_mean, penalty)
        data_scaled, model_scaled = half.scaled(visible_arr), half.scaled(model_visible)
        if self._dropout_rates[0]:
            data_scaled = data_scaled * half.visible_mask
            model_scaled = model_scaled * half.visible_mask
        outputs = [
            learned,
            data_scaled,
            model_mean,
            model_scaled,
            self._difference(F, data_scaled, ones, model_scaled, chain_ones),
            self._difference(F, learned, ones, model_mean, chain_ones),
            reconstructed,
            data_mean,
            model_state,
        ]
        if self._learned_variance:
            outputs.append(
                F.dot(chain_ones, half.tilt(model_visible, model_mean))
                - F.dot(ones, half.tilt(visible_arr, data_mean))
            )
        return outputs

    def _difference(self, F: Any, data: Any, ones: Any, model: Any, chain_ones: Any) -> Any:
        """Return the sum over the model minus that over the data; products with ones are fast."""
        if self._persistent:
            return F.dot(chain_ones, model) - F.dot(ones, data)
        return F.dot(ones, model - data)


class _HalfSteps:
    """From the visible to the hidden units, and back."""

    def __init__(
        self,
        owner: ContrastiveDivergence,
        F: Any,
        weight: Any,
        visible_bias: Any,
        hidden_bias: Any,
        variance: Any,
        visible_arr: Any,
    ) -> None:
        self.F, self.owner, self.weight, self.variance = F, owner, weight, variance
        # FullyConnected with a transposed copy is faster than `dot` with the weight itself.
        self.transposed = F.transpose(weight)
        self.hidden_bias, self.visible_bias = hidden_bias, visible_bias
        visible_rate, hidden_rate = owner._dropout_rates
        # The units that are left out for a sample are out in both phases: the masks choose one
        # of exponentially many machines (Srivastava et al. 2014, section 8.1).
        if visible_rate:
            drawn = F.random.uniform_like(visible_arr)
            self.visible_mask = drawn >= visible_rate
        if hidden_rate:
            first = F.slice_axis(visible_arr, axis=1, begin=0, end=1)
            drawn = F.random.uniform_like(F.broadcast_axis(first, axis=1, size=owner._hidden_dim))
            self.hidden_mask = drawn >= hidden_rate

    def scaled(self, visible_arr: Any) -> Any:
        """Divide by the variance."""
        if self.variance is None:
            return visible_arr
        return self.F.broadcast_div(visible_arr, self.variance)

    def up(self, visible_arr: Any) -> tuple[Any, Any]:
        """Return input and expectation of the hidden units."""
        arr = self.scaled(visible_arr)
        if self.owner._dropout_rates[0]:
            arr = arr * self.visible_mask
        if self.owner._factors[0] != 1.0:
            arr = arr * self.owner._factors[0]
        x = self.F.FullyConnected(
            arr, self.weight, self.hidden_bias, num_hidden=self.owner._hidden_dim
        )
        mean = self.owner._hidden_units.mean(self.F, x)
        return x, mean * self.hidden_mask if self.owner._dropout_rates[1] else mean

    def down(self, hidden_arr: Any) -> tuple[Any, Any]:
        """Return input and expectation of the visible units."""
        F = self.F
        arr = hidden_arr if self.owner._factors[1] == 1.0 else hidden_arr * self.owner._factors[1]
        x = F.FullyConnected(
            arr, self.transposed, self.visible_bias, num_hidden=self.owner._visible_dim
        )
        return x, self.owner._visible_units.mean(F, x)

    def hidden_state(self, x: Any, mean: Any) -> Any:
        """Draw the hidden units."""
        state = self.owner._hidden_units.sample(self.F, x, mean)
        return state * self.hidden_mask if self.owner._dropout_rates[1] else state

    def visible_state(self, x: Any, mean: Any) -> Any:
        """Draw the visible units."""
        return self.owner._visible_units.sample(self.F, x, mean, self.variance)

    def tilt(self, visible_arr: Any, hidden_arr: Any) -> Any:
        """Return −dE/dz of the log-variances z (Cho, Ilin & Raiko 2011, equation 9)."""
        F = self.F
        distance = 0.5 * F.square(
            F.broadcast_sub(visible_arr, F.reshape(self.visible_bias, (1, -1)))
        )
        expected = F.FullyConnected(
            hidden_arr, self.transposed, num_hidden=self.owner._visible_dim, no_bias=True
        )
        tilt = F.broadcast_div(distance - visible_arr * expected, self.variance)
        return tilt * self.visible_mask if self.owner._dropout_rates[0] else tilt
