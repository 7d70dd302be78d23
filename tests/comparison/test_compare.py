"""Functional equivalents on one problem: the loop, the table, the figure, and each problem."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from mxnet import gluon, nd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC

import accelbrainbase as ab
from accelbrainbase.comparison import calls
from accelbrainbase.comparison.measures import (
    frechet_distance,
    precision_and_recall,
    squared_mmd,
)


@pytest.fixture(scope="module")
def digits():
    data, target = load_digits(return_X_y=True)
    data = (data / 16).astype(np.float32)
    return {
        "train": data[:600], "labels": target[:600], "test": data[600:800],
        "test_labels": target[600:800],
    }  # fmt: skip


@pytest.fixture
def problem(digits):
    return ab.RepresentationLearning(
        digits["train"], digits["labels"], digits["test"], digits["test_labels"], epochs=4
    )


def dense(units_list, last="identity"):
    activation_list = ["relu"] * (len(units_list) - 1) + [last]
    return ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=units_list, activation_list=activation_list,
        optimizer_name="Adam", learning_rate=1e-2,
    )  # fmt: skip


def auto_encoder(code_n=8):
    settings = {"optimizer_name": "Adam", "learning_rate": 5e-3}
    return ab.AutoEncoder(dense([32, code_n]), dense([32, 64]), ab.L2NormLoss(), **settings)


class Constant:
    """A problem of a user, and a model that says a number."""

    better = {"height": "higher", "depth": "lower"}

    def __init__(self, number=0.0):
        self.number = number
        self.parameter_n = 3

    def learn(self, model):
        model.number += 1

    def quality(self, model):
        return {"height": model.number, "depth": -model.number, "other": math.nan}


# -- the loop ----------------------------------------------------------------------------


def test_table_of_an_own_problem():
    models = {"a": Constant(1), "b": Constant(5), "c": Constant(3)}
    opened = plt.get_fignums()
    found = ab.compare(
        Constant(), models, learned={"a"}, learn={"c": lambda model, _: setattr(model, "number", 9)}
    )
    table, figure = found
    assert isinstance(table, pd.DataFrame) and table.index.name == "model"
    assert list(table.columns) == ["height", "depth", "other", "parameters", "seconds"]
    assert list(table["height"]) == [1, 6, 9]  # as it was, learned by the problem, by its own way
    assert list(table["parameters"]) == [3, 3, 3]
    assert np.isnan(table.loc["a", "seconds"]) and (table["seconds"].iloc[1:] >= 0).all()
    assert found.best("height") == "c" == found.best("depth")
    assert found.measures == ["height", "depth", "other"]
    assert "height" in found._repr_html_() and repr(found) == repr(table)
    assert found.figure is figure and plt.get_fignums() == opened


def test_figure_shows_the_numbers_and_the_best():
    found = ab.compare(Constant(), {"a": Constant(1), "b": Constant(5)}, learned=True)
    axes = found.figure.axes
    titles = [ax.get_title() for ax in axes]
    assert titles == ["height\n(higher is better)", "depth\n(lower is better)", "parameters"]
    assert [bar.get_width() for bar in axes[0].patches[:2]] == [1, 5]
    first, second = (bar.get_facecolor() for bar in axes[1].patches[:2])
    assert first != second  # b, the lowest, has a colour of its own
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["a", "b"]
    given = plt.subplots(1, 3)[1]
    assert list(found.plot(given)) == list(given)
    plt.close("all")
    with pytest.raises(ValueError, match="`axes` must be 3 axes"):
        found.plot([given[0]])


def test_notebook_draws_the_figure_without_pyplot():
    found = ab.compare(Constant(), {"a": Constant(1), "b": Constant(5)}, learned=True)
    png = found.figure._repr_png_()
    assert png.startswith(b"\x89PNG") and len(png) > 5000
    assert not plt.get_fignums()


@pytest.mark.parametrize(("measure_n", "rows"), [(1, 1), (2, 1), (3, 2), (5, 2), (6, 3)])
def test_at_most_three_panels_in_a_row(measure_n, rows):
    problem = Constant()
    problem.quality = lambda model: {f"measure {n}": n for n in range(measure_n)}
    axes = ab.compare(problem, {"a": Constant(1)}, learned=True).figure.axes
    assert len(axes) == measure_n + 1  # and the parameters
    assert len({ax.get_subplotspec().rowspan.start for ax in axes}) == rows


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "message"),
    [
        ((3, {"a": Constant()}), {}, TypeError, "`problem` must have a method `quality"),
        ((Constant(), [Constant()]), {}, TypeError, "`models` must be a `Mapping`"),
        ((Constant(), {}), {}, ValueError, "`models` must have at least one entry"),
        ((Constant(), {"a": 1}), {"learned": ["b"]}, ValueError, "`learned` must be one of 'a'"),
        ((Constant(), {"a": 1}), {"learn": {"b": 1}}, ValueError, "`learn` must be one of 'a'"),
    ],
)
def test_bad_arguments_are_named(args, kwargs, error, message):
    with pytest.raises(error, match=message):
        ab.compare(*args, **kwargs)


def test_a_problem_without_learning_says_so():
    class Ready(ab.ProblemSetting):
        def quality(self, model):
            return {"quality": 1.0}

    assert ab.compare(Ready(), {"a": 1}, learned=True).table.loc["a", "quality"] == 1
    with pytest.raises(TypeError, match="Ready does not say how a `int` learns"):
        ab.compare(Ready(), {"a": 1})
    with pytest.raises(TypeError, match="abstract"):
        ab.ProblemSetting()


# -- representation learning ---------------------------------------------------------------


class Denoising(ab.AutoEncoder):
    """A subclass, as a user writes it."""

    def _batch_loss(self, observed_arr, target_arr):
        noised = observed_arr + nd.random.normal(0, 0.1, shape=observed_arr.shape)
        return self.compute_loss(self(noised), target_arr)


def test_representation_learning(problem, digits):
    ab.seed(0)
    boltzmann = ab.RestrictedBoltzmannMachines(
        ab.L2NormLoss(), visible_dim=64, hidden_dim=30, learning_rate=0.05
    )
    convolutional = ab.ConvolutionalAutoEncoder(
        ab.ConvolutionalNeuralNetworks(
            ab.L2NormLoss(), hidden_units_list=[gluon.nn.Conv2D(4, 4, strides=2, padding=1)],
            hidden_activation_list=["relu"], hidden_dropout_rate_list=[0.0],
        ),
        ab.ConvolutionalNeuralNetworks(
            ab.L2NormLoss(),
            hidden_units_list=[gluon.nn.Conv2DTranspose(1, 4, strides=2, padding=1)],
            hidden_activation_list=["identity"], hidden_dropout_rate_list=[0.0],
        ),
        ab.L2NormLoss(), optimizer_name="Adam", learning_rate=1e-2,
    )  # fmt: skip
    denoising = Denoising(
        dense([32, 8]), dense([32, 64]), ab.L2NormLoss(), optimizer_name="Adam", learning_rate=5e-3
    )
    models = {
        "AE": auto_encoder(), "mine": denoising, "RBM": boltzmann,
        "CAE": ab.Reshaped(convolutional, (1, 8, 8)), "PCA": PCA(8, random_state=0),
        "LDA": make_pipeline(StandardScaler()),
    }  # fmt: skip
    table = ab.compare(problem, models).table
    assert (table["accuracy"] > 0.6).all()
    pca = models["PCA"]
    made = pca.inverse_transform(pca.transform(digits["test"]))
    expected = np.square(made - digits["test"]).mean()
    assert table.loc["PCA", "reconstruction error"] == pytest.approx(expected, rel=1e-5)
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    probe.fit(pca.transform(digits["train"]), digits["labels"])
    accuracy = probe.score(pca.transform(digits["test"]), digits["test_labels"])
    assert table.loc["PCA", "accuracy"] == accuracy
    made = models["AE"].inference(digits["test"]).asnumpy()
    assert table.loc["AE", "reconstruction error"] == pytest.approx(
        np.square(made - digits["test"]).mean(), rel=1e-5
    )
    assert table.loc["PCA", "parameters"] == 8 * 64 + 64
    assert table.loc["CAE", "parameters"] == models["CAE"].model.parameter_n > 0
    assert (table["seconds"] > 0).all()


def test_what_does_not_reconstruct_has_no_error(problem, digits):
    model = LinearDiscriminantAnalysis().fit(digits["train"], digits["labels"])
    measured = problem.quality(model)
    assert measured["accuracy"] > 0.8 and math.isnan(measured["reconstruction error"])


def test_codes_from_feature_points_and_from_a_stranger(problem):
    class Features:
        """The contract's interface of 1.1.0: features after `inference`."""

        @property
        def feature_points_arr(self):
            return self.kept

        def inference(self, observed_arr):
            self.kept = observed_arr[:, 10:50]
            return observed_arr

    measured = problem.quality(Features())
    assert measured["accuracy"] > 0.8 and measured["reconstruction error"] == 0
    with pytest.raises(TypeError, match="A `int` cannot take part: it has none of `encode`"):
        problem.quality(3)
    with pytest.raises(TypeError, match="none of `learn"):
        problem.learn(3)


