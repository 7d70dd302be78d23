"""A loop over models."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pandas as pd

from accelbrainbase._checks import check_choice, check_is_a
from accelbrainbase.comparison.calls import parameter_n
from accelbrainbase.comparison.comparison import Comparison

logger = logging.getLogger(__name__)


def compare(
    problem: Any,
    models: Mapping[str, Any],
    *,
    learned: bool | Collection[str] = False,
    learn: Mapping[str, Callable[[Any, Any], Any]] | None = None,
) -> Comparison:
    """Let functional equivalents solve one problem, and measure each.

    Models learn one after the other, in their order. If one fails, those before it have
    learned: name them in `learned` to go on.

    Args:
        problem: A `ProblemSetting`; or any object with `quality(model)`, which returns floats
            by name, and `learn(model)` if models are to learn.
        models: The models by name: those of this package, your own, or estimators of
            scikit-learn.
        learned: Names of models that have learned before; `True`: all of them.
        learn: For models that learn in another way than `problem.learn(model)`: a function of
            the model and the problem, by name.

    Returns:
        A `Comparison`: its `table` has a row for each model, with the measures of the problem,
        `parameters`, and `seconds` of learning (NaN where it has learned before); its
        `figure` draws them.

    Raises:
        TypeError: If `problem` has no `quality`, or a model cannot take part.
        ValueError: If a name is not one of `models`.

    Example:
        >>> problem = RepresentationLearning(train, train_labels, test, test_labels)
        >>> table, figure = compare(problem, {"AE": auto_encoder, "PCA": PCA(8)})
    """
    if not callable(getattr(problem, "quality", None)):
        raise TypeError(
            f"`problem` must have a method `quality(model)`, but a `{type(problem).__name__}` has "
            "none. Derive it from `accelbrainbase.ProblemSetting`."
        )
    check_is_a("models", models, Mapping)
    for name, model in models.items():
        if isinstance(model, type):
            raise TypeError(
                f"`models` must hold instances, but {name!r} is the class `{model.__name__}`. Pass "
                f"`{model.__name__}(…)`."
            )
    if not models:
        raise ValueError("`models` must have at least one entry, but is empty.")
    ready = set(models) if learned is True else set(learned or ())
    ways = dict(learn or {})
    for argument, names in (("learned", ready), ("learn", ways)):
        for name in names:
            check_choice(argument, name, models)
    rows = {}
    for name, model in models.items():
        seconds = math.nan
        if name not in ready:
            logger.info("%s learns", name)
            begin = time.perf_counter()
            if name in ways:
                ways[name](model, problem)
            else:
                problem.learn(model)
            seconds = time.perf_counter() - begin
        quality = {measure: float(value) for measure, value in problem.quality(model).items()}
        rows[name] = {**quality, "parameters": parameter_n(model), "seconds": seconds}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "model"
    table = table[[*(c for c in table if c not in Comparison.COSTS), *Comparison.COSTS]]
    table["parameters"] = table["parameters"].astype("Int64")
    return Comparison(table, dict(models), getattr(problem, "better", {}))
