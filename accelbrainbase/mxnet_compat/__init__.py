"""Makes MXNet 1.9.1 importable and usable on today's Python and NumPy.

MXNet 1.9.1 was written for NumPy 1.x and for a Python that had `distutils`. It asks NumPy for
names that are gone (`np.bool`, `np.Inf`, `np.alltrue`, ...), and NumPy 2 prints its scalars in a
way that MXNet's parameter parser refuses (`(np.int64(2), 3)`). This module supplies what is
missing, and to MXNet only:

- `install_hook` puts a finder on `sys.meta_path`. It looks at nothing but the handful of MXNet
  modules in `_FIXED_MODULES`, and nothing happens until one of them is imported.
- While such a module runs, *its own* `import numpy` is answered by a stand-in module: all of NumPy
  plus the missing names. NumPy itself is never touched. So other libraries' feature checks on it
  give the same answers before, while and after MXNet is imported (`import mxnet` imports pandas,
  scikit-learn and SciPy where they are installed), and other threads see nothing.
- The same goes for `distutils.version`: `sys.modules` never holds a substitute.
- While MXNet's library is loaded, its OpenBLAS is told which kernels an Intel processor has that is
  newer than it: it would take those of 2004, which take two to three times as long.
- Parameters are turned into text by a module-level `str` in the MXNet modules that do so. NumPy's
  print options stay as the user has them.

`import accelbrainbase` installs the hook, so that any later `import mxnet` works. A program that
imports MXNet *before* accelbrainbase is served by a start-up file, see
`python -m accelbrainbase.mxnet_compat`.

This module imports neither NumPy nor MXNet, nor what Python has not loaded at start-up anyway.
"""

from __future__ import annotations

import builtins
import os
import sys
from types import ModuleType, SimpleNamespace

# Not from `typing`, whose import costs more than the rest of this module; type checkers know it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from typing import Any

__all__ = ["MXNetImportError", "find_spec", "import_mxnet", "install_hook"]

MIN_PYTHON = (3, 9)
MIN_NUMPY = (1, 19)

WORKING_COMBINATIONS = """\
Combinations that work:
  Python 3.9 to 3.12, MXNet 1.9.1, NumPy 1.21 to 1.26:
    python -m pip install "mxnet==1.9.1" "numpy<2"
  Python 3.9 to 3.13, MXNet 1.9.1 without its dependencies (it asks for NumPy 1), NumPy 2.0 to 2.5:
    python -m pip install --no-deps "mxnet==1.9.1"
    python -m pip install "numpy>=2" requests"""


class MXNetImportError(ImportError):
    """MXNet is missing, or cannot work in this environment. The message says what to type."""


# --------------------------------------------------------------------------------------------------
# What MXNet misses
# --------------------------------------------------------------------------------------------------


def _version_tuple(text: str) -> tuple[int, ...]:
    """First three numbers of a version: `(2, 0, 0)` for `"2.0.0rc1"`."""
    numbers: list[int] = []
    for part in text.split(".")[:3]:
        digits = ""
        for character in part:
            if not character.isdigit():
                break
            digits += character
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


class _Version(tuple):  # type: ignore[type-arg]
    """Stands in for the version classes of `distutils`; MXNet only compares them."""

    def __new__(cls, text: str) -> _Version:
        return super().__new__(cls, _version_tuple(text))


_DISTUTILS_VERSION = SimpleNamespace(StrictVersion=_Version, LooseVersion=_Version)


def _removed(name: str) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"`mx.np.{name}` calls `numpy.{name}`, which NumPy removed in 1.20. "
            f"Use `numpy_financial.{name}` of the package numpy-financial."
        )

    function.__name__ = name
    return function


