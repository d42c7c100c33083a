"""Running the source of a layer of one's own, once it is trusted: a module for each source, imported like any other.

``deepgui_own.<SHA-256>`` is importable as soon as the source has been declared, so that whatever looks a class up by
its qualified name (the compiler, ``pickle``, a traceback) finds it.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import inspect
import linecache
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from typing import Any

from torch import nn

from deepgui.catalog.own.declared import PACKAGE, OwnError, declare, is_own, source_of
from deepgui.catalog.spec import LayerSpec, Value, freeze
from deepgui.project.trust import trusted

UNTRUSTED = "is Python code that you have not trusted yet"

_failed: dict[str, str] = {}
"""What a source that could not be run has said, by target: it is not run again until it changes."""


def obstacle(target: str) -> str:
    """Why a layer cannot be made, as the end of a sentence that begins with its name; empty if it can.

    Runs the source the first time, if it is trusted. Never raises.
    """
    if not is_own(target) or target in _ready:
        return ""
    module, _, name = target.rpartition(".")
    source = source_of(module)
    if source is None:
        return "has lost its code"
    if not trusted(source):
        return f"{UNTRUSTED}: look at it, then trust it in the window or with --trust"
    if target not in _failed:
        complaint = _load(module, name, source)
        if not complaint:
            _ready.add(target)
            return ""
        _failed[target] = complaint
    return _failed[target]


_ready: set[str] = set()


def try_out(source: str, name: str) -> str:
    """Run a source that its author vouches for, and say what is wrong; empty if the layer can be used.

    The caller has made sure that it is trusted.
    """
    try:
        return obstacle(declare(source, name, _builtin_kinds()).target)
    except OwnError as error:
        return str(error)


def _load(module: str, name: str, source: str) -> str:
    """Import the module and compare the class with what was read from its source."""
    try:
        made = importlib.import_module(module)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # a source can raise whatever it likes, SystemExit included
        return f"does not run: {said(error, module)}"
    cls = getattr(made, name, None)
    if not (inspect.isclass(cls) and issubclass(cls, nn.Module)):
        return f"is no nn.Module: {name} is {_what(cls)} after its code has run"
    try:
        return _differences(declare(source, name, _builtin_kinds()), cls)
    except (OwnError, ValueError, TypeError) as error:
        return f"cannot be read: {error}"


def _builtin_kinds() -> dict[str, LayerSpec]:
    from deepgui.catalog.builtin import registry

    return dict(registry())


def _what(thing: object) -> str:
    return "gone" if thing is None else f"a {type(thing).__name__}"


def said(error: BaseException, module: str) -> str:
    """An error of such a source in one sentence, with the line of the source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    words = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    steps = traceback.walk_tb(error.__traceback__)  # not extract_tb: a recursion is a thousand frames deep
    frames = [line for frame, line in steps if frame.f_code.co_filename == _file_name(module)]
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) and not frames else None
    line = frames[-1] if frames else line
    if not line and isinstance(error, ValueError) and lines:
        return lines[0]
    return f"{words} (line {line})" if line else words


def _differences(spec: LayerSpec, cls: type[nn.Module]) -> str:
    """What the class that came out takes otherwise than its source says."""
    declared = {
        "__init__": [p.name for p in spec.params if not p.call],
        "forward": [*(p.name for p in spec.inputs), *(p.name for p in spec.params if p.call)],
    }
    for method, names in declared.items():
        real = _named(getattr(cls, method))
        shown = [n for n in real if n in names]
        missing = [n for n in names if n not in real]
        needed = [n for n, default in real.items() if default is inspect.Parameter.empty and n not in names]
        if missing or needed or (method == "forward" and shown[: len(spec.inputs)] != names[: len(spec.inputs)]):
            return (
                f"takes other arguments than its code says: {method}({', '.join(real)}) when it runs, "
                f"{method}({', '.join(names)}) as it is written"
            )
    for param in spec.params:
        real_default = _named(getattr(cls, "forward" if param.call else "__init__"))[param.name]
        if not param.required and not _agree(param.torch_default, real_default):
            return f"has another default for {param.name} when it runs than its code says"
    return ""


def _agree(written: Value, real: Any) -> bool:
    try:
        return written is None or freeze(real) == written
    except TypeError:
        return False


def _named(function: Callable[..., Any]) -> dict[str, Any]:
    """The named arguments with their defaults, without the first one."""
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    found = [p for p in inspect.signature(function).parameters.values() if p.kind not in variable]
    return {p.name: p.default for p in found[1:]}


# --- modules -------------------------------------------------------------------------------------------


def _file_name(module: str) -> str:
    return f"<{module}>"


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds ``deepgui_own`` and the modules in it among the sources that have been declared."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == PACKAGE:
            return importlib.util.spec_from_loader(fullname, self, is_package=True)
        if source_of(fullname) is None:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module: types.ModuleType) -> None:
        source = source_of(module.__name__)
        if source is None:
            return
        if not trusted(source):
            raise ImportError(f"this code {UNTRUSTED}")
        name = _file_name(module.__name__)
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec", dont_inherit=True), module.__dict__)  # trusted, see above


if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
    sys.meta_path.append(_Finder())
