"""An auto-encoder as the generator of an adversarial game."""

from __future__ import annotations

from typing import Any

from mxnet import nd
from mxnet.gluon import HybridBlock

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.auto_encoder_block import AutoEncoderBlock
from accelbrainbase._mxnet.features import FeatureBlock
from accelbrainbase.observabledata._mxnet.adversarialmodel.generative_model import (
    GenerativeModel,
    add_noise,
)
from accelbrainbase.samplable_data import SamplableData
from accelbrainbase.samplabledata.joining import join


class GenerativeAutoEncoder(GenerativeModel):
    """An auto-encoder whose encoder generates codes: the generator of an adversarial one.

    The data points come from the samplers: from `noise_sampler` alone (a `NoiseSampler` over an
    iterator), or from `condition_sampler`, to which noise is added. The arguments are those of
    `GenerativeModel`; `model` has the attributes `encoder` and `decoder`.

    Args:
        noise_sampler: Draws data points, or the noise that is added to them; `None` for no
            noise.
        model: The auto-encoder.
        *args: As in `GenerativeModel`.
        label_flag: Whether codes are followed by the labels of their data points, which the
            `condition_sampler` draws (a `LabeledConditionSampler`), so that the discriminator
            sees them. A label of zeros is none.
        encoder_noise_sampler: Draws noise that the encoder gets beside the data points, joined on
            axis 1. Then a code is drawn from a distribution of any form, and codes can fill the
            prior also where there are few data points (the *universal approximator posterior*
            of section 2). `None`: the code is a function of the data point. A penalty of the
            auto-encoder has then no part in the game.
        **kwargs: As in `GenerativeModel`.

    Raises:
        TypeError: If `model` has no encoder or no decoder.

    Attributes:
        label_flag: Whether codes are followed by labels.

    References:
        - Makhzani, A., et al. (2015). Adversarial autoencoders. arXiv:1511.05644.
    """

    label_flag: bool = False
    encoder_noise_sampler: Any = None

    def __init__(
        self,
        noise_sampler: SamplableData | None,
        model: HybridBlock,
        *args: Any,
        label_flag: bool = False,
        encoder_noise_sampler: SamplableData | None = None,
        **kwargs: Any,
    ) -> None:
        self._check_model(model)
        check_is_a("encoder_noise_sampler", encoder_noise_sampler, SamplableData, optional=True)
        super().__init__(noise_sampler, model, *args, **kwargs)
        self.label_flag = bool(label_flag)
        self.encoder_noise_sampler = encoder_noise_sampler

    def _draw_start(self) -> tuple[nd.NDArray, nd.NDArray | None]:
        if not self.label_flag:
            return super()._draw_start()
        drawn = self.condition_sampler.draw()
        if len(drawn) != 3:
            raise ValueError(
                f"`label_flag=True` needs a `condition_sampler` that draws labels too, as a "
                f"LabeledConditionSampler does, but {type(self.condition_sampler).__name__} "
                f"does not."
            )
        observed_arr, label_arr = (self.on_device("drawn_arr", drawn[n]) for n in (0, 2))
        if self.noise_sampler is not None:
            noise_arr = self.on_device("noise_arr", self.noise_sampler.draw())
            observed_arr = add_noise(observed_arr, noise_arr)
        return observed_arr, label_arr

    def _check_model(self, model: Any) -> None:
        """Hook: raise a `TypeError` if `model` is not the kind of auto-encoder it must be."""
        for part in ("encoder", "decoder"):
            if not callable(getattr(model, part, None)):
                raise TypeError(
                    f"`model` must be an auto-encoder with the networks `encoder` and `decoder`, "
                    f"but `{type(model).__name__}` has no `{part}`."
                )

    def draw(self) -> Any:
        """Draw one mini-batch and reconstruct it.

        Returns:
            A tuple of the codes, shape `(batch, *code)`, joined with labels (`label_flag`), or
            with the condition where the condition sampler has a `model`; the observed data
            points as the encoder got them; and their reconstructions.
        """
        observed_arr, condition_arr = self._draw_start()
        code_arr, reconstructed_arr = self._code_and_reconstruction(observed_arr)
        if condition_arr is not None:
            code_arr = join(code_arr, condition_arr, self.conditonal_dim)
        return code_arr, observed_arr, reconstructed_arr

    def draw_in_learning(self) -> tuple[nd.NDArray, nd.NDArray, nd.NDArray | None]:
        """Draw one mini-batch and reconstruct it as the auto-encoder learns; to be recorded.

        Where the auto-encoder has a `noiseable_data`, that corrupts what it gets.

        Returns:
            A tuple of the observed data points, which are to be reconstructed; their
            reconstructions; and what the auto-encoder minimises beside, such as the penalty of a
            contractive one, weighted, shape `(batch,)` or `(1,)`, or `None`.
        """
        observed_arr, _ = self._draw_start()
        if not isinstance(self.model, AutoEncoderBlock):
            return observed_arr, self._code_and_reconstruction(observed_arr)[1], None
        if self.encoder_noise_sampler is None:
            return observed_arr, *self.model.reconstruction_in_learning(observed_arr)
        corrupted_arr = self.model.corrupted(observed_arr)
        return observed_arr, self._code_and_reconstruction(corrupted_arr)[1], None

    def draw_code(self) -> nd.NDArray:
        """Draw one mini-batch and encode it, without reconstructing it.

        Returns:
            The codes, as `draw` returns them.
        """
        observed_arr, condition_arr = self._draw_start()
        code_arr = self._encode(observed_arr)
        if condition_arr is not None:
            code_arr = join(code_arr, condition_arr, self.conditonal_dim)
        return code_arr

    def _code_and_reconstruction(self, observed_arr: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray]:
        if isinstance(self.model, FeatureBlock) and self.encoder_noise_sampler is None:
            reconstructed_arr = self(observed_arr)
            return self.model.kept_features(), reconstructed_arr
        code_arr = self._encode(observed_arr)
        return code_arr, self._decode(code_arr)

    def _encode(self, observed_arr: nd.NDArray) -> nd.NDArray:
        if self.encoder_noise_sampler is not None:
            noise_arr = self.on_device("noise_arr", self.encoder_noise_sampler.draw())
            observed_arr = join(observed_arr, noise_arr[: observed_arr.shape[0]], 1)
        return self.model.encoder(observed_arr)

    def generate(self, latent_arr: Any) -> nd.NDArray:
        """Decode given codes.

        Args:
            latent_arr: NDArray or NumPy array, shape `(batch, *code)`.

        Returns:
            Data points, shape `(batch, *features)`.
        """
        return self._decode(self.on_device("latent_arr", latent_arr))

    def _decode(self, code_arr: nd.NDArray) -> nd.NDArray:
        between = getattr(self.model, "output_nn", None)  # of a convolutional auto-encoder
        return self.model.decoder(code_arr if between is None else between(code_arr))
