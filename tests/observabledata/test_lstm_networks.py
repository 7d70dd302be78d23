"""LSTMNetworks by NumPy: cells, masks, dropout, gradients."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from lstm_numpy import cells, parameters_of, sigmoid
from mxnet import autograd, nd

import accelbrainbase as ab

RNG = np.random.default_rng(0)
SERIES = RNG.normal(size=(5, 7, 3)).astype(np.float32)
MASK = np.ones((5, 7), dtype=np.float32)
MASK[0, 4:] = 0  # filled up at the end
MASK[1, :2] = 0  # at the beginning
MASK[2, 3] = 0  # a gap


def make(hybridize_flag=True, **kwargs):
    ab.seed(1)
    settings = {"hidden_n": 6, "output_n": 2, "dropout_rate": 0.0, "scale": 2.0, **kwargs}
    return ab.LSTMNetworks(None, None, ab.L2NormLoss(), hybridize_flag=hybridize_flag, **settings)


def unfused(**kwargs):
    """The same network, whose cells are computed step by step."""
    model = make(**kwargs)
    model._fused = None
    return model


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
@pytest.mark.parametrize("build", [make, unfused])
def test_cells_by_numpy(build, mask, hybridize_flag):
    model = build(hybridize_flag=hybridize_flag, forget_bias=0.7)
    output = model.inference(SERIES, mask).asnumpy()
    hidden, _, _ = cells(SERIES, *parameters_of(model), mask=mask)
    if mask is not None:
        hidden = hidden * mask[:, :, None]
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), hidden, atol=1e-6)
    weight, bias = (p.data().asnumpy() for p in (model.output_fc.weight, model.output_fc.bias))
    np.testing.assert_allclose(output, np.tanh(hidden @ weight.T + bias), atol=1e-6)


def test_default_cells_are_fused_and_others_are_not():
    assert make()._fused is not None
    assert make(forget_gate_activation="relu")._fused is None
    assert make(peephole_flag=True)._fused is None


def test_a_step_of_ones_own_is_what_computes():
    class Leaky(ab.LSTMNetworks):
        def step(self, F, projected, hidden, cell, keep=None):
            new, state = super().step(F, projected, hidden, cell, keep)
            return 0.5 * hidden + 0.5 * new, state

    states = []
    for cls in (ab.LSTMNetworks, Leaky):
        ab.seed(1)
        model = cls(None, None, ab.L2NormLoss(), hidden_n=6, output_n=2, dropout_rate=0.0)
        model.inference(SERIES)
        states.append(model.feature_points_arr.asnumpy())
    np.testing.assert_allclose(states[1][:, 0], 0.5 * states[0][:, 0], atol=1e-6)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
def test_gradients_of_both_ways_are_equal(mask, hybridize_flag):
    gradients = []
    for build in (make, unfused):
        model = build(hybridize_flag=hybridize_flag)
        model.inference(SERIES)
        arrays = [nd.array(SERIES)] + ([] if mask is None else [nd.array(mask)])
        with autograd.record():
            loss = nd.square(model(*arrays)).sum()
        loss.backward()
        gradients.append([p.grad().asnumpy() for p in model.collect_params().values()])
    for one, other in zip(*gradients):
        assert np.abs(one).max() > 1e-4
        np.testing.assert_allclose(one, other, atol=2e-6)


def test_gradient_by_finite_differences():
    model = make(hidden_n=3, peephole_flag=True)
    arr = nd.array(SERIES)
    model.inference(SERIES)
    with autograd.record():
        loss = nd.square(model(arr)).sum()
    loss.backward()
    for name in ("observed_fc", "hidden_fc", "forget_gate_fc", "output_gate_fc"):
        parameter = getattr(model, name).weight
        gradient, value = parameter.grad().asnumpy(), parameter.data().asnumpy()
        direction = RNG.normal(size=value.shape).astype(np.float32)
        losses = []
        for step in (1e-2, -1e-2):
            parameter.set_data(nd.array(value + step * direction))
            losses.append(np.square(model(arr).asnumpy().astype(np.float64)).sum())
        parameter.set_data(nd.array(value))
        difference = (losses[0] - losses[1]) / 2e-2
        assert (gradient * direction).sum() == pytest.approx(difference, rel=5e-3, abs=1e-3)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_peepholes_and_other_activations_by_numpy(hybridize_flag):
    model = make(
        hybridize_flag,
        peephole_flag=True,
        observed_activation="softsign",
        input_gate_activation="tanh",
        output_gate_activation="relu",
        hidden_activation="identity",
    )
    model.inference(SERIES, MASK)
    gates = (model.input_gate_fc, model.forget_gate_fc, model.output_gate_fc)
    hidden, _, _ = cells(
        SERIES,
        *parameters_of(model),
        mask=MASK,
        peepholes=[gate.weight.data().asnumpy() for gate in gates],
        functions=(
            lambda x: x / (1 + np.abs(x)), np.tanh, sigmoid,
            lambda x: np.maximum(x, 0), lambda x: x,
        ),
    )  # fmt: skip
    np.testing.assert_allclose(
        model.feature_points_arr.asnumpy(), hidden * MASK[:, :, None], atol=1e-5
    )


@pytest.mark.parametrize("build", [make, unfused])
def test_filling_up_changes_nothing(build):
    model = build(hybridize_flag=False)
    masked = model.inference(SERIES, MASK).asnumpy()
    np.testing.assert_allclose(masked[:1, :4], model.inference(SERIES[:1, :4]).asnumpy(), atol=1e-6)
    np.testing.assert_allclose(
        masked[1:2, 2:], model.inference(SERIES[1:2, 2:]).asnumpy(), atol=1e-6
    )
    for nonsense in (1e3, np.nan):
        changed = np.where(MASK[:, :, None] == 0, nonsense, SERIES).astype(np.float32)
        np.testing.assert_array_equal(model.inference(changed, MASK).asnumpy(), masked)


@pytest.mark.parametrize("build", [make, unfused])
def test_last_states_are_those_at_the_last_unmasked_point(build):
    model = build()
    model.inference(SERIES)
    _, last, cell = model.propagate(nd, nd.array(SERIES), mask=nd.array(MASK))
    _, want, want_cell = cells(SERIES[:1, :4], *parameters_of(model))
    np.testing.assert_allclose(last.asnumpy()[:1], want, atol=1e-6)
    np.testing.assert_allclose(cell.asnumpy()[:1], want_cell, atol=1e-6)


def test_states_can_be_handed_over():
    model = make()
    model.inference(SERIES)
    arr = nd.array(SERIES)
    whole, last, cell = model.propagate(nd, arr)
    _, *state = model.propagate(nd, arr[:, :3])
    rest, last_again, cell_again = model.propagate(nd, arr[:, 3:], state)
    np.testing.assert_allclose(rest.asnumpy(), whole[:, 3:].asnumpy(), atol=1e-6)
    np.testing.assert_allclose(last_again.asnumpy(), last.asnumpy(), atol=1e-6)
    np.testing.assert_allclose(cell_again.asnumpy(), cell.asnumpy(), atol=1e-6)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("build", [make, unfused])
def test_length_and_batch_size_come_from_the_data(build, hybridize_flag):
    model = build(hybridize_flag=hybridize_flag)
    for batch, length in ((5, 7), (2, 3), (1, 1), (4, 7), (2, 3)):
        part = SERIES[:batch, :length]
        output = model.inference(part).asnumpy()
        hidden, _, _ = cells(part, *parameters_of(model))
        assert output.shape == (batch, length, 2)
        np.testing.assert_allclose(model.feature_points_arr.asnumpy(), hidden, atol=1e-6)


def test_only_the_last_few_graphs_are_kept():
    model = unfused()
    long_arr = np.zeros((1, 40, 3), dtype=np.float32)
    for length in range(1, 41):
        model.inference(long_arr[:, :length])
    assert len(model._graphs) <= 16


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_dropout_drops_in_learning_only(hybridize_flag):
    model = make(
        hybridize_flag, hidden_n=400, dropout_rate=0.3, output_no_bias_flag=True,
        output_n=400, output_activation="identity", initializer=mx.initializer.Normal(0.1),
    )  # fmt: skip
    arr = nd.ones((4, 5, 3))
    whole = model.inference(arr).asnumpy()
    np.testing.assert_array_equal(model.inference(arr).asnumpy(), whole)
    model.output_fc.weight.set_data(nd.eye(400))
    hidden = model.inference(arr).asnumpy()
    with autograd.record():
        dropped = model(arr).asnumpy()
    kept = dropped != 0
    assert kept.mean() == pytest.approx(0.7, abs=0.02)
    np.testing.assert_allclose(dropped[kept], hidden[kept] / 0.7, rtol=1e-5, atol=1e-6)


def test_what_cells_pass_on_is_not_dropped():
    model = make(dropout_rate=0.9)
    arr = nd.array(SERIES)
    model.inference(arr)
    clean = model.feature_points_arr.asnumpy()
    with autograd.record():
        model(arr)
    np.testing.assert_array_equal(model.feature_points_arr.asnumpy(), clean)


def test_observed_dropout_changes_the_states():
    model = make(observed_dropout_rate=0.5)
    model.inference(SERIES)
    clean = model.feature_points_arr.asnumpy()
    with autograd.record():
        model(nd.array(SERIES))
    assert (model.feature_points_arr.asnumpy() != clean).any()


def test_adjusted_input_is_divided_by_the_elements_of_a_time():
    model = make(input_adjusted_flag=True)
    model.inference(SERIES)
    hidden, _, _ = cells(SERIES / (5 * 3), *parameters_of(model))
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), hidden, atol=1e-6)


def test_without_output_layer_the_states_are_the_output():
    model = make(output_layer_flag=False)
    output = model.inference(SERIES)
    np.testing.assert_array_equal(output.asnumpy(), model.feature_points_arr.asnumpy())
    assert not any("output_fc" in name for name in model._collect_params_with_prefix())


@pytest.mark.parametrize("cls", [ab.NeuralNetworks, ab.NN3DHybrid])
def test_a_network_as_output_layer(cls):
    part = cls(ab.L2NormLoss(), units_list=[4], activation_list=["identity"])
    model = make(output_nn=part)
    output = model.inference(SERIES)
    want = part.inference(model.feature_points_arr)
    assert output.shape == ((5, 4) if cls is ab.NeuralNetworks else (5, 7, 4))
    np.testing.assert_allclose(output.asnumpy(), want.asnumpy(), atol=1e-6)


def test_forget_bias():
    bias = make(forget_bias=1.0).hidden_fc.bias.data().asnumpy()
    np.testing.assert_array_equal(bias, np.repeat([0, 0, 1, 0], 6))


def test_foreign_blocks_drive_forward_propagation():
    """As pysummarization does: `F` is `mxnet.ndarray`, within a block that is not hybridised."""
    model = make()
    output = model.forward_propagation(nd, nd.array(SERIES))
    np.testing.assert_allclose(output.asnumpy(), model.inference(SERIES).asnumpy(), atol=1e-6)
    np.testing.assert_allclose(
        model.hidden_forward_propagate(nd, nd.array(SERIES)).asnumpy(),
        model.feature_points_arr.asnumpy(), atol=1e-6,
    )  # fmt: skip


class MaskedSeries(ab.IteratableData):
    """Series that sum up to their target; what is masked is nonsense."""

    epochs, iter_n = 5, 25

    def __init__(self, nonsense):
        self.nonsense = nonsense

    def generate_learned_samples(self):
        rng = np.random.default_rng(3)
        for _ in range(self.iter_n):
            observed = rng.normal(size=(8, 6, 2)).astype(np.float32)
            target = observed.sum(axis=2, keepdims=True)
            mask = (np.arange(6) < rng.integers(2, 7, size=(8, 1))).astype(np.float32)
            hidden = mask[:, :, None] == 0
            observed, target = (
                np.where(hidden, self.nonsense, arr).astype(np.float32)
                for arr in (observed, target)
            )
            yield observed, target, observed, target, mask, mask

    def generate_inferenced_samples(self):
        yield from ()


def test_what_is_masked_has_no_effect_on_learning():
    models = []
    for nonsense in (0.0, 77.0, np.nan):
        ab.seed(5)
        model = make(output_n=1, output_activation="identity", learning_rate=0.1)
        model.learn(MaskedSeries(nonsense))
        models.append(model)
    one, *others = ([p.data().asnumpy() for p in m.collect_params().values()] for m in models)
    for other in others:
        for value, again in zip(one, other):
            np.testing.assert_array_equal(value, again)
    assert np.isfinite(models[-1].loss_arr).all()
    assert models[0].loss_arr[-1, 1] < models[0].loss_arr[0, 1]


def test_an_unknown_length_within_a_foreign_graph_is_named():
    inner = unfused()
    inner.inference(SERIES)
    outer = mx.gluon.nn.HybridSequential()
    outer.add(inner)
    outer.hybridize()
    with pytest.raises(ValueError, match="with `seq_len`"):
        outer(nd.array(SERIES))
    inner.seq_len = 7
    np.testing.assert_allclose(
        outer(nd.array(SERIES)).asnumpy(), inner.inference(SERIES).asnumpy(), atol=1e-6
    )


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"hidden_n": 0}, ValueError, "`hidden_n` must be at least 1"),
        ({"dropout_rate": 1.0}, ValueError, "`dropout_rate` must be a finite number in"),
        ({"output_nn": 3}, TypeError, "`output_nn` must be a `NeuralNetworks` or None"),
        ({"forget_gate_activation": "sigmoidd"}, ValueError, "`forget_gate_activation` must be"),
    ],
)
def test_bad_arguments_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        make(**settings)


def test_a_mask_of_another_shape_is_named():
    with pytest.raises(ValueError, match=r"`mask_arr` must have shape .* \(5, 7\)"):
        make().inference(SERIES, MASK[:, :3])


def test_a_loss_is_needed():
    with pytest.raises(TypeError, match="`computable_loss` must be"):
        ab.LSTMNetworks(10, 5)
