"""Transposed convolutions by NumPy; what would crash runs in a process of its own."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn

import accelbrainbase as ab
from accelbrainbase._mxnet.safe_deconvolution import make_safe, share_weight, waits_for_sizes


def transposed_convolution(x, weight, bias, layer):
    """By the definition: each input value adds its multiple of the kernel to the output."""
    names = ("kernel", "stride", "pad", "dilate", "adj")
    kernel, stride, pad, dilate, adj = (layer._kwargs[name] for name in names)
    groups, n = layer._kwargs["num_group"], len(kernel)
    in_n, out_n = x.shape[1] // groups, weight.shape[1]
    sizes = x.shape[2:]
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilate)]
    whole = [(m - 1) * s + r + a + p for m, s, r, a, p in zip(sizes, stride, reach, adj, pad)]
    y = np.zeros((x.shape[0], out_n * groups, *whole))
    for tap in itertools.product(*map(range, kernel)):
        place = tuple(
            slice(t * d, t * d + (m - 1) * s + 1, s)
            for t, d, m, s in zip(tap, dilate, sizes, stride)
        )
        for group in range(groups):
            inputs, outputs = (slice(group * m, (group + 1) * m) for m in (in_n, out_n))
            y[(slice(None), outputs, *place)] += np.einsum(
                "bi...,io->bo...", x[:, inputs], weight[(inputs, slice(None), *tap)]
            )
    wanted = [(m - 1) * s - 2 * p + r + a for m, s, p, r, a in zip(sizes, stride, pad, reach, adj)]
    y = y[(slice(None), slice(None), *(slice(p, p + m) for p, m in zip(pad, wanted)))]
    return y if bias is None else y + bias.reshape((1, -1) + (1,) * n)


# dimensions, in, out, kernel, stride, padding, dilation, output_padding, groups
CASES = [
    (2, 16, 8, 3, 1, 1, 1, 0, 1),
    (2, 16, 5, 3, 2, 1, 1, 1, 1),
    (2, 32, 16, 4, 2, 1, 1, 0, 1),
    (2, 7, 3, 3, 3, 0, 1, 2, 1),
    (2, 8, 4, 3, 1, 2, 2, 0, 1),
    (2, 8, 4, 3, 2, 2, 2, 1, 1),
    (2, 8, 6, (3, 4), (2, 1), (1, 0), 1, (1, 0), 2),
    (2, 16, 8, 2, 3, 0, 1, 0, 1),
    (2, 16, 8, 1, 2, 0, 1, 1, 1),
    (2, 5, 8, 3, 1, 3, 1, 0, 1),
    (2, 8, 8, 3, 2, 1, 1, 1, 8),
    (2, 16, 1, 3, 1, 1, 1, 0, 1),
    (2, 8, 1, 4, 2, 1, 1, 0, 1),
    (2, 15, 1, 4, 2, 1, 1, 0, 1),
    (2, 7, 1, 4, 2, 1, 1, 0, 1),
    (2, 32, 2, 3, 1, 1, 1, 0, 2),
    (1, 16, 4, 4, 2, 1, 1, 0, 1),
    (1, 16, 1, 3, 1, 1, 1, 0, 1),
    (1, 6, 4, 3, 2, 1, 3, 1, 2),
    (3, 8, 4, 3, 2, 1, 1, 1, 1),
    (3, 16, 1, 3, 1, 1, 1, 0, 1),
    (3, 4, 6, (2, 3, 4), (1, 2, 3), (0, 1, 1), 1, (0, 1, 0), 2),
]


def make_layer(case, use_bias=True, deferred=False):
    n, in_n, out_n, *settings, groups = case
    kernel, strides, padding, dilation, output_padding = (
        (value,) * n if isinstance(value, int) else value for value in settings
    )
    layer = getattr(nn, f"Conv{n}DTranspose")(
        out_n, kernel, strides=strides, padding=padding, output_padding=output_padding,
        dilation=dilation, groups=groups, use_bias=use_bias, bias_initializer=init.Normal(1),
        in_channels=0 if deferred else in_n,
    )  # fmt: skip
    layer.initialize(init.Normal(0.3))
    return layer


def check_by_numpy(case, hybridize, use_bias, deferred):
    """Two uses in one backward: the output, and the gradients along random directions."""
    layer = make_layer(case, use_bias, deferred)
    make_safe(layer)
    if hybridize:
        layer.hybridize(static_alloc=True, static_shape=True)
    rng = np.random.default_rng(0)
    for sizes in ((7, 6, 7), (8, 8, 6)):  # one graph serves all sizes
        shape = (3, case[1], *sizes[: case[0]])
        arrays = [nd.array(rng.normal(size=shape)) for _ in range(2)]
        arrays[0].attach_grad()
        with autograd.record():
            one, two = (layer(arr) for arr in arrays)
            loss = (one * one).sum() + (two * two * two).sum()
        loss.backward()
        x, x2 = (arr.asnumpy().astype(float) for arr in arrays)
        weight = layer.weight.data().asnumpy().astype(float)
        bias = layer.bias.data().asnumpy().astype(float) if use_bias else None
        y, y2 = (transposed_convolution(arr, weight, bias, layer) for arr in (x, x2))
        np.testing.assert_allclose(one.asnumpy(), y, rtol=1e-4, atol=1e-4 * abs(y).max())

        def along(direction, gradient, expected):
            got = (direction * gradient).sum()
            scale = np.linalg.norm(gradient) * np.linalg.norm(direction) / direction.size**0.5
            assert abs(got - expected) < 2e-4 * scale

        direction = rng.normal(size=weight.shape)
        d1, d2 = (transposed_convolution(arr, direction, None, layer) for arr in (x, x2))
        along(direction, layer.weight.grad().asnumpy(), (2 * y * d1 + 3 * y2**2 * d2).sum())
        direction = rng.normal(size=x.shape)
        moved = transposed_convolution(direction, weight, None, layer)
        along(direction, arrays[0].grad.asnumpy(), (2 * y * moved).sum())
        if use_bias:
            axes = (0, *range(2, y.ndim))
            expected = (2 * y).sum(axes) + (3 * y2**2).sum(axes)
            np.testing.assert_allclose(
                layer.bias.grad().asnumpy(), expected, atol=1e-4 * abs(expected).max()
            )


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("hybridize", [False, True])
def test_outputs_and_gradients_of_two_uses_by_numpy(case, hybridize):
    for use_bias in (True, False):
        check_by_numpy(case, hybridize, use_bias, deferred=False)
        if case[-1] == 1:  # (MXNet itself cannot infer the channels of groups)
            check_by_numpy(case, hybridize, use_bias, deferred=True)


@pytest.mark.parametrize("isa", ["AVX2", "SSE41"])
def test_the_same_on_older_processors(isa):
    """Which shapes MXNet fails on depends on the processor."""
    code = f"""
        import sys
        import accelbrainbase
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from test_safe_deconvolution import CASES, check_by_numpy
        for case in CASES:
            check_by_numpy(case, True, True, False)
    """
    run(code, DNNL_MAX_CPU_ISA=isa)


def run(code: str, **environment: str) -> str:
    """Run code in a process of its own, so that a crash is a failed test."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True, text=True, timeout=300, env={**os.environ, **environment},
    )  # fmt: skip
    assert result.returncode == 0, f"exit {result.returncode}: {result.stderr[-1500:]}"
    return result.stdout


