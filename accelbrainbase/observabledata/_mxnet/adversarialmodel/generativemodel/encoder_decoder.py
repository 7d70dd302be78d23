"""An encoder/decoder on LSTM as the generator of an adversarial game."""

from __future__ import annotations

from typing import Any

from accelbrainbase.observabledata._mxnet.adversarialmodel.generativemodel.generative_auto_encoder import (  # noqa: E501
    GenerativeAutoEncoder,
)


class GenerativeEncoderDecoder(GenerativeAutoEncoder):
    """An encoder/decoder for series whose encoder generates codes.

    The arguments are those of `GenerativeAutoEncoder`; `model` is an `EncoderDecoder`.
    """

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Compile the encoder/decoder, or run it imperatively.

        It makes a graph for each length of series, so it is compiled by itself.

        Args:
            active: Whether to compile.
            **kwargs: Flags of Gluon.
        """
        self.model.hybridize(active, **kwargs)


EncoderDecoder = GenerativeEncoderDecoder
"""The name in 1.1.0."""
