"""Auto-encoders, chains, stacks and networks over series: the numbers and the mechanisms."""

import logging

import mxnet as mx
import numpy as np
import pytest
from dense_numpy import (
    Batches,
    assert_same_bits,
    bits,
    dense,
    draw,
    fill,
    finite_differences,
    gradients,
    l2,
    network,
    values,
)
from mxnet import autograd, gluon, nd

import accelbrainbase as ab

both_modes = pytest.mark.parametrize("hybridize_flag", [False, True])
both_ties = pytest.mark.parametrize("tied", [False, True], ids=["free", "tied"])

ENCODER, DECODER = ["tanh", "sigmoid"], ["sigmoid", "identity"]


def auto_encoder(observed_n=6, units=(5, 3), tied=False, hybridize_flag=True, **kwargs):
    return ab.AutoEncoder(
        network(list(units), ENCODER, hybridize_flag=hybridize_flag),
        network([*units[-2::-1], observed_n], DECODER, hybridize_flag=hybridize_flag),
        gluon.loss.L2Loss(),
        tied_weights_flag=tied,
        hybridize_flag=hybridize_flag,
        **kwargs,
    )


def filled(x, **kwargs):
    """Return an auto-encoder with random parameters, biases too."""
    model = auto_encoder(x.shape[1], **kwargs)
    model.inference(x)
    fill(model)
    return model


def code(x, p):
    return dense(x, p, ENCODER, "encoder.")


def reconstruct(x, p, tied=False):
    if tied:
        own = {f"decoder.{n}.weight": p[f"encoder.{1 - n}.weight"].T for n in range(2)}
        p = {**p, **own}
    return dense(code(x, p), p, DECODER, "decoder.")


# -- the numbers -----------------------------------------------------------------------


@both_modes
@both_ties
def test_code_and_reconstruction_by_numpy(tied, hybridize_flag):
    x = draw(7, 6)
    model = filled(x, tied=tied, hybridize_flag=hybridize_flag)
    out, p = model.inference(x).asnumpy(), values(model)
    np.testing.assert_allclose(out, reconstruct(x, p, tied), rtol=1e-5, atol=1e-6)
    for arr in (model.feature_points_arr, model.extract_feature_points(), model.encode(x)):
        np.testing.assert_allclose(arr.asnumpy(), code(x, p), rtol=1e-5, atol=1e-6)


@both_modes
@both_ties
def test_gradients_by_finite_differences(tied, hybridize_flag):
    """Of tied weights it is the sum of what both uses give."""
    x, target = draw(5, 6), draw(5, 6, seed=1)
    model = filled(x, tied=tied, hybridize_flag=hybridize_flag)
    got, p = gradients(model, x, target), values(model)
    names = [name for name in p if not (tied and name in ("decoder.0.weight", "decoder.1.weight"))]
    assert len(names) == (6 if tied else 8)
    for name in names:
        expected = finite_differences(lambda q: l2(reconstruct(x, q, tied), target).sum(), p, name)
        np.testing.assert_allclose(got[name], expected, rtol=1e-3, atol=1e-5, err_msg=name)


@both_modes
def test_one_step_on_tied_weights_decays_them_once(hybridize_flag):
    x = draw(5, 6)
    model = filled(x, tied=True, hybridize_flag=hybridize_flag, learning_rate=0.5, wd=0.1)
    slope, before = gradients(model, x, x), values(model)
    model.learn(Batches([(x, x)]))
    for name, value in values(model).items():
        expected = before[name] - 0.5 * (slope[name] / 5 + 0.1 * before[name])
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6, err_msg=name)


def test_target_is_that_of_the_iterator():
    """A denoising iterator gives a clean target beside a noisy observation."""
    x, target = draw(5, 6), draw(5, 6, seed=1)
    model = filled(x, learning_rate=0.0)
    model.learn(Batches([(x, target)]))
    expected = l2(reconstruct(x, values(model)), target).mean()
    np.testing.assert_allclose(model.loss_arr, [[expected, expected]], rtol=1e-5)


# -- tied weights ----------------------------------------------------------------------

OPTIMIZERS = {
    "sgd": {"optimizer_name": "SGD", "learning_rate": 0.1},
    "momentum": {
        "optimizer_name": "SGD",
        "learning_rate": 0.1,
        "optimizer_params": {"momentum": 0.9},
    },
    "adam": {"optimizer_name": "Adam", "learning_rate": 0.01, "wd": 0.01},
    "lamb": {"optimizer_name": "LAMB", "learning_rate": 0.01},
}


