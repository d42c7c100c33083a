"""The declaration of a class that is only a text: read from its source, which is parsed and never run.

So a project with layers of one's own can be opened, drawn and saved by somebody who has not (yet) decided to
trust its Python. What is read here is compared with the real class once that has been run
(:mod:`deepgui.catalog.own.loading`).
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from deepgui.catalog import corrections as fix
from deepgui.catalog import docstrings
from deepgui.catalog.own.annotations import hint, hint_of, is_tensors
from deepgui.catalog.spec import Infer, LayerSpec, ParamSpec, PortSpec, SpecError, Value, freeze

PACKAGE = "deepgui_own"
"""Where the modules made of such sources stand: ``deepgui_own.<SHA-256 of the source>``."""

CATEGORY = "Layers of your own"
LARGEST = 256 * 1024
"""Characters; more is no layer that somebody wrote."""

_HIDDEN = frozenset({"device", "dtype"})
_NOTHING: Mapping[str, LayerSpec] = {}
_sources: dict[str, str] = {}

Function = ast.FunctionDef | ast.AsyncFunctionDef


class OwnError(ValueError):
    """A source that is no layer; one sentence, and the line (from 1; 0 for the whole)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"Line {line}: {message}" if line else message)
        self.line = line


@dataclass(frozen=True)
class _Class:
    tree: ast.ClassDef
    base: str  # a class of the same source, or the qualified name of another


def fingerprint(source: str) -> str:
    """SHA-256 (hex) of a source: what trust is given to."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def target(source: str, name: str) -> str:
    """The qualified name of a class of a source; :func:`source_of` leads back."""
    module = f"{PACKAGE}.{fingerprint(source)}"
    _sources[module] = source
    return f"{module}.{name}"


def source_of(module: str) -> str | None:
    """The source behind a module's name, if it has been declared in this process."""
    return _sources.get(module)


def is_own(target: str) -> bool:
    """Whether a declaration's target is a class of such a source."""
    return target.startswith(f"{PACKAGE}.")


def layer_names(source: str) -> tuple[str, ...]:
    """The classes of a source that are layers, in their order; names with a leading underscore are helpers.

    Raises:
        OwnError: it is not Python, or there is no such class.
    """
    found = tuple(name for name in _classes(source) if not name.startswith("_"))
    if not found:
        raise OwnError("there is no class here that derives from nn.Module and has a forward")
    return found


def declare(source: str, name: str = "", known: Mapping[str, LayerSpec] = _NOTHING, *, kind: str = "") -> LayerSpec:
    """What a class of a source declares as a layer.

    Args:
        name: the class; by default the last layer of the source.
        known: kinds whose ports and parameters a class can inherit (``class Mine(nn.Conv2d)``).
        kind: what the layer is called; the class's name by default.

    Raises:
        OwnError: it cannot be a layer; in one sentence, with the line.
    """
    name = name or layer_names(source)[-1]
    classes = _classes(source)
    if name not in classes:
        raise OwnError(f"there is no layer class {name} here")
    line = classes[name].tree.lineno
    inherited = known.get(_far_base(name, classes).rpartition(".")[2])
    forward, init = _method(name, "forward", classes), _method(name, "__init__", classes)
    if forward is None and inherited is None:
        raise OwnError(f"{name} has no forward(self, x)", line)
    inputs, calls = _forward(forward) if forward else (inherited.inputs, ()) if inherited else ((), ())
    first = inputs[0].name if inputs else ""
    if init is not None or inherited is None:
        params, source_text = _init(name, init, first)
    else:
        params, source_text = tuple(_without_ports(p, inputs) for p in inherited.params), ""
    doc = docstrings.clean(ast.get_docstring(classes[name].tree))
    helps = docstrings.arguments(doc)
    try:
        return LayerSpec(
            kind=kind or name,
            target=target(source, name),
            form="module",
            category=CATEGORY,
            inputs=inputs,
            outputs=_outputs(forward) if forward or inherited is None else inherited.outputs,
            params=tuple(replace(p, doc=p.doc or helps.get(p.name, "")) for p in (*params, *calls)),
            summary=docstrings.summary(doc),
            doc=doc,
            source=source_text,
        )
    except SpecError as error:
        raise OwnError(str(error), line) from None


