"""What all Gluon learners share: trainers, steps, constraints, several calls, `repr`."""

import math

import mxnet as mx
import numpy as np
import pytest
from dense_numpy import Batches, assert_same_bits, bits, draw, fill, network
from mxnet import autograd, gluon, nd

import accelbrainbase as ab
from accelbrainbase._mxnet.gluon_backend import GluonBackend
from accelbrainbase.learning.losses import Weighted

both_modes = pytest.mark.parametrize("hybridize_flag", [False, True])


def filled(units=(4, 3), seed=0, **kwargs):
    model = network(list(units), **kwargs)
    model.inference(draw(2, 5))
    fill(model, seed)
    return model


def pairs(*sizes):
    return [(draw(n, 5, seed=n), draw(n, 3, seed=n + 1)) for n in sizes]


class Pair(ab.LearnableController):
    """Two networks with two trainers."""

    first_trainer = ab.LazyTrainer("first")
    second_trainer = ab.LazyTrainer("second")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = filled(), filled()
        self.complete()

    def _take_turn(self):
        x, target = (nd.array(arr) for arr in pairs(6)[0])
        with autograd.record():
            loss_arr = nd.square(self.first(x) - target).mean(axis=1)
        self.update(loss_arr, 6, self.first_trainer)
        with autograd.record():
            other_arr = nd.square(self.second(x) - target).mean(axis=1)
        self.update(other_arr, 6, self.second_trainer)
        return {"first": loss_arr, "second": other_arr}


# -- trainers --------------------------------------------------------------------------


def test_trainers_are_built_when_they_are_first_read():
    model = filled(learning_rate=0.25, wd=0.5, optimizer_params={"momentum": 0.9})
    assert model.trainers == []
    trainer = model.trainer
    assert model.trainer is trainer and model.trainers == [trainer]
    assert type(trainer.optimizer).__name__ == "SGD"
    assert (trainer.learning_rate, trainer.optimizer.wd) == (0.25, 0.5)
    assert trainer.optimizer.momentum == 0.9
    assert {p.name for p in trainer._params} == set(model.collect_params())


def test_trainers_can_be_replaced():
    model = filled(learning_rate=0.25)
    first = model.trainer
    model.trainer = None
    assert model.trainers == []
    assert model.trainer is not first
    own = gluon.Trainer(model.collect_params(), "Adam", {"learning_rate": 0.125})
    model.trainer = own
    assert model.trainer is own and model.learning_rate == 0.125
    before = bits(model)
    model.learn(Batches(pairs(6)))
    # Adam's first step has the length of the rate, wherever the gradient is not 0.
    steps = np.concatenate([np.abs(a - b).ravel() for a, b in zip(before, bits(model))])
    np.testing.assert_allclose(steps, 0.125, rtol=1e-2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("optimizer_name", "Adam"), ("wd", 0.5), ("optimizer_params", {"momentum": 0.9})],
)
def test_setting_what_trainers_are_built_by_builds_them_anew(name, value):
    rate = {"learning_rate": 0.25, "learning_attenuate_rate": 0.5, "attenuate_epoch": 1}
    model, other = filled(**rate), filled(**rate, **{name: value})
    model.learn(Batches(pairs(6)))
    other.learn(Batches(pairs(6)))
    setattr(model, name, value)
    setattr(other, name, getattr(other, name))
    assert model.trainers == other.trainers == [] and model.learning_rate == 0.125
    fill(model), fill(other)
    model.learn(Batches(pairs(6)))
    other.learn(Batches(pairs(6)))
    assert_same_bits(bits(model), bits(other))
    assert repr(model) == repr(other)


def test_impossible_settings_of_trainers_leave_them_alone():
    model = filled()
    trainer = model.trainer
    for name, value, error, message in (
        ("optimizer_name", "Adamm", ValueError, "`optimizer_name` must be a Gluon optimiser"),
        ("optimizer_name", None, TypeError, "`optimizer_name` must be a `str`"),
        ("wd", -1, ValueError, "`wd` must be a finite number"),
    ):
        with pytest.raises(error, match=message):
            setattr(model, name, value)
    assert model.trainer is trainer and (model.optimizer_name, model.wd) == ("SGD", 0.0)


