"""Writes the pages of the API reference: all public names, flat, by the rooms of the house."""

from __future__ import annotations

from pathlib import Path

import accelbrainbase as ab
from accelbrainbase import plotting

ROOMS = (
    ("Interfaces", "The eight of them; everything else implements one, or is made of them."),
    ("Learning", "The loop, what it records, and what takes part in it."),
    ("Data", "Iterators over mini-batches, and readers of files."),
    ("Losses", "What is minimised."),
    ("Noise and constraints", "What corrupts data points, and what bounds weights."),
    ("Samplers", "Where mini-batches and noise of adversarial and other games come from."),
    ("Models", "What learns and infers."),
    ("Controllers", "Several models in one algorithm."),
    ("Estimators", "The interface of scikit-learn."),
    ("Comparison", "Functional equivalents on one problem."),
    ("Errors and warnings", "What is raised, so that a program can catch it."),
    ("Base classes and tools", "What every Gluon model and controller shares."),
)
INTERFACES = {
    "ComputableLoss", "ControllableModel", "ExtractableData", "IteratableData",
    "NoiseableData", "ObservableData", "RegularizatableData", "SamplableData",
}  # fmt: skip
PREFIXES = {
    "learning": "Learning",
    "iteratabledata": "Data",
    "extractabledata": "Data",
    "computableloss": "Losses",
    "noiseabledata": "Noise and constraints",
    "regularizatabledata": "Noise and constraints",
    "samplabledata": "Samplers",
    "observabledata": "Models",
    "controllablemodel": "Controllers",
    "estimators": "Estimators",
    "comparison": "Comparison",
    "errors": "Errors and warnings",
}


def room_of(name):
    """The heading under which a public name stands, from the path of its module."""
    if name in INTERFACES:
        return "Interfaces"
    path = ab._EXPORTS[name].split(".")[1]
    if path.endswith("_sampler"):
        return "Samplers"
    return PREFIXES.get(path, "Base classes and tools")


def table(names):
    rows = "".join(f"   {name}\n" for name in sorted(names))
    return f".. autosummary::\n   :toctree: generated\n   :nosignatures:\n\n{rows}\n"


def page():
    text = (
        "API reference\n=============\n\n"
        "All public names, flat: ``import accelbrainbase as ab``, then ``ab.AutoEncoder``. They "
        "load when they are first used. The full paths, which other packages import, are those of "
        "1.1.0; "
        "*the path is the inheritance* (:doc:`/architecture`).\n\n"
        ".. currentmodule:: accelbrainbase\n\n"
    )
    for heading, about in ROOMS:
        names = [name for name in ab.__all__ if room_of(name) == heading]
        if names:
            text += f"{heading}\n{'-' * len(heading)}\n\n{about}\n\n{table(names)}"
    text += (
        "Plotting\n--------\n\nPictures of models and of what they learn. Each function "
        "returns the axes; none calls ``show()``.\n\n.. currentmodule:: accelbrainbase.plotting\n\n"
    )
    return text + table(plotting.__all__)


def write(app):
    """Write the page before Sphinx looks for pages."""
    path = Path(app.srcdir) / "api" / "index.rst"
    path.parent.mkdir(exist_ok=True)
    text = page()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app):
    write(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
