"""Deep reconstruction-classification networks, and domain-adversarial ones."""

from __future__ import annotations

import numpy as np
import pytest
from adaptation_steps import RATE, check_step, values_of
from model_cases import convolutional_auto_encoder, convolutions, labelled_pictures, network
from mxnet import autograd, gluon, nd

import accelbrainbase as ab
from accelbrainbase._mxnet.parameter_files import read_parameter_file

PICTURES, LABELS = labelled_pictures(40)
SOURCE, TARGET = PICTURES[:8], PICTURES[20:28, :, ::-1].copy()
PLAIN = {"optimizer_name": "SGD", "learning_rate": RATE}


def drcn(loss=None, auto_encoder=None, **kwargs) -> ab.DRCNetworks:
    ab.seed(0)
    model = ab.DRCNetworks(
        auto_encoder or convolutional_auto_encoder(), loss or ab.DRCNLoss(),
        output_nn=network([10]), **{**PLAIN, **kwargs},
    )  # fmt: skip
    model.inference(SOURCE)
    return model


def domain_adversarial(strength: float = 0.7) -> ab.DomainAdversarialNetworks:
    ab.seed(0)
    encoder = convolutions([gluon.nn.Conv2D(8, 4, strides=2, padding=1)], output_nn=network([12]))
    loss = ab.DomainAdversarialLoss(posterior_from_logits=True, adversarial_lambda=0.4)
    model = ab.DomainAdversarialNetworks(
        encoder, network([10]), network([8, 1]), loss, reversal_strength=strength, **PLAIN
    )
    model.inference(SOURCE)
    return model


def entropy(scores: nd.NDArray, labels: np.ndarray) -> float:
    scores = scores.asnumpy().astype(np.float64)
    return float((np.log(np.exp(scores).sum(axis=1)) - (scores * labels).sum(axis=1)).mean())


def iterator(**kwargs) -> ab.DRCNArrayIterator:
    settings = {"epochs": 3, "batch_size": 8, "seed": 1, **kwargs}
    return ab.DRCNArrayIterator(
        PICTURES[:20], LABELS[:20], PICTURES[20:, :, ::-1].copy(),
        test_observed=PICTURES[30:], test_target=LABELS[30:], **settings,
    )  # fmt: skip


def reconstruction(model: ab.DRCNetworks) -> float:
    decoded = model.inference_auto_encoder(TARGET).asnumpy().astype(np.float64)
    return float(((decoded - TARGET) ** 2).mean() / 2)


def test_a_step_descends_both_terms_each_in_its_domain():
    model = drcn(ab.DRCNLoss(rc_lambda=0.6, reconstruction_weight=20.0), tied_weights_flag=False)

    def objective() -> float:
        scores = model.output_nn(model.encoder(nd.array(SOURCE)))
        return 0.6 * entropy(scores, LABELS[:8]) + 20 * 0.4 * reconstruction(model)

    check_step(model, (SOURCE, LABELS[:8], TARGET), {model: objective})


def test_mini_batches_of_two_sizes_count_as_means():
    model = drcn(ab.DRCNLoss(rc_lambda=0.6, reconstruction_weight=20.0))

    def objective() -> float:
        scores = model.output_nn(model.encoder(nd.array(SOURCE[:3])))
        return 0.6 * entropy(scores, LABELS[:3]) + 20 * 0.4 * reconstruction(model)

    check_step(model, (SOURCE[:3], LABELS[:3], TARGET), {model: objective})


@pytest.mark.parametrize(
    ("rc_lambda", "still", "moved"), [(0.0, "output_nn", "decoder"), (1.0, "decoder", "output_nn")]
)
def test_lambda_switches_a_task_off(rc_lambda, still, moved):
    model = drcn(ab.DRCNLoss(rc_lambda=rc_lambda), tied_weights_flag=False,
                 auto_encoder=untied())  # fmt: skip
    before = {name: values_of(getattr(model, name)) for name in (still, moved)}
    model.learn(iterator())
    for name, value in values_of(getattr(model, still)).items():
        np.testing.assert_array_equal(value, before[still][name])
    assert any(
        (value != before[moved][name]).any()
        for name, value in values_of(getattr(model, moved)).items()
    )