def test_bad_data_of_representation_learning_are_named(digits):
    data = digits["train"][:10]
    with pytest.raises(ValueError, match="`test_observed` must be data points that nobody"):
        ab.RepresentationLearning(data)
    with pytest.raises(ValueError, match="must be given both, or neither"):
        ab.RepresentationLearning(data, digits["labels"][:10], data)
    with pytest.raises(ValueError, match=r"`test_observed` must hold data points of shape \(64,\)"):
        ab.RepresentationLearning(data, None, data[:, :3])
    with pytest.raises(ValueError, match="`labels` must have one label for each of the 10"):
        ab.RepresentationLearning(data, [1], data, [1])
    with pytest.raises(ValueError, match=r"`observed` must have the shape \(n, \*features\)"):
        ab.RepresentationLearning([1.0, 2.0], None, data)
    without = ab.RepresentationLearning(data, None, data)
    assert list(without.quality(PCA(2).fit(data))) == ["reconstruction error"]


# -- anomalies ----------------------------------------------------------------------------


@pytest.fixture
def anomalies(digits):
    """Zeros are normal, other digits are not."""
    normal = digits["train"][digits["labels"] == 0]
    labels = np.where(digits["test_labels"] == 0, 1, -1)
    return ab.AnomalyDetection(normal, digits["test"], labels, epochs=30, batch_size=16)


