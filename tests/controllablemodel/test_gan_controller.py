"""The adversarial game: its steps by hand, its optimum, its records, its files."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from adversarial_players import (
    BATCH,
    GaussSampler,
    data_sampler,
    digits,
    game,
    generator,
    network,
    values_of,
)
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn

import accelbrainbase as ab


class Fixed(ab.TrueSampler):
    """Draws the same always."""

    def __init__(self, arr):
        self.arr = nd.array(arr)

    def draw(self):
        return self.arr


def sgd(**kwargs):
    return {"optimizer_name": "SGD", "learning_rate": 0.1, **kwargs}


# -- the discriminator ---------------------------------------------------------------------


@pytest.mark.parametrize("logits", [False, True])
def test_discriminator_wins_on_fixed_data_and_fakes(logits):
    ab.seed(0)
    true = np.random.RandomState(0).randn(BATCH, 2) + 2
    noise = nd.array(np.random.RandomState(1).randn(BATCH, 2) - 2)

    class SameNoise(ab.NoiseSampler):
        def draw(self):
            return noise

    last = "identity" if logits else "sigmoid"
    controller = game(
        true_sampler=Fixed(true), logits=logits,
        generative_model=ab.GenerativeModel(SameNoise(), network([4, 2])),
        discriminative_model=ab.DiscriminativeModel(network([16, 1], last)),
    )  # fmt: skip
    loss, posterior = controller.train_discriminator(300)
    assert loss.shape == posterior.shape == (1,)
    judge = controller.discriminator_loss.posterior
    fake = controller.generative_model.draw()
    assert judge(controller.discriminative_model.inference(true)).min().asscalar() > 0.9
    assert judge(controller.discriminative_model.inference(fake)).max().asscalar() < 0.1


def test_discriminator_comes_close_to_the_ratio_of_densities():
    """D* = p / (p + q) (Goodfellow et al. 2014, proposition 1), here of two Gaussians."""
    ab.seed(1)

    class Noise(ab.NoiseSampler):
        def draw(self):
            return nd.random.normal(0.0, 1.0, shape=(256, 1))

    identity = nn.HybridSequential()
    identity.add(nn.HybridLambda(lambda F, x: x * 1))
    controller = game(
        true_sampler=GaussSampler(1.0, 1.5, 256),
        generative_model=ab.GenerativeModel(Noise(), identity),
        discriminative_model=ab.DiscriminativeModel(network([32, 32, 1])),
        learning_attenuate_rate=0.5,
    )
    for rate in (1e-2, 3e-3, 1e-3):
        controller.learning_rate = rate
        controller.train_discriminator(250)
    x = np.linspace(-2, 3, 101).astype(np.float32)[:, np.newaxis]
    p = np.exp(-0.5 * ((x - 1) / 1.5) ** 2) / 1.5
    q = np.exp(-0.5 * x**2)
    got = controller.discriminator_loss.posterior(controller.discriminative_model.inference(x))
    assert np.abs(got.asnumpy() - p / (p + q)).mean() < 0.05


def test_one_step_of_the_discriminator_by_hand():
    ab.seed(0)
    controller = game(**sgd())
    x = nd.random.normal(shape=(BATCH, 1))
    fake = nd.random.normal(shape=(BATCH, 1))
    model = controller.discriminative_model
    model.inference(x)
    before = values_of(model)
    with autograd.record():
        loss = controller.discriminator_loss(model(x), model(fake)).mean()
    parameters = list(model.collect_params().values())
    loss.backward()
    gradients = [p.grad().asnumpy() for p in parameters]
    controller._discriminate(x, fake)
    for old, new, gradient in zip(before, values_of(model), gradients):
        np.testing.assert_allclose(new, old - 0.1 * gradient, rtol=1e-5, atol=1e-6)
        assert np.abs(gradient).max() > 0


@pytest.mark.parametrize("k_step", [1, 3])
def test_discriminator_draws_k_times(k_step):
    class Counting(GaussSampler):
        drawn_n = 0

        def draw(self):
            self.drawn_n += 1
            return super().draw()

    sampler = Counting()
    controller = game(true_sampler=sampler)
    controller.learn(4, k_step)
    assert sampler.drawn_n == 4 * k_step
    assert len(controller.history) == 4


# -- the generator -------------------------------------------------------------------------


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_one_step_of_the_generator_by_hand(hybridize_flag):
    """The gradient through both networks, as one plain backward gives it."""
    ab.seed(0)
    controller = game(**sgd(hybridize_flag=hybridize_flag))
    model, judge = controller.generative_model, controller.discriminative_model
    noise = nd.random.normal(shape=(BATCH, 2))
    model.noise_sampler.draw = lambda: noise
    judge.inference(model.draw())
    before = values_of(model)
    parameters = list(model.collect_params().values())
    with autograd.record():
        loss = controller.generator_loss(judge(model(noise))).mean()
    loss.backward()
    gradients = [p.grad().asnumpy() for p in parameters]
    judged_before = values_of(judge)
    got, posterior = controller.train_generator()
    assert got.mean().asscalar() == pytest.approx(loss.asscalar(), rel=1e-5)
    assert posterior.shape == (BATCH, 1)
    for old, new, gradient in zip(before, values_of(model), gradients):
        np.testing.assert_allclose(new, old - 0.1 * gradient, rtol=1e-5, atol=1e-6)
    for old, new in zip(judged_before, values_of(judge)):
        np.testing.assert_array_equal(old, new)


def test_generator_is_judged_by_what_the_discriminator_saw():
    class Counting(ab.NormalNoiseSampler):
        drawn_n = 0

        def draw(self):
            self.drawn_n += 1
            return super().draw()

    noise = Counting(shape_tuple=(BATCH, 2))
    controller = game(generative_model=ab.GenerativeModel(noise, network([4, 1])))
    controller.learn(1, 1)  # the first learning also draws to know all shapes
    drawn_n = noise.drawn_n
    controller.learn(5, 2)
    assert noise.drawn_n == drawn_n + 5 * 2  # none is drawn for the generator's own step
    drawn_n = noise.drawn_n
    controller.train_generator()
    assert noise.drawn_n == drawn_n + 1


def test_generator_step_leaves_no_gradient_in_the_discriminator():
    controller = game()
    controller.learn(2, 1)
    parameters = controller.discriminative_model.collect_params().values()
    before = [p.grad().asnumpy() for p in parameters]
    controller.train_generator()
    for parameter, old in zip(parameters, before):
        np.testing.assert_array_equal(parameter.grad().asnumpy(), old)


def test_feature_matching_by_hand():
    """It trains the generator, on means of features of the last hidden layer."""
    ab.seed(0)
    controller = game(feature_matching_loss=gluon.loss.L2Loss(), **sgd())
    model, judge = controller.generative_model, controller.discriminative_model
    noise, true = nd.random.normal(shape=(BATCH, 2)), nd.random.normal(shape=(BATCH, 1))
    model.noise_sampler.draw = lambda: noise
    controller.true_sampler = Fixed(true.asnumpy())
    judge.inference(model.draw())
    before, judged_before = values_of(model), values_of(judge)
    parameters = list(model.collect_params().values())

    def features(arr):
        judge(arr)
        return judge.feature_points_arr

    assert features(true).shape == (BATCH, 8)
    target = features(true).mean(axis=0)
    with autograd.record():
        loss = 0.5 * ((features(model(noise)).mean(axis=0) - target) ** 2).mean()
    loss.backward()
    gradients = [p.grad().asnumpy() for p in parameters]
    got = controller.train_by_feature_matching(1)
    assert got.asscalar() == pytest.approx(loss.asscalar(), rel=1e-4)
    for old, new, gradient in zip(before, values_of(model), gradients):
        np.testing.assert_allclose(new, old - 0.1 * gradient, rtol=1e-4, atol=1e-6)
    assert any(np.abs(gradient).max() > 1e-6 for gradient in gradients)
    for old, new in zip(judged_before, values_of(judge)):
        np.testing.assert_array_equal(old, new)


def test_feature_matching_with_maps_of_different_sizes():
    """A convolutional discriminator: means over the places in the maps are compared."""
    ab.seed(0)

    def maps(layer, activation):
        return ab.ConvolutionalNeuralNetworks(
            ab.L2NormLoss(), hidden_units_list=[layer], hidden_activation_list=[activation],
            hidden_dropout_rate_list=[0.0],
        )  # fmt: skip

    model = ab.GenerativeModel(
        ab.NormalNoiseSampler(shape_tuple=(BATCH, 2, 8, 8)), maps(gluon.nn.Conv2D(2, 3), "tanh")
    )
    energy = ab.ConvolutionalAutoEncoder(
        maps(gluon.nn.Conv2D(3, 3), "tanh"), maps(gluon.nn.Conv2DTranspose(2, 3), "identity"),
        ab.L2NormLoss(),
    )  # fmt: skip
    judge = ab.EBDiscriminativeModel(energy)
    true = nd.random.normal(shape=(BATCH, 2, 9, 9))
    controller = ab.EBGANController(
        Fixed(true.asnumpy()), model, judge, ab.EBDiscriminatorLoss(), gluon.loss.L2Loss()
    )
    noise = model.noise_sampler.draw()
    model.noise_sampler.draw = lambda: noise
    means = []
    for arr in (true, model.draw()):
        judge.inference(arr)
        means.append(judge.feature_points_arr.asnumpy().mean(axis=(0, 2, 3)))
    expected = 0.5 * ((means[0] - means[1]) ** 2).mean()
    assert controller.train_by_feature_matching(1).asscalar() == pytest.approx(expected, rel=1e-4)


def test_features_of_a_gluon_network():
    judge = nn.HybridSequential()
    judge.add(nn.Dense(6, activation="tanh"), nn.Dense(1))
    controller = game(
        discriminative_model=ab.DiscriminativeModel(judge), feature_matching_loss=ab.L2NormLoss()
    )
    controller.learn(3, 2)
    assert controller.discriminative_model.feature_points_arr.shape == (BATCH, 6)
    assert (controller.feature_matching_loss_arr > 0).all()


# -- the game ------------------------------------------------------------------------------


def test_game_ends_where_the_discriminator_can_only_guess():
    ab.seed(3)
    controller = game(
        true_sampler=GaussSampler(1.0, 0.5, 128),
        generative_model=generator([16, 1], 4, 128),
        discriminative_model=ab.DiscriminativeModel(network([32, 1])),
        learning_rate=5e-3, optimizer_params={"beta1": 0.5},
        learning_attenuate_rate=0.5, attenuate_epoch=300,
    )  # fmt: skip
    controller.learn(1200, 1)
    drawn = np.concatenate([controller.generative_model.draw().asnumpy() for _ in range(40)])
    assert drawn.mean() == pytest.approx(1.0, abs=0.12)
    assert drawn.std() == pytest.approx(0.5, abs=0.12)
    assert controller.posterior_logs_arr[-400:].mean() == pytest.approx(0.5, abs=0.03)
    assert controller.discriminative_loss_arr[-200:].mean() == pytest.approx(1.386, abs=0.05)


VARIANTS = [
    (ab.GeneratorLoss(minimax=True, from_logits=True), ab.DiscriminatorLoss(from_logits=True), {}),
    (ab.LeastSquaresGeneratorLoss(), ab.LeastSquaresDiscriminatorLoss(), {}),
    (ab.WassersteinGeneratorLoss(), ab.HingeDiscriminatorLoss(), {"spectral": True}),
    (ab.WassersteinGeneratorLoss(), ab.WassersteinDiscriminatorLoss(), {"penalty": 1.0}),
]


@pytest.mark.parametrize(("generator_loss", "discriminator_loss", "extra"), VARIANTS)
def test_variants_learn_mean_and_deviation(generator_loss, discriminator_loss, extra):
    ab.seed(2)
    controller = game(
        true_sampler=GaussSampler(1.0, 0.5, 64), generative_model=generator([16, 1], 4, 64),
        discriminative_model=ab.DiscriminativeModel(
            network([32, 1]), spectral_normalization_flag="spectral" in extra
        ),
        generator_loss=generator_loss, discriminator_loss=discriminator_loss,
        gradient_penalty=ab.GradientPenalty(0.5) if "penalty" in extra else None,
        learning_rate=2e-3 if "spectral" in extra else 5e-3, gradient_norm_flag=True,
        optimizer_params={"beta1": 0.0 if "spectral" in extra else 0.5},
        learning_attenuate_rate=0.5, attenuate_epoch=300,
    )  # fmt: skip
    controller.learn(*((400, 4) if "penalty" in extra else (900, 1)))
    drawn = np.concatenate([controller.generative_model.draw().asnumpy() for _ in range(40)])
    assert drawn.mean() == pytest.approx(1.0, abs=0.25)
    assert drawn.std() == pytest.approx(0.5, abs=0.25)
    assert (controller.history.column("train_generative_gradient_norm") > 0).all()
    assert ("train_gradient_penalty" in controller.history.columns) == ("penalty" in extra)


def test_gradient_norms_by_hand():
    ab.seed(0)
    controller = game(gradient_norm_flag=True, **sgd())
    controller.learn(1, 1)
    for part in ("generative", "discriminative"):
        gradients = [
            p.grad().asnumpy() / BATCH
            for p in getattr(controller, f"{part}_model").collect_params().values()
        ]
        expected = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
        got = controller.history.column(f"train_{part}_gradient_norm")[0]
        assert got == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("generated_n", [BATCH - 9, BATCH + 9])
def test_as_many_generated_as_true_data_points_are_not_needed(generated_n):
    controller = game(
        generative_model=generator([8, 1], 2, generated_n),
        generator_loss=ab.WassersteinGeneratorLoss(),
        discriminator_loss=ab.WassersteinDiscriminatorLoss(),
        gradient_penalty=ab.GradientPenalty(), feature_matching_loss=ab.L2NormLoss(),
    )  # fmt: skip
    controller.learn(4, 2)
    assert np.isfinite(controller.history.array()).all()


def test_both_hybridize_modes_give_the_same_numbers():
    def learned(flag):
        ab.seed(0)
        controller = game(
            generative_model=generator([8, 1], hybridize_flag=flag), hybridize_flag=flag,
            feature_matching_loss=ab.L2NormLoss(),
        )  # fmt: skip
        controller.learn(12, 2)
        return controller.history.array()

    np.testing.assert_allclose(learned(True), learned(False), rtol=1e-4)


# -- clients -------------------------------------------------------------------------------


def test_records_have_the_shapes_of_the_contract():
    controller = game(feature_matching_loss=ab.L2NormLoss())
    for iter_n in (7, 4):
        controller.learn(iter_n=iter_n, k_step=2)
        for name in ("generative", "discriminative", "feature_matching"):
            arr = getattr(controller, f"{name}_loss_arr")
            assert arr.shape == (iter_n,) and np.isfinite(arr).all()
        assert controller.posterior_logs_arr.shape == (2 * iter_n,)
        np.testing.assert_array_equal(controller.get_posterior_logs_arr()[1::2].shape, (iter_n,))
    with pytest.raises(TypeError, match="read-only"):
        controller.generative_loss_arr = None
    assert set(controller.extract_learned_dict()) == set(controller.collect_params())


def test_learn_calls_the_three_steps_which_others_override():
    calls = []

    class Mine(ab.GANController):
        def train_discriminator(self, k_step):
            calls.append(("d", k_step))
            return 1.5, np.float32(0.25)

        def train_by_feature_matching(self, k_step):
            calls.append(("f", k_step))
            return 0.0

        def train_generator(self):
            calls.append(("g",))
            return nd.array([[1.0, 3.0]]), nd.array([0.5, 1.0])

    controller = game(Mine)
    controller.learn(2, 3)
    assert calls == [("d", 3), ("f", 3), ("g",)] * 2
    np.testing.assert_allclose(controller.discriminative_loss_arr, [1.5, 1.5])
    np.testing.assert_allclose(controller.generative_loss_arr, [2.0, 2.0])
    np.testing.assert_allclose(controller.posterior_logs_arr, [0.25, 0.75, 0.25, 0.75])


def test_subclass_with_players_and_properties_of_its_own():
    """As in clients: flags before super, properties of the same names, own trainers."""

    class Mine(ab.GANController):
        def __init__(self, other_model, **kwargs):
            self.init_deferred_flag = True
            super().__init__(**kwargs)
            self.init_deferred_flag = False
            self.__model = other_model
            self.discriminator_trainer = gluon.Trainer(
                self.discriminative_model.collect_params(), "SGD", {"learning_rate": 0.5}
            )

        def get_model(self):
            return self.__model

        generative_model = property(get_model)

    other = generator([3, 1])
    controller = game(lambda **kwargs: Mine(other, **kwargs))
    assert controller.generative_model is other
    controller.learn(3, 1)
    assert controller.discriminator_trainer.learning_rate == 0.5
    assert controller.generator_trainer._params[0].name.startswith(other.model.prefix)


def test_files_of_both_players(tmp_path):
    ab.seed(0)
    controller = game()
    controller.learn(2, 1)
    controller.save_parameters(tmp_path / "a.params")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a_discriminator.params", "a_generator.params"]
    keys = sorted(nd.load(str(tmp_path / "a_generator.params")))
    assert keys == ["model.0.bias", "model.0.weight", "model.1.bias", "model.1.weight"]
    other = game()
    other.load_parameters(tmp_path / "a.params")
    for one, two in zip(values_of(controller), values_of(other)):
        np.testing.assert_array_equal(one, two)
    both = nd.load(str(tmp_path / "a_generator.params"))
    both.update({f"_GenerativeModel__{name}": arr for name, arr in both.items()})
    nd.save(str(tmp_path / "b_generator.params"), both)  # as 1.1.0 wrote them
    other.generative_model.load_parameters(tmp_path / "b_generator.params")


def test_constraints_of_players_and_networks_are_applied():
    class Limit(ab.RegularizatableData):
        def regularize(self, params_dict):
            return {name: arr.clip(-0.01, 0.01) for name, arr in params_dict.items()}

    judge = ab.DiscriminativeModel(network([8, 1], regularizatable_data_list=[Limit()]))
    model = generator([8, 1], regularizatable_data_list=[Limit()])
    controller = game(discriminative_model=judge, generative_model=model)
    controller.learn(2, 1)
    for block in (judge, model):
        assert all(np.abs(value).max() <= 0.01 for value in values_of(block))


# -- checkpoints, rates, warnings, pictures ------------------------------------------------


def test_killed_learning_resumes_bit_for_bit(tmp_path):
    class Killed(BaseException):
        pass

    class Kill(ab.Callback):
        def on_step_end(self, state):
            if state.step == 23:
                raise Killed

    def learn(name, *callbacks):
        ab.seed(5)
        controller = game(
            true_sampler=data_sampler(digits(100), noiseable_data=ab.GaussNoise(0.0, 0.1)),
            generative_model=ab.GenerativeModel(
                ab.NormalNoiseSampler(shape_tuple=(BATCH, 4)),
                network([16, 64], dropout_rate_list=[0.2, 0.0]),
            ),
            discriminative_model=ab.DiscriminativeModel(network([16, 1])),
        )
        checkpoint = ab.Checkpoint(tmp_path / name, every=5)
        controller.learn(40, 2, callbacks=[checkpoint, *callbacks])
        return controller

    whole = learn("whole")
    with pytest.raises(Killed):
        learn("parts", Kill())
    resumed = learn("parts")
    np.testing.assert_array_equal(resumed.history.array(), whole.history.array())
    for one, other in zip(values_of(resumed), values_of(whole)):
        np.testing.assert_array_equal(one, other)
    assert resumed._step_n == whole._step_n == 80


def test_checkpoint_of_a_game_with_other_samplers_is_refused(tmp_path):
    def play(true_sampler):
        controller = game(true_sampler=true_sampler, generative_model=generator([8, 64]))
        controller.learn(3, 1, callbacks=[ab.Checkpoint(tmp_path / "a", every=2)])

    play(data_sampler(digits()))
    with pytest.raises(ab.CheckpointError, match="it is of a game with the samplers"):
        play(GaussSampler(dim=64))


def test_rates_of_both_trainers_are_attenuated_by_turns():
    controller = game(learning_attenuate_rate=0.5, attenuate_epoch=2, learning_rate=0.01)
    controller.learn(5, 3)
    for trainer in (controller.generator_trainer, controller.discriminator_trainer):
        assert trainer.learning_rate == pytest.approx(0.0025)


def test_warning_when_the_discriminator_has_won():
    class Won(ab.GANController):
        posterior = 1e-5

        def train_discriminator(self, k_step):
            return 0.0, self.posterior

        def train_generator(self):
            return 0.0, self.posterior

    with pytest.warns(ab.GameOverWarning, match="discriminator has won.*label smoothing") as seen:
        game(Won).learn(150)
    assert len(seen) == 1
    Won.posterior = 1.0
    with pytest.warns(ab.GameOverWarning, match="generator has won"):
        game(Won).learn(150)
    Won.posterior = 0.3
    with warnings.catch_warnings():
        warnings.simplefilter("error", ab.GameOverWarning)
        game(Won).learn(150)
        Won.posterior = 0.0
        game(Won).learn(50)  # not long enough
        game(Won, discriminator_loss=ab.HingeDiscriminatorLoss()).learn(150)  # a score


def test_warning_counts_turns_before_an_interruption_too(tmp_path):
    class Stuck(ab.GANController):
        def train_discriminator(self, k_step):
            return 0.0, 1e-5

    class Kill(ab.Callback):
        def on_row_end(self, state):
            if state.row == 90:
                raise KeyboardInterrupt

    def learn(*callbacks: ab.Callback):
        game(Stuck).learn(150, 1, callbacks=[ab.Checkpoint(tmp_path / "a", every=10), *callbacks])

    with warnings.catch_warnings():
        warnings.simplefilter("error", ab.GameOverWarning)
        with pytest.warns(ab.LearningInterruptedWarning):
            learn(Kill())
    with pytest.warns(ab.GameOverWarning, match=r"for 100 turns \(turn 100\)"):
        learn()


def test_pictures_while_learning(tmp_path):
    from PIL import Image

    controller = game()

    def draw():
        return np.linspace(0, 1, 12 * 3 * 5).reshape(12, 1, 3, 5)

    grid = ab.SampleGrid(draw, tmp_path / "grids", every=4, columns=4, sample_n=6)
    controller.learn(10, 1, callbacks=[grid])
    names = sorted(path.name for path in (tmp_path / "grids").iterdir())
    assert names == ["000004.png", "000008.png", "000010.png"]
    picture = np.array(Image.open(tmp_path / "grids" / names[0]))
    assert picture.shape == (2 * 4 + 1, 4 * 6 + 1)
    assert picture[1, 1] == 0 and picture[7, 11] == 255 and picture[0, 0] == 128
    with pytest.raises(ValueError, match="Images must have shape"):
        ab.SampleGrid(lambda: np.zeros((2, 3)), tmp_path).on_row_end(_at_end())


def test_pictures_go_on_at_the_rows_of_a_killed_learning(tmp_path):
    class Killed(Exception):
        pass

    class Kill(ab.Callback):
        def on_row_end(self, state):
            if state.row == 12:
                raise Killed

    def learn(name: str, *callbacks: ab.Callback):
        ab.seed(7)
        controller = game(generative_model=generator([8, 64]), true_sampler=data_sampler(digits()))
        model = controller.generative_model  # pictures draw random numbers, like the learning
        grid = ab.SampleGrid(
            lambda: model.draw().reshape((-1, 8, 8)), tmp_path / f"{name}-grids", every=4
        )
        checkpoint = ab.Checkpoint(tmp_path / name, every=5)
        controller.learn(20, 1, callbacks=[checkpoint, grid, *callbacks])
        return controller

    whole = learn("whole")
    with pytest.raises(Killed):
        learn("parts", Kill())
    resumed = learn("parts")
    np.testing.assert_array_equal(resumed.history.array(), whole.history.array())
    rows = [sorted(p.name for p in (tmp_path / f"{n}-grids").iterdir()) for n in ("whole", "parts")]
    assert rows[0] == rows[1] == [f"{row:06d}.png" for row in (4, 8, 12, 16, 20)]


def _at_end():
    from accelbrainbase.learning.state import LearningState

    state = LearningState(1, 1, ab.History(), ab.Backend())
    state.row = state.step = 1
    return state


def test_bad_arguments_are_named():
    with pytest.raises(TypeError, match="`generative_model` must be a `GenerativeModel`"):
        game(generative_model=network([1]))
    with pytest.raises(TypeError, match="`discriminative_model` must be a `DiscriminativeModel`"):
        game(discriminative_model=network([1]))
    with pytest.raises(TypeError, match="`true_sampler` must be a `SamplableData`"):
        game(true_sampler=[1.0])
    labelled = data_sampler(digits(), ab.LabeledTrueSampler, target=np.eye(10)[np.arange(200) % 10])
    with pytest.raises(TypeError, match="must draw an array, but LabeledTrueSampler"):
        game(true_sampler=labelled, generative_model=generator([8, 64])).learn(1, 1)
    with pytest.raises(TypeError, match="`generator_loss` must be a `Loss` or `ComputableLoss`"):
        game(generator_loss="loss")
    with pytest.raises(TypeError, match="no keyword `learnin_rate`. Did you mean"):
        game(learnin_rate=1.0)
    with pytest.raises(ValueError, match="`k_step` must be at least 1"):
        game().learn(1, 0)
    with pytest.raises(TypeError, match="`callbacks` must be a list, also of one"):
        game().learn(1, 1, callbacks=ab.ProgressBar())