@pytest.mark.parametrize("value", ["sgd", 0.1, gluon.Trainer])
def test_what_is_no_trainer(value):
    model = filled()
    with pytest.raises(TypeError, match="`trainer` must be a `Trainer` or None, but got"):
        model.trainer = value
    with pytest.raises(TypeError, match="`second_trainer` must be a `Trainer` or None"):
        Pair().second_trainer = value


def test_trainers_of_parts():
    game = Pair(learning_rate=0.25)
    assert game.trainers == []
    second = game.second_trainer
    assert game.trainers == [second]
    assert {p.name for p in second._params} == set(game.second.collect_params())
    assert game.first_trainer is not second
    assert game.trainers == [game.first_trainer, second]  # in the order of the class
    assert [trainer.learning_rate for trainer in game.trainers] == [0.25, 0.25]


def test_trainers_keep_the_order_in_which_parameters_were_made():
    """Gluon sorts by names, which count up: `…10_weight` comes before `…9_weight`."""
    encoder, decoder = network([3], prefix="later_"), network([4], prefix="earlier_")
    model = ab.AutoEncoder(encoder, decoder, ab.L2NormLoss())
    model.inference(draw(2, 4))
    names = [parameter.name for parameter in model.trainer._params]
    assert names == list(model.collect_params()) and names != sorted(names)


def test_trainers_of_a_subclass():
    class Triple(Pair):
        third_trainer = ab.LazyTrainer("first")
        first_trainer = ab.LazyTrainer("second")

    game = Triple()
    assert {p.name for p in game.first_trainer._params} == set(game.second.collect_params())
    built = [game.third_trainer, game.first_trainer]
    assert game.trainers == built
    assert isinstance(Triple.third_trainer, ab.LazyTrainer)
    assert "`first`" in Triple.third_trainer.__doc__


# -- the learning rate -----------------------------------------------------------------


def test_setting_the_rate_sets_that_of_all_trainers():
    game = Pair(learning_rate=0.25)
    assert game.learning_rate == 0.25
    game.learning_rate = 0.5
    assert game.first_trainer.learning_rate == 0.5  # built after
    game.learning_rate = 0.75
    assert [t.learning_rate for t in (game.first_trainer, game.second_trainer)] == [0.75, 0.75]
    assert game.learning_rate == 0.75
    with pytest.raises(ValueError, match=r"`learning_rate` must be a finite number in \[0, inf\)"):
        game.learning_rate = -1
    with pytest.raises(TypeError, match="`learning_rate` must be a number"):
        game.learning_rate = "slow"
    assert game.learning_rate == 0.75


def test_attenuation_scales_the_rate_of_every_trainer():
    game = Pair(learning_rate=0.5, learning_attenuate_rate=0.5, attenuate_epoch=2)
    game.second_trainer.set_learning_rate(0.25)
    game.learn(5)
    assert (game.first_trainer.learning_rate, game.second_trainer.learning_rate) == (0.125, 0.0625)
    np.testing.assert_allclose(game.history.column("learning_rate"), [0.5, 0.5, 0.25, 0.25, 0.125])
    game.first_trainer = None
    assert game.first_trainer.learning_rate == 0.125  # one that is built later joins


def test_attenuation_and_a_scheduler_exclude_each_other():
    model = filled(
        learning_rate=0.5,
        learning_attenuate_rate=0.5,
        attenuate_epoch=1,
        optimizer_params={"lr_scheduler": mx.lr_scheduler.FactorScheduler(step=2, factor=0.5)},
    )
    with pytest.raises(ValueError, match="`learning_attenuate_rate` must be 1.0 where the trainer"):
        model.learn(Batches(pairs(6), epochs=2))


def test_a_scheduler_sets_the_rate():
    scheduler = mx.lr_scheduler.FactorScheduler(step=2, factor=0.5)
    model = filled(learning_rate=0.5, optimizer_params={"lr_scheduler": scheduler})
    model.learn(Batches(pairs(6), epochs=5))
    np.testing.assert_allclose(model.history.column("learning_rate"), [0.5, 0.5, 0.25, 0.25, 0.125])


# -- steps -----------------------------------------------------------------------------


def step(model, reduce, **kwargs):
    x, target = (nd.array(arr) for arr in pairs(6)[0])
    with autograd.record():
        loss_arr = reduce(model.compute_loss(model(x), target))
    model.update(loss_arr, 6, model.trainer, **kwargs)
    return bits(model)


