"""Programs for pygan 1.1.2: as its README shows, and for each class of its MXNet side."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from mxnet.gluon.nn import BatchNorm, Conv2D, Conv2DTranspose

import accelbrainbase as ab

pytest.importorskip("pygan", reason="pygan is not installed: run `make downstream`")

from classes_of_libraries import classes_without_program  # noqa: E402
from pygan._mxnet.gan_image_generator import GANImageGenerator  # noqa: E402
from pygan.controllablemodel._mxnet.gancontroller.cluster_gan_controller import (  # noqa: E402
    ClusterGANController,
)
from pygan.controllablemodel._mxnet.gancontroller.ganomaly_controller import (  # noqa: E402
    GanomalyController,
)
from pygan.discriminativemodel._mxnet.multimodal_discriminative_model import (  # noqa: E402
    MultimodalDiscriminativeModel,
)
from pygan.generativemodel._mxnet.clustering_model import ClusteringModel  # noqa: E402
from pygan.generativemodel._mxnet.transposed_clustering_model import (  # noqa: E402
    TransposedClusteringModel,
)
from pygan.samplabledata.conditionsampler._mxnet import (  # noqa: E402
    block_diagonal_constraint_sampler,
)
from pygan.samplabledata.conditionsampler.labeled_condition_sampler import (  # noqa: E402
    LabeledConditionSampler,
)

BlockDiagonalConstraintSampler = block_diagonal_constraint_sampler.BlockDiagonalConstraintSampler

pytestmark = [
    # pygan initialises what is initialised, and imports a former path of ours.
    pytest.mark.filterwarnings("ignore:Parameter .* is already initialized"),
    pytest.mark.filterwarnings("ignore:.*NormalTrueSampler. has moved:FutureWarning"),
]


def falls(loss_arr, by=0.02, first=None):
    """Whether losses fall: the last fifth lies below the first, or few, by that share."""
    fifth = max(1, len(loss_arr) // 5)
    return np.mean(loss_arr[-fifth:]) < (1 - by) * np.mean(loss_arr[: first or fifth])


def check_game(controller, turn_n, *, probability):
    """What each game records: one loss and two posteriors a turn, all of them sane."""
    losses = controller.generative_loss_arr, controller.discriminative_loss_arr
    for loss_arr in losses:
        assert loss_arr.shape == (turn_n,)
        assert np.isfinite(loss_arr).all()
    posterior_arr = controller.posterior_logs_arr
    assert posterior_arr.shape == (2 * turn_n,)
    assert posterior_arr.min() >= 0.0
    if probability:
        assert posterior_arr.max() <= 1.0
        # Neither player has won: the game still teaches both.
        assert 0.05 < posterior_arr.mean() < 0.95


def pictures_iterator(folder, ctx, *, size, batch_size, labeled=False, norm_mode="min_max"):
    extractor = ab.ImageExtractor(width=size, height=size, channel=1, ctx=ctx)
    kind = ab.LabeledImageIterator if labeled else ab.UnlabeledImageIterator
    return kind(
        image_extractor=extractor,
        dir_list=folder if isinstance(folder, list) else [folder],
        batch_size=batch_size,
        norm_mode=norm_mode,
        scale=1.0,
    )


# -- the facades -----------------------------------------------------------------------


def test_gan_image_generator(pictures, ctx):
    program = GANImageGenerator(
        dir_list=[pictures["discs"]],
        width=28, height=28, channel=1, batch_size=10, learning_rate=0.05, ctx=ctx,
    )  # fmt: skip
    program.learn(iter_n=40, k_step=2)

    check_game(program.GAN, 40, probability=True)
    assert falls(program.GAN.feature_matching_loss_arr, first=2)
    arr = program.GAN.generative_model.draw()
    assert arr.shape == (10, 1, 31, 31)  # the default generator enlarges by 3
    # What it turns pictures into resembles them: bright discs on dark ground stay where they are.
    condition_arr, _ = program.GAN.generative_model.condition_sampler.draw()
    drawn_arr = program.GAN.generative_model.model(condition_arr)[:, 0, 1:29, 1:29]
    assert (
        abs(np.corrcoef(drawn_arr.asnumpy().ravel(), condition_arr.asnumpy().ravel())[0, 1]) > 0.5
    )


def convolutions(ctx, layers, activations, *, output_nn=None, batch_norm=True):
    """A network as pygan's own ones, for players of one's own."""
    return ab.ConvolutionalNeuralNetworks(
        computable_loss=ab.L2NormLoss(),
        hidden_units_list=layers,
        hidden_activation_list=activations,
        hidden_dropout_rate_list=[0.0] * len(layers),
        hidden_batch_norm_list=[
            BatchNorm() if batch_norm and i < len(layers) - 1 else None for i in range(len(layers))
        ],
        output_nn=output_nn,
        optimizer_name="SGD",
        hybridize_flag=True,
        ctx=ctx,
    )


def dense(ctx, units, activations):
    return ab.NeuralNetworks(
        computable_loss=ab.L2NormLoss(),
        units_list=units,
        activation_list=activations,
        dropout_rate_list=[0.0] * len(units),
        hidden_batch_norm_list=[None] * len(units),
        ctx=ctx,
    )


def discriminator(ctx):
    model = convolutions(
        ctx,
        [
            Conv2D(8, 5, strides=(2, 2), padding=(2, 2)),
            Conv2D(16, 3, strides=(2, 2), padding=(1, 1)),
        ],
        ["relu", "relu"],
        output_nn=dense(ctx, [1], ["sigmoid"]),
        batch_norm=False,
    )
    return ab.DiscriminativeModel(model=model, learning_rate=0.01, ctx=ctx)


def generator(ctx):
    """Starts from noise alone; pygan's own one starts from pictures."""
    return ab.GenerativeModel(
        noise_sampler=ab.UniformNoiseSampler(
            low=-1.0, high=1.0, batch_size=20, seq_len=0, channel=8, height=7, width=7, ctx=ctx
        ),
        model=convolutions(
            ctx,
            [
                Conv2DTranspose(16, 4, strides=(2, 2), padding=(1, 1)),
                Conv2DTranspose(1, 4, strides=(2, 2), padding=(1, 1)),
            ],
            ["relu", "identity"],
        ),
        condition_sampler=None,
        conditonal_dim=1,
        ctx=ctx,
    )


