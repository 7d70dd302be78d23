"""EncoderDecoder by NumPy: both ways, teacher forcing, masks."""

from __future__ import annotations

import numpy as np
import pytest
from lstm_numpy import cells, parameters_of
from mxnet import autograd, nd

import accelbrainbase as ab

RNG = np.random.default_rng(0)
SERIES = RNG.normal(size=(4, 6, 3)).astype(np.float32)
MASK = np.ones((4, 6), dtype=np.float32)
MASK[0, 4:] = 0
MASK[1, :2] = 0
MASK[2, 3] = 0


def cell_layer(**kwargs):
    settings = {"hidden_n": 5, "dropout_rate": 0.0, "output_activation": "identity", **kwargs}
    return ab.LSTMNetworks(None, None, ab.L2NormLoss(), **settings)


def make(hybridize_flag=True, parts=None, decoder=None, **kwargs):
    ab.seed(2)
    parts = {"scale": 2.0, "hybridize_flag": hybridize_flag, **(parts or {})}
    return ab.EncoderDecoder(
        cell_layer(output_layer_flag=False, **parts),
        cell_layer(**{"output_n": 3, **parts, **(decoder or {})}),
        ab.L2NormLoss(), hybridize_flag=hybridize_flag, **kwargs,
    )  # fmt: skip


def written(model, x, teacher=None):
    """Encode and decode by NumPy, one series at a time, each without its masked points."""
    weight, bias = (
        p.data().asnumpy() for p in (model.decoder.output_fc.weight, model.decoder.output_fc.bias)
    )
    _, *state = cells(x, *parameters_of(model.encoder))
    points = []
    for t in reversed(range(x.shape[1])):
        point = state[0] @ weight.T + bias
        points.append(point)
        read = point if teacher is None else teacher[:, t]
        _, *state = cells(read[:, None], *parameters_of(model.decoder), state=state)
    return np.stack(points[::-1], axis=1)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_inference_by_numpy(hybridize_flag):
    model = make(hybridize_flag)
    output = model.inference(SERIES).asnumpy()
    np.testing.assert_allclose(output, written(model, SERIES), atol=1e-6)
    states, _, _ = cells(SERIES, *parameters_of(model.encoder))
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), states, atol=1e-6)


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("parts", [{}, {"hidden_activation": "softsign"}], ids=["fused", "steps"])
def test_learning_reads_the_teacher(parts, hybridize_flag):
    model = make(hybridize_flag, parts)
    model.inference(SERIES)
    teacher = RNG.normal(size=SERIES.shape).astype(np.float32)
    with autograd.record():
        output = model._predict(nd.array(SERIES), nd.array(teacher), None)
    if parts:
        assert output.shape == SERIES.shape
        # Handed its own output, the taught network writes what the free one writes.
        free = model.inference(SERIES)
        taught = model(nd.array(SERIES), free)
        np.testing.assert_allclose(taught.asnumpy(), free.asnumpy(), atol=1e-6)
    else:
        np.testing.assert_allclose(output.asnumpy(), written(model, SERIES, teacher), atol=1e-6)


@pytest.mark.parametrize("decoder", [{}, {"peephole_flag": True}], ids=["fused", "steps"])
def test_what_is_read_is_adjusted_as_what_is_taught(decoder):
    model = make(decoder={"input_adjusted_flag": True, **decoder})
    free = model.inference(SERIES)
    np.testing.assert_allclose(model(nd.array(SERIES), free).asnumpy(), free.asnumpy(), atol=1e-6)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_writing_has_the_gradients_of_its_steps(hybridize_flag):
    gradients = []
    for fused in (True, False):
        model = make(hybridize_flag, teacher_forcing_flag=False)
        if not fused:
            model.decoder._fused = None
        model.inference(SERIES)
        with autograd.record():
            output = model._predict(nd.array(SERIES), nd.array(SERIES), None)
            loss = (output * nd.array(SERIES)).sum()
        loss.backward()
        gradients.append([p.grad().asnumpy() for p in model.collect_params().values()])
    for one, other in zip(*gradients):
        assert np.abs(one).max() > 0
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_both_graphs_share_parameters_and_can_alternate(hybridize_flag):
    model = make(hybridize_flag, optimizer_name="Adam", learning_rate=1e-2)
    arr = nd.array(SERIES)
    for _ in range(3):
        model._train_step(arr, arr)
        np.testing.assert_allclose(
            model.inference(SERIES).asnumpy(), written(model, SERIES), atol=1e-5
        )