def untied() -> ab.ConvolutionalAutoEncoder:
    encoder = convolutions([gluon.nn.Conv2D(4, 4, strides=2, padding=1)])
    decoder = convolutions([gluon.nn.Conv2DTranspose(1, 4, strides=2, padding=1)], "identity")
    return ab.ConvolutionalAutoEncoder(encoder, decoder, ab.L2NormLoss(), tied_weights_flag=False)


def test_weights_are_tied_unless_told_otherwise():
    for flag in (True, False):
        model = drcn(auto_encoder=untied(), tied_weights_flag=flag)
        kernel = model.encoder.hidden_units_list[0].weight
        assert (model.decoder.hidden_units_list[0].weight is kernel) is flag
        model.learn(iterator())


def test_noise_goes_to_the_auto_encoder_only():
    seen = []

    class Noise(ab.NoiseableData):
        def noise(self, arr):
            seen.append(arr.asnumpy())
            return arr * 0

    loss = ab.DRCNLoss(rc_lambda=0.6, reconstruction_weight=20.0)
    model = drcn(loss, noiseable_data=Noise())

    def objective() -> float:
        scores = model.output_nn(model.encoder(nd.array(SOURCE)))
        decoded = model.inference_auto_encoder(0 * TARGET).asnumpy().astype(np.float64)
        square = ((decoded - TARGET) ** 2).mean() / 2
        return 0.6 * entropy(scores, LABELS[:8]) + 20 * 0.4 * square

    check_step(model, (SOURCE, LABELS[:8], TARGET), {model: objective})
    np.testing.assert_array_equal(seen[0], TARGET)


def test_held_out_data_are_scored_on_held_out_data():
    model = drcn(learning_rate=0.05)
    model.learn(iterator(batch_size=10))
    decoded, scores = model.inference(PICTURES[30:])
    classification = 0.75 * entropy(scores, LABELS[30:])
    error = 0.25 * float(((decoded.asnumpy() - PICTURES[30:]) ** 2).mean() / 2)
    assert model.loss_arr.shape == (3, 6)
    np.testing.assert_allclose(
        model.loss_arr[-1, 1::2], [classification + error, classification, error], rtol=1e-4
    )
    np.testing.assert_allclose(
        model.loss_arr[:, ::2].T[0], model.loss_arr[:, 2] + model.loss_arr[:, 4], rtol=1e-4
    )
    share = (scores.asnumpy().argmax(axis=1) == LABELS[30:].argmax(axis=1)).mean()
    assert model.acc_arr[-1, 1] == pytest.approx(share)


def test_what_is_inferred():
    model = drcn()
    decoded, scores = model.inference(SOURCE)
    assert decoded.shape == SOURCE.shape and scores.shape == (8, 10)
    np.testing.assert_allclose(
        decoded.asnumpy(), model.inference_auto_encoder(SOURCE).asnumpy(), rtol=1e-5
    )
    features = model.encoder.inference(SOURCE).asnumpy()
    np.testing.assert_allclose(model.feature_points_arr.asnumpy(), features, rtol=1e-5)


def test_files_have_the_names_of_1_1_0(tmp_path):
    model = drcn()
    model.save_parameters(tmp_path / "a.params")
    arrays = read_parameter_file(tmp_path / "a.params")
    assert {"convolutional_auto_encoder.encoder.2.weight", "output_nn.0.weight"} <= set(arrays)


def test_learned_parts_stay_learned():
    auto_encoder = convolutional_auto_encoder()
    auto_encoder.learn(ab.ArrayIterator(PICTURES, epochs=2))
    before = auto_encoder.inference(SOURCE).asnumpy()
    model = drcn(auto_encoder=auto_encoder)
    np.testing.assert_array_equal(model.inference_auto_encoder(SOURCE).asnumpy(), before)


def test_a_callback_alone_is_no_list():
    with pytest.raises(TypeError, match="`callbacks` must be a list, also of one"):
        drcn().learn(iterator(), callbacks=ab.ProgressBar())


