"""How ladder networks learn, dense or convolutional."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from mxnet import autograd, gluon, nd
from mxnet.gluon import HybridBlock

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_each_per_layer, check_is_a, check_number
from accelbrainbase._mxnet.class_targets import (
    check_class_numbers,
    compared,
    takes_class_numbers,
)
from accelbrainbase._mxnet.gradient_block import GradientBlock
from accelbrainbase._mxnet.host_copy import copied
from accelbrainbase._mxnet.ladder import (
    LadderGraph,
    LadderParameters,
    LadderPath,
    default_weights,
    lowest_level,
)
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.learning.losses import Weighted
from accelbrainbase.noiseable_data import NoiseableData

logger = logging.getLogger(__name__)


class LadderBlock(GradientBlock):
    """What dense and convolutional ladders share: the cost, marked labels, statistics.

    A class that derives from this one and from an auto-encoder calls `_check_ladder` before
    the constructor of the auto-encoder, and `_build_ladder` in the end.

    Attributes:
        alpha: Factor on all denoising costs together.
        noiseable_data: What corrupts the data, instead of Gaussian noise, or `None`.
    """

    alpha: float = 1.0
    _learns_on_several = False  # its costs are of a mini-batch as a whole
    noiseable_data: NoiseableData | None = None

    _graph: Any = None
    _supervised: Any = None
    _supervised_loss: Any = None
    _had_statistics: bool = False

    def _check_ladder(
        self,
        supervised_loss: ComputableLoss | gluon.loss.Loss | None,
        denoising_weight_list: Sequence[float] | None,
        noise_sigma: float,
        noiseable_data: NoiseableData | None,
        statistics_momentum: float,
        layer_n: int,
    ) -> None:
        """Check the settings and keep them; may run before any constructor."""
        check_is_a(
            "supervised_loss", supervised_loss, (ComputableLoss, gluon.loss.Loss), optional=True
        )
        check_is_a("noiseable_data", noiseable_data, NoiseableData, optional=True)
        sigma = check_number("noise_sigma", noise_sigma, low=0.0)
        momentum = check_number(
            "statistics_momentum", statistics_momentum, low=0.0, high=1.0, high_open=True
        )
        if denoising_weight_list is None:
            weights = default_weights(layer_n + 1, supervised_loss is not None)
        else:
            if len(denoising_weight_list) != layer_n + 1:
                raise ValueError(
                    f"`denoising_weight_list` must have one entry for the data and one for each "
                    f"of the {layer_n} layers of the encoder, {layer_n + 1} together, but has "
                    f"{len(denoising_weight_list)}."
                )
            weights = [
                check_number("denoising_weight_list", weight, low=0.0)
                for weight in check_each_per_layer(
                    "denoising_weight_list", denoising_weight_list, layer_n + 1
                )
            ]
        if supervised_loss is None and not any(weights):
            raise ValueError(
                "`denoising_weight_list` must have an entry above 0 where there is no "
                "`supervised_loss`: there would be nothing to learn."
            )
        compute: Any = supervised_loss
        if isinstance(supervised_loss, ComputableLoss):
            compute = supervised_loss.compute
        self.__dict__.update(
            _supervised_loss=supervised_loss,
            _supervised=compute,
            _weights=tuple(weights),
            noise_sigma=sigma,
            statistics_momentum=momentum,
            _shapes={},
        )
        if noiseable_data is not None:
            self.__dict__["noiseable_data"] = noiseable_data

    def _build_ladder(
        self,
        encoder: Any,
        decoder: Any,
        widths: Sequence[int],
        is_map: bool,
        blocks: Sequence[HybridBlock],
    ) -> None:
        """Build what a ladder has beside the layers of its parts.

        Args:
            encoder: The encoder.
            decoder: The decoder.
            widths: Number of units, or maps, at each level, the data first.
            is_map: Whether levels are maps.
            blocks: All blocks whose parameters are used.
        """
        if len(encoder._stack) != len(decoder._stack):
            raise ValueError(
                f"A ladder needs a decoder with as many layers as the encoder, which mirror each "
                f"other, but the encoder has {len(encoder._stack)} and the decoder "
                f"{len(decoder._stack)}."
            )
        for stack in (encoder._stack, decoder._stack):
            give_up_norms(stack)
            for layer in stack.linear_list:
                give_up_bias(layer)
        top = len(encoder._stack)
        lowest = lowest_level(self._weights)
        with self.name_scope():
            self.ladder = LadderParameters(widths, lowest)
        used_above = {id(p) for layer in encoder._stack.linear_list for p in _learned(layer)}
        for number, layer in enumerate(decoder._stack.linear_list):
            if top - 1 - number < lowest:
                for parameter in _learned(layer):
                    if id(parameter) not in used_above:
                        parameter.grad_req = "null"
        graph = LadderGraph(
            self.ladder,
            encoder._stack.linear_list,
            encoder._stack._activations,
            encoder._stack._dropouts,
            decoder._stack.linear_list,
            is_map,
            self._weights,
            self._top,
            self._back,
        )
        graph.compile(blocks)
        self._graph = graph

    # -- hooks -------------------------------------------------------------------------

    def _top(self, F: Any, y: Any, h: Any) -> tuple[Any, Any]:
        """Hook: return scores and code, of the top level before and after its activation."""
        raise NotImplementedError

    def _back(self, F: Any, code: Any, h: Any) -> Any:
        """Hook: return what the decoder gets from the top."""
        raise NotImplementedError

    def _level_shapes(self, observed_arr: nd.NDArray) -> list[tuple[int, ...]]:
        """Hook: return the shape of each level, of one data point."""
        raise NotImplementedError

    def _as_levels(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Hook: return the data in the shape of level 0."""
        return observed_arr

    # -- settings ----------------------------------------------------------------------

    @read_only
    def denoising_weight_list(self) -> list[float]:
        """λ of each level, the data first."""
        return list(self._weights)

    @property
    def _compiled(self) -> list[LadderPath]:
        return [] if self._graph is None else self._graph.paths

    @read_only
    def supervised_loss(self) -> Any:
        """The loss of the scores of labelled data points, or `None`."""
        return self._supervised_loss

    def _settings(self) -> dict[str, Any]:
        weights = ", ".join(f"{weight:g}" for weight in self._weights)
        return {"denoising weights": weights, "noise": self.noise_sigma, **super()._settings()}

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Compile the network to a static graph, or run it imperatively.

        Args:
            active: Whether to compile.
            **kwargs: Flags of Gluon. Unless given otherwise, memory is static.
        """
        super().hybridize(active, **kwargs)
        for path in self._compiled:
            path._active = active
            path._flags = list(self._flags)
            path._clear_cached_op()

    def _clear_cached_op(self) -> None:
        super()._clear_cached_op()
        for path in self._compiled:
            path._clear_cached_op()

    # -- learning ----------------------------------------------------------------------

    def _split(self, batch: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        if len(batch) > 4:
            return (batch[0], batch[1], batch[4]), batch[2:4]
        return super()._split(batch)

    def _prepare_on(self, batch: Sequence[Any]) -> None:
        super()._prepare_on(batch)
        if takes_class_numbers(self._supervised_loss):
            parts = self._split(batch)
            score_arr = self.encode(parts[0][0])
            check_class_numbers(self._supervised_loss, score_arr, parts, self.on_device, lowest=-1)

    def _train_step(
        self,
        observed_arr: nd.NDArray,
        target_arr: nd.NDArray,
        unlabeled_arr: nd.NDArray | None = None,
    ) -> Any:
        if unlabeled_arr is not None and self._supervised is None:
            raise ValueError(
                "`iteratable_data` generates labelled and unlabelled data points apart, so the "
                "model must be built with a `supervised_loss`."
            )
        if unlabeled_arr is not None and unlabeled_arr.shape[1:] != observed_arr.shape[1:]:
            raise ValueError(
                f"`iteratable_data` must generate unlabelled data points of the shape of labelled "
                f"ones, {observed_arr.shape[1:]}, but generates {unlabeled_arr.shape[1:]}."
            )
        if self._lacks_statistics(observed_arr if unlabeled_arr is None else unlabeled_arr):
            if not self._had_statistics:
                raise ValueError(
                    "A ladder normalises by the statistics of a mini-batch, and so cannot learn "
                    "from single data points: `iteratable_data` needs a `batch_size` above 1."
                )
            return {}  # a last mini-batch of one data point
        if unlabeled_arr is not None and self._lacks_statistics(observed_arr):
            raise ValueError(
                "A ladder normalises by the statistics of a mini-batch, so there must be at least "
                "two labelled data points in each: `iteratable_data` needs a "
                "`labeled_batch_size` above 1."
            )
        self._had_statistics = True
        with autograd.record():
            losses = self._costs(observed_arr, target_arr, unlabeled_arr)
        self.update(losses["loss"], observed_arr.shape[0], self.trainer)
        self._after_update()
        return losses

    def _batch_loss(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        return self._costs(observed_arr, target_arr, None)

    def _costs(
        self,
        observed_arr: nd.NDArray,
        target_arr: nd.NDArray,
        unlabeled_arr: nd.NDArray | None,
    ) -> dict[str, nd.NDArray]:
        r"""Return the cost C of each sample, and its parts; to be recorded."""
        x = self._as_levels(observed_arr)
        if unlabeled_arr is None:
            truth = target_arr if self._supervised is None else x
            out = self._compiled[0](x, *self._draw(x))
        else:
            truth = self._as_levels(unlabeled_arr)
            out = self._compiled[1](truth, x, *self._draw(truth), *self._draw(x))
        cost_arr, denoised_arr, score_arr, mean_arr, variance_arr = out
        with autograd.pause():
            self.ladder.update_statistics(mean_arr, variance_arr, self.statistics_momentum)
        if self._weights[0]:
            cost_arr = cost_arr + self._weights[0] * self.compute_loss(denoised_arr, truth)
        cost_arr = cost_arr * self.alpha
        if self._supervised is None:
            return {"loss": cost_arr, "denoising_loss": cost_arr}
        supervised_arr = self._supervised_costs(score_arr, target_arr)
        label_arr, weight_arr = None, 1.0
        if unlabeled_arr is None:
            with autograd.pause():
                label_arr = _labelled(target_arr)
                weight_arr = _shares(label_arr)
            loss_arr = supervised_arr * weight_arr + cost_arr
        else:
            loss_arr = nd.broadcast_add(supervised_arr, cost_arr.mean())
        losses = {"loss": loss_arr, "denoising_loss": cost_arr}
        with autograd.pause():
            losses["supervised_loss"] = supervised_arr * weight_arr
            if self.compute_acc_flag:
                right_arr = self._score_of_classes(score_arr, target_arr)
                # Mini-batches without labels tell nothing of it.
                losses["accuracy"] = (
                    right_arr if label_arr is None else Weighted(right_arr, label_arr)
                )
        return losses

    def _supervised_costs(self, score_arr: nd.NDArray, target_arr: nd.NDArray) -> nd.NDArray:
        loss_arr = compared("supervised_loss", self._supervised, score_arr, target_arr)
        if loss_arr.shape != (score_arr.shape[0],):
            raise ValueError(
                f"`supervised_loss` must give one loss for each sample, shape "
                f"({score_arr.shape[0]},), but gave {loss_arr.shape}. Average over all axes but "
                f"the first."
            )
        return loss_arr

    # -- as a part of another model -----------------------------------------------------

    def codes_in_learning(self, observed_arr: nd.NDArray) -> nd.NDArray:
        """Compute codes by the noisy path, to be recorded: where labels are learned.

        Args:
            observed_arr: Shape `(batch, *features)`.
        """
        return self._noisy(observed_arr)[2]

    def reconstruction_in_learning(
        self, observed_arr: nd.NDArray
    ) -> tuple[nd.NDArray, nd.NDArray | None]:
        """Denoise; what is minimised beside are the denoising costs above the data.

        Args:
            observed_arr: Clean data points, shape `(batch, *features)`.
        """
        cost_arr, denoised_arr, *_ = self._noisy(observed_arr)
        return denoised_arr, cost_arr * self.alpha

    def code_and_reconstruction(self, F: Any, x: Any) -> tuple[Any, Any]:
        """Compute both by the clean path, in a graph.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Data points, shape `(batch, *features)`.
        """
        denoised, code = self._graph.reconstruct(F, self._as_levels_of(F, x))
        return code, denoised

    def _noisy(self, observed_arr: nd.NDArray) -> Sequence[nd.NDArray]:
        """Compute costs, denoised data and scores, and follow the statistics."""
        x = self._as_levels(observed_arr)
        out = self._compiled[0](x, *self._draw(x))
        with autograd.pause():
            self.ladder.update_statistics(out[3], out[4], self.statistics_momentum)
        return out

    def _lacks_statistics(self, observed_arr: nd.NDArray) -> bool:
        """Tell whether a unit has a single value in a mini-batch: it has no deviation."""
        if observed_arr.shape[0] > 1:
            return False
        shapes = self._shapes_of(self._as_levels(observed_arr))[1:]
        return any(math.prod(shape[1:]) == 1 for shape in shapes)

    def _shapes_of(self, x: nd.NDArray) -> list[tuple[int, ...]]:
        """Return the shape of each level, of one data point."""
        key = x.shape[1:]
        if key not in self._shapes:
            self._shapes[key] = self._level_shapes(x)
        return self._shapes[key]

    def _draw(self, x: nd.NDArray) -> list[nd.NDArray]:
        """Return the noise at each level.

        Drawn by NumPy, which is five times as fast at it as MXNet on a CPU.
        """
        generator = np.random.default_rng(np.random.randint(2**31))
        noises = []
        for level, shape in enumerate(self._shapes_of(x)):
            if level == 0 and self.noiseable_data is not None:
                noises.append(self.noiseable_data.noise(x) - x)
                continue
            arr = generator.standard_normal((x.shape[0], *shape), dtype=np.float32)
            arr *= np.float32(self.noise_sigma)
            noises.append(copied(arr, x.context))
        return noises

    def _evaluate(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:
        if self._supervised is None:
            return {"loss": self.compute_loss(self.inference(observed_arr), target_arr)}
        score_arr = self._encoded(observed_arr)[1]
        label_arr = _labelled(target_arr)  # marked rows of test data tell nothing
        losses = Weighted(self._supervised_costs(score_arr, target_arr), label_arr)
        scores = {"loss": losses, "supervised_loss": losses}
        if self.compute_acc_flag:
            right_arr = self._score_of_classes(score_arr, target_arr)
            scores["accuracy"] = Weighted(right_arr, label_arr)
        return scores

    def _score_of_classes(self, score_arr: nd.NDArray, target_arr: nd.NDArray) -> nd.NDArray:
        predicted = score_arr.argmax(axis=1)
        if target_arr.ndim == 2 and target_arr.shape[1] > 1:
            return predicted == target_arr.argmax(axis=1)
        return predicted == target_arr.reshape((-1,)).astype("float32")

    # -- inference ---------------------------------------------------------------------

    def forward_propagation(self, F: Any, x: Any) -> Any:
        """Compute the reconstruction, by the clean encoder and the decoder.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points.

        Returns:
            The denoised data.
        """
        denoised, code = self._graph.reconstruct(F, self._as_levels_of(F, x))
        self.keep_features(code)
        return denoised

    def _as_levels_of(self, F: Any, x: Any) -> Any:  # noqa: ARG002
        """Hook: return the data in the shape of level 0, in a graph."""
        return x

    def encode(self, observed_arr: Any) -> nd.NDArray:
        """Return what the clean encoder makes of data points, by running statistics.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.

        Returns:
            Codes. Where the model was built with a `supervised_loss`: scores of the classes
            (probabilities if the last activation is `softmax`).
        """
        return self._encoded(self.on_device("observed_arr", observed_arr))[2]

    def _encoded(self, observed_arr: nd.NDArray) -> list[nd.NDArray]:
        self._check_input(observed_arr)
        if any(p._deferred_init for p in self.collect_params().values()):
            self(observed_arr[:1])
        return self._compiled[2](self._as_levels(observed_arr))

    def classify(self, observed_arr: Any) -> np.ndarray:
        """Return the most probable classes.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.

        Returns:
            Numbers of classes, shape `(batch,)`.

        Raises:
            ValueError: If the model was built without `supervised_loss`.
        """
        if self._supervised is None:
            raise ValueError(
                "`classify` needs classes that were learned: build the model with a "
                "`supervised_loss`."
            )
        return self.encode(observed_arr).argmax(axis=1).asnumpy().astype(int)


def _labelled(target_arr: nd.NDArray) -> nd.NDArray:
    """Return 1 for each row that has a label, else 0."""
    if target_arr.ndim > 1 and target_arr.shape[1] > 1:
        label_arr = target_arr.reshape((target_arr.shape[0], -1)).abs().max(axis=1) > 0
    else:
        label_arr = target_arr.reshape((-1,)) >= 0
    return label_arr.astype("float32")


def _shares(label_arr: nd.NDArray) -> nd.NDArray:
    """Return the weight of the supervised cost of each row: 0 where there is no label.

    The weights of a mini-batch have a mean of 1, so that the cost is the mean over labels.
    """
    return nd.broadcast_div(label_arr, nd.maximum(label_arr.mean(), 1e-6))


def _learned(layer: HybridBlock) -> list[gluon.Parameter]:
    return list(layer.collect_params().values())


def give_up_bias(layer: HybridBlock) -> None:
    """Let a linear layer have no bias: batch normalisation would take it away again."""
    bias = getattr(layer, "bias", None)
    if bias is None:
        return
    layer.params._params.pop(bias.name, None)
    layer._reg_params.pop("bias", None)
    layer.__dict__["bias"] = None
    if hasattr(layer, "_kwargs") and "no_bias" in layer._kwargs:
        layer._kwargs["no_bias"] = True
    layer._clear_cached_op()


def give_up_norms(stack: Any) -> None:
    """Take away the batch normalisations of a network: a ladder has its own."""
    for number, block in enumerate(stack.batch_norm_list):
        if block is not None:
            logger.debug("%r has no effect: a ladder normalises by itself", block)
            for name, child in list(stack.owner._children.items()):
                if child is block:
                    del stack.owner._children[name]
            stack.batch_norm_list[number] = None