def game_with_players_of_ones_own(pictures, ctx, learning_rate):
    return GANImageGenerator(
        dir_list=[pictures["discs"]],
        width=28, height=28, channel=1, batch_size=20, learning_rate=learning_rate, ctx=ctx,
        discriminative_model=discriminator(ctx), generative_model=generator(ctx),
    )  # fmt: skip


def posteriors(game):
    """Mean posterior of true and of generated pictures."""
    both = game.true_sampler.draw(), game.generative_model.draw()
    return [float(game.discriminative_model.inference(arr).mean().asscalar()) for arr in both]


def test_each_player_of_gan_image_generator_learns_against_the_other(pictures, ctx):
    game = game_with_players_of_ones_own(pictures, ctx, learning_rate=0.05).GAN
    losses = [float(game.train_discriminator(10)[0].asscalar()) for _ in range(5)]
    assert falls(losses, by=0.3)
    true_posterior, fake_posterior = posteriors(game)
    assert true_posterior > fake_posterior + 0.5
    losses = [float(game.train_generator()[0].mean().asscalar()) for _ in range(30)]
    assert falls(losses, by=0.3)
    assert posteriors(game)[1] > fake_posterior + 0.2


def test_gan_image_generator_with_players_of_ones_own(pictures, ctx):
    program = game_with_players_of_ones_own(pictures, ctx, learning_rate=0.01)
    program.learn(iter_n=30, k_step=1)
    check_game(program.GAN, 30, probability=True)
    assert abs(program.GAN.posterior_logs_arr - 0.5).max() < 0.2  # nobody has won yet
    assert program.GAN.generative_model.draw().shape == (20, 1, 28, 28)


# -- energies --------------------------------------------------------------------------


def ebgan(pictures, ctx):
    from pygan._mxnet.ebgan_image_generator import EBGANImageGenerator

    return EBGANImageGenerator(
        dir_list=[pictures["discs"]],
        width=28, height=28, channel=1, batch_size=10, learning_rate=0.05, ctx=ctx,
    )  # fmt: skip


def test_ebgan_image_generator(pictures, ctx):
    program = ebgan(pictures, ctx)
    program.learn(iter_n=25, k_step=1)
    check_game(program.EBGAN, 25, probability=False)
    assert falls(program.EBGAN.discriminative_loss_arr)
    arr = program.EBGAN.generative_model.draw()
    assert arr.shape == (10, 1, 28, 28)
    assert 0.0 <= arr.min().asscalar() <= arr.max().asscalar() <= 1.0