@both_modes
@pytest.mark.parametrize("settings", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_tied_weights_stay_exactly_the_transpose(settings, hybridize_flag, tmp_path):
    x = draw(20, 6)
    model = filled(x, tied=True, hybridize_flag=hybridize_flag, **settings)
    before = values(model)
    model.learn(Batches([(x[:12], x[:12]), (x[12:], x[12:])], epochs=25))
    assert model.loss_arr[-1, 0] < model.loss_arr[0, 0]
    model.save_parameters(tmp_path / "a.params")
    encoder, decoder = (
        nd.load(str(tmp_path / f"a_{part}.params")) for part in ("encoder", "decoder")
    )
    for n in range(2):
        weight = encoder[f"{1 - n}.weight"].asnumpy()
        assert (weight != before[f"encoder.{1 - n}.weight"]).all()
        np.testing.assert_array_equal(decoder[f"{n}.weight"].asnumpy(), weight.T)
    expected = reconstruct(x, values(model), tied=True)
    np.testing.assert_allclose(model.inference(x).asnumpy(), expected, rtol=1e-4, atol=1e-5)


def test_tied_weights_are_tied_from_the_start():
    x = draw(3, 6)
    model = auto_encoder(tied=True)
    out = model.inference(x).asnumpy()
    expected = reconstruct(x, values(model), tied=True)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)
    names = list(model.collect_params())
    assert len(names) == len(set(names)) == 6  # two weights, four biases
    assert len(model.trainer._params) == 6


def test_tied_parameters_are_counted_once():
    model = auto_encoder(tied=True)
    model.inference(draw(3, 6))
    assert model.parameter_n == 6 * 5 + 5 * 3 + (5 + 3 + 5 + 6)


def test_files_are_those_of_the_parts(tmp_path):
    """As 1.1.0 wrote them: the decoder's weights in full, in its own orientation."""
    for tied in (False, True):
        x = draw(3, 6)
        model = filled(x, tied=tied)
        model.save_parameters(tmp_path / "a.b.params")
        assert sorted(p.name for p in tmp_path.iterdir()) == [
            "a.b_decoder.params",
            "a.b_encoder.params",
        ]
        shapes = {
            part: {k: v.shape for k, v in nd.load(str(tmp_path / f"a.b_{part}.params")).items()}
            for part in ("encoder", "decoder")
        }
        assert shapes == {
            "encoder": {"0.weight": (5, 6), "0.bias": (5,), "1.weight": (3, 5), "1.bias": (3,)},
            "decoder": {"0.weight": (5, 3), "0.bias": (5,), "1.weight": (6, 5), "1.bias": (6,)},
        }


@pytest.mark.parametrize("ran", [False, True])
def test_files_of_tied_and_free_models_fit_each_other(ran, tmp_path):
    x = draw(4, 6)
    tied = filled(x, tied=True)
    tied.save_parameters(tmp_path / "a.params")
    expected = tied.inference(x).asnumpy()
    free = auto_encoder()
    if ran:
        free.inference(x)
    free.load_parameters(tmp_path / "a.params")
    np.testing.assert_allclose(free.inference(x).asnumpy(), expected, rtol=1e-5, atol=1e-6)
    free.save_parameters(tmp_path / "b.params")
    again = auto_encoder(tied=True)
    if ran:
        again.inference(x)
    again.load_parameters(tmp_path / "b.params")
    assert_same_bits(bits(again), bits(tied))
    assert_same_bits([again.inference(x).asnumpy()], [expected])


def test_free_weights_do_not_load_into_a_tied_model(tmp_path):
    x = draw(4, 6)
    filled(x).save_parameters(tmp_path / "a.params")
    tied = filled(x, tied=True)
    before = bits(tied)
    with pytest.raises(ab.ParameterFileError, match="decoder.params: `0.weight` is tied to anothe"):
        tied.load_parameters(tmp_path / "a.params")
    assert_same_bits(bits(tied), before)


def test_tied_weights_in_one_file(tmp_path):
    """A chain writes one file; both orientations are in it and must agree."""
    x = draw(4, 6)
    model = filled(x, tied=True)
    chain = ab.NetworkChain([model.encoder, model.decoder])
    for deduplicate in (False, True):
        chain.save_parameters(tmp_path / "c.params", deduplicate=deduplicate)
        stored = nd.load(str(tmp_path / "c.params"))
        assert ("1.0.weight" in stored) != deduplicate
        other = filled(x, tied=True)
        fill(other, seed=1)
        ab.NetworkChain([other.encoder, other.decoder]).load_parameters(tmp_path / "c.params")
        assert_same_bits(bits(other), bits(model))
    chain.save_parameters(tmp_path / "c.params")
    stored = nd.load(str(tmp_path / "c.params"))
    assert_same_bits([stored["1.1.weight"].asnumpy()], [stored["0.0.weight"].asnumpy().T])
    stored["1.1.weight"] += 1
    nd.save(str(tmp_path / "c.params"), stored)
    before = bits(model)
    with pytest.raises(ab.ParameterFileError, match="`1.1.weight` is tied to another weight"):
        chain.load_parameters(tmp_path / "c.params")
    assert_same_bits(bits(model), before)


@pytest.mark.parametrize("units", [[4, 6], [6], [5, 5, 6]])
def test_decoder_that_does_not_mirror_the_encoder(units):
    with pytest.raises(
        ValueError, match=r"mirrors the encoder: its `units_list` must be \[5, 'num"
    ):
        ab.AutoEncoder(network([5, 3]), network(units), gluon.loss.L2Loss(), tied_weights_flag=True)


