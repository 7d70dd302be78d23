"""Prioritised replay: frequencies and weights by hand and by brute force, and going on."""

from __future__ import annotations

import numpy as np
import pytest

from accelbrainbase.errors import CheckpointError
from accelbrainbase.learning.linear_decay import LinearDecay
from accelbrainbase.learning.prioritized_replay_memory import PrioritizedReplayMemory
from accelbrainbase.learning.priority_sums import PrioritySums
from accelbrainbase.learning.replay_memory import ReplayMemory


def transitions(begin, n):
    numbers = np.arange(begin, begin + n)
    observed = np.stack([numbers, numbers], axis=1).astype(np.float32)
    return observed, numbers % 3, numbers * 0.5, numbers * 0.25, observed + 1


def made(n=0, capacity=10, **kwargs):
    memory = PrioritizedReplayMemory(capacity, **kwargs)
    memory.append(*transitions(0, n))
    return memory


# -- the sums ------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 5, 64, 65, 5000])
def test_sums_by_brute_force(n):
    rng = np.random.default_rng(n)
    sums, kept = PrioritySums(n), np.zeros(n)
    for _ in range(20):
        rows = rng.integers(n, size=rng.integers(1, 9))
        values = rng.random(len(rows)) + 0.01
        sums.set(rows, values)
        for row, value in zip(rows, values):  # the last counts
            kept[row] = value
        np.testing.assert_array_equal(sums.priority_arr, kept)
        assert sums.total == pytest.approx(kept.sum(), rel=1e-12)
        assert sums.largest == kept.max() and sums.least == kept[kept > 0].min()
        numbers = rng.random(50) * sums.total
        expected = (kept.cumsum() <= numbers[:, np.newaxis]).sum(axis=1)
        np.testing.assert_array_equal(sums.find(numbers), expected)


def test_no_number_falls_on_an_empty_place():
    """Not even where rounding brings it behind the sum."""
    sums = PrioritySums(5000)
    sums.set(np.array([70, 3000]), np.array([0.1, 0.3]))
    ends = np.array([0.0, 0.1, np.nextafter(0.1, 0), sums.total, 2 * sums.total])
    assert sums.find(ends).tolist() == [70, 3000, 70, 3000, 3000]


def test_sums_follow_from_their_priorities():
    rng = np.random.default_rng(0)
    sums = PrioritySums(300)
    for _ in range(200):
        rows = rng.integers(300, size=7)
        sums.set(rows, rng.random(7) + 0.1)
        sums.find(np.zeros(1))
    other = PrioritySums(300)
    kept = np.flatnonzero(sums.priority_arr)
    other.set(kept, sums.priority_arr[kept])
    assert sums.total == other.total
    for one, two in zip(sums._sums, other._sums):
        np.testing.assert_array_equal(one, two)


# -- draws ---------------------------------------------------------------------------------


def test_draws_follow_the_priorities():
    """P(i) = p_i^α / Σ p_k^α with p = |δ| + ε: equation 1 of Schaul et al."""
    memory = made(10, alpha=0.7, error_offset=0.05)
    errors = np.array([0.0, -3.0, 0.2, 1.0, 0.5, -0.1, 2.0, 0.0, 0.7, -1.5])
    memory.set_errors(np.arange(10), errors)
    wanted = (np.abs(errors) + 0.05) ** 0.7
    wanted /= wanted.sum()
    np.random.seed(0)
    counts = np.zeros(10)
    for _ in range(4000):
        observed, following, numbers = memory.sample(8)
        kept = observed[:, 0]
        np.testing.assert_array_equal(memory.row_arr, kept)
        np.testing.assert_array_equal(following, observed + 1)
        np.testing.assert_allclose(
            numbers[:, :3], np.stack([kept % 3, kept * 0.5, kept * 0.25], axis=1)
        )
        counts += np.bincount(memory.row_arr, minlength=10)
    # 32,000 draws; independent ones would have a standard deviation of at most 0.0028.
    np.testing.assert_allclose(counts / counts.sum(), wanted, atol=0.006)


def test_a_mini_batch_has_one_of_each_part_of_the_sum():
    memory = made(10, alpha=1.0, error_offset=1e-9)
    memory.set_errors(np.arange(10), np.array([5.0, *[5 / 9] * 9]))
    np.random.seed(1)
    for _ in range(50):
        memory.sample(2)
        assert memory.row_arr[0] == 0 and memory.row_arr[1] > 0
        memory.sample(10)
        assert (memory.row_arr == 0).sum() == 5


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_weights_by_hand(beta):
    """w = (1 / N P)^β, divided by the largest of all transitions: section 3.4."""
    memory = made(6, capacity=8, alpha=0.5, beta=lambda seen: beta, error_offset=1.0)
    errors = np.array([0.0, 3.0, 8.0, 15.0, 24.0, 8.0])  # p^α is 1, 2, 3, 4, 5, 3
    memory.set_errors(np.arange(6), errors)
    probability = np.array([1, 2, 3, 4, 5, 3]) / 18
    wanted = (1 / (6 * probability)) ** beta
    wanted /= wanted.max()
    np.random.seed(0)
    _, _, numbers = memory.sample(64)
    np.testing.assert_allclose(numbers[:, 3], wanted[memory.row_arr], rtol=1e-6)
    assert len(set(memory.row_arr)) == 6
    memory.sample(1)


