"""Features beside the output: of blocks of any kind, in any graph."""

import contextlib
import threading

import numpy as np
import pytest
from dense_numpy import draw
from mxnet import autograd, gluon, nd

import accelbrainbase as ab
from accelbrainbase._mxnet.features import FeatureBlock
from accelbrainbase._mxnet.gradient_block import GradientBlock

both_modes = pytest.mark.parametrize("active", [False, True])


class Double(FeatureBlock):
    """Keeps x + 1 and returns 2 (x + 1); the innermost block of these tests."""

    def forward_propagation(self, F, x):
        self.keep_features(x + 1)
        return 2 * (x + 1)


class Plain(FeatureBlock):
    def forward_propagation(self, F, x):
        return 3 * x


class Two(FeatureBlock):
    """Calls one block twice and another once; keeps features itself, with two inputs."""

    def __init__(self):
        super().__init__()
        self.double, self.plain = Double(), Plain()

    def forward_propagation(self, F, x, y):
        first = self.double(x)
        second = self.double(self.plain(y))
        self.keep_features(first * second)
        return first - second


def started(block, active):
    if active:
        block.hybridize(static_alloc=True, static_shape=True)
    return block


def check(arr, expected):
    np.testing.assert_allclose(arr.asnumpy(), expected, rtol=1e-6)


@both_modes
def test_output_alone_is_returned_and_features_are_kept(active):
    block, x = started(Double(), active), draw(3, 2)
    for part in (x, x[:2], x):
        out = block(nd.array(part))
        assert isinstance(out, nd.NDArray)
        check(out, 2 * part + 2)
        check(block.kept_features(), part + 1)


@both_modes
def test_features_of_the_last_of_several_calls_and_of_several_inputs(active):
    block, x, y = started(Two(), active), draw(3, 2), draw(3, 2, seed=1)
    check(block(nd.array(x), nd.array(y)), 2 * (x + 1) - 2 * (3 * y + 1))
    check(block.kept_features(), 4 * (x + 1) * (3 * y + 1))
    check(block.double.kept_features(), 3 * y + 1)  # its second call
    with pytest.raises(ValueError, match="Plain has no feature points yet"):
        block.plain.kept_features()


@both_modes
def test_block_with_two_outputs(active):
    class Pair(FeatureBlock):
        def forward_propagation(self, F, x):
            self.keep_features(x + 1)
            return x + 2, x + 3

    class Sum(FeatureBlock):
        def __init__(self, pair):
            super().__init__()
            self.pair = pair

        def forward_propagation(self, F, x):
            first, second = self.pair(x)
            return first * second

    pair = started(Pair(), active)
    first, second = pair(nd.ones((2,)))
    check(first, [3, 3])
    check(second, [4, 4])
    check(pair.kept_features(), [2, 2])
    check(started(Sum(pair), active)(2 * nd.ones((2,))), [20, 20])
    check(pair.kept_features(), [3, 3])


@both_modes
def test_block_without_features(active):
    block = started(Plain(), active)
    check(block(nd.ones((2,))), [3, 3])
    with pytest.raises(ValueError, match="Plain has no feature points yet. Call `inference"):
        block.kept_features()


@both_modes
def test_gradients_of_output_and_features_add_up(active):
    block, x = started(Two(), active), nd.array(draw(3, 2))
    y = nd.array(draw(3, 2, seed=1))
    x.attach_grad()
    with autograd.record():
        out = block(x, y)
        (out + block.kept_features()).backward()
    check(x.grad, 2 + 4 * (3 * y.asnumpy() + 1))


@both_modes
def test_part_that_is_also_called_by_itself(active):
    """Each graph keeps the features of its own; the last call counts."""
    block = started(Two(), active)
    one, five = nd.ones((2,)), 5 * nd.ones((2,))
    block(one, one)
    block.double(five)
    check(block.double.kept_features(), [6, 6])
    check(block.kept_features(), [16 * 2, 16 * 2])
    block(five, one)
    check(block.double.kept_features(), [4, 4])


class Chain(gluon.HybridBlock):
    """A foreign block."""

    def __init__(self, *blocks):
        super().__init__()
        self.blocks = blocks
        for block in blocks:
            self.register_child(block)

    def hybrid_forward(self, F, x):
        for block in self.blocks:
            x = block(x)
        return x


@both_modes
def test_foreign_block_without_and_with_a_graph(active):
    double = Double()
    foreign = started(Chain(gluon.nn.HybridLambda("relu"), double), active)
    check(foreign(nd.ones((2,))), [4, 4])
    if active:
        with pytest.raises(ValueError, match="out of reach: it was called within a hybridised"):
            double.kept_features()
        foreign.hybridize(False)
        foreign(nd.ones((2,)))
    check(double.kept_features(), [2, 2])


def test_foreign_block_between_our_own():
    """The outermost block of ours returns the features through it."""

    class Outer(FeatureBlock):
        def __init__(self):
            super().__init__()
            self.double = Double()
            self.foreign = Chain(self.double)

        def forward_propagation(self, F, x):
            return self.foreign(x) + 1

    outer = started(Outer(), True)
    check(outer(nd.ones((2,))), [5, 5])
    check(outer.double.kept_features(), [2, 2])


