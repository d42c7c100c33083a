"""Recording what a module does: it is run on real tensors, and what it calls is written into a torch.fx graph.

Layers of the catalogue are recorded as one call; other modules are looked into. Because real tensors flow,
Python's own control flow over shapes and settings works as in the original; what depends on the *values* of
tensors is noticed and noted. A module is recorded at two batch sizes, and what differs between the two
depends on the batch (:mod:`deepgui.importers.alignment`).
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from deepgui.importers.report import Note

Path = tuple[Any, ...]

READS_VALUES = frozenset({"__bool__", "__int__", "__float__", "__index__", "item", "tolist", "numpy", "__array__"})
"""Methods with which Python code looks at the numbers in a tensor."""

_PROPERTIES = frozenset({"T", "mT", "H", "mH", "real", "imag", "data"})
_FILLED = frozenset(
    {
        "zeros_like",
        "ones_like",
        "full_like",
        "empty_like",
        "new_zeros",
        "new_ones",
        "new_full",
        "new_empty",
        "new_tensor",
    }
)
"""Functions that take nothing but shape and type from a tensor."""
_PASSING = frozenset({"dropout", "alpha_dropout", "feature_alpha_dropout", "dropout1d", "dropout2d", "dropout3d"})
"""Functions that hand their very argument on in evaluation mode, and yet mean something."""


@dataclass
class Recording:
    """A module's calls.

    Attributes:
        graph: placeholders, ``get_attr`` (a parameter or buffer, by its path), calls, and one output: the tensors
            returned. ``meta`` has ``path`` (the submodule that made the call), ``value`` (the tensor), ``live``
            (whether it depends on the inputs), ``trained`` (whether it depends on parameters).
        outputs: names of what is returned, in the order of the output's tensors.
        notes: what the recording could not follow.
    """

    graph: fx.Graph
    outputs: tuple[str, ...] = ()
    notes: list[Note] = field(default_factory=list)


def record(
    module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], is_layer: Callable[[nn.Module], bool]
) -> Recording:
    """Run a module once and write down what it calls.

    Args:
        args, kwargs: what ``forward`` is called with; every tensor in them becomes a placeholder.
        is_layer: which submodules are recorded as one call.

    Raises:
        Whatever the module raises.
    """
    recorder = _Recorder(module, is_layer)
    for name, tensor in named_inputs(module, args, kwargs):
        recorder.take_input(name, tensor)
    with recorder.watching(), torch.no_grad(), recorder:
        result = module(*args, **kwargs)
    return recorder.finish(result)


def named_inputs(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """The tensors among the arguments, called like the arguments of ``forward``."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in inspect.signature(module.forward).parameters.values() if p.kind in positional]
    for place, value in enumerate(args):
        yield from _named(names[place] if place < len(names) else f"input_{place}", value)
    for name, value in kwargs.items():
        yield from _named(name, value)


