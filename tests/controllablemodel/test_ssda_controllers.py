"""Self-supervised domain adaptation: steps by finite differences, held-out data, games."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from model_cases import EveryOther, convolutions, labelled_pictures, network, self_supervised
from mxnet import gluon, nd

import accelbrainbase as ab

sys.path.insert(0, str(Path(__file__).parents[1] / "observabledata"))
from adaptation_steps import RATE, check_step

PICTURES, LABELS = labelled_pictures(40)
SOURCE, TARGET = PICTURES[:8], PICTURES[20:28, :, ::-1].copy()
ASKED, ANSWERS = (arr.asnumpy() for arr in EveryOther().create(nd.array(TARGET), None))
ASKED_OF_SOURCE, ANSWERS_OF_SOURCE = (
    arr.asnumpy() for arr in EveryOther().create(nd.array(SOURCE), None)
)
BATCH = (SOURCE, LABELS[:8], ASKED, ANSWERS)


def made(adversarial: bool, **kwargs) -> ab.SSDAController:
    ab.seed(0)
    settings = {"optimizer_name": "SGD", "learning_rate": RATE, **kwargs}
    model = self_supervised(adversarial, **settings)
    model.inference(SOURCE)
    model.__dict__["_iteratable_data"] = iterator()  # as while it learns
    return model


def iterator(**kwargs):
    settings = {"epochs": 3, "batch_size": 10, "seed": 1, "pretext_task": EveryOther(), **kwargs}
    return ab.SSDAArrayIterator(
        PICTURES[:20], LABELS[:20], PICTURES[20:], test_observed=PICTURES[30:],
        test_target=LABELS[30:], **settings,
    )  # fmt: skip


def entropy(scores: nd.NDArray, labels: np.ndarray) -> float:
    scores = scores.asnumpy().astype(np.float64)
    return float((np.log(np.exp(scores).sum(axis=1)) - (scores * labels).sum(axis=1)).mean())


def classification(model) -> float:
    return entropy(model.classifier(model.encoder(nd.array(SOURCE))), LABELS[:8])


def pretext(model, of_source: bool = True) -> float:
    asked = np.concatenate([ASKED, ASKED_OF_SOURCE]) if of_source else ASKED
    answers = np.concatenate([ANSWERS, ANSWERS_OF_SOURCE]) if of_source else ANSWERS
    return entropy(model.pretext_task_model(model.encoder(nd.array(asked))), answers)


@pytest.mark.parametrize("of_source", [True, False])
def test_a_step_descends_both_tasks(of_source):
    model = made(False, pretext_source_flag=of_source)
    check_step(model, BATCH, {model: lambda: classification(model) + pretext(model, of_source)})


@pytest.mark.parametrize("of_source", [True, False])
def test_an_adversarial_step_has_one_sign_for_each_part(of_source):
    model = made(True, pretext_source_flag=of_source, reversal_strength=0.6)

    def adversarial() -> float:
        source, target = (
            model.discriminator(model.encoder(nd.array(arr))).asnumpy().astype(np.float64)
            for arr in (ASKED_OF_SOURCE if of_source else SOURCE, ASKED)
        )
        return float(0.5 * (np.log1p(np.exp(-source)) + np.log1p(np.exp(target))).mean())

    check_step(
        model,
        BATCH,
        {
            model.encoder: lambda: (
                classification(model) + pretext(model, of_source) - 0.6 * adversarial()
            ),
            model.classifier: lambda: classification(model),
            model.pretext_task_model: lambda: pretext(model, of_source),
            model.discriminator: adversarial,
        },
    )


@pytest.mark.parametrize("adversarial", [False, True])
def test_held_out_data_are_scored_on_held_out_data(adversarial):
    model = made(adversarial, learning_rate=0.05)
    model.learn(iterator())
    asked, answers = EveryOther().create(nd.array(PICTURES[30:]), None)
    scores = model.inference(PICTURES[30:])
    expected = entropy(scores, LABELS[30:])
    asked_loss = entropy(model.pretext_task_model(model.encoder(asked)), answers.asnumpy())
    np.testing.assert_allclose(
        model.loss_arr[-1, [1, 3]], [expected + asked_loss, expected], rtol=1e-4
    )
    assert model.history.column("test_pretext_loss")[-1] == pytest.approx(asked_loss, rel=1e-4)
    share = (scores.asnumpy().argmax(axis=1) == LABELS[30:].argmax(axis=1)).mean()
    assert model.acc_arr[-1, 1] == pytest.approx(share)
    columns = 7 if adversarial else 5
    assert model.loss_arr.shape == (3, columns)
    terms = model.loss_arr[:, 2] + model.loss_arr[:, 4] + (model.loss_arr[:, 5:6].sum(axis=1))
    np.testing.assert_allclose(model.loss_arr[:, 0], terms, rtol=1e-4)
    assert np.isfinite(model.loss_arr[:, :6]).all()


def test_scoring_held_out_data_does_not_change_what_is_learned():
    found = []
    for test in ({"test_observed": PICTURES[30:], "test_target": LABELS[30:]}, {}):
        ab.seed(0)
        model = ab.SSDAController(
            convolutions([gluon.nn.Conv2D(2, 3)], output_nn=network([6])), network([10]),
            network([4]), ab.SSDALoss(), learning_rate=0.05,
        )  # fmt: skip
        model.learn(
            ab.SSDAArrayIterator(
                PICTURES[:20], LABELS[:20], PICTURES[20:], epochs=3, batch_size=10, seed=1, **test
            )
        )
        found.append(model.history.column("train_loss"))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("task", [ab.RotationTask(), ab.CroppingRotationTask()])
def test_rotations_are_learned(task):
    ab.seed(0)
    pictures, labels = labelled_pictures(400)
    model = ab.SSDAController(
        convolutions([gluon.nn.Conv2D(16, 3, padding=1)], output_nn=network([24])), network([10]),
        network([4 * task.block_n]), ab.SSDALoss(), optimizer_name="Adam", learning_rate=5e-3,
    )  # fmt: skip
    model.learn(ab.SSDAArrayIterator(
        pictures[:200], labels[:200], pictures[200:], pretext_task=task, epochs=12, seed=0,
        batch_size=32,
    ))  # fmt: skip
    losses = model.history.column("train_pretext_loss")
    assert losses[0] == pytest.approx(np.log(4), rel=0.25)  # nats of a question of four answers
    assert losses[-1] < 0.75 * losses[0]
    assert model.history.column("train_accuracy")[-1] > 0.9


def test_a_jump_does_not_stop_learning():
    """In 1.1.0 the rate was 0 from then on, silently."""
    model = made(False, tol=0.0, learning_rate=0.1, optimizer_name="Adam")
    model.learn(iterator(epochs=15))
    assert model.learning_rate > 0


def test_it_saves_one_file_before_it_learned(tmp_path):
    model = made(True)
    model.save_parameters(tmp_path / "a.params")
    assert [path.name for path in tmp_path.iterdir()] == ["a.params"]


def test_bad_parts_and_iterators_are_named():
    with pytest.raises(TypeError, match="`encoder` must be a `ConvolutionalNeuralNetworks`"):
        ab.SSDAController(network([3]), network([10]), network([4]), ab.SSDALoss())
    encoder = convolutions([gluon.nn.Conv2D(2, 3)])
    with pytest.raises(TypeError, match="`classifier` must be a `HybridBlock`"):
        ab.SSDAController(encoder, 1, network([4]), ab.SSDALoss())
    with pytest.raises(TypeError, match="`pretext_task_model` must be a `HybridBlock`"):
        ab.SSDAController(encoder, network([10]), None, ab.SSDALoss())
    with pytest.raises(TypeError, match="`discriminator` must be a `HybridBlock`"):
        ab.AdversarialSSDAController(
            encoder, network([10]), network([4]), None, ab.AdversarialSSDALoss()
        )
    with pytest.raises(ValueError, match="`reversal_strength` must be"):
        made(True, reversal_strength=-1.0)
    with pytest.raises(TypeError, match="tuples of 6, as `RotationIterator`"):
        made(False).learn(ab.ArrayIterator(PICTURES, LABELS, epochs=1))

    class Foreign(ab.IteratableData):
        epochs = iter_n = 1

        def generate_learned_samples(self):
            yield SOURCE, LABELS[:8], None, None, ASKED, ANSWERS

        def generate_inferenced_samples(self):
            yield from ()

    with pytest.raises(TypeError, match="must have the method `create_pretext_task_samples`"):
        made(False).learn(Foreign())
    made(False, pretext_source_flag=False).learn(Foreign())


def test_a_killed_learning_of_rotations_resumes_bit_for_bit(tmp_path):
    class Killed(BaseException):
        pass

    class Kill(ab.Callback):
        def on_step_end(self, state):
            if state.step == 5:
                raise Killed

    def learn(name, *callbacks):
        ab.seed(3)
        code, *heads = (  # Gluon's own prefixes count up, and trainers sort by name
            network([n], prefix=f"{name}_")
            for name, n in (("code", 12), ("classes", 10), ("turns", 4), ("domain", 1))
        )
        encoder = convolutions([gluon.nn.Conv2D(4, 3, prefix="maps_")], output_nn=code)
        model = ab.AdversarialSSDAController(
            encoder,
            *heads,
            ab.AdversarialSSDALoss(posterior_from_logits=True),
            optimizer_name="Adam",
            learning_rate=1e-2,
        )
        data = iterator(pretext_task=ab.RotationTask(), seed=None)
        model.learn(data, callbacks=[ab.Checkpoint(tmp_path / name), *callbacks])
        return model

    whole = learn("whole")
    with pytest.raises(Killed):
        learn("parts", Kill())
    resumed = learn("parts")
    np.testing.assert_array_equal(resumed.history.array(), whole.history.array())
    for one, other in zip(resumed.collect_params().values(), whole.collect_params().values()):
        np.testing.assert_array_equal(one.data().asnumpy(), other.data().asnumpy())