USES = {
    "two calls, losses added": """
        with autograd.record():
            loss = net(x).square().mean() + net(x2).square().mean()
        loss.backward()
    """,
    "two calls, two losses": """
        with autograd.record():
            losses = [net(x).square().mean(), net(x2).square().mean()]
        autograd.backward(losses)
    """,
    "gradients added": """
        for parameter in net.collect_params().values():
            if parameter.grad_req != "null":
                parameter.grad_req = "add"
        for arr in (x, x2):
            with autograd.record():
                loss = net(arr).square().mean()
            loss.backward()
    """,
    "autograd.grad": """
        with autograd.record():
            loss = net(x).square().mean() + net(x2).square().mean()
        autograd.grad(loss, [p.data() for p in net.collect_params().values()
                             if p.grad_req != "null"])
    """,
}
NETWORKS = {
    "auto-encoder, tied": """
        net = ab.ConvolutionalAutoEncoder(cnn(Conv2D(16, 3), Conv2D(32, 4, strides=2)),
            cnn(Conv2DTranspose(16, 4, strides=2), Conv2DTranspose(1, 3)), ab.L2NormLoss())
    """,
    "auto-encoder, not tied": """
        net = ab.ConvolutionalAutoEncoder(cnn(Conv2D(16, 3), Conv2D(32, 4, strides=2)),
            cnn(Conv2DTranspose(16, 4, strides=2), Conv2DTranspose(1, 3)), ab.L2NormLoss(),
            tied_weights_flag=False)
    """,
    "network with output_nn of transposed convolutions": """
        inner = gluon.nn.HybridSequential()
        inner.add(Conv2DTranspose(16, 3), gluon.nn.BatchNorm(), Conv2DTranspose(1, 3))
        net = cnn(Conv2D(16, 3), Conv2D(16, 3), output_nn=inner)
    """,
    "stack": """
        parts = [ab.ConvolutionalAutoEncoder(cnn(Conv2D(16, 3)), cnn(Conv2DTranspose(m, 3)),
                 ab.L2NormLoss()) for m in (1, 16)]
        net = ab.StackedConvolutionalAutoEncoder(parts, ab.L2NormLoss())
    """,
    "chain": """
        net = ab.ConvolutionalNetworkChain(
            [cnn(Conv2D(16, 3)), cnn(Conv2DTranspose(8, 3)), cnn(Conv2DTranspose(1, 3))])
    """,
    "within a foreign block, sizes not known yet": """
        inner = cnn(Conv2D(16, 3), Conv2DTranspose(16, 3, strides=2), Conv2DTranspose(1, 3))
        net = gluon.nn.HybridSequential()
        net.add(inner)
        net.hybridize(static_alloc=True, static_shape=True)
    """,
}


