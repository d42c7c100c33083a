"""Layers of one's own in exported source: their text goes in as it was written, so that nothing needs DeepGUI."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from deepgui.catalog.own.declared import is_own, parsed, source_of
from deepgui.catalog.spec import LayerSpec
from deepgui.graph.problems import NetworkError, Problem

STANDARD = {"torch": "import torch", "nn": "from torch import nn"}
"""What generated source imports itself, by the name it gets."""


class OwnCode(NamedTuple):
    """``imports`` come first in the file, ``bodies`` before the classes; ``names`` are taken by them."""

    future: bool
    imports: tuple[str, ...]
    bodies: tuple[str, ...]
    names: frozenset[str]


def own_code(specs: Iterable[LayerSpec]) -> OwnCode:
    """The sources behind the declarations that have one, each once.

    Raises:
        NetworkError: two of them mean different things by the same name.
    """
    modules = dict.fromkeys(s.target.rpartition(".")[0] for s in specs if is_own(s.target))
    sources = [source for module in modules if (source := source_of(module)) is not None]
    meanings: dict[str, str] = dict(STANDARD)
    imports: dict[str, None] = {}
    bodies: dict[str, None] = {}
    future = False
    for source in sources:
        for name, meaning in _meanings(parsed(source)).items():
            if meanings.setdefault(name, meaning) != meaning:
                raise NetworkError((_clash(name),))
        leading = _leading_imports(parsed(source))
        future = future or any(_is_future(item) for item in leading)
        imports.update(dict.fromkeys(ast.unparse(item) for item in leading if not _is_future(item)))
        bodies[_without(source, [*leading, *_mains(parsed(source))])] = None
    kept = (text for text in imports if text not in STANDARD.values())
    return OwnCode(future, tuple(kept), tuple(bodies), frozenset(meanings.keys() - STANDARD.keys()))


def _clash(name: str) -> Problem:
    return Problem(
        "name-clash",
        f"The layers of your own cannot go into one file: {name} means different things in them. Rename one.",
    )


def _meanings(tree: ast.Module) -> Mapping[str, str]:
    """The names that a module gives at its top level, with the statement that gives each."""
    found: dict[str, str] = {}
    for item in tree.body:
        if isinstance(item, (ast.Import, ast.ImportFrom)):
            for alias in item.names:
                single = ast.Import([alias]) if isinstance(item, ast.Import) else _single(item, alias)
                name = alias.asname or alias.name.partition(".")[0]
                text = ast.unparse(single)
                found[name] = _NN.get(text, text)
            continue
        text = ast.unparse(item)
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[item.name] = text
        else:
            stored = (n.id for n in ast.walk(item) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
            found.update(dict.fromkeys(stored, text))
    return found


_NN = {"import torch.nn as nn": STANDARD["nn"], "import torch.nn": STANDARD["torch"]}


def _single(item: ast.ImportFrom, alias: ast.alias) -> ast.ImportFrom:
    return ast.ImportFrom(item.module, [alias], item.level)


def _leading_imports(tree: ast.Module) -> list[ast.stmt]:
    """The imports before anything else but the module's docstring."""
    found: list[ast.stmt] = []
    for item in tree.body:
        if isinstance(item, (ast.Import, ast.ImportFrom)):
            found.append(item)
        elif not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)):
            break
    return found


def _mains(tree: ast.Module) -> list[ast.stmt]:
    """``if __name__ == "__main__":``, which would run with the exported file."""
    return [item for item in tree.body if isinstance(item, ast.If) and "__name__" in ast.unparse(item.test)]


def _is_future(item: ast.stmt) -> bool:
    return isinstance(item, ast.ImportFrom) and item.module == "__future__"


def _without(source: str, items: Iterable[ast.stmt]) -> str:
    """The text without some statements, which stand on lines of their own."""
    lines = source.splitlines()
    for item in items:
        for number in range(item.lineno - 1, item.end_lineno or item.lineno):
            lines[number] = "\0"
    return "\n".join(line.rstrip() for line in lines if line != "\0").strip("\n")
