"""TransformerController and TransformingAutoEncoderController: what they compute and learn."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd

import accelbrainbase as ab
from accelbrainbase.controllable_model import ControllableModel
from accelbrainbase.iteratabledata.transformer_iterator import TransformerIterator

RNG = np.random.default_rng(0)
ENCODED = RNG.normal(size=(3, 5, 6)).astype(np.float32)
DECODED = RNG.normal(size=(3, 4, 6)).astype(np.float32)
ENCODED_MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 1, 1, 1]], dtype=np.float32)
DECODED_MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1]], dtype=np.float32)
BOTH = [ab.TransformerController, ab.TransformingAutoEncoderController]
SETTINGS = {"layer_n": 2, "head_n": 3, "depth_dim": 6, "hidden_dim": 8, "dropout_rate": 0.0}


class Tokens(TransformerIterator):
    """Random one-hot tokens; what is decoded is the target one step late, after a start token.

    Token 0 is for the start. Series have different lengths, with masks.
    """

    def __init__(self, kind, token_n=8, seq_len=6, epochs=30, masked=True, seed=0):
        self.kind, self.token_n, self.seq_len, self.masked = kind, token_n, seq_len, masked
        self.epochs, self.batch_size, self.seed = epochs, 32, seed
        self.iter_n = epochs * 20

    def draw(self, rng):
        numbers = rng.integers(1, self.token_n, size=(self.batch_size, self.seq_len))
        lengths = np.full(self.batch_size, self.seq_len)
        if self.masked:
            lengths = rng.integers(2, self.seq_len + 1, size=self.batch_size)
        target = numbers.copy()
        if self.kind == "reverse":
            for row, length in enumerate(lengths):
                target[row, :length] = target[row, :length][::-1]
        eye = np.eye(self.token_n, dtype=np.float32)
        mask = (np.arange(self.seq_len) < lengths[:, None]).astype(np.float32)
        late = np.concatenate([np.zeros((self.batch_size, 1), dtype=int), target[:, :-1]], axis=1)
        return eye[numbers], eye[late], mask, eye[target] * mask[:, :, None], numbers, target

    def generate_learned_samples(self):
        rng = np.random.default_rng(self.seed)
        for _ in range(self.iter_n):
            one, two = self.draw(rng), self.draw(rng)
            parts = [
                (a, b, m if self.masked else None, m if self.masked else None)
                for a, b, m, *_ in (one, two)
            ]
            yield (*parts[0], *parts[1], one[3], two[3])

    def generate_inferenced_samples(self):
        yield from ()


def test_defaults_construct_and_run():
    for cls in BOTH:
        model = cls()
        assert isinstance(model, ControllableModel)
        x = RNG.normal(size=(2, 5, 100))
        assert model.inference(x, x).shape == (2, 5, 100)
        model.learn(ab.GaussTransformerIterator(epochs=1, dataset_size=20, norm_mode="min_max"))
        assert model.loss_arr.shape == (1, 2)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_the_transformer_is_its_parts(hybridize_flag):
    model = ab.TransformerController(**SETTINGS, hybridize_flag=hybridize_flag)
    for masks in (
        (None, None),
        (ENCODED_MASK, None),
        (None, DECODED_MASK),
        (ENCODED_MASK, DECODED_MASK),
    ):
        got = model.inference(ENCODED, DECODED, *masks)
        memory = model.encoder.inference(ENCODED, masks[0])
        want = model.decoder.inference(DECODED, memory, masks[1], masks[0])
        np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), atol=1e-5)
        np.testing.assert_allclose(model.feature_points_arr.asnumpy(), memory.asnumpy(), atol=1e-5)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_the_transforming_auto_encoder_is_its_parts(hybridize_flag):
    model = ab.TransformingAutoEncoderController(**SETTINGS, hybridize_flag=hybridize_flag)
    got = model.inference(ENCODED, DECODED, ENCODED_MASK, DECODED_MASK)
    memory = model.encoder.inference(ENCODED, ENCODED_MASK)
    decoded = model.decoder.inference(DECODED, memory, DECODED_MASK, ENCODED_MASK)
    want = model.reconstructor.inference(decoded, DECODED_MASK)
    np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), atol=1e-5)
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), decoded.asnumpy(), atol=1e-5)
    assert decoded.shape == (3, 4, 8) and got.shape == (3, 4, 6)


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_masks_and_the_future_change_nothing(hybridize_flag):
    model = ab.TransformerController(**SETTINGS, hybridize_flag=hybridize_flag)
    clean = model.inference(ENCODED, DECODED, ENCODED_MASK).asnumpy()
    encoded = np.where(ENCODED_MASK[:, :, None] == 1, ENCODED, 1e3).astype(np.float32)
    np.testing.assert_array_equal(model.inference(encoded, DECODED, ENCODED_MASK).asnumpy(), clean)
    decoded = DECODED.copy()
    decoded[:, 2:] = 1e3
    got = model.inference(ENCODED, decoded, ENCODED_MASK).asnumpy()
    np.testing.assert_array_equal(got[:, :2], clean[:, :2])


@pytest.mark.parametrize("kind", ["copy", "reverse"])
def test_learns_to_copy_and_to_reverse(kind):
    ab.seed(0)
    model = ab.TransformerController(
        layer_n=1, head_n=4, depth_dim=6, hidden_dim=32, dropout_rate=0.0, optimizer_name="Adam",
        learning_rate=5e-3, weight_decay=0.0, max_gradient_norm=1.0,
    )  # fmt: skip
    data = Tokens(kind, token_n=6, seq_len=5, epochs=36)
    model.learn(data)
    encoded, decoded, mask, _, _, target = data.draw(np.random.default_rng(99))
    kept = mask == 1
    predicted = model.inference(encoded, decoded, mask, mask).asnumpy().argmax(axis=2)
    assert (predicted[kept] == target[kept]).mean() > 0.99
    start = np.eye(6, dtype=np.float32)[np.zeros((32, 1), dtype=int)]
    written = model.generate(encoded, start, 5, encoded_mask_arr=mask)
    assert (written[kept] == target[kept]).mean() > 0.99
    drawn = model.generate(encoded, start, 5, encoded_mask_arr=mask, temperature=0.3, seed=1)
    assert (drawn[kept] == target[kept]).mean() > 0.95
    again = model.generate(encoded, start, 5, encoded_mask_arr=mask, temperature=0.3, seed=1)
    np.testing.assert_array_equal(drawn, again)


def test_generating_is_step_by_step_inference():
    ab.seed(0)
    model = ab.TransformerController(**SETTINGS, scale=3.0)
    decoded = DECODED[:, :2]
    for _ in range(3):
        best = model.inference(ENCODED, decoded).asnumpy()[:, -1].argmax(axis=1)
        decoded = np.concatenate([decoded, np.eye(6, dtype=np.float32)[best][:, None]], axis=1)
    got = model.generate(ENCODED, DECODED[:, :2], 3)
    np.testing.assert_array_equal(got, decoded[:, 2:].argmax(axis=2))
    rare = model.generate(ENCODED, DECODED[:, :2], 3, temperature=1e3, seed=0)
    assert (rare != got).any()


def test_the_auto_encoder_reconstructs():
    class Waves(TransformerIterator):
        epochs, batch_size, iter_n = 20, 32, 200

        def generate_learned_samples(self):
            rng = np.random.default_rng(0)
            for _ in range(self.iter_n):
                phase = rng.uniform(0, 6, size=(32, 1, 1))
                wave = np.sin(phase + np.arange(6)[:, None] * 0.7 + np.arange(4))
                wave = nd.array(wave.astype(np.float32))
                yield wave, wave, None, None, wave, wave, None, None, wave, wave

        def generate_inferenced_samples(self):
            yield from ()

    ab.seed(0)
    model = ab.TransformingAutoEncoderController(
        layer_n=1, head_n=2, depth_dim=4, hidden_dim=12, dropout_rate=0.0, optimizer_name="Adam",
        learning_rate=3e-3, weight_decay=0.0,
    )  # fmt: skip
    model.learn(Waves())
    assert model.loss_arr[-1, 1] < 0.2 * model.loss_arr[0, 1]
    assert model.compute_loss(
        pred_arr=nd.zeros((3, 6, 4)), labeled_arr=nd.ones((3, 6, 4))
    ).shape == (3,)


@pytest.mark.parametrize("cls", BOTH)
def test_both_ways_learn_the_same(cls):
    losses = []
    for hybridize_flag in (False, True):
        ab.seed(1)
        model = cls(
            ab.L2NormLoss(), **SETTINGS, hybridize_flag=hybridize_flag, optimizer_name="Adam",
            learning_rate=1e-3,
        )  # fmt: skip
        model.learn(Tokens("copy", token_n=6, epochs=1))
        losses.append(model.loss_arr)
    np.testing.assert_allclose(*losses, rtol=1e-4)


@pytest.mark.parametrize("cls", BOTH)
def test_files_of_all_parts(cls, tmp_path):
    model = cls(**SETTINGS)
    want = model.inference(ENCODED, DECODED).asnumpy()
    model.save_parameters(tmp_path / "a.params")
    parts = ["decoder", "encoder", "reconstructor"][: 2 + (cls is BOTH[1])]
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a_{part}.params" for part in parts]
    ab.seed(77)
    other = cls(**SETTINGS)
    other.load_parameters(tmp_path / "a.params", ctx=mx.cpu())
    np.testing.assert_array_equal(other.inference(ENCODED, DECODED).asnumpy(), want)


def test_dropout_reaches_all_parts():
    model = ab.TransformingAutoEncoderController(**{**SETTINGS, "dropout_rate": 0.4})
    for part in (model.encoder, model.decoder, model.reconstructor):
        assert part.dropout_rate == 0.4


def test_parts_can_be_given_and_stay_learned():
    loss = ab.L2NormLoss()
    encoder = ab.TransformerEncoder(6, 1, 2, loss)
    decoder = ab.TransformerDecoder(6, 1, loss, head_n=2)
    encoder.inference(ENCODED)
    before = {name: p.data().asnumpy() for name, p in encoder.collect_params().items()}
    model = ab.TransformerController(loss, encoder, decoder, depth_dim=6)
    model.inference(ENCODED, DECODED)
    for name, p in encoder.collect_params().items():
        np.testing.assert_array_equal(p.data().asnumpy(), before[name])
    wide = ab.TransformerController(
        loss, ab.TransformerEncoder(8, 1, 2, loss), ab.TransformerDecoder(8, 1, loss, output_dim=6),
        depth_dim=6,
    )  # fmt: skip
    assert wide.inference(ENCODED, DECODED).shape == (3, 4, 6)
    with pytest.raises(TypeError, match="`encoder` must be a `TransformerEncoder` or None"):
        ab.TransformerController(encoder=decoder)
    with pytest.raises(ValueError, match="`memory_flag=True`"):
        ab.TransformerController(
            decoder=ab.TransformerDecoder(100, 1, loss, memory_flag=False), encoder=None
        )


def test_parts_of_different_widths_fit():
    loss = ab.L2NormLoss()
    model = ab.TransformerController(loss, ab.TransformerEncoder(10, 1, 2, loss), **SETTINGS)
    assert model.inference(ENCODED, DECODED).shape == (3, 4, 6)
    assert model.feature_points_arr.shape == (3, 5, 10)
    model = ab.TransformingAutoEncoderController(
        loss,
        decoder=ab.TransformerDecoder(8, 1, loss, head_n=2, output_dim=7),
        reconstructor=ab.TransformerReconstructor(12, 1, loss, head_n=2, output_dim=6),
        **SETTINGS,
    )
    assert model.inference(ENCODED, DECODED).shape == (3, 4, 6)
    assert model.feature_points_arr.shape == (3, 4, 7)
    with pytest.raises(ValueError, match="`decoder` must be built with `memory_dim=10`"):
        ab.TransformerController(
            loss, ab.TransformerEncoder(10, 1, 2, loss), ab.TransformerDecoder(8, 1, loss)
        )


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize(
    ("name", "value"), [("head_n", 1), ("embedding_flag", False), ("embedding_weignt", 0.5)]
)
def test_settings_of_parts_change_after_a_pass(cls, name, value):
    outputs = []
    for hybridize_flag in (True, False):
        ab.seed(0)
        model = cls(**{**SETTINGS, "head_n": 2}, hybridize_flag=hybridize_flag)
        outputs.append(model.inference(ENCODED, DECODED).asnumpy())
        for part in (model.encoder, model.decoder):
            setattr(part, name, value)
        outputs.append(model.inference(ENCODED, DECODED).asnumpy())
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3
    np.testing.assert_allclose(outputs[1], outputs[3], atol=1e-5)


def test_killed_learning_resumes_bit_for_bit(tmp_path):
    class Killed(BaseException):
        pass

    class Kill(ab.Callback):
        def on_step_end(self, state):
            if state.step == 31:
                raise Killed

    def learn(name, *callbacks):
        ab.seed(3)
        model = ab.TransformerController(
            **{**SETTINGS, "dropout_rate": 0.2}, optimizer_name="Adam", learning_rate=1e-3
        )
        data = Tokens("copy", token_n=6, epochs=3)
        model.learn(data, callbacks=[ab.Checkpoint(tmp_path / name), *callbacks])
        return model

    whole = learn("whole")
    with pytest.raises(Killed):
        learn("parts", Kill())
    resumed = learn("parts")
    np.testing.assert_array_equal(resumed.history.array(), whole.history.array())
    for one, other in zip(resumed.collect_params().values(), whole.collect_params().values()):
        np.testing.assert_array_equal(one.data().asnumpy(), other.data().asnumpy())


def test_only_the_matching_iterator():
    model = ab.TransformerController(**SETTINGS)
    with pytest.raises(TypeError, match="`iteratable_data` must be a `TransformerIterator`"):
        model.learn(ab.GaussIterator())

    class Eight(Tokens):
        def generate_learned_samples(self):
            for batch in super().generate_learned_samples():
                yield batch[:8]

    with pytest.raises(ValueError, match="tuples of ten"):
        model.learn(Eight("copy"))


def test_bad_shapes_are_named():
    model = ab.TransformerController(**SETTINGS)
    with pytest.raises(ValueError, match="`observed_arr` must have 6 features"):
        model.inference(ENCODED[:, :, :5], DECODED)
    with pytest.raises(ValueError, match="must have equally many series"):
        model.inference(ENCODED, DECODED[:2])
    with pytest.raises(ValueError, match="`decoded_mask_arr` must have the shape"):
        model.inference(ENCODED, DECODED, None, ENCODED_MASK)
    with pytest.raises(ValueError, match="`length` must be at least 1"):
        model.generate(ENCODED, DECODED, 0)
    with pytest.raises(NotImplementedError, match="TransformerController"):
        ab.TransformingAutoEncoderController(**SETTINGS).generate(ENCODED, DECODED, 2)


# -- iterators -------------------------------------------------------------------------


def test_gauss_transformer_iterator():
    iterator = ab.GaussTransformerIterator(
        loc=2.0, std=0.5, seq_len=4, dim=3, epochs=2, batch_size=50, norm_mode=None,
        dataset_size=200, seed=0,
    )  # fmt: skip
    batches = list(iterator.generate_learned_samples())
    assert len(batches) == iterator.iter_n == 8 and all(len(batch) == 10 for batch in batches)
    encoded, decoded, m1, m2, test, test_decoded, m3, m4, target, test_target = batches[0]
    assert m1 is m2 is m3 is m4 is None
    for arr in (encoded, decoded, test, test_decoded, target, test_target):
        assert arr.shape == (50, 4, 3)
    np.testing.assert_array_equal(encoded.asnumpy(), target.asnumpy())
    np.testing.assert_array_equal(test.asnumpy(), test_target.asnumpy())
    whole = np.concatenate([batch[0].asnumpy() for batch in batches])
    assert whole.mean() == pytest.approx(2.0, abs=0.03) and whole.std() == pytest.approx(
        0.5, abs=0.02
    )
    again = next(iterator.generate_learned_samples())
    np.testing.assert_array_equal(again[0].asnumpy(), encoded.asnumpy())
    with pytest.raises(NotImplementedError):
        iterator.generate_inferenced_samples()


def test_noise_of_the_gauss_transformer_iterator():
    iterator = ab.GaussTransformerIterator(noiseable_data=ab.GaussNoise(sigma=0.5), seed=0)
    encoded, decoded, *_, test, _, _, _, target, test_target = next(
        iterator.generate_learned_samples()
    )
    assert (encoded - target).asnumpy().std() == pytest.approx(0.5, rel=0.05)
    assert (decoded != encoded).sum().asscalar() > 0
    del test, test_target


def test_a_foreign_iterator_without_super():
    """As pysummarization has them: own constructor, `pre_normalize` of the base."""

    class Foreign(TransformerIterator):
        def __init__(self):
            self.iter_n, self.epochs, self.batch_size, self.seq_len = 4, 2, 3, 5
            self.norm_mode, self.scale = "min_max", 2.0

        def pre_normalize(self, arr):
            return super().pre_normalize(arr)

        def generate_learned_samples(self):
            for _ in range(self.iter_n):
                arr = self.pre_normalize(nd.array(ENCODED))
                yield arr, arr, None, None, arr, arr, None, None, arr, arr

        def generate_inferenced_samples(self):
            yield from ()

    model = ab.TransformingAutoEncoderController(**SETTINGS)
    model.learn(Foreign())
    assert model.loss_arr.shape == (2, 2)
    assert Foreign().pre_normalize(nd.array(ENCODED)).max().asscalar() == pytest.approx(2.0)