def test_bad_parts_are_named():
    with pytest.raises(TypeError, match="`convolutional_auto_encoder` must be a `Convolutional"):
        ab.DRCNetworks(network([10]), ab.DRCNLoss(), output_nn=network([10]))
    with pytest.raises(TypeError, match="`output_nn` must be a `HybridBlock`"):
        ab.DRCNetworks(convolutional_auto_encoder(), ab.DRCNLoss())
    with pytest.raises(TypeError, match="`computable_loss` must be"):
        ab.DRCNetworks(convolutional_auto_encoder(), "loss", output_nn=network([10]))
    with pytest.raises(ValueError, match="`tol` must be a finite number"):
        drcn(tol=-1.0)
    with pytest.raises(TypeError, match="tuples of 5, as `DRCNIterator`.* but generated 4"):
        drcn().learn(ab.ArrayIterator(PICTURES, LABELS, epochs=1))


def test_a_jump_halves_the_rate_which_is_never_zero():
    """In 1.1.0 it was 0 for the rest of the learning, silently."""
    model = drcn(tol=0.0, est=0.02, optimizer_name="Adam", learning_rate=0.1)
    model.learn(iterator(epochs=25, batch_size=2))
    losses, rates = model.history.column("train_loss"), model.history.column("learning_rate")
    jumped = np.flatnonzero(np.diff(losses) > 0) + 1
    assert len(jumped)
    expected, rate = [], 0.1
    for row in range(25):
        expected.append(rate)
        if row in jumped and rate / 2 >= 0.02:
            rate /= 2
    np.testing.assert_allclose(rates, expected)
    assert 0.02 <= model.learning_rate < 0.1


# -- the discriminator of domains --------------------------------------------------------------


def test_a_step_lets_encoder_and_discriminator_pull_against_each_other():
    model = domain_adversarial()

    def classification() -> float:
        return entropy(model.output_nn(model.encoder(nd.array(SOURCE))), LABELS[:8])

    def adversarial() -> float:
        judged = [
            model.discriminator(model.encoder(nd.array(arr))).asnumpy().astype(np.float64)
            for arr in (SOURCE, TARGET)
        ]
        return float(
            (0.4 * np.log1p(np.exp(-judged[0])) + 0.6 * np.log1p(np.exp(judged[1]))).mean()
        )

    check_step(
        model,
        (SOURCE, LABELS[:8], TARGET),
        {
            model.encoder: lambda: classification() - 0.7 * adversarial(),
            model.output_nn: classification,
            model.discriminator: adversarial,
        },
    )


def test_domain_adversarial_columns():
    model = domain_adversarial()
    model.learn(iterator())
    assert model.loss_arr.shape == (3, 5) and np.isfinite(model.loss_arr).all()
    expected = entropy(model.inference(PICTURES[30:]), LABELS[30:])
    np.testing.assert_allclose(model.loss_arr[-1, [1, 3]], expected, rtol=1e-4)


def test_bad_domain_adversarial_parts_are_named():
    with pytest.raises(TypeError, match="`encoder` must be a `ConvolutionalNeuralNetworks`"):
        ab.DomainAdversarialNetworks(
            network([3]), network([10]), network([1]), ab.DomainAdversarialLoss()
        )
    with pytest.raises(ValueError, match="`reversal_strength` must be"):
        domain_adversarial(-1.0)


def test_class_numbers_without_a_unit_are_named():
    numbers = LABELS[:20].argmax(axis=1)
    numbers[3] = 10
    model = drcn(ab.DRCNLoss(sparse_label=True))
    with pytest.raises(ValueError, match="class numbers from 0 to 9.* one of the training data"):
        model.learn(ab.DRCNArrayIterator(PICTURES[:20], numbers, TARGET, one_hot=False))


# -- auto-encoders of other kinds --------------------------------------------------------------


