"""What problems ask of models, by whichever of their methods answers it.

Models of this package, estimators of scikit-learn, and everything that has the same methods
are asked alike: in mini-batches, NumPy arrays in and out.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from accelbrainbase.controllable_model import ControllableModel
from accelbrainbase.iteratable_data import IteratableData

_AT_ONCE = 500


def to_array(value: Any) -> np.ndarray:
    """Return an array of NumPy, of whatever tensor library `value` is."""
    if hasattr(value, "asnumpy"):
        return value.asnumpy()
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.asarray(value)


def in_batches(function: Callable[[Any], Any], arr: np.ndarray) -> np.ndarray:
    """Return what `function` makes of the rows of `arr`, some hundreds at a time."""
    pieces = [
        to_array(function(arr[begin : begin + _AT_ONCE])) for begin in range(0, len(arr), _AT_ONCE)
    ]
    return np.concatenate(pieces)


def has(model: Any, *names: str) -> bool:
    """Return whether `model` has all these methods."""
    return all(callable(getattr(model, name, None)) for name in names)


def lacks(model: Any, *ways: str) -> TypeError:
    """Return the error for a model that has none of the methods that were looked for."""
    return TypeError(
        f"A `{type(model).__name__}` cannot take part: it has none of {', '.join(ways)}. Wrap it "
        "in an object that has one."
    )


def learn(
    model: Any,
    make_iterator: Callable[[], IteratableData],
    fit: Callable[[Any], Any],
    iter_n: int | None = None,
) -> None:
    """Let a model learn: estimators by `fit`, controllers by turns, models by mini-batches.

    Args:
        model: The model.
        make_iterator: Returns what a model's `learn` takes.
        fit: Calls the `fit` of an estimator.
        iter_n: Number of turns of a controller; `None`: it takes an iterator, as models do.
    """
    if has(model, "fit"):
        fit(model)
    elif not has(model, "learn"):
        raise lacks(model, "`learn(iteratable_data)`", "`fit(X)`")
    elif iter_n is not None and isinstance(model, ControllableModel):
        model.learn(iter_n)
    else:
        model.learn(make_iterator())


def codes_of(model: Any, arr: np.ndarray) -> np.ndarray:
    """Return the codes of data points, shape `(n, code units)`.

    By `transform` (scikit-learn), `encode`, or `feature_points_arr` after `inference`.
    """
    if has(model, "transform"):
        found = in_batches(model.transform, arr.reshape(len(arr), -1))
    elif has(model, "encode"):
        found = in_batches(model.encode, arr)
    elif has(model, "inference") and hasattr(type(model), "feature_points_arr"):

        def features(batch: np.ndarray) -> Any:
            model.inference(batch)
            return model.feature_points_arr

        found = in_batches(features, arr)
    else:
        raise lacks(model, "`encode`", "`transform`", "`inference` with `feature_points_arr`")
    return found.reshape(len(arr), -1)


def reconstructed_by(model: Any, arr: np.ndarray) -> np.ndarray | None:
    """Return reconstructions, of the shape of `arr`; `None` if the model makes none.

    By `inverse_transform` (scikit-learn), `decode`, or what `inference` returns where it is as
    much as went in; of a tuple its first entry.
    """
    if has(model, "transform", "inverse_transform"):
        flat = arr.reshape(len(arr), -1)
        found = in_batches(lambda batch: model.inverse_transform(model.transform(batch)), flat)
    elif has(model, "encode", "decode"):
        found = in_batches(lambda batch: model.decode(model.encode(batch)), arr)
    elif has(model, "inference"):
        found = in_batches(lambda batch: _first(model.inference(batch)), arr)
    else:
        return None
    return found.reshape(arr.shape) if found.size == arr.size else None


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (tuple, list)) else value


def classes_by(model: Any, arr: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return predicted classes, shape `(n,)`.

    By `predict` (scikit-learn); by `classify`, which gives the place in `classes`; or by the
    greatest of the scores that `inference` returns, in the order of `classes`; of a tuple the
    entry with a score for each class.
    """
    if has(model, "predict"):
        return in_batches(model.predict, arr.reshape(len(arr), -1))
    if has(model, "classify"):
        return classes[in_batches(model.classify, arr).astype(int).reshape(-1)]
    if not has(model, "inference"):
        raise lacks(model, "`predict`", "`classify`", "`inference`")

    def scores(batch: np.ndarray) -> Any:
        found = model.inference(batch)
        entries = found if isinstance(found, (tuple, list)) else [found]
        for entry in entries:
            if tuple(entry.shape) == (len(batch), len(classes)):
                return entry
        shapes = ", ".join(str(tuple(entry.shape)) for entry in entries)
        raise ValueError(
            f"`inference` of a `{type(model).__name__}` must return scores of shape (batch, "
            f"{len(classes)}), one for each class, but returned {shapes} for a batch of "
            f"{len(batch)}."
        )

    return classes[in_batches(scores, arr).argmax(axis=1)]


def drawn_from(model: Any, n: int) -> np.ndarray:
    """Return `n` samples that a model generates.

    By `sample(n)` (scikit-learn), `draw(n)`, or `draw()` as often as needed; of a controller by
    its `generative_model`.
    """
    source = getattr(model, "generative_model", model)
    if has(source, "sample"):
        found = source.sample(n)
        return to_array(_first(found) if isinstance(found, tuple) else found)
    if not has(source, "draw"):
        raise lacks(model, "`draw`", "`sample`", "`generative_model`")
    if _needs_argument(source.draw):
        return to_array(source.draw(n))[:n]
    pieces: list[np.ndarray] = []
    while sum(map(len, pieces)) < n:
        found = source.draw()
        if isinstance(found, tuple):
            raise TypeError(
                f"`draw` of a `{type(source).__name__}` returns {len(found)} arrays, not samples "
                "alone. Say how to draw by the argument `draw` of the problem."
            )
        pieces.append(to_array(found))
    return np.concatenate(pieces)[:n]


def _needs_argument(function: Callable[..., Any]) -> bool:
    parameters = inspect.signature(function).parameters.values()
    positional = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
    return any(p.default is p.empty and p.kind in positional for p in parameters)


_FITTED = ("coef_", "intercept_", "coefs_", "intercepts_", "components_", "mean_", "means_")
_FITTED_VECTORS = ("support_vectors_", "dual_coef_", "intercept_")  # they make up its `coef_`


def parameter_n(model: Any) -> float:
    """Return the number of learned values; NaN where nobody knows.

    By `parameter_n`, by `parameters()` (PyTorch), by the `model_` that an estimator has fitted,
    or by the sizes of what linear models, support-vector machines, decompositions and networks of
    scikit-learn have fitted.
    """
    if hasattr(model, "parameter_n"):
        return float(model.parameter_n)
    if hasattr(model, "model_"):
        return parameter_n(model.model_)
    if has(model, "parameters"):
        return float(sum(math.prod(parameter.shape) for parameter in model.parameters()))
    names = _FITTED_VECTORS if hasattr(model, "support_vectors_") else _FITTED
    fitted = [getattr(model, name) for name in names if getattr(model, name, None) is not None]
    if not fitted:
        return math.nan
    return float(
        sum(
            sum(np.size(part) for part in value) if isinstance(value, list) else np.size(value)
            for value in fitted
        )
    )