def test_an_error_while_tracing_leaves_no_traces():
    class Broken(FeatureBlock):
        broken = True

        def forward_propagation(self, F, x):
            self.keep_features(x)
            if self.broken:
                raise RuntimeError("broken")
            return x

    broken, double = started(Broken(), True), started(Double(), True)
    with pytest.raises(RuntimeError, match="broken"):
        broken(nd.ones((2,)))
    check(double(nd.ones((2,))), [4, 4])
    check(double.kept_features(), [2, 2])
    broken.broken = False
    check(broken(nd.ones((2,))), [1, 1])
    check(broken.kept_features(), [1, 1])


def test_tracing_in_another_thread_meanwhile():
    other = started(Double(), True)

    def run():
        other(5 * nd.ones((2,)))

    class Slow(FeatureBlock):
        def forward_propagation(self, F, x):
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
            self.keep_features(x - 1)
            return x

    slow = started(Slow(), True)
    check(slow(nd.ones((2,))), [1, 1])
    check(slow.kept_features(), [0, 0])
    check(other.kept_features(), [6, 6])


def test_forward_propagation_must_be_overridden():
    with pytest.raises(NotImplementedError, match="FeatureBlock must override `forward_propaga"):
        FeatureBlock()(nd.ones((2,)))


def test_symbols_give_the_output_alone():
    import mxnet as mx

    out = Double()(mx.sym.var("x"))
    assert isinstance(out, mx.sym.Symbol) and len(out.list_outputs()) == 1


@both_modes
def test_hooks_of_gluon_run(active):
    seen = []
    block = started(Double(), active)
    block.register_forward_pre_hook(lambda block, inputs: seen.append(len(inputs)))
    block(nd.ones((2,)))
    assert seen == [1]


# -- features as data, where the loss is one of the output alone -------------------------------


def _auto_encoder(loss=None, cls=ab.AutoEncoder):
    ab.seed(3)

    def network(units):
        return ab.NeuralNetworks(ab.L2NormLoss(), units_list=units, activation_list=["tanh"])

    return cls(
        network([3]), network([6]), loss or ab.L2NormLoss(), optimizer_name="Adam",
        learning_rate=0.01,
    )  # fmt: skip


def _learned(model):
    data = np.random.default_rng(0).random((64, 6), dtype=np.float32)
    model.learn(ab.ArrayIterator(data, epochs=3, batch_size=16, seed=0))
    return model


def _parameters(model):
    return [p.data().asnumpy() for p in model.collect_params().values()]


def _is_detached(model):
    return model._graph_key[0]


def test_features_as_data_do_not_change_what_is_learned(monkeypatch):
    usual = _learned(_auto_encoder())
    assert _is_detached(usual)
    monkeypatch.setattr(
        GradientBlock, "_features_as_needed", lambda self, compute: contextlib.nullcontext()
    )
    other = _learned(_auto_encoder())
    assert not _is_detached(other)
    for one, another in zip(_parameters(usual), _parameters(other)):
        np.testing.assert_array_equal(one, another)
    np.testing.assert_array_equal(
        usual.feature_points_arr.asnumpy(), other.feature_points_arr.asnumpy()
    )


def test_gradients_flow_through_features_again_after_a_learning():
    model = _learned(_auto_encoder())
    observed_arr = nd.random.uniform(shape=(5, 6))
    weight = next(iter(model.encoder.collect_params().values()))
    with autograd.record():
        model(observed_arr)
        loss_arr = model.feature_points_arr.square().sum()
    loss_arr.backward()
    through_model = weight.grad().asnumpy()
    with autograd.record():
        loss_arr = model.encoder(observed_arr).square().sum()
    loss_arr.backward()
    np.testing.assert_allclose(through_model, weight.grad().asnumpy(), rtol=1e-5)
    assert np.abs(through_model).max() > 0.1


class _Small(ab.AutoEncoder):
    """Minimises the codes alone, whatever is reconstructed."""

    def _batch_loss(self, observed_arr, target_arr):
        self(observed_arr)
        return self.feature_points_arr.square().mean(axis=1)


class _SmallByScore(ab.AutoEncoder):
    def _score(self, pred_arr, target_arr):
        return {"loss": self.feature_points_arr.square().mean(axis=1)}


class _SmallByCompute(ab.AutoEncoder):
    def compute_loss(self, pred_arr, labeled_arr):
        return self.feature_points_arr.square().mean(axis=1)


class _SmallCodes(ab.ComputableLoss):
    model = None

    def compute(self, pred_arr, real_arr):
        return self.model.feature_points_arr.square().mean(axis=1)


@pytest.mark.parametrize("kind", [_Small, _SmallByScore, _SmallByCompute, _SmallCodes])
def test_a_users_loss_of_features_gets_its_gradient(kind):
    if issubclass(kind, ab.ComputableLoss):
        loss = kind()
        model = loss.model = _auto_encoder(loss)
    else:
        model = _auto_encoder(cls=kind)
    model.learning_rate = 0.1
    _learned(model)
    losses = model.history.column("train_loss")
    assert losses[-1] < 0.8 * losses[0]


def test_evaluation_uses_the_graph_of_the_steps():
    model = _learned(_auto_encoder())
    graph = model._cached_op
    model.inference(np.zeros((2, 6)))
    assert model._cached_op is graph and len(model._graphs) == 0