@pytest.mark.parametrize("flag", [True, False], ids=["hybridized", "imperative"])
@pytest.mark.parametrize("network", NETWORKS)
def test_energy_based_uses_do_not_crash(network, flag):
    """MXNet's own layers bring the process down in each of these."""
    uses = "\n".join(
        "for _ in range(5):\n" + textwrap.indent(textwrap.dedent(use), "    ")
        for use in USES.values()
    )
    code = f"""
import accelbrainbase as ab
import numpy as np
from mxnet import autograd, gluon, nd
from mxnet.gluon.nn import Conv2D, Conv2DTranspose

def cnn(*layers, **kwargs):
    return ab.ConvolutionalNeuralNetworks(ab.L2NormLoss(), hidden_units_list=list(layers),
        hidden_dropout_rate_list=[0.0] * len(layers), hybridize_flag={flag}, **kwargs)

ab.seed(0)
{textwrap.dedent(NETWORKS[network])}
x, x2 = nd.random.normal(shape=(4, 1, 12, 12)), nd.random.normal(shape=(4, 1, 12, 12))
net(x)
{uses}
nd.waitall()
"""
    run(code)


def test_native_layers_crash():
    """Why all this is done: without it the process dies. If not any more, it can go."""
    code = """
        import accelbrainbase
        from mxnet import autograd, nd
        from mxnet.gluon.nn import Conv2DTranspose
        layer = Conv2DTranspose(16, 3, in_channels=32)
        layer.initialize()
        x = nd.ones((4, 32, 8, 8))
        for _ in range(20):
            with autograd.record():
                loss = layer(x).sum() + layer(2 * x).sum()
            loss.backward()
            layer.weight.grad().asnumpy()
    """
    with pytest.raises(AssertionError, match="exit"):
        run(code)


def test_parameters_names_and_files_are_unchanged(tmp_path):
    plain, safe = (make_layer(CASES[0]) for _ in range(2))
    make_safe(safe)
    assert repr(plain).partition("(")[2] == repr(safe).partition("(")[2]
    assert type(safe) is type(plain)
    safe.save_parameters(str(tmp_path / "a.params"))
    plain.load_parameters(str(tmp_path / "a.params"))
    x = nd.random.normal(shape=(2, 16, 5, 5))
    np.testing.assert_allclose(plain(x).asnumpy(), safe(x).asnumpy(), rtol=1e-4, atol=1e-4)