def test_decoder_of_another_width_than_the_known_input():
    encoder = network([5, 3])
    encoder.inference(draw(2, 6))
    with pytest.raises(ValueError, match="layer 1 must have 6 units, but has 7"):
        ab.AutoEncoder(encoder, network([5, 7]), gluon.loss.L2Loss(), tied_weights_flag=True)


@both_modes
def test_data_of_another_width_than_the_tied_decoder_gives(hybridize_flag):
    model = auto_encoder(7, tied=True, hybridize_flag=hybridize_flag)
    with pytest.raises(ValueError, match="must have 7 features for each data point"):
        model.inference(draw(2, 6))
    assert model.inference(draw(2, 7)).shape == (2, 7)


def test_what_cannot_be_tied():
    loss, tie = gluon.loss.L2Loss(), {"tied_weights_flag": True}
    chain = ab.NetworkChain([network([5]), network([3])])
    with pytest.raises(ValueError, match="layers of their own, but NetworkChain is made of other"):
        ab.AutoEncoder(chain, network([5, 6]), loss, **tie)
    with pytest.raises(ValueError, match="layers of their own, but NetworkChain is made of other"):
        ab.AutoEncoder(network([5, 3]), chain, loss, **tie)
    with pytest.raises(ValueError, match="layers of their own, but AutoEncoder is made of other"):
        ab.AutoEncoder(network([5, 6]), auto_encoder(), loss, **tie)
    first = auto_encoder(tied=True)
    with pytest.raises(ValueError, match="`decoder` is tied to another encoder already"):
        ab.AutoEncoder(network([5, 3]), first.decoder, loss, **tie)
    with pytest.raises(ValueError, match="`encoder` is tied to another network itself"):
        ab.AutoEncoder(first.decoder, network([5, 3]), loss, **tie)
    again = ab.AutoEncoder(first.encoder, first.decoder, loss, **tie)  # the same tie is no error
    assert list(again.collect_params()) == list(first.collect_params())


def test_trainer_of_a_decoder_that_is_tied_later():
    encoder, decoder = network([5, 3]), network([5, 6])
    before = decoder.trainer
    ab.AutoEncoder(encoder, decoder, gluon.loss.L2Loss(), tied_weights_flag=True)
    assert decoder.trainer is not before
    assert {p.name for p in decoder.trainer._params} == set(decoder.collect_params())
    assert set(encoder.collect_params(".*weight")) < set(decoder.collect_params())


def test_tied_decoder_without_bias():
    x = draw(4, 6)
    model = ab.AutoEncoder(
        network([5, 3], ENCODER, all_no_bias_flag=True),
        network([5, 6], DECODER, output_no_bias_flag=True),
        gluon.loss.L2Loss(),
        tied_weights_flag=True,
    )
    model.inference(x)
    fill(model)
    p = values(model)
    assert {name for name in p if name.endswith("bias")} == {"decoder.0.bias"}
    expected = reconstruct(x, p, tied=True)
    np.testing.assert_allclose(model.inference(x).asnumpy(), expected, rtol=1e-5, atol=1e-6)


# -- features --------------------------------------------------------------------------


def test_features_before_any_forward_pass():
    with pytest.raises(ValueError, match="AutoEncoder has no feature points yet"):
        auto_encoder().feature_points_arr  # noqa: B018


@both_modes
def test_features_of_different_batches_are_different_arrays(hybridize_flag):
    """Static memory must not let a later batch write over what somebody keeps."""
    x = draw(8, 6)
    model = filled(x, hybridize_flag=hybridize_flag)
    p, kept = values(model), []
    for part in (x, x[:3], x[3:], x):
        model.inference(part)
        kept.append((part, model.feature_points_arr))
    for part, arr in kept:
        np.testing.assert_allclose(arr.asnumpy(), code(part, p), rtol=1e-5, atol=1e-6)


@both_modes
@pytest.mark.parametrize("outer", [False, True])
def test_features_of_all_parts_of_nested_networks(outer, hybridize_flag):
    x = draw(4, 6)
    model = filled(x, hybridize_flag=hybridize_flag)
    top = network([2], hybridize_flag=hybridize_flag)
    chain = ab.NetworkChain([model, top], hybridize_flag=outer)
    chain.inference(draw(9, 6, seed=3))
    fill(chain)
    out, p = chain.inference(x).asnumpy(), values(model)
    first = dense(x, p, ENCODER[:1], "encoder.")
    hidden = dense(code(x, p), p, DECODER[:1], "decoder.")
    reconstructed = reconstruct(x, p)
    for got, expected in (
        (model.feature_points_arr, code(x, p)),
        (model.encoder.feature_points_arr, first),
        (model.decoder.feature_points_arr, hidden),
        (chain.feature_points_arr, reconstructed),
        (top.feature_points_arr, out),
    ):
        np.testing.assert_allclose(got.asnumpy(), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        out, dense(reconstructed, values(top), ["tanh"]), rtol=1e-5, atol=1e-6
    )


