"""Copies of what Gluon keeps beside the values of its parameters."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from mxnet import autograd, gluon, nd

import accelbrainbase as ab

DATA = np.random.default_rng(0).random((24, 6)).astype(np.float32)
IN_NEW_PROCESS = """
import pickle, sys
import numpy as np
model, data, expected = pickle.load(open(sys.argv[1], "rb"))
assert np.array_equal(model.inference(data).asnumpy(), expected)
"""


def pickled(value):
    return pickle.loads(pickle.dumps(value))


def network(**kwargs):
    return ab.NeuralNetworks(ab.L2NormLoss(), units_list=[6], optimizer_name="Adam", **kwargs)


def test_a_model_is_unpickled_in_a_process_that_has_imported_nothing(tmp_path):
    model = network()
    model.learn(ab.ArrayIterator(DATA, epochs=1))
    path = tmp_path / "model"
    path.write_bytes(pickle.dumps((model, DATA, model.inference(DATA).asnumpy())))
    subprocess.run([sys.executable, "-c", IN_NEW_PROCESS, str(path)], check=True)


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_trainer_of_gluon_keeps_its_scale_and_state(copied):
    layer = gluon.nn.Dense(2, in_units=6)
    layer.initialize()
    layer.hybridize()
    trainer = gluon.Trainer(layer.collect_params(), "adam", {"learning_rate": 0.1})
    both = [(layer, trainer)]

    def step(layer, trainer):
        with autograd.record():
            loss = layer(nd.array(DATA)).square().sum(axis=1)
        loss.backward()
        trainer.step(len(DATA))

    step(layer, trainer)
    both.append(copied((layer, trainer)))
    for pair in both:
        step(*pair)
        step(*pair)
    one, two = (pair[0].weight.data().asnumpy() for pair in both)
    np.testing.assert_array_equal(one, two)
    assert both[1][1]._params[1] is both[1][0].weight


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_game_with_a_gradient_penalty_goes_on_as_its_copy_does(copied):
    game = ab.GANController(
        ab.NormalTrueSampler(shape_tuple=(8, 6)),
        ab.GenerativeModel(ab.NormalNoiseSampler(shape_tuple=(8, 3)), network()),
        ab.DiscriminativeModel(network()), ab.WassersteinGeneratorLoss(),
        ab.WassersteinDiscriminatorLoss(), gradient_penalty=ab.GradientPenalty(3.0),
    )  # fmt: skip
    game.learn(2, 1)
    both = [game, copied(game)]
    for one in both:
        ab.seed(0)
        one.learn(2, 1)
    np.testing.assert_array_equal(*(one.history.array() for one in both))
    assert both[1].gradient_penalty.weight == 3.0


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_part_is_copied_without_the_whole(copied):
    encoder, decoder = network(), network()
    whole = ab.AutoEncoder(encoder, decoder, ab.L2NormLoss())
    whole.learn(ab.ArrayIterator(DATA, epochs=1))
    part = copied(whole.encoder)
    np.testing.assert_array_equal(part.inference(DATA).asnumpy(), encoder.inference(DATA).asnumpy())
    assert len(pickle.dumps(part)) < 0.7 * len(pickle.dumps(whole))


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_features_are_those_of_the_copy(copied):
    model = ab.AutoEncoder(network(), network(), ab.L2NormLoss())
    model.inference(DATA)
    other = copied(model)
    with pytest.raises(ValueError, match="no feature points yet"):
        _ = other.feature_points_arr
    other.inference(DATA[:3])
    assert other.feature_points_arr.shape == (3, 6) and model.feature_points_arr.shape == (24, 6)


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_parameters_whose_shape_is_not_known_yet(copied):
    ab.seed(0)
    other = copied(network())
    other.learn(ab.ArrayIterator(DATA, epochs=1))
    assert np.isfinite(other.loss_arr[0, 0])


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
@pytest.mark.parametrize("drawn", [1, 3, 5])
def test_a_sampler_is_copied_with_its_place(copied, drawn):
    sampler = ab.TrueSampler()
    sampler.iteratorable_data = ab.ArrayIterator(DATA, epochs=2, batch_size=10)
    for _ in range(drawn):
        sampler.draw()
    other = copied(sampler)
    for _ in range(8):
        np.testing.assert_array_equal(other.draw().asnumpy(), sampler.draw().asnumpy())


def players():
    generator = ab.GenerativeModel(
        ab.NormalNoiseSampler(batch_size=8, shape_tuple=(8, 3)), network()
    )
    judge = ab.NeuralNetworks(ab.L2NormLoss(), units_list=[1], activation_list=["sigmoid"])
    sampler = ab.TrueSampler()
    sampler.iteratorable_data = ab.ArrayIterator(DATA, batch_size=8)
    return sampler, generator, ab.DiscriminativeModel(judge)


def assert_turns_go_on_alike(controller, other, turns):
    for one in (controller, other):
        ab.seed(1)
        one.learn(iter_n=turns)
    learned = (one.extract_learned_dict().values() for one in (controller, other))
    for one, two in zip(*learned):
        np.testing.assert_array_equal(one.asnumpy(), two.asnumpy())


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_game_is_copied_with_both_players(copied):
    ab.seed(0)
    losses = ab.GeneratorLoss(), ab.DiscriminatorLoss()
    game = ab.GANController(*players(), *losses, optimizer_name="Adam", learning_rate=0.01)
    game.learn(iter_n=5)
    other = copied(game)
    assert_turns_go_on_alike(game, other, 5)


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_deep_q_network_is_copied_with_its_environments(copied):
    pytest.importorskip("gymnasium")
    network = ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=[8, 2], activation_list=["relu", "identity"]
    )
    controller = ab.DeepQNetworkController(
        ab.FunctionApproximator(network), ab.GymnasiumPolicy("CartPole-v1", seed=0),
        learning_starts=20, batch_size=8,
    )  # fmt: skip
    controller.learn(iter_n=20)
    other = copied(controller)
    assert_turns_go_on_alike(controller, other, 20)
