"""Transposed convolutions that are right wherever they stand, on a CPU.

With oneDNN, MXNet's `Deconvolution` has two defects on a CPU:

- the gradient of its weight is sound only when it goes straight into a gradient buffer.
  Where the weight is used twice in one `backward()` (an energy-based discriminator that
  judges true and generated data, tied weights), or where an operator stands between the
  weight and the layer, the process dies;
- to one output channel, from a multiple of 8 or 16, its data gradient fails.

So the transposed convolutions in our models compute the same by sound operators. Parameters,
their names and shapes, and files are unchanged. Measured against the native operator, forward
and backward: 0.8 to 1.2 times its time; for 2 or 3 output channels with stride 1, 1.8 times.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from mxnet import sym
from mxnet.gluon import Block, HybridBlock
from mxnet.gluon.nn import conv_layers
from mxnet.util import is_np_array

from accelbrainbase._mxnet.safe_maps_3d import make_maps_safe

_FAST_MULTIPLE = 8  # oneDNN is slow where the number of filters is no multiple of it


def is_transposed_convolution(block: Any) -> bool:
    """Tell whether `block` is one of Gluon's layers `Conv{1,2,3}DTranspose`."""
    return isinstance(block, conv_layers._Conv) and block._op_name == "Deconvolution"


def waits_for_sizes(block: Block) -> bool:
    """Tell whether a layer within `block` whose computing was swapped lacks its input size.

    A graph that is traced then is slower than one that is traced afterwards (transposed
    convolutions), or not normalised yet (spectral normalisation).
    """
    return any(
        (is_transposed_convolution(layer) or "spectral_u" in layer._reg_params)
        and 0 in layer.weight.shape
        for layer in _within(block)
    )


def make_safe(block: Block) -> None:
    """Let all transposed convolutions within `block` compute by sound operators.

    So do layers for maps of three dimensions. The layers themselves stay: only how they compute
    is swapped. A layer whose class overrides `hybrid_forward` is left as it is.

    Args:
        block: A layer or a network; its children are walked.
    """
    native = conv_layers._Conv.hybrid_forward
    for layer in _within(block):
        if is_transposed_convolution(layer) and type(layer).hybrid_forward is native:
            layer.hybrid_forward = partial(_safe_forward, layer)
    make_maps_safe(_within(block))


def _within(block: Block) -> Iterator[Any]:
    pending, seen = [block], set()
    while pending:
        current = pending.pop()
        if id(current) not in seen:
            seen.add(id(current))
            pending += current._children.values()
            yield current


def share_weight(layer: HybridBlock, source: HybridBlock) -> None:
    """Let `layer` use the very weight of `source`; its own one is given up.

    There is one parameter, whose gradient is the sum of both uses. The weight of a
    convolution, shape `(out, in, *kernel)`, is that of the transposed convolution which
    mirrors it, as it stands.

    Args:
        layer: A convolution or transposed convolution.
        source: A convolution or transposed convolution.
    """
    layer.params._params.pop(layer.weight.name, None)
    layer.params.update({source.weight.name: source.weight})
    layer._reg_params["weight"] = source.weight
    layer.__dict__["weight"] = source.weight
    layer._clear_cached_op()


