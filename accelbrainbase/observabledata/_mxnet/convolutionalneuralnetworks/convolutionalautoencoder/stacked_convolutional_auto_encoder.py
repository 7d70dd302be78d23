"""Stacked convolutional auto-encoders: greedy layer-wise pre-training, then fine-tuning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mxnet import gluon

from accelbrainbase._checks import check_list_of
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.learning.callback import Callback
from accelbrainbase.observabledata._mxnet.convolutionalneuralnetworks.convolutional_auto_encoder import (  # noqa: E501
    ConvolutionalAutoEncoder,
)
from accelbrainbase.observabledata._mxnet.convolutionalneuralnetworks.convolutional_network_chain import (  # noqa: E501
    ConvolutionalNetworkChain,
)
from accelbrainbase.observabledata._mxnet.greedy_pre_training import learn_one_by_one


class StackedConvolutionalAutoEncoder(ConvolutionalAutoEncoder):
    """A deep convolutional auto-encoder made of shallow ones, pre-trained one by one.

    `pre_learn` lets the first auto-encoder learn the pictures, the next one the maps of the
    first, and so on. `learn` then fine-tunes all layers together. For a classifier, put
    `encoder` into a `ConvolutionalNetworkChain` with an `output_nn`, which keeps what was
    learned: the CNN that Masci et al. initialise by a stack.

    Args:
        auto_encoder_list: The shallow auto-encoders, the one of the pictures first. Each learns
            with its own loss, optimiser and learning rate.
        computable_loss: The loss of the reconstruction in fine-tuning.
        **kwargs: The other arguments of `ConvolutionalAutoEncoder` but its parts and
            `tied_weights_flag`, for fine-tuning. (Those with tied weights stay tied.)

    Raises:
        TypeError: If one of them is no `ConvolutionalAutoEncoder`.
        ValueError: If there is none.

    References:
        - Masci, J., Meier, U., Cireşan, D., & Schmidhuber, J. (2011). Stacked convolutional
          auto-encoders for hierarchical feature extraction. ICANN. Section 3.2.
    """

    def __init__(
        self,
        auto_encoder_list: Sequence[ConvolutionalAutoEncoder],
        computable_loss: ComputableLoss | gluon.loss.Loss,
        **kwargs: Any,
    ) -> None:
        parts = check_list_of(
            "auto_encoder_list", auto_encoder_list, ConvolutionalAutoEncoder, "auto-encoder"
        )
        chain_kwargs = {name: kwargs[name] for name in ("ctx", "hybridize_flag") if name in kwargs}
        super().__init__(
            encoder=ConvolutionalNetworkChain([part.encoder for part in parts], **chain_kwargs),
            decoder=ConvolutionalNetworkChain(
                [part.decoder for part in reversed(parts)], **chain_kwargs
            ),
            computable_loss=computable_loss,
            tied_weights_flag=False,
            **kwargs,
        )
        self.auto_encoder_list = tuple(parts)

    def _check_container_with_block(self) -> None:
        """The auto-encoders are no children: their encoders and decoders are."""

    def pre_learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Let the auto-encoders learn one after another, each from the maps of the last.

        What each recorded is in its own `history`.

        Args:
            iteratable_data: Generates the pictures.
            callbacks: Take part in each of the learnings.
        """
        learn_one_by_one(self.auto_encoder_list, iteratable_data, callbacks)
