"""All public models, as the contract suite makes them. A new model joins by one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from mxnet import gluon, nd
from sklearn.datasets import load_digits

import accelbrainbase as ab


@dataclass(frozen=True)
class Case:
    """How to make a model, and of what shape its data are.

    `make(**kwargs)` returns a fresh model that learns fast; `kwargs` go to its constructor.
    `data(n)` returns `n` observed data points and their targets as float32 arrays.
    `bounded` says that the losses stay finite at any learning rate, as those of units do whose
    states are bounded. `predict(model, observed)` is what `compute_loss` compares with the
    target. `loss(model, pred_arr, observed, target)` is what learning minimises.
    `iterate(observed, target, **settings)` makes the iterator.
    """

    make: Callable[..., Any]
    data: Callable[[int], tuple[np.ndarray, np.ndarray]]
    bounded: bool = False
    predict: Callable[[Any, np.ndarray], Any] = lambda model, observed: model.inference(observed)
    loss: Callable[..., float] = lambda *arguments: mean_loss(*arguments)
    iterate: Callable[..., Any] = lambda *arguments, **kwargs: ab.ArrayIterator(
        *arguments, **kwargs
    )


def mean_loss(model: Any, pred_arr: Any, observed: np.ndarray, target: np.ndarray) -> float:  # noqa: ARG001
    """The mean of `compute_loss`."""
    return float(model.compute_loss(pred_arr, nd.array(target)).mean().asscalar())


def total_loss(model: Any, pred_arr: Any, observed: np.ndarray, target: np.ndarray) -> float:
    """The same, and the penalty on the codes."""
    penalty = float(model.penalty(observed).mean().asscalar())
    return mean_loss(model, pred_arr, observed, target) + model.penalty_lambda * penalty


def digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits as vectors in [0, 1]; the target is the data point."""
    observed = (load_digits().data[:n] / 16).astype(np.float32)
    return observed, observed


def labelled_digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits as vectors in [0, 1]; the target is the class, one-hot."""
    return digits(n)[0], np.eye(10, dtype=np.float32)[load_digits().target[:n]]


def prototypes(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Four patterns of 64 bits, of which some are flipped; the target is the data point."""
    rng = np.random.default_rng(0)
    patterns = rng.random((4, 64)) < 0.5
    observed = patterns[rng.integers(4, size=n)] ^ (rng.random((n, 64)) < 0.05)
    return observed.astype(np.float32), observed.astype(np.float32)


def series_of_digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of digits as series of 8 points; the target is a row's mean."""
    observed = digits(n)[0].reshape(n, 8, 8)
    return observed, observed.mean(axis=2, keepdims=True)


def network(units_list: list[int], **kwargs: Any) -> ab.NeuralNetworks:
    activation_list = ["tanh"] * (len(units_list) - 1) + ["identity"]
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    return ab.NeuralNetworks(
        ab.L2NormLoss(), units_list=units_list, activation_list=activation_list, **settings
    )


def dueling_network(**kwargs: Any) -> ab.DuelingNetworks:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    return ab.DuelingNetworks(ab.L2NormLoss(), units_list=[16, 8, 10], **settings)


def auto_encoder(observed_n: int = 64, code_n: int = 8, **kwargs: Any) -> ab.AutoEncoder:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    return ab.AutoEncoder(
        network([16, code_n], **parts), network([16, observed_n], **parts), ab.L2NormLoss(),
        **settings,
    )  # fmt: skip


def penalized(cls: Any, **kwargs: Any) -> Any:
    """A dense auto-encoder with a penalty on its code of one layer."""
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    return cls(
        ab.NeuralNetworks(ab.L2NormLoss(), units_list=[16], activation_list=["sigmoid"], **parts),
        network([64], **parts), ab.L2NormLoss(), tied_weights_flag=True, **settings,
    )  # fmt: skip