@both_modes
def test_features_belong_to_the_pass_that_made_the_output(hybridize_flag):
    """With dropout a second pass of the encoder would give others."""
    x = draw(6, 6)
    model = ab.AutoEncoder(
        network([40], ["tanh"], dropout_rate_list=[0.5], hybridize_flag=hybridize_flag),
        network([6], ["identity"], hybridize_flag=hybridize_flag),
        gluon.loss.L2Loss(),
        hybridize_flag=hybridize_flag,
    )
    model.inference(x)
    with autograd.train_mode():
        out = model(nd.array(x)).asnumpy()
    features = model.feature_points_arr.asnumpy()
    assert 0.2 < (features == 0).mean() < 0.8
    expected = dense(features, values(model), ["identity"], "decoder.")
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


@both_modes
def test_gradients_through_features(hybridize_flag):
    """A penalty on the code, such as sparsity, reaches the encoder beside the reconstruction."""
    x = draw(5, 6)
    model = filled(x, hybridize_flag=hybridize_flag)
    with autograd.record():
        out = model(nd.array(x))
        loss_arr = nd.square(out).sum() + 3 * nd.square(model.feature_points_arr).sum()
    loss_arr.backward()
    p = values(model)
    for name, parameter in model._collect_params_with_prefix().items():
        expected = finite_differences(
            lambda q: (reconstruct(x, q) ** 2).sum() + 3 * (code(x, q) ** 2).sum(), p, name
        )
        got = parameter.grad().asnumpy()
        np.testing.assert_allclose(got, expected, rtol=2e-3, atol=2e-4, err_msg=name)


@both_modes
def test_features_of_forward_propagation_with_arrays(hybridize_flag):
    """As other packages call it, inside a block of their own."""
    x = draw(5, 6)
    model = filled(x, hybridize_flag=hybridize_flag)
    model.inference(draw(3, 6, seed=1))
    out = model.forward_propagation(mx.nd, nd.array(x)).asnumpy()
    p = values(model)
    np.testing.assert_allclose(out, reconstruct(x, p), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), code(x, p), rtol=1e-5, atol=1e-6)


class Foreign(gluon.HybridBlock):
    """A block of another library, which knows nothing of features."""

    def __init__(self, model):
        super().__init__()
        with self.name_scope():
            self.model = model

    def hybrid_forward(self, F, x):
        return 2 * self.model(x)


@both_modes
def test_features_within_a_foreign_block(hybridize_flag):
    x = draw(5, 6)
    model = filled(x, hybridize_flag=hybridize_flag)
    foreign = Foreign(model)
    if hybridize_flag:
        foreign.hybridize()
    p = values(model)
    np.testing.assert_allclose(foreign(nd.array(x)).asnumpy(), 2 * reconstruct(x, p), rtol=1e-4)
    if hybridize_flag:  # the graph is the foreign block's: raise rather than give stale ones
        for part in (model, model.encoder, model.decoder):
            with pytest.raises(ValueError, match="out of reach"):
                part.feature_points_arr  # noqa: B018
        model.inference(x)
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), code(x, p), rtol=1e-5, atol=1e-6)


def test_features_after_hybridising_is_turned_on_and_off():
    x = draw(5, 6)
    model = filled(x)
    p = values(model)
    for number, active in enumerate((False, True, False, True)):
        model.hybridize(active)
        part = x[number:]
        np.testing.assert_allclose(
            model.inference(part).asnumpy(), reconstruct(part, p), rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(
            model.feature_points_arr.asnumpy(), code(part, p), rtol=1e-5, atol=1e-6
        )


def test_exported_graph_gives_the_output_first(tmp_path):
    x = draw(5, 6)
    model = filled(x)
    expected = model.inference(x).asnumpy()
    model.export(str(tmp_path / "m"))
    imported = gluon.SymbolBlock.imports(
        str(tmp_path / "m-symbol.json"), ["data"], str(tmp_path / "m-0000.params")
    )
    assert_same_bits([imported(nd.array(x))[0].asnumpy()], [expected])


def test_auto_encoder_within_an_auto_encoder(tmp_path):
    """Each of its four networks has a file, and is found again."""
    x = draw(4, 6)

    def make():
        inner = ab.AutoEncoder(network([5, 3]), network([4]), gluon.loss.L2Loss())
        return ab.AutoEncoder(inner, network([6]), gluon.loss.L2Loss())

    model, other = make(), make()
    expected = model.inference(x).asnumpy()
    model.save_parameters(tmp_path / "a.params")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a_decoder.params",
        "a_encoder_decoder.params",
        "a_encoder_encoder.params",
    ]
    other.load_parameters(tmp_path / "a.params")
    assert_same_bits([other.inference(x).asnumpy()], [expected])


# -- wrapping --------------------------------------------------------------------------


@both_ties
def test_wrapping_keeps_what_was_learned(tied):
    x = draw(8, 6)
    encoder = network([5, 3], ENCODER, learning_rate=0.1)
    encoder.learn(Batches([(x, draw(8, 3))], epochs=3))
    before, coded = bits(encoder), encoder.inference(x).asnumpy()
    for initializer in (None, mx.init.Constant(7.0)):
        model = ab.AutoEncoder(
            encoder,
            network([5, 6], DECODER),
            gluon.loss.L2Loss(),
            initializer=initializer,
            tied_weights_flag=tied,
        )
        model.inference(x)
        assert_same_bits(bits(encoder), before)
        np.testing.assert_allclose(model.feature_points_arr.asnumpy(), coded, rtol=1e-6)