@pytest.mark.parametrize("hybridize_flag", [False, True])
@pytest.mark.parametrize("taught", [False, True])
def test_masked_points_are_as_if_they_were_not_there(taught, hybridize_flag):
    model = make(hybridize_flag)
    arr, mask = nd.array(SERIES), nd.array(MASK)
    output = model(arr, arr if taught else None, mask).asnumpy()
    for number in range(len(SERIES)):
        here = MASK[number] == 1
        part = SERIES[number : number + 1, here]
        want = written(model, part, part if taught else None)
        np.testing.assert_allclose(output[number : number + 1, here], want, atol=1e-6)
    if not taught:
        np.testing.assert_array_equal(model.inference(SERIES, MASK).asnumpy(), output)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_without_generating_the_decoder_reads_all_states(hybridize_flag):
    model = make(hybridize_flag, generating_flag=False)
    output = model.inference(SERIES).asnumpy()
    states, _, _ = cells(SERIES, *parameters_of(model.encoder))
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), states, atol=1e-6)
    weight, bias = (
        p.data().asnumpy() for p in (model.decoder.output_fc.weight, model.decoder.output_fc.bias)
    )

    def want(states):
        states, _, _ = cells(states[:, ::-1], *parameters_of(model.decoder))
        return (states @ weight.T + bias)[:, ::-1]

    np.testing.assert_allclose(output, want(states), atol=1e-6)
    masked = model.inference(SERIES, MASK).asnumpy()
    for number in range(len(SERIES)):
        here = MASK[number] == 1
        states, _, _ = cells(SERIES[number : number + 1, here], *parameters_of(model.encoder))
        np.testing.assert_allclose(masked[number : number + 1, here], want(states), atol=1e-6)
    assert model.decoder.observed_fc.weight.shape == (20, 5)


@pytest.mark.parametrize("forced", [False, True])
def test_nan_at_masked_points_has_no_effect(forced):
    gaps = MASK[:, :, None] == 0
    filled = [np.where(gaps, value, SERIES).astype(np.float32) for value in (0, np.nan)]
    results = []
    for series in filled:
        ab.seed(2)
        model = make(True, teacher_forcing_flag=forced)
        batch = [nd.array(arr) for arr in (series, series, MASK)]
        for _ in range(3):
            model._train_step(*batch)
        arrays = (model.inference(series, MASK), model._evaluate(*batch)["loss"])
        results.append([arr.asnumpy() for arr in arrays])
    assert np.isfinite(results[1][0]).all()
    for one, other in zip(*results):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_any_length_and_batch_size(hybridize_flag):
    model = make(hybridize_flag)
    for batch, length in ((4, 6), (2, 3), (3, 1), (1, 6)):
        part = SERIES[:batch, :length]
        output = model.inference(part).asnumpy()
        np.testing.assert_allclose(output, written(model, part), atol=1e-6)


def test_a_single_point_first():
    """All parameters must be in the graph, though the decoder need not go a step."""
    assert make().inference(SERIES[:, :1]).shape == (4, 1, 3)


