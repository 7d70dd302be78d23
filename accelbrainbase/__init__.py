"""accelbrainbase: deep learning as functional equivalents, on MXNet Gluon.

Small interfaces, one learning skeleton, and many models put together by dependency
injection. All public names are here, flat, and load when they are first used:
importing the package alone loads neither MXNet nor NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from accelbrainbase.mxnet_compat import install_hook

_ADVERSARIAL = "accelbrainbase.observabledata._mxnet.adversarialmodel"
_CONTROLLABLE = "accelbrainbase.controllablemodel._mxnet"
_DISCRIMINATOR_LOSS = "accelbrainbase.computableloss._mxnet.discriminatorloss"
_GENERATOR_LOSS = "accelbrainbase.computableloss._mxnet.generatorloss"
_GENERATIVE = "accelbrainbase.observabledata._mxnet.adversarialmodel.generativemodel"
_NOISE_SAMPLER = "accelbrainbase.samplabledata.noisesampler._mxnet"
_POLICY = "accelbrainbase.samplabledata.policysampler"
_PROBLEM = "accelbrainbase.comparison.problemsetting"
_TRUE_SAMPLER = "accelbrainbase.samplabledata.truesampler"

_CONVOLUTIONAL = "accelbrainbase.observabledata._mxnet.convolutionalneuralnetworks"
_EXPORTS = {
    # interfaces
    "ComputableLoss": "accelbrainbase.computable_loss",
    "ControllableModel": "accelbrainbase.controllable_model",
    "ExtractableData": "accelbrainbase.extractable_data",
    "IteratableData": "accelbrainbase.iteratable_data",
    "NoiseableData": "accelbrainbase.noiseable_data",
    "ObservableData": "accelbrainbase.observable_data",
    "RegularizatableData": "accelbrainbase.regularizatable_data",
    "SamplableData": "accelbrainbase.samplable_data",
    # learning
    "Backend": "accelbrainbase.learning.backend",
    "Callback": "accelbrainbase.learning.callback",
    "Checkpoint": "accelbrainbase.learning.checkpoint",
    "EarlyStopping": "accelbrainbase.learning.early_stopping",
    "FallingRate": "accelbrainbase.learning.falling_rate",
    "History": "accelbrainbase.learning.history",
    "LearningLoop": "accelbrainbase.learning.loop",
    "ProgressBar": "accelbrainbase.learning.progress_bar",
    "TensorBoard": "accelbrainbase.learning.tensor_board",
    # errors
    "CheckpointError": "accelbrainbase.errors",
    "LearningInterruptedWarning": "accelbrainbase.errors",
    "NonFiniteLossError": "accelbrainbase.errors",
    "ParameterFileError": "accelbrainbase.errors",
    "ReadOnlyError": "accelbrainbase.errors",
    # what every Gluon class shares
    "GradientBlock": "accelbrainbase._mxnet.gradient_block",
    "FusedInference": "accelbrainbase._mxnet.fused_inference",
    "multiply_adds": "accelbrainbase._mxnet.inference_graph",
    "LearnableBlock": "accelbrainbase._mxnet.learnable_block",
    "LearnableController": "accelbrainbase._mxnet.learnable_controller",
    "LazyTrainer": "accelbrainbase._mxnet.lazy_trainer",
    "ConvLSTMCell": "accelbrainbase._mxnet.conv_lstm_cell",
    "NormalInitializer": "accelbrainbase._mxnet.initializableparams.normal_initializer",
    "seed": "accelbrainbase._mxnet.seeding",
    # data, losses, noise, constraints
    "ArrayIterator": "accelbrainbase.iteratabledata._mxnet.array_iterator",
    "SemiSupervisedIterator": (
        "accelbrainbase.iteratabledata._mxnet.arrayiterator.semi_supervised_iterator"
    ),
    "SeriesIterator": "accelbrainbase.iteratabledata._mxnet.arrayiterator.series_iterator",
    "pad_series": "accelbrainbase.iteratabledata.padded_series",
    "AffineNoise": "accelbrainbase.noiseabledata._mxnet.affine_noise",
    "ConstrainWeights": "accelbrainbase.regularizatabledata._mxnet.constrain_weights",
    "DRCNArrayIterator": "accelbrainbase.iteratabledata._mxnet.drcn_array_iterator",
    "CroppingRotationIterator": (
        "accelbrainbase.iteratabledata._mxnet.ssdaiterator.cropping_rotation_iterator"
    ),
    "CroppingRotationTask": (
        "accelbrainbase.iteratabledata.pretexttask._mxnet.cropping_rotation_task"
    ),
    "PretextTask": "accelbrainbase.iteratabledata.pretext_task",
    "RotationIterator": "accelbrainbase.iteratabledata._mxnet.ssdaiterator.rotation_iterator",
    "RotationTask": "accelbrainbase.iteratabledata.pretexttask._mxnet.rotation_task",
    "SSDAArrayIterator": "accelbrainbase.iteratabledata._mxnet.ssda_array_iterator",
    "SSDAIterator": "accelbrainbase.iteratabledata._mxnet.ssda_iterator",
    "SSDATransformerIterator": "accelbrainbase.iteratabledata.ssda_transformer_iterator",
    "DRCNIterator": "accelbrainbase.iteratabledata._mxnet.drcn_iterator",
    "CutoutNoise": "accelbrainbase.noiseabledata._mxnet.cutout_noise",
    "DropoutNoise": "accelbrainbase.noiseabledata._mxnet.dropout_noise",
    "GaussIterator": "accelbrainbase.iteratabledata._mxnet.gauss_iterator",
    "GaussNoise": "accelbrainbase.noiseabledata._mxnet.gauss_noise",
    "ImageExtractor": "accelbrainbase.extractabledata._mxnet.image_extractor",
    "L2NormLoss": "accelbrainbase.computableloss._mxnet.l2_norm_loss",
    "LabeledCSVExtractor": "accelbrainbase.extractabledata.labeled_csv_extractor",
    "LabeledCSVIterator": "accelbrainbase.iteratabledata._mxnet.labeled_csv_iterator",
    "LabeledImageIterator": "accelbrainbase.iteratabledata._mxnet.labeled_image_iterator",
    "LabeledVideoIterator": "accelbrainbase.iteratabledata._mxnet.labeled_video_iterator",
    "MaskingNoise": "accelbrainbase.noiseabledata._mxnet.masking_noise",
    "SaltAndPepperNoise": "accelbrainbase.noiseabledata._mxnet.salt_and_pepper_noise",
    "UnlabeledCSVExtractor": "accelbrainbase.extractabledata.unlabeled_csv_extractor",
    "UnlabeledCSVIterator": "accelbrainbase.iteratabledata._mxnet.unlabeled_csv_iterator",
    "WalkbackNoise": "accelbrainbase.noiseabledata._mxnet.walkback_noise",
    # losses of adversarial models
    "AdversarialSSDALoss": "accelbrainbase.computableloss._mxnet.adversarial_ssda_loss",
    "SSDALoss": "accelbrainbase.computableloss._mxnet.ssda_loss",
    "DRCNLoss": "accelbrainbase.computableloss._mxnet.drcn_loss",
    "DomainAdversarialLoss": "accelbrainbase.computableloss._mxnet.domain_adversarial_loss",
    "DiscriminatorLoss": "accelbrainbase.computableloss._mxnet.discriminator_loss",
    "EBGeneratorLoss": f"{_GENERATOR_LOSS}.eb_generator_loss",
    "EBDiscriminatorLoss": f"{_DISCRIMINATOR_LOSS}.eb_discriminator_loss",
    "GeneratorLoss": "accelbrainbase.computableloss._mxnet.generator_loss",
    "HingeDiscriminatorLoss": f"{_DISCRIMINATOR_LOSS}.hinge_discriminator_loss",
    "LeastSquaresDiscriminatorLoss": f"{_DISCRIMINATOR_LOSS}.least_squares_discriminator_loss",
    "LeastSquaresGeneratorLoss": f"{_GENERATOR_LOSS}.least_squares_generator_loss",
    "WassersteinDiscriminatorLoss": f"{_DISCRIMINATOR_LOSS}.wasserstein_discriminator_loss",
    "WassersteinGeneratorLoss": f"{_GENERATOR_LOSS}.wasserstein_generator_loss",
    "UnlabeledImageIterator": "accelbrainbase.iteratabledata._mxnet.unlabeled_image_iterator",
    "UnlabeledVideoIterator": "accelbrainbase.iteratabledata._mxnet.unlabeled_video_iterator",
    # samplers
    "ConditionSampler": "accelbrainbase.samplabledata.condition_sampler",
    "ConditionalLabeledTrueSampler": (
        f"{_TRUE_SAMPLER}.labeledtruesampler.conditional_labeled_true_sampler"
    ),
    "ConditionalTrueSampler": f"{_TRUE_SAMPLER}.conditional_true_sampler",
    "DenoisingSampler": "accelbrainbase.samplabledata._mxnet.denoising_sampler",
    "GaussianMixtureTrueSampler": f"{_TRUE_SAMPLER}._mxnet.gaussian_mixture_true_sampler",
    "LabeledConditionSampler": (
        "accelbrainbase.samplabledata.conditionsampler.labeled_condition_sampler"
    ),
    "LabeledTrueSampler": f"{_TRUE_SAMPLER}.labeled_true_sampler",
    "NoiseSampler": "accelbrainbase.samplabledata.noise_sampler",
    "NormalNoiseSampler": f"{_NOISE_SAMPLER}.normal_noise_sampler",
    "NormalTrueSampler": f"{_TRUE_SAMPLER}._mxnet.normal_true_sampler",
    "OneHotNoiseSampler": f"{_NOISE_SAMPLER}.one_hot_noise_sampler",
    "GymnasiumPolicy": f"{_POLICY}.gymnasium_policy",
    "LabeledSimilarImagePolicy": f"{_POLICY}._mxnet.labeled_similar_image_policy",
    "LabeledSummarizationPolicy": f"{_POLICY}._mxnet.labeled_summarization_policy",
    "PolicySampler": "accelbrainbase.samplabledata.policy_sampler",
    "UnlabeledSimilarImagePolicy": f"{_POLICY}._mxnet.unlabeled_similar_image_policy",
    "PretextSampler": "accelbrainbase.samplabledata.pretext_sampler",
    "SwissRollTrueSampler": f"{_TRUE_SAMPLER}._mxnet.swiss_roll_true_sampler",
    "TrueSampler": "accelbrainbase.samplabledata.true_sampler",
    "UniformNoiseSampler": f"{_NOISE_SAMPLER}.uniform_noise_sampler",
    "UnlabeledTrueSampler": f"{_TRUE_SAMPLER}.unlabeled_true_sampler",
    "UnlabeledSequentialCSVIterator": (
        "accelbrainbase.iteratabledata._mxnet.unlabeled_sequential_csv_iterator"
    ),
    "UnlabeledTHotCSVIterator": "accelbrainbase.iteratabledata._mxnet.unlabeled_t_hot_csv_iterator",
    "UnlabeledTHotTXTIterator": "accelbrainbase.iteratabledata._mxnet.unlabeled_t_hot_txt_iterator",
    # functional equivalents on one problem
    "AnomalyDetection": f"{_PROBLEM}.anomaly_detection",
    "Comparison": "accelbrainbase.comparison.comparison",
    "DomainAdaptation": f"{_PROBLEM}.domain_adaptation",
    "FewLabels": f"{_PROBLEM}.few_labels",
    "Generation": f"{_PROBLEM}.generation",
    "ProblemSetting": "accelbrainbase.comparison.problem_setting",
    "RepresentationLearning": f"{_PROBLEM}.representation_learning",
    "Reshaped": "accelbrainbase.comparison.reshaped",
    "ValueFunction": f"{_PROBLEM}.value_function",
    "compare": "accelbrainbase.comparison.compare",
    # estimators, with the interface of scikit-learn
    "AutoEncoderTransformer": "accelbrainbase.estimators._mxnet.auto_encoder_transformer",
    "DRCNClassifier": "accelbrainbase.estimators._mxnet.drcn_classifier",
    "EncDecAD": "accelbrainbase.estimators._mxnet.enc_dec_ad",
    "LadderClassifier": "accelbrainbase.estimators._mxnet.ladder_classifier",
    # adversarial models, and controllers
    "AdversarialModel": "accelbrainbase.observabledata._mxnet.adversarial_model",
    "AdversarialSSDAController": f"{_CONTROLLABLE}.adversarial_ssda_controller",
    "SSDAController": f"{_CONTROLLABLE}.ssda_controller",
    "AAEController": f"{_CONTROLLABLE}.gancontroller.aae_controller",
    "ConditionalGenerativeModel": f"{_GENERATIVE}.conditional_generative_model",
    "DiscriminativeModel": f"{_ADVERSARIAL}.discriminative_model",
    "EBAAEController": f"{_CONTROLLABLE}.gancontroller.aaecontroller.ebaae_controller",
    "EBDiscriminativeModel": f"{_ADVERSARIAL}.discriminativemodel.eb_discriminative_model",
    "EBGANController": f"{_CONTROLLABLE}.gancontroller.ebgan_controller",
    "GANController": f"{_CONTROLLABLE}.gan_controller",
    "GameOverWarning": "accelbrainbase.errors",
    "GenerativeAutoEncoder": f"{_GENERATIVE}.generative_auto_encoder",
    "GenerativeConvolutionalAutoEncoder": f"{_GENERATIVE}.convolutional_auto_encoder",
    "GenerativeEncoderDecoder": f"{_GENERATIVE}.encoder_decoder",
    "GenerativeModel": f"{_ADVERSARIAL}.generative_model",
    "GradientPenalty": "accelbrainbase._mxnet.gradient_penalty",
    "SemiSupervisedAAEController": (
        f"{_CONTROLLABLE}.gancontroller.aaecontroller.semi_supervised_aae_controller"
    ),
    "SampleGrid": "accelbrainbase.learning.sample_grid",
    # deep Q-learning
    "ApproximatedFunction": "accelbrainbase.observabledata._mxnet.function_approximator",
    "AggregatedAdam": "accelbrainbase._mxnet.aggregated_adam",
    "DeepQNetworkController": f"{_CONTROLLABLE}.deep_q_network_controller",
    "DoubleNextValue": "accelbrainbase._mxnet.next_values",
    "LinearDecay": "accelbrainbase.learning.linear_decay",
    "MaxNextValue": "accelbrainbase._mxnet.next_values",
    "NStepReturns": "accelbrainbase.learning.n_step_returns",
    "PrioritizedReplayMemory": "accelbrainbase.learning.prioritized_replay_memory",
    "ReplayMemory": "accelbrainbase.learning.replay_memory",
    "DQLController": f"{_CONTROLLABLE}.dql_controller",
    "DQNController": f"{_CONTROLLABLE}.dqlcontroller.dqn_controller",
    "FunctionApproximator": (
        "accelbrainbase.observabledata._mxnet.functionapproximator.function_approximator"
    ),
    # models
    "CategoricalEncoder": "accelbrainbase.observabledata._mxnet.neuralnetworks.categorical_encoder",
    "AutoEncoder": "accelbrainbase.observabledata._mxnet.neuralnetworks.auto_encoder",
    "AdditiveAttentionModel": (
        "accelbrainbase.observabledata._mxnet.attentionmodel.additive_attention_model"
    ),
    "AttentionModel": "accelbrainbase.observabledata._mxnet.attention_model",
    "MultiHeadAttentionModel": (
        "accelbrainbase.observabledata._mxnet.attentionmodel.multi_head_attention_model"
    ),
    "SelfAttentionModel": (
        "accelbrainbase.observabledata._mxnet.attentionmodel.multiheadattentionmodel"
        ".self_attention_model"
    ),
    "TransformerDecoder": (
        "accelbrainbase.observabledata._mxnet.transformermodel.transformer_decoder"
    ),
    "TransformerEncoder": (
        "accelbrainbase.observabledata._mxnet.transformermodel.transformer_encoder"
    ),
    "TransformerModel": "accelbrainbase.observabledata._mxnet.transformer_model",
    "TransformerReconstructor": (
        "accelbrainbase.observabledata._mxnet.transformermodel.transformer_reconstructor"
    ),
    "TransformerController": "accelbrainbase.controllablemodel._mxnet.transformer_controller",
    "TransformingAutoEncoderController": (
        "accelbrainbase.controllablemodel._mxnet.transforming_auto_encoder_controller"
    ),
    "GaussTransformerIterator": "accelbrainbase.iteratabledata._mxnet.gauss_transformer_iterator",
    "TransformerIterator": "accelbrainbase.iteratabledata.transformer_iterator",
    "EncoderDecoder": "accelbrainbase.observabledata._mxnet.lstmnetworks.encoder_decoder",
    "LSTMNetworks": "accelbrainbase.observabledata._mxnet.lstm_networks",
    "CLDNNetworks": "accelbrainbase.observabledata._mxnet.cldnn_networks",
    "DeepBeliefNetworks": (
        "accelbrainbase.observabledata._mxnet.restrictedboltzmannmachines.deep_belief_networks"
    ),
    "DeepBoltzmannMachines": (
        "accelbrainbase.observabledata._mxnet.restrictedboltzmannmachines.deep_boltzmann_machines"
    ),
    "ContractiveAutoEncoder": (
        "accelbrainbase.observabledata._mxnet.neuralnetworks.autoencoder.contractive_auto_encoder"
    ),
    "ContractiveCAE": f"{_CONVOLUTIONAL}.convolutionalautoencoder.contractive_cae",
    "RepellingAutoEncoder": (
        "accelbrainbase.observabledata._mxnet.neuralnetworks.autoencoder.repelling_auto_encoder"
    ),
    "RepellingCAE": f"{_CONVOLUTIONAL}.convolutionalautoencoder.repelling_cae",
    "ConvolutionalAutoEncoder": f"{_CONVOLUTIONAL}.convolutional_auto_encoder",
    "ConvolutionalNetworkChain": f"{_CONVOLUTIONAL}.convolutional_network_chain",
    "ConvolutionalNeuralNetworks": (
        "accelbrainbase.observabledata._mxnet.convolutional_neural_networks"
    ),
    "DRCNetworks": f"{_CONVOLUTIONAL}.drc_networks",
    "DomainAdversarialNetworks": f"{_CONVOLUTIONAL}.domain_adversarial_networks",
    "MobileNet3DV2": f"{_CONVOLUTIONAL}.mobilenet_3d_v2",
    "MobileNetV2": f"{_CONVOLUTIONAL}.mobilenet_v2",
    "DuelingNetworks": "accelbrainbase.observabledata._mxnet.neuralnetworks.dueling_networks",
    "NN3DHybrid": "accelbrainbase.observabledata._mxnet.neuralnetworks.neural_networks_3d",
    "NetworkChain": "accelbrainbase.observabledata._mxnet.neuralnetworks.network_chain",
    "NeuralNetworks": "accelbrainbase.observabledata._mxnet.neural_networks",
    "RestrictedBoltzmannMachines": (
        "accelbrainbase.observabledata._mxnet.restricted_boltzmann_machines"
    ),
    "LadderNetworks": (
        "accelbrainbase.observabledata._mxnet.neuralnetworks.autoencoder.ladder_networks"
    ),
    "StackedAutoEncoder": (
        "accelbrainbase.observabledata._mxnet.neuralnetworks.autoencoder.stacked_auto_encoder"
    ),
    "SpatioTemporalAutoEncoder": (
        f"{_CONVOLUTIONAL}.convolutionalautoencoder.spatio_temporal_auto_encoder"
    ),
    "ConvolutionalLadderNetworks": (
        f"{_CONVOLUTIONAL}.convolutionalautoencoder.convolutional_ladder_networks"
    ),
    "StackedConvolutionalAutoEncoder": (
        f"{_CONVOLUTIONAL}.convolutionalautoencoder.stacked_convolutional_auto_encoder"
    ),
}

_MODULES = ("plotting",)  # with functions of their own: `accelbrainbase.plotting.losses`

__all__ = sorted(_EXPORTS)

install_hook()


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("accel-brain-base")
    elif name in _MODULES:
        value = import_module(f"accelbrainbase.{name}")
    elif name in _EXPORTS:
        value = getattr(import_module(_EXPORTS[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value  # the next access is direct
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES, "__version__"})