def test_discriminator_of_ebgan_gives_less_energy_to_the_truth(pictures, ctx):
    """The energy is the error of an auto-encoder; generated pictures are mere noise here."""
    game = ebgan(pictures, ctx).EBGAN
    losses = [float(game.train_discriminator(5)[0].asscalar()) for _ in range(8)]
    assert falls(losses)
    true_arr = game.true_sampler.draw()
    noise_arr = nd.random.uniform(shape=true_arr.shape, ctx=ctx)
    with autograd.train_mode():  # its batch normalisation has not seen enough for the other mode
        energies = [game.discriminative_model.inference(arr) for arr in (true_arr, noise_arr)]
    assert energies[0].shape == (10, 1)
    assert energies[0].mean().asscalar() < energies[1].mean().asscalar()


def test_ebaae_image_generator(pictures, ctx):
    from pygan._mxnet.ebaae_image_generator import EBAAEImageGenerator

    program = EBAAEImageGenerator(
        dir_list=[pictures["discs"]],
        width=28, height=28, channel=1, batch_size=10, learning_rate=0.02, ctx=ctx,
        normal_height=12, normal_width=12,
    )  # fmt: skip
    program.learn(iter_n=30, k_step=1)
    check_game(program.EBAAE, 30, probability=False)
    assert falls(program.EBAAE.history.array(["train_reconstruction_loss"])[:, 0], by=0.2)
    feature_arr, observed_arr, decoded_arr = program.EBAAE.generative_model.draw()
    assert feature_arr.shape == (10, 32, 12, 12)
    assert observed_arr.shape == decoded_arr.shape == (10, 1, 28, 28)


# -- GANomaly --------------------------------------------------------------------------


def ganomaly_controller(folder, ctx):
    """A small one; the pipeline is encoder, decoder, encoder."""

    def encoder():
        layers = [
            Conv2D(8, 4, strides=(2, 2), padding=(1, 1)),
            Conv2D(8, 4, strides=(2, 2), padding=(1, 1)),
        ]
        return convolutions(ctx, layers, ["relu", "tanh"])

    decoder = convolutions(
        ctx,
        [
            Conv2DTranspose(8, 4, strides=(2, 2), padding=(1, 1)),
            Conv2DTranspose(1, 4, strides=(2, 2), padding=(1, 1)),
        ],
        ["relu", "sigmoid"],
    )
    auto_encoder = ab.ConvolutionalAutoEncoder(
        encoder=encoder(), decoder=decoder, computable_loss=ab.L2NormLoss(), ctx=ctx
    )
    true_sampler = ab.TrueSampler()
    true_sampler.iteratorable_data = pictures_iterator(folder, ctx, size=28, batch_size=15)
    condition_sampler = ab.ConditionSampler()
    condition_sampler.true_sampler = true_sampler
    generative_model = ab.GenerativeConvolutionalAutoEncoder(
        noise_sampler=ab.UniformNoiseSampler(
            low=-1e-05,
            high=1e-05,
            batch_size=15,
            seq_len=0,
            channel=1,
            height=28,
            width=28,
            ctx=ctx,
        ),
        model=auto_encoder,
        condition_sampler=condition_sampler,
        conditonal_dim=1,
        ctx=ctx,
    )
    return GanomalyController(
        generative_model=generative_model,
        re_encoder_model=encoder(),
        discriminative_model=discriminator(ctx),
        advarsarial_loss=ab.L2NormLoss(),
        encoding_loss=ab.L2NormLoss(weight=0.1),
        contextual_loss=mx.gluon.loss.L1Loss(weight=10.0),
        discriminator_loss=ab.DiscriminatorLoss(),
        optimizer_name="Adam",
        learning_rate=0.005,
        ctx=ctx,
        anomaly_score_lambda=0.1,
    )


def test_ganomaly_controller_separates_stripes_from_discs(pictures, ctx):
    controller = ganomaly_controller(pictures["discs"], ctx)
    controller.learn(iter_n=80, k_step=1)
    check_game(controller, 80, probability=True)
    assert falls(controller.generative_loss_arr, by=0.3)
    assert (controller.feature_matching_loss_arr == 0.0).all()

    def scores(folder):
        # It scores what its own sampler draws, whatever it is given.
        sampler = controller.generative_model.condition_sampler.true_sampler
        sampler.iteratorable_data = pictures_iterator(folder, ctx, size=28, batch_size=15)
        return controller.infernce_anomaly_score(sampler.draw()).asnumpy()

    normal_arr, anomal_arr = scores(pictures["other_discs"]), scores(pictures["stripes"])
    assert normal_arr.shape == anomal_arr.shape == (15,)
    assert anomal_arr.min() > normal_arr.max()


