"""What all Gluon models and controllers share: settings, parameters, the way to the loop."""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import mxnet as mx
from mxnet import gluon, nd
from mxnet.initializer import Initializer

from accelbrainbase._accessors import Accessors, read_only
from accelbrainbase._checks import check_integer, check_is_a, check_number, unknown_keyword_error
from accelbrainbase._mxnet import copies  # noqa: F401 - lets models be copied and pickled
from accelbrainbase._mxnet.device import resolve_contexts
from accelbrainbase._mxnet.gluon_backend import GluonBackend
from accelbrainbase._mxnet.gradient_steps import GradientSteps
from accelbrainbase._mxnet.on_devices import first_of
from accelbrainbase._mxnet.safe_deconvolution import make_safe, waits_for_sizes
from accelbrainbase._mxnet.scaled_initializer import ScaledInitializer
from accelbrainbase._mxnet.stored_parameters import StoredParameters
from accelbrainbase.learning.callback import Callback, checked_callbacks
from accelbrainbase.learning.history import History
from accelbrainbase.learning.loop import LearningLoop
from accelbrainbase.learning.progress_bar import ProgressBar
from accelbrainbase.regularizatable_data import RegularizatableData

logger = logging.getLogger(__name__)

_GLUON_KEYWORDS = ("prefix", "params")


class GluonLearner(GradientSteps, StoredParameters, Accessors):
    """The settings and services of a Gluon model or controller that learns.

    A constructor calls ``super().__init__(…)``, builds its layers inside
    ``with self.name_scope():``, and ends with ``self.complete()``.

    Args:
        initializer: Draws the initial parameters. `None` for the default of the class.
        optimizer_name: Name of a Gluon optimiser, such as `"SGD"` or `"Adam"`. Setting it later,
            or `wd` or `optimizer_params`, begins with a new optimiser at the learning rate of now.
        learning_rate: The learning rate, at least 0.
        learning_attenuate_rate: Factor on the learning rate after every `attenuate_epoch`
            epochs (of a controller: turns).
        attenuate_epoch: Number of epochs between two attenuations.
        ctx: The device. `None` for the one that the user entered, else a GPU, else the CPU.
            Models whose step is a gradient step on a loss also take a list of devices: they
            share each mini-batch in learning, with the result of one device up to rounding.
            Inference and evaluation are on the first. What a mini-batch has as a whole (the
            statistics of batch normalisations, the pulling-away term) is that of each share.
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
        ValueError: If an argument has an impossible value, or `ctx` names several devices and
            this class learns on one.

    Attributes:
        ctx: The device; the first, if there are several (`ctx_list` has all).
        hybridize_flag: Whether the network is compiled.
    """

    init_deferred_flag: bool = False
    not_init_flag: bool = False
    loop: LearningLoop | None = None

    _initializer: Initializer | None = None
    _history: History | None = None
    _default_xavier_magnitude: float = 1.0

    def __init__(
        self,
        *,
        initializer: Initializer | None = None,
        optimizer_name: str = "SGD",
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        ctx: mx.Context | Sequence[mx.Context] | None = None,
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
        constraints = list(regularizatable_data_list or ())
        for constraint in constraints:
            check_is_a("regularizatable_data_list", constraint, RegularizatableData)
        super().__init__(**gluon_kwargs)

        self._place(resolve_contexts(ctx))
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
        self.wd = 0.0 if wd is None else wd
        self.optimizer_params = optimizer_params or {}
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
        operators that are sound on a CPU. Parts follow to the devices of the whole, if these are
        several.
        """
        self._take_parts_along()
        if any(ctx.device_type != "gpu" for ctx in self.ctx_list):
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
                parameter.initialize(ctx=self.ctx_list, default_init=draw)

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
        count = f"{self.parameter_n:,}"
        if any(p.shape is None or 0 in p.shape for p in self.collect_params().values()):
            count += " so far (some layers get their shapes with the first mini-batch)"
        learning = {
            "optimizer": f"{self.optimizer_name}, learning rate {self.learning_rate:g}",
            "parameters": f"{count} on {', '.join(map(str, self.ctx_list))}",
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
                key = self._graph_key
                self._clear_cached_op()
                self.__dict__["_graph_key"] = key
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
        return {name: first_of(p) for name, p in self.collect_params().items()}

    def regularize(self) -> None:
        """Apply every constraint to the parameters. Runs after each step of learning."""
        before = self.extract_learned_dict()
        after = dict(before)  # a constraint may put new arrays into the very dict it gets
        for constraint in self.regularizatable_data_list:
            after = constraint.regularize(after)
        parameters = self.collect_params()
        for name, arr in after.items():
            parameter = parameters[name]
            # What was changed in place was so on the first device only.
            if arr is not before[name] or (self._other_ctx and parameter._differentiable):
                parameter.set_data(arr)

    # -- learning --------------------------------------------------------------------

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
        callback_list = checked_callbacks(callbacks)
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
        self.settle()

    def _after_restore(self) -> None:
        """Hook: let what is kept beside parameters fit those that a callback has set back.

        Called too when a loss is not finite: then what is kept may not be finite either.
        """

    def capture(self) -> tuple[dict[str, nd.NDArray], dict[str, Any]]:
        """Hook: return what a checkpoint must hold beside parameters and optimisers.

        Such as the particles of persistent chains, a replay buffer, the state of a sampler.

        Returns:
            Arrays by name, and what JSON can hold by name.
        """
        return {}, {}

    def resume(self, arrays: Mapping[str, nd.NDArray], values: Mapping[str, Any]) -> None:
        """Hook: set what `capture` returned. Called when a learning goes on.

        The parameters are set after it; if it raises, they stay as they are. Read all that is
        needed before the first change.
        """
