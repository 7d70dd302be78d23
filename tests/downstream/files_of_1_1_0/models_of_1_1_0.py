"""Small models, built through the module paths and keywords of 1.1.0.

The same functions run with 1.1.0, to write the files in this folder, and with this version, to
load them. Each takes keywords that only one of the two knows.
"""

from __future__ import annotations

from importlib import import_module

import mxnet as mx
import numpy as np
from mxnet import nd
from mxnet.gluon.nn import BatchNorm, Conv2D, Conv2DTranspose

OBSERVABLE = "observabledata._mxnet"
NETWORKS = OBSERVABLE + ".convolutionalneuralnetworks"
AUTO_ENCODERS = NETWORKS + ".convolutionalautoencoder"
CPU = mx.cpu()


def get(module, name):
    return getattr(import_module("accelbrainbase." + module), name)


def loss():
    return get("computableloss._mxnet.l2_norm_loss", "L2NormLoss")()


def data(*shape):
    return nd.array(np.random.RandomState(7).randn(*shape).astype(np.float32))


VECTORS = data(2, 4)
PICTURES = data(2, 3, 6, 6)
SERIES = data(2, 3, 4)
BINARY = nd.array((np.random.RandomState(7).rand(2, 10) < 0.5).astype(np.float32))


def dense(units=(5, 3), activations=("tanh", "sigmoid"), norms=None, kind=None, **kwargs):
    kind = kind or get(OBSERVABLE + ".neural_networks", "NeuralNetworks")
    return kind(
        computable_loss=loss(), units_list=list(units), activation_list=list(activations),
        dropout_rate_list=[0.0] * len(units), hidden_batch_norm_list=norms or [None] * len(units),
        hybridize_flag=False, ctx=CPU, **kwargs
    )  # fmt: skip


def dense_normalized():
    return dense(norms=[BatchNorm(), BatchNorm()])


def dense_normalized_at_the_end():
    return dense(norms=[None, BatchNorm()])


def dense_without_bias():
    return dense(output_no_bias_flag=True, all_no_bias_flag=True)


def dense_of_series(**kwargs):
    kind = get(OBSERVABLE + ".neuralnetworks.neural_networks_3d", "NN3DHybrid")
    network = dense(kind=kind, **kwargs)
    network.batch_size, network.seq_len = 2, 3
    return network


def auto_encoder(**kwargs):
    kind = get(OBSERVABLE + ".neuralnetworks.auto_encoder", "AutoEncoder")
    return kind(
        encoder=dense(), decoder=dense([5, 4]), computable_loss=loss(),
        hybridize_flag=False, ctx=CPU, **kwargs
    )  # fmt: skip


def auto_encoder_tied():
    return auto_encoder(tied_weights_flag=True)


def auto_encoder_untied():
    return auto_encoder(tied_weights_flag=False)


def convolutions(layers=None, activations=("relu", "tanh"), norms=None, **kwargs):
    layers = layers or [Conv2D(4, 3, padding=1), Conv2D(5, 3, padding=1)]
    return get(OBSERVABLE + ".convolutional_neural_networks", "ConvolutionalNeuralNetworks")(
        computable_loss=loss(), hidden_units_list=layers, hidden_activation_list=list(activations),
        hidden_dropout_rate_list=[0.0] * len(layers),
        hidden_batch_norm_list=norms or [None] * len(layers),
        hybridize_flag=False, ctx=CPU, **kwargs
    )  # fmt: skip


def convolutions_normalized():
    return convolutions(norms=[BatchNorm(), BatchNorm()])


def convolutions_with_output_nn():
    return convolutions(output_nn=dense([6], ["softmax"]))


def convolutional_auto_encoder(kind=None, **kwargs):
    kind = kind or get(NETWORKS + ".convolutional_auto_encoder", "ConvolutionalAutoEncoder")
    layers = [Conv2DTranspose(4, 3, padding=1), Conv2DTranspose(3, 3, padding=1)]
    model = kind(
        encoder=convolutions(), decoder=convolutions(layers), computable_loss=loss(),
        hybridize_flag=False, ctx=CPU, **kwargs
    )  # fmt: skip
    model.batch_size = 2
    return model