def test_ganomaly_detector(pictures, ctx):
    from pygan._mxnet.ganomaly_detector import GANomalyDetector

    program = GANomalyDetector(
        dir_list=[pictures["discs"]],
        test_dir_list=[pictures["other_discs"], pictures["stripes"]],
        width=28, height=28, channel=1, batch_size=10, learning_rate=0.05, ctx=ctx,
    )  # fmt: skip

    def error():
        with autograd.train_mode():  # what batch normalisation keeps for later lags behind
            _, observed_arr, decoded_arr = program.ganomaly_controller.generative_model.draw()
        return float((observed_arr - decoded_arr).abs().mean().asscalar())

    program.learn(iter_n=2, k_step=1)
    before = error()
    program.learn(iter_n=40, k_step=1)
    check_game(program.ganomaly_controller, 40, probability=True)
    assert error() < 0.7 * before
    table = program.infernce()  # scores from 0 to 1, and paths
    assert table.shape == (60, 2)
    scores = table[:, 0].astype(float)
    assert scores.min() == 0.0 and scores.max() == 1.0
    assert len(set(table[:, 1])) == 60


# -- ClusterGAN ------------------------------------------------------------------------

CLUSTERS = 2
BATCH = 12


def labeled_condition_sampler(folders, ctx):
    true_sampler = ab.LabeledTrueSampler()
    true_sampler.labeled_image_iterator = pictures_iterator(
        folders, ctx, size=12, batch_size=BATCH, labeled=True
    )
    sampler = LabeledConditionSampler()
    sampler.true_sampler = true_sampler
    return sampler


def clustering_model(folders, ctx):
    model = convolutions(
        ctx,
        [Conv2D(8, 3, strides=(2, 2), padding=(1, 1))],
        ["relu"],
        output_nn=dense(ctx, [CLUSTERS], ["softmax"]),
    )
    noise_sampler = ab.UniformNoiseSampler(
        low=-1e-05, high=1e-05, batch_size=BATCH, channel=1, height=12, width=12, ctx=ctx
    )
    return ClusteringModel(
        noise_sampler=noise_sampler,
        model=model,
        condition_sampler=labeled_condition_sampler(folders, ctx),
        learning_rate=0.01,
        ctx=ctx,
    )


def transposed_clustering_model(ctx):
    layers = [
        Conv2DTranspose(8, 4, strides=(2, 2), padding=(0, 0)),
        Conv2DTranspose(1, 4, strides=(2, 2), padding=(1, 1)),
    ]
    sampler = BlockDiagonalConstraintSampler(
        cluster_n=CLUSTERS, low=0.0, high=0.1, batch_size=BATCH, ctx=ctx
    )
    return TransposedClusteringModel(
        model=convolutions(ctx, layers, ["relu", "sigmoid"]),
        condition_sampler=sampler,
        learning_rate=0.01,
        ctx=ctx,
    )


def multimodal_discriminative_model(ctx):
    def flat(width):
        return dense(ctx, [width], ["relu"])

    return MultimodalDiscriminativeModel(
        model_list=[flat(16), flat(4)],
        final_model=dense(ctx, [1], ["sigmoid"]),
        learning_rate=0.01,
        hybridize_flag=False,  # True fails: it indexes a network (defect of pygan)
        ctx=ctx,
    )


def cluster_gan_controller(folders, ctx):
    return ClusterGANController(
        generative_model=transposed_clustering_model(ctx),
        clustering_model=clustering_model(folders, ctx),
        discriminative_model=multimodal_discriminative_model(ctx),
        discriminator_loss=ab.DiscriminatorLoss(),
        generator_loss=ab.GeneratorLoss(),
        consistency_loss=ab.L2NormLoss(),
        feature_matching_loss=ab.L2NormLoss(),
        learning_rate=0.015,  # at 0.05 the game goes astray with two seeds of eight
        wd=0.0,
        ctx=ctx,
    )


