"""How the parameters of a model are kept in files, one or several."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon, nd

from accelbrainbase._mxnet.device import resolve_contexts
from accelbrainbase._mxnet.on_devices import OnDevices, first_of, is_initialized
from accelbrainbase._mxnet.parameter_files import (
    part_of,
    read_parameter_file,
    write_parameter_file,
)
from accelbrainbase._mxnet.tied_dense import TiedDense
from accelbrainbase.errors import ParameterFileError

_PRIVATE = re.compile(r"(?<![^.])_[A-Za-z0-9]+__")  # how Python names private attributes
_NUMBER = re.compile(r"(?<![^.])[0-9]+\.(?=[^.]*$)")  # of the layer that a name ends in


class StoredParameters(OnDevices):
    """Saves and loads the parameters of a `GluonLearner`, of which this is a part.

    What a file holds and how it is checked is here; the bytes are in `parameter_files.py`.
    """

    _twice_in_old_files: tuple[str, ...] = ()  # layers that 1.1.0 also saved under their number

    def _file_parts(self) -> Mapping[str, StoredParameters]:
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

    def _files(self, filename: str | os.PathLike[str]) -> Sequence[tuple[str, StoredParameters]]:
        """Return the paths of all files, and who is in each."""
        parts = self._file_parts()
        if not parts:
            return [(os.fspath(filename), self)]
        files = (learner._files(part_of(filename, part)) for part, learner in parts.items())
        return [file for files_of_part in files for file in files_of_part]

    def _to_store(self, deduplicate: bool) -> dict[str, nd.NDArray]:
        """Return the arrays of a file by name."""
        self.settle()
        parameters = self._collect_params_with_prefix()
        transposed = _tied_names(self)
        arrays: dict[str, nd.NDArray] = {}
        stored = set()
        for name, parameter in parameters.items():
            if deduplicate and id(parameter) in stored:
                continue
            stored.add(id(parameter))
            arr = first_of(parameter).copyto(mx.cpu())
            arrays[name] = arr.T if name in transposed else arr
        return arrays

    def load_parameters(
        self,
        filename: str | os.PathLike[str],
        ctx: mx.Context | Sequence[mx.Context] | None = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
    ) -> None:
        """Load parameters that `save_parameters` saved: all of them, or none.

        Args:
            filename: The path given to `save_parameters`.
            ctx: The device, or devices. `None` for those of the model.
            allow_missing: Whether parameters that are not in the file stay as they are.
            ignore_extra: Whether entries of the file that no parameter has are ignored.

        Raises:
            FileNotFoundError: If there is no such file.
            ParameterFileError: If the file is corrupt, or its entries are not those of
                this model. The model is as it was.
            ValueError: If `ctx` has several devices, and this model learns on one.
        """
        contexts = self.ctx_list if ctx is None else resolve_contexts(ctx)
        self._check_number_of(contexts)
        self.settle()
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
        if contexts != self.ctx_list:
            self._move_to(contexts)
        for parameter, arr in planned.values():
            value = nd.array(arr, ctx=self.ctx, dtype=np.dtype(parameter.dtype))
            parameter._load_init(value, None if is_initialized(parameter) else contexts)

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
