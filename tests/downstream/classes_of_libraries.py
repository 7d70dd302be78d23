"""Which classes of a library have no program here."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from importlib.util import find_spec
from pathlib import Path


def classes_without_program(library, *files, but=()):
    """Names of the classes on the MXNet side of `library` that no test in `files` mentions.

    Args:
        library: Its package.
        *files: Paths of modules with tests.
        but: Modules that need what is not installed.
    """
    mentioned = set()
    for file in files:
        for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.alias):
                mentioned.add(node.name)
            elif isinstance(node, ast.Attribute):
                mentioned.add(node.attr)
    return {name for name in public_classes(library, but) if name not in mentioned}


def public_classes(library, but):
    root = find_spec(library).submodule_search_locations
    names = set()
    for module in pkgutil.walk_packages(root, f"{library}."):
        if "._mxnet" not in module.name or module.ispkg or module.name in but:
            continue
        contents = vars(importlib.import_module(module.name))
        names |= {
            name for name, value in contents.items()
            if isinstance(value, type) and value.__module__ == module.name
        }  # fmt: skip
    return names
