"""The mathematics of ladder networks, as graphs: dense and convolutional ones share it.

Sums over an axis and broadcasts are products with ones here: MXNet is slow at the gradients
of its own on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import mxnet as mx
from mxnet.gluon import HybridBlock

EPSILON = 1e-5
_SLOPES = (1, 6)  # a2 and a7 of equation 2, counted from 0


class _CombinatorInit(mx.initializer.Initializer):
    """Zeros, but for the slopes within both sigmoid functions, which are 1."""

    def _init_weight(self, _: Any, arr: Any) -> None:
        arr[:] = 0.0
        for row in _SLOPES:
            arr[row] = 1.0


class Columns:
    """Means over a batch, and the way back, of arrays of one shape.

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        like: An array of that shape, `(batch, width)` or `(batch, width, *sizes)`, best one
            without a gradient.
        width: The width.
        is_map: Whether there are sizes.
    """

    def __init__(self, F: Any, like: Any, width: int, is_map: bool) -> None:
        self.F, self.like, self.width = F, like, width
        flat = F.reshape(F.BlockGrad(like), shape=(0, 0, -1)) if is_map else F.BlockGrad(like)
        first = F.slice_axis(flat, axis=1, begin=0, end=1)
        self.pixel = None
        if is_map:
            row = F.slice_axis(first, axis=0, begin=0, end=1)
            self.pixel = F.reshape(F.ones_like(row), shape=(1, -1))
            self.pixel_share = _shares(F, F.reshape(self.pixel, shape=(-1, 1)))
            first = F.reshape(F.slice_axis(first, axis=2, begin=0, end=1), shape=(-1, 1))
        self.one = F.ones_like(first)
        self.share = _shares(F, self.one)

    def per_sample(self, arr: Any) -> Any:
        """Return the mean over the sizes, shape `(batch, width)`."""
        if self.pixel is None:
            return arr
        F = self.F
        rows = F.reshape(F.reshape(arr, shape=(0, 0, -1)), shape=(-3, 0))
        return F.reshape(F.dot(rows, self.pixel_share), shape=(-1, self.width))

    def mean(self, arr: Any) -> Any:
        """Return the mean over the batch and the sizes, shape `(1, width)`."""
        return self.F.dot(self.share, self.per_sample(arr), transpose_a=True)

    def spread(self, row: Any) -> Any:
        """Return an array of the full shape from one of shape `(1, width)`."""
        F = self.F
        arr = F.dot(self.one, row)
        if self.pixel is None:
            return arr
        arr = F.dot(F.reshape(arr, shape=(-1, 1)), self.pixel)
        return F.reshape_like(arr, F.BlockGrad(self.like))


def _shares(F: Any, ones: Any) -> Any:
    """Return 1 / n in each of the n places of a column of ones."""
    return F.broadcast_div(ones, F.dot(ones, ones, transpose_a=True))


class Normalised(NamedTuple):
    """What batch normalisation gives: the argument less its mean, 1 / deviation, statistics."""

    centred: Any
    inverse: Any
    mean: Any
    variance: Any


def normalised(columns: Columns, arr: Any) -> Normalised:
    """Normalise by the statistics of the batch.

    Args:
        columns: Belongs to the shape of `arr`.
        arr: The argument.
    """
    mean = columns.mean(arr)
    centred = arr - columns.spread(mean)
    variance = columns.mean(columns.F.square(centred))
    return Normalised(centred, columns.F.rsqrt(variance + EPSILON), mean, variance)


def combinator(columns: Columns, noisy: Any, u: Any, parameters: Any) -> Any:
    r"""Denoise each unit by what comes from above.

    .. math::

        g(\tilde z, u) &= (\tilde z - \mu(u)) \, \upsilon(u) + \mu(u) \\
        \mu(u) &= a_1 \sigma(a_2 u + a_3) + a_4 u + a_5 \\
        \upsilon(u) &= a_6 \sigma(a_7 u + a_8) + a_9 u + a_{10}

    Args:
        columns: Belongs to the shape of `noisy`.
        noisy: The noisy units of the level.
        u: What comes from the level above, of the same shape.
        parameters: :math:`a_1` to :math:`a_{10}` in its rows, shape `(10, width)`.

    References:
        - Rasmus, A., et al. (2015). arXiv:1507.02672. Equation 2.
    """
    F = columns.F
    a = [columns.spread(row) for row in F.split(parameters, num_outputs=10, axis=0)]

    def expected(a1: Any, a2: Any, a3: Any, a4: Any, a5: Any) -> Any:
        return a1 * F.Activation(a2 * u + a3, act_type="sigmoid") + a4 * u + a5

    mean = expected(*a[:5])
    return (noisy - mean) * expected(*a[5:]) + mean


class LadderParameters(HybridBlock):
    """What a ladder learns beside the weights of its layers, and its running statistics.

    Args:
        widths: Number of units, or of maps, at each level, the data first.
        lowest: The lowest level that is denoised.
    """

    def __init__(self, widths: Sequence[int], lowest: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widths, self.lowest = tuple(widths), lowest
        top = len(widths) - 1
        # The statistics of all levels are one array: one update a step.
        self.sizes = [*widths[1:], *reversed(widths[lowest:])]
        with self.name_scope():
            new = self.params.get
            for level in range(1, top + 1):
                shape = (1, widths[level])
                setattr(self, f"gamma_{level}", new(f"gamma_{level}", shape=shape, init="ones"))
                setattr(self, f"beta_{level}", new(f"beta_{level}", shape=shape, init="zeros"))
            for level in range(lowest, top + 1):
                name, init = f"combinator_{level}", _CombinatorInit()
                setattr(self, name, new(name, shape=(10, widths[level]), init=init))
            fixed = {"grad_req": "null", "differentiable": False}
            shape = (1, sum(self.sizes))
            self.running_mean = new("running_mean", shape=shape, init="zeros", **fixed)
            self.running_var = new("running_var", shape=shape, init="ones", **fixed)
            self.running_count = new("running_count", shape=(1, 1), init="zeros", **fixed)

    def hybrid_forward(self, _F: Any, _x: Any, **parameters: Any) -> Any:
        """Return the parameters in the order of `names`."""
        return [parameters[name] for name in self.names]

    def hybridize(self, _active: bool = True, **_kwargs: Any) -> None:
        """Do nothing: it has a place in the graphs of others, and no input of its own."""

    @property
    def names(self) -> list[str]:
        """Names of the parameters in the order of their creation."""
        return list(self._reg_params)

    def update_statistics(self, mean_arr: Any, variance_arr: Any, momentum: float) -> None:
        """Move the running statistics towards those of a mini-batch.

        At first they are the plain average, so that a short learning has them too.

        Args:
            mean_arr: Means of all levels, shape `(1, units)`.
            variance_arr: Variances, of the same shape.
            momentum: Weight of the past, once there is enough of it.
        """
        count_arr = mx.nd.minimum(self.running_count.data() + 1.0, 1.0 / (1.0 - momentum))
        share_arr = mx.nd.reciprocal(count_arr)
        for parameter, arr in (
            (self.running_count, count_arr),
            (self.running_mean, _towards(self.running_mean.data(), mean_arr, share_arr)),
            (self.running_var, _towards(self.running_var.data(), variance_arr, share_arr)),
        ):
            parameter.data()[:] = arr


def _towards(arr: Any, new_arr: Any, share_arr: Any) -> Any:
    return arr + mx.nd.broadcast_mul(new_arr - arr, share_arr)


class LadderGraph:
    r"""Computes the paths of a ladder; pure functions of their inputs.

    Level 0 is the data, level L the top. Algorithm 1 of the paper:

    - noisy encoder: :math:`\tilde z^{(l)} = \mathrm{BN}(W^{(l)} \tilde h^{(l-1)}) + n^{(l)}`,
      :math:`\tilde h^{(l)} = \phi(\gamma^{(l)} (\tilde z^{(l)} + \beta^{(l)}))`;
    - clean encoder: the same without noise;
    - decoder: :math:`u^{(L)} = \mathrm{BN}(\tilde h^{(L)})`,
      :math:`u^{(l)} = \mathrm{BN}(V^{(l+1)} \hat z^{(l+1)})`,
      :math:`\hat z^{(l)} = g(\tilde z^{(l)}, u^{(l)})`.

    Args:
        parameters: What is learned beside the weights.
        encoder_layers: The linear layers W, the lowest first, without bias.
        activations: Functions of ``(F, x)``, one for each.
        dropouts: A `Dropout` layer or `None` for each; only in the noisy encoder.
        decoder_layers: The linear layers V, the highest first, without bias.
        is_map: Whether levels are maps, shape `(batch, width, *sizes)`.
        weights: The λ of each level, the data first.
        top: ``(F, y, h) -> (scores, code)``: of the top level before and after its activation.
        back: ``(F, code, h) -> h``: what the decoder gets from the top, of the shape of h.
    """

    def __init__(
        self,
        parameters: LadderParameters,
        encoder_layers: Sequence[HybridBlock],
        activations: Sequence[Callable[[Any, Any], Any]],
        dropouts: Sequence[HybridBlock | None],
        decoder_layers: Sequence[HybridBlock],
        is_map: bool,
        weights: Sequence[float],
        top: Callable[[Any, Any, Any], tuple[Any, Any]],
        back: Callable[[Any, Any, Any], Any],
    ) -> None:
        self.parameters = parameters
        # Tuples: a block that holds this graph must not take them for its children.
        self.encoder_layers = tuple(encoder_layers)
        self.activations, self.dropouts = tuple(activations), tuple(dropouts)
        self.decoder_layers = tuple(decoder_layers)
        self.is_map, self.weights = is_map, tuple(weights)
        self.top, self.back = top, back
        self.paths: list[LadderPath] = []

    def compile(self, blocks: Sequence[HybridBlock]) -> None:
        """Make blocks of the paths `costs`, `costs_apart` and `encode`, in this order.

        Args:
            blocks: All blocks whose parameters are used.
        """
        paths = (self.costs, self.costs_apart, self.encode)
        self.paths = [LadderPath(path, (*blocks, self.parameters)) for path in paths]

    def _values(self, x: Any) -> dict[str, Any]:
        return dict(zip(self.parameters.names, self.parameters(x)))

    def _columns(self, F: Any, arr: Any, level: int) -> Columns:
        return Columns(F, arr, self.parameters.widths[level], self.is_map)

    @property
    def top_level(self) -> int:
        """The number of the highest level."""
        return len(self.encoder_layers)

    # -- learning ----------------------------------------------------------------------

    def noisy(self, F: Any, x: Any, noises: Sequence[Any]) -> tuple[list[Any], Any, Any, Any]:
        """Run the noisy encoder.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Data, shape `(batch, width)` or `(batch, width, *sizes)`.
            noises: The noise at each level, of the shape of the level.

        Returns:
            Noisy units of each level, what goes to the decoder, scores, and code.
        """
        values = self._values(x)
        units = [x + noises[0]]
        h = units[0]
        for level in range(1, self.top_level + 1):
            columns = self._columns(F, noises[level], level)
            norm = normalised(columns, self.encoder_layers[level - 1](h))
            units.append(norm.centred * columns.spread(norm.inverse) + noises[level])
            gamma, beta = values[f"gamma_{level}"], values[f"beta_{level}"]
            y = units[-1] * columns.spread(gamma) + columns.spread(gamma * beta)
            h = self.activations[level - 1](F, y)
            dropout = self.dropouts[level - 1]
            h = h if dropout is None else dropout(h)
        scores, code = self.top(F, y, h)
        return units, self.back(F, code, h), scores, code

    def clean(
        self, F: Any, x: Any, noises: Sequence[Any] | None
    ) -> tuple[list[Any], list[Normalised | None]]:
        """Run the clean encoder; `noises`, if given, are there for their shapes alone.

        Returns:
            Units before normalisation, and their statistics, of each level.
        """
        values = self._values(x)
        h, raw, norms = x, [x], [None]
        for level in range(1, self.top_level + 1):
            raw.append(self.encoder_layers[level - 1](h))
            columns = self._columns(F, raw[-1] if noises is None else noises[level], level)
            norm = normalised(columns, raw[-1])
            norms.append(norm)  # type: ignore[arg-type]
            gamma, beta = values[f"gamma_{level}"], values[f"beta_{level}"]
            y = norm.centred * columns.spread(gamma * norm.inverse) + columns.spread(gamma * beta)
            h = self.activations[level - 1](F, y)
        return raw, norms  # type: ignore[return-value]

    def decode(
        self, F: Any, x: Any, units: Sequence[Any], above: Any, noises: Sequence[Any]
    ) -> tuple[dict[int, Any], list[Normalised]]:
        """Run the decoder from the top down to the lowest level that is denoised.

        Returns:
            The denoised units of each level, and the statistics of the u from the top on.
        """
        values = self._values(x)
        denoised: dict[int, Any] = {}
        norms = []
        for level in range(self.top_level, self.parameters.lowest - 1, -1):
            if level < self.top_level:
                above = self.decoder_layers[self.top_level - 1 - level](denoised[level + 1])
            columns = self._columns(F, noises[level], level)
            norm = normalised(columns, above)
            norms.append(norm)
            u = norm.centred * columns.spread(norm.inverse)
            denoised[level] = combinator(columns, units[level], u, values[f"combinator_{level}"])
        return denoised, norms

    def costs(self, F: Any, x: Any, *noises: Any) -> Any:
        r"""Compute the denoising cost.

        Since :math:`z = (z_{pre} - \mu) / \sigma` and
        :math:`\hat z_{BN} = (\hat z - \mu) / \sigma`, their difference is
        :math:`(z_{pre} - \hat z) / \sigma` (equation 3).

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Data.
            *noises: The noise at each level.

        Returns:
            The cost of each sample but that of level 0, weighted, shape `(batch,)`; the
            denoised data, or where they are not computed the cost once more; scores; means and
            variances of all levels, shape `(1, units)`.
        """
        noises = _without_gradient(F, noises)
        units, above, scores, _ = self.noisy(F, x, noises)
        raw, norms = self.clean(F, x, noises)
        denoised, decoder_norms = self.decode(F, x, units, above, noises)
        columns = self._columns(F, noises[0], 0)
        cost = F.reshape(F.zeros_like(columns.one), shape=(-1,))
        for level in range(max(1, self.parameters.lowest), self.top_level + 1):
            weight = self.weights[level] / self.parameters.widths[level]
            norm = norms[level]
            if weight == 0.0 or norm is None:
                continue
            squares = F.square(denoised[level] - raw[level])
            squares = self._columns(F, noises[level], level).per_sample(squares)
            inverse = F.square(norm.inverse) * weight
            cost = cost + F.reshape(F.dot(squares, inverse, transpose_b=True), shape=(-1,))
        kept = [norm for norm in (*norms, *decoder_norms) if norm is not None]
        return [
            cost,
            denoised.get(0, cost),
            scores,
            F.BlockGrad(F.concat(*(norm.mean for norm in kept), dim=1)),
            F.BlockGrad(F.concat(*(norm.variance for norm in kept), dim=1)),
        ]

    def costs_apart(self, F: Any, x: Any, labelled: Any, *noises: Any) -> Any:
        """Compute `costs` of unlabelled data, but the scores of labelled ones.

        Both have batch statistics of their own.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Unlabelled data.
            labelled: Labelled data.
            *noises: The noise at each level for `x`, then for `labelled`.
        """
        half = self.top_level + 1
        cost, denoised, _, mean, variance = self.costs(F, x, *noises[:half])
        scores = self.noisy(F, labelled, _without_gradient(F, noises[half:]))[2]
        return [cost, denoised, scores, mean, variance]

    def costs_of(self, F: Any, x: Any, noised_x: Any) -> Any:
        """Compute `costs` where the noise of the data is given, and there is no other.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Data.
            noised_x: The same with noise.
        """
        raw, _ = self.clean(F, x, None)
        return self.costs(F, x, noised_x - x, *(F.zeros_like(arr) for arr in raw[1:]))

    # -- inference ---------------------------------------------------------------------

    def _running(self, F: Any, values: dict[str, Any]) -> list[tuple[Any, Any]]:
        """Return mean and 1 / deviation of each normalisation."""
        there_are_some = values["running_count"] > 0
        means = F.broadcast_mul(values["running_mean"], there_are_some)
        inverse = F.rsqrt(values["running_var"] + EPSILON)
        found, begin = [], 0
        for size in self.parameters.sizes:
            cut = {"axis": 1, "begin": begin, "end": begin + size}
            mean = F.slice_axis(means, **cut)
            found.append((mean, F.slice_axis(inverse, **cut)))
            begin += size
        return found

    def encode(self, F: Any, x: Any) -> Any:
        """Run the clean encoder with running statistics.

        Returns:
            Units of each level, what goes to the decoder, scores, and code.
        """
        return list(self._encoded(F, x)[1:])

    def _encoded(self, F: Any, x: Any) -> tuple[list[Any], Any, Any, Any]:
        values = self._values(x)
        running = self._running(F, values)
        units, h = [x], x
        for level in range(1, self.top_level + 1):
            raw = self.encoder_layers[level - 1](h)
            columns = self._columns(F, raw, level)
            mean, inverse = running[level - 1]
            units.append((raw - columns.spread(mean)) * columns.spread(inverse))
            gamma, beta = values[f"gamma_{level}"], values[f"beta_{level}"]
            y = units[-1] * columns.spread(gamma) + columns.spread(gamma * beta)
            h = self.activations[level - 1](F, y)
        scores, code = self.top(F, y, h)
        return units, self.back(F, code, h), scores, code

    def reconstruct(self, F: Any, x: Any) -> tuple[Any, Any]:
        """Run the clean encoder and the decoder with running statistics.

        Returns:
            The data as they are denoised, and the code.
        """
        units, above, _, code = self._encoded(F, x)
        values = self._values(x)
        running = self._running(F, values)[self.top_level :]
        denoised = None
        for number, level in enumerate(range(self.top_level, -1, -1)):
            if level < self.top_level:
                above = self.decoder_layers[number - 1](denoised)
            if level < self.parameters.lowest:  # nothing was learned here
                denoised = above
                continue
            columns = self._columns(F, units[level], level)
            mean, inverse = running[number]
            u = (above - columns.spread(mean)) * columns.spread(inverse)
            denoised = combinator(columns, units[level], u, values[f"combinator_{level}"])
        return denoised, code


class LadderPath(HybridBlock):
    """One of the paths of a ladder, compiled by itself; it shares all parameters.

    Args:
        path: A function of ``(F, *inputs)``.
        blocks: The blocks whose parameters it uses.
    """

    def __init__(self, path: Callable[..., Any], blocks: Sequence[HybridBlock]) -> None:
        super().__init__()
        self.path = path
        for number, block in enumerate(blocks):
            self.register_child(block, str(number))

    def hybrid_forward(self, F: Any, *inputs: Any) -> Any:
        """Compute the path."""
        return self.path(F, *inputs)

    def _build_cache(self, *args: Any) -> None:
        # Gluon warns of parameters that a graph does not use, such as those of the decoder here.
        used = set(self._get_graph(*args)[1].list_inputs())
        parameters = mx.gluon.ParameterDict()
        parameters.update({n: p for n, p in self.collect_params().items() if n in used})
        self.__dict__["collect_params"] = lambda: parameters
        try:
            super()._build_cache(*args)
        finally:
            del self.__dict__["collect_params"]


def _without_gradient(F: Any, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Guard against a defect of MXNet 1.9.1.

    In a graph with static memory, where a tensor is added to an input that has no gradient, the
    gradient of the tensor is wrong. Behind a `BlockGrad` it is right.
    """
    return tuple(F.BlockGrad(arr) for arr in inputs)


def default_weights(level_n: int, supervised: bool) -> list[float]:
    """Return the λ of the paper for MNIST: 1000, 10, 0.1, 0.1, … from the data upwards.

    Args:
        level_n: Number of levels, the data among them.
        supervised: Whether there is a supervised cost; else the first is 1, the others in
            proportion.
    """
    found = ([1000.0, 10.0] + [0.1] * level_n)[:level_n]
    return found if supervised else [weight / 1000.0 for weight in found]


def lowest_level(weights: Sequence[float]) -> int:
    """Return the lowest level with a cost; one above the top if there is none."""
    return next((n for n, weight in enumerate(weights) if weight), len(weights))