def complaint(source: str, name: str) -> str:
    """Why a class of a source is no layer, in one sentence; empty if it is one."""
    try:
        declare(source, name)
    except OwnError as error:
        return str(error)
    return ""


@lru_cache(maxsize=64)
def parsed(source: str) -> ast.Module:
    """The syntax tree. Raises OwnError for what is not Python."""
    if len(source) > LARGEST:
        raise OwnError(f"the code has {len(source):,} characters; a layer may have {LARGEST:,}")
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise OwnError(f"this is not valid Python ({error.msg})", error.lineno or 0) from None
    except (ValueError, RecursionError, MemoryError):
        raise OwnError("this is not valid Python, or too deeply nested") from None


@lru_cache(maxsize=64)
def _classes(source: str) -> dict[str, _Class]:
    """The top-level classes that are modules, as far as that can be seen."""
    tree = parsed(source)
    names = _imported(tree)
    found: dict[str, _Class] = {}
    for item in tree.body:
        if not isinstance(item, ast.ClassDef) or not item.bases:
            continue
        bases = [_dotted(base, names) for base in item.bases]
        module = next((b for b in bases if b in found or b.startswith("torch.nn.")), "")
        has_forward = any(isinstance(part, Function) and part.name == "forward" for part in item.body)
        if module or has_forward:
            found[item.name] = _Class(item, module)
    return found


def _imported(tree: ast.Module) -> dict[str, str]:
    """What the imported names stand for."""
    found: dict[str, str] = {}
    for item in tree.body:
        if isinstance(item, ast.Import):
            found.update({a.asname: a.name for a in item.names if a.asname})
        elif isinstance(item, ast.ImportFrom) and item.module and not item.level:
            found.update({a.asname or a.name: f"{item.module}.{a.name}" for a in item.names})
    return found


def _dotted(tree: ast.expr, names: Mapping[str, str]) -> str:
    if isinstance(tree, ast.Attribute):
        return f"{_dotted(tree.value, names)}.{tree.attr}"
    return names.get(tree.id, tree.id) if isinstance(tree, ast.Name) else ""


def _far_base(name: str, classes: Mapping[str, _Class]) -> str:
    """The first base that is not of the source itself; a source that goes in circles has none."""
    seen: set[str] = set()
    while name in classes and name not in seen:
        seen.add(name)
        name = classes[name].base
    return name


def _method(name: str, method: str, classes: Mapping[str, _Class]) -> Function | None:
    """A method of a class, or of those of the source that it inherits from."""
    seen: set[str] = set()
    while name in classes and name not in seen:
        seen.add(name)
        for item in reversed(classes[name].tree.body):
            if isinstance(item, Function) and item.name == method:
                return item
        name = classes[name].base
    return None


# --- forward -------------------------------------------------------------------------------------------


def _forward(method: Function) -> tuple[tuple[PortSpec, ...], tuple[ParamSpec, ...]]:
    """The ports, and the settings among the arguments (``temperature: float = 1.0``)."""
    arguments = method.args
    if isinstance(method, ast.AsyncFunctionDef):
        raise OwnError("forward cannot be async", method.lineno)
    if arguments.vararg is not None:
        word = arguments.vararg.arg
        raise OwnError(
            f"forward takes *{word}: name each input, or take them as one list ({word}: list[torch.Tensor])",
            method.lineno,
        )
    only_by_name = {a.arg for a in arguments.kwonlyargs}
    ports: list[PortSpec] = []
    settings: list[ParamSpec] = []
    for argument, default in _arguments(method):
        said = hint(argument.annotation)
        value = _value(default)
        plain = said.known and not said.tensors and said.type != "literal"
        if plain or (not said.known and isinstance(value, (bool, int, float, str))):
            settings.append(replace(_param(argument, default, ""), call=True))
            continue
        if argument.arg in only_by_name:
            raise OwnError(f"the input {argument.arg} of forward must not stand behind a *", argument.lineno)
        optional = default is not None
        ports.append(PortSpec(argument.arg, optional=optional, variadic=said.tensors))
    return tuple(ports), tuple(settings)