def test_initialisers_that_are_pending():
    """Those of the parts are kept; one that is given to the whole replaces them."""
    x = draw(2, 6)
    for initializer, expected in ((None, (0.5, -0.5)), (mx.init.Constant(2.0), (2.0, 2.0))):
        model = ab.AutoEncoder(
            network([5], initializer=mx.init.Constant(0.5)),
            network([6], initializer=mx.init.Constant(-0.5)),
            gluon.loss.L2Loss(),
            initializer=initializer,
        )
        model.inference(x)
        p = values(model)
        assert (p["encoder.0.weight"] == expected[0]).all()
        assert (p["decoder.0.weight"] == expected[1]).all()
        assert (p["encoder.0.bias"] == 0).all()


def test_scale_of_the_whole_goes_with_its_initializer():
    model = ab.AutoEncoder(
        network([5]),
        network([6]),
        gluon.loss.L2Loss(),
        initializer=mx.init.Constant(2.0),
        scale=0.25,
    )
    model.inference(draw(2, 6))
    p = values(model)
    assert (p["encoder.0.weight"] == 0.5).all() and (p["encoder.0.bias"] == 0).all()


def test_parts_that_were_left_uninitialised_are_initialised():
    x = draw(2, 6)
    model = ab.AutoEncoder(
        network([5], not_init_flag=True), network([6], not_init_flag=True), gluon.loss.L2Loss()
    )
    assert np.isfinite(model.inference(x).asnumpy()).all()
    assert values(model)["encoder.0.weight"].std() > 0.1


@both_modes
@both_ties
def test_clients_may_force_new_parameters(tied, hybridize_flag):
    x = draw(8, 6)
    model = auto_encoder(
        tied=tied, hybridize_flag=hybridize_flag, learning_rate=0.1, optimizer_name="Adam"
    )
    model.learn(Batches([(x, x)], epochs=3))
    ab.seed(1)
    model.initialize(mx.init.Normal(0.3), ctx=model.ctx, force_reinit=True)
    p = values(model)
    assert (p["encoder.0.bias"] == 0).all()
    assert p["encoder.0.weight"].std() == pytest.approx(0.3, rel=0.4)
    np.testing.assert_allclose(
        model.inference(x).asnumpy(), reconstruct(x, p, tied), rtol=1e-4, atol=1e-6
    )
    before = bits(model)
    model.learn(Batches([(x, x)], epochs=3))
    assert all((old != new).any() for old, new in zip(before, bits(model)))
    np.testing.assert_allclose(
        model.inference(x).asnumpy(), reconstruct(x, values(model), tied), rtol=1e-4, atol=1e-5
    )


def test_parameters_are_those_of_the_parts():
    model = auto_encoder()
    parts = [*model.encoder.collect_params(), *model.decoder.collect_params()]
    assert list(model.collect_params()) == parts
    assert list(model.collect_params(".*weight")) == [n for n in parts if n.endswith("weight")]


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_parts_of_another_kind(part):
    parts = {"encoder": network([5]), "decoder": network([6]), part: gluon.nn.Dense(3)}
    with pytest.raises(TypeError, match=f"`{part}` must be a `NeuralNetworks`"):
        ab.AutoEncoder(computable_loss=gluon.loss.L2Loss(), **parts)


def test_keywords_without_effect_are_noted(caplog):
    with caplog.at_level(logging.DEBUG, logger="accelbrainbase"):
        auto_encoder(units_list=[100, 1], hidden_batch_norm_list=[None, None])
    assert sorted(record.getMessage() for record in caplog.records) == [
        "`hidden_batch_norm_list` has no effect on AutoEncoder",
        "`units_list` has no effect on AutoEncoder",
    ]
    with pytest.raises(TypeError, match="no keyword `tied_weight_flag`. Did you mean `tied_wei"):
        auto_encoder(tied_weight_flag=True)


def test_lists_of_layers():
    model = auto_encoder()
    assert model.units_list == [5, 3, 5, 6] and model.activation_list == ENCODER + DECODER


# -- chains ----------------------------------------------------------------------------


@both_modes
def test_classifier_on_a_pretrained_encoder(hybridize_flag):
    """The first step by hand: it reaches the pre-trained layers, from where they were."""
    x = draw(12, 6)
    target = np.eye(3, dtype=np.float32)[np.random.default_rng(0).integers(3, size=12)]
    model = auto_encoder(hybridize_flag=hybridize_flag, learning_rate=0.3)
    model.learn(Batches([(x, x)], epochs=5))
    before = values(model.encoder)
    output_nn = network(
        [3],
        ["identity"],
        computable_loss=gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False),
        hybridize_flag=hybridize_flag,
    )
    chain = ab.NetworkChain(
        [model.encoder, output_nn], learning_rate=0.5, hybridize_flag=hybridize_flag
    )
    assert isinstance(chain.computable_loss, gluon.loss.SoftmaxCrossEntropyLoss)
    chain.inference(x)
    for name, value in values(model.encoder).items():
        np.testing.assert_array_equal(value, before[name])
    fill(output_nn)

    def loss(q):
        scores = dense(dense(x, q, ENCODER, "0."), q, ["log_softmax"], "1.")
        return -(scores * target).sum(axis=1).mean()

    p = values(chain)
    slopes = {name: finite_differences(loss, p, name) for name in p}
    chain.compute_acc_flag = True
    chain.learn(Batches([(x, target)]))
    for name, value in values(chain).items():
        expected = p[name] - 0.5 * slopes[name]
        np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-5, err_msg=name)
    assert (values(model.encoder)["0.weight"] != before["0.weight"]).any()
    assert chain.loss_arr[0, 0] == pytest.approx(loss(p), rel=1e-4)
    shares = [
        (
            dense(dense(x, q, ENCODER, "0."), q, ["identity"], "1.").argmax(1) == target.argmax(1)
        ).mean()
        for q in (p, values(chain))
    ]
    np.testing.assert_allclose(chain.acc_arr, [shares])


