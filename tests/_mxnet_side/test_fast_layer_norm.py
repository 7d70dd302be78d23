"""FastLayerNorm: the numbers of Gluon's, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import autograd, gluon, nd

from accelbrainbase._mxnet.fast_layer_norm import FastLayerNorm


@pytest.mark.parametrize("hybridize", [False, True])
def test_numbers_and_gradients_of_gluon(hybridize):
    rng = np.random.default_rng(0)
    x = nd.array(rng.normal(3, 2, size=(4, 5, 7)))
    weight = nd.array(rng.normal(size=(4, 5, 7)))
    results = []
    for block in (FastLayerNorm(7), gluon.nn.LayerNorm(in_channels=7)):
        block.initialize()
        block.gamma.set_data(nd.arange(1, 8))
        block.beta.set_data(nd.arange(7))
        block.hybridize(hybridize)
        x.attach_grad()
        with autograd.record():
            output = block(x)
        output.backward(weight)
        arrays = (output, x.grad, block.gamma.grad(), block.beta.grad())
        results.append([arr.asnumpy() for arr in arrays])
        assert set(block._collect_params_with_prefix()) == {"gamma", "beta"}
    for one, other in zip(*results):
        assert np.abs(other).max() > 1e-2
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-5)
