"""Pictures: what is drawn, read from matplotlib's artists."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from mxnet import gluon, nd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import accelbrainbase as ab
from accelbrainbase import plotting
from accelbrainbase.learning.history import History


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def shown(ax):
    """The data of the only image, NaN where nothing is."""
    (image,) = ax.images
    return np.ma.filled(image.get_array().astype(float), np.nan)


def digits(n):
    return load_digits().data[:n] / 16


def history(values):
    made = History()
    for value in values:
        made.append({"train_loss": value, "test_loss": 2 * value, "learning_rate": 0.1})
    return made


class Learned:
    def __init__(self, values):
        self.history = history(values)


def test_importing_plotting_draws_and_loads_nothing():
    code = (
        "import sys; from accelbrainbase import plotting; import accelbrainbase as ab;"
        "assert ab.plotting is plotting and 'losses' in dir(plotting);"
        "assert not {'matplotlib', 'mxnet', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'loses'"):
        plotting.loses  # noqa: B018


def test_nothing_calls_show(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("show() was called"))
    plotting.samples(digits(3))
    plotting.losses(history([1.0]))
    plotting.latent_space(np.eye(3))
    plotting.anomaly_scores([0.0, 1.0])


# -- samples, reconstructions ----------------------------------------------------------


def test_samples_are_where_they_should_be():
    images = digits(7)
    grid = shown(plotting.samples(images, columns=3))
    assert grid.shape == (3 * 9 - 1, 3 * 9 - 1)
    np.testing.assert_array_equal(grid[9:17, 18:26], images[5].reshape(8, 8))
    assert np.isnan(grid[8]).all() and np.isnan(grid[:, 17]).all()
    assert np.isnan(grid[18:, 9:]).all()  # the last row holds one


def test_samples_of_colour_and_shape_and_sampler():
    colour = np.random.default_rng(0).random((2, 3, 4, 5))
    grid = shown(plotting.samples(colour, limits=(0, 1)))
    assert grid.shape == (4, 11, 3)
    np.testing.assert_allclose(grid[:, 6:], np.moveaxis(colour[1], 0, -1))
    flat = np.arange(12.0).reshape(2, 6)
    np.testing.assert_array_equal(
        shown(plotting.samples(flat, shape=(2, 3)))[:, :3].ravel(), flat[0]
    )
    sampler = ab.UniformNoiseSampler(low=0.5, high=0.6, shape_tuple=(2, 9))
    grid = shown(plotting.samples(sampler))
    assert grid.shape == (3, 7) and 0.5 <= np.nanmin(grid) <= np.nanmax(grid) <= 0.6


def test_limits_are_those_of_the_data_or_those_given():
    images = np.array([[0.2, 0.4, 0.6, 0.9]])
    assert plotting.samples(images).images[0].get_clim() == (0.2, 0.9)
    assert plotting.samples(images, limits=(0, 1)).images[0].get_clim() == (0, 1)


def test_reconstructions_stand_below_their_originals():
    originals = digits(5)
    ax = plotting.reconstructions(
        originals, {"half": nd.array(originals / 2), "nothing": 0 * originals}, n=3
    )
    grid = shown(ax)
    assert grid.shape == (3 * 9 - 1, 3 * 9 - 1)
    for column in range(3):
        picture = originals[column].reshape(8, 8)
        place = slice(9 * column, 9 * column + 8)
        np.testing.assert_allclose(grid[:8, place], picture)
        np.testing.assert_allclose(grid[9:17, place], picture / 2)
        assert not grid[18:, place].any()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["original", "half", "nothing"]
    np.testing.assert_allclose(ax.get_yticks(), [3.5, 12.5, 21.5])


def test_flat_reconstructions_of_pictures():
    originals = np.random.default_rng(0).random((2, 3, 4, 4))
    grid = shown(plotting.reconstructions(originals, originals.reshape(2, -1)))
    np.testing.assert_allclose(grid[:4], grid[5:])


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plotting.samples(np.zeros((2, 7))), ValueError, "7 numbers in each row"),
        (lambda: plotting.samples(np.zeros((2, 4)), shape=(3, 3)), ValueError, "`shape` must be"),
        (lambda: plotting.samples(np.zeros((2, 2, 4, 4))), ValueError, "`images` must have shape"),
        (lambda: plotting.samples([[np.nan] * 4]), ValueError, "`images` must hold finite"),
        (lambda: plotting.samples(["a"]), TypeError, "`images` must hold numbers"),
        (lambda: plotting.samples(digits(1), columns=0), ValueError, "`columns` must be at least"),
        (lambda: plotting.samples(digits(1), limits=(1, 0)), ValueError, "`limits` must be"),
        (lambda: plotting.samples(digits(1), ax="axes"), TypeError, "`ax` must be the Axes"),
        (lambda: plotting.reconstructions(digits(3), digits(2)), ValueError, "the first 3"),
        (lambda: plotting.reconstructions(digits(2), {}), ValueError, "at least one entry"),
        (
            lambda: plotting.reconstructions(digits(2), {"a": np.zeros((2, 3, 3))}),
            ValueError, r"`reconstructed\['a'\]` must hold a picture of shape \(8, 8\)",
        ),
    ],
)  # fmt: skip
def test_what_are_no_pictures_is_named(draw, error, message):
    with pytest.raises(error, match=message):
        draw()


# -- filters, feature maps --------------------------------------------------------------


def test_filters_of_a_dense_layer():
    model = ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[5, 4], activation_list=["tanh", "identity"]
    )
    model.inference(digits(2))
    weights = [arr.asnumpy() for arr in model.extract_learned_dict().values() if arr.ndim == 2]
    ax = plotting.filters(model, columns=5)
    np.testing.assert_allclose(shown(ax)[:, 9:17], weights[0][1].reshape(8, 8))
    limit = np.abs(weights[0]).max()
    np.testing.assert_allclose(ax.images[0].get_clim(), (-limit, limit))
    last = shown(plotting.filters(model, layer=-1, shape=(1, 5)))
    np.testing.assert_allclose(last[:, :5].ravel(), weights[1][0])


def test_filters_each_in_the_whole_range():
    weights = np.array([[0.1, -0.2, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [3.0, 1.0, 0.0, 0.0]])
    grid = shown(plotting.filters(weights, each=True))
    np.testing.assert_allclose(grid[:, :2].ravel(), [0.5, -1, 0, 0])
    np.testing.assert_allclose(grid[:, 3:5].ravel(), 0)
    np.testing.assert_allclose(grid[:, 6:].ravel(), [1, 1 / 3, 0, 0])


def test_filters_of_convolutions():
    weights = np.random.default_rng(0).normal(size=(3, 2, 4, 4))
    grid = shown(plotting.filters(weights, columns=2))  # a row for each unit
    assert grid.shape == (14, 9)
    np.testing.assert_allclose(grid[5:9, 5:], weights[1, 1])
    assert shown(plotting.filters(weights, columns=2, n=4)).shape == (9, 9)


def test_filters_of_a_boltzmann_machine_leave_out_the_biases():
    machine = ab.RestrictedBoltzmannMachines(ab.L2NormLoss(), visible_dim=9, hidden_dim=2)
    grid = shown(plotting.filters(machine))
    np.testing.assert_allclose(grid[:, 4:], machine.weights_arr.asnumpy()[1].reshape(3, 3))
    with pytest.raises(ValueError, match="one of the 1 layers of RestrictedBoltzmannMachines"):
        plotting.filters(machine, layer=1)


def test_feature_maps():
    maps = np.random.default_rng(0).random((2, 3, 4, 5))

    class Model:
        feature_points_arr = nd.array(maps)

    grid = shown(plotting.feature_maps(Model(), index=1, columns=2))
    assert grid.shape == (9, 11)
    np.testing.assert_allclose(grid[:4, 6:], maps[1, 1], rtol=1e-6)
    each = shown(plotting.feature_maps(maps, each=True, columns=3))
    for number in range(3):
        one = each[:, 6 * number : 6 * number + 5]
        assert (one.min(), one.max()) == (0, 1)


def test_bad_feature_maps_are_named():
    with pytest.raises(ValueError, match="`features` must have shape"):
        plotting.feature_maps(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="`index` must be the number of one of the 2"):
        plotting.feature_maps(np.zeros((2, 3, 4, 4)), index=2)
    with pytest.raises(TypeError, match="must have parameters with `weight`"):
        plotting.filters(type("Bare", (), {"extract_learned_dict": lambda self: {}})())


# -- activation maximisation ------------------------------------------------------------


def test_the_maximum_of_a_linear_unit_is_its_weight():
    layer = gluon.nn.Dense(3, in_units=6)
    layer.initialize()
    weight = np.random.default_rng(0).normal(size=(3, 6))
    layer.weight.set_data(nd.array(weight))
    found = plotting.maximize_activations(layer, [2, 0], (6,), norm=4.0, steps=300)
    expected = 4 * weight / np.linalg.norm(weight, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected[[2, 0]], atol=1e-3)


def test_bounds_hold_and_the_norm_is_a_limit():
    def activation(x):
        return nd.dot(x, nd.array([[1.0], [1.0], [-1.0], [0.1]]))

    found = plotting.maximize_activations(activation, [0], (4,), norm=1.0, bounds=(0, 1), steps=500)
    assert found.min() >= 0 and np.linalg.norm(found) <= 1.0001
    best = np.array([1.0, 1.0, 0.0, 0.1]) / np.sqrt(2.01)
    np.testing.assert_allclose(found[0], best, atol=0.02)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_bounds_that_leave_out_zero_hold(sign):
    bounds = (0.5, 1.0) if sign > 0 else (-1.0, -0.5)
    weight = np.array([[3.0], [1.0], [-1.0]])

    def activation(x):
        return nd.dot(x, nd.array(weight))

    found = plotting.maximize_activations(
        activation, [0], (3,), norm=1.2, bounds=bounds, steps=800, step_size=0.05
    )
    grid = np.linspace(*bounds, 101)
    points = np.stack(np.meshgrid(grid, grid, grid), axis=-1).reshape(-1, 3)
    reached = points[np.linalg.norm(points, axis=1) <= 1.2]
    assert bounds[0] <= found.min() and found.max() <= bounds[1]
    assert np.linalg.norm(found) <= 1.2001
    assert (found @ weight).item() == pytest.approx((reached @ weight).max(), abs=0.02)


def test_maps_count_by_their_mean_and_start_is_where_it_begins():
    begin = np.array([[[[3.0, 4.0]]]])
    layer = gluon.nn.Conv2D(1, (1, 1), in_channels=1)
    layer.initialize()
    found = plotting.maximize_activations(
        layer, [0], (1, 1, 2), norm=5.0, steps=1, step_size=1e-9, start=begin
    )
    np.testing.assert_allclose(found, begin, rtol=1e-5)
    many = plotting.maximize_activations(layer, [0], (1, 1, 2), norm=5.0, steps=200)
    sign = float(np.sign(layer.weight.data().asnumpy().item()))
    np.testing.assert_allclose(many[0, 0, 0], sign * 5 / np.sqrt(2) * np.ones(2), atol=0.02)


def test_maximal_activations_of_a_learned_model_are_drawn():
    ab.seed(0)
    machine = ab.RestrictedBoltzmannMachines(ab.L2NormLoss(), visible_dim=64, hidden_dim=4)
    ax = plotting.maximal_activations(machine.encode, [1, 3], (64,), norm=4.0, steps=100)
    weight = machine.weights_arr.asnumpy()[3]
    drawn = shown(ax)[:, 9:].ravel()
    assert np.corrcoef(drawn, weight)[0, 1] > 0.999  # a sigmoid has the maximum of its input


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"activation": 3}, TypeError, "`activation` must be a function"),
        ({"units": [4]}, ValueError, "numbers of the 4 units"),
        ({"units": []}, ValueError, "`units` must have at least one"),
        ({"norm": 0.0}, ValueError, "`norm` must be"),
        ({"steps": 0}, ValueError, "`steps` must be at least 1"),
        ({"step_size": 0.0}, ValueError, "`step_size` must be"),
        ({"bounds": (1, 0)}, ValueError, "`bounds` must be"),
        ({"bounds": (0.6, 1)}, ValueError, r"`norm` must be at least 1\.2"),
        ({"start": np.zeros((1, 3))}, ValueError, "`start` must have shape"),
    ],
)
def test_bad_settings_of_the_search_are_named(kwargs, error, message):
    settings = {"activation": lambda x: x, "units": [0], "shape": (4,), "norm": 1.0, **kwargs}
    with pytest.raises(error, match=message):
        plotting.maximize_activations(**settings)


# -- curves -------------------------------------------------------------------------------


def test_losses_of_one_and_of_several():
    ax = plotting.losses(Learned([3.0, 2.0, 1.0]), log=True)
    assert [line.get_label() for line in ax.lines] == ["train_loss", "test_loss"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [6, 4, 2])
    assert ax.get_yscale() == "log"
    ax = plotting.losses({"a": history([1.0, 2.0]), "b": Learned([5.0])})
    labels = [line.get_label() for line in ax.lines]
    assert labels == ["a: train_loss", "a: test_loss", "b: train_loss", "b: test_loss"]
    assert [line.get_linestyle() for line in ax.lines] == ["--", "-"] * 2
    assert ax.lines[0].get_color() == ax.lines[1].get_color() != ax.lines[2].get_color()
    np.testing.assert_array_equal(ax.lines[3].get_ydata(), [10])
    (line,) = plotting.losses({"a": history([1.0])}, columns=["learning_rate"]).lines
    assert line.get_ydata() == [0.1]
    with pytest.raises(TypeError, match=r"`learned\['a'\]` must be a `History`"):
        plotting.losses({"a": 3})
    with pytest.raises(KeyError, match="no column 'x'"):
        plotting.losses(history([1.0]), columns=["x"])


def test_q_values():
    values = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 8.0]])

    class Controller:
        q_logs_arr = values

    predicted, target = plotting.q_values(Controller()).lines
    np.testing.assert_array_equal(predicted.get_ydata(), [0, 2, 4])
    np.testing.assert_array_equal(predicted.get_xdata(), [1, 2, 3])
    predicted, target = plotting.q_values(values, window=2).lines
    np.testing.assert_array_equal(target.get_ydata(), [2.0, 5.5])
    np.testing.assert_array_equal(target.get_xdata(), [2, 3])
    with pytest.raises(ValueError, match=r"must have shape \(steps, 2\)"):
        plotting.q_values([1.0])
    with pytest.raises(ValueError, match="`window` must be at most the 3 steps"):
        plotting.q_values(values, window=4)


def test_returns():
    ax = plotting.returns([1.0, 2.0, 3.0, 6.0], window=2)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [1, 2, 3, 6])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [1.5, 2.5, 4.5])
    ax = plotting.returns({"a": [1.0], "b": [[2.0], [4.0]]}, window=9)
    assert len(ax.lines) == 4 and ax.lines[3].get_ydata() == [3]
    assert ax.lines[3].get_label() == "b, mean of 2"
    with pytest.raises(ValueError, match=r"`episodes\['a'\]` must have shape"):
        plotting.returns({"a": np.zeros((2, 2))})


# -- codes, anomalies ----------------------------------------------------------------------


def test_codes_of_two_numbers_are_drawn_as_they_are():
    codes = np.random.default_rng(0).normal(size=(6, 2))
    labels = np.array([0, 1, 0, 2, 1, 0])
    ax = plotting.latent_space(nd.array(codes), labels)
    assert len(ax.collections) == 3
    np.testing.assert_allclose(ax.collections[0].get_offsets(), codes[labels == 0], rtol=1e-6)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1", "2"]


def test_codes_of_more_numbers_are_projected():
    data, target = load_digits(return_X_y=True)
    (points,) = plotting.latent_space(data[:100]).collections
    expected = PCA(2, svd_solver="full").fit(data[:100])
    np.testing.assert_allclose(points.get_offsets(), expected.transform(data[:100]))
    ax = plotting.latent_space(data[:100], np.linspace(0, 1, 100), method="tsne")
    assert ax.get_xlabel().startswith("t-SNE") and len(ax.figure.axes) == 2  # a bar of colours
    share = expected.explained_variance_ratio_[1]
    assert plotting.latent_space(data[:100]).get_ylabel().endswith(f"{share:.0%} of the variance")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (([[1.0], [2.0]],), "at least two numbers in each row"),
        (([[1.0, 2.0]], [1, 2]), "one entry for each of the 1 codes"),
        (([[1.0, np.inf]],), "`codes` must hold finite"),
    ],
)
def test_bad_codes_are_named(args, message):
    with pytest.raises(ValueError, match=message):
        plotting.latent_space(*args)
    with pytest.raises(ValueError, match="`method` must be one of"):
        plotting.latent_space(np.eye(3), method="umap")


def test_anomaly_scores_alone_and_with_their_series():
    scores = np.array([0.0, 5.0, 1.0, 9.0])
    ax = plotting.anomaly_scores(scores, threshold=4.0)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), scores)
    assert ax.lines[1].get_ydata()[0] == 4.0
    series = np.arange(8.0).reshape(4, 2)
    above, below = plotting.anomaly_scores(
        scores, threshold=4.0, series=series, reconstructed=series + 1, y=[1, -1, 1, 1]
    )
    labels = [line.get_label() for line in above.lines]
    assert labels == ["series 0", "reconstruction 0", "series 1", "reconstruction 1", "alarms"]
    np.testing.assert_array_equal(above.lines[4].get_xdata(), [1, 3])
    np.testing.assert_array_equal(above.lines[3].get_ydata(), series[:, 1] + 1)
    assert len(below.collections) == 1  # the shade


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"series": [1.0]}, r"`series` must have shape \(2, columns\)"),
        ({"series": [1.0, 2.0], "reconstructed": [[1.0, 2.0]] * 2}, r"`reconstructed` must have"),
        ({"reconstructed": [1.0, 2.0]}, "`reconstructed` needs `series`"),
        ({"y": [1]}, r"`y` must have shape \(2, 1\)"),
        ({"series": [1.0, 2.0], "axes": [1]}, "`axes` must be two axes"),
    ],
)
def test_bad_scores_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        plotting.anomaly_scores([1.0, 2.0], **kwargs)