def test_anomaly_detection(anomalies, digits):
    ab.seed(0)
    forest = IsolationForest(random_state=0)
    table = ab.compare(anomalies, {"AE": auto_encoder(4), "forest": forest, "PCA": PCA(4)}).table
    assert (table["AUROC"] > 0.9).all()
    assert list(anomalies.better) == [c for c in table if c not in ("parameters", "seconds")]
    bad = anomalies.test_labels == -1
    expected = roc_auc_score(bad, -forest.score_samples(digits["test"]))
    assert table.loc["forest", "AUROC"] == pytest.approx(expected)
    alarms = forest.predict(digits["test"]) == -1
    hits = (alarms & bad).sum()
    assert table.loc["forest", "F1"] == pytest.approx(2 * hits / (alarms.sum() + bad.sum()))


def test_alarms_of_models_are_above_a_quantile_of_what_is_normal():
    class Sum:
        def score_samples(self, data):
            return -data.sum(axis=1)

    problem = ab.AnomalyDetection(
        np.arange(10.0)[:, np.newaxis], [[1.0], [8.5], [9.5], [20.0]], [1, 1, -1, -1],
        contamination=0.1,
    )  # fmt: skip
    measured = problem.quality(Sum())  # the quantile 0.9 of 0, …, 9 is 8.1: three alarms
    assert measured == {
        "AUROC": 1.0, "average precision": 1.0, "F1": pytest.approx(2 * 2 / (3 + 2))
    }  # fmt: skip


def test_another_score_of_anomalies(anomalies):
    machine = ab.RestrictedBoltzmannMachines(ab.L2NormLoss(), visible_dim=64, hidden_dim=4)
    anomalies.score = lambda model, data: model.free_energy(data)
    found = anomalies.scores(machine, anomalies.test_observed)
    np.testing.assert_allclose(
        found, machine.free_energy(anomalies.test_observed).asnumpy(), rtol=1e-6
    )
    anomalies.score = lambda model, data: data
    with pytest.raises(ValueError, match="The scores of a `Restricted"):
        anomalies.quality(machine)


