"""A rate that falls in a line: its values by hand, with checkpoints, and bad arguments."""

from __future__ import annotations

import numpy as np
import pytest

import accelbrainbase as ab


class Rates(ab.Callback):
    """Notes the rate of each row, before `FallingRate` sets the next one."""

    order = -1

    def __init__(self):
        self.rates = []

    def on_row_end(self, state):
        self.rates.append(state.learning_rate)


def learned(flat, epochs, *callbacks):
    model = ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[2], activation_list=["identity"], learning_rate=0.8
    )
    rates = Rates()
    iterator = ab.ArrayIterator(np.ones((4, 3)), np.ones((4, 2)), epochs=epochs, batch_size=2)
    model.learn(iterator, callbacks=[rates, ab.FallingRate(flat), *callbacks])
    return rates.rates


@pytest.mark.parametrize(
    ("flat", "want"),
    [
        (0.0, [0.8, 0.6, 0.4, 0.2]),
        (0.5, [0.8, 0.8, 0.8, 0.4]),
        (0.75, [0.8, 0.8, 0.8, 0.8]),
    ],
)
def test_rates_by_hand(flat, want):
    np.testing.assert_allclose(learned(flat, 4), want)


def test_a_resumed_learning_has_the_same_rates(tmp_path):
    path = tmp_path / "a.ckpt"

    class Stop(ab.Callback):
        def on_row_end(self, state):
            if state.row == 3:
                state.stop("enough")

    first = learned(0.25, 6, ab.Checkpoint(path), Stop())
    rest = learned(0.25, 6, ab.Checkpoint(path, resume=True))
    np.testing.assert_allclose([*first, *rest], learned(0.25, 6))


@pytest.mark.parametrize("flat", [-0.1, 1.0])
def test_bad_shares_are_named(flat):
    with pytest.raises(ValueError, match="`flat` must be"):
        ab.FallingRate(flat)
