"""The graph of an inference: fused, and its multiply-adds."""

from __future__ import annotations

import warnings

import mxnet as mx
import numpy as np
import pytest
from model_cases import MODELS
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn

import accelbrainbase as ab
from accelbrainbase._mxnet import fused_inference
from accelbrainbase._mxnet.inference_graph import multiply_adds
from accelbrainbase._mxnet.loss_block import LossBlock

LEARNS_BY_A_LOSS = [
    name for name in MODELS
    if isinstance(getattr(ab, name), type) and issubclass(getattr(ab, name), LossBlock)
]  # fmt: skip


def learned(name, **kwargs):
    ab.seed(0)
    case = MODELS[name]
    model = case.make(**kwargs)
    observed, target = case.data(40)
    model.learn(ab.ArrayIterator(observed, target, epochs=2, batch_size=20, seed=0))
    return model, observed


#: Their inference does more than to compute one graph.
SEVERAL_GRAPHS = {"DRCNetworks", "GenerativeEncoderDecoder"}


@pytest.mark.parametrize("name", LEARNS_BY_A_LOSS)
def test_fused_and_plain_give_the_same(name):
    ab.seed(0)
    case = MODELS[name]
    model, observed = case.make(), case.data(40)[0]
    model.inference(observed)
    for key, parameter in model.collect_params().items():
        if "running" in key:
            parameter.set_data(nd.random.uniform(0.5, 2.0, shape=parameter.shape))
    if name in SEVERAL_GRAPHS:
        with pytest.raises((TypeError, ValueError), match="one graph|length of the series"):
            model.optimize_for_inference(observed[:8])
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fast = model.optimize_for_inference(observed[:8])
    assert fast.fused
    for arr in (observed, observed[:3], nd.array(observed[5:6])):
        wanted = model.inference(arr).asnumpy()
        tolerance = 1e-5 * max(1.0, np.abs(wanted).max())
        np.testing.assert_allclose(fast.inference(arr).asnumpy(), wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_a_snapshot_stays_as_it_was(hybridize_flag):
    model, observed = learned("MobileNetV2", hybridize_flag=hybridize_flag)
    fast = model.optimize_for_inference(observed)
    before = fast(observed).asnumpy()
    _, target = MODELS["MobileNetV2"].data(40)
    model.learn(ab.ArrayIterator(observed, target, epochs=2, batch_size=20, seed=0))
    np.testing.assert_array_equal(fast(observed).asnumpy(), before)
    after = model.inference(observed).asnumpy()
    assert np.abs(after - before).max() > 1e-3
    again = model.optimize_for_inference(observed)
    np.testing.assert_allclose(again(observed).asnumpy(), after, atol=1e-5)


def test_learning_goes_on_unfused():
    """A model that was optimised learns as one that was not."""
    values = []
    for optimise in (False, True):
        model, observed = learned("MobileNetV2")
        if optimise:
            model.optimize_for_inference(observed)
        _, target = MODELS["MobileNetV2"].data(40)
        model.learn(ab.ArrayIterator(observed, target, epochs=2, batch_size=20, seed=0))
        values.append(model.loss_arr)
    np.testing.assert_array_equal(*values)


def test_each_convolution_is_one_operator_with_its_limit():
    model, observed = learned("MobileNetV2")
    fast = model.optimize_for_inference(observed)
    names = fast._block._cached_graph[1].get_internals().list_outputs()
    assert sum("sg_mkldnn_conv" in name for name in names) >= 8
    alone = [name for name in names if name.endswith("_output") and "sg_" not in name]
    assert not any("clip" in name or "batchnorm" in name for name in alone)
    big = 100 * observed  # so that the limit of 6 is reached
    np.testing.assert_allclose(
        fast(big).asnumpy(), model.inference(big).asnumpy(), rtol=1e-4, atol=1e-4
    )


def test_inside_a_recording_it_infers():
    model, observed = learned("MobileNetV2")
    fast = model.optimize_for_inference(observed)
    with autograd.record():
        got = fast(observed)
    np.testing.assert_array_equal(got.asnumpy(), fast(observed).asnumpy())


def test_unfused_where_it_cannot_be_fused(monkeypatch):
    model, observed = learned("MobileNetV2")
    monkeypatch.setattr(fused_inference, "_TOLERANCE", -1.0)
    with pytest.warns(UserWarning, match="MobileNetV2 are not fused: the numbers differ"):
        fast = model.optimize_for_inference(observed)
    assert not fast.fused
    np.testing.assert_allclose(fast(observed).asnumpy(), model.inference(observed).asnumpy(),
                               atol=1e-6)  # fmt: skip


def test_unfused_without_one_dnn(monkeypatch):
    model, observed = learned("MobileNetV2")
    monkeypatch.setattr(mx.runtime.Features, "is_enabled", lambda self, name: False)
    with pytest.warns(UserWarning, match="built without oneDNN"):
        assert not model.optimize_for_inference(observed).fused


def test_wrong_shapes_are_named():
    model, observed = learned("MobileNetV2")
    fast = model.optimize_for_inference(observed)
    with pytest.raises(ValueError, match="`observed_arr` must have shape"):
        fast.inference(observed[0])


def test_multiply_adds_by_hand():
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(8, 3, padding=1), nn.Conv2D(8, 3, strides=2, padding=1, groups=8),
        nn.Conv2DTranspose(4, 2, strides=2), nn.Dense(10),
    )  # fmt: skip
    net.initialize()
    count = 6 * 6 * 8 * 3 * 9 + 3 * 3 * 8 * 9 + 3 * 3 * 8 * 4 * 4 + 6 * 6 * 4 * 10
    assert multiply_adds(net, nd.zeros((1, 3, 6, 6))) == count
    assert multiply_adds(net, nd.zeros((2, 3, 6, 6))) == 2 * count


def test_standard_mobilenet_takes_300_million_multiply_adds():
    model = ab.MobileNetV2.standard()
    assert multiply_adds(model, nd.zeros((1, 3, 224, 224))) == 300_774_272


def test_other_products_are_not_counted_in_silence():
    model, observed = learned("LSTMNetworks")
    with pytest.raises(ValueError, match="product of another kind"):
        multiply_adds(model, nd.array(observed[:1]))
    with pytest.raises(TypeError, match="`block` must be a `HybridBlock`"):
        multiply_adds(gluon.loss.L2Loss, nd.zeros((1, 2)))


def test_layer_normalisation_is_one_operator_where_nothing_is_learned():
    """MXNet's own, whose backward pass is slow; what the model learns by stays as it was."""
    model, observed = learned("TransformerEncoder")
    before = model.inference(observed).asnumpy()
    fast = model.optimize_for_inference(observed)
    np.testing.assert_array_equal(model.inference(observed).asnumpy(), before)
    assert '"op": "LayerNorm"' in fast._block._cached_graph[1].tojson()
    assert '"op": "LayerNorm"' not in model._cached_graph[1][0].tojson()
    np.testing.assert_allclose(fast.inference(observed).asnumpy(), before, atol=1e-5)