@pytest.mark.parametrize("settings", [{}, {"max_gradient_norm": 0.01}, {"optimizer_name": "Adam"}])
def test_one_loss_is_taken_for_the_mean(settings):
    vector = step(filled(learning_rate=0.5, **settings), lambda arr: arr)
    for reduce in (lambda arr: arr.mean(), lambda arr: arr.mean().reshape((1, 1))):
        scalar = step(filled(learning_rate=0.5, **settings), reduce)
        for one, other, before in zip(vector, scalar, bits(filled())):
            assert (one != before).any()
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("shape", [(6, 1), (3,), (6, 2)])
def test_losses_of_another_shape(shape):
    model = filled()
    before = bits(model)
    with pytest.raises(ValueError, match=r"one loss for each sample, shape \(6,\), but gave \("):
        step(model, lambda arr: (arr.sum() * nd.ones(shape)).reshape(shape))
    assert_same_bits(bits(model), before)


def test_a_loss_without_reduction_is_named_in_learning():
    class Unreduced(ab.ComputableLoss):
        def compute(self, pred_arr, labeled_arr):
            return nd.square(pred_arr - labeled_arr)

    model = filled(computable_loss=Unreduced())
    with pytest.raises(ValueError, match=r"`computable_loss` must give one loss .* gave \(6, 3\)"):
        model.learn(Batches(pairs(6)))


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 0.5, "wd": 0.1, "optimizer_params": {"momentum": 0.9}},
        {"learning_rate": 0.1, "optimizer_name": "Adam"},
        {"learning_rate": 0.5, "max_gradient_norm": 0.01},
    ],
)
def test_given_gradients_take_the_step_of_autograd(settings):
    """So every optimiser, decay and limit applies to rules such as contrastive divergence."""
    recorded, given = filled(**settings), filled(**settings)
    for x, target in pairs(6, 4, 6):
        x, target = nd.array(x), nd.array(target)
        with autograd.record():
            loss_arr = recorded.compute_loss(recorded(x), target)
        recorded.update(loss_arr, len(x), recorded.trainer)
        with autograd.record():
            loss_arr = given.compute_loss(given(x), target)
        heads = list(given.collect_params().values())
        gradients = autograd.grad([loss_arr], [p.data() for p in heads])
        given.update_by(dict(zip(heads, gradients)), len(x), given.trainer)
        assert_same_bits(bits(given), bits(recorded))
    assert (bits(given)[0] != bits(filled())[0]).all()


@both_modes
def test_networks_called_twice_in_one_recording(hybridize_flag):
    """As a discriminator on true and on generated data: the gradients add up."""
    model = filled(hybridize_flag=hybridize_flag)
    one, two = (nd.array(draw(n, 5, seed=n)) for n in (6, 4))
    separate = []
    for x in (one, two):
        with autograd.record():
            loss_arr = nd.square(model(x)).sum()
        loss_arr.backward()
        separate.append([p.grad().asnumpy() for p in model.collect_params().values()])
    with autograd.record():
        first, second = model(one), model(two)
        loss_arr = nd.square(first).sum() + nd.square(second).sum()
    loss_arr.backward()
    for parameter, *expected in zip(model.collect_params().values(), *separate):
        np.testing.assert_allclose(parameter.grad().asnumpy(), sum(expected), rtol=1e-5, atol=1e-6)


def test_static_memory_with_changing_batch_sizes():
    imperative, compiled = (
        filled(hybridize_flag=flag, learning_rate=0.5, optimizer_params={"momentum": 0.5})
        for flag in (False, True)
    )
    for sizes in ((6, 1, 4, 6), (3, 3, 7, 1)):
        batches = Batches(pairs(*sizes), epochs=2)
        for model in (imperative, compiled):
            model.learn(batches)
        np.testing.assert_allclose(imperative.loss_arr, compiled.loss_arr, rtol=1e-5)
    for one, other in zip(bits(imperative), bits(compiled)):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@both_modes
