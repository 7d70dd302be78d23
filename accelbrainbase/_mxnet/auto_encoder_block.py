"""What dense and convolutional auto-encoders share: corrupted input, and their energy."""

from __future__ import annotations

from typing import Any

from mxnet import autograd, nd

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.features import of_output
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase._mxnet.potential_energy import potential_energy
from accelbrainbase.noiseable_data import NoiseableData


class AutoEncoderBlock(GradientBlock):
    """An auto-encoder of an `encoder` and a `decoder`.

    With a `noiseable_data` it is a denoising auto-encoder: what it observes in learning is
    corrupted, the target stays clean (Vincent et al. 2008). Evaluation and inference see clean
    data.
    """

    encoder: Any
    decoder: Any
    _noiseable_data: NoiseableData | None = None

    @property
    def noiseable_data(self) -> NoiseableData | None:
        """Corrupts what is observed in learning, each time anew; `None` for no noise."""
        return self._noiseable_data

    @noiseable_data.setter
    def noiseable_data(self, value: NoiseableData | None) -> None:
        check_is_a("noiseable_data", value, NoiseableData, optional=True)
        self.__dict__["_noiseable_data"] = value

    def corrupted(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Return a corrupted copy for a step of learning; without noise `observed_arr` itself.

        Args:
            observed_arr: Shape `(batch, *features)`.
        """
        if self.noiseable_data is None:
            return observed_arr
        with autograd.pause(train_mode=False):
            return self.noiseable_data.noise(observed_arr)

    @of_output
    def _batch_loss(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        return super()._batch_loss(self.corrupted(observed_arr), target_arr)

    # -- for models that learn with an auto-encoder as a part -----------------------------

    def codes_in_learning(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Hook: compute codes as they are in learning, to be recorded; without corruption.

        Args:
            observed_arr: Shape `(batch, *features)`.
        """
        return self.encoder(observed_arr)

    def reconstruction_in_learning(
        self, observed_arr: nd.NDArray
    ) -> tuple[nd.NDArray, nd.NDArray | None]:
        """Hook: reconstruct as in learning, to be recorded.

        Args:
            observed_arr: Clean data points, shape `(batch, *features)`.

        Returns:
            What is to be compared with the clean data points; and what learning minimises beside
            that, weighted, shape `(batch,)` or `(1,)`, or `None`.
        """
        return self(self.corrupted(observed_arr)), None

    def code_and_reconstruction(self, F: Any, x: Any) -> tuple[Any, Any]:  # noqa: ARG002
        """Hook: compute both as at inference, in a graph.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Data points, shape `(batch, *features)`.
        """
        return self.encoder(x), self(x)

    def energy(self, observed_arr: Any) -> nd.NDArray:
        r"""Return the potential energy of data points: lower means more like the learned ones.

        .. math:: E(x) = \tfrac{1}{2} \lVert x - b \rVert^2 - \sum_j H(W_j x + c_j), \quad
            H' = h, \quad -\frac{\partial E}{\partial x} = r(x) - x

        What an auto-encoder r does to a data point is a step down this energy. It exists where
        the decoder is linear and has the weights of the encoder, which is one layer; H is
        softplus for sigmoid units h, and half the square for rectified ones. With sigmoid units
        it is, up to a constant, the free energy of the restricted Boltzmann machine with
        Gaussian visible units of variance 1 that has these parameters. Only differences between
        data points of one model have a meaning.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.

        Returns:
            Shape `(batch,)`. It can be recorded and differentiated.

        Raises:
            ValueError: If the auto-encoder has no such energy; the message says why.

        References:
            - Kamyshanska, H., & Memisevic, R. (2014). The potential energy of an autoencoder.
              IEEE Transactions on Pattern Analysis and Machine Intelligence, 37(6), 1261-1273.
              Section 3.
        """
        observed_arr = self.on_device("observed_arr", observed_arr)
        self._check_input(observed_arr)
        if any(p._deferred_init for p in self.collect_params().values()):
            self.inference(observed_arr)
        return potential_energy(self, observed_arr)
