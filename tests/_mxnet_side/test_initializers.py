"""What draws initial parameters: the factor `scale`, and normal numbers."""

import mxnet as mx
import numpy as np
import pytest
from dense_numpy import Batches, draw, network, values
from mxnet import gluon, nd
from mxnet.initializer import InitDesc

import accelbrainbase as ab
from accelbrainbase._mxnet.scaled_initializer import ScaledInitializer


def drawn(initializer, name="a_weight", shape=(40, 30), seed=0):
    mx.random.seed(seed)
    arr = nd.full(shape, 9.0)
    initializer(InitDesc(name), arr)
    return arr.asnumpy()


@pytest.mark.parametrize("scale", [0.25, -2.0, 0.0])
@pytest.mark.parametrize(
    "initializer",
    [mx.init.Normal(0.3), mx.init.Uniform(), mx.init.Xavier(), mx.init.Orthogonal(), mx.init.One()],
    ids=lambda initializer: type(initializer).__name__,
)
def test_scaled_is_the_factor_times_what_is_drawn(initializer, scale):
    plain = drawn(initializer)
    assert plain.std() > 0 or isinstance(initializer, mx.init.One)
    np.testing.assert_array_equal(drawn(ScaledInitializer(initializer, scale)), scale * plain)


def test_scaled_leaves_biases_and_norms_alone():
    scaled = ScaledInitializer(mx.init.Normal(0.3), 5.0)
    for name, value in (("a_bias", 0), ("a_beta", 0), ("a_gamma", 1)):
        assert (drawn(scaled, name) == value).all()


def test_scaled_is_not_applied_to_parameters_with_an_initialiser_of_their_own():
    dense = gluon.nn.Dense(3, bias_initializer=mx.init.One(), weight_initializer=mx.init.One())
    dense.initialize(ScaledInitializer(mx.init.Normal(0.3), 5.0))
    dense(nd.ones((2, 4)))
    assert (dense.weight.data().asnumpy() == 1).all() and (dense.bias.data().asnumpy() == 1).all()


def test_normal_initializer():
    arr = drawn(ab.NormalInitializer(mu=0.5, sigma=2.0, init_dtype=np.float32), shape=(300, 300))
    assert arr.mean() == pytest.approx(0.5, abs=0.03) and arr.std() == pytest.approx(2, rel=0.01)
    assert (((arr - arr.mean()) / arr.std()) ** 4).mean() == pytest.approx(3, abs=0.1)
    scaled = drawn(
        ab.NormalInitializer(mu=0.5, sigma=2.0, scale=-3.0, init_dtype=np.float32), shape=(300, 300)
    )
    np.testing.assert_allclose(scaled, -3 * arr, rtol=1e-6)


def test_normal_initializer_rounds_to_the_type_that_it_draws():
    rounded = drawn(ab.NormalInitializer(), shape=(50, 50))
    exact = drawn(ab.NormalInitializer(init_dtype="float32"), shape=(50, 50))
    assert rounded.dtype == np.float32
    np.testing.assert_array_equal(rounded, exact.astype(np.float16).astype(np.float32))
    assert (rounded != exact).any()
    np.testing.assert_allclose(rounded, exact, rtol=1e-3)


def test_normal_initializer_without_deviation():
    assert (drawn(ab.NormalInitializer(mu=0.5, sigma=0.0, scale=2.0)) == 1.0).all()


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_normal_initializer_in_models(hybridize_flag):
    """In a compiled graph an initialiser of a parameter is written as text and read back."""
    model = network(
        [4], initializer=ab.NormalInitializer(sigma=0.01), hybridize_flag=hybridize_flag
    )
    model.learn(Batches([(draw(3, 50), draw(3, 4))]))
    assert values(model)["0.weight"].std() == pytest.approx(0.01, rel=0.2)
    dense = gluon.nn.Dense(4, weight_initializer=ab.NormalInitializer(sigma=0.01))
    dense.initialize(mx.init.One())
    if hybridize_flag:
        dense.hybridize()
    dense(nd.ones((2, 50)))
    assert dense.weight.data().asnumpy().std() == pytest.approx(0.01, rel=0.2)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"mu": "a"}, TypeError, "`mu` must be a number"),
        ({"sigma": -1.0}, ValueError, r"`sigma` must be a finite number in \[0, inf\)"),
        ({"scale": float("inf")}, ValueError, "`scale` must be a finite number"),
        ({"init_dtype": "float17"}, TypeError, "float17"),
    ],
)
def test_bad_settings(settings, error, message):
    with pytest.raises(error, match=message):
        ab.NormalInitializer(**settings)