def test_a_detector_in_series_takes_part():
    rng = np.random.default_rng(0)
    series = np.sin(np.arange(400) / 5)[:, np.newaxis] + 0.05 * rng.normal(size=(400, 1))
    test, labels = series.copy(), np.ones(400, dtype=int)
    test[200:230], labels[200:230] = 3.0, -1
    problem = ab.AnomalyDetection(series, test, labels)
    detector = ab.EncDecAD(window_len=16, hidden_n=8, epochs=2, random_state=0)
    table = ab.compare(problem, {"EncDec-AD": detector}).table
    assert table.loc["EncDec-AD", "AUROC"] > 0.8
    assert table.loc["EncDec-AD", "parameters"] == detector.model_.parameter_n


def test_bad_data_of_anomaly_detection_are_named():
    with pytest.raises(ValueError, match=r"`test_labels` must hold both 1 \(normal\) and -1"):
        ab.AnomalyDetection([[1.0]], [[1.0]], [1])
    with pytest.raises(ValueError, match="`contamination` must be"):
        ab.AnomalyDetection([[1.0]], [[1.0], [2.0]], [1, -1], contamination=1.0)


# -- generation ----------------------------------------------------------------------------


def test_frechet_distance_in_closed_form():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(4000, 3)) * [1, 2, 3]
    one = (one - one.mean(axis=0)) / one.std(axis=0) * [1, 2, 3]
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(one, one + [3, 0, 4]) == pytest.approx(25)
    # Scaling by s turns the covariance C into s²C: tr(C)(1 - s)².
    trace = np.trace(np.cov(one, rowvar=False, bias=True))
    assert frechet_distance(one, 2 * one) == pytest.approx(trace, rel=1e-6)


def test_squared_mmd_by_brute_force():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(7, 2)), rng.normal(1, 1, size=(5, 2))
    pairs = [(i, j) for i in range(7) for j in range(7) if i != j]
    sigma2 = np.median([((one[i] - one[j]) ** 2).sum() for i, j in pairs])

    def kernel(x, y):
        return np.exp(-((x - y) ** 2).sum() / (2 * sigma2))

    expected = (
        np.mean([kernel(one[i], one[j]) for i, j in pairs])
        + np.mean([kernel(other[i], other[j]) for i in range(5) for j in range(5) if i != j])
        - 2 * np.mean([kernel(x, y) for x in one for y in other])
    )
    assert squared_mmd(one, other) == pytest.approx(expected, rel=1e-9)
    same = rng.normal(size=(2, 500, 2))
    assert abs(squared_mmd(*same)) < 0.005 < squared_mmd(same[0], same[1] + 1)


def test_precision_and_recall_of_lost_and_of_invented_modes():
    rng = np.random.default_rng(0)
    two = np.concatenate([rng.normal(0, 1, (200, 2)), rng.normal(20, 1, (200, 2))])
    one = rng.normal(0, 1, (200, 2))
    precision, recall = precision_and_recall(two, one)
    assert precision > 0.8 and 0.35 < recall < 0.51
    precision, recall = precision_and_recall(one, two)
    assert 0.35 < precision < 0.51 and recall > 0.8
    line = np.arange(10.0)[:, np.newaxis]
    assert precision_and_recall(line, line + 100) == (0, 0)


def test_generation(digits):
    problem = ab.Generation(digits["train"], digits["test"], sample_n=200, iter_n=3, epochs=3)
    ab.seed(0)
    generator = ab.GenerativeModel(
        ab.UniformNoiseSampler(shape_tuple=(64, 8)), dense([32, 64], "sigmoid"),
        optimizer_name="Adam",
    )  # fmt: skip
    sampler = ab.UnlabeledTrueSampler()
    sampler.iteratorable_data = problem.iterator()
    game = ab.GANController(
        sampler, generator,
        ab.DiscriminativeModel(dense([16, 1])), ab.GeneratorLoss(), ab.DiscriminatorLoss(),
    )  # fmt: skip
    machine = ab.RestrictedBoltzmannMachines(
        ab.L2NormLoss(), visible_dim=64, hidden_dim=30, learning_rate=0.05
    )
    models = {
        "GAN": game, "RBM": machine,
        "mixture": GaussianMixture(5, covariance_type="diag", random_state=0),
        "kernels": KernelDensity(bandwidth=0.05),
    }  # fmt: skip
    table = ab.compare(problem, models).table
    assert len(game.history) == 3
    assert table["Fréchet distance"].idxmin() == "kernels"
    assert table["Fréchet distance"].idxmax() in ("GAN", "RBM")
    assert table.loc["kernels", "recall"] > 0.5 > table.loc["GAN", "recall"]
    assert table.loc["kernels", "MMD²"] < table.loc["GAN", "MMD²"]


