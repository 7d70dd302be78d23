"""A convolutional auto-encoder as the generator of an adversarial game."""

from __future__ import annotations

from accelbrainbase.observabledata._mxnet.adversarialmodel.generativemodel.generative_auto_encoder import (  # noqa: E501
    GenerativeAutoEncoder,
)


class GenerativeConvolutionalAutoEncoder(GenerativeAutoEncoder):
    """A convolutional auto-encoder whose encoder generates codes.

    The arguments are those of `GenerativeAutoEncoder`; `model` is a `ConvolutionalAutoEncoder`.
    """


ConvolutionalAutoEncoder = GenerativeConvolutionalAutoEncoder
"""The name in 1.1.0."""