def test_chain_is_saved_in_one_file(tmp_path):
    x = draw(4, 6)
    chain = ab.NetworkChain([network([5, 3]), network([2])])
    chain.inference(x)
    chain.save_parameters(tmp_path / "c.params")
    assert list(nd.load(str(tmp_path / "c.params"))) == [
        "0.0.weight", "0.0.bias", "0.1.weight", "0.1.bias", "1.0.weight", "1.0.bias",
    ]  # fmt: skip
    other = ab.NetworkChain([network([5, 3]), network([2])])
    other.load_parameters(tmp_path / "c.params")
    assert_same_bits([other.inference(x).asnumpy()], [chain.inference(x).asnumpy()])


@pytest.mark.parametrize(
    "make",
    [
        lambda parts, **kwargs: ab.NetworkChain(parts, **kwargs),
        lambda parts, **kwargs: ab.AutoEncoder(*parts, gluon.loss.L2Loss(), **kwargs),
    ],
)
def test_composites_live_where_their_first_part_lives(make):
    parts = [network([3], ctx=mx.cpu(1)), network([4], ctx=mx.cpu(1))]
    model = make(parts)
    out = model.inference(draw(2, 4))
    assert model.ctx == out.context == mx.cpu(1)
    assert make(parts, ctx=mx.cpu(2)).ctx == mx.cpu(2)


def test_chain_of_one_and_chain_of_nothing():
    x, alone = draw(4, 6), network([3])
    chain = ab.NetworkChain([alone])
    out = chain.inference(x)
    assert_same_bits([chain.feature_points_arr.asnumpy()], [out.asnumpy()])
    with pytest.raises(ValueError, match="`network_list` must have at least one network"):
        ab.NetworkChain([])
    with pytest.raises(TypeError, match="`network_list` must be a `NeuralNetworks`"):
        ab.NetworkChain([alone, gluon.nn.Dense(2)])
    networks = [alone]
    chain = ab.NetworkChain(networks)
    networks.append(None)
    assert chain.network_list == [alone]


@pytest.mark.parametrize(
    "make", [lambda: auto_encoder(6), lambda: network([4]), lambda: ab.NetworkChain([network([4])])]
)
def test_chain_checks_its_input_by_its_first_network(make):
    chain = ab.NetworkChain([make(), network([2])])
    chain.inference(draw(3, 6))
    with pytest.raises(ValueError, match="must have 6 features"):
        chain.inference(draw(3, 5))


# -- stacks ----------------------------------------------------------------------------


def shallow(observed_n, code_n, **kwargs):
    settings = {"optimizer_name": "Adam", "learning_rate": 0.01, **kwargs}
    return ab.AutoEncoder(
        network([code_n], ["sigmoid"]),
        network([observed_n], ["identity"]),
        gluon.loss.L2Loss(),
        **settings,
    )


def parts_of_stack(**kwargs):
    ab.seed(3)
    return [shallow(8, 6, **kwargs), shallow(6, 4, **kwargs), shallow(4, 3, **kwargs)]


def pairs_of(x, size=5):
    return [(x[n : n + size], x[n : n + size]) for n in range(0, len(x), size)]


@both_ties
def test_pre_learning_is_learning_each_part_on_encoded_data(tied):
    x = draw(13, 8)
    settings = {"tied_weights_flag": tied}
    stack = ab.StackedAutoEncoder(parts_of_stack(**settings), gluon.loss.L2Loss())
    stack.pre_learn(Batches(pairs_of(x), epochs=4))
    by_hand, pairs = parts_of_stack(**settings), pairs_of(x)
    for part in by_hand:
        part.learn(Batches(pairs, epochs=4))
        pairs = [(part.encode(observed).asnumpy(),) * 2 for observed, _ in pairs]
    for part, expected in zip(stack.auto_encoder_list, by_hand):
        assert_same_bits(bits(part), bits(expected))
        np.testing.assert_array_equal(part.loss_arr, expected.loss_arr)
        assert part.loss_arr.shape == (4, 2) and np.isfinite(part.loss_arr).all()
    assert len(stack.history) == 0


