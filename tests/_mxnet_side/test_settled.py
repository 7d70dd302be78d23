"""Running statistics of batch normalisation are written late, and unknown to MXNet's scheduler."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import nd
from mxnet.gluon import nn

import accelbrainbase as ab
from accelbrainbase._mxnet.gluon_backend import GluonBackend

DATA = np.random.default_rng(0).normal(size=(16, 3, 24, 24)).astype(np.float32)


def just_after_a_step(seed):
    """A network whose last step is still under way."""
    ab.seed(seed)
    network = ab.ConvolutionalNeuralNetworks(
        computable_loss=ab.L2NormLoss(),
        hidden_units_list=[nn.Conv2D(16, 3, padding=1) for _ in range(4)],
        hidden_activation_list=["relu"] * 4,
        hidden_dropout_rate_list=[0.0] * 4,
        hidden_batch_norm_list=[nn.BatchNorm() for _ in range(4)],
        learning_rate=0.01,
    )
    observed_arr, target_arr = nd.array(DATA), nd.zeros((16, 16, 24, 24))
    network.inference(observed_arr).wait_to_read()
    for _ in range(2):
        network._train_step(observed_arr, target_arr)
    return network


def values(network):
    nd.waitall()
    return {name: p.data().asnumpy() for name, p in network.collect_params().items()}


@pytest.mark.parametrize("seed", range(3))
def test_a_file_has_what_the_last_step_wrote(seed, tmp_path):
    network = just_after_a_step(seed)
    network.save_parameters(tmp_path / "a.params")
    other = just_after_a_step(seed + 10)
    other.load_parameters(tmp_path / "a.params")  # its own step must not write afterwards
    for got, wanted in zip(values(other).values(), values(network).values()):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("seed", range(3))
def test_a_snapshot_has_what_the_last_step_wrote(seed):
    network = just_after_a_step(seed)
    backend = GluonBackend(network)
    snapshot = backend.snapshot()
    before = values(network)
    for name, arr in snapshot.items():
        np.testing.assert_array_equal(arr.asnumpy(), before[name])
    for _ in range(2):
        network._train_step(nd.array(DATA), nd.zeros((16, 16, 24, 24)))
    backend.restore(snapshot)
    for name, arr in values(network).items():
        np.testing.assert_array_equal(arr, before[name])


@pytest.mark.parametrize("seed", range(3))
def test_a_checkpoint_has_what_the_last_step_wrote(seed):
    network = just_after_a_step(seed)
    arrays, captured = GluonBackend(network).capture()
    before = list(values(network).values())
    for n, arr in enumerate(before):
        np.testing.assert_array_equal(arrays[f"parameter.{n}"], arr)
    other = just_after_a_step(seed + 10)
    GluonBackend(other).resume(arrays, captured)
    for got, wanted in zip(values(other).values(), before):
        np.testing.assert_array_equal(got, wanted)
