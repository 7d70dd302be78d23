"""Replay, returns over several steps, and schedules, by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from accelbrainbase.learning.linear_decay import LinearDecay
from accelbrainbase.learning.n_step_returns import NStepReturns
from accelbrainbase.learning.replay_memory import ReplayMemory


def transitions(begin, n, shape=(2,), dtype=np.float32):
    numbers = np.arange(begin, begin + n)
    observed = np.broadcast_to(numbers.reshape(-1, *[1] * len(shape)), (n, *shape)).astype(dtype)
    return observed, numbers % 3, numbers * 0.5, numbers * 0.25, observed + 1


def test_the_oldest_are_overwritten():
    memory = ReplayMemory(10)
    assert len(memory) == 0
    for begin, n in ((0, 4), (4, 1), (5, 4), (9, 4), (13, 1)):
        memory.append(*transitions(begin, n))
    assert len(memory) == 10
    np.random.seed(0)
    observed, following, numbers = memory.sample(2000)
    assert sorted(set(observed[:, 0])) == list(range(4, 14))
    np.testing.assert_array_equal(following, observed + 1)
    kept = observed[:, 0]
    np.testing.assert_array_equal(numbers, np.stack([kept % 3, kept * 0.5, kept * 0.25], axis=1))


def test_draws_are_uniform():
    memory = ReplayMemory(50)
    memory.append(*transitions(0, 40))
    np.random.seed(1)
    counts = np.bincount(memory.sample(40_000)[0][:, 0].astype(int), minlength=50)
    assert (counts[40:] == 0).all()
    chi_square = np.square(counts[:40] - 1000).sum() / 1000
    assert chi_square < 73.4  # 39 degrees of freedom: one in a thousand is above
    assert chi_square > 15


def test_bytes_stay_bytes():
    memory = ReplayMemory(5)
    memory.append(*transitions(0, 3, shape=(4, 4), dtype=np.uint8))
    observed, following, _ = memory.sample(8)
    assert observed.dtype == following.dtype == np.uint8 and observed.shape == (8, 4, 4)


@pytest.mark.parametrize(("n", "capacity"), [(14, 30), (14, 4), (7, 30), (7, 4), (10, 4)])
def test_memory_of_another_capacity_keeps_the_newest(n, capacity):
    memory, other = ReplayMemory(10), ReplayMemory(capacity)
    memory.append(*transitions(0, n))
    other.resume(*memory.capture())
    np.random.seed(0)
    kept = min(n, 10, capacity)
    assert len(other) == kept
    for begin in range(n, n + 3):
        assert sorted(set(other.sample(2000)[0][:, 0])) == list(range(begin - kept, begin))
        other.append(*transitions(begin, 1))
        kept = min(kept + 1, capacity)


def test_memory_goes_on_from_what_was_captured():
    memory, other = ReplayMemory(10), ReplayMemory(10)
    memory.append(*transitions(0, 14))
    arrays, values = memory.capture()
    other.resume({name: arr.copy() for name, arr in arrays.items()}, values)
    for one in (memory, other):
        one.append(*transitions(14, 3))
    draws = []
    for one in (memory, other):
        np.random.seed(3)
        draws.append(one.sample(20))
    for one, two in zip(*draws):
        np.testing.assert_array_equal(one, two)


# -- returns over several steps ------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_returns_over_n_steps_by_brute_force(n):
    rng = np.random.default_rng(n)
    steps, env_n, gamma = 60, 3, 0.9
    observed = rng.random((steps + 1, env_n, 2)).astype(np.float32)
    actions = rng.integers(4, size=(steps, env_n))
    rewards = rng.random((steps, env_n)).astype(np.float32)
    terminated = rng.random((steps, env_n)) < 0.1
    truncated = (rng.random((steps, env_n)) < 0.1) & ~terminated
    following = rng.random((steps, env_n, 2)).astype(np.float32)  # differ from `observed` at ends

    returns = NStepReturns(n, gamma)
    found = []
    for t in range(steps):
        made = returns.step(
            observed[t], actions[t], rewards[t], following[t], terminated[t], truncated[t]
        )
        found += [(*map(tuple, (o, f)), a, r, d) for o, a, r, d, f in zip(*made)]

    wanted = []
    for env in range(env_n):
        for t in range(steps):
            total, k = 0.0, t
            while True:
                total += gamma ** (k - t) * rewards[k, env]
                ended = terminated[k, env] or truncated[k, env]
                if ended or k - t + 1 == n or k + 1 == steps:
                    break
                k += 1
            if not ended and k - t + 1 < n:
                continue  # not complete yet
            discount = 0.0 if terminated[k, env] else gamma ** (k - t + 1)
            wanted.append(
                (
                    tuple(observed[t, env]),
                    tuple(following[k, env]),
                    actions[t, env],
                    total,
                    discount,
                )
            )
    assert len(found) == len(wanted) > 100
    for one, two in zip(sorted(found), sorted(wanted)):
        assert one[:3] == two[:3]
        np.testing.assert_allclose(one[3:], two[3:], rtol=1e-5)


def test_open_steps_go_on_from_what_was_captured():
    def step(returns, t):
        flags = np.array([t == 4, False])
        rows = np.full((2, 3), t, np.float32)
        return returns.step(rows, [t, t + 1], [t, 2 * t], rows + 1, flags, ~flags & (t == 6))

    whole, broken = NStepReturns(3, 0.5), NStepReturns(3, 0.5)
    for t in range(5):
        step(whole, t), step(broken, t)
    resumed = NStepReturns(3, 0.5)
    resumed.resume(*broken.capture())
    for t in range(5, 9):
        for one, two in zip(step(whole, t), step(resumed, t)):
            np.testing.assert_array_equal(one, two)


def test_linear_decay():
    decay = LinearDecay(1.0, 0.2, 10)
    assert [decay(step) for step in (0, 5, 10, 99)] == pytest.approx([1.0, 0.6, 0.2, 0.2])


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="`capacity` must be at least 1"):
        ReplayMemory(0)
    with pytest.raises(ValueError, match="`n` must be at least 1"):
        NStepReturns(0)
    with pytest.raises(ValueError, match="`gamma_value` must be a finite number"):
        NStepReturns(1, 1.5)