def penalized_convolutions(cls: Any, **kwargs: Any) -> Any:
    """A convolutional auto-encoder with a penalty on its maps, and a dense layer behind them."""
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    return cls(
        convolutions([gluon.nn.Conv2D(8, 4, strides=2, padding=1)], "sigmoid", **parts),
        convolutions(
            [gluon.nn.Conv2DTranspose(1, 4, strides=2, padding=1)], "identity",
            input_nn=network([8 * 4 * 4]), input_result_channel=8, input_result_height=4,
            input_result_width=4, **parts,
        ),
        ab.L2NormLoss(), **settings,
    )  # fmt: skip


def ladder(**kwargs: Any) -> ab.LadderNetworks:
    """A ladder as an auto-encoder: no labels."""
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    return ab.LadderNetworks(
        network([16, 8], **parts), network([16, 64], **parts), ab.L2NormLoss(), **settings
    )


def series_network(**kwargs: Any) -> ab.NN3DHybrid:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    return ab.NN3DHybrid(
        ab.L2NormLoss(), units_list=[6, 1], activation_list=["tanh", "identity"], **settings
    )


def chain(**kwargs: Any) -> ab.NetworkChain:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    return ab.NetworkChain([network([16]), network([10])], ab.L2NormLoss(), **settings)


def stack(**kwargs: Any) -> ab.StackedAutoEncoder:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = [auto_encoder(64, 12), auto_encoder(12, 6)]
    return ab.StackedAutoEncoder(parts, ab.L2NormLoss(), **settings)


def restricted_boltzmann_machine(**kwargs: Any) -> ab.RestrictedBoltzmannMachines:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    return ab.RestrictedBoltzmannMachines(
        ab.L2NormLoss(), visible_dim=64, hidden_dim=32, **settings
    )


def lstm(**kwargs: Any) -> ab.LSTMNetworks:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    return ab.LSTMNetworks(
        None, None, ab.L2NormLoss(), hidden_n=16, dropout_rate=0.0, output_activation="identity",
        **settings,
    )  # fmt: skip


def deep_boltzmann_machine(**kwargs: Any) -> ab.DeepBoltzmannMachines:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    return ab.DeepBoltzmannMachines(ab.L2NormLoss(), two_machines(), **settings)


def deep_belief_network(**kwargs: Any) -> ab.DeepBeliefNetworks:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    return ab.DeepBeliefNetworks(ab.L2NormLoss(), two_machines(), **settings)


def two_machines() -> list[ab.RestrictedBoltzmannMachines]:
    return [
        ab.RestrictedBoltzmannMachines(
            ab.L2NormLoss(), visible_dim=visible_dim, hidden_dim=hidden_dim,
            optimizer_name="Adam", learning_rate=1e-3,
        )
        for visible_dim, hidden_dim in ((64, 32), (32, 16))
    ]  # fmt: skip


def decoded(model: Any, observed: np.ndarray) -> Any:
    """What the features of a deep machine decode to."""
    return model.decode(model.inference(observed))


def of_network(made: Any, units_list: list[int], **kwargs: Any) -> Any:
    """A model around a dense network."""
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    return made(network(units_list, **parts), **settings)