def test_features_of_a_judge_and_ways_to_draw(digits):
    problem = ab.Generation(
        digits["train"], digits["test"], features=lambda arr: arr[:, :10], sample_n=50,
        draw=lambda model, n: model[:n],
    )  # fmt: skip
    measured = problem.quality(digits["train"])
    made, true = (arr[:, :10].astype(float) for arr in (digits["train"][:50], digits["test"]))
    assert measured["Fréchet distance"] == pytest.approx(frechet_distance(true, made))
    problem.draw = lambda model, n: np.zeros((n, 3))
    with pytest.raises(ValueError, match="Samples of a `int` must have the shape"):
        problem.quality(3)

    class Several:
        def draw(self):
            return 1, 2, 3

    with pytest.raises(TypeError, match="returns 3 arrays, not samples alone"):
        calls.drawn_from(Several(), 2)
    with pytest.raises(TypeError, match="none of `draw`"):
        calls.drawn_from(3, 2)


# -- classes ------------------------------------------------------------------------------


class Scores:
    """Says which of the first three pixels is the brightest; counts what it learned from."""

    def learn(self, iteratable_data):
        self.batches = list(iteratable_data.generate_learned_samples())

    def inference(self, observed_arr):
        return observed_arr[:, :3]


class ScoresOfTwo(Scores):
    """As DRCNetworks: the reconstruction, and the scores."""

    def inference(self, observed_arr):
        return observed_arr, observed_arr[:, :3]


def three(n, seed=0):
    data = np.random.default_rng(seed).random((n, 5)).astype(np.float32)
    return data, data[:, :3].argmax(axis=1)


@pytest.mark.parametrize("cls", [Scores, ScoresOfTwo])
def test_few_labels(cls):
    data, labels = three(60)
    test, test_labels = three(40, 1)
    few = labels.copy()
    few[20:] = -1
    problem = ab.FewLabels(data, few, test, test_labels, epochs=2, batch_size=8)
    model = cls()
    table = ab.compare(
        problem,
        {"fake": model, "logistic": LogisticRegression(C=100), "spreading": LabelSpreading()},
    ).table
    assert table.loc["fake", "accuracy"] == 1
    assert sum(len(batch[0]) for batch in model.batches) == 40  # 20 rows, twice
    np.testing.assert_array_equal(model.batches[0][1].sum(axis=1), 1)
    alone = LogisticRegression(C=100).fit(data[:20], labels[:20]).score(test, test_labels)
    assert table.loc["logistic", "accuracy"] == alone
    spread = LabelSpreading().fit(data, few).score(test, test_labels)
    assert table.loc["spreading", "accuracy"] == spread


def test_all_data_go_to_what_can_use_them():
    data, labels = three(30)

    class Estimator:
        learns_from_unlabeled = True

        def fit(self, X, y):
            self.y = y

        def predict(self, X):
            return np.zeros(len(X), int)

    labels[5:] = -1
    problem = ab.FewLabels(data, labels, data, np.zeros(30, int))
    model = Estimator()
    problem.learn(model)
    np.testing.assert_array_equal(model.y, labels)
    assert problem.quality(model) == {"accuracy": 1.0}
    problem.iteratable_data = lambda same: ("made for", same)
    taken = []
    problem.learn(type("Learner", (), {"learn": lambda self, data: taken.append(data)})())
    assert taken == [("made for", problem)]


def test_all_data_beside_what_has_labels():
    data, labels = three(30)
    few = np.where(np.arange(30) < 7, labels, -1)
    problem = ab.FewLabels(
        data, few, data, labels, epochs=1, batch_size=10, iteratable_data=ab.FewLabels.all_iterator
    )

    class Ladder(Scores):
        def classify(self, observed_arr):
            return observed_arr[:, :3].argmax(axis=1)

    model = Ladder()
    assert ab.compare(problem, {"ladder": model}).table.loc["ladder", "accuracy"] == 1
    assert [[len(arr) for arr in batch] for batch in model.batches] == [[10, 10, 30, 30, 10]] * 3
    labelled, unlabelled = (np.concatenate([b[k] for b in model.batches]) for k in (0, 4))
    np.testing.assert_array_equal(np.sort(unlabelled, axis=0), np.sort(data, axis=0))
    rows = [np.flatnonzero((data == row).all(axis=1))[0] for row in labelled]
    counts = np.bincount(rows, minlength=30)
    assert set(counts[:7]) == {4, 5} and not counts[7:].any()  # what has labels goes round
    answers = np.concatenate([batch[1] for batch in model.batches]).argmax(axis=1)
    np.testing.assert_array_equal(answers, labels[rows])


