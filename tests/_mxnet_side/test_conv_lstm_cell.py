"""ConvLSTMCell by NumPy, pixel by pixel, and that it learns to move a picture on."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from conv_lstm_numpy import by_hand
from mxnet import gluon, nd

import accelbrainbase as ab
from accelbrainbase._mxnet.conv_lstm_cell import ConvLSTMCell

RNG = np.random.default_rng(0)
FILMS = RNG.normal(size=(2, 4, 3, 5, 6)).astype(np.float32)


class Network(gluon.HybridBlock):
    def __init__(self, length=4, **kwargs):
        super().__init__()
        self.length = length
        with self.name_scope():
            self.cell = ConvLSTMCell(2, **kwargs)

    def hybrid_forward(self, F, x):
        return list(self.cell.propagate(F, x, self.length))


@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("picture_size", [None, (5, 6)])
def test_cell_by_numpy(picture_size, kernel_size, hybridize):
    ab.seed(0)
    net = Network(kernel_size=kernel_size, picture_size=picture_size)
    net.initialize(mx.init.Normal(0.3))
    if picture_size is not None:
        for p in net.cell._reg_params.values():
            p.set_data(nd.random.normal(shape=p.shape))
    net.hybridize(hybridize)
    for got, want in zip(net(nd.array(FILMS)), by_hand(net.cell, FILMS)):
        np.testing.assert_allclose(got.asnumpy(), want, atol=1e-5)


def test_states_can_be_handed_over():
    cell = ConvLSTMCell(2)
    cell.initialize()
    arr = nd.array(FILMS)
    whole, last, _ = cell.propagate(nd, arr)
    _, *state = cell.propagate(nd, arr[:, :2])
    rest, last_again, _ = cell.propagate(nd, arr[:, 2:], state=state)
    np.testing.assert_allclose(rest.asnumpy(), whole[:, 2:].asnumpy(), atol=1e-6)
    np.testing.assert_allclose(last_again.asnumpy(), last.asnumpy(), atol=1e-6)


def test_learns_where_a_dot_goes_next():
    """A dot moves right or left; a single picture does not tell which."""
    ab.seed(0)

    class Mover(ab.GradientBlock):
        def __init__(self):
            super().__init__(
                gluon.loss.SoftmaxCrossEntropyLoss(axis=1, sparse_label=False),
                optimizer_name="Adam", learning_rate=2e-2,
            )  # fmt: skip
            with self.name_scope():
                self.cell = ConvLSTMCell(8)
                self.head = gluon.nn.Conv2D(1, 1)
            self.complete()

        def forward_propagation(self, F, x):
            _, last, _ = self.cell.propagate(F, x, 3)
            return F.reshape(self.head(last), shape=(0, -1))

    rng = np.random.default_rng(0)
    start, step = rng.integers(4, 8, size=300), rng.choice([-1, 1], size=300)
    at = start[:, None] + step[:, None] * np.arange(4)
    dots = np.eye(12, dtype=np.float32)[at]
    model = Mover()
    iterator = ab.ArrayIterator(
        dots[:, :3, None, None], dots[:, 3], epochs=15, batch_size=30, seed=0
    )
    model.learn(iterator)
    predicted = model.inference(dots[:, :3, None, None]).asnumpy().argmax(axis=1)
    assert (predicted == at[:, 3]).mean() > 0.98


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="`kernel_size` must be odd"):
        ConvLSTMCell(2, kernel_size=2)
    with pytest.raises(ValueError, match="`hidden_channel` must be at least 1"):
        ConvLSTMCell(0)
    with pytest.raises(TypeError, match="`picture_size` must be a `tuple`"):
        ConvLSTMCell(2, picture_size=8)
    with pytest.raises(ValueError, match=r"`picture_size` must be \(height, width\)"):
        ConvLSTMCell(2, picture_size=(1, 8, 8))
    with pytest.raises(ValueError, match="`length` must be given"):
        ConvLSTMCell(2).propagate(mx.sym, mx.sym.var("x"))
