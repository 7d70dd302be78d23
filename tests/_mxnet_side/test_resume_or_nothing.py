"""A checkpoint that a learner cannot go on from leaves it as it was."""

import numpy as np
import pytest

import accelbrainbase as ab

DATA = (np.random.default_rng(0).random((20, 6)) > 0.5).astype(np.float32)


class Refuses(ab.NeuralNetworks):
    """Keeps something of its own, and cannot take it back."""

    def capture(self):
        return {}, {"own": 1}

    def resume(self, arrays, values):
        del arrays
        raise KeyError(values["own"])


def network(cls=ab.NeuralNetworks):
    ab.seed(0)
    return cls(ab.L2NormLoss(), units_list=[6], optimizer_name="Adam", learning_rate=0.1)


def machine(**kwargs):
    ab.seed(0)
    return ab.RestrictedBoltzmannMachines(
        ab.L2NormLoss(), visible_dim=6, hidden_dim=3, optimizer_name="Adam", **kwargs
    )


def learn(model, path, epochs):
    iterator = ab.ArrayIterator(DATA, epochs=epochs, batch_size=10, seed=0)
    model.learn(iterator, callbacks=[ab.Checkpoint(path, seed=0)])


def state_of(model):
    return [arr.asnumpy() for arr in model.extract_learned_dict().values()]


def test_a_learner_that_refuses_keeps_its_parameters(tmp_path):
    path = tmp_path / "one"
    learn(network(Refuses), path, epochs=1)
    model = network(Refuses)
    model.inference(DATA)
    before = state_of(model)
    with pytest.raises(ab.CheckpointError, match=r"one: .*this Refuses needs .*KeyError: 1"):
        learn(model, path, epochs=2)
    for was, arr in zip(before, state_of(model)):
        np.testing.assert_array_equal(was, arr)
    assert model.trainer._optimizer.num_update == 0


class Plain(ab.RestrictedBoltzmannMachines):
    """Has the same parameters, and keeps nothing beside them."""

    def capture(self):
        return {}, {}


def test_a_checkpoint_of_another_class_is_refused(tmp_path):
    path = tmp_path / "one"
    plain = Plain(ab.L2NormLoss(), visible_dim=6, hidden_dim=3, optimizer_name="Adam")
    learn(plain, path, epochs=1)
    model = machine(persistent=True)
    learn(model, tmp_path / "other", epochs=1)
    before, chains = state_of(model), model.fantasy_arr.asnumpy()
    with pytest.raises(ab.CheckpointError, match="another class"):
        learn(model, path, epochs=2)
    np.testing.assert_array_equal(chains, model.fantasy_arr.asnumpy())
    for was, arr in zip(before, state_of(model)):
        np.testing.assert_array_equal(was, arr)