def test_the_penalty_of_an_auto_encoder_is_minimised_too():
    encoder = convolutions([gluon.nn.Conv2D(4, 4, strides=2, padding=1)], "sigmoid")
    decoder = convolutions([gluon.nn.Conv2DTranspose(1, 4, strides=2, padding=1)], "identity")
    penalized = ab.ContractiveCAE(
        encoder, decoder, ab.L2NormLoss(), tied_weights_flag=False, penalty_lambda=0.2
    )
    loss = ab.DRCNLoss(rc_lambda=0.6, reconstruction_weight=20.0)
    model = drcn(loss, penalized, tied_weights_flag=False)

    def objective() -> float:
        scores = model.output_nn(model.encoder(nd.array(SOURCE)))
        penalty = 0.2 * float(penalized.penalty(TARGET).mean().asscalar())
        return 0.6 * entropy(scores, LABELS[:8]) + 20 * 0.4 * reconstruction(model) + penalty

    check_step(model, (SOURCE, LABELS[:8], TARGET), {model: objective})


def test_the_change_of_the_jacobian_is_minimised_too():
    def contractive(factor: float) -> ab.ContractiveCAE:
        return ab.ContractiveCAE(
            convolutions([gluon.nn.Conv2D(4, 4, strides=2, padding=1)], "sigmoid"),
            convolutions([gluon.nn.Conv2DTranspose(1, 4, strides=2, padding=1)], "identity"),
            ab.L2NormLoss(), tied_weights_flag=False, penalty_lambda=0.2,
            higher_order_lambda=factor,
        )  # fmt: skip

    beside = []
    for factor in (0.0, 3.0):
        ab.seed(0)
        auto_encoder = contractive(factor)
        with autograd.record():
            _, cost_arr = auto_encoder.reconstruction_in_learning(nd.array(TARGET))
        beside.append(cost_arr.asnumpy())
    ab.seed(0)
    learned = contractive(3.0)  # alone, by the same draws
    learned.learning_rate = 0.0
    learned.learn(ab.ArrayIterator(TARGET, batch_size=len(TARGET), epochs=1, shuffle=False))
    change = learned.history.column("train_higher_order_penalty")[0]
    assert change > 0
    assert (beside[1] - beside[0]).mean() == pytest.approx(3.0 * change, rel=0.2)


def ladder() -> ab.ConvolutionalLadderNetworks:
    encoder = convolutions(
        [gluon.nn.Conv2D(8, 4, strides=2, padding=1), gluon.nn.Conv2D(6, 3, padding=1)]
    )
    decoder = convolutions(
        [gluon.nn.Conv2DTranspose(8, 3, padding=1),
         gluon.nn.Conv2DTranspose(1, 4, strides=2, padding=1)]
    )  # fmt: skip
    return ab.ConvolutionalLadderNetworks(
        encoder, decoder, ab.L2NormLoss(), tied_weights_flag=False, noise_sigma=0.1
    )


@pytest.mark.parametrize("hybridize_flag", [False, True])
def test_a_ladder_learns_as_the_auto_encoder(hybridize_flag, tmp_path):
    pictures, labels = labelled_pictures(300)
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, "tied_weights_flag": False}
    model = drcn(auto_encoder=ladder(), hybridize_flag=hybridize_flag, **settings)
    model.learn(ab.DRCNArrayIterator(
        pictures[:200], labels[:200], pictures[200:, :, ::-1].copy(), epochs=15, seed=0,
        test_observed=pictures[200:], test_target=labels[200:],
    ))  # fmt: skip
    assert model.acc_arr[-1, 1] > 0.7
    assert (model.loss_arr[-1] < model.loss_arr[0]).all()
    total, terms = model.loss_arr[:, 0], model.loss_arr[:, 2] + model.loss_arr[:, 4]
    assert (total > terms + 1e-3).all()  # the denoising costs of the levels above the data
    decoded, scores = model.inference(pictures[:5])
    np.testing.assert_allclose(
        decoded.asnumpy(), model.inference_auto_encoder(pictures[:5]).asnumpy(), atol=1e-5
    )
    codes = model.convolutional_auto_encoder.encode(pictures[:5])
    np.testing.assert_allclose(scores.asnumpy(), model.output_nn(codes).asnumpy(), atol=1e-4)
    model.save_parameters(tmp_path / "a.params")
    other = drcn(auto_encoder=ladder(), **settings)
    other.load_parameters(tmp_path / "a.params")
    np.testing.assert_array_equal(other.inference(pictures[:5])[1].asnumpy(), scores.asnumpy())
