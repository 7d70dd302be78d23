"""What all Gluon models and controllers share: settings, parameters, trainers, files."""

from __future__ import annotations

import inspect
import logging
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._accessors import Accessors, read_only
from accelbrainbase._checks import check_integer, check_is_a, check_number, unknown_keyword_error
from accelbrainbase._mxnet.aggregated_adam import AggregatedAdam  # noqa: F401 - registers it
from accelbrainbase._mxnet.device import as_ndarray, resolve_context
from accelbrainbase._mxnet.features import FeatureBlock
from accelbrainbase._mxnet.gluon_backend import GluonBackend
from accelbrainbase._mxnet.lazy_trainer import LazyTrainer, built_trainers
from accelbrainbase._mxnet.optimizers import make_optimizer
from accelbrainbase._mxnet.parameter_files import (
    part_of,
    read_parameter_file,
    write_parameter_file,
)
from accelbrainbase._mxnet.safe_deconvolution import make_safe, waits_for_sizes
from accelbrainbase._mxnet.scaled_initializer import ScaledInitializer
from accelbrainbase._mxnet.settled import settle
from accelbrainbase._mxnet.tied_dense import TiedDense
from accelbrainbase.errors import ParameterFileError
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.history import History
from accelbrainbase.learning.loop import LearningLoop
from accelbrainbase.learning.progress_bar import ProgressBar
from accelbrainbase.regularizatable_data import RegularizatableData

logger = logging.getLogger(__name__)

_PRIVATE = re.compile(r"(?<![^.])_[A-Za-z0-9]+__")  # how Python names private attributes
_NUMBER = re.compile(r"(?<![^.])[0-9]+\.(?=[^.]*$)")  # of the layer that a name ends in
_GLUON_KEYWORDS = ("prefix", "params")
_OPTIMIZERS = mx.optimizer.Optimizer.opt_registry