def _safe_forward(self: Any, F: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    """Take the place of `hybrid_forward` of a `Conv{1,2,3}DTranspose`."""
    kwargs = self._kwargs
    if is_np_array() or kwargs["layout"][:2] != "NC":
        return type(self).hybrid_forward(self, F, x, weight, bias)
    in_channels = self.weight.shape[0]
    settings: dict[str, Any] = {
        "kernel": _integers(kwargs["kernel"]),
        "stride": _integers(kwargs["stride"]),
        "pad": _integers(kwargs["pad"]),
        "dilate": _integers(kwargs["dilate"]),
        "adj": _integers(kwargs["adj"]),
        "num_filter": int(kwargs["num_filter"]),
        "num_group": int(kwargs["num_group"]),
    }
    if (
        in_channels > 0
        and settings["num_filter"] == settings["num_group"]
        and not _may_come_from_one_place(**settings)
    ):
        output = _to_one_channel(F, x, weight, bias, in_channels, **settings)
    else:
        output = transposed_convolution(F, x, weight, bias, **settings)
    if in_channels <= 0 and F is sym:
        output = _with_shapes(F, output, x, weight, bias, settings)
    return output if self.act is None else self.act(output)


def transposed_convolution(
    F: Any,
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilate: Sequence[int],
    adj: Sequence[int],
    num_filter: int,
    num_group: int = 1,
) -> Any:
    r"""Compute what `F.Deconvolution` does, by one convolution with stride 1.

    Output position o = s·q + r gets, of the kernel, the taps :math:`r, r + s, r + 2s, \dots`
    So each of the s phases r is a convolution by a part of the flipped kernel; all are
    computed as more filters of one convolution, and then interleaved.

    Args:
        F: `mxnet.ndarray` or `mxnet.symbol`.
        x: Data, shape `(batch, in, *sizes)`, with 1 to 3 sizes; any sizes.
        weight: Shape `(in, num_filter / num_group, *kernel)`. It may be used elsewhere
            too, and be the result of an operator.
        bias: Shape `(num_filter,)`, or `None`.
        kernel: Sizes of the kernel.
        stride: Strides.
        pad: What is cut from both ends of the output.
        dilate: Distances between the taps of the kernel.
        adj: What is added to the far end of the output.
        num_filter: Number of output channels.
        num_group: Number of groups of channels.

    Returns:
        Data of shape `(batch, num_filter, *((sizes - 1) * stride - 2 * pad + dilate *
        (kernel - 1) + 1 + adj))`.

    References:
        - Shi, W., et al. (2016). Is the deconvolution layer the same as a convolutional
          layer? arXiv:1609.07009.
    """
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilate)]
    if math.prod(stride) == 1:
        taps, spread = list(kernel), list(dilate)
    else:  # zeros where `dilate` leaves gaps, or `adj` reaches beyond the kernel
        needed = [max(k * d, r + a - p) for k, d, r, a, p in zip(kernel, dilate, reach, adj, pad)]
        taps, spread = [-(-n // s) for n, s in zip(needed, stride)], [1] * len(kernel)
    span = [d * (t - 1) for t, d in zip(taps, spread)]
    begin = list(pad)
    end = [s * n + s + p - r - a for s, n, p, r, a in zip(stride, span, pad, reach, adj)]
    # What would be cut off in the end is not computed in the first place.
    spared = [min(b // s, e // s, n) for b, e, s, n in zip(begin, end, stride, span)]
    begin = [b - s * n for b, s, n in zip(begin, stride, spared)]
    end = [e - s * n for e, s, n in zip(end, stride, spared)]

    weight = _filters(F, weight, kernel, dilate, stride, taps, num_filter, num_group)
    phases = math.prod(stride)
    if bias is not None and phases > 1:
        bias = F.broadcast_axis(F.reshape(bias, (-1, 1)), axis=1, size=phases)
        bias = F.reshape(bias, (-1,))
    filter_n = num_filter * phases
    surplus = -filter_n % _FAST_MULTIPLE if num_group == 1 else 0
    if surplus:
        weight = F.reshape(weight, (1, 1, filter_n, -1))
        weight = F.reshape(_padded(F, weight, surplus, 2), (filter_n + surplus, -1, *taps))
        bias = None if bias is None else _with_zeros(F, bias, surplus, axis=0)
    y = F.Convolution(
        *((x, weight) if bias is None else (x, weight, bias)),
        kernel=tuple(taps),
        dilate=tuple(spread),
        pad=tuple(n - m for n, m in zip(span, spared)),
        num_filter=filter_n + surplus,
        num_group=num_group,
        no_bias=bias is None,
    )
    if surplus:
        y = F.slice_axis(y, axis=1, begin=0, end=filter_n)
    if phases > 1:
        y = _interleaved(F, y, stride, num_filter)
    if any(begin) or any(end):
        last = tuple(-e if e else None for e in end)
        y = F.slice(y, begin=(None, None, *begin), end=(None, None, *last))
    return y


def _filters(
    F: Any,
    weight: Any,
    kernel: Sequence[int],
    dilate: Sequence[int],
    stride: Sequence[int],
    taps: Sequence[int],
    num_filter: int,
    num_group: int,
) -> Any:
    """Return the flipped part of the kernel that belongs to each phase.

    Its shape is `(num_filter * phases, in / num_group, *taps)`, the phases innermost.
    """
    size = math.prod(kernel)
    weight = F.reshape(weight, (num_group, -1, num_filter // num_group, size))
    weight = F.transpose(weight, axes=(0, 2, 1, 3))
    filter_n = num_filter
    if math.prod(stride) > 1:
        for k, d, s, t in zip(kernel, dilate, stride, taps):
            size //= k
            weight = F.reshape(weight, (filter_n, -1, k, 1, size))
            if d > 1:
                weight = _padded(F, weight, d - 1, axis=3)
            weight = F.reshape(weight, (filter_n, -1, k * d, size))
            if s * t > k * d:
                weight = _padded(F, weight, s * t - k * d, axis=2)
            if s > 1:  # the phases to the filters
                weight = F.reshape(weight, (filter_n, -1, t, s, size))
                weight = F.transpose(weight, axes=(0, 3, 1, 2, 4))
                filter_n *= s
    weight = F.reverse(F.reshape(weight, (filter_n, -1, math.prod(taps))), axis=2)
    return F.reshape(weight, (filter_n, -1, *taps))


def _interleaved(F: Any, y: Any, stride: Sequence[int], channels: int) -> Any:
    """Turn `(batch, channels * phases, *sizes)` into `(batch, channels, *(sizes * stride))`."""
    n = len(stride)
    # Transpositions of few axes are fast. But with 3 sizes, batch and channels stay apart,
    # since oneDNN fails when such data are reshaped to rank 4 and back.
    lead = 2 if n == 3 else 1
    if lead == 1:
        y = F.reshape(y, (-3, -2))
    for axis in reversed(range(n)):  # one at a time: much faster than one transposition
        if stride[axis] == 1:
            continue
        y = F.reshape(y, (0,) * (lead - 1) + (-4, -1, stride[axis], -2))
        before, after = range(lead + 1, lead + axis + 2), range(lead + axis + 2, lead + n + 1)
        y = F.transpose(y, axes=(*range(lead), *before, lead, *after))
        y = F.reshape(y, (0,) * (lead + axis) + (-3,) + (0,) * (n - 1 - axis))
    return F.reshape(y, (-4, -1, channels, -2)) if lead == 1 else y


def _to_one_channel(
    F: Any, x: Any, weight: Any, bias: Any, in_channels: int, **settings: Any
) -> Any:
    """Compute a transposed convolution to one output channel in each group.

    There the operator is sound if its number of input channels is odd (nothing is blocked
    then, and swapping the two axes of channels changes nothing in memory), and fast.
    """
    groups = settings["num_group"]
    if in_channels // groups % 2 == 0:
        if groups > 1:
            x = F.reshape(x, (0, -4, groups, -1, -2))
            weight = F.reshape(weight, (-4, groups, -1, -2))
        axis = 1 if groups == 1 else 2
        x = _with_zeros(F, x, 1, axis=axis)
        weight = _with_zeros(F, weight, 1, axis=axis - 1)
        if groups > 1:
            x, weight = F.reshape(x, (0, -3, -2)), F.reshape(weight, (-3, -2))
    arrays = (x, weight) if bias is None else (x, weight, bias)
    return F.Deconvolution(*arrays, no_bias=bias is None, **settings)


def _may_come_from_one_place(
    kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int], **_settings: Any
) -> bool:
    """Tell whether a layer is one that makes whole pictures of maps with one place.

    Its gradient fails for larger kernels then ("could not create a primitive descriptor for a
    reorder primitive"), where strides are 1.
    """
    grows = any(2 * p < k - 1 for k, p in zip(kernel, pad))
    return max(kernel) > 3 and math.prod(stride) == 1 and grows


def _padded(F: Any, arr: Any, number: int, axis: int) -> Any:
    """Append zeros along `axis`, 2 or more, of an array of rank 4 or 5.

    Unlike a concatenation it does not infer sizes backwards, which MXNet does wrongly.
    """
    rank = max(4, axis + 2)
    width = [0] * (2 * rank)
    width[2 * axis + 1] = number
    return F.pad(arr, mode="constant", constant_value=0.0, pad_width=tuple(width))


def _with_zeros(F: Any, arr: Any, number: int, axis: int) -> Any:
    """Append zeros along `axis`; unlike with `F.zeros`, device and sizes need not be known."""
    zeros = F.zeros_like(F.slice_axis(arr, axis=axis, begin=0, end=1))
    if number > 1:
        zeros = F.broadcast_axis(zeros, axis=axis, size=number)
    return F.concat(arr, zeros, dim=axis)


def _with_shapes(
    F: Any, output: Any, x: Any, weight: Any, bias: Any, settings: dict[str, Any]
) -> Any:
    """Let the number of input channels, not known yet, be inferred by the operator itself.

    Its output is not used, and no gradient goes through it.
    """
    arrays = [F.BlockGrad(arr) for arr in (x, weight, bias) if arr is not None]
    native = F.Deconvolution(*arrays, no_bias=bias is None, **settings)
    return F.reshape_like(output, F.BlockGrad(native))


def _integers(values: Sequence[Any]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)
