"""Estimators around models: they learn digits, fit scikit-learn's tools, and check their input."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import accelbrainbase as ab

DATA = load_digits()
X, Y = (DATA.data / 16).astype(np.float32), DATA.target
PICTURES = X.reshape(-1, 1, 8, 8)


def few_labels(n: int) -> np.ndarray:
    """Labels of the first `n` rows, -1 of the others."""
    return np.where(np.arange(1200) < n, Y[:1200], -1)


# -- few labels ----------------------------------------------------------------------------


def test_ladder_learns_from_few_labels():
    y = few_labels(60)
    model = ab.LadderClassifier((128, 64), epochs=40, random_state=0).fit(X[:1200], y)
    of_labels_alone = LogisticRegression(max_iter=1000).fit(X[:60], Y[:60])
    score = model.score(X[1200:], Y[1200:])
    assert score > of_labels_alone.score(X[1200:], Y[1200:]) + 0.02
    shares = model.predict_proba(X[1200:])
    assert shares.shape == (597, 10)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(model.predict(X[1200:]), shares.argmax(axis=1))
    assert model.transform(X[:3]).shape == (3, 10)


def test_ladder_with_names_as_labels_repeats_itself():
    names = np.array([f"digit {y}" for y in Y[:300]], dtype=object)
    names[100:] = -1
    made = [
        ab.LadderClassifier((16,), epochs=2, random_state=3).fit(X[:300], names) for _ in range(2)
    ]
    assert list(made[0].classes_) == [f"digit {y}" for y in range(10)]
    np.testing.assert_array_equal(made[0].predict_proba(X), made[1].predict_proba(X))
    assert set(made[0].predict(X)) <= set(made[0].classes_)


def test_ladder_with_a_network_of_the_users_own():
    from mxnet import gluon

    def small(shape, class_n):
        loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
        return ab.LadderNetworks(
            ab.NeuralNetworks(loss, units_list=[class_n], activation_list=["softmax"]),
            ab.NeuralNetworks(loss, units_list=[int(np.prod(shape))], activation_list=["identity"]),
            gluon.loss.L2Loss(weight=2.0), supervised_loss=loss,
        )  # fmt: skip

    model = ab.LadderClassifier(epochs=1, model_factory=small).fit(X[:200], few_labels(100)[:200])
    assert model.model_.encoder.units_list == [10]


# -- another domain ------------------------------------------------------------------------


def test_drcn_learns_for_a_domain_without_labels():
    target = np.clip(1 - PICTURES, 0, 1) * 0.5 + 0.25  # half the contrast, and inverted
    mixed = np.concatenate([PICTURES[:600], target[:600]])
    model = ab.DRCNClassifier(
        (8, 16), 64, epochs=20, rc_lambda=0.9, learning_rate=3e-3, random_state=0
    )
    model.fit(mixed, np.concatenate([Y[:600], Y[:600]]), target[600:1200])
    assert model.score(target[1200:], Y[1200:]) > 0.8
    assert model.transform(target[:5]).shape == (5, 64)
    np.testing.assert_allclose(model.predict_proba(target[:5]).sum(axis=1), 1.0, rtol=1e-5)


def test_drcn_without_reconstruction_ignores_the_target_domain():
    settings = {"epochs": 1, "rc_lambda": 1.0, "dropout_rate": 0.0, "random_state": 0}
    found = [
        ab.DRCNClassifier((4, 4), 8, **settings)
        .fit(PICTURES[:200], Y[:200], arr)
        .predict_proba(PICTURES[:50])
        for arr in (PICTURES[200:400], 1 - PICTURES[200:400])
    ]
    np.testing.assert_allclose(*found, atol=1e-6)


# -- codes ---------------------------------------------------------------------------------


def test_codes_in_the_place_of_a_pca():
    model = ab.AutoEncoderTransformer(8, random_state=0).fit(X[:1200])
    pca = PCA(8).fit(X[:1200])
    wrong = np.mean((pca.inverse_transform(pca.transform(X[1200:])) - X[1200:]) ** 2)
    assert -model.score(X[1200:]) < 0.8 * wrong
    assert model.transform(X[1200:]).shape == (597, 8)
    got = np.mean((model.reconstruct(X[1200:]) - X[1200:]) ** 2)
    assert got == pytest.approx(-model.score(X[1200:]), rel=1e-5)


def test_any_auto_encoder_in_a_pipeline():
    from mxnet.gluon import nn

    def convolutional(shape):
        def network(layer, last):
            return ab.ConvolutionalNeuralNetworks(
                ab.L2NormLoss(), hidden_units_list=[layer], hidden_activation_list=[last],
                hidden_dropout_rate_list=[0.0],
            )  # fmt: skip

        return ab.ConvolutionalAutoEncoder(
            network(nn.Conv2D(4, 4, strides=2, padding=1), "relu"),
            network(nn.Conv2DTranspose(shape[0], 4, strides=2, padding=1), "identity"),
            ab.L2NormLoss(), optimizer_name="Adam", learning_rate=1e-2,
        )  # fmt: skip

    pipe = make_pipeline(
        ab.AutoEncoderTransformer(epochs=2, model_factory=convolutional, random_state=0),
        LogisticRegression(max_iter=2000),
    )
    assert pipe.fit(PICTURES[:800], Y[:800]).score(PICTURES[1200:], Y[1200:]) > 0.85


def test_grid_search_and_clones():
    search = GridSearchCV(
        ab.AutoEncoderTransformer(hidden_units=(32,), epochs=20, random_state=0),
        {"code_n": [1, 16]}, cv=2,
    ).fit(X[:400])  # fmt: skip
    assert search.best_params_ == {"code_n": 16}
    assert clone(search.best_estimator_).get_params()["code_n"] == 16


def test_columns_of_codes_have_names():
    for estimator, data in (make_fitted(name) for name in ("ladder", "codes")):
        names = estimator.get_feature_names_out()
        codes = estimator.transform(data[0])
        assert len(names) == len(set(names)) == codes.shape[1]
        assert names[1] == f"{type(estimator).__name__.lower()}1"
        if hasattr(estimator, "set_output"):  # scikit-learn 1.2
            frame = estimator.set_output(transform="pandas").transform(data[0])
            assert list(frame.columns) == list(names)
            np.testing.assert_array_equal(frame.to_numpy(), codes)


def test_a_classifier_is_a_step_before_another():
    pipe = make_pipeline(
        ab.LadderClassifier((16,), epochs=2, random_state=0), LogisticRegression(max_iter=200)
    )
    assert pipe.fit(X[:300], Y[:300]).predict(X[:3]).shape == (3,)


# -- the door ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda: ab.LadderClassifier().fit(X[:9], np.full(9, -1)), "all rows are marked by -1"),
        (lambda: ab.LadderClassifier().fit(X[:9], np.zeros(9, int)), "`y` must have at least two"),
        (lambda: ab.LadderClassifier().fit(X[:9], np.zeros((9, 2))), "`y` must have one label"),
        (lambda: ab.LadderClassifier().fit(X[:9], Y[:8]), "`y` must have one label"),
        (lambda: ab.LadderClassifier((0,)).fit(X[:9], Y[:9]), "`hidden_units`"),
        (lambda: ab.LadderClassifier().fit(X[:9] * np.nan, Y[:9]), "`X` must hold finite"),
        (lambda: ab.LadderClassifier().fit(X[0], Y[:9]), "`X` must have the shape"),
        (lambda: ab.DRCNClassifier().fit(X[:9], Y[:9], X[:9]), "`X` must be pictures"),
        (lambda: ab.DRCNClassifier((4,)).fit(PICTURES[:9], Y[:9], PICTURES[:9]), "`maps` must be"),
        (lambda: ab.DRCNClassifier().fit(PICTURES[:9], Y[:8], PICTURES[:9]), "`y` must have one"),
        (lambda: ab.DRCNClassifier().fit(PICTURES[:9], Y[:9], X[:9]), "`X_target` must have"),
        (lambda: ab.AutoEncoderTransformer(0).fit(X[:9]), "`code_n` must be"),
    ],
)
def test_bad_input_is_named(fit, message):
    with pytest.raises(ValueError, match=message):
        fit()


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform", "score"])
def test_a_classifier_that_was_not_fitted_says_so(method):
    arguments = (X, Y) if method == "score" else (X,)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(ab.LadderClassifier(), method)(*arguments)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"random_state": -1}, ValueError, "`random_state` must be at least 0, but got -1"),
        ({"random_state": 0.5}, TypeError, "`random_state` must be an integer, but got 0.5"),
        ({"hidden_units": 8}, TypeError, "`hidden_units` must be a `Iterable`, but got 8"),
    ],
)
def test_impossible_settings_are_named_in_fit(settings, error, message):
    with pytest.raises(error, match=message):
        ab.AutoEncoderTransformer(2, **settings).fit(X)


def test_what_was_not_fitted_and_other_shapes():
    model = ab.AutoEncoderTransformer(2, (), epochs=1)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        model.transform(X)
    model.fit(X[:50])
    with pytest.raises(ValueError, match=r"must have the shape \(rows, 64\)"):
        model.transform(X[:, :10])
    with pytest.raises(TypeError, match="`X` must hold numbers"):
        model.transform([["a"] * 64])


# -- copies --------------------------------------------------------------------------------

SERIES = np.sin(np.arange(300) * 0.3)[:, np.newaxis]
FITTED = {
    "ladder": (lambda: ab.LadderClassifier((16,), epochs=1, random_state=0), (X[:200], Y[:200])),
    "drcn": (
        lambda: ab.DRCNClassifier((4, 4), 8, epochs=1, random_state=0),
        (PICTURES[:200], Y[:200], PICTURES[200:400]),
    ),
    "codes": (lambda: ab.AutoEncoderTransformer(4, epochs=1, random_state=0), (X[:200],)),
    "anomalies": (lambda: ab.EncDecAD(20, hidden_n=4, epochs=1, random_state=0), (SERIES,)),
}


def make_fitted(name):
    make, data = FITTED[name]
    return make().fit(*data), data


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
@pytest.mark.parametrize("name", FITTED)
def test_fitted_estimators_are_pickled_and_copied(name, copied):
    estimator, data = make_fitted(name)
    other = copied(estimator)
    method = "transform" if name == "codes" else "predict"
    np.testing.assert_array_equal(
        getattr(other, method)(data[0]), getattr(estimator, method)(data[0])
    )
    assert other.get_params().keys() == estimator.get_params().keys()


def test_grid_search_in_several_processes():
    search = GridSearchCV(
        ab.AutoEncoderTransformer(2, (8,), epochs=1, random_state=0),
        {"code_n": [2, 4]}, cv=2, n_jobs=2,
    )  # fmt: skip
    alone = clone(search).set_params(n_jobs=1)
    found = [one.fit(X[:200]).cv_results_["mean_test_score"] for one in (search, alone)]
    np.testing.assert_allclose(*found, rtol=1e-5)