def labelled_films_of_rows(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits as films of 8 pictures, which are their rows; the target is the class, one-hot."""
    observed, target = labelled_digits(n)
    return observed.reshape(n, 8, 1, 1, 8), target


def cldnn(**kwargs: Any) -> ab.CLDNNetworks:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    return ab.CLDNNetworks(
        lstm(output_layer_flag=False, **parts), network([16, 10], **parts), ab.L2NormLoss(),
        convolutions([gluon.nn.Conv2D(4, (1, 3))], **parts), **settings,
    )  # fmt: skip


def pictures(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits as pictures of one channel in [0, 1]; the target is the data point."""
    observed = digits(n)[0].reshape(n, 1, 8, 8)
    return observed, observed


def labelled_pictures(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits as pictures of one channel in [0, 1]; the target is the class, one-hot."""
    return pictures(n)[0], labelled_digits(n)[1]


def convolutions(
    layers: list[gluon.HybridBlock], last: str = "tanh", **kwargs: Any
) -> ab.ConvolutionalNeuralNetworks:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    return ab.ConvolutionalNeuralNetworks(
        ab.L2NormLoss(), hidden_units_list=layers,
        hidden_activation_list=["tanh"] * (len(layers) - 1) + [last],
        hidden_dropout_rate_list=[0.0] * len(layers), **settings,
    )  # fmt: skip


def convolutional_network(**kwargs: Any) -> ab.ConvolutionalNeuralNetworks:
    return convolutions(
        [gluon.nn.Conv2D(8, 3), gluon.nn.Conv2D(8, 3)], output_nn=network([10]), **kwargs
    )


def convolutional_auto_encoder(
    observed_n: int = 1, map_n: int = 8, **kwargs: Any
) -> ab.ConvolutionalAutoEncoder:
    """Tied convolutions around a code of 12 numbers."""
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    size = {1: 4, 4: 2}[observed_n]
    encoder = convolutions(
        [gluon.nn.Conv2D(map_n, 4, strides=2, padding=1)], output_nn=network([12]), **parts
    )
    decoder = convolutions(
        [gluon.nn.Conv2DTranspose(observed_n, 4, strides=2, padding=1)], "identity",
        input_nn=network([map_n * size**2]), input_result_channel=map_n,
        input_result_height=size, input_result_width=size, **parts,
    )  # fmt: skip
    return ab.ConvolutionalAutoEncoder(encoder, decoder, ab.L2NormLoss(), **settings)


def convolutional_ladder(**kwargs: Any) -> ab.ConvolutionalLadderNetworks:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    encoder = convolutions(
        [gluon.nn.Conv2D(8, 4, strides=2, padding=1), gluon.nn.Conv2D(6, 3, padding=1)], **parts
    )
    decoder = convolutions(
        [gluon.nn.Conv2DTranspose(8, 3, padding=1),
         gluon.nn.Conv2DTranspose(1, 4, strides=2, padding=1)], **parts
    )  # fmt: skip
    return ab.ConvolutionalLadderNetworks(encoder, decoder, ab.L2NormLoss(), **settings)


def convolutional_chain(**kwargs: Any) -> ab.ConvolutionalNetworkChain:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    networks = [convolutions([gluon.nn.Conv2D(8, 3)]) for _ in range(2)]
    return ab.ConvolutionalNetworkChain(
        networks, ab.L2NormLoss(), output_nn=network([10]), **settings
    )


def convolutional_stack(**kwargs: Any) -> ab.StackedConvolutionalAutoEncoder:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    lower = ab.ConvolutionalAutoEncoder(
        convolutions([gluon.nn.Conv2D(4, 4, strides=2, padding=1)]),
        convolutions([gluon.nn.Conv2DTranspose(1, 4, strides=2, padding=1)], "identity"),
        ab.L2NormLoss(),
    )
    upper = convolutional_auto_encoder(observed_n=4)
    return ab.StackedConvolutionalAutoEncoder([lower, upper], ab.L2NormLoss(), **settings)


def with_a_target_domain(observed: np.ndarray, target: np.ndarray, **kwargs: Any) -> Any:
    """Mini-batches of labelled pictures, and of the same pictures turned upside down."""
    return ab.DRCNArrayIterator(observed, target, observed[:, :, ::-1].copy(), **kwargs)


def classifying_and_reconstructing(**kwargs: Any) -> ab.DRCNetworks:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    return ab.DRCNetworks(
        convolutional_auto_encoder(**parts), ab.DRCNLoss(), output_nn=network([10]), **settings
    )


def loss_of_both(model: Any, pred_arr: Any, observed: np.ndarray, target: np.ndarray) -> float:
    losses = model.compute_loss(*pred_arr, nd.array(observed), nd.array(target))
    return float(losses[0].mean().asscalar())


def domain_adversarial(**kwargs: Any) -> ab.DomainAdversarialNetworks:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    encoder = convolutions(
        [gluon.nn.Conv2D(8, 4, strides=2, padding=1)], output_nn=network([12]),
        hybridize_flag=kwargs.get("hybridize_flag", True),
    )  # fmt: skip
    loss = ab.DomainAdversarialLoss(posterior_from_logits=True)
    return ab.DomainAdversarialNetworks(encoder, network([10]), network([8, 1]), loss, **settings)


def loss_of_classes(model: Any, pred_arr: Any, observed: np.ndarray, target: np.ndarray) -> float:  # noqa: ARG001
    """The cross-entropy of the classes."""
    entropy = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
    return float(entropy(pred_arr, nd.array(target)).mean().asscalar())


class EveryOther(ab.PretextTask):
    """Turns every other data point upside down, and asks which."""

    def create(self, observed_arr: Any, generator: Any) -> tuple[Any, Any]:  # noqa: ARG002
        turned = np.arange(len(observed_arr)) % 2
        mask = nd.array(turned.reshape(-1, 1, 1, 1))
        pretext_arr = observed_arr * (1 - mask) + nd.flip(observed_arr, axis=2) * mask
        return pretext_arr, nd.array(np.eye(2)[turned])


def with_a_pretext_task(observed: np.ndarray, target: np.ndarray, **kwargs: Any) -> Any:
    """Mini-batches of labelled pictures, and a pretext task of the same pictures, mirrored."""
    mirrored = observed[..., ::-1].copy()
    return ab.SSDAArrayIterator(observed, target, mirrored, pretext_task=EveryOther(), **kwargs)


def self_supervised(adversarial: bool, **kwargs: Any) -> ab.SSDAController:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    encoder = convolutions(
        [gluon.nn.Conv2D(8, 4, strides=2, padding=1)], output_nn=network([12]),
        hybridize_flag=kwargs.get("hybridize_flag", True),
    )  # fmt: skip
    parts = {"encoder": encoder, "classifier": network([10]), "pretext_task_model": network([2])}
    if adversarial:
        loss = ab.AdversarialSSDALoss(posterior_from_logits=True)
        return ab.AdversarialSSDAController(
            **parts, discriminator=network([8, 1]), adversarial_ssda_loss=loss, **settings
        )
    return ab.SSDAController(**parts, ssda_loss=ab.SSDALoss(), **settings)


def loss_of_pretext(model: Any, pred_arr: Any, observed: np.ndarray, target: np.ndarray) -> float:
    """The cross-entropies of the classes, and of the pretext task."""
    pretext_arr, answer_arr = EveryOther().create(nd.array(observed), None)
    entropy = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
    scores = model.pretext_task_model(model.encoder(pretext_arr))
    return float(
        (entropy(pred_arr, nd.array(target)) + entropy(scores, answer_arr)).mean().asscalar()
    )


def films_of_digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Films of a digit that moves to the right; the target is the film."""
    digit = (load_digits().images[:n] / 16).astype(np.float32)
    films = np.stack([np.roll(digit, step, axis=2) for step in range(3)], axis=1)[:, :, None]
    return films, films


def film_auto_encoder(**kwargs: Any) -> ab.SpatioTemporalAutoEncoder:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    encoder = convolutions([gluon.nn.Conv2D(8, 4, strides=2, padding=1)], **parts)
    decoder = convolutions(
        [gluon.nn.Conv2DTranspose(1, 4, strides=2, padding=1)], "identity", **parts
    )
    return ab.SpatioTemporalAutoEncoder(encoder, decoder, ab.L2NormLoss(), [6, 8], **settings)


def mobile_net(cls: Any = ab.MobileNetV2, time: tuple[int, ...] = (), **kwargs: Any) -> Any:
    """A small one, for digits of 8×8."""
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    groups = [
        {"filter_rate": 1, "filter_n": 8, "block_n": 1, "stride": 1},
        {"filter_rate": 2, "filter_n": 8, "block_n": 2, "stride": 1},
    ]
    return cls(
        ab.L2NormLoss(), input_filter_n=8, input_kernel_size=(*time, 2, 2),
        input_strides=(*time, 2, 2), input_padding=0, bottleneck_dict_list=groups,
        hidden_filter_n=16, pool_size=(*time, 4, 4), output_nn=network([10]), **settings,
    )  # fmt: skip


def videos_of_digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits that move to the right in 3 pictures; the target is the class, one-hot."""
    observed, target = labelled_pictures(n)
    return np.stack([np.roll(observed, step, axis=3) for step in range(3)], axis=1), target


def encoder_decoder(**kwargs: Any) -> ab.EncoderDecoder:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    parts = {"hybridize_flag": kwargs.get("hybridize_flag", True)}
    encoder, decoder = lstm(output_layer_flag=False, **parts), lstm(**parts)
    return ab.EncoderDecoder(encoder, decoder, ab.L2NormLoss(), **settings)


def true_and_false_digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits, and digits with their pixels in disorder; the target is 1 for the former."""
    observed = digits(n)[0].copy()
    target = (np.arange(n) % 2 == 0).astype(np.float32)[:, np.newaxis]
    observed[1::2] = observed[1::2][:, np.random.RandomState(0).permutation(64)]
    return observed, target


def digits_without_energy(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits as vectors in [0, 1]; the target is 0."""
    return digits(n)[0], np.zeros((n, 1), np.float32)


def discriminator(**kwargs: Any) -> ab.DiscriminativeModel:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    model = ab.NeuralNetworks(ab.L2NormLoss(), units_list=[16, 1])
    return ab.DiscriminativeModel(model, **settings)


def energy(**kwargs: Any) -> ab.EBDiscriminativeModel:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    return ab.EBDiscriminativeModel(auto_encoder(), **settings)


def generator(cls: Any = None, model: Any = None, **kwargs: Any) -> ab.GenerativeModel:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    noise = ab.UniformNoiseSampler(shape_tuple=(8, 64))
    return (cls or ab.GenerativeModel)(noise, model or network([16, 64]), **settings)


def conditional_generator(**kwargs: Any) -> ab.ConditionalGenerativeModel:
    labels = ab.OneHotNoiseSampler(10, 8)
    return generator(ab.ConditionalGenerativeModel, condition_sampler=labels, **kwargs)


def of_attention(cls: Any, *args: Any, **kwargs: Any) -> Any:
    """A model of attention or a Transformer over the rows of digits."""
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, "dropout_rate": 0.0, **kwargs}
    return cls(8, *args, computable_loss=ab.L2NormLoss(), **settings)


def rows_of_digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of digits as series of 8 points; the target is the series."""
    observed = digits(n)[0].reshape(n, 8, 8)
    return observed, observed


def categorical_encoder(**kwargs: Any) -> ab.CategoricalEncoder:
    settings = {"optimizer_name": "Adam", "learning_rate": 1e-2, **kwargs}
    layers = {"units_list": [16, 64], "activation_list": ["tanh", "identity"]}
    return ab.CategoricalEncoder(ab.L2NormLoss(), class_n=4, **layers, **settings)


MODELS: dict[str, Case] = {
    "AutoEncoder": Case(auto_encoder, digits),
    "ContractiveAutoEncoder": Case(
        lambda **kwargs: penalized(ab.ContractiveAutoEncoder, **kwargs), digits, loss=total_loss
    ),
    "ContractiveCAE": Case(
        lambda **kwargs: penalized_convolutions(ab.ContractiveCAE, **kwargs),
        pictures,
        loss=total_loss,
    ),
    "RepellingAutoEncoder": Case(
        lambda **kwargs: penalized(ab.RepellingAutoEncoder, **kwargs), digits, loss=total_loss
    ),
    "RepellingCAE": Case(
        lambda **kwargs: penalized_convolutions(ab.RepellingCAE, **kwargs),
        pictures,
        loss=total_loss,
    ),
    "ConvolutionalAutoEncoder": Case(convolutional_auto_encoder, pictures),
    "ConvolutionalLadderNetworks": Case(convolutional_ladder, pictures),
    "ConvolutionalNetworkChain": Case(convolutional_chain, labelled_pictures),
    "ConvolutionalNeuralNetworks": Case(convolutional_network, labelled_pictures),
    "DRCNetworks": Case(
        classifying_and_reconstructing,
        labelled_pictures,
        loss=loss_of_both,
        iterate=with_a_target_domain,
    ),
    "DomainAdversarialNetworks": Case(
        domain_adversarial, labelled_pictures, loss=loss_of_classes, iterate=with_a_target_domain
    ),
    "SSDAController": Case(
        lambda **kwargs: self_supervised(False, **kwargs),
        labelled_pictures,
        loss=loss_of_pretext,
        iterate=with_a_pretext_task,
    ),
    "AdversarialSSDAController": Case(
        lambda **kwargs: self_supervised(True, **kwargs),
        labelled_pictures,
        loss=loss_of_pretext,
        iterate=with_a_pretext_task,
    ),
    "AdditiveAttentionModel": Case(
        lambda **kwargs: of_attention(ab.AdditiveAttentionModel, **kwargs), rows_of_digits
    ),
    "AttentionModel": Case(
        lambda **kwargs: of_attention(ab.AttentionModel, **kwargs), rows_of_digits
    ),
    "MultiHeadAttentionModel": Case(
        lambda **kwargs: of_attention(ab.MultiHeadAttentionModel, head_n=3, **kwargs),
        rows_of_digits,
    ),
    "SelfAttentionModel": Case(
        lambda **kwargs: of_attention(ab.SelfAttentionModel, head_n=2, **kwargs), rows_of_digits
    ),
    "TransformerDecoder": Case(
        lambda **kwargs: of_attention(ab.TransformerDecoder, 1, memory_flag=False, **kwargs),
        rows_of_digits,
    ),
    "TransformerEncoder": Case(
        lambda **kwargs: of_attention(ab.TransformerEncoder, 1, 2, **kwargs), rows_of_digits
    ),
    "TransformerReconstructor": Case(
        lambda **kwargs: of_attention(ab.TransformerReconstructor, 1, **kwargs), rows_of_digits
    ),
    "DuelingNetworks": Case(dueling_network, labelled_digits),
    "EncoderDecoder": Case(encoder_decoder, series_of_digits),
    "LSTMNetworks": Case(lstm, series_of_digits),
    "LadderNetworks": Case(ladder, digits),
    "DeepBeliefNetworks": Case(deep_belief_network, digits, bounded=True, predict=decoded),
    "DeepBoltzmannMachines": Case(
        deep_boltzmann_machine, prototypes, bounded=True, predict=decoded
    ),
    "MobileNet3DV2": Case(
        lambda **kwargs: mobile_net(ab.MobileNet3DV2, (1,), **kwargs), videos_of_digits
    ),
    "MobileNetV2": Case(mobile_net, labelled_pictures),
    "NN3DHybrid": Case(series_network, series_of_digits),
    "NetworkChain": Case(chain, labelled_digits),
    "NeuralNetworks": Case(lambda **kwargs: network([16, 10], **kwargs), labelled_digits),
    "RestrictedBoltzmannMachines": Case(restricted_boltzmann_machine, digits, bounded=True),
    "SpatioTemporalAutoEncoder": Case(film_auto_encoder, films_of_digits),
    "StackedAutoEncoder": Case(stack, digits),
    "StackedConvolutionalAutoEncoder": Case(convolutional_stack, pictures),
    "CategoricalEncoder": Case(categorical_encoder, digits),
    "ConditionalGenerativeModel": Case(conditional_generator, digits),
    "DiscriminativeModel": Case(discriminator, true_and_false_digits, bounded=True),
    "EBDiscriminativeModel": Case(energy, digits_without_energy),
    "GenerativeAutoEncoder": Case(
        lambda **kwargs: generator(ab.GenerativeAutoEncoder, auto_encoder(), **kwargs), digits
    ),
    "GenerativeConvolutionalAutoEncoder": Case(
        lambda **kwargs: generator(
            ab.GenerativeConvolutionalAutoEncoder, convolutional_auto_encoder(), **kwargs
        ),
        pictures,
    ),
    "GenerativeEncoderDecoder": Case(
        lambda **kwargs: generator(ab.GenerativeEncoderDecoder, encoder_decoder(), **kwargs),
        series_of_digits,
    ),
    "GenerativeModel": Case(generator, digits),
    "CLDNNetworks": Case(cldnn, labelled_films_of_rows),
    "FunctionApproximator": Case(
        lambda **kwargs: of_network(ab.FunctionApproximator, [16, 10], **kwargs), labelled_digits
    ),
}