@both_modes
def test_stack_encodes_upwards_and_decodes_back(hybridize_flag):
    x = draw(5, 8)
    parts = parts_of_stack()
    stack = ab.StackedAutoEncoder(parts, gluon.loss.L2Loss(), hybridize_flag=hybridize_flag)
    stack.pre_learn(Batches(pairs_of(draw(10, 8))))
    expected = x
    for part in parts:
        expected = dense(expected, values(part), ["sigmoid"], "encoder.")
    coded = expected
    for part in reversed(parts):
        expected = dense(expected, values(part), ["identity"], "decoder.")
    np.testing.assert_allclose(stack.inference(x).asnumpy(), expected, rtol=1e-4, atol=1e-5)
    for arr in (stack.feature_points_arr, stack.encode(x)):
        np.testing.assert_allclose(arr.asnumpy(), coded, rtol=1e-5, atol=1e-6)
    assert stack.units_list == [6, 4, 3, 4, 6, 8]


def test_fine_tuning_goes_on_with_the_very_parameters():
    x = draw(10, 8)
    parts = parts_of_stack()
    stack = ab.StackedAutoEncoder(parts, gluon.loss.L2Loss(), learning_rate=0.5)
    stack.pre_learn(Batches(pairs_of(x), epochs=2))
    before, slopes = values(stack), gradients(stack, x, x)
    stack.learn(Batches([(x, x)]))
    assert len(before) == 12
    for name, value in values(stack).items():
        expected = before[name] - 0.5 * slopes[name] / len(x)
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6, err_msg=name)
    own = {id(p) for part in parts for p in part.collect_params().values()}
    assert {id(p) for p in stack.collect_params().values()} == own


def test_tied_parts_of_a_stack_stay_tied(tmp_path):
    x = draw(10, 8)
    stack = ab.StackedAutoEncoder(
        parts_of_stack(tied_weights_flag=True), gluon.loss.L2Loss(), learning_rate=0.1
    )
    stack.pre_learn(Batches(pairs_of(x)))
    stack.learn(Batches(pairs_of(x), epochs=3))
    stack.save_parameters(tmp_path / "s.params")
    encoder, decoder = (
        nd.load(str(tmp_path / f"s_{part}.params")) for part in ("encoder", "decoder")
    )
    for n in range(3):
        weight = encoder[f"{n}.0.weight"].asnumpy()
        assert_same_bits([decoder[f"{2 - n}.0.weight"].asnumpy()], [weight.T])
    other = ab.StackedAutoEncoder(parts_of_stack(tied_weights_flag=True), gluon.loss.L2Loss())
    other.load_parameters(tmp_path / "s.params")
    assert_same_bits([other.inference(x).asnumpy()], [stack.inference(x).asnumpy()])


def test_stack_without_pre_learning_is_a_deep_auto_encoder():
    x = draw(10, 8)
    stack = ab.StackedAutoEncoder(parts_of_stack(), gluon.loss.L2Loss(), learning_rate=0.1)
    stack.learn(Batches(pairs_of(x), epochs=30))
    assert stack.loss_arr[-1, 0] < stack.loss_arr[0, 0]


def test_callbacks_of_pre_learning_see_each_part():
    class Ends(ab.Callback):
        rows = ()

        def on_train_end(self, state):
            self.rows += (len(state.history),)

    ends = Ends()
    stack = ab.StackedAutoEncoder(parts_of_stack(), gluon.loss.L2Loss())
    stack.pre_learn(Batches(pairs_of(draw(10, 8)), epochs=2), callbacks=[ends])
    assert ends.rows == (2, 2, 2)


def test_parts_do_not_go_on_from_the_checkpoint_of_the_one_before(tmp_path):
    stack = ab.StackedAutoEncoder(parts_of_stack(), gluon.loss.L2Loss())
    with pytest.raises(ValueError, match="`callbacks` must have no `Checkpoint`"):
        stack.pre_learn(
            Batches(pairs_of(draw(10, 8))), callbacks=[ab.Checkpoint(tmp_path / "checkpoint")]
        )


def test_an_interrupt_ends_the_pre_learning_of_all_parts():
    class Interrupted(ab.ArrayIterator):
        def generate_learned_samples(self):
            yield next(super().generate_learned_samples())
            raise KeyboardInterrupt

    stack = ab.StackedAutoEncoder(parts_of_stack(), gluon.loss.L2Loss())
    with pytest.warns(ab.LearningInterruptedWarning):
        stack.pre_learn(Interrupted(draw(10, 8).astype("float32"), epochs=3, batch_size=5))
    assert [len(part.history) for part in stack.auto_encoder_list] == [1, 0, 0]


def test_pre_learning_without_test_data():
    stack = ab.StackedAutoEncoder(parts_of_stack(), gluon.loss.L2Loss())
    stack.pre_learn(Batches(pairs_of(draw(10, 8)), test=False))
    for part in stack.auto_encoder_list:
        assert np.isnan(part.loss_arr[:, 1]).all() and np.isfinite(part.loss_arr[:, 0]).all()


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        (lambda: [], ValueError, "`auto_encoder_list` must have at least one auto-encoder"),
        (lambda: [network([3])], TypeError, "`auto_encoder_list` must be a `AutoEncoder`"),
        (
            lambda: [shallow(8, 6), shallow(5, 4)],
            ValueError,
            r"`auto_encoder_list\[1\]` must reconstruct the 6 code units .* has 5 units",
        ),
    ],
)
def test_parts_that_make_no_stack(parts, error, message):
    with pytest.raises(error, match=message):
        ab.StackedAutoEncoder(parts(), gluon.loss.L2Loss())


