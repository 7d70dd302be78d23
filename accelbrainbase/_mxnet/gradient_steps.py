"""Trainers, and the steps along gradients that they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import mxnet as mx
from mxnet import autograd, gluon, nd
from mxnet.base import MXNetError

from accelbrainbase._checks import check_is_a, check_number, short
from accelbrainbase._mxnet.aggregated_adam import AggregatedAdam  # noqa: F401 - registers it
from accelbrainbase._mxnet.devices_trainer import DevicesTrainer, leave_out
from accelbrainbase._mxnet.lazy_trainer import LazyTrainer, OptimizerSetting, built_trainers
from accelbrainbase._mxnet.norm_limit import limit_norm
from accelbrainbase._mxnet.on_devices import OnDevices, first_of
from accelbrainbase._mxnet.optimizers import make_optimizer

_OPTIMIZERS = mx.optimizer.Optimizer.opt_registry


def _known_optimizer(name: str) -> str:
    check_is_a("optimizer_name", name, str)
    if name.lower() not in _OPTIMIZERS:
        raise ValueError(
            f"`optimizer_name` must be a Gluon optimiser, one of "
            f"{', '.join(sorted(_OPTIMIZERS))}; but got {name!r}."
        )
    return name


class GradientSteps(OnDevices):
    """The trainers of a `GluonLearner`, of which this is a part: their rates and steps."""

    max_gradient_norm: float | None
    _learning_rate: float = 0.0

    trainer = LazyTrainer()
    optimizer_name = OptimizerSetting(_known_optimizer, "Name of a Gluon optimiser.")
    wd = OptimizerSetting(partial(check_number, "wd", low=0.0), "Weight decay, at least 0.")
    optimizer_params = OptimizerSetting(dict, "More arguments of the optimiser.")

    @property
    def trainers(self) -> list[gluon.Trainer]:
        """All trainers that are built; a controller with two networks has two."""
        return list(built_trainers(self).values())

    @property
    def learning_rate(self) -> float:
        """The learning rate now. Setting it sets that of all trainers."""
        trainers = self.trainers
        return trainers[0].learning_rate if trainers else self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._learning_rate = check_number("learning_rate", value, low=0.0)
        for trainer in self.trainers:
            trainer.set_learning_rate(self._learning_rate)

    def build_trainer(self, parameters: gluon.ParameterDict) -> gluon.Trainer:
        """Return a trainer for `parameters` with the settings of this learner.

        Args:
            parameters: What it updates.
        """
        # A list, since Gluon would sort a dict by names, which count up from model to model: the
        # state of a trainer in a checkpoint would depend on what was built before.
        return DevicesTrainer(list(parameters.values()), self._make_optimizer())

    def _make_optimizer(self) -> mx.optimizer.Optimizer:
        settings = {"learning_rate": self._learning_rate, "wd": self.wd, **self.optimizer_params}
        try:
            return make_optimizer(self.optimizer_name, **settings)
        except TypeError as error:
            raise TypeError(
                f"`optimizer_params` has an entry that {self.optimizer_name} does not take: {error}"
            ) from error

    def scale_learning_rate(self, factor: float) -> None:
        """Multiply the learning rate of every trainer, and of those that will be built.

        Args:
            factor: The factor.

        Raises:
            ValueError: If a scheduler sets the rate of a trainer.
        """
        trainers = self.trainers
        if any(trainer.optimizer.lr_scheduler is not None for trainer in trainers):
            raise ValueError(
                "`learning_attenuate_rate` must be 1.0 where the trainer has a scheduler of "
                "its own, which sets the learning rate."
            )
        self._learning_rate *= factor
        for trainer in trainers:
            trainer.set_learning_rate(trainer.learning_rate * factor)

    def update(self, loss_arr: nd.NDArray, batch_size: int, trainer: gluon.Trainer) -> None:
        """Take one gradient step: backward, clip, update.

        Args:
            loss_arr: Losses recorded by `mxnet.autograd`: one for each sample, shape
                `(batch,)`, or one value, which counts as their mean.
            batch_size: Number of samples.
            trainer: Updates its parameters.

        Raises:
            ValueError: If the losses have another shape.
        """
        per_sample = _is_per_sample(loss_arr, batch_size)
        _backward([loss_arr])
        if self._other_ctx:
            leave_out(trainer, 1)
        self._apply(trainer, batch_size if per_sample else 1)

    def update_shared(
        self, losses: Sequence[nd.NDArray], sizes: Sequence[int], trainer: gluon.Trainer
    ) -> None:
        """Take one gradient step along what several devices have recorded.

        Args:
            losses: Of each of the first devices, what `update` takes.
            sizes: Number of samples of each.
            trainer: Updates its parameters.

        Raises:
            ValueError: If losses have another shape.
        """
        # What is one value counts for as many samples as its device has.
        heads = [
            None if _is_per_sample(arr, size) else nd.full(arr.shape, size, ctx=arr.context)
            for arr, size in zip(losses, sizes)
        ]
        _backward(list(losses), heads)
        leave_out(trainer, len(losses))
        self._apply(trainer, sum(sizes))

    def update_by(
        self,
        gradients: Mapping[gluon.Parameter, nd.NDArray],
        batch_size: int,
        trainer: gluon.Trainer,
    ) -> None:
        """Take one step along gradients that were computed without `mxnet.autograd`.

        So every optimiser applies to a learning rule such as contrastive divergence.

        Args:
            gradients: For each parameter of `trainer`, what to descend along, summed over
                the samples.
            batch_size: Number of samples.
            trainer: Updates its parameters.
        """
        for parameter, arr in gradients.items():
            if arr is not parameter.list_grad()[0]:
                parameter.list_grad()[0][:] = arr
            first_of(parameter)._fresh_grad = True  # what `backward` does
        if self._other_ctx:
            leave_out(trainer, 1)
        self._apply(trainer, batch_size)

    def _apply(self, trainer: gluon.Trainer, divisor: int) -> None:
        if self.max_gradient_norm is None:
            trainer.step(divisor)
            return
        trainer.allreduce_grads()  # the norm is that of the sum over all devices
        gradients = [p.list_grad()[0] for p in trainer._params if p.grad_req != "null"]
        limit_norm(gradients, self.max_gradient_norm * divisor)
        trainer.update(divisor)


def _is_per_sample(loss_arr: nd.NDArray, batch_size: int) -> bool:
    """Tell whether there is a loss for each sample; if not, there must be one value."""
    if not isinstance(loss_arr, nd.NDArray):
        raise TypeError(
            f"`computable_loss` must give an NDArray, computed from the prediction by functions of "
            f"`mxnet.nd`, but gave {short(loss_arr)} of type `{type(loss_arr).__name__}`."
        )
    if loss_arr.shape == (batch_size,):
        return True
    if loss_arr.size == 1:
        return False
    raise ValueError(
        f"`computable_loss` must give one loss for each sample, shape ({batch_size},), "
        f"but gave {loss_arr.shape}. Average over all axes but the first."
    )


def _backward(losses: list[nd.NDArray], heads: list[nd.NDArray | None] | None = None) -> None:
    """Compute the gradients of losses, weighted by `heads`."""
    try:
        autograd.backward(losses, heads)
    except MXNetError as error:
        if "not in a computational graph" not in str(error):
            raise
        raise ValueError(
            "`computable_loss` must give losses that were computed from the prediction by "
            "functions of `mxnet.nd`, but these do not depend on it: there is no gradient. "
            "`asnumpy()` and `detach()` cut the way back."
        ) from error
