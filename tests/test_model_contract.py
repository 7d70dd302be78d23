"""What every public model must do. Cases are in `model_cases.MODELS`, one line each."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil

import mxnet as mx
import numpy as np
import pytest
from model_cases import MODELS, Case
from mxnet import nd

import accelbrainbase as ab

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

EPOCHS = 4
TRAIN_N, TEST_N, BATCH = 110, 30, 32  # the batches do not divide evenly


@pytest.fixture(params=MODELS.values(), ids=MODELS.keys())
def case(request) -> Case:
    return request.param


def make_iterator(case: Case, **kwargs) -> ab.ArrayIterator:
    observed, target = case.data(TRAIN_N + TEST_N)
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "seed": 1, **kwargs}
    return case.iterate(
        observed[:TRAIN_N], target[:TRAIN_N],
        test_observed=observed[TRAIN_N:], test_target=target[TRAIN_N:], **settings,
    )  # fmt: skip


def learned(case: Case, seed: int = 0, **kwargs):
    ab.seed(seed)
    model = case.make(**kwargs)
    model.learn(make_iterator(case))
    return model


def output_of(model, observed) -> np.ndarray:
    """What the model infers, a row for each data point; of several outputs all."""
    output = model.inference(observed)
    parts = output if isinstance(output, tuple) else (output,)
    return np.concatenate([arr.asnumpy().reshape(len(arr), -1) for arr in parts], axis=1)


def values_of(model) -> list[np.ndarray]:
    """Values in the order of creation; names count up from model to model."""
    return [p.data().asnumpy() for p in model.collect_params().values()]


def test_every_public_model_is_in_the_suite():
    missing = []
    for name, module in ab._EXPORTS.items():
        value = getattr(ab, name)
        public = inspect.isclass(value) and issubclass(value, ab.ObservableData)
        if public and ".observabledata." in module and not inspect.isabstract(value):
            missing += [] if name in MODELS else [name]
    assert not missing, f"add to model_cases.MODELS: {missing}"


def test_every_model_module_is_public():
    """A model that is not exported would escape the suite."""
    from accelbrainbase import observabledata

    exported = set(ab._EXPORTS.values())
    for info in pkgutil.walk_packages(observabledata.__path__, observabledata.__name__ + "."):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == info.name:
                assert info.name in exported, f"{info.name} is not in accelbrainbase._EXPORTS"


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_learning_lowers_the_loss_and_changes_all_parameters(case, hybridize_flag):
    ab.seed(0)
    model = case.make(hybridize_flag=hybridize_flag)
    iterator = make_iterator(case, epochs=12)
    model.inference(case.data(3)[0])
    before = values_of(model)
    model.learn(iterator)
    assert len(model.loss_arr) == 12 and model.loss_arr.shape[1] >= 2
    assert (model.loss_arr[-1, :2] < model.loss_arr[0, :2]).all()
    for old, new in zip(before, values_of(model)):
        assert np.isfinite(new).all() and (old != new).any()


def test_both_hybridize_modes_give_the_same_numbers(case):
    imperative, compiled = (learned(case, hybridize_flag=flag) for flag in (False, True))
    np.testing.assert_allclose(imperative.loss_arr, compiled.loss_arr, rtol=1e-5)
    observed, _ = case.data(7)
    np.testing.assert_allclose(
        output_of(imperative, observed), output_of(compiled, observed), rtol=1e-4, atol=1e-5
    )


def test_saved_and_loaded_model_gives_the_same_output(case, tmp_path):
    model, observed = learned(case), case.data(7)[0]
    model.save_parameters(tmp_path / "model.params")
    for prepare in (lambda other: None, lambda other: other.inference(observed)):
        ab.seed(9)
        other = case.make()
        prepare(other)
        other.load_parameters(tmp_path / "model.params")
        np.testing.assert_array_equal(output_of(other, observed), output_of(model, observed))


def test_corrupt_file_leaves_the_model_as_it_was(case, tmp_path):
    model = learned(case)
    model.save_parameters(tmp_path / "model.params")
    files = sorted(tmp_path.iterdir())
    last = files[-1]
    last.write_bytes(last.read_bytes()[:-5])
    other = learned(case, seed=1)
    before = values_of(other)
    with pytest.raises(ab.ParameterFileError, match="truncated"):
        other.load_parameters(tmp_path / "model.params")
    for old, new in zip(before, values_of(other)):
        np.testing.assert_array_equal(old, new)


def test_same_seed_gives_the_same_parameters(case):
    first, second, third = learned(case, seed=4), learned(case, seed=4), learned(case, seed=5)
    for one, two in zip(values_of(first), values_of(second)):
        np.testing.assert_array_equal(one, two)
    assert any((one != other).any() for one, other in zip(values_of(first), values_of(third)))


def test_scoring_has_no_part_in_the_learning(case):
    observed, target = case.data(TRAIN_N)
    found = []
    for test in ({}, {"test_observed": observed[:9], "test_target": target[:9]}):
        ab.seed(4)
        model = case.make()
        model.learn(case.iterate(observed, target, epochs=2, batch_size=BATCH, seed=1, **test))
        found.append(values_of(model))
    for without, with_test in zip(*found):
        np.testing.assert_array_equal(without, with_test)


def pickled(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_a_copy_goes_on_apart_and_alike(case, copied, hybridize_flag):
    model = learned(case, hybridize_flag=hybridize_flag)
    before = values_of(model)
    other = copied(model)
    observed, _ = case.data(20)
    np.testing.assert_array_equal(output_of(other, observed), output_of(model, observed))
    ab.seed(7)
    other.learn(make_iterator(case))
    for was, value in zip(before, values_of(model)):
        np.testing.assert_array_equal(was, value)
    ab.seed(7)
    model.learn(make_iterator(case))
    after = values_of(model)
    for one, two in zip(values_of(other), after):
        np.testing.assert_array_equal(one, two)
    assert any((was != value).any() for was, value in zip(before, after))


def test_inputs_are_unchanged(case):
    observed, target = case.data(40)
    copies = observed.copy(), target.copy()
    model = case.make()
    model.learn(case.iterate(observed, target, epochs=2, batch_size=8))
    arr = nd.array(observed)
    model.inference(arr)
    np.testing.assert_array_equal(observed, copies[0])
    np.testing.assert_array_equal(target, copies[1])
    np.testing.assert_array_equal(arr.asnumpy(), copies[0])


def test_inference_takes_numpy_and_any_batch_size(case):
    model, (observed, _) = learned(case), case.data(9)
    whole = output_of(model, observed)
    np.testing.assert_array_equal(output_of(model, nd.array(observed)), whole)
    np.testing.assert_allclose(output_of(model, observed.astype(np.float64)), whole)
    for n in (1, 4):
        np.testing.assert_allclose(output_of(model, observed[:n]), whole[:n], rtol=1e-4, atol=1e-6)


def test_feature_points_belong_to_the_last_data(case):
    model, (observed, _) = learned(case), case.data(6)
    model.inference(observed)
    features = model.feature_points_arr
    assert isinstance(features, nd.NDArray) and features.shape[0] % 6 == 0
    assert np.isfinite(features.asnumpy()).all()
    model.inference(observed[::-1].copy())
    assert (model.feature_points_arr.asnumpy() != features.asnumpy()).any()


def test_a_second_learning_goes_on(case):
    model = learned(case)
    first = model.loss_arr.copy()
    model.learn(make_iterator(case))
    assert model.loss_arr.shape == first.shape
    assert model.loss_arr[-1, 0] < first[-1, 0]


def test_early_stopping_restores_the_best(case):
    ab.seed(0)
    model = case.make(learning_rate=0.3)  # too high, so that losses go up again
    stopping = ab.EarlyStopping(patience=3)
    model.learn(make_iterator(case, epochs=40), callbacks=[stopping])
    observed, target = case.data(TRAIN_N + TEST_N)
    pred_arr = case.predict(model, observed[TRAIN_N:])
    loss = case.loss(model, pred_arr, observed[TRAIN_N:], target[TRAIN_N:])
    assert loss == pytest.approx(stopping.best_value, rel=1e-4)
    assert stopping.best_value == pytest.approx(np.nanmin(model.loss_arr[:, 1]))


def test_attenuation_once_per_epochs(case):
    model = case.make(learning_rate=0.01, learning_attenuate_rate=0.5, attenuate_epoch=2)
    model.learn(make_iterator(case))
    rates = model.history.column("learning_rate")
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.005, 0.005])
    assert model.learning_rate == pytest.approx(0.0025)


def test_killed_learning_resumes_bit_for_bit(case, tmp_path):
    class Killed(BaseException):
        pass

    class Kill(ab.Callback):
        def on_step_end(self, state):
            if state.step == 11:  # in the third of four epochs
                raise Killed

    def learn(name, *callbacks):
        ab.seed(3)
        model = case.make()
        model.learn(make_iterator(case), callbacks=[ab.Checkpoint(tmp_path / name), *callbacks])
        return model

    whole = learn("whole")
    with pytest.raises(Killed):
        learn("parts", Kill())
    resumed = learn("parts")
    np.testing.assert_array_equal(resumed.history.array(), whole.history.array())
    for one, other in zip(values_of(resumed), values_of(whole)):
        np.testing.assert_array_equal(one, other)


def test_nan_in_learning_leaves_finite_parameters(case):
    model = case.make(optimizer_name="SGD", learning_rate=1e30)
    if case.bounded:
        model.learn(make_iterator(case))
        assert np.isfinite(model.loss_arr).all()
        assert all(np.isfinite(value).all() for value in values_of(model))
        return
    with pytest.raises(ab.NonFiniteLossError, match="smaller learning rate") as caught:
        model.learn(make_iterator(case))
    assert caught.value.row == 1 and caught.value.learning_rate == pytest.approx(1e30)
    assert all(np.isfinite(value).all() for value in values_of(model))
    model.learning_rate = 1e-3
    model.learn(make_iterator(case))  # and it can go on


class Broken(ab.IteratableData):
    """Lacks `epochs` and `iter_n`."""

    def generate_learned_samples(self):
        yield from ()

    def generate_inferenced_samples(self):
        yield from ()


BAD_SETTINGS = [
    ({"initializer": "xavier"}, TypeError, "`initializer` must be a `Initializer` or None"),
    ({"optimizer_name": "Adamm"}, ValueError, "`optimizer_name` must be a Gluon optimiser"),
    ({"learning_rate": -1.0}, ValueError, "`learning_rate` must be a finite number"),
    ({"learning_rate": "fast"}, TypeError, "`learning_rate` must be a number"),
    ({"attenuate_epoch": 0}, ValueError, "`attenuate_epoch` must be at least 1"),
    ({"ctx": "cpu"}, TypeError, "`ctx` must be a `Context`"),
    ({"scale": float("nan")}, ValueError, "`scale` must be a finite number"),
    ({"regularizatable_data_list": [1]}, TypeError, "must be a `RegularizatableData`"),
    ({"learnin_rate": 0.1}, TypeError, "no keyword `learnin_rate`. Did you mean `learning_rate`"),
    ({"max_gradient_norm": 0.0}, ValueError, "`max_gradient_norm`"),
]


@pytest.mark.parametrize(("settings", "error", "message"), BAD_SETTINGS)
def test_bad_settings_are_named(case, settings, error, message):
    with pytest.raises(error, match=message):
        case.make(**settings)


def test_bad_data_are_named(case):
    model, (observed, _) = case.make(), case.data(4)
    with pytest.raises(TypeError, match="`iteratable_data` must be a `IteratableData`"):
        model.learn([observed])
    with pytest.raises(TypeError, match="`iteratable_data` must have the attribute `epochs`"):
        model.learn(Broken())
    with pytest.raises(TypeError, match="`observed_arr` must be an array of numbers"):
        model.inference(["a", "b"])
    model.inference(observed)
    with pytest.raises(ValueError, match="`observed_arr` must have .* features"):
        model.inference(observed[..., :-1])
    with pytest.raises(ValueError, match="`observed_arr` must have shape"):
        model.inference(observed[:0])
    with pytest.raises(ValueError, match="`observed_arr` must have shape"):
        model.inference(observed.reshape(-1))


def test_bad_loss_is_named(case):
    model = case.make()
    with pytest.raises(TypeError, match="`computable_loss` must be a `ComputableLoss` or `Loss`"):
        model.computable_loss = "l2"


def test_read_only_properties(case):
    model = case.make()
    for error in (TypeError, AttributeError):
        with pytest.raises(error, match="`loss_arr` .* is read-only"):
            model.loss_arr = np.zeros((1, 2))


def test_loss_arr_before_learning_is_empty(case):
    model = case.make()
    assert len(model.loss_arr) == 0 and model.loss_arr.shape[1] >= 2 and len(model.history) == 0


def test_accessor_pairs(case):
    model = learned(case)
    np.testing.assert_array_equal(model.get_loss_arr(), model.loss_arr)
    model.set_init_deferred_flag(True)
    assert model.get_init_deferred_flag() is True
    with pytest.raises(TypeError, match="read-only"):
        model.set_loss_arr(None)


def test_attributes_before_super(case, monkeypatch):
    """As subclasses in other packages do: flag and initialiser first, then the constructor."""
    cls = type(case.make())
    original = cls.__init__

    def init(self, *args, **kwargs):
        self.init_deferred_flag = True
        self.initializer = mx.initializer.Normal(0.5)
        original(self, *args, **kwargs)

    monkeypatch.setattr(cls, "__init__", init)
    model = case.make()
    assert model.init_deferred_flag is True
    assert type(model).init_deferred_flag is False


def test_model_without_test_data(case):
    observed, target = case.data(40)
    model = case.make()
    model.learn(case.iterate(observed, target, epochs=2, batch_size=10))
    assert np.isfinite(model.loss_arr[:, 0]).all() and np.isnan(model.loss_arr[:, 1]).all()


def test_repr_tells_what_it_is(case):
    model = learned(case)
    text = repr(model)
    assert text.startswith(type(model).__name__ + "(")
    assert f"{model.parameter_n:,}" in text and "Adam" in text


def test_constraints_are_applied_after_each_step(case):
    class Limit(ab.RegularizatableData):
        calls = 0

        def regularize(self, params_dict):
            type(self).calls += 1
            return {name: arr.clip(-0.01, 0.01) for name, arr in params_dict.items()}

    model = case.make(regularizatable_data_list=[Limit()])
    model.learn(make_iterator(case))
    assert Limit.calls == EPOCHS * -(-TRAIN_N // BATCH)
    assert all(np.abs(value).max() <= 0.01 for value in values_of(model))


def test_prefix_of_gluon(case):
    model = case.make(prefix="mine_")
    assert model.prefix == "mine_"