def _missing_names(np: Any) -> dict[str, Any]:
    """Names that MXNet 1.9.1 reads from NumPy and that some NumPy does not have, with their values.

    The functions are wrappers and not the new functions themselves: MXNet registers its own
    implementation of each under the function object, and `sometrue` must not replace `any`.
    """

    def alltrue(*args: Any, **kwargs: Any) -> Any:
        return np.all(*args, **kwargs)

    def sometrue(*args: Any, **kwargs: Any) -> Any:
        return np.any(*args, **kwargs)

    def product(*args: Any, **kwargs: Any) -> Any:
        return np.prod(*args, **kwargs)

    def round_(*args: Any, **kwargs: Any) -> Any:
        return np.round(*args, **kwargs)

    def msort(a: Any) -> Any:
        return np.sort(a, axis=0)

    def in1d(ar1: Any, ar2: Any, *args: Any, **kwargs: Any) -> Any:
        return np.isin(np.ravel(ar1), ar2, *args, **kwargs)

    def trapz(*args: Any, **kwargs: Any) -> Any:
        return np.trapezoid(*args, **kwargs)

    functions = (alltrue, sometrue, product, round_, msort, in1d, trapz)
    return {
        **{function.__name__: function for function in functions},
        **{name: _removed(name) for name in ("mirr", "npv", "pmt", "ppmt", "pv", "rate")},
        **{name: np.nan for name in ("NAN", "NaN")},
        **{name: np.inf for name in ("Inf", "PINF")},
        "NINF": -np.inf,
        "PZERO": 0.0,
        "NZERO": -0.0,
        "bool": np.bool_,
        "int": int,
        "compat": SimpleNamespace(basestring=str),
    }


_numpy_stand_in: ModuleType | None = None


def _numpy_for_mxnet() -> ModuleType:
    """NumPy as MXNet expects it: a module with all of NumPy's names plus those that it misses."""
    global _numpy_stand_in
    if _numpy_stand_in is not None:
        return _numpy_stand_in
    import numpy as np

    def later(name: str) -> Any:
        return getattr(np, name)

    # A plain module with a filled dictionary: reading a name costs what it costs on NumPy itself.
    stand_in = ModuleType("numpy", np.__doc__)
    names = vars(stand_in)
    names.update(vars(np))
    names["__getattr__"] = later  # names that NumPy loads lazily, or gets later
    for name, value in _missing_names(np).items():
        names.setdefault(name, value)
    if _version_tuple(np.__version__) >= (2, 0):
        # `nd.moveaxis` goes through `numpy.core`, which warns, and will go.
        lib: Any = np.lib
        numeric = SimpleNamespace(normalize_axis_tuple=lib.array_utils.normalize_axis_tuple)
        names["core"] = SimpleNamespace(numeric=numeric)
    _numpy_stand_in = stand_in
    return stand_in