def test_clustering_model_draws_pictures_and_which_belong_together(small_pictures, ctx):
    model = clustering_model(small_pictures, ctx)
    observed_arr, assignment_arr = model.draw()
    assert observed_arr.shape == (BATCH, 1, 12, 12)
    # p p^T / |p|^2 of the probabilities p: symmetric, and its trace is 1.
    assignment_arr = assignment_arr.asnumpy()
    assert assignment_arr.shape == (BATCH, 1, CLUSTERS, CLUSTERS)
    np.testing.assert_allclose(assignment_arr, assignment_arr.swapaxes(2, 3), rtol=1e-6)
    np.testing.assert_allclose(np.trace(assignment_arr[:, 0], axis1=1, axis2=2), 1.0, rtol=1e-5)
    assert isinstance(model.condition_sampler, LabeledConditionSampler)
    assert model.init_deferred_flag is False
    # It learns the classes of the pictures by its own trainer.
    loss = mx.gluon.loss.SoftmaxCrossEntropyLoss(from_logits=True, sparse_label=False)
    losses = []
    for _ in range(60):
        picture_arr, _, label_arr = model.condition_sampler.draw()
        with autograd.record():
            loss_arr = loss(nd.log(model.model(picture_arr) + 1e-8), label_arr)
        loss_arr.backward()
        model.trainer.step(BATCH)
        losses.append(float(loss_arr.mean().asscalar()))
    assert falls(losses, by=0.3)


def test_transposed_clustering_model_draws_pictures_of_assignments(ctx):
    model = transposed_clustering_model(ctx)
    picture_arr, assignment_arr = model.draw()
    assert picture_arr.shape == (BATCH, 1, 12, 12)
    assert assignment_arr.shape == (BATCH, 1, CLUSTERS, CLUSTERS)
    noise_arr = assignment_arr.asnumpy() - np.eye(CLUSTERS)
    assert noise_arr.min() >= 0.0 and 0.03 < noise_arr.mean() < 0.07
    losses = []
    for _ in range(30):
        with autograd.record():
            loss_arr = nd.square(model.draw()[0] - 0.9).mean(axis=(1, 2, 3))
        loss_arr.backward()
        model.trainer.set_learning_rate(0.5)
        model.trainer.step(BATCH)
        losses.append(float(loss_arr.mean().asscalar()))
    assert falls(losses, by=0.5)


def test_multimodal_discriminative_model_judges_by_all_modalities(ctx):
    judge = multimodal_discriminative_model(ctx)
    judge.trainer.set_learning_rate(0.5)
    sides = nd.array(np.where(np.arange(BATCH) % 2, 1.0, -1.0), ctx=ctx).reshape((-1, 1))
    losses = []
    for _ in range(60):
        # The picture tells nothing, the second modality all.
        modalities = nd.random.normal(shape=(BATCH, 5), ctx=ctx), nd.tile(sides, (1, 3))
        with autograd.record():
            parts = [model(arr) for model, arr in zip(judge.model_list, modalities)]
            posterior_arr = judge.inference(nd.concat(*parts, dim=1))
            loss_arr = nd.square(posterior_arr - (sides > 0)).mean(axis=1)
        loss_arr.backward()
        judge.trainer.step(BATCH)
        losses.append(float(loss_arr.mean().asscalar()))
    assert posterior_arr.shape == (BATCH, 1)
    assert falls(losses, by=0.5)
    assert len(judge.collect_params().keys()) == 6


def test_cluster_gan_controller(small_pictures, ctx, tmp_path):
    controller = cluster_gan_controller(small_pictures, ctx)
    controller.learn(iter_n=60, k_step=2)

    names = "generative", "discriminative", "clusterer", "feature_matching"
    for name in names:
        loss_arr = getattr(controller, f"{name}_loss_arr")
        assert loss_arr.shape == (60,)
        assert np.isfinite(loss_arr).all()
    # The posterior and how far what is generated is from the data; the latter falls. (With
    # twelve seeds by 0.11 at least, and 0.2 on average.)
    posterior_arr = controller.posterior_logs_arr.reshape(60, 3)  # three players
    assert falls(controller.generative_loss_arr - posterior_arr[:, 1], by=0.1, first=2)
    assert posterior_arr.min() >= 0.0 and posterior_arr.max() <= 1.0

    controller.save_parameters(str(tmp_path / "game.params"))
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {
        "game_clusterer.params", "game_generator.params", "game_discriminator.params",
    }  # fmt: skip
    other = cluster_gan_controller(small_pictures, ctx)
    other.load_parameters(str(tmp_path / "game.params"), ctx=ctx)
    condition_arr = controller.generative_model.condition_sampler.draw()
    both = [player.model(condition_arr).asnumpy() for player in (
        controller.generative_model, other.generative_model,
    )]  # fmt: skip
    np.testing.assert_array_equal(*both)
    learned = controller.extract_learned_dict()
    assert any("dense" in name for name in learned)


def test_every_class_of_the_mxnet_side_has_a_program():
    assert classes_without_program("pygan", __file__) == set()
