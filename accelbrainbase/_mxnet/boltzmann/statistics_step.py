"""A step along products of statistics, such as those of contrastive divergence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mxnet as mx
from mxnet import gluon, nd

from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase._mxnet.optimizers import SGD


@dataclass(frozen=True)
class Correlations:
    """What the gradient of a weight is made of: ⟨s_out s_in⟩ of the data and of the model.

    Attributes:
        data_output: Shape `(batch, out)`.
        data_input: Shape `(batch, in)`.
        model_output: Shape `(chains, out)`.
        model_input: Shape `(chains, in)`.
    """

    data_output: nd.NDArray
    data_input: nd.NDArray
    model_output: nd.NDArray
    model_input: nd.NDArray

    @property
    def batch_size(self) -> int:
        """Number of data points."""
        return int(self.data_output.shape[0])

    @property
    def chain_n(self) -> int:
        """Number of chains."""
        return int(self.model_output.shape[0])

    def add_to(self, out: nd.NDArray, factor: float, keep: float) -> None:
        """Compute out = keep × out + factor × (mean of the data − mean of the model).

        Each product and what is added to it are one operation in place.

        Args:
            out: Shape `(out, in)`.
            factor: Factor on the difference of the means.
            keep: Factor on what `out` holds.
        """
        nd.linalg_gemm(
            self.data_output, self.data_input, out,
            transpose_a=True, alpha=factor / self.batch_size, beta=keep, out=out,
        )  # fmt: skip
        nd.linalg_gemm(
            self.model_output, self.model_input, out,
            transpose_a=True, alpha=-factor / self.chain_n, beta=1.0, out=out,
        )  # fmt: skip


def step_along(
    learner: GluonLearner,
    correlations: Mapping[gluon.Parameter, Correlations],
    gradients: Mapping[gluon.Parameter, nd.NDArray],
    *,
    l1_cost: float = 0.0,
    in_place: bool = True,
) -> None:
    """Take one step of the optimiser of `learner`.

    For SGD, with or without momentum, the weights and what the optimiser remembers of them are
    updated in place, with no gradient array between. The numbers are the same.

    Args:
        learner: Its trainer takes the step.
        correlations: For each weight, what its gradient is made of.
        gradients: For each other parameter, what to descend along, summed over the batch.
        l1_cost: Factor on the sum of absolute weights, which is added to what is minimised.
        in_place: Whether the short way is taken where it can be.
    """
    trainer = learner.trainer
    batch_size = next(iter(correlations.values())).batch_size
    if not (in_place and _is_plain_sgd(learner, trainer)):
        computed = dict(gradients)
        for weight, products in correlations.items():
            arr = weight.grad()
            products.add_to(arr, -float(batch_size), 0.0)
            if l1_cost:
                arr += (l1_cost * batch_size) * nd.sign(weight.data())
            computed[weight] = arr
        learner.update_by(computed, batch_size, trainer)
        return
    optimizer, updater = trainer.optimizer, trainer._updaters[0]
    optimizer.rescale_grad = trainer._scale / batch_size
    for weight, products in correlations.items():
        _step_in_place(weight, products, trainer, l1_cost)
    for parameter, arr in gradients.items():
        index = trainer._param2idx[parameter.name]
        value = parameter.data()
        updater(index, arr.reshape(value.shape), value)


def _is_plain_sgd(learner: GluonLearner, trainer: gluon.Trainer) -> bool:
    optimizer = trainer.optimizer
    if type(optimizer) not in (mx.optimizer.SGD, SGD) or learner.max_gradient_norm is not None:
        return False
    if not trainer._kv_initialized:
        trainer._init_kvstore()
    alone = trainer._kvstore is None and len(trainer._updaters) == len(trainer._contexts) == 1
    return alone and not optimizer.clip_gradient and not optimizer.multi_precision


def _step_in_place(
    weight: gluon.Parameter, products: Correlations, trainer: gluon.Trainer, l1_cost: float
) -> None:
    optimizer, updater = trainer.optimizer, trainer._updaters[0]
    index, value = trainer._param2idx[weight.name], weight.data()
    optimizer._update_count(index)
    rate, decay = optimizer._get_lr(index), optimizer._get_wd(index)
    if index not in updater.states:
        updater.states[index] = optimizer.create_state_multi_precision(index, value)
        updater.states_synced[index] = True
    velocity = updater.states[index]
    scale = float(trainer._scale)
    if velocity is None:
        shrink = (rate * l1_cost * scale) * nd.sign(value) if l1_cost else None
        products.add_to(value, rate * scale, 1.0 - rate * decay)
        if shrink is not None:
            value -= shrink
        return
    products.add_to(velocity, rate * scale, optimizer.momentum)
    if l1_cost:
        velocity -= (rate * l1_cost * scale) * nd.sign(value)
    if decay:  # with these arguments: velocity -= rate * decay * value; value += velocity
        nd.sgd_mom_update(
            value, value, velocity, out=value, lr=rate, momentum=1.0, wd=decay, rescale_grad=0.0
        )
    else:
        nd.elemwise_add(value, velocity, out=value)