def test_pre_learning_needs_an_iterator():
    stack = ab.StackedAutoEncoder(parts_of_stack(), gluon.loss.L2Loss())
    with pytest.raises(TypeError, match="`iteratable_data` must be a `IteratableData`"):
        stack.pre_learn([draw(3, 8)])


# -- series ----------------------------------------------------------------------------


@both_modes
def test_series_are_networks_applied_point_by_point(hybridize_flag):
    names = ["tanh", "softmax"]
    norms = [[gluon.nn.BatchNorm(), None] for _ in range(2)]
    series, flat = (
        kind(
            gluon.loss.L2Loss(),
            units_list=[5, 3],
            activation_list=names,
            hidden_batch_norm_list=norm,
            hybridize_flag=hybridize_flag,
            learning_rate=0.5,
        )
        for kind, norm in zip((ab.NN3DHybrid, ab.NeuralNetworks), norms)
    )
    series.inference(draw(2, 6, 4))
    flat.inference(draw(2, 4))
    fill(series)
    fill(flat)
    for batch, seq_len in ((2, 6), (5, 6), (1, 1), (3, 2), (2, 6)):
        x = draw(batch, seq_len, 4, seed=batch)
        out = series.inference(x)
        expected = flat.inference(x.reshape(-1, 4)).asnumpy().reshape(batch, seq_len, 3)
        np.testing.assert_allclose(out.asnumpy(), expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            series.feature_points_arr.asnumpy(), flat.feature_points_arr.asnumpy(), rtol=1e-5
        )
    # One step: all points count alike, so it is that of the flattened batch.
    x, target = draw(4, 6, 4), draw(4, 6, 3, seed=1)
    series.learn(Batches([(x, target)]))
    flat.learn(Batches([(x.reshape(-1, 4), target.reshape(-1, 3))]))
    for name, value in values(flat).items():
        np.testing.assert_allclose(values(series)[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


def test_series_files_are_those_of_flat_networks(tmp_path):
    series = ab.NN3DHybrid(gluon.loss.L2Loss(), units_list=[5, 3], activation_list=["tanh"] * 2)
    series.inference(draw(2, 6, 4))
    series.save_parameters(tmp_path / "s.params")
    flat = network([5, 3])
    flat.load_parameters(tmp_path / "s.params")
    x = draw(2, 6, 4)
    np.testing.assert_allclose(
        flat.inference(x.reshape(-1, 4)).asnumpy().reshape(2, 6, 3),
        series.inference(x).asnumpy(),
        rtol=1e-5,
    )


@both_modes
def test_identity_adjusted_of_series_divides_by_all_elements(hybridize_flag):
    series = ab.NN3DHybrid(
        gluon.loss.L2Loss(),
        units_list=[3],
        activation_list=["identity_adjusted"],
        hybridize_flag=hybridize_flag,
    )
    x = draw(2, 6, 4)
    out = series.inference(x).asnumpy()
    np.testing.assert_allclose(out, x @ values(series)["0.weight"].T / 36, rtol=1e-4, atol=1e-7)


@both_modes
def test_series_in_a_chain_and_in_an_auto_encoder(hybridize_flag):
    def series(units):
        return ab.NN3DHybrid(
            gluon.loss.L2Loss(),
            units_list=[units],
            activation_list=["tanh"],
            hybridize_flag=hybridize_flag,
        )

    x = draw(2, 6, 4)
    settings = {"hybridize_flag": hybridize_flag}
    chain = ab.NetworkChain([series(3), series(2)], **settings)
    model = ab.AutoEncoder(series(3), series(4), gluon.loss.L2Loss(), **settings)
    for composite, names, units in ((chain, ("0.", "1."), 2), (model, ("encoder.", "decoder."), 4)):
        for _ in range(2):
            out = composite.inference(x).asnumpy()
        p = values(composite)
        expected = dense(dense(x.reshape(-1, 4), p, ["tanh"], names[0]), p, ["tanh"], names[1])
        np.testing.assert_allclose(out, expected.reshape(2, 6, units), rtol=1e-4, atol=1e-6)
        with pytest.raises(ValueError, match="must have 4 features"):
            composite.inference(draw(2, 6, 5))
        with pytest.raises(ValueError, match=r"must have shape \(batch, seq_len, features\)"):
            composite.inference(draw(2, 4))


def test_settings_of_1_1_0_have_no_effect_on_series():
    series = ab.NN3DHybrid(gluon.loss.L2Loss(), units_list=[3], activation_list=["tanh"])
    assert series.batch_size is None and series.seq_len is None
    series.batch_size, series.seq_len = 2, 6
    assert series.inference(draw(5, 7, 4)).shape == (5, 7, 3)
    assert series.get_batch_size() == 2 and series.get_seq_len() == 6
