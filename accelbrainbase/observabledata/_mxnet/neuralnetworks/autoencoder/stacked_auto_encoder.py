"""Stacked auto-encoders: greedy layer-wise pre-training, then fine-tuning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mxnet import gluon

from accelbrainbase._checks import check_list_of
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.learning.callback import Callback
from accelbrainbase.observabledata._mxnet.greedy_pre_training import learn_one_by_one
from accelbrainbase.observabledata._mxnet.neuralnetworks.auto_encoder import AutoEncoder
from accelbrainbase.observabledata._mxnet.neuralnetworks.network_chain import NetworkChain


class StackedAutoEncoder(AutoEncoder):
    """A deep auto-encoder made of shallow ones, which are pre-trained one after another.

    `pre_learn` lets the first auto-encoder learn the data, the next one the codes of the
    first, and so on. `learn` then fine-tunes all layers together: the encoders upwards, the
    decoders back down. Without `pre_learn` it is a plain deep auto-encoder, so that the two
    can be compared. For a classifier, put a layer on top of `encoder` by a `NetworkChain`.

    Args:
        auto_encoder_list: The shallow auto-encoders, the one of the data first. Each learns
            with its own loss, optimiser and learning rate.
        computable_loss: The loss of the reconstruction in fine-tuning.
        **kwargs: The other arguments of `AutoEncoder` but its parts and
            `tied_weights_flag`, for fine-tuning. (Auto-encoders with tied weights stay tied.)

    Raises:
        TypeError: If one of them is no `AutoEncoder`.
        ValueError: If there is none, or their widths do not fit.

    References:
        - Bengio, Y., Lamblin, P., Popovici, D., & Larochelle, H. (2007). Greedy layer-wise
          training of deep networks. NIPS 19. Section 4.
        - Erhan, D., et al. (2010). Why does unsupervised pre-training help deep learning?
          Journal of Machine Learning Research, 11, 625-660.
    """

    def __init__(
        self,
        auto_encoder_list: Sequence[AutoEncoder],
        computable_loss: ComputableLoss | gluon.loss.Loss,
        **kwargs: Any,
    ) -> None:
        parts = check_list_of("auto_encoder_list", auto_encoder_list, AutoEncoder, "auto-encoder")
        for number, (lower, upper) in enumerate(zip(parts, parts[1:]), start=1):
            code_n, output_n = lower.encoder.units_list[-1], upper.decoder.units_list[-1]
            if code_n != output_n:
                raise ValueError(
                    f"`auto_encoder_list[{number}]` must reconstruct the {code_n} code units of "
                    f"the one before it, but its decoder has {output_n} units."
                )
        chain_kwargs = {name: kwargs[name] for name in ("ctx", "hybridize_flag") if name in kwargs}
        super().__init__(
            encoder=NetworkChain([part.encoder for part in parts], **chain_kwargs),
            decoder=NetworkChain([part.decoder for part in reversed(parts)], **chain_kwargs),
            computable_loss=computable_loss,
            **kwargs,
        )
        self.auto_encoder_list = tuple(parts)

    def _check_container_with_block(self) -> None:
        """The auto-encoders are no children: their encoders and decoders are."""

    def pre_learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Let the auto-encoders learn one after another, each from the codes of the last.

        What each recorded is in its own `history`.

        Args:
            iteratable_data: Generates the data points.
            callbacks: Take part in each of the learnings.
        """
        learn_one_by_one(self.auto_encoder_list, iteratable_data, callbacks)