def _import_for_mxnet(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    """The `__import__` of the MXNet modules that need something which is gone."""
    if level == 0 and name == "numpy":
        return _numpy_for_mxnet()
    if level == 0 and name == "distutils.version" and fromlist:
        return _DISTUTILS_VERSION
    return builtins.__import__(name, globals, locals, fromlist or (), level)


# --------------------------------------------------------------------------------------------------
# Text of operator parameters
# --------------------------------------------------------------------------------------------------


def _parameter_text(value: Any) -> str:
    """Text of an operator's parameter as of NumPy 1: `(2, 3)`, not `(np.int64(2), 3)`."""
    text = str(value)
    # First the cheap test, which nearly every parameter of every operator call ends with.
    if "np." in text and isinstance(value, (tuple, list)):
        import numpy as np

        return _sequence_text(value, np.generic, np.character)
    return text


def _sequence_text(values: Sequence[Any], generic: Any, character: Any) -> str:
    texts = []
    for value in values:
        if isinstance(value, (tuple, list)):
            texts.append(_sequence_text(value, generic, character))
        elif isinstance(value, generic):
            texts.append(repr(value.item()) if isinstance(value, character) else str(value))
        else:
            texts.append(repr(value))
    if isinstance(values, list):
        return "[" + ", ".join(texts) + "]"
    return "(" + ", ".join(texts) + (",)" if len(texts) == 1 else ")")


class _StrMeta(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> str:
        if len(args) == 1 and not kwargs:
            return _parameter_text(args[0])
        return str(*args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, str)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, str)


class _Str(metaclass=_StrMeta):
    """Takes the place of `str` in a module that also says `isinstance(value, str)`."""


# --------------------------------------------------------------------------------------------------
# The fixes, one MXNet module at a time
# --------------------------------------------------------------------------------------------------


def _fix_numpy_names(names: dict[str, Any]) -> None:
    """Replaces NumPy in a module's namespace by the stand-in (already so if the hook loaded it)."""
    np = sys.modules["numpy"]
    for name in ("np", "_np", "onp", "_numpy"):
        if names.get(name) is np:
            names[name] = _numpy_for_mxnet()


def _fix_str(names: dict[str, Any]) -> None:
    if _version_tuple(sys.modules["numpy"].__version__) >= (2, 0):
        names["str"] = _parameter_text


def _fix_str_type(names: dict[str, Any]) -> None:
    if _version_tuple(sys.modules["numpy"].__version__) >= (2, 0):
        names["str"] = _Str


def _fix_recordio(names: dict[str, Any]) -> None:
    """Replaces the two functions that call `ndarray.tostring`, which NumPy 2.3 removed."""
    import numbers
    import struct

    import numpy as np

    def pack(header: Any, s: bytes) -> bytes:
        header = names["IRHeader"](*header)
        if isinstance(header.label, numbers.Number):
            header = header._replace(flag=0)
        else:
            label = np.asarray(header.label, dtype=np.float32)
            header = header._replace(flag=label.size, label=0)
            s = label.tobytes() + s
        return struct.pack(names["_IR_FORMAT"], *header) + s

    def pack_img(header: Any, img: Any, quality: int = 95, img_fmt: str = ".jpg") -> bytes:
        cv2 = names["cv2"]
        if cv2 is None:
            raise ImportError(
                "`mx.recordio.pack_img` needs OpenCV: python -m pip install opencv-python-headless"
            )
        parameters = None
        if img_fmt.upper() in (".JPG", ".JPEG"):
            parameters = [cv2.IMWRITE_JPEG_QUALITY, quality]
        elif img_fmt.upper() == ".PNG":
            parameters = [cv2.IMWRITE_PNG_COMPRESSION, quality]
        done, buffer = cv2.imencode(img_fmt, img, parameters)
        if not done:
            raise ValueError(f"OpenCV could not encode the image as {img_fmt!r}.")
        return names["pack"](header, buffer.tobytes())  # type: ignore[no-any-return]

    for function in (pack, pack_img):
        original = names[function.__name__]
        function.__doc__ = original.__doc__
        function.__module__ = original.__module__
        function.__qualname__ = original.__qualname__
        names[function.__name__] = function


def _fix_scipy_names(names: dict[str, Any]) -> None:
    """Gives a module `scipy.sparse` with the submodule `csr`, which SciPy 2 removes.

    Until then each use of it, that is each `mx.nd.array`, makes a DeprecationWarning.
    """
    sparse = names.get("spsp")
    if sparse is not None:
        stand_in = ModuleType("scipy.sparse")
        vars(stand_in).update(vars(sparse), csr=sparse)
        names["spsp"] = stand_in


_LIBRARY = "mxnet.base"  # loads libmxnet

# Found by looking up every NumPy name of MXNet's source on NumPy 1.26, 2.4 and 2.5. The finder
# answers for these modules, `mxnet` itself and `mxnet.base` only.
_FIXED_MODULES: dict[str, Callable[[dict[str, Any]], None]] = {
    "mxnet.numpy.fallback": _fix_numpy_names,  # alltrue, in1d, mirr, msort, npv, ..., trapz
    "mxnet.numpy.utils": _fix_numpy_names,  # bool, PZERO, NZERO, PINF, NINF, NAN, NaN
    "mxnet.numpy.multiarray": _fix_numpy_names,  # bool, when indexed by a boolean
    "mxnet.ndarray.ndarray": _fix_numpy_names,  # core
    "mxnet.ndarray.numpy._op": _fix_numpy_names,  # bool, compat
    "mxnet.symbol.numpy._symbol": _fix_numpy_names,  # bool, compat
    "mxnet.numpy_dispatch_protocol": _fix_numpy_names,  # round_, product, sometrue; distutils
    "mxnet.numpy_op_fallback": _fix_numpy_names,  # distutils
    "mxnet.gluon.contrib.estimator.event_handler": _fix_numpy_names,  # Inf
    "mxnet.test_utils": _fix_numpy_names,  # bool, int
    "mxnet._ctypes.ndarray": _fix_str,
    "mxnet._ctypes.symbol": _fix_str,
    "mxnet.symbol.symbol": _fix_str_type,
    "mxnet.io.io": _fix_str_type,
    "mxnet.kvstore.base": _fix_str_type,
    "mxnet.recordio": _fix_recordio,
    "mxnet.ndarray.utils": _fix_scipy_names,
    "mxnet.ndarray.sparse": _fix_scipy_names,
}


# --------------------------------------------------------------------------------------------------
# What OpenBLAS does not know
# --------------------------------------------------------------------------------------------------

_CORE = "OPENBLAS_CORETYPE"


def _openblas_core(cpuinfo: Iterable[str]) -> str | None:
    """Name of the kernels of OpenBLAS for an Intel processor, or `None` for all others.

    They are the newest that MXNet's OpenBLAS has, and what it chooses for models that it knows.

    Args:
        cpuinfo: The lines of `/proc/cpuinfo`.
    """
    vendor = ""
    for line in cpuinfo:
        name, _, value = line.partition(":")
        if name.strip() == "vendor_id":
            vendor = value.strip()
        elif name.strip() == "flags":  # of the first core; the others are not read
            if vendor != "GenuineIntel":
                return None
            return "Haswell" if {"avx2", "fma"} <= set(value.split()) else None
    return None


def _load_library(load: Callable[[], None]) -> None:
    """Loads MXNet's library by `load`; its OpenBLAS asks an environment variable meanwhile."""
    core = None
    if _CORE not in os.environ:
        try:
            with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
                core = _openblas_core(file)
        except OSError:
            pass  # not Linux: OpenBLAS chooses
    if core is None:
        load()
        return
    os.environ[_CORE] = core
    try:
        load()
    finally:
        os.environ.pop(_CORE, None)


# --------------------------------------------------------------------------------------------------
# The hook
# --------------------------------------------------------------------------------------------------


class _Loader:
    """Loads one MXNet module by the loader that was found for it, and supplies what is missing."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        # What else a loader can do (`get_source`, `get_data`, ...) is the real loader's business.
        # The guard keeps `copy` and `pickle`, which skip `__init__`, from recursing.
        if name == "_loader" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: ModuleType) -> None:
        # From here on the module looks as if it had been loaded without us.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        if module.__name__ == "mxnet":
            self._exec_top_level(module)
        elif module.__name__ == _LIBRARY:
            _load_library(lambda: self._loader.exec_module(module))
        else:
            self._exec_fixed(module)

    def _exec_top_level(self, module: ModuleType) -> None:
        _check_environment()
        try:
            self._loader.exec_module(module)
        except (AttributeError, RuntimeError) as error:
            # What a name that is gone ends in; MXNet turns some into a RuntimeError. Anything else
            # (a missing package, a library that cannot be loaded) says itself what is the matter.
            raise MXNetImportError(
                _message(f"MXNet failed while it was imported: {error}")
            ) from error

    def _exec_fixed(self, module: ModuleType) -> None:
        # `import` asks the `__import__` in the builtins of the module that says it: so only this
        # module sees the stand-ins.
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import_for_mxnet}
        try:
            self._loader.exec_module(module)
        finally:
            module.__dict__["__builtins__"] = vars(builtins)
        _FIXED_MODULES[module.__name__](vars(module))


class _Finder:
    """Meta path finder: lets the finders behind it find MXNet and wraps the loader they found."""

    # Recognised by this name, not by the class: there may be two after a reload of this module.
    is_accelbrainbase_mxnet_hook = True

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in ("mxnet", _LIBRARY) and name not in _FIXED_MODULES:
            return None
        for finder in tuple(sys.meta_path):
            if getattr(finder, "is_accelbrainbase_mxnet_hook", False) or not hasattr(
                finder, "find_spec"
            ):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                # A namespace package (any folder named mxnet) has no origin, and is not MXNet.
                if spec.origin is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
                return spec
        return None


_FINDER = _Finder()


def find_spec(
    name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
) -> ModuleSpec | None:
    """Install the hook and find `name` by it. What the start-up file calls when MXNet is imported.

    Args:
        name: Full name of a module, such as `"mxnet"`.
        path: Where to look; `None` for a top-level module.
        target: The module that is being reloaded, if any.

    Returns:
        The specification of the module, or `None` if it is not one of MXNet's or not installed.
    """
    install_hook()
    return _FINDER.find_spec(name, path, target)


def install_hook() -> None:
    """Make a later `import mxnet` work in this process. Cheap, and may be called repeatedly.

    Nothing is imported. If MXNet has been imported already (which works without help on NumPy 1.23
    and older, or after somebody else's repair), what can be repaired afterwards is.
    """
    others = [f for f in sys.meta_path if not getattr(f, "is_accelbrainbase_mxnet_hook", False)]
    if sys.meta_path[:1] != [_FINDER] or len(others) + 1 != len(sys.meta_path):
        # In place, in one step: other threads may be importing, and others may hold this very list.
        sys.meta_path[:] = [_FINDER, *others]
    mxnet = sys.modules.get("mxnet")
    if mxnet is not None and not getattr(mxnet.__spec__, "_initializing", False):
        for name, fix in _FIXED_MODULES.items():
            module = sys.modules.get(name)
            if module is not None:
                fix(vars(module))


# --------------------------------------------------------------------------------------------------
# Import with a diagnosis
# --------------------------------------------------------------------------------------------------


def _message(reason: str) -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    numpy = getattr(sys.modules.get("numpy"), "__version__", None)
    here = f"This is Python {python}" + (f" with NumPy {numpy}." if numpy else ".")
    return f"{reason}\n{here}\n{WORKING_COMBINATIONS}"


def _check_environment() -> None:
    """Raises `MXNetImportError` if MXNet cannot work with this Python or this NumPy."""
    if sys.version_info < MIN_PYTHON:
        wanted = ".".join(map(str, MIN_PYTHON))
        raise MXNetImportError(_message(f"accelbrainbase needs Python {wanted} or newer."))
    try:
        import numpy as np
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise MXNetImportError(_message("MXNet needs NumPy, which is not installed.")) from error
    if _version_tuple(np.__version__) < MIN_NUMPY:
        wanted = ".".join(map(str, MIN_NUMPY))
        raise MXNetImportError(
            _message(f"NumPy {np.__version__} is too old: {wanted} or newer is needed.")
        )


def import_mxnet() -> ModuleType:
    """Import MXNet, on any NumPy that can work, or say why that fails and what to type.

    Returns:
        The module `mxnet`.

    Raises:
        MXNetImportError: If MXNet is missing, cannot be loaded, is not of the 1.x series, or does
            not work with this Python or NumPy. The message lists the combinations that do work.
    """
    install_hook()
    try:
        import mxnet
    except MXNetImportError:
        raise
    except ModuleNotFoundError as error:
        if error.name == "mxnet":
            raise MXNetImportError(_message("MXNet is not installed.")) from error
        what = f"MXNet needs the package {error.name!r}, which is not installed."
        raise MXNetImportError(
            _message(f"{what} Type: python -m pip install {error.name}")
        ) from error
    except (ImportError, OSError) as error:
        raise MXNetImportError(
            _message(f"MXNet is installed but cannot be loaded: {error}")
        ) from error
    version = getattr(mxnet, "__version__", None)
    if version is None:
        places = ", ".join(getattr(mxnet, "__path__", ["?"]))
        raise MXNetImportError(
            _message(
                f"`import mxnet` found something that is not MXNet: {places}. Rename or remove it."
            )
        )
    if not version.startswith("1."):
        raise MXNetImportError(
            _message(
                f"MXNet {version} is installed, but 1.9.1 is needed (2.x has no `hybrid_forward`)."
            )
        )
    return mxnet