def test_classes_that_are_not_counted_from_zero():
    data, labels = three(30)
    names = np.array([3, 5, 9])
    problem = ab.FewLabels(data, names[labels], data, names[labels])
    assert problem.quality(Scores()) == {"accuracy": 1.0}


def test_bad_labels_are_named():
    data, labels = three(5)
    with pytest.raises(ValueError, match="`labels` must be whole numbers"):
        ab.FewLabels(data, labels.astype(float), data, labels)
    with pytest.raises(ValueError, match="but is all -1"):
        ab.FewLabels(data, -np.ones(5, int), data, labels)

    class Wrong:
        def inference(self, observed_arr):
            return observed_arr

    problem = ab.FewLabels(data, np.array([0, 1, 0, 1, 0]), data, labels)
    with pytest.raises(ValueError, match=r"scores of shape \(batch, 2\).* returned \(5, 5\)"):
        problem.quality(Wrong())


def test_a_classifier_of_this_package_learns_few_labels(digits):
    ab.seed(0)
    labels = digits["labels"].copy()
    labels[300:] = -1
    problem = ab.FewLabels(
        digits["train"], labels, digits["test"], digits["test_labels"], epochs=40
    )
    model = ab.NeuralNetworks(
        gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False), units_list=[32, 10],
        activation_list=["relu", "identity"], optimizer_name="Adam", learning_rate=1e-2,
    )  # fmt: skip
    assert ab.compare(problem, {"dense": model}).table.loc["dense", "accuracy"] > 0.8


def test_domain_adaptation():
    data, labels = three(40)
    target, target_labels = three(30, 1)
    problem = ab.DomainAdaptation(
        data, labels, target, target, target_labels, source_test_observed=data,
        source_test_labels=labels, epochs=3, batch_size=16,
    )  # fmt: skip

    class Adapting:
        def fit(self, X, y, X_target=None):
            self.seen = X_target

        def predict(self, X):
            return X[:, :3].argmax(axis=1)

    model, estimator = ScoresOfTwo(), Adapting()
    source_only = LogisticRegression()
    table = ab.compare(
        problem, {"fake": model, "adapting": estimator, "source only": source_only}
    ).table
    assert list(table.loc["fake", ["target accuracy", "source accuracy"]]) == [1, 1]
    np.testing.assert_array_equal(estimator.seen, target)
    assert table.loc["source only", "target accuracy"] == pytest.approx(
        source_only.score(target, target_labels)
    )
    assert len(model.batches) == 9 and all(len(batch) == 5 for batch in model.batches)
    assert all(len(batch[0]) == len(batch[4]) for batch in model.batches)
    drawn = np.concatenate([batch[4] for batch in model.batches])[:30]
    np.testing.assert_array_equal(np.sort(drawn, axis=0), np.sort(target, axis=0))  # each once
    again = ScoresOfTwo()
    problem.learn(again)
    np.testing.assert_array_equal(again.batches[3][4], model.batches[3][4])


# -- value functions -------------------------------------------------------------------------


class Corridor:
    """Ten places; going right pays 1, and ends at the last; going left ends at once."""

    def reset(self, seed=None):
        self.place = seed % 3
        return np.array([self.place]), {}

    def step(self, action):
        self.place += 1 if action else -1
        ended = self.place < 0 or self.place == 9 or not action
        return np.array([self.place]), float(action), ended, False, {}


class Values:
    def __init__(self, right):
        self.right = right

    def inference(self, observed_arr):
        return nd.array([[0.5, self.right]])


class Actions:
    def predict(self, states):
        return (states[:, 0] < 5).astype(int)


class Turns(ab.ControllableModel):
    parameter_n = 7

    def learn(self, iter_n):
        self.iter_n = iter_n

    def predict(self, states):
        return np.ones(len(states), int)