def _named(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    for path, tensor in flat(value):
        yield "_".join((name, *map(str, path))), tensor


def flat(value: Any, path: Path = ()) -> Iterator[tuple[Path, Tensor]]:
    """The tensors in nested tuples, lists, mappings and dataclasses, each with the way to it."""
    if isinstance(value, Tensor):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from flat(item, (*path, key))
    elif isinstance(value, (tuple, list)):
        for place, item in enumerate(value):
            yield from flat(item, (*path, place))
    elif isinstance(value, slice):
        for name in ("start", "stop", "step"):
            yield from flat(getattr(value, name), (*path, name))
    elif is_dataclass(value) and not isinstance(value, type):
        for f in fields(value):
            yield from flat(getattr(value, f.name), (*path, f.name))


class _Recorder(TorchFunctionMode):
    def __init__(self, module: nn.Module, is_layer: Callable[[nn.Module], bool]) -> None:
        super().__init__()
        self._module = module
        self._is_layer = is_layer
        self._graph = fx.Graph()
        self._notes: list[Note] = []
        self._where: list[str] = [""]
        self._within = 0  # layers of the catalogue that are running: what they call is theirs
        self._called: list[tuple[list[tuple[Tensor, int]], dict[int, fx.Node]]] = []
        self._nodes: dict[int, fx.Node] = {}
        self._alive: list[Tensor] = []  # an id stays one tensor's as long as that lives
        self._sharing: dict[int, list[Tensor]] = {}
        self._stale: dict[int, str] = {}
        self._weights = {id(t): name for name, t in _weights(module)}

    # --- the edges ------------------------------------------------------------------------------------

    def take_input(self, name: str, tensor: Tensor) -> None:
        node = self._graph.placeholder(name)
        node.meta.update(path="", live=True, trained=False)
        self._is_now(tensor, node)

    def finish(self, result: Any) -> Recording:
        found = list(flat(result))
        returned = tuple(self._node(t) for _, t in found)
        names = tuple("_".join(map(str, path)) if isinstance(path[-1], str) else "" for path, _ in found if path)
        self._graph.output(returned)
        return Recording(self._graph, names or ("",) * len(returned), self._notes)

    # --- calls of functions -----------------------------------------------------------------------------

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._within:
            return func(*args, **kwargs)
        name = name_of(func)
        if name == "":
            return func(*args, **kwargs)
        before = [(t, t._version) for _, t in flat((args, kwargs))]
        if name in READS_VALUES:
            self._look(name, [t for t, _ in before])
            return func(*args, **kwargs)
        in_place = (name.endswith("_") and not name.endswith("__")) or name == "__setitem__" or "out" in kwargs
        if in_place:
            for tensor, _ in before:
                self._hold(tensor)
        known = {id(t): self._node(t) for t, _ in before if self._counts(t)} if name not in _FILLED else {}
        result = func(*args, **kwargs)
        if not known:
            return result
        if name in _PASSING and isinstance(result, Tensor):
            result = result.detach()
        self._write("call_function", func, (args, kwargs), result, before, known)
        return result

    def _look(self, name: str, tensors: list[Tensor]) -> None:
        node = next((self._nodes[id(t)] for t in tensors if id(t) in self._nodes), None)
        if node is not None and node.meta["live"]:
            message = "the code looks at the values of a tensor; the drawing follows the path that the examples took"
            self._notes.append(Note("note", name, self._where[-1], message))

    # --- calls of layers ----------------------------------------------------------------------------------

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Hooks on all submodules, for the time of the recording."""
        handles: list[RemovableHandle] = []
        paths: dict[int, str] = {}
        for path, module in self._module.named_modules():
            paths[id(module)] = path
            before, after = (self._enter_layer, self._leave_layer) if path and self._is_layer(module) else (None, None)
            handles.append(module.register_forward_pre_hook(before or self._enter(path), with_kwargs=True))
            handles.append(module.register_forward_hook(after or self._leave, with_kwargs=True))
        self._paths = paths
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, path: str) -> Callable[..., None]:
        def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
            self._where.append(path)

        return enter

    def _leave(self, module: nn.Module, args: Any, kwargs: Any, result: Any) -> None:
        self._where.pop()

    def _enter_layer(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        if not self._within:
            before = [(t, t._version) for _, t in flat((args, kwargs))]
            self._called.append((before, {id(t): self._node(t) for t, _ in before}))
        self._within += 1

    def _leave_layer(self, module: nn.Module, args: Any, kwargs: Any, result: Any) -> Any:
        self._within -= 1
        if self._within:
            return result
        before, known = self._called.pop()
        if isinstance(result, Tensor) and any(result is t and result._version == v for t, v in before):
            self._within += 1
            result = (
                result.detach()
            )  # Identity and Dropout hand on what they got: a name of its own for what they return
            self._within -= 1
        path = self._paths[id(module)]
        self._write("call_module", path, (args, kwargs), result, before, known)
        return result

    # --- writing --------------------------------------------------------------------------------------------

    def _write(
        self,
        op: str,
        target: Any,
        called: Any,
        result: Any,
        before: list[tuple[Tensor, int]],
        known: dict[int, fx.Node],
    ) -> None:
        """One node for a call, and one for each tensor in a nested result."""
        args, kwargs = _replaced(called, {**{id(t): self._node(t) for t, _ in before if id(t) not in known}, **known})
        changed = [t for t, version in before if t._version != version][:1]  # views of it count along
        results = list(flat(result))
        if not results and not changed:
            return
        node = self._graph.create_node(op, target, args, kwargs)
        node.meta.update(path=target if op == "call_module" else self._where[-1])
        node.meta["live"] = any(n.meta["live"] for n in node.all_input_nodes)
        node.meta["trained"] = op == "call_module" or any(n.meta["trained"] for n in node.all_input_nodes)
        for tensor in changed:
            self._changed(tensor, node, str(target))
        for path, tensor in results:
            self._is_now(tensor, self._picked(node, path) if path else node)

    def _picked(self, node: fx.Node, path: Path) -> fx.Node:
        for step in path:
            node, whole = self._graph.call_function(operator.getitem, (node, step)), node
            node.meta.update(part=True, path=whole.meta["path"], live=whole.meta["live"], trained=whole.meta["trained"])
        return node

    def _changed(self, tensor: Tensor, node: fx.Node, by: str) -> None:
        """A tensor was changed in place: it means the new value from here on, and what shares its memory is lost."""
        for other in self._sharing.get(tensor.untyped_storage().data_ptr(), ()):
            if other is not tensor:
                self._stale[id(other)] = by
        self._is_now(tensor, node)

    def _is_now(self, tensor: Tensor, node: fx.Node) -> None:
        if id(tensor) not in self._nodes:
            self._alive.append(tensor)
            self._sharing.setdefault(tensor.untyped_storage().data_ptr(), []).append(tensor)
        self._nodes[id(tensor)] = node
        self._stale.pop(id(tensor), None)
        node.meta["shape"], node.meta["dtype"] = tuple(tensor.shape), tensor.dtype
        if not node.meta["live"]:
            node.meta["value"] = tensor.detach().clone()

    def _counts(self, tensor: Tensor) -> bool:
        """Whether a tensor depends on inputs or weights; all else is a constant, whatever made it."""
        return id(tensor) in self._nodes or id(tensor) in self._weights

    def _hold(self, tensor: Tensor) -> None:
        """Write a constant down before it is changed in place."""
        if not self._counts(tensor):
            self._node(tensor)

    def _node(self, tensor: Tensor) -> fx.Node:
        if id(tensor) in self._stale:
            message = "it reads a tensor of which a part was changed in place elsewhere"
            self._notes.append(Note("error", self._stale.pop(id(tensor)), self._where[-1], message))
        known = self._nodes.get(id(tensor))
        if known is not None:
            return known
        path = self._weights.get(id(tensor), "")
        node = self._graph.create_node("get_attr", path or "constant")
        node.meta.update(path=path or self._where[-1], live=False, trained=isinstance(tensor, nn.Parameter))
        self._is_now(tensor, node)
        return node


def _weights(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_buffers()
    yield from module.named_parameters()


def _replaced(value: Any, nodes: Mapping[int, fx.Node]) -> Any:
    """A copy of nested arguments with fx nodes in place of tensors."""
    if isinstance(value, Tensor):
        return nodes[id(value)]
    if type(value).__module__ == "numpy" and hasattr(value, "item") and not getattr(value, "shape", ()):
        return value.item()  # np.float64 is a float, but reads otherwise in generated code
    if isinstance(value, Mapping):
        return {key: _replaced(item, nodes) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(_replaced(v, nodes) for v in value) if type(value) in (tuple, list) else tuple(value)
    if isinstance(value, slice):
        return slice(*(_replaced(v, nodes) for v in (value.start, value.stop, value.step)))
    return value


def name_of(func: Callable[..., Any]) -> str:
    """A function's plain name: ``add`` for ``torch.add``, ``Tensor.add`` and ``aten.add.Tensor``.

    Empty for attributes of a tensor that are no tensors, such as ``shape``.
    """
    name = str(getattr(func, "__name__", ""))
    if name == "__get__":
        name = str(getattr(getattr(func, "__self__", None), "__name__", ""))
        return name if name in _PROPERTIES else ""
    if name == "__set__":
        return ""
    schema = getattr(func, "_schema", None)
    return str(schema.name).rpartition("::")[2] if schema is not None else name