def convolutional_auto_encoder_tied():
    return convolutional_auto_encoder(tied_weights_flag=True)


def convolutional_auto_encoder_untied():
    return convolutional_auto_encoder(tied_weights_flag=False)


def contractive_cae():
    kind = get(AUTO_ENCODERS + ".contractive_cae", "ContractiveCAE")
    return convolutional_auto_encoder(kind, tied_weights_flag=False)


def repelling_cae():
    kind = get(AUTO_ENCODERS + ".repelling_cae", "RepellingCAE")
    return convolutional_auto_encoder(kind, tied_weights_flag=False)


def ladder_networks():
    kind = get(AUTO_ENCODERS + ".convolutional_ladder_networks", "ConvolutionalLadderNetworks")
    return convolutional_auto_encoder(kind, tied_weights_flag=False)


def drc_networks():
    return get(NETWORKS + ".drc_networks", "DRCNetworks")(
        convolutional_auto_encoder=convolutional_auto_encoder(tied_weights_flag=False),
        drcn_loss=get("computableloss._mxnet.drcn_loss", "DRCNLoss")(),
        output_nn=dense([6], ["softmax"]), tied_weights_flag=False, hybridize_flag=False, ctx=CPU,
    )  # fmt: skip


def mobilenet():
    blocks = [
        {"filter_rate": 1, "filter_n": 4, "block_n": 1, "stride": 1},
        {"filter_rate": 2, "filter_n": 4, "block_n": 2, "stride": 1},
    ]
    return get(NETWORKS + ".mobilenet_v2", "MobileNetV2")(
        computable_loss=loss(), input_filter_n=4, bottleneck_dict_list=blocks, hidden_filter_n=8,
        pool_size=(3, 3), hybridize_flag=False, ctx=CPU,
    )  # fmt: skip


def lstm(**kwargs):
    return get(OBSERVABLE + ".lstm_networks", "LSTMNetworks")(
        batch_size=2, seq_len=3, computable_loss=loss(), hidden_n=5, dropout_rate=0.0,
        hybridize_flag=False, ctx=CPU, **dict({"output_n": 6}, **kwargs)
    )  # fmt: skip


def lstm_without_output_layer(**kwargs):
    return lstm(output_layer_flag=False, **kwargs)


def lstm_with_output_nn(**kwargs):
    return lstm(output_nn=dense([7], ["tanh"]), **kwargs)


def encoder_decoder(**kwargs):
    return get(OBSERVABLE + ".lstmnetworks.encoder_decoder", "EncoderDecoder")(
        encoder=lstm(output_layer_flag=False, **kwargs), decoder=lstm(output_n=4, **kwargs),
        computable_loss=loss(), batch_size=2, seq_len=3, hidden_n=5, output_n=4,
        generating_flag=False, hybridize_flag=False, ctx=CPU,
    )  # fmt: skip


def boltzmann_machine():
    kind = get(OBSERVABLE + ".restricted_boltzmann_machines", "RestrictedBoltzmannMachines")
    return kind(computable_loss=loss(), visible_dim=10, hidden_dim=4, ctx=CPU)


ACTIVATIONS = {
    "self_attention_activation_list": ["gelu"],
    "multi_head_attention_activation_list": ["gelu"],
    "fc_activation_list": ["gelu"],
}


def transformer(**kwargs):
    return get("controllablemodel._mxnet.transformer_controller", "TransformerController")(
        computable_loss=loss(), layer_n=1, head_n=2, seq_len=3, depth_dim=4, dropout_rate=0.0,
        hybridize_flag=True, ctx=CPU, **dict(ACTIVATIONS, **dict({"hidden_dim": 4}, **kwargs))
    )  # fmt: skip


def transformer_of_other_width(**kwargs):
    return transformer(hidden_dim=6, **kwargs)


