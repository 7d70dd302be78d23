"""Generative adversarial networks: two players that take turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from mxnet import autograd, gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase._mxnet.gradient_penalty import GradientPenalty
from accelbrainbase._mxnet.lazy_trainer import LazyTrainer
from accelbrainbase._mxnet.learnable_controller import LearnableController
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.errors import CheckpointError
from accelbrainbase.learning.callback import Callback, checked_callbacks
from accelbrainbase.learning.posterior_watch import PosteriorWatch
from accelbrainbase.observabledata._mxnet.adversarialmodel.discriminative_model import (
    DiscriminativeModel,
)
from accelbrainbase.observabledata._mxnet.adversarialmodel.generative_model import GenerativeModel
from accelbrainbase.samplable_data import SamplableData

_LOSS = (gluon.loss.Loss, ComputableLoss)


class GANController(LearnableController):
    r"""Lets a generator and a discriminator learn in an adversarial game.

    .. math:: \min_G \max_D \; E_x[\log D(x)] + E_z[\log(1 - D(G(z)))]

    A turn is: `k_step` steps of the discriminator; where there is a `feature_matching_loss`,
    `k_step` steps of the generator on it; one step of the generator. Each is a method that can
    be overridden: `train_discriminator`, `train_by_feature_matching`, `train_generator`. What
    game it is follows from the two losses that are injected: the original one
    (`DiscriminatorLoss`, `GeneratorLoss`), least squares, hinge, Wasserstein. The last mini-batch
    that the discriminator learned from is what the generator is judged by.

    The history has the columns `train_discriminative_loss`, `train_generative_loss`,
    `train_feature_matching_loss`, the mean posteriors of generated data points in both parts of
    a turn, and with `gradient_norm_flag=True` the norms of both gradients.

    Args:
        true_sampler: Draws true data points.
        generative_model: The generator.
        discriminative_model: The discriminator.
        generator_loss: What the generator minimises, such as `GeneratorLoss`.
        discriminator_loss: What the discriminator minimises, such as `DiscriminatorLoss`.
        feature_matching_loss: How far the mean features of generated data points are from those
            of true ones, such as `L2NormLoss`; `None` for no feature matching.
        optimizer_name: Name of a Gluon optimiser, for both.
        learning_rate: The learning rate of both.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` turns.
        attenuate_epoch: Number of turns between two attenuations.
        hybridize_flag: Whether the networks are compiled to static graphs.
        scale: Factor on the initial weights that `initializer` draws.
        ctx: The device; that of the generator if omitted.
        initializer: Draws the initial values of parameters whose shape is not known yet;
            `None` leaves that to the players.
        gradient_penalty: A penalty on the discriminator's gradient, for a Wasserstein GAN.
        gradient_norm_flag: Whether the norms of the gradients are recorded.
        **kwargs: More arguments of `GluonLearner`: `wd`, `optimizer_params`, …

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.

    References:
        - Goodfellow, I., et al. (2014). Generative adversarial nets. Advances in neural
          information processing systems, 27. Algorithm 1.
        - Salimans, T., et al. (2016). Improved techniques for training GANs. Advances in
          neural information processing systems, 29. Section 3.1.
    """

    generator_trainer = LazyTrainer("generative_model")
    discriminator_trainer = LazyTrainer("discriminative_model")

    _true_sampler: Any = None
    _generative_model: Any = None
    _discriminative_model: Any = None
    _generator_loss: Any = None
    _discriminator_loss: Any = None
    _feature_matching_loss: Any = None
    _kept_arr: nd.NDArray | None = None
    _k_step: int = 1
    _step_n: int = 0

    def __init__(
        self,
        true_sampler: SamplableData,
        generative_model: GenerativeModel,
        discriminative_model: DiscriminativeModel,
        generator_loss: gluon.loss.Loss | ComputableLoss,
        discriminator_loss: gluon.loss.Loss | ComputableLoss,
        feature_matching_loss: gluon.loss.Loss | ComputableLoss | None = None,
        optimizer_name: str = "SGD",
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        hybridize_flag: bool = True,
        scale: float = 1.0,
        ctx: Any = None,
        initializer: Initializer | None = None,
        *,
        gradient_penalty: GradientPenalty | None = None,
        gradient_norm_flag: bool = False,
        **kwargs: Any,
    ) -> None:
        check_is_a("generative_model", generative_model, GenerativeModel)
        check_is_a("gradient_penalty", gradient_penalty, GradientPenalty, optional=True)
        super().__init__(
            initializer=initializer,
            optimizer_name=optimizer_name,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            ctx=generative_model.ctx if ctx is None else ctx,
            hybridize_flag=hybridize_flag,
            scale=scale,
            **kwargs,
        )
        # By the setters of this class: another package may have properties of these names.
        set_generative_model(self, generative_model)
        set_discriminative_model(self, discriminative_model)
        _set_sampler(self, true_sampler)
        _set_loss(self, "generator_loss", generator_loss)
        _set_loss(self, "discriminator_loss", discriminator_loss)
        _set_loss(self, "feature_matching_loss", feature_matching_loss, optional=True)
        self.gradient_penalty = gradient_penalty
        self.gradient_norm_flag = bool(gradient_norm_flag)
        self._also: dict[str, Any] = {}
        self.complete()

    # -- the players -------------------------------------------------------------------

    @property
    def generative_model(self) -> Any:
        """The generator."""
        return self._generative_model

    @generative_model.setter
    def generative_model(self, value: GenerativeModel) -> None:
        set_generative_model(self, value)

    @property
    def discriminative_model(self) -> Any:
        """The discriminator."""
        return self._discriminative_model

    @discriminative_model.setter
    def discriminative_model(self, value: DiscriminativeModel) -> None:
        set_discriminative_model(self, value)

    @property
    def true_sampler(self) -> Any:
        """Draws true data points."""
        return self._true_sampler

    @true_sampler.setter
    def true_sampler(self, value: SamplableData) -> None:
        _set_sampler(self, value)

    @property
    def generator_loss(self) -> Any:
        """What the generator minimises."""
        return self._generator_loss

    @generator_loss.setter
    def generator_loss(self, value: Any) -> None:
        _set_loss(self, "generator_loss", value)

    @property
    def discriminator_loss(self) -> Any:
        """What the discriminator minimises."""
        return self._discriminator_loss

    @discriminator_loss.setter
    def discriminator_loss(self, value: Any) -> None:
        _set_loss(self, "discriminator_loss", value)

    @property
    def feature_matching_loss(self) -> Any:
        """How far features of generated data points are from those of true ones, or `None`."""
        return self._feature_matching_loss

    @feature_matching_loss.setter
    def feature_matching_loss(self, value: Any) -> None:
        _set_loss(self, "feature_matching_loss", value, optional=True)

    def _file_parts(self) -> dict[str, GluonLearner]:
        return {"generator": self.generative_model, "discriminator": self.discriminative_model}

    # -- a turn ------------------------------------------------------------------------

    def learn(
        self,
        iter_n: int = 1000,
        k_step: int = 10,
        *,
        callbacks: Iterable[Callback] | None = None,
    ) -> None:
        """Template: take `iter_n` turns.

        A warning says when the discriminator has been sure of everything for long.

        Args:
            iter_n: Number of turns.
            k_step: Number of steps of the discriminator in a turn.
            callbacks: Take part in the learning: `Checkpoint`, `SampleGrid`, … They hear of
                turns a hundredth of the learning at a time.

        Raises:
            NonFiniteLossError: If a loss is infinite or not a number.
        """
        self._k_step = check_integer("k_step", k_step, low=1)
        watching = checked_callbacks(callbacks)
        if getattr(self.discriminator_loss, "is_probability", False):
            watching.append(PosteriorWatch("train_discriminative_posterior"))
        super().learn(iter_n, callbacks=watching)

    def _take_turn(self) -> dict[str, Any]:
        self._also = {}
        self._tell_epoch()
        discriminative_loss, discriminative_posterior = self.train_discriminator(self._k_step)
        feature_matching_loss = self.train_by_feature_matching(self._k_step)
        generative_loss, generative_posterior = self.train_generator()
        self._kept_arr = None
        return {
            "discriminative_loss": discriminative_loss,
            "generative_loss": generative_loss,
            "feature_matching_loss": feature_matching_loss,
            "discriminative_posterior": discriminative_posterior,
            "generative_posterior": generative_posterior,
            **self._also,
        }

    def _prepare_turns(self) -> None:
        self.initialize_parameters()
        if any(p._deferred_init for p in self.collect_params().values()):
            self.generative_model.draw()
            generated_arr = self._generate()
            if isinstance(generated_arr, nd.NDArray):
                self._judge(generated_arr)

    def train_discriminator(self, k_step: int) -> tuple[Any, Any]:
        """Let the discriminator take `k_step` steps.

        Args:
            k_step: Number of steps.

        Returns:
            Its mean loss, and the mean posterior of generated data points.
        """
        losses, posteriors = [], []
        for number in range(1, k_step + 1):
            true_arr = self._draw_true()
            generated_arr = self._draw_generated(last=number == k_step)
            loss_arr, posterior_arr = self._discriminate(true_arr, generated_arr.detach())
            losses.append(loss_arr)
            posteriors.append(posterior_arr)
            self._step_n += 1
        return mean_of(losses), mean_of(posteriors)

    def train_by_feature_matching(self, k_step: int) -> Any:
        """Let the generator take `k_step` steps on the `feature_matching_loss`.

        The features are those of an intermediate layer of the discriminator; means over the
        mini-batch are compared (Salimans et al. 2016, section 3.1). Where a convolutional
        discriminator sees true and generated maps of different sizes, means over the places in
        the maps are compared too.

        Args:
            k_step: Number of steps.

        Returns:
            The mean loss; 0.0 where there is no `feature_matching_loss`.
        """
        if self.feature_matching_loss is None:
            return 0.0
        losses = []
        for _ in range(k_step):
            true_arr = self._draw_true()
            with autograd.train_mode():
                target_arr = self._features(true_arr)
            loss_arr = self._descend(
                self._recorded_generated(),
                lambda generated_arr, target_arr=target_arr: self.feature_matching_loss(
                    *_means(self._features_of_generated(generated_arr), target_arr)
                ),
            )
            losses.append(loss_arr)
        return mean_of(losses)

    def train_generator(self) -> tuple[Any, Any]:
        """Let the generator take one step.

        Returns:
            Its loss, and the posterior of the generated data points.
        """
        judged: list[nd.NDArray] = []

        def loss_of(generated_arr: nd.NDArray) -> nd.NDArray:
            judged.append(self._judge(generated_arr))
            return self._loss_of_generator(judged[0])

        loss_arr = self._descend(self._recorded_generated(), loss_of)
        self._note_gradient_norm("generative_gradient_norm", self.generator_trainer)
        return loss_arr, self._posterior(judged[0])

    # -- its parts ---------------------------------------------------------------------

    def _draw_true(self) -> nd.NDArray:
        """Hook: draw true data points."""
        drawn = self.true_sampler.draw()
        if isinstance(drawn, tuple):
            raise TypeError(
                f"`true_sampler` must draw an array, but {type(self.true_sampler).__name__} draws "
                f"a tuple of {len(drawn)}. Use a `TrueSampler`; or a `ConditionalTrueSampler`, "
                f"which joins data points and what belongs to them."
            )
        return self.on_device("true_arr", drawn)

    def _generate(self) -> nd.NDArray:
        """Hook: draw what the discriminator is to take for generated."""
        return self.generative_model.draw()

    def _judge(self, arr: nd.NDArray) -> nd.NDArray:
        """Hook: let the discriminator judge."""
        return self.discriminative_model.inference(arr)

    def _loss_of_generator(self, judged_arr: nd.NDArray) -> nd.NDArray:
        """Hook: what the generator minimises, given what the discriminator thinks of it."""
        return self.generator_loss(judged_arr)

    def _draw_generated(self, *, last: bool) -> nd.NDArray:
        """Generate; the last mini-batch of a turn so that the generator can learn by it."""
        if not last:
            with autograd.train_mode():
                return self._generate()
        with autograd.record():
            self._kept_arr = self._generate()
        return self._kept_arr

    def _recorded_generated(self) -> nd.NDArray:
        """Return what the generator can learn by: what the discriminator saw, or anew."""
        kept_arr, self._kept_arr = self._kept_arr, None
        if kept_arr is not None:
            return kept_arr
        with autograd.record():
            return self._generate()

    def _discriminate(
        self, true_arr: nd.NDArray, generated_arr: nd.NDArray
    ) -> tuple[nd.NDArray, nd.NDArray]:
        """Hook: one step of the discriminator."""
        loss_arr, judged_arr = self._step_of_judge(
            self.discriminative_model, self._judge, self.discriminator_trainer,
            true_arr, generated_arr,
        )  # fmt: skip
        return loss_arr, self._posterior(judged_arr)

    def _step_of_judge(
        self,
        model: DiscriminativeModel,
        judge: Callable[[nd.NDArray], nd.NDArray],
        trainer: gluon.Trainer,
        true_arr: nd.NDArray,
        generated_arr: nd.NDArray,
        name: str = "",
    ) -> tuple[nd.NDArray, nd.NDArray]:
        """Let a discriminator take a step; `name` is put before the columns that it adds."""
        model.prepare_step()
        penalty = None
        if self.gradient_penalty is not None:
            penalty = self.gradient_penalty.directions(model, true_arr, generated_arr)
        with autograd.record():
            judged_true_arr = judge(true_arr)
            judged_arr = judge(generated_arr)
            loss_arr = self.discriminator_loss(judged_true_arr, judged_arr)
            learned_arr = loss_arr if penalty is None else with_penalty(loss_arr, penalty.slope())
        self.update(learned_arr, true_arr.shape[0], trainer)
        if penalty is not None:
            self._also[f"{name}gradient_penalty"] = penalty.value_arr
        self._note_gradient_norm(f"{name}discriminative_gradient_norm", trainer)
        self.constrain(model)
        return loss_arr, judged_arr

    def _descend(self, generated_arr: nd.NDArray, loss_of: Any) -> nd.NDArray:
        """Let the generator take a step on a loss of what it generated.

        The loss is differentiated down to the generated data points first, then the generator:
        no gradients of the discriminator's parameters are computed.
        """
        point_arr = generated_arr.detach()
        point_arr.attach_grad()
        with autograd.record():
            loss_arr = loss_of(point_arr)
        (gradient_arr,) = autograd.grad(loss_arr, [point_arr])
        generated_arr.backward(gradient_arr)
        self._apply(self.generator_trainer, 1 if loss_arr.size == 1 else generated_arr.shape[0])
        self.constrain(self.generative_model)
        return loss_arr

    def _features(self, arr: nd.NDArray) -> nd.NDArray:
        self._judge(arr)
        return self.discriminative_model.feature_points_arr

    def _features_of_generated(self, generated_arr: nd.NDArray) -> nd.NDArray:
        """Hook: return the features of what the generator gave."""
        return self._features(generated_arr)

    def _posterior(self, judged_arr: nd.NDArray) -> nd.NDArray:
        posterior = getattr(self.discriminator_loss, "posterior", None)
        return judged_arr.detach() if posterior is None else posterior(judged_arr.detach())

    def _note_gradient_norm(self, name: str, trainer: gluon.Trainer) -> None:
        if self.gradient_norm_flag:
            gradients = [p.grad() for p in trainer._params if p.grad_req != "null"]
            squares = nd.multi_sum_sq(*gradients, num_arrays=len(gradients))
            self._also[name] = nd.sqrt(nd.sum(squares)) * trainer._optimizer.rescale_grad

    def _tell_epoch(self) -> None:
        """Tell the losses which epoch it is: a pass over the data, or else a turn."""
        if hasattr(self.discriminator_loss, "epoch"):
            lengths = (getattr(s, "draws_in_epoch", None) for s in self._samplers())
            length = next((n for n in lengths if n), self._k_step)
            self.discriminator_loss.epoch = int(self._step_n / length)

    # -- checkpoints -------------------------------------------------------------------

    def _samplers(self) -> Iterator[Any]:
        """Go through all samplers, those within others too, each once."""
        seen: set[int] = set()
        models = (self.generative_model, getattr(self, "_generative_model", None))
        pending = [self.true_sampler]
        for model in models:
            names = ("condition_sampler", "noise_sampler", "encoder_noise_sampler")
            pending += [getattr(model, name, None) for name in names]
        while pending:
            sampler = pending.pop(0)
            if sampler is None or id(sampler) in seen:
                continue
            seen.add(id(sampler))
            yield sampler
            pending += [getattr(sampler, name, None) for name in ("true_sampler", "noise_sampler")]

    def capture(self) -> tuple[dict[str, nd.NDArray], dict[str, Any]]:
        """Return where the samplers are, and how many steps the discriminator has taken."""
        arrays, values = super().capture()
        samplers = [s for s in self._samplers() if hasattr(s, "capture")]
        return arrays, {
            **values,
            "samplers": [s.capture() for s in samplers],
            "sampler_names": [type(s).__name__ for s in samplers],
            "step_n": self._step_n,
        }

    def resume(self, arrays: Mapping[str, nd.NDArray], values: Mapping[str, Any]) -> None:
        """Set what `capture` returned."""
        samplers = [s for s in self._samplers() if hasattr(s, "resume")]
        names = [type(s).__name__ for s in samplers]
        if names != values["sampler_names"]:
            raise CheckpointError(
                f"it is of a game with the samplers {values['sampler_names']}, but this "
                f"{type(self).__name__} has {names}. Build the game as that one was, or start "
                f"afresh."
            )
        super().resume(arrays, values)
        for sampler, saved in zip(samplers, values["samplers"]):
            sampler.resume(saved)
        self._step_n = values["step_n"]

    # -- what was recorded -------------------------------------------------------------

    @read_only
    def generative_loss_arr(self) -> np.ndarray:
        """Losses of the generator in the last learning, shape `(iter_n,)`."""
        return self.history.array(["train_generative_loss"])[:, 0]

    @read_only
    def discriminative_loss_arr(self) -> np.ndarray:
        """Losses of the discriminator in the last learning, shape `(iter_n,)`."""
        return self.history.array(["train_discriminative_loss"])[:, 0]

    @read_only
    def feature_matching_loss_arr(self) -> np.ndarray:
        """Feature matching losses in the last learning, shape `(iter_n,)`."""
        return self.history.array(["train_feature_matching_loss"])[:, 0]

    @read_only
    def posterior_logs_arr(self) -> np.ndarray:
        """Posteriors of generated data points in the last learning, shape `(2 * iter_n,)`.

        Of each turn: first in the discriminator's part, then in the generator's.
        """
        columns = ["train_discriminative_posterior", "train_generative_posterior"]
        return self.history.array(columns).reshape(-1)


def set_generative_model(controller: GANController, value: Any) -> None:
    """Set the generator of a controller."""
    check_is_a("generative_model", value, GenerativeModel)
    controller.__dict__["_generative_model"] = value
    controller.register_child(value, "generative_model")
    controller.generator_trainer = None


def set_discriminative_model(controller: GANController, value: Any) -> None:
    """Set the discriminator of a controller."""
    check_is_a("discriminative_model", value, DiscriminativeModel)
    controller.__dict__["_discriminative_model"] = value
    controller.register_child(value, "discriminative_model")
    controller.discriminator_trainer = None


def _set_sampler(controller: GANController, value: Any) -> None:
    check_is_a("true_sampler", value, SamplableData)
    controller.__dict__["_true_sampler"] = value


def _set_loss(controller: GANController, name: str, value: Any, *, optional: bool = False) -> None:
    check_is_a(name, value, _LOSS, optional=optional)
    # Kept out of Gluon's children: a loss has no part in the graph.
    controller.__dict__[f"_{name}"] = adapted(value)


def adapted(loss: Any) -> Any:
    """Adapt a loss that is no function at the door, not at every call."""
    return loss if loss is None or callable(loss) else loss.compute


def with_penalty(loss_arr: nd.NDArray, penalty_arr: nd.NDArray) -> nd.NDArray:
    """Add penalties to losses; their mean where there are not as many."""
    if loss_arr.shape != penalty_arr.shape:
        penalty_arr = penalty_arr.mean()
    return nd.broadcast_add(loss_arr, penalty_arr)


def mean_of(arrays: list[nd.NDArray]) -> nd.NDArray:
    """Return the mean of the means, shape `(1,)`; it stays on the device."""
    means = [arr.mean() for arr in arrays]
    return means[0] if len(means) == 1 else nd.add_n(*means) / len(means)


def _means(arr: nd.NDArray, target_arr: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray]:
    """Return the means of both over the batch, shape `(1, features)`.

    Of maps of different sizes: over their places too, shape `(1, channels)`.
    """
    if arr.shape[2:] != target_arr.shape[2:] and arr.shape[1] == target_arr.shape[1]:
        arr, target_arr = (x.reshape((0, 0, -1)).mean(axis=2) for x in (arr, target_arr))
    return _over_batch(arr), _over_batch(target_arr)


def _over_batch(arr: nd.NDArray) -> nd.NDArray:
    """Return the mean over the batch, shape `(1, features)`."""
    return arr.reshape((arr.shape[0], -1)).mean(axis=0, keepdims=True)
