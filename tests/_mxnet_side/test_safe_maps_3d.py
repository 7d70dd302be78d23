"""Maps of three dimensions on a CPU: weights can be set, normalisation has its gradient."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from mxnet.gluon import nn

import accelbrainbase as ab
from accelbrainbase._mxnet.safe_maps_3d import make_maps_safe

FILMS = np.random.default_rng(0).normal(size=(4, 16, 3, 6, 6)).astype(np.float32)


def network(**kwargs):
    return ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(),
        hidden_units_list=[nn.Conv3D(16, 3, padding=1), nn.Conv3D(16, 3, padding=1)],
        hidden_activation_list=["relu", "identity"], hidden_dropout_rate_list=[0.0, 0.0],
        hidden_batch_norm_list=[nn.BatchNorm(), None], optimizer_name="Adam", learning_rate=1e-2,
        **kwargs,
    )  # fmt: skip


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_learns_saves_and_loads(tmp_path, hybridize_flag):
    model = network(hybridize_flag=hybridize_flag)
    before = model.inference(FILMS).asnumpy()
    path = str(tmp_path / "a.params")
    model.save_parameters(path)
    model.learn(ab.ArrayIterator(FILMS, epochs=8, batch_size=2, seed=0))
    assert model.loss_arr[-1, 0] < 0.8 * model.loss_arr[0, 0]
    model.inference(FILMS)
    model.load_parameters(path)
    np.testing.assert_allclose(model.inference(FILMS).asnumpy(), before, atol=1e-5)


@pytest.mark.parametrize("hybridize", [False, True])
def test_normalisation_by_hand(hybridize):
    net = nn.HybridSequential()
    net.add(nn.Conv3D(16, 1), nn.BatchNorm())
    net.initialize(mx.init.Xavier())
    make_maps_safe([*net._children.values()])
    net.hybridize(hybridize)
    x = nd.array(FILMS)
    x.attach_grad()
    with autograd.record():
        y = net(x)
        loss = (y * nd.array(np.cos(np.arange(y.size))).reshape(y.shape)).sum()
    loss.backward()
    maps = net[0](x).asnumpy().astype(np.float64)
    axes = (0, 2, 3, 4)
    mean, variance = (f(maps, axis=axes, keepdims=True) for f in (np.mean, np.var))
    scale = np.sqrt(variance + 1e-5)
    want = (maps - mean) / scale
    np.testing.assert_allclose(y.asnumpy(), want, atol=1e-4)
    # The gradient of batch normalisation (Ioffe & Szegedy 2015, section 3).
    up = np.cos(np.arange(y.size)).reshape(y.shape)
    back = up - up.mean(axis=axes, keepdims=True)
    back = (back - want * (up * want).mean(axis=axes, keepdims=True)) / scale
    weight = net[0].weight.data().asnumpy()[:, :, 0, 0, 0]
    want_grad = np.einsum("nothw,oi->nithw", back, weight)
    np.testing.assert_allclose(x.grad.asnumpy(), want_grad, atol=1e-4)


def test_networks_of_pictures_are_left_alone():
    layers = [nn.Conv2D(3, 3), nn.BatchNorm()]
    make_maps_safe(layers)
    assert not any("hybrid_forward" in vars(layer) for layer in layers)
