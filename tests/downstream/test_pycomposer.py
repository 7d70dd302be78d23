"""Programs for pycomposer 1.0.6: as its README shows, and for each class of its MXNet side."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest

import accelbrainbase as ab

pytest.importorskip("pycomposer", reason="pycomposer is not installed: run `make downstream`")
pretty_midi = pytest.importorskip("pretty_midi", reason="pretty_midi is not installed")

from classes_of_libraries import classes_without_program  # noqa: E402
from pycomposer.bar_gram import BarGram  # noqa: E402
from pycomposer.gancomposable._mxnet.conditional_gan_composer import (  # noqa: E402
    ConditionalGANComposer,
)
from pycomposer.midi_controller import MidiController  # noqa: E402
from pycomposer.samplabledata.noisesampler._mxnet.bar_gram_noise_sampler import (  # noqa: E402
    BarGramNoiseSampler,
)
from pycomposer.samplabledata.noisesampler._mxnet.midi_noise_sampler import (  # noqa: E402
    MidiNoiseSampler,
)
from pycomposer.samplabledata.truesampler._mxnet.bar_gram_true_sampler import (  # noqa: E402
    BarGramTrueSampler,
)
from pycomposer.samplabledata.truesampler._mxnet.bargramtruesampler.conditonal_bar_gram_true_sampler import (  # noqa: E402, E501
    ConditionalBarGramTrueSampler,
)
from pycomposer.samplabledata.truesampler._mxnet.midi_true_sampler import (  # noqa: E402
    MidiTrueSampler,
)

PITCHES = [60, 64, 67, 72, 67, 64]


def write_music(path, programs):
    """Half a minute of broken chords, a note each half second."""
    music = pretty_midi.PrettyMIDI()
    for program, shift in programs.items():
        instrument = pretty_midi.Instrument(program=program)
        for i in range(60):
            pitch = PITCHES[(i + program) % len(PITCHES)] + shift
            velocity = 80 + i % 20
            note = pretty_midi.Note(velocity, pitch, start=0.5 * i, end=0.5 * i + 0.45)
            instrument.notes.append(note)
        music.instruments.append(instrument)
    music.write(str(path))
    return str(path)


@pytest.fixture(scope="module")
def midi_path(tmp_path_factory):
    return write_music(tmp_path_factory.mktemp("midi") / "piano.mid", {0: 0})


def network(units, activations, ctx):
    return ab.NeuralNetworks(
        computable_loss=ab.L2NormLoss(), units_list=units, activation_list=activations,
        dropout_rate_list=[0.0] * len(units), ctx=ctx,
    )  # fmt: skip


def composer(midi_path, ctx, **kwargs):
    program = ConditionalGANComposer(
        midi_path_list=[midi_path], batch_size=8, seq_len=8, learning_rate=0.1,
        time_fraction=0.5, ctx=ctx, **kwargs,
    )  # fmt: skip
    # Its samplers know no `ctx` but their own `mx.gpu()`: this is for the client to set.
    program.true_sampler.ctx = ctx
    program._ConditionalGANComposer__GAN.true_sampler.ctx = ctx
    return program


def test_conditional_gan_composer(midi_path, ctx, tmp_path):
    gan_composer = composer(midi_path, ctx)
    gan_composer.learn(iter_n=10, k_step=1)

    generative_loss_arr, discriminative_loss_arr, posterior_arr, matching_arr = (
        gan_composer.extract_logs()
    )
    for arr in (generative_loss_arr, discriminative_loss_arr, matching_arr):
        assert arr.shape == (10,)
        assert np.isfinite(arr).all()
    assert posterior_arr.shape == (20,)
    assert posterior_arr.min() > 0.01 and posterior_arr.max() < 0.99

    # Generated bars first, then those that they were conditioned on.
    bar_arr = gan_composer.generative_model.draw()
    assert bar_arr.shape == (8, 2, 8, gan_composer.bar_gram.dim)
    np.testing.assert_array_equal(np.unique(bar_arr[:, 1:].asnumpy()), [0.0, 1.0])
    assert np.unique(bar_arr[:, :1].asnumpy()).size > 100

    path = str(tmp_path / "composed.mid")
    gan_composer.compose(file_path=path, velocity_mean=None, velocity_std=None)
    composed = pretty_midi.PrettyMIDI(path)
    notes = [note for instrument in composed.instruments for note in instrument.notes]
    assert {instrument.program for instrument in composed.instruments} == {0}
    assert len(notes) > 20
    assert {note.pitch for note in notes} <= set(PITCHES)
    assert all(0 < note.velocity < 128 and note.start < note.end for note in notes)


def test_generator_of_the_composer_learns_from_a_discriminator_of_ones_own(midi_path, ctx):
    """The default discriminator normalises mini-batches just before its last layer, and drops half
    of its features; this one does not.
    """
    model = network([32, 1], ["relu", "sigmoid"], ctx)
    judge = ab.DiscriminativeModel(model=model, learning_rate=0.1, ctx=ctx)
    game = composer(midi_path, ctx, discriminative_model=judge)._ConditionalGANComposer__GAN
    losses = [float(game.train_discriminator(1)[0].asscalar()) for _ in range(20)]
    assert np.mean(losses[-3:]) < 0.5 * np.mean(losses[:3])
    condition_model = game.generative_model.condition_sampler.model
    before = [arr.copy() for arr in condition_model.extract_learned_dict().values()]
    losses = [float(game.train_generator()[0].mean().asscalar()) for _ in range(20)]
    assert np.mean(losses[-3:]) < 0.5 * np.mean(losses[:3])
    # The network of the condition learns with the generator.
    after = condition_model.extract_learned_dict().values()
    assert any((new != old).sum().asscalar() > 0 for new, old in zip(after, before))


def test_files_of_the_composers_generator(midi_path, ctx, tmp_path):
    """As its notebook does: the file is that of the network within the generator."""
    gan_composer, other = composer(midi_path, ctx), composer(midi_path, ctx)
    gan_composer.learn(iter_n=2, k_step=1)
    other.learn(iter_n=1, k_step=1)
    path = str(tmp_path / "generator.params")
    gan_composer.generative_model.model.save_parameters(filename=path)
    other.generative_model.model.load_parameters(filename=path, ctx=ctx)
    arr = mx.nd.ones((2, 1, 2, gan_composer.bar_gram.dim - 6), ctx=ctx)
    outputs = [p.generative_model.model(arr).asnumpy() for p in (gan_composer, other)]
    np.testing.assert_array_equal(*outputs)


@pytest.fixture(scope="module")
def midi_df_list(tmp_path_factory):
    path = tmp_path_factory.mktemp("midi") / "piano_and_violin.mid"
    return [MidiController().extract(write_music(path, {0: 0, 40: 12}))]


@pytest.mark.parametrize(
    "kind", [BarGramTrueSampler, BarGramNoiseSampler, ConditionalBarGramTrueSampler]
)
def test_samplers_of_bars(kind, midi_df_list, ctx):
    bar_gram = BarGram(midi_df_list=midi_df_list, time_fraction=0.5)
    sampler = kind(
        bar_gram=bar_gram, midi_df_list=midi_df_list, batch_size=6, seq_len=8, time_fraction=0.5
    )
    sampler.ctx = ctx
    assert isinstance(sampler, (ab.TrueSampler, ab.NoiseSampler))
    bar_arr = sampler.draw()
    channels = 4 if kind is ConditionalBarGramTrueSampler else 2
    assert bar_arr.shape == (6, channels, 8, bar_gram.dim)
    np.testing.assert_array_equal(bar_arr.sum(axis=3).asnumpy(), 1.0)  # one chord at a time


def test_samplers_of_pitches_in_a_game(midi_df_list, ctx):
    """`MidiTrueSampler` and `MidiNoiseSampler` with players that the client builds."""
    true_sampler = MidiTrueSampler(
        midi_df_list=midi_df_list, batch_size=12, seq_len=6, time_fraction=0.5
    )
    noise_sampler = MidiNoiseSampler(batch_size=12, seq_len=6)
    true_sampler.ctx = noise_sampler.ctx = ctx
    assert true_sampler.draw().shape == noise_sampler.draw().shape == (12, 6, 84)

    game = ab.GANController(
        true_sampler=true_sampler,
        generative_model=ab.GenerativeModel(
            noise_sampler=noise_sampler,
            model=network([32, 6 * 84], ["relu", "sigmoid"], ctx),
            ctx=ctx,
        ),
        discriminative_model=ab.DiscriminativeModel(
            model=network([32, 1], ["relu", "sigmoid"], ctx), ctx=ctx
        ),
        generator_loss=ab.GeneratorLoss(),
        discriminator_loss=ab.DiscriminatorLoss(),
        learning_rate=0.1,
        ctx=ctx,
    )
    losses = [float(game.train_discriminator(5)[0].asscalar()) for _ in range(8)]
    assert losses[-1] < 0.7 * losses[0]


def test_every_class_of_the_mxnet_side_has_a_program():
    assert classes_without_program("pycomposer", __file__) == set()
