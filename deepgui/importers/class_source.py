"""The source of a class with everything that it needs besides torch and Python, as one text that runs anywhere."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from deepgui.catalog.spec import freeze
from deepgui.importers.report import Inexpressible

MOST = 64
"""So many classes and functions may be in one such text; more is a package, not a layer."""

_ROOTS = frozenset({"torch", "numpy"})
_FUTURE = "from __future__ import annotations"


@dataclass
class Gathered:
    """A text in the making: imports, constants, and definitions, each after those that it needs."""

    imports: dict[str, None] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    _meant: dict[str, Any] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)
    _written: set[str] = field(default_factory=set)

    def text(self) -> str:
        """The whole source."""
        self.imports.setdefault("import torch")
        self.imports.setdefault("from torch import nn")
        head = "\n".join([_FUTURE, "", *sorted(self.imports, key=lambda line: (line.startswith("from"), line))])
        given = "\n".join(f"{name} = {text}" for name, text in self.constants.items())
        return "\n\n\n".join([head, *([given] if given else []), *self.definitions.values()]) + "\n"

    def add(self, thing: Any, tree: ast.ClassDef | None = None) -> str:
        """Take in a class or function and all that it needs. Returns its name in the text.

        Args:
            tree: a class to write instead; names in it mean what they mean where ``thing`` was written.

        Raises:
            Inexpressible: its source cannot be had, or it needs something that is neither torch's nor Python's.
        """
        own = tree or source_tree(thing)
        self._mean(own.name, tree or thing)
        if own.name in self._begun:
            return own.name
        self._begun.add(own.name)
        if tree is not None:
            self._written.add(own.name)
        if len(self._begun) > MOST:
            raise Inexpressible(f"its code needs more than {MOST} other classes and functions")
        lookup = _lookup(thing)
        for wanted, firm in names_read(own).items():
            self._need(wanted, lookup, firm, thing)
        self.definitions[own.name] = ast.unparse(own) if tree else own_text(thing)
        return own.name

    def _need(self, name: str, lookup: Callable[[str], Any], firm: bool, by: Any) -> None:
        """Provide a name. What only annotations mention may be missing."""
        if name in self._written:
            return
        value = lookup(name)
        if value is _MISSING:
            if firm and not hasattr(builtins, name):
                raise Inexpressible(f"{by.__name__} uses {name}, whose meaning cannot be found")
            return
        try:
            self.provide(name, value)
        except Inexpressible:
            if firm:
                raise

    def provide(self, name: str, value: Any) -> None:
        """Give a name its value in the text: by an import, a definition, or written out. Raises Inexpressible."""
        if name in self._meant and self._meant[name] is value:
            return
        if (line := import_line(name, value)) is not None:
            self._mean(name, value)
            self.imports.setdefault(line)
        elif inspect.isclass(value) or inspect.isfunction(inspect.unwrap(value) if callable(value) else value):
            written = self.add(value)
            if written != name:
                self._mean(name, value)
                self.definitions[name] = f"{name} = {written}"
        else:
            self._mean(name, value)
            self.constants[name] = constant(value)

    def _mean(self, name: str, value: Any) -> None:
        if self._meant.setdefault(name, value) is not value:
            raise Inexpressible(f"{name} means different things in the parts of its code")


_MISSING = object()


def source_tree(thing: Any) -> ast.ClassDef | ast.FunctionDef:
    """The definition of a class or function. Raises Inexpressible if there is no source."""
    try:
        found = ast.parse(own_text(thing)).body[0]
    except (SyntaxError, IndexError):
        raise Inexpressible(f"the source of {thing.__name__} cannot be read") from None
    if not isinstance(found, (ast.ClassDef, ast.FunctionDef)):
        raise Inexpressible(f"the source of {thing.__name__} cannot be read")
    return found


def own_text(thing: Any) -> str:
    """The source of a class or function, at the left margin. Raises Inexpressible."""
    try:
        return textwrap.dedent(inspect.getsource(thing)).strip("\n")
    except (OSError, TypeError):
        raise Inexpressible(f"the source of {getattr(thing, '__name__', thing)} cannot be read") from None


def import_line(name: str, value: Any) -> str | None:
    """How a name is imported, if it is torch's or Python's own; None if it is not.

    Raises:
        Inexpressible: it is a module of another package.
    """
    if isinstance(value, types.ModuleType):
        if not _everywhere(value.__name__):
            raise Inexpressible(f"its code uses the package {value.__name__.partition('.')[0]}")
        return f"import {value.__name__}" if value.__name__ == name else _as_import(value.__name__, name)
    home = getattr(value, "__module__", None)
    own = getattr(value, "__qualname__", getattr(value, "__name__", None) or getattr(value, "_name", None))
    for module, word in ((home, own), (home, name)):
        if not isinstance(module, str) or not isinstance(word, str) or "." in word or not _everywhere(module):
            continue
        if getattr(sys.modules.get(module), word, _MISSING) is value:
            return f"from {module} import {word}" + (f" as {name}" if name != word else "")
    if home in (None, "torch._C") or str(home).startswith("torch._C"):
        return next(
            (
                f"from {place} import {name}"
                for place in ("torch", "torch.nn.functional", "torch.special", "torch.linalg", "torch.fft")
                if getattr(sys.modules.get(place), name, _MISSING) is value
            ),
            None,
        )
    return None


def _as_import(module: str, name: str) -> str:
    outer, _, last = module.rpartition(".")
    if outer and last == name:
        return f"from {outer} import {name}"
    return f"import {module} as {name}"


def _everywhere(module: str) -> bool:
    root = module.partition(".")[0]
    return (root in _ROOTS or root in sys.stdlib_module_names) and root != "__main__"


def constant(value: Any) -> str:
    """A plain value as text. Raises Inexpressible for anything else."""
    try:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{constant(k)}: {constant(v)}" for k, v in value.items()) + "}"
        if isinstance(value, (list, set)) and value:
            items = ", ".join(constant(v) for v in value)
            return f"[{items}]" if isinstance(value, list) else f"{{{items}}}"
        freeze(value)
    except TypeError:
        raise Inexpressible(f"its code uses a {type(value).__name__} from elsewhere") from None
    if isinstance(value, float) and value - value != 0:
        return f'float("{value}")'
    return repr(value)


def _lookup(thing: Any) -> Callable[[str], Any]:
    """What a name means where a class or function was written: enclosing functions, then its module."""
    module = vars(sys.modules.get(thing.__module__, types.ModuleType("")))
    cells: dict[str, Any] = {}
    for function in _functions(thing):
        module = {**module, **function.__globals__} if function.__module__ == thing.__module__ else module
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
            try:
                cells.setdefault(name, cell.cell_contents)
            except ValueError:  # not filled yet
                continue
    return lambda name: cells.get(name, module.get(name, _MISSING))


def _functions(thing: Any) -> Iterator[types.FunctionType]:
    members = vars(thing).values() if inspect.isclass(thing) else (thing,)
    for member in members:
        held = getattr(member, "__func__", getattr(member, "fget", None))
        plain = inspect.unwrap(member) if callable(member) else held
        if isinstance(plain, types.FunctionType):
            yield plain


def names_read(tree: ast.AST) -> dict[str, bool]:
    """The names that a definition takes from around it, and whether it cannot do without."""
    finder = _Names()
    finder.visit(tree)
    own = {"__class__", getattr(tree, "name", "")}
    return {name: firm for name, firm in finder.read.items() if name not in own}


class _Names(ast.NodeVisitor):
    """Names that are read and names that are bound in one scope; an inner scope hands on what it does not bind."""

    def __init__(self, firm: bool = True) -> None:
        self.read: dict[str, bool] = {}
        self.bound: set[str] = set()
        self._firm = firm

    def free(self) -> dict[str, bool]:
        """What is read and not bound."""
        return {name: firm for name, firm in self.read.items() if name not in self.bound}

    def _take(self, names: dict[str, bool]) -> None:
        for name, firm in names.items():
            self.read[name] = self.read.get(name, False) or firm

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._take({node.id: self._firm})
        else:
            self.bound.add(node.id)

    def visit_arg(self, node: ast.arg) -> None:
        self.bound.add(node.arg)
        self._loosely(node.annotation)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        self._loosely(node.annotation)
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.bound.add(node.name)
        self._take(self._function(node))

    def visit_Lambda(self, node: ast.Lambda) -> None:
        inner = _Names(self._firm)
        inner.visit(node.args)
        inner.visit(node.body)
        self._take(inner.free())

    def _function(self, node: ast.FunctionDef) -> dict[str, bool]:
        """What a function reads from around it."""
        for part in (*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)):
            self.visit(part)
        self._loosely(node.returns)
        inner = _Names(self._firm)
        inner.visit(node.args)
        for statement in node.body:
            inner.visit(statement)
        return inner.free()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Methods do not see the names of the class around them."""
        self.bound.add(node.name)
        inner = _Names(self._firm)
        for part in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            inner.visit(part)
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef):
                self._take(inner._function(statement))
                inner.bound.add(statement.name)
            else:
                inner.visit(statement)
        self._take(inner.free())

    def visit_Import(self, node: ast.Import) -> None:
        self.bound |= {(a.asname or a.name).partition(".")[0] for a in node.names}
        for alias in node.names:
            _refuse_foreign(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.bound |= {a.asname or a.name for a in node.names}
        _refuse_foreign("" if node.level else node.module or "")

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.bound |= {node.name} if node.name else set()
        self.generic_visit(node)

    def _loosely(self, annotation: ast.expr | None) -> None:
        """Annotations are text in the source that is written, so that what they mention may be missing."""
        if annotation is not None:
            before, self._firm = self._firm, False
            self.visit(annotation)
            self._firm = before


def _refuse_foreign(module: str) -> None:
    if not _everywhere(module):
        raise Inexpressible(f"its code uses the package {module.partition('.')[0] or 'around it'}")
