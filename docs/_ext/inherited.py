"""Names at the end of each class what it has from its bases, such as `learn`, with links."""

from __future__ import annotations

import inspect

import accelbrainbase as ab


def inherited(cls):
    """Return the methods and properties that `cls` has from bases of this package.

    Args:
        cls: A class.

    Returns:
        The bases that define them, by name, sorted. Accessors of 1.1.0 are left out.
    """
    found = {}
    for base in cls.__mro__[1:]:
        if base.__module__.startswith("accelbrainbase"):
            for name, value in vars(base).items():
                is_one = callable(value) or isinstance(value, property)
                if is_one and not name.startswith(("_", "get_", "set_", "hybrid_forward")):
                    found.setdefault(name, base)
    return {name: found[name] for name in sorted(found) if name not in vars(cls)}


def entry(name, base):
    """Return a line on a member, with a link where its class has a page."""
    about = inspect.getdoc(vars(base)[name]) or ""
    shown = f"``{name}``"
    if getattr(ab, base.__name__, None) is base:
        shown = f":py:obj:`{name} <accelbrainbase.{base.__name__}.{name}>`"
    return f"- {shown}: {about.splitlines()[0]}" if about else f"- {shown}"


def folded(heading, entries):
    """Return lines of reStructuredText that a reader unfolds."""
    begin, end = f"<details><summary>{heading}</summary>", "</details>"
    raw = [["", ".. raw:: html", "", f"   {html}", ""] for html in (begin, end)]
    return [*raw[0], *entries, *raw[1]]


def add_inherited(*args):
    """Sphinx calls it with the application, the kind, the name, the object, options, lines."""
    what, cls, lines = args[1], args[3], args[5]
    if what == "class" and isinstance(cls, type):
        entries = [entry(*item) for item in inherited(cls).items()]
        if entries:
            lines += folded("Inherited methods and properties", entries)


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", add_inherited, priority=900)  # after napoleon
    return {"parallel_read_safe": True, "parallel_write_safe": True}