class GluonLearner(FeatureBlock, Accessors):
    """The settings and services of a Gluon model or controller that learns.

    A constructor calls ``super().__init__(…)``, builds its layers inside
    ``with self.name_scope():``, and ends with ``self.complete()``.

    Args:
        initializer: Draws the initial parameters. `None` for the default of the class.
        optimizer_name: Name of a Gluon optimiser, such as `"SGD"` or `"Adam"`.
        learning_rate: The learning rate, at least 0.
        learning_attenuate_rate: Factor on the learning rate after every `attenuate_epoch`
            epochs (of a controller: turns).
        attenuate_epoch: Number of epochs between two attenuations.
        ctx: The device. `None` for the one that the user entered, else a GPU, else the CPU.
        hybridize_flag: Whether the network is compiled to a static graph. The numbers are
            the same; it is faster.
        regularizatable_data_list: Constraints, applied after each step.
        scale: Factor on the initial weights.
        wd: Weight decay, at least 0.
        optimizer_params: More arguments of the optimiser, such as `{"momentum": 0.9}`.
        max_gradient_norm: Gradients are scaled down so that the norm of all of them together
            is at most this. `None` for no limit.
        init_deferred_flag: Whether the parameters are left for the caller to initialise.
        **kwargs: `prefix` and `params` of Gluon; keywords of base classes that do not apply
            here are noted in the debug log.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.
        ValueError: If an argument has an impossible value.

    Attributes:
        ctx: The device.
        hybridize_flag: Whether the network is compiled.
    """

    init_deferred_flag: bool = False
    not_init_flag: bool = False
    loop: LearningLoop | None = None

    _initializer: Initializer | None = None
    _learning_rate: float = 0.0
    _history: History | None = None
    _default_xavier_magnitude: float = 1.0
    _twice_in_old_files: tuple[str, ...] = ()  # layers that 1.1.0 also saved under their number

    def __init__(
        self,
        *,
        initializer: Initializer | None = None,
        optimizer_name: str = "SGD",
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        ctx: mx.Context | None = None,
        hybridize_flag: bool = True,
        regularizatable_data_list: Iterable[RegularizatableData] | None = None,
        scale: float = 1.0,
        wd: float | None = None,
        optimizer_params: Mapping[str, Any] | None = None,
        max_gradient_norm: float | None = None,
        init_deferred_flag: bool | None = None,
        **kwargs: Any,
    ) -> None:
        gluon_kwargs = self._check_keywords(kwargs)
        check_is_a("optimizer_name", optimizer_name, str)
        if optimizer_name.lower() not in _OPTIMIZERS:
            raise ValueError(
                f"`optimizer_name` must be a Gluon optimiser, one of "
                f"{', '.join(sorted(_OPTIMIZERS))}; but got {optimizer_name!r}."
            )
        constraints = list(regularizatable_data_list or ())
        for constraint in constraints:
            check_is_a("regularizatable_data_list", constraint, RegularizatableData)
        super().__init__(**gluon_kwargs)

        self.ctx = resolve_context(ctx)
        if initializer is not None:  # else one may have been assigned before
            self.initializer = initializer
        self.optimizer_name = optimizer_name
        self._learning_rate = check_number("learning_rate", learning_rate, low=0.0)
        self.learning_attenuate_rate = check_number(
            "learning_attenuate_rate", learning_attenuate_rate, low=0.0
        )
        self.attenuate_epoch = check_integer("attenuate_epoch", attenuate_epoch, low=1)
        self.hybridize_flag = bool(hybridize_flag)
        self.regularizatable_data_list = constraints
        self.scale = check_number("scale", scale)
        self.wd = check_number("wd", 0.0 if wd is None else wd, low=0.0)
        self.optimizer_params = dict(optimizer_params or {})
        if max_gradient_norm is not None:
            check_number("max_gradient_norm", max_gradient_norm, low=0.0, low_open=True)
        self.max_gradient_norm = max_gradient_norm
        if init_deferred_flag is not None:
            self.init_deferred_flag = bool(init_deferred_flag)
        if self.optimizer_params:
            self._make_optimizer()  # so that a misspelt entry is noticed now

    @classmethod
    def _check_keywords(cls, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return Gluon's keywords; log those of base classes; raise for all others."""
        known: dict[str, None] = dict.fromkeys(_GLUON_KEYWORDS)
        for base in cls.__mro__:
            init = vars(base).get("__init__")
            if init is not None and base.__module__.partition(".")[0] != "mxnet":
                names = inspect.signature(init).parameters.values()
                known.update(
                    dict.fromkeys(
                        p.name for p in names if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
                    )
                )
        known.pop("self", None)
        for name in kwargs:
            if name not in known:
                raise unknown_keyword_error(cls.__name__, name, known)
            if name not in _GLUON_KEYWORDS:
                logger.debug("`%s` has no effect on %s", name, cls.__name__)
        return {name: kwargs[name] for name in _GLUON_KEYWORDS if name in kwargs}

    # -- parameters --------------------------------------------------------------------

    @property
    def initializer(self) -> Initializer:
        """Draws the initial parameters. Setting `None` sets the default of the class."""
        if self._initializer is not None:
            return self._initializer
        return mx.initializer.Xavier(
            rnd_type="gaussian", factor_type="in", magnitude=self._default_xavier_magnitude
        )

    @initializer.setter
    def initializer(self, value: Initializer | None) -> None:
        check_is_a("initializer", value, Initializer, optional=True)
        self._initializer = value

    def complete(self) -> None:
        """End a constructor: initialise the parameters, and compile the network.

        Parameters that have values keep them, so that learned parts stay learned when they
        are put together. Nothing is initialised while `init_deferred_flag` or
        `not_init_flag` is `True`. Transposed convolutions, the user's own too, compute by
        operators that are sound on a CPU.
        """
        if self.ctx.device_type != "gpu":
            make_safe(self)
        if not (self.init_deferred_flag or self.not_init_flag):
            self.initialize_parameters()
        if self.hybridize_flag:
            self.hybridize()

    def initialize_parameters(self) -> None:
        """Initialise the parameters that have no values yet.

        Those whose shape is not known get their values in the first forward pass. Where
        that is still pending, an `initializer` given to this object replaces the pending one.
        """
        draw = self.initializer
        if self.scale != 1.0:
            draw = ScaledInitializer(draw, self.scale)
        for parameter in self.collect_params().values():
            pending = bool(parameter._deferred_init)
            if parameter._data is None and (self._initializer is not None or not pending):
                parameter.initialize(ctx=self.ctx, default_init=draw)

    @read_only
    def parameter_n(self) -> int:
        """Number of values that are learned, of the parameters whose shape is known."""
        learned = (p for p in self.collect_params().values() if p.grad_req != "null")
        return sum(max(0, math.prod(p.shape)) for p in learned if p.shape)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute. Gluon registers blocks as children; a property decides itself."""
        if isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def __repr__(self) -> str:
        learning = {
            "optimizer": f"{self.optimizer_name}, learning rate {self.learning_rate:g}",
            "parameters": f"{self.parameter_n:,} on {self.ctx}",
        }
        return self._describe({**self._settings(), **learning})

    def _settings(self) -> dict[str, Any]:
        """Hook: what `repr` tells beside layers and learning, by name."""
        return {}

    def _describe(self, settings: dict[str, Any]) -> str:
        lines: list[str] = []
        for name, child in self._children.items():
            inner = child._describe({}) if isinstance(child, GluonLearner) else repr(child)
            lines += f"({name}): {inner}".splitlines()
        lines += [f"{name}: {value}" for name, value in settings.items()]
        return "\n  ".join([f"{type(self).__name__}(", *lines]) + "\n)"

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Compile the network to a static graph, or run it imperatively.

        Args:
            active: Whether to compile.
            **kwargs: Flags of Gluon. Unless given otherwise, memory is static.
        """
        kwargs.setdefault("static_alloc", active)
        kwargs.setdefault("static_shape", active and kwargs["static_alloc"])
        super().hybridize(active, **kwargs)

    def _build_cache(self, *args: Any) -> None:
        """Compile; once more, now better, where sizes that mattered were not known yet."""
        waiting = waits_for_sizes(self)
        with self._only_parameters_of_graph():
            super()._build_cache(*args)
            if waiting:
                self._clear_cached_op()
                super()._build_cache(*args)

    def _infer_attrs(self, *args: Any) -> None:
        with self._only_parameters_of_graph():
            super()._infer_attrs(*args)

    @contextmanager
    def _only_parameters_of_graph(self) -> Iterator[None]:
        """Leave out what an override of `collect_params` adds from elsewhere than children.

        A subclass may collect the parameters of networks that learn with it, but are no part of
        its graph. Gluon demands of a graph that it uses all parameters that are collected.
        """
        if "collect_params" in self.__dict__:  # within another one
            yield
            return
        in_graph = set(self.params)
        for child in self._children.values():
            in_graph.update(child.collect_params())
        parameters = gluon.ParameterDict(self.prefix)
        parameters.update({n: p for n, p in self.collect_params().items() if n in in_graph})
        self.__dict__["collect_params"] = lambda: parameters
        try:
            yield
        finally:
            del self.__dict__["collect_params"]

    def extract_learned_dict(self) -> dict[str, nd.NDArray]:
        """Return the parameters by name: the arrays themselves, not copies.

        Raises:
            mxnet.gluon.parameter.DeferredInitializationError: Before the first forward
                pass, if their shapes are not known yet.
        """
        return {name: p.data() for name, p in self.collect_params().items()}

    def regularize(self) -> None:
        """Apply every constraint to the parameters. Runs after each step of learning."""
        before = self.extract_learned_dict()
        after = dict(before)  # a constraint may put new arrays into the very dict it gets
        for constraint in self.regularizatable_data_list:
            after = constraint.regularize(after)
        parameters = self.collect_params()
        for name, arr in after.items():
            if arr is not before[name]:
                parameters[name].set_data(arr)

    # -- trainers ----------------------------------------------------------------------

    trainer = LazyTrainer()

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
        return gluon.Trainer(list(parameters.values()), self._make_optimizer())

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
        if loss_arr.shape == (batch_size,):
            divisor = batch_size
        elif loss_arr.size == 1:
            divisor = 1
        else:
            raise ValueError(
                f"`computable_loss` must give one loss for each sample, shape ({batch_size},), "
                f"but gave {loss_arr.shape}. Average over all axes but the first."
            )
        loss_arr.backward()
        self._apply(trainer, divisor)

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
            parameter.grad()[:] = arr
            parameter.data()._fresh_grad = True  # what `backward` does
        self._apply(trainer, batch_size)

    def _apply(self, trainer: gluon.Trainer, divisor: int) -> None:
        if self.max_gradient_norm is not None:
            gradients = [p.grad() for p in trainer._params if p.grad_req != "null"]
            limit = self.max_gradient_norm * divisor
            _clip_global_norm(gradients, limit)
        trainer.step(divisor)

    # -- learning ----------------------------------------------------------------------

    @property
    def history(self) -> History:
        """What the last `learn` recorded, as a table; empty before."""
        if self._history is None:
            self._history = History()
        return self._history

    def run_loop(
        self,
        step: Callable[[Any], Any],
        batches: Iterable[Any],
        *,
        unit: str,
        rows: int,
        steps: int,
        callbacks: Iterable[Callback] | None = None,
        **kwargs: Any,
    ) -> None:
        """Let the loop run `step`, with this learner's rate, attenuation and history.

        Args:
            step: Updates the learner once, and returns losses.
            batches: The mini-batches.
            unit: What a row stands for: `"epoch"` or `"turn"`.
            rows: Number of rows.
            steps: Number of steps.
            callbacks: Take part in the learning. A `ProgressBar` joins unless one is there.
            **kwargs: More arguments of `LearningLoop.run`.
        """
        callback_list = list(callbacks or ())
        if not any(isinstance(callback, ProgressBar) for callback in callback_list):
            callback_list.append(ProgressBar())
        self._history = History(unit)
        (self.loop or LearningLoop()).run(
            step,
            batches,
            rows=rows,
            steps=steps,
            attenuate_rate=self.learning_attenuate_rate,
            attenuate_every=self.attenuate_epoch,
            callbacks=callback_list,
            backend=GluonBackend(self),
            history=self._history,
            **kwargs,
        )
        settle()

    def capture(self) -> tuple[dict[str, nd.NDArray], dict[str, Any]]:
        """Hook: return what a checkpoint must hold beside parameters and optimisers.

        Such as the particles of persistent chains, a replay buffer, the state of a sampler.

        Returns:
            Arrays by name, and what JSON can hold by name.
        """
        return {}, {}

    def resume(self, arrays: Mapping[str, nd.NDArray], values: Mapping[str, Any]) -> None:
        """Hook: set what `capture` returned. Called when a learning goes on."""

    def on_device(self, name: str, arr: Any) -> Any:
        """Return `arr` as an NDArray on the device of this learner; `None` stays `None`.

        Args:
            name: Name of the argument, for the message.
            arr: NDArray, NumPy array, or numbers.
        """
        return None if arr is None else as_ndarray(name, arr, self.ctx)

    # -- files -------------------------------------------------------------------------

    def _file_parts(self) -> dict[str, GluonLearner]:
        """Hook: the parts that have files of their own, by the suffix of the file's name.

        Empty for a model that is in one file.
        """
        return {}

    def save_parameters(self, filename: str | os.PathLike[str], deduplicate: bool = False) -> None:
        """Save the parameters as Gluon does; a file is written whole or not at all.

        Args:
            filename: Path of the file; an existing one is replaced. A model with parts writes
                one for each, with the part's name before the extension
                (`a.params`: `a_encoder.params`, `a_decoder.params`).
            deduplicate: Whether a parameter that is used twice in a file is stored once.
        """
        contents = {p: learner._to_store(deduplicate) for p, learner in self._files(filename)}
        for path, arrays in contents.items():
            write_parameter_file(path, arrays)

    def _files(self, filename: str | os.PathLike[str]) -> list[tuple[str, GluonLearner]]:
        """Return the paths of all files, and who is in each."""
        parts = self._file_parts()
        if not parts:
            return [(os.fspath(filename), self)]
        files = (learner._files(part_of(filename, part)) for part, learner in parts.items())
        return [file for files_of_part in files for file in files_of_part]

    def _to_store(self, deduplicate: bool) -> dict[str, nd.NDArray]:
        """Return the arrays of a file by name."""
        settle()
        parameters = self._collect_params_with_prefix()
        transposed = _tied_names(self)
        arrays: dict[str, nd.NDArray] = {}
        stored = set()
        for name, parameter in parameters.items():
            if deduplicate and id(parameter) in stored:
                continue
            stored.add(id(parameter))
            arr = parameter._reduce()
            arrays[name] = arr.T if name in transposed else arr
        return arrays

    def load_parameters(
        self,
        filename: str | os.PathLike[str],
        ctx: mx.Context | None = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
    ) -> None:
        """Load parameters that `save_parameters` saved: all of them, or none.

        Args:
            filename: The path given to `save_parameters`.
            ctx: The device. `None` for that of the model.
            allow_missing: Whether parameters that are not in the file stay as they are.
            ignore_extra: Whether entries of the file that no parameter has are ignored.

        Raises:
            FileNotFoundError: If there is no such file.
            ParameterFileError: If the file is corrupt, or its entries are not those of
                this model. The model is as it was.
        """
        settle()
        planned: dict[str, tuple[gluon.Parameter, np.ndarray]] = {}
        for path, learner in self._files(filename):
            entries = learner._plan_loading(path, allow_missing, ignore_extra)
            for name, (parameter, arr) in entries.items():
                earlier = planned.setdefault(parameter.name, (parameter, arr))[1]
                if not np.array_equal(earlier, arr):
                    raise ParameterFileError(
                        f"{path}: `{name}` is tied to another weight in {type(self).__name__}, "
                        f"but the file holds other values for it. Build the model with "
                        f"`tied_weights_flag=False`."
                    )
        if ctx is not None and ctx != self.ctx:
            self._move_to(ctx)
        for parameter, arr in planned.values():
            value = nd.array(arr, ctx=self.ctx, dtype=np.dtype(parameter.dtype))
            parameter._load_init(value, None if _is_initialized(parameter) else self.ctx)

    def _move_to(self, ctx: mx.Context) -> None:
        """Move the parameters, those of the parts too, and what the trainers remember."""
        check_is_a("ctx", ctx, mx.Context)
        for parameter in self.collect_params().values():
            if _is_initialized(parameter):
                parameter.reset_ctx(ctx)
        self.apply(partial(_follow, ctx=ctx))

    def _plan_loading(
        self, path: str, allow_missing: bool, ignore_extra: bool
    ) -> dict[str, tuple[gluon.Parameter, np.ndarray]]:
        """Read and check a file; return which parameter gets which array, by name."""
        arrays = read_parameter_file(path)
        parameters = self._parameters_of_file(arrays)
        arrays = _without_aliases(path, arrays, parameters, self._twice_in_old_files)
        owner = type(self).__name__
        found = {id(parameters[name]) for name in arrays if name in parameters}
        missing = [name for name, p in parameters.items() if id(p) not in found]
        if missing and not allow_missing:
            raise ParameterFileError(
                f"{path} has no {', '.join(missing)}, which {owner} has; it has "
                f"{', '.join(arrays) or 'nothing'}. Build the model as the saved one was, or "
                f"pass `allow_missing=True`."
            )
        extra = [name for name in arrays if name not in parameters]
        if extra and not ignore_extra:
            raise ParameterFileError(
                f"{path} has {', '.join(extra)}, which {owner} has not; it has "
                f"{', '.join(parameters) or 'nothing'}. Build the model as the saved one was, "
                f"or pass `ignore_extra=True`."
            )
        transposed = _tied_names(self)
        planned = {}
        for name, arr in arrays.items():
            if name not in parameters:
                continue
            arr = arr.T if name in transposed else arr
            if arr.dtype.kind != np.dtype(parameters[name].dtype).kind:
                raise ParameterFileError(
                    f"{path}: `{name}` has values of type {arr.dtype}, but {owner} has "
                    f"{np.dtype(parameters[name].dtype)}. Build the model as the saved one was."
                )
            if not _fits(parameters[name].shape, arr.shape):
                raise ParameterFileError(
                    f"{path}: `{name}` has shape {arr.shape}, but {owner} has "
                    f"{parameters[name].shape}. Build the model as the saved one was."
                )
            planned[name] = (parameters[name], arr)
        return planned

    def _parameters_of_file(self, arrays: Mapping[str, Any]) -> dict[str, gluon.Parameter]:
        """Return the parameters by the kind of name that a file uses.

        Gluon has written three kinds: by the path of attributes (`encoder.0.weight`); by the
        parameter's name without the prefix of the model, and with it (after `arg:` or `aux:`
        when exported).
        """
        by_path = self._collect_params_with_prefix()
        if not arrays or any(name in by_path for name in arrays):
            return by_path
        by_name = {}
        for name, parameter in self.collect_params().items():
            cut = name[len(self.prefix) :] if name.startswith(self.prefix) else name
            variants = [kind + text for kind in ("", "arg:", "aux:") for text in (cut, name)]
            by_name[next((text for text in variants if text in arrays), cut)] = parameter
        return by_name if any(name in by_name for name in arrays) else by_path


def _clip_global_norm(gradients: list[nd.NDArray], limit: float) -> None:
    """Scale gradients so that the norm of all together is at most `limit`.

    What Gluon's own function does, with a third of the operators.
    """
    squares = nd.multi_sum_sq(*gradients, num_arrays=len(gradients))
    norm_arr = nd.sqrt(nd.sum(squares.reshape((1, -1)), axis=1))
    factor_arr = limit / nd.maximum(norm_arr, limit)
    for gradient_arr in gradients:
        shape = (1,) * gradient_arr.ndim
        nd.broadcast_mul(gradient_arr, factor_arr.reshape(shape), out=gradient_arr)


def _is_initialized(parameter: gluon.Parameter) -> bool:
    """Tell whether a parameter has values, or will get them in the first forward pass."""
    return parameter._data is not None or bool(parameter._deferred_init)


def _follow(block: gluon.Block, ctx: mx.Context) -> None:
    """Let a learner, whose parameters were moved, work on `ctx`."""
    if isinstance(block, GluonLearner):
        block.ctx = ctx
        for trainer in block.trainers:
            trainer._contexts = trainer._check_contexts()
            for updater in trainer._updaters:
                updater.states_synced = dict.fromkeys(updater.states, False)


def _without_aliases(
    path: str,
    arrays: Mapping[str, np.ndarray],
    parameters: Mapping[str, gluon.Parameter],
    layers: Iterable[str],
) -> dict[str, np.ndarray]:
    """Leave out what 1.1.0 wrote twice: `_Class__part.weight`, `7.weight` beside `part.weight`."""
    kept: dict[str, np.ndarray] = {}
    for name, arr in arrays.items():
        plain = name if name in parameters else _PRIVATE.sub("", name)
        name = plain if plain in parameters else name
        if not np.array_equal(kept.setdefault(name, arr), arr):
            raise ParameterFileError(f"{path} is corrupt: it holds two values for `{name}`.")
    for name in [name for name in kept if name not in parameters]:
        if any(
            np.array_equal(kept.get(_NUMBER.sub(f"{layer}.", name), ()), kept[name])
            for layer in layers
            if _NUMBER.search(name)
        ):
            del kept[name]
    return kept


def _tied_names(block: gluon.Block, path: str = "") -> set[str]:
    """Return the names, in files, of the weights that are transposes of others."""
    names = {f"{path}weight"} if isinstance(block, TiedDense) else set()
    for name, child in block._children.items():
        names |= _tied_names(child, f"{path}{name}.")
    return names


def _fits(shape: tuple[int, ...] | None, loaded: tuple[int, ...]) -> bool:
    """Tell whether a parameter of `shape` (0: not known yet) can hold an array."""
    if shape is None:
        return True
    return len(shape) == len(loaded) and all(a in (0, -1, b) for a, b in zip(shape, loaded))