def transforming_auto_encoder(**kwargs):
    path = "controllablemodel._mxnet.transforming_auto_encoder_controller"
    model = get(path, "TransformingAutoEncoderController")(
        computable_loss=loss(), layer_n=1, head_n=2, seq_len=3, depth_dim=4, hidden_dim=4,
        dropout_rate=0.0, hybridize_flag=True, ctx=CPU, **dict(ACTIVATIONS, **kwargs)
    )  # fmt: skip
    model._children["reconstructor"].hybridize()  # else 1.1.0 needs a GPU
    return model


def discriminator():
    kind = get(OBSERVABLE + ".adversarialmodel.discriminative_model", "DiscriminativeModel")
    model = convolutions(output_nn=dense([1], ["sigmoid"]))
    return kind(model=model, hybridize_flag=False, ctx=CPU)


def generator():
    noise = get("samplabledata.noisesampler._mxnet.uniform_noise_sampler", "UniformNoiseSampler")
    kind = get(OBSERVABLE + ".adversarialmodel.generative_model", "GenerativeModel")
    sampler = noise(batch_size=2, channel=3, height=6, width=6, ctx=CPU)
    layers = [Conv2DTranspose(4, 3, padding=1), Conv2DTranspose(3, 3, padding=1)]
    return kind(noise_sampler=sampler, model=convolutions(layers), hybridize_flag=False, ctx=CPU)


def energy_discriminator():
    path = OBSERVABLE + ".adversarialmodel.discriminativemodel.eb_discriminative_model"
    return get(path, "EBDiscriminativeModel")(
        model=convolutional_auto_encoder(tied_weights_flag=False), hybridize_flag=False, ctx=CPU
    )


def gan():
    return get("controllablemodel._mxnet.gan_controller", "GANController")(
        true_sampler=get("samplabledata.true_sampler", "TrueSampler")(),
        generative_model=generator(), discriminative_model=discriminator(),
        generator_loss=get("computableloss._mxnet.generator_loss", "GeneratorLoss")(),
        discriminator_loss=get("computableloss._mxnet.discriminator_loss", "DiscriminatorLoss")(),
        hybridize_flag=False, ctx=CPU,
    )  # fmt: skip


def function_approximator():
    path = OBSERVABLE + ".functionapproximator.function_approximator"
    return get(path, "FunctionApproximator")(
        model=convolutions(output_nn=dense([1], ["identity"])), hybridize_flag=False, ctx=CPU
    )


def both(model, arr):
    return [model.generative_model.model(arr), model.discriminative_model.inference(arr)]


# What each model infers from.
INPUTS = {
    dense: VECTORS, dense_normalized: VECTORS, dense_normalized_at_the_end: VECTORS,
    dense_without_bias: VECTORS, dense_of_series: SERIES,
    auto_encoder_tied: VECTORS, auto_encoder_untied: VECTORS,
    convolutions: PICTURES, convolutions_normalized: PICTURES,
    convolutions_with_output_nn: PICTURES,
    convolutional_auto_encoder_tied: PICTURES, convolutional_auto_encoder_untied: PICTURES,
    contractive_cae: PICTURES, repelling_cae: PICTURES, ladder_networks: PICTURES,
    drc_networks: PICTURES, mobilenet: PICTURES,
    lstm: SERIES, lstm_without_output_layer: SERIES, lstm_with_output_nn: SERIES,
    encoder_decoder: SERIES, boltzmann_machine: BINARY,
    transformer: SERIES, transformer_of_other_width: SERIES,
    transforming_auto_encoder: SERIES,
    discriminator: PICTURES, generator: PICTURES, energy_discriminator: PICTURES,
    gan: PICTURES, function_approximator: PICTURES,
}  # fmt: skip


def infer(model, arr):
    """All outputs of a model, as NumPy arrays."""
    if hasattr(model, "generative_model"):
        outputs = both(model, arr)
    elif type(model).__name__.startswith("Transform"):
        outputs = model.inference(arr, arr)
    elif type(model).__name__ == "GenerativeModel":
        outputs = model.model(arr)
    else:
        outputs = model.inference(arr)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [output.asnumpy() for output in outputs]