def test_free_running_learning():
    model = make(teacher_forcing_flag=False)
    arr = nd.array(SERIES)
    model.inference(SERIES)
    output = model._predict(arr, arr, None)
    np.testing.assert_allclose(output.asnumpy(), written(model, SERIES), atol=1e-6)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_a_decoder_without_output_layer_writes_its_states(hybridize_flag):
    model = make(hybridize_flag, decoder={"output_layer_flag": False})
    assert model.output_n == 5
    model.inference(SERIES)  # the shapes are known now
    _, *state = cells(SERIES, *parameters_of(model.encoder))
    points = []
    for _ in range(SERIES.shape[1]):
        points.append(state[0])
        _, *state = cells(state[0][:, None], *parameters_of(model.decoder), state=state)
    output = model.inference(SERIES).asnumpy()
    np.testing.assert_allclose(output, np.stack(points[::-1], axis=1), atol=1e-6)
    target_arr = np.full((4, 6, 5), 0.5, dtype=np.float32)
    model.learning_rate = 0.5
    model.learn(ab.ArrayIterator(SERIES, target_arr, epochs=30, batch_size=4))
    assert model.loss_arr[-1, 0] < 0.9 * model.loss_arr[0, 0]


@pytest.mark.parametrize("generating_flag", [False, True])
def test_learns_to_reconstruct_waves(generating_flag):
    rng = np.random.default_rng(1)
    phase = rng.uniform(0, 2 * np.pi, size=(300, 1))
    waves = np.sin(phase + np.arange(12) * 0.7)[:, :, None].astype(np.float32)
    ab.seed(0)
    settings = {"hidden_n": 16, "dropout_rate": 0.0, "output_activation": "identity"}
    model = ab.EncoderDecoder(
        ab.LSTMNetworks(None, None, ab.L2NormLoss(), output_layer_flag=False, **settings),
        ab.LSTMNetworks(None, None, ab.L2NormLoss(), output_n=1, **settings),
        ab.L2NormLoss(), generating_flag=generating_flag, optimizer_name="Adam",
        learning_rate=1e-2, learning_attenuate_rate=1.0, max_gradient_norm=1.0,
    )  # fmt: skip
    model.learn(ab.ArrayIterator(waves, test_fraction=0.2, epochs=60, batch_size=20, seed=0))
    assert model.loss_arr[-1, 1] < 0.15 * waves.std()


def test_files_of_both_parts(tmp_path):
    model = make()
    model.inference(SERIES)
    model.save_parameters(tmp_path / "a.params")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a_decoder.params", "a_encoder.params"]
    other = make(parts={"scale": 1.0})
    other.load_parameters(tmp_path / "a.params")
    np.testing.assert_allclose(
        other.inference(SERIES).asnumpy(), model.inference(SERIES).asnumpy(), atol=1e-6
    )


def test_a_foreign_block_drives_forward_propagation():
    """As pysummarization does, with its own trainer and initialisation."""
    model = make(hybridize_flag=False)
    model.collect_params().initialize(force_reinit=True)
    with autograd.record():
        output = model.forward_propagation(nd, nd.array(SERIES))
        loss = nd.square(output - nd.array(SERIES)).mean()
    loss.backward()
    assert output.shape == SERIES.shape
    assert model.feature_points_arr.shape == (4, 6, 5)
    for parameter in model.collect_params().values():
        assert np.abs(parameter.grad().asnumpy()).max() > 0


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: ab.EncoderDecoder(3, cell_layer(), ab.L2NormLoss()), TypeError, "`encoder` must"),
        (lambda: ab.EncoderDecoder(cell_layer(), 3, ab.L2NormLoss()), TypeError, "`decoder` must"),
        (lambda: make(decoder={"hidden_n": 7}), ValueError, "`hidden_n` of `encoder` and"),
        (
            lambda: ab.EncoderDecoder(cell_layer(), cell_layer(), ab.L2NormLoss()),
            ValueError, "`encoder` must be built with `output_layer_flag=False`",
        ),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_are_named(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_a_target_of_another_shape_is_named():
    observed = SERIES
    model = make(optimizer_name="Adam")
    with pytest.raises(ValueError, match=r"`target_arr` must have shape \(4, 6, 3\)"):
        model.learn(ab.ArrayIterator(observed, observed[:, :, :2], epochs=1, batch_size=4))