def test_two_learnings_in_a_row_are_one_long_learning(hybridize_flag):
    """Optimisers go on where they were; the history is that of the last learning."""
    settings = {"optimizer_name": "Adam", "learning_rate": 0.1, "hybridize_flag": hybridize_flag}
    long, short = filled(**settings), filled(**settings)
    long.learn(Batches(pairs(6, 4), epochs=4))
    short.learn(Batches(pairs(6, 4), epochs=2))
    np.testing.assert_array_equal(short.loss_arr, long.loss_arr[:2])
    short.learn(Batches(pairs(6, 4), epochs=2))
    np.testing.assert_array_equal(short.loss_arr, long.loss_arr[2:])
    assert_same_bits(bits(short), bits(long))


def test_hybridising_again_does_not_disturb_learning():
    model, other = (filled(optimizer_name="Adam", learning_rate=0.1) for _ in range(2))
    for number in range(4):
        model.learn(Batches(pairs(6)))
        model.hybridize(number % 2 == 0)
        other.learn(Batches(pairs(6)))
    for one, two in zip(bits(model), bits(other)):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


def test_memory_is_static_unless_told_otherwise():
    model = filled()
    assert dict(model._flags) == {"static_alloc": True, "static_shape": True, "inline_limit": 2}
    model.hybridize(static_alloc=False)
    assert (dict(model._flags)["static_alloc"], dict(model._flags)["static_shape"]) == (
        False,
        False,
    )
    model.inference(draw(2, 5))
    model.hybridize(False)
    assert not model._active


# -- constraints -----------------------------------------------------------------------


class Limit(ab.RegularizatableData):
    """Clips weights, and leaves all else as it is."""

    def regularize(self, params_dict):
        return {
            name: arr.clip(-0.1, 0.1) if name.endswith("weight") else arr
            for name, arr in params_dict.items()
        }


class InPlace(ab.RegularizatableData):
    """Puts new arrays into the dict it gets, and returns that very dict."""

    def regularize(self, params_dict):
        for name in params_dict:
            params_dict[name] = params_dict[name] * 0.5
        return params_dict


@pytest.fixture
def written(monkeypatch):
    names = []
    original = gluon.Parameter.set_data

    def set_data(self, data):
        names.append(self.name)
        original(self, data)

    monkeypatch.setattr(gluon.Parameter, "set_data", set_data)
    return names


def test_only_what_a_constraint_changed_is_written_back(written):
    model = filled(regularizatable_data_list=[Limit()])
    written.clear()
    model.regularize()
    assert written == [name for name in model.collect_params() if name.endswith("weight")]
    for name, arr in model.extract_learned_dict().items():
        largest = np.abs(arr.asnumpy()).max()
        assert (largest == np.float32(0.1)) if name.endswith("weight") else (largest > 0.1)


def test_constraints_apply_one_after_another():
    model = filled(regularizatable_data_list=[Limit(), InPlace()])
    expected = [
        (arr.clip(-0.1, 0.1) if arr.ndim == 2 else arr) * np.float32(0.5) for arr in bits(model)
    ]
    model.regularize()
    for got, value in zip(bits(model), expected):
        np.testing.assert_allclose(got, value, rtol=1e-6)


def test_constraint_that_changes_the_very_dict_it_gets():
    model = filled(regularizatable_data_list=[InPlace()])
    expected = [arr * np.float32(0.5) for arr in bits(model)]
    model.regularize()
    assert_same_bits(bits(model), expected)


def test_nothing_is_copied_without_constraints(written):
    model = filled()
    written.clear()
    model.extract_learned_dict = None  # would raise if it were called
    model.learn(Batches(pairs(6), epochs=2))
    model.regularizatable_data_list = []
    assert written == []


def test_learned_dict_has_the_arrays_themselves():
    model = filled()
    learned = model.extract_learned_dict()
    assert list(learned) == list(model.collect_params())
    next(iter(learned.values()))[:] = 7
    assert (bits(model)[0] == 7).all()


def test_the_list_of_the_caller_is_not_kept():
    constraints = [Limit()]
    model = filled(regularizatable_data_list=constraints)
    constraints.append(None)
    assert len(model.regularizatable_data_list) == 1


# -- what it tells about itself --------------------------------------------------------


def test_number_of_parameters():
    model = network([40, 30], hidden_batch_norm_list=[gluon.nn.BatchNorm(), None])
    assert model.parameter_n == 40 + 30  # the biases: other shapes are not known yet
    model.inference(draw(2, 50))
    # Running statistics are not learned.
    assert model.parameter_n == 50 * 40 + 40 + 40 * 30 + 30 + 2 * 40


