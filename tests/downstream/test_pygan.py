"""Programs for pygan 1.1.2, as its README shows them, and for every public class of its MXNet side."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon.nn import BatchNorm, Conv2D, Conv2DTranspose

import accelbrainbase as ab

pytest.importorskip("pygan", reason="pygan is not installed: run `make downstream`")

from pygan._mxnet.gan_image_generator import GANImageGenerator  # noqa: E402
from pygan.controllablemodel._mxnet.gancontroller.ganomaly_controller import (  # noqa: E402
    GanomalyController,
)


def falls(loss_arr, by=0.02):
    """Whether losses fall: the last fifth lies below the first, by that share."""
    fifth = max(1, len(loss_arr) // 5)
    return np.mean(loss_arr[-fifth:]) < (1 - by) * np.mean(loss_arr[:fifth])


def check_game(controller, turn_n, *, probability):
    """What every game of pygan records: one loss a turn, two posteriors a turn, all of them sane."""
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
    assert falls(program.GAN.feature_matching_loss_arr)
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