def test_value_function():
    problem = ab.ValueFunction(Corridor, episode_n=3, iter_n=11)
    turns = Turns()
    models = {"right": Values(1.0), "left": Values(0.0), "half": Actions(), "turns": turns}
    table = ab.compare(problem, models, learned={"right", "left", "half"}).table
    assert list(table["mean return"]) == [8, 0, 4, 8]  # 9, 8, 7; none; 5, 4, 3
    assert list(table["least return"]) == [7, 0, 3, 7]
    assert list(table["mean length"]) == [8, 1, 5, 8]
    assert turns.iter_n == 11
    with pytest.raises(TypeError, match="ValueFunction does not say how a `Values` learns"):
        problem.learn(Values(0.0))


def test_own_way_to_act_and_a_limit_of_steps():
    problem = ab.ValueFunction(Corridor, episode_n=1, max_steps=2, act=lambda model, state: model)
    assert problem.quality(1) == {"mean return": 2, "least return": 2, "mean length": 2}
    with pytest.raises(TypeError, match="`make_environment` must be a function"):
        ab.ValueFunction("CartPole-v1")
    with pytest.raises(TypeError, match="none of `predict`, `inference`"):
        ab.ValueFunction(Corridor).quality(3)


# -- reshaping, counting ------------------------------------------------------------------------


def test_reshaped_hands_on_the_shapes():
    seen = []

    class Pictures:
        parameter_n = 5

        def learn(self, iteratable_data):
            seen.extend(iteratable_data.generate_learned_samples())

        def inference(self, observed_arr):
            return observed_arr + 1, observed_arr[:, 0, 0]

        def encode(self, observed_arr):
            return observed_arr.shape

    model = ab.Reshaped(Pictures(), (1, 2, 3))
    data = np.arange(24.0).reshape(4, 6)
    first, second = model.inference(data)
    np.testing.assert_array_equal(first, data + 1)
    np.testing.assert_array_equal(second, data[:, :3])
    assert model.encode(data) == (4, 1, 2, 3) and model.parameter_n == 5
    model.learn(ab.ArrayIterator(data, test_observed=data, batch_size=2, epochs=1))
    assert [arr.shape for arr in seen[0]] == [(2, 1, 2, 3)] * 2 + [(4, 1, 2, 3)] * 2
    with pytest.raises(ValueError, match=r"`shape` is \(1, 2, 3\), but a data point"):
        model.inference(data[:, :5])


def test_reshaped_estimators_fit_pictures():
    class Adapting:
        def fit(self, X, y, X_target):
            self.shapes = X.shape, X_target.shape

        def predict(self, X):
            assert X.shape[1:] == (1, 1, 5)
            return X[:, 0, 0, :3].argmax(axis=1)

    data, labels = three(12)
    problem = ab.DomainAdaptation(data, labels, data[:9], data, labels)
    model = ab.Reshaped(Adapting(), (1, 1, 5))
    table = ab.compare(problem, {"adapting": model}).table
    assert model.shapes == ((12, 1, 1, 5), (9, 1, 1, 5))
    assert table.loc["adapting", "target accuracy"] == 1


def test_a_ladder_with_the_interface_of_scikit_learn_gets_all_data():
    data, labels = three(40)
    few = np.where(np.arange(40) < 20, labels, -1)
    problem = ab.FewLabels(data, few, data, labels)
    ladder = ab.LadderClassifier([8], epochs=1, random_state=0)
    given = []
    ladder.fit = lambda X, y: given.append(y)
    problem.learn(ladder)
    np.testing.assert_array_equal(given[0], few)


def test_parameters_are_counted():
    data, labels = three(30)
    regression = LogisticRegression().fit(data, labels)
    assert calls.parameter_n(regression) == 3 * 5 + 3
    machine = SVC(kernel="linear").fit([[0.0, 1.0], [2.0, 1.0]], [0, 1])
    assert calls.parameter_n(machine) == 2 * 2 + 2 + 1  # two vectors, their factors, intercept
    assert math.isnan(calls.parameter_n(3))

    class Torch:
        def parameters(self):
            return [np.zeros((2, 3)), np.zeros(4)]

    assert calls.parameter_n(Torch()) == 10
    table = ab.compare(Constant(), {"a": Constant(1), "b": type("B", (), {"number": 2})()}).table
    assert table["parameters"].isna().tolist() == [False, True]


def test_a_class_is_no_model():
    with pytest.raises(TypeError, match=r"'pca' is the class `PCA`. Pass `PCA\(…\)`"):
        ab.compare(object.__new__(ab.RepresentationLearning), {"pca": PCA})