def test_layer_with_own_computation_is_left_alone():
    class Own(nn.Conv2DTranspose):
        def hybrid_forward(self, F, x, weight, bias=None):
            return F.zeros_like(x)

    layer = Own(8, 3, in_channels=8)
    layer.initialize()
    make_safe(layer)
    assert (layer(nd.ones((1, 8, 4, 4))).asnumpy() == 0).all()


def test_graph_is_traced_again_when_sizes_are_known():
    """To one channel from 16: the operator itself, which is faster, instead of many."""
    net = ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=[nn.Conv2DTranspose(1, 3)], hidden_dropout_rate_list=[0]
    )
    assert waits_for_sizes(net)
    net(nd.ones((1, 16, 4, 4)))
    assert not waits_for_sizes(net)
    operators = net._cached_graph[1].tojson()
    assert '"Deconvolution"' in operators and '"BlockGrad"' not in operators


def test_shared_weight_gets_the_sum_of_the_gradients():
    convolution = nn.Conv2D(8, 3, in_channels=3, use_bias=False)
    transposed = nn.Conv2DTranspose(3, 3, in_channels=8, use_bias=False)
    for layer in (convolution, transposed):
        layer.initialize(init.Normal(0.3))
    share_weight(transposed, convolution)
    make_safe(transposed)
    assert list(transposed.collect_params()) == [convolution.weight.name]
    x = nd.random.normal(shape=(2, 3, 6, 6))

    def loss():
        return (transposed(convolution(x)) * x).sum()

    with autograd.record():
        value = loss()
    value.backward()
    # <C' C x, x> = |C x|^2, so the gradient is that of the squared norm
    expected = nn.Conv2D(8, 3, in_channels=3, use_bias=False)
    expected.initialize()
    expected.weight.set_data(convolution.weight.data())
    with autograd.record():
        norm = expected(x).square().sum()
    norm.backward()
    assert value.asscalar() == pytest.approx(norm.asscalar(), rel=1e-4)
    np.testing.assert_allclose(
        convolution.weight.grad().asnumpy(), expected.weight.grad().asnumpy(), rtol=1e-3, atol=1e-3
    )


def test_numpy_scalars_as_sizes():
    layer = nn.Conv2DTranspose(
        np.int64(4), (np.int64(3), np.int32(3)), strides=(np.int64(2), np.int64(2)), in_channels=8
    )
    layer.initialize()
    make_safe(layer)
    layer.hybridize()
    assert layer(nd.ones((1, 8, 4, 4))).shape == (1, 4, 9, 9)


def test_activation_of_the_layer_is_kept():
    layer = nn.Conv2DTranspose(4, 3, in_channels=8, activation="sigmoid")
    layer.initialize(init.Normal(0.3))
    make_safe(layer)
    values = layer(nd.random.normal(shape=(1, 8, 4, 4))).asnumpy()
    assert ((values > 0) & (values < 1)).all()


def test_gluon_itself_is_not_changed():
    assert gluon.nn.Conv2DTranspose.hybrid_forward is gluon.nn.Conv2D.hybrid_forward


@pytest.mark.parametrize(("size", "padding"), [(4, 0), (6, 0), (8, 0), (9, 2), (16, 0)])
@pytest.mark.parametrize("maps", [5, 16])
def test_pictures_of_one_channel_from_maps_with_one_place(size, padding, maps):
    def network(layer, last):
        return ab.ConvolutionalNeuralNetworks(
            ab.L2NormLoss(), hidden_units_list=[layer], hidden_activation_list=[last],
            hidden_dropout_rate_list=[0.0],
        )  # fmt: skip

    model = ab.ConvolutionalAutoEncoder(
        network(nn.Conv2D(maps, size, padding=padding), "relu"),
        network(nn.Conv2DTranspose(1, size, padding=padding), "identity"), ab.L2NormLoss(),
        tied_weights_flag=False, optimizer_name="Adam", learning_rate=1e-2,
    )  # fmt: skip
    side = size - 2 * padding
    data = np.random.default_rng(0).random((16, 1, side, side), dtype=np.float32)
    model.learn(ab.ArrayIterator(data, epochs=15, batch_size=8, seed=0))
    assert model.loss_arr[-1, 0] < 0.9 * model.loss_arr[0, 0]