def _arguments(method: Function) -> list[tuple[ast.arg, ast.expr | None]]:
    """The named arguments behind ``self``, each with its default."""
    arguments = method.args
    plain = [*arguments.posonlyargs, *arguments.args]
    if not plain:
        raise OwnError(f"{method.name} needs self as its first argument", method.lineno)
    missing: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
    pairs = list(zip(plain, [*missing, *arguments.defaults], strict=True))
    return [*pairs[1:], *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]


def _outputs(method: Function | None) -> tuple[PortSpec, ...]:
    """One output, or one for each part of a returned tuple, called like the variables that are returned."""
    if method is None:
        return (PortSpec("output"),)
    returned = [r.value for r in _returns(method)]
    tuples = [value.elts for value in returned if isinstance(value, ast.Tuple)]
    count = is_tensors(method.returns)
    if not count and tuples and len(tuples) == len(returned) and len({len(t) for t in tuples}) == 1:
        count = len(tuples[0])
    if not count:
        return (PortSpec("output"),)
    parts = tuples[0] if len(tuples) == 1 and len(tuples[0]) == count else []
    names = [part.id if isinstance(part, ast.Name) else f"output_{i}" for i, part in enumerate(parts)]
    if len(set(names)) < count:
        names = [f"output_{i}" for i in range(count)]
    return tuple(PortSpec(name, path=(i,)) for i, name in enumerate(names))


def _returns(method: Function) -> list[ast.Return]:
    """The return statements of a function, not of functions within it."""
    found: list[ast.Return] = []
    queue: list[ast.AST] = list(method.body)
    while queue:
        item = queue.pop(0)
        if isinstance(item, ast.Return):
            found.append(item)
        if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            queue += ast.iter_child_nodes(item)
    return found


# --- __init__ ------------------------------------------------------------------------------------------


def _init(name: str, method: Function | None, first_input: str) -> tuple[tuple[ParamSpec, ...], str]:
    """The parameters, and how the constructor is written if it takes some of them by name only."""
    if method is None:
        return (), ""
    if len(method.args.posonlyargs) > 1:
        raise OwnError("the arguments of __init__ must not stand before a /", method.lineno)
    params: list[ParamSpec] = []
    for argument, default in _arguments(method):
        if argument.arg in _HIDDEN or argument.arg.startswith("_"):
            if default is None:
                raise OwnError(f"{argument.arg} of __init__ needs a default", argument.lineno)
            continue
        params.append(_param(argument, default, first_input))
    required = {p.name for p in params if p.required}
    by_name = required & {a.arg for a in method.args.kwonlyargs}
    source = f"{name}({', '.join(f'{p.name}={p.name}' for p in params)})" if by_name else ""
    return tuple(params), source


def _param(argument: ast.arg, default: ast.expr | None, first_input: str) -> ParamSpec:
    value = _value(default)
    said = hint(argument.annotation)
    if not said.known:
        said = hint_of(value)._replace(nullable=said.nullable or value is None)
    name, required = argument.arg, default is None
    size = required and first_input and name in fix.INFERRED
    return ParamSpec(
        name=name,
        type="int" if size and said.type == "literal" else said.type,
        default=fix.STARTERS.get(name) if required else value,
        torch_default=value,
        required=required,
        nullable=said.nullable or (not required and value is None),
        choices=said.choices,
        infer=Infer(first_input, fix.INFERRED[name]) if size else None,
        minimum=fix.MINIMUM.get(name) if said.type in ("int", "float", "ints", "floats") else None,
        length=said.length,
    )


def _value(default: ast.expr | None) -> Value:
    """A default that is written out; None for one that only running would give."""
    if default is None:
        return None
    try:
        return freeze(ast.literal_eval(default))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _without_ports(param: ParamSpec, inputs: tuple[PortSpec, ...]) -> ParamSpec:
    """An inherited parameter; the input it is read from may be called otherwise, or be gone."""
    if param.infer is None or param.infer.port in {p.name for p in inputs}:
        return param
    return replace(param, infer=replace(param.infer, port=inputs[0].name) if inputs else None)