def test_weights_undo_the_bias_of_the_draws():
    """With β = 1, the weighted mean over draws is the mean over the memory, up to a factor."""
    memory = made(10, beta=lambda seen: 1.0)
    memory.set_errors(np.arange(10), np.linspace(0, 4, 10))
    np.random.seed(0)
    sums = np.zeros(10)
    for _ in range(3000):
        _, _, numbers = memory.sample(10)
        np.add.at(sums, memory.row_arr, numbers[:, 3])
    np.testing.assert_allclose(sums / sums.mean(), 1.0, atol=0.06)


def test_without_alpha_it_draws_uniformly_without_weights():
    memory = made(10, alpha=0.0)
    memory.set_errors(np.arange(10), np.linspace(0, 4, 10))
    _, _, numbers = memory.sample(10)
    assert sorted(memory.row_arr) == list(range(10)) and set(numbers[:, 3]) == {1.0}


def test_beta_goes_by_the_transitions_seen():
    memory = made(4, capacity=4, beta=LinearDecay(0.0, 1.0, 8), alpha=1.0, error_offset=1.0)
    memory.append(*transitions(4, 2))  # 6 of 8, though 4 are kept
    memory.set_errors(np.arange(4), np.array([0.0, 1.0, 0.0, 0.0]))
    np.random.seed(0)
    _, _, numbers = memory.sample(40)
    assert set(memory.row_arr) == {0, 1, 2, 3}
    np.testing.assert_allclose(numbers[memory.row_arr == 1, 3], 0.5**0.75, rtol=1e-6)


def test_new_transitions_have_the_largest_priority():
    """Algorithm 1, line 6: 1 at first, then the largest there is."""
    memory = made(2, alpha=1.0, error_offset=0.5)
    assert memory._sums.priority_arr[:3].tolist() == [1.0, 1.0, 0.0]
    memory.set_errors(np.array([0, 1]), np.array([2.0, -4.5]))
    memory.append(*transitions(2, 1))
    assert memory._sums.priority_arr[:3].tolist() == [2.5, 5.0, 5.0]
    memory.set_errors(np.array([1, 2]), np.array([0.0, 0.0]))
    memory.append(*transitions(3, 8))  # of 10 places, the oldest is overwritten
    assert memory._sums.priority_arr.tolist() == [2.5, 0.5, 0.5, *[2.5] * 7]
    assert memory.sample(5)[0].shape == (5, 2)


def test_of_a_transition_drawn_twice_the_last_error_counts():
    memory = made(3, alpha=1.0, error_offset=0.5)
    memory.set_errors(np.array([1, 1, 2, 1]), np.array([9.0, 8.0, 1.0, -2.0]))
    assert memory._sums.priority_arr[:3].tolist() == [1.0, 2.5, 1.5]
    memory.set_errors(np.array([0, 1, 2]), np.array([np.nan, np.inf, 0.0]))
    assert memory._sums.priority_arr[:3].tolist() == [1.0, 2.5, 0.5]


# -- checkpoints ---------------------------------------------------------------------------


def drawn(memory):
    np.random.seed(3)
    return [(*memory.sample(20), memory.row_arr) for _ in range(3)]


def test_memory_goes_on_from_what_was_captured():
    rng = np.random.default_rng(0)
    memory, other = made(capacity=100), made(capacity=100)
    for begin in range(0, 150, 3):
        memory.append(*transitions(begin, 3))
        memory.sample(8)
        memory.set_errors(memory.row_arr, rng.normal(size=8))
    arrays, values = memory.capture()
    other.resume({name: arr.copy() for name, arr in arrays.items()}, values)
    for one in (memory, other):
        one.append(*transitions(150, 3))
    for one, two in zip(drawn(memory), drawn(other)):
        for first, second in zip(one, two):
            np.testing.assert_array_equal(first, second)
    empty = made()
    empty.resume(*made().capture())
    assert len(empty) == 0


@pytest.mark.parametrize("capacity", [30, 4])
def test_memory_of_another_capacity_keeps_the_newest_with_their_priorities(capacity):
    memory, other = made(14, alpha=1.0, error_offset=0.5), made(capacity=capacity)
    memory.set_errors(np.arange(10), np.arange(10.0))
    wanted = {memory._arrays["observed"][row, 0]: row + 0.5 for row in range(10)}
    other.resume(*memory.capture())
    kept = other._arrays["observed"][: len(other), 0]
    assert sorted(kept) == list(range(14 - min(10, capacity), 14))
    assert other._sums.priority_arr[: len(other)].tolist() == [wanted[number] for number in kept]
    assert other._seen == 14


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="`alpha` must be a finite number in"):
        made(alpha=-0.1)
    with pytest.raises(ValueError, match="`error_offset` must be a finite number in"):
        made(error_offset=0.0)
    with pytest.raises(TypeError, match="`beta` must be a `Callable`"):
        made(beta=0.4)
    with pytest.raises(ValueError, match=r"must have an error for each transition, shape \(2,\)"):
        made(3).set_errors(np.arange(2), np.zeros(3))
    for memory in (made(), ReplayMemory(3)):
        with pytest.raises(ValueError, match="no transitions to draw yet"):
            memory.sample(1)
    uniform = ReplayMemory(10)
    uniform.append(*transitions(0, 4))
    with pytest.raises(CheckpointError, match="of a replay memory without priorities"):
        made().resume(*uniform.capture())
    with pytest.raises(CheckpointError, match="of a replay memory with priorities"):
        uniform.resume(*made(4).capture())