def test_repr():
    model = filled((40, 3), learning_rate=0.5, dropout_rate_list=[0.25, 0.0])
    text = repr(model)
    assert text.startswith("NeuralNetworks(\n") and text.endswith("\n)")
    for expected in (
        "Dense(5 -> 40, linear)",
        "Dropout(p = 0.25",
        "activations: tanh, tanh",
        "loss: L2Loss",
        "optimizer: SGD, learning rate 0.5",
        f"parameters: {5 * 40 + 40 + 40 * 3 + 3} on cpu(0)",
    ):
        assert expected in text, text
    model.learning_rate = 0.125
    assert "learning rate 0.125" in repr(model)


def test_repr_of_what_has_parts():
    model = ab.AutoEncoder(
        network([2000]), network([5]), gluon.loss.L2Loss(), tied_weights_flag=True
    )
    model.inference(draw(2, 5))
    text = repr(model)
    assert text.count("optimizer:") == text.count("parameters:") == 1  # not those of the parts
    assert f"parameters: {5 * 2000 + 2000 + 5:,} on cpu(0)" in text
    assert "(encoder): NeuralNetworks(" in text and "TiedDense(-> 5, transpose of " in text
    assert "generator" not in repr(Pair()) and "first" in repr(Pair())


# -- the backend of the loop -----------------------------------------------------------


def normalised(**kwargs):
    return filled(hidden_batch_norm_list=[gluon.nn.BatchNorm(), None], **kwargs)


def test_snapshot_and_restore():
    """All of it: running statistics too. And the snapshot is not touched by learning."""
    model = normalised(optimizer_name="Adam", learning_rate=0.1)
    model.learn(Batches(pairs(6)))
    backend, before = GluonBackend(model), bits(model)
    snapshot = backend.snapshot()
    model.learn(Batches(pairs(6, 4), epochs=3))
    assert all((old != new).any() for old, new in zip(before, bits(model)))
    out = model.inference(draw(3, 5)).asnumpy()
    backend.restore(snapshot)
    assert_same_bits(bits(model), before)
    assert (model.inference(draw(3, 5)).asnumpy() != out).any()


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer_name": "Adam", "learning_rate": 0.1},
        {"optimizer_name": "SGD", "learning_rate": 0.1, "optimizer_params": {"momentum": 0.9}},
        {"optimizer_name": "FTML", "learning_rate": 0.1},
        {"optimizer_name": "Nadam", "learning_rate": 0.1},
    ],
    ids=lambda settings: settings["optimizer_name"],
)
def test_after_restoring_optimisers_start_like_fresh_ones(settings):
    """Momentum of the parameters that are given up is forgotten, and so is Adam's count.

    With an old count and new averages, the first steps would be up to ten times too long.
    """
    model, fresh = filled(**settings), filled(**settings)
    backend = GluonBackend(model)
    snapshot = backend.snapshot()
    model.learn(Batches(pairs(6), epochs=30))
    backend.restore(snapshot)
    for one in (model, fresh):
        one.learn(Batches(pairs(6), epochs=2))
    assert_same_bits(bits(model), bits(fresh))


def test_snapshot_of_what_cannot_be_one():
    model = network([3])
    assert GluonBackend(model).snapshot() is None  # no values yet
    model = normalised()
    for value in (np.nan, np.inf):
        parameter = list(model.collect_params().values())[-1]
        kept = parameter.data().copy()
        parameter.set_data(nd.full(kept.shape, value))
        assert GluonBackend(model).snapshot() is None
        parameter.set_data(kept)
    assert GluonBackend(model).snapshot() is not None


def test_reading_losses():
    backend = GluonBackend(filled())
    vectors = [nd.array(draw(n)) for n in [3, 1, 5] * 200]  # more than are read at once
    for values in (
        vectors,
        vectors[:1],
        [nd.array(draw(2, 3)), nd.array(draw(4))],
        [nd.array([1.5], dtype="float64"), nd.array([2, 3], dtype="int32"), 4.5, np.ones((2, 2))],
    ):
        read = backend.read(values)
        assert len(read) == len(values)
        for got, value in zip(read, values):
            expected = value.asnumpy() if isinstance(value, nd.NDArray) else np.asarray(value)
            assert got.dtype == np.float64 and got.ndim == 1
            np.testing.assert_allclose(got, expected.reshape(-1))


