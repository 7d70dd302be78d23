"""Programs for pysummarization 1.1.9: as its README shows, for each class of its MXNet side."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

import accelbrainbase as ab

pytest.importorskip("pysummarization", reason="pysummarization is not installed: `make downstream`")

from classes_of_libraries import classes_without_program  # noqa: E402
from pysummarization.abstractablesemantics._mxnet import enc_dec_ad, re_seq_2_seq  # noqa: E402
from pysummarization.abstractablesemantics._mxnet.observing_media import (  # noqa: E402
    ObservingMedia,
)
from pysummarization.iteratabledata._mxnet import (  # noqa: E402
    token_iterator as token_iterator_module,
)
from pysummarization.iteratabledata._mxnet.transformeriterator.bi_sentence_transformer_iterator import (  # noqa: E402, E501
    BiSentenceTransformerIterator,
)
from pysummarization.iteratabledata._mxnet.transformeriterator.token_attention_auto_encoder_iterator import (  # noqa: E402, E501
    TokenAttentionAutoEncoderIterator,
)
from pysummarization.iteratabledata._mxnet.transformeriterator.token_transforming_auto_encoder_iterator import (  # noqa: E402, E501
    TokenTransformingAutoEncoderIterator,
)
from pysummarization.iteratabledata._mxnet.word2vec_iterator import (  # noqa: E402
    Word2VecIterator,
)
from pysummarization.nlp_base import NlpBase  # noqa: E402
from pysummarization.tokenizabledoc.simple_tokenizer import SimpleTokenizer  # noqa: E402
from pysummarization.vectorizabletoken.t_hot_vectorizer import THotVectorizer  # noqa: E402

USUAL = "the cat sat on the mat and the dog lay by the door"
ODD = "seven quiet planets circled under amber light beyond distant silver shores"
DOCUMENT = ". ".join([USUAL] * 12 + [ODD] + [USUAL] * 12)


class EncDecAD(enc_dec_ad.EncDecAD):
    """It has no argument for the device; its class attribute is `mx.gpu()`."""

    ctx = mx.cpu()


def read(document, ctx, *, epochs, batch_size=10, seq_len=5):
    """Sentences, tokens as vectors, and an iterator, as the README has it."""
    nlp_base = NlpBase()
    nlp_base.delimiter_list = [".", "\n"]
    sentence_list = nlp_base.listup_sentence(document)
    token_arr = np.array(SimpleTokenizer().tokenize(document.replace(".", "")))
    vectorizable_token = THotVectorizer(token_list=sorted(token_arr.tolist()))
    token_iterator = token_iterator_module.TokenIterator(
        vectorizable_token=vectorizable_token, token_arr=token_arr, epochs=epochs,
        batch_size=batch_size, seq_len=seq_len, test_size=0.3, norm_mode=None,
        ctx=ctx,
    )  # fmt: skip
    return sentence_list, vectorizable_token, token_iterator


def test_token_iterator(ctx):
    _, vectorizable_token, token_iterator = read(DOCUMENT, ctx, epochs=1)
    batches = list(token_iterator.generate_learned_samples())
    assert len(batches) == token_iterator.iter_n
    for arr in batches[0]:
        assert arr.shape == (10, 5, vectorizable_token.dim)
    inferenced = list(token_iterator.generate_inferenced_samples())
    assert inferenced[0][2].shape == (10, 5, vectorizable_token.dim)


def test_enc_dec_ad_finds_the_odd_sentence(ctx):
    sentence_list, vectorizable_token, token_iterator = read(DOCUMENT, ctx, epochs=20)
    abstractable_semantics = EncDecAD(
        hidden_neuron_count=24, output_neuron_count=vectorizable_token.dim, dropout_rate=0.0,
        batch_size=10, learning_rate=0.01, seq_len=5,
    )  # fmt: skip
    abstractable_semantics.learn(token_iterator)
    loss_arr = abstractable_semantics.encoder_decoder_controller.loss_arr
    assert loss_arr.shape == (20, 2)
    assert loss_arr[-1, 0] < 0.5 * loss_arr[0, 0]

    summary = abstractable_semantics.summarize(
        token_iterator, vectorizable_token, sentence_list, limit=3
    )
    assert isinstance(summary, list)
    assert summary
    assert any(ODD.split()[3] in sentence for sentence in summary)


def test_re_seq_2_seq(ctx, tmp_path):
    sentence_list, vectorizable_token, token_iterator = read(DOCUMENT, ctx, epochs=4)
    abstractable_semantics = re_seq_2_seq.ReSeq2Seq(
        hidden_neuron_count=vectorizable_token.dim, output_neuron_count=vectorizable_token.dim,
        dropout_rate=0.0, batch_size=10, learning_rate=1.0, seq_len=5, ctx=ctx,
    )  # fmt: skip

    def loss():
        observed_arr = next(token_iterator.generate_inferenced_samples())[2]
        loss_arr = abstractable_semantics.compute_retrospective_loss(
            *abstractable_semantics.inference(observed_arr)
        )
        assert loss_arr.shape == (10,)
        return float(loss_arr.mean().asscalar())

    before = loss()
    abstractable_semantics.learn(token_iterator)
    assert loss() < 0.8 * before
    assert abstractable_semantics.encoder_decoder_controller.feature_points_arr.shape[:2] == (10, 5)
    abstractable_semantics.save_parameters(str(tmp_path / "a.params"))
    assert {path.name for path in tmp_path.iterdir()} == {
        "a_encoder_decoder_encoder.params", "a_encoder_decoder_decoder.params",
        "a_retrospective_encoder.params",
    }  # fmt: skip
    summary = abstractable_semantics.summarize(
        token_iterator, vectorizable_token, sentence_list, limit=2
    )
    assert summary
    assert set(summary) <= set(sentence_list)


def test_observing_media(ctx, tmp_path):
    def program(epochs):
        return ObservingMedia(
            document="\n".join([USUAL, ODD] * 6), tokenizable_doc=SimpleTokenizer(),
            vectorizable_token=THotVectorizer(sorted({*USUAL.split(), *ODD.split()})),
            epochs=epochs, batch_size=10, head_n=2, seq_len=2, ctx=ctx, hidden_dim=16,
            test_size=0.3, learning_rate=0.01, layer_n=1, dropout_rate=0.0,
        )  # fmt: skip

    learned = program(epochs=15)
    learned.learn()
    loss_arr = learned.transformer_controller.loss_arr
    assert loss_arr.shape == (15, 2)
    assert loss_arr[-1, 0] < 0.7 * loss_arr[0, 0]

    media_df = learned.extract_media(test_mode=True)
    assert list(media_df.columns) == ["loss", "token"]
    assert media_df.loss.is_monotonic_increasing
    assert np.isfinite(media_df.loss).all()
    assert not media_df.token.duplicated().any()
    assert set(", ".join(media_df.token).split(", ")) == {*USUAL.split(), *ODD.split()}
    media_token_list = media_df.token.values[0].replace(" ", "").split(",")
    form_df = learned.extract_form(media_token_list, test_mode=True)
    assert len(form_df) == len(media_df)

    # Transfer learning, as its command line does it.
    path = str(tmp_path / "transforming_auto_encoder.params")
    learned.transformer_controller.save_parameters(path)
    other = program(epochs=1)
    other.transformer_controller.load_parameters(path, ctx=ctx)
    arr = next(learned.transformer_iterator.generate_learned_samples())[0]
    outputs = [p.transformer_controller.inference(arr, arr).asnumpy() for p in (learned, other)]
    np.testing.assert_array_equal(*outputs)


def token_iterator_of(kind, ctx, **kwargs):
    tokens = [*USUAL.split(), *ODD.split()]
    vectorizable_token = THotVectorizer(sorted(set(tokens)))
    return kind(
        vectorizable_token=vectorizable_token, epochs=4, batch_size=8, seq_len=3, ctx=ctx, **kwargs
    )


def test_bi_sentence_transformer_iterator(ctx):
    """It calls no constructor of ours, and inherits from two iterators."""
    sentences = [USUAL.split()[:13], (ODD.split() + USUAL.split())[:13]] * 8
    iterator = token_iterator_of(BiSentenceTransformerIterator, ctx, sentence_list=sentences)
    dim = iterator.vectorizable_token.dim
    controller = ab.TransformerController(
        computable_loss=mx.gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False),
        optimizer_name="Adam", learning_rate=0.01, learning_attenuate_rate=1.0,
        layer_n=1, head_n=2, seq_len=3, depth_dim=dim, hidden_dim=16, dropout_rate=0.0, ctx=ctx,
    )  # fmt: skip
    iterator.epochs, iterator.iter_n = 6, 60
    controller.learn(iterator)
    assert controller.loss_arr.shape == (6, 2)
    assert controller.loss_arr[-1, 0] < 0.8 * controller.loss_arr[0, 0]
    with pytest.raises(NotImplementedError):
        iterator.generate_inferenced_samples()


def test_token_transforming_auto_encoder_iterator(ctx):
    iterator = token_iterator_of(
        TokenTransformingAutoEncoderIterator, ctx, seq_token_list=[*USUAL.split(), *ODD.split()],
        noiseable_data=ab.GaussNoise(sigma=1e-3, mu=0.0),
    )  # fmt: skip
    batches = list(iterator.generate_learned_samples())
    assert len(batches) == iterator.iter_n == 12 // 3
    arrays = [arr for arr in batches[0] if arr is not None]
    assert len(batches[0]) == 10
    assert [arr.shape for arr in arrays] == [(8, 3, iterator.vectorizable_token.dim)] * 6
    # Noise on what is observed, none on the target.
    assert 0 < abs(arrays[0] - arrays[4]).mean().asscalar() < 0.01
    assert set(np.unique(arrays[4].asnumpy())) == {0.0, 1.0}


def test_token_attention_auto_encoder_iterator(ctx):
    iterator = token_iterator_of(
        TokenAttentionAutoEncoderIterator, ctx, seq_token_list=USUAL.split() * 6
    )
    dim = iterator.vectorizable_token.dim
    network = ab.NN3DHybrid(
        computable_loss=ab.L2NormLoss(), units_list=[16, dim], activation_list=["tanh", "identity"],
        dropout_rate_list=[0.0, 0.0], optimizer_name="Adam", learning_rate=0.01, ctx=ctx,
    )  # fmt: skip
    losses = []
    for _ in range(8):
        for observed_arr, _, _, _, _, _, target_arr, _ in iterator.generate_learned_samples():
            with autograd.record():
                loss_arr = network.compute_loss(network.inference(observed_arr), target_arr)
            loss_arr.backward()
            network.trainer.step(8)
            losses.append(float(loss_arr.mean().asscalar()))
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_word_2_vec_iterator(ctx):
    sentences = [USUAL.split(), ODD.split()]
    iterator = token_iterator_of(
        Word2VecIterator, ctx, sentence_list=sentences,
        parts_of_speech_list=[["word"] * len(sentence) for sentence in sentences],
        generation_flag=False, noiseable_data=ab.GaussNoise(sigma=1e-3, mu=0.0),
    )  # fmt: skip
    iterator.parts_of_speech_list = []  # it cannot be built without
    iterator.epochs, iterator.iter_n = 10, 60
    network = ab.LSTMNetworks(
        computable_loss=ab.L2NormLoss(), batch_size=8, seq_len=3, hidden_n=16,
        output_n=iterator.vectorizable_token.dim, dropout_rate=0.0, optimizer_name="Adam",
        learning_rate=0.02, output_activation="identity", ctx=ctx,
    )  # fmt: skip
    network.learn(iterator)
    assert network.loss_arr.shape == (10, 2)
    assert network.loss_arr[-1, 0] < 0.8 * network.loss_arr[0, 0]


def test_every_class_of_the_mxnet_side_has_a_program():
    assert classes_without_program("pysummarization", __file__) == set()
