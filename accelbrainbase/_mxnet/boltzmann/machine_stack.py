"""What deep networks made of restricted Boltzmann machines share."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from mxnet import gluon, nd

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_number
from accelbrainbase._mxnet.boltzmann.schedule import Schedule
from accelbrainbase._mxnet.loss_block import LossBlock
from accelbrainbase.computable_loss import ComputableLoss


class MachineStack(LossBlock):
    """Restricted Boltzmann machines one upon the other, as one network.

    The hidden layer of each is the visible layer of the next. Their parameters are those of the
    network. A subclass has, beside this class, `RestrictedBoltzmannMachines` as its base.

    Args:
        computable_loss: The loss of the reconstruction, which is recorded.
        rbm_list: The machines, the one of the data first.
        momentum: Momentum in [0, 1), or values by epoch. `None`: what `optimizer_params` says.
        **kwargs: The arguments of `GluonLearner`.
    """

    _rbm_list: tuple[Any, ...] = ()
    _learned_layers = False

    def __init__(
        self,
        computable_loss: ComputableLoss | gluon.loss.Loss,
        rbm_list: Sequence[Any],
        *,
        momentum: float | Mapping[int, float] | None = None,
        **kwargs: Any,
    ) -> None:
        machines = self._check_machines(rbm_list)
        if kwargs.get("ctx") is None:
            kwargs["ctx"] = machines[0].ctx
        # Not the constructor of a restricted machine: the layers are those of the parts.
        LossBlock.__init__(self, computable_loss, **kwargs)
        self._momentum = None
        if momentum is not None:
            check = partial(check_number, low=0.0, high=1.0, high_open=True)
            self._momentum = Schedule("momentum", momentum, check)
        self._set_machines(machines)

    def _check_machines(self, rbm_list: Sequence[Any]) -> tuple[Any, ...]:
        """Hook: return the machines, checked; here that each is one, and that their widths fit."""
        machines = tuple(rbm_list)
        if any(isinstance(machine, MachineStack) for machine in machines):
            raise TypeError("`rbm_list` must have restricted machines, but one of them is a stack.")
        if len({id(machine) for machine in machines}) < len(machines):
            raise ValueError(
                "`rbm_list` must have another machine for each layer, but has one twice. Copy it "
                "by `copy.deepcopy`."
            )
        for number, (lower, upper) in enumerate(zip(machines, machines[1:]), start=1):
            if lower.hidden_dim != upper.visible_dim:
                raise ValueError(
                    f"`rbm_list[{number}]` must have as many visible units as the machine before "
                    f"it has hidden ones, {lower.hidden_dim}, but has {upper.visible_dim}."
                )
        return machines

    def _set_machines(self, machines: tuple[Any, ...]) -> None:
        self._rbm_list = machines
        self._learned_layers = False
        self._children.clear()
        for number, machine in enumerate(machines):
            self.register_child(machine, str(number))
        self.visible_dim, self.hidden_dim = machines[0].visible_dim, machines[-1].hidden_dim
        self._visible_units, self._hidden_units = (
            machines[0]._visible_units,
            machines[-1]._hidden_units,
        )

    def _check_container_with_block(self) -> None:
        """The machines are registered one by one."""

    def _build_cache(self, *args: Any) -> None:
        """Trace the graph of the features, in which visible biases have no part."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Parameter .* is not used")
            super()._build_cache(*args)

    @property
    def rbm_list(self) -> list[Any]:
        """The machines, the one of the data first."""
        return list(self._rbm_list)

    @rbm_list.setter
    def rbm_list(self, value: Sequence[Any]) -> None:
        self._set_machines(self._check_machines(value))
        self.trainer = None
        self._clear_cached_op()

    @property
    def dims(self) -> list[int]:
        """Number of units of each layer, the visible one first."""
        return [self.visible_dim, *(machine.hidden_dim for machine in self._rbm_list)]

    @read_only
    def weight(self) -> gluon.Parameter:
        """The weight of the lowest machine; `rbm_list[i].weight` has those of all."""
        return self._rbm_list[0].weight

    @read_only
    def visible_bias(self) -> gluon.Parameter:
        """The visible bias of the lowest machine."""
        return self._rbm_list[0].visible_bias

    @read_only
    def hidden_bias(self) -> gluon.Parameter:
        """The hidden bias of the lowest machine."""
        return self._rbm_list[0].hidden_bias

    def _settings(self) -> dict[str, Any]:
        layers = " - ".join(map(str, self.dims))
        return {"layers": layers, "loss": type(self.computable_loss).__name__}

    # -- as an auto-encoder ------------------------------------------------------------

    def encode(self, observed_arr: Any) -> nd.NDArray:
        """Return the features of data points: what the top layer makes of them.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.

        Returns:
            Shape `(batch, units of the top layer)`.
        """
        return self.inference(observed_arr)

    def decode(self, feature_arr: Any) -> nd.NDArray:
        """Return what the visible units are expected to be, given the top layer.

        Args:
            feature_arr: NDArray or NumPy array, shape `(batch, units of the top layer)`.

        Returns:
            Shape `(batch, visible units)`.
        """
        arr = self._hidden("feature_arr", feature_arr)  # type: ignore[attr-defined]
        return self._decoded(arr)

    def _decoded(self, feature_arr: nd.NDArray) -> nd.NDArray:
        """Abstract: compute `decode`."""
        raise NotImplementedError(f"{type(self).__name__} must override `_decoded`")

    def reconstruction_error(self, observed_arr: Any) -> nd.NDArray:
        """Return the loss between data points and what their features decode to.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.

        Returns:
            Shape `(batch,)`.
        """
        visible_arr = self._visible("observed_arr", observed_arr)  # type: ignore[attr-defined]
        return self.compute_loss(self.decode(self.encode(visible_arr)), visible_arr)

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """The features of the last forward pass, shape `(batch, units of the top layer)`.

        Those of each layer are in `rbm_list[i].feature_points_arr`.
        """
        return self.kept_features()

    def _evaluate(self, observed_arr: nd.NDArray, target_arr: nd.NDArray) -> Any:  # noqa: ARG002
        return self.reconstruction_error(observed_arr)