def test_rate_of_the_backend():
    model = filled(learning_rate=0.5)
    backend = GluonBackend(model)
    assert backend.learning_rate == 0.5
    backend.scale_learning_rate(0.5)
    assert model.learning_rate == backend.learning_rate == model.trainer.learning_rate == 0.25


def test_losses_of_a_nan_restore_the_last_good_parameters():
    x, target = pairs(6)[0]
    bad = np.full_like(x, np.nan)
    model = normalised(optimizer_name="Adam", learning_rate=0.1)
    before = bits(model)
    with pytest.raises(ab.NonFiniteLossError) as caught:
        model.learn(Batches([(x, target), (bad, target), (x, target)], test=False))
    assert caught.value.iteration == 2
    assert_same_bits(bits(model), before)
    assert math.isclose(model.learning_rate, 0.1)


# -- data that come in -----------------------------------------------------------------


class Raw(ab.IteratableData):
    """Generates what it is given, not converted."""

    def __init__(self, *batch, epochs=1):
        self.batch, self.epochs, self.iter_n = batch, epochs, epochs

    def generate_learned_samples(self):
        for _ in range(self.iter_n):
            yield self.batch

    def generate_inferenced_samples(self):
        yield from ()


def test_batches_of_numpy_and_of_other_devices():
    x, target = pairs(6)[0]
    expected = filled(learning_rate=0.5)
    expected.learn(Batches([(x, target)]))
    for convert in (np.asarray, lambda arr: arr.tolist(), lambda arr: nd.array(arr, mx.cpu(1))):
        model = filled(learning_rate=0.5)
        model.learn(Raw(*(convert(arr) for arr in (x, target, x, target))))
        assert_same_bits(bits(model), bits(expected))


def test_large_test_data_are_scored_in_pieces():
    x, target = pairs(6)[0]
    many, answers = draw(2500, 5), draw(2500, 3, seed=1)
    model = filled(learning_rate=0.0)
    sizes = []
    model.register_forward_pre_hook(lambda block, inputs: sizes.append(inputs[0].shape[0]))
    model.learn(Raw(x, target, many, answers))
    assert max(sizes) == 1024 and sum(sizes) == 6 + 2500
    expected = (0.5 * (model.inference(many).asnumpy() - answers) ** 2).mean()
    assert model.loss_arr[0, 1] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("reduce", [lambda arr: arr, nd.mean, lambda arr: arr.mean().asscalar()])
@pytest.mark.parametrize("weighted", [False, True])
def test_what_pieces_of_test_data_score_counts_by_their_sizes(reduce, weighted):
    class Scored(ab.NeuralNetworks):
        def _evaluate(self, observed_arr, target_arr):
            loss = reduce(super()._evaluate(observed_arr, target_arr)["loss"])
            return {"loss": Weighted(loss, loss * 0 + 1)} if weighted else loss

    x, target = pairs(6)[0]
    many, answers = np.zeros((1025, 5), np.float32), np.zeros((1025, 3), np.float32)
    answers[-1] = 2.0  # the second piece is this row alone
    model = Scored(ab.L2NormLoss(), units_list=[3], learning_rate=0.0, activation_list=["relu"])
    model.learn(Raw(x, target, many, answers))
    assert model.loss_arr[0, 1] == pytest.approx(2.0 / 1025, rel=1e-5)


@pytest.mark.parametrize(
    ("attributes", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "`iteratable_data.epochs` must be at least 1, but got 0"),
        ({"iter_n": 0}, ValueError, "`iteratable_data.iter_n` must be at least 1, but got 0"),
        ({"iter_n": 2.5}, TypeError, "`iteratable_data.iter_n` must be an integer"),
        ({"epochs": None}, TypeError, "`iteratable_data.epochs` must be an integer"),
    ],
)
def test_iterators_with_impossible_numbers(attributes, error, message):
    iterator = Batches(pairs(6))
    vars(iterator).update(attributes)
    with pytest.raises(error, match=message):
        filled().learn(iterator)


def test_more_epochs_than_steps():
    iterator = Batches(pairs(6, 4))
    iterator.epochs = 5
    model = filled()
    model.learn(iterator)
    assert model.loss_arr.shape == (5, 2) and np.isfinite(model.loss_arr).all()
