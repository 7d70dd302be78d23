"""The rules of docs/architecture.md that can be checked: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import accelbrainbase as ab

ROOT = Path(ab.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py"))
INTERFACES = {
    "computable_loss", "controllable_model", "extractable_data", "iteratable_data",
    "noiseable_data", "observable_data", "regularizatable_data", "samplable_data",
}  # fmt: skip
BASICS = {
    *INTERFACES,
    "_accessors",
    "_checks",
    "_deprecation",
    "_described",
    "_files",
    "_frames",
    "_optional",
    "errors",
}
TENSOR_LIBRARIES = {"mxnet", "torch"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """All modules that `path` imports, anywhere but under `if TYPE_CHECKING`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            hidden |= {inner for statement in node.body for inner in ast.walk(statement)}
    found = set()
    for node in ast.walk(tree):
        if node in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module)
    return found


def floor_of(module: str) -> int:
    """The floor of a module of the package, from its path."""
    room = module.split(".")[1] if "." in module else ""
    floors = {
        "learning": 2, "_mxnet": 2, "observabledata": 4, "controllablemodel": 5, "": 6,
    }  # fmt: skip
    if room in BASICS or room == "mxnet_compat":
        return 1
    return floors.get(room, 3 if room.endswith(("data", "loss")) else 6)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down(path):
    module = name_of(path)
    for imported in imports_of(path):
        if imported.split(".")[0] == "accelbrainbase" and module != "accelbrainbase":
            assert floor_of(imported) <= floor_of(module), f"{module} imports {imported}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_tensor_libraries_stay_in_their_rooms(path):
    module = name_of(path)
    if "._mxnet" in module or "._torch" in module or ".mxnet_compat" in module:
        return
    used = {imported.split(".")[0] for imported in imports_of(path)}
    assert not used & TENSOR_LIBRARIES, f"{module} imports a tensor library"
    inner = {imported for imported in imports_of(path) if "._mxnet" in imported}
    assert not inner or module == "accelbrainbase", f"{module} imports {inner}"


def test_interfaces_have_no_constructor_and_no_state():
    for name in ab.__all__:
        if ab._EXPORTS[name].rpartition(".")[2] in INTERFACES:
            interface = getattr(ab, name)
            assert "__init__" not in vars(interface), name
            assert interface.__abstractmethods__, name
            plain = {n for n, v in vars(interface).items() if not n.startswith("_")}
            assert plain == set(interface.__abstractmethods__), name


def test_what_all_share_is_on_the_map():
    """Whoever looks for the room of something finds each module of `_mxnet/` in a table."""
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    names = {path.name for path in (ROOT / "_mxnet").glob("*.py")} - {"__init__.py"}
    assert sorted(name for name in names if f"`{name}`" not in page) == []


def test_no_circles():
    """Each module can be the first one to be imported."""
    code = "import importlib, sys; import accelbrainbase; importlib.import_module(sys.argv[1])"
    for path in MODULES:
        if "learning" in path.parts or path.parent == ROOT:
            if path.stem != "__main__":
                subprocess.run([sys.executable, "-c", code, name_of(path)], check=True)


def test_all_public_names_resolve():
    for name in ab.__all__:
        assert getattr(ab, name).__name__ == name
    assert set(ab.__all__) <= set(dir(ab))
    with pytest.raises(AttributeError, match="no attribute 'AutoEncodr'"):
        ab.AutoEncodr  # noqa: B018


def test_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert ab.__version__ == version("accel-brain-base")
