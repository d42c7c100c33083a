"""The submodules of an imported module as blocks: one for all that are built alike, in rows where they repeat.

Works on the flat draft from the inside out. Nodes that came from one submodule become a block, and the block's use
a node like any other for the submodule around it. Where two submodules differ in settings only, the settings that
differ become parameters of the block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import Registry, Value
from deepgui.compiler.names import attribute_names, class_name
from deepgui.graph import edits
from deepgui.graph.blocks import INDEX, REPEAT, declare
from deepgui.graph.grouping import promote
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Block, Network, Node, Wire
from deepgui.importers.draft import Draft, name_from

End = tuple[str, str]
Slot = tuple[str, str]
"""A node of a block, and one of its parameters."""


@dataclass
class Grouped:
    """A network whose submodules are blocks, and the state dict of each of its nodes by node id."""

    network: Network
    blocks: dict[str, Block]
    weights: dict[str, dict[str, Tensor]]


@dataclass
class _Kind:
    """A block with what is known of the submodules that became it.

    Attributes:
        shape: what two submodules must have in common to be the same block.
        values: the settings of the first of them.
        promoted: the block's parameter by the slots that it fills.
    """

    name: str
    shape: object
    values: dict[Slot, Value]
    promoted: dict[Slot, str] = field(default_factory=dict)


def grouped(draft: Draft, class_of: Callable[[str], str]) -> Grouped:
    """Put the nodes of each submodule into a block.

    Args:
        class_of: the name of the class of the submodule at a path; empty for one that is no block: a layer.
    """
    work = _Grouping(draft, class_of)
    paths = {p for path in draft.paths.values() for p in _around(path)} - {""}
    for path in sorted((p for p in paths if class_of(p)), key=lambda p: (-p.count("."), p)):
        work.group(path)
    work.join_rows("")
    return work.result()


def _around(path: str) -> Iterable[str]:
    """A path and those of the submodules around it."""
    parts = path.split(".")
    return (".".join(parts[:n]) for n in range(len(parts), 0, -1))


def _under(path: str, outer: str) -> bool:
    return not outer or path == outer or path.startswith(f"{outer}.")


class _Grouping:
    def __init__(self, draft: Draft, class_of: Callable[[str], str]) -> None:
        self._registry: Registry = draft.registry
        self._name = draft.name
        self._class_of = class_of
        self._nodes = dict(draft.nodes)
        self._wires = list(draft.wires)
        self._weights = dict(draft.weights)
        self._types: dict[End, TensorType] = dict(draft.types)
        self._kinds: list[_Kind] = []
        self._blocks: dict[str, Block] = {}
        self._code = draft.code
        self._paths = {n: draft.paths.get(n, "") for n in self._nodes}
        self._taken = set(self._registry) | set(self._nodes)
        self._settle_tensors()

    def _settle_tensors(self) -> None:
        """A Parameter or Constant belongs to the innermost submodule that holds all who use it."""
        for node in self._nodes.values():
            if node.kind in ("Parameter", "Constant"):
                users = [self._paths[w.target] for w in self._wires if w.source == node.id]
                home = self._paths[node.id]
                while home and not all(_under(u, home) for u in users):
                    home = home.rpartition(".")[0]
                self._paths[node.id] = home

    # --- one submodule --------------------------------------------------------------------------------------

    def group(self, path: str) -> None:
        """Make a block of what came from a submodule, if it can be one."""
        self.join_rows(path)
        ids = [n for n, node in self._nodes.items() if self._holds(path, n) and node.kind not in ("Input", "Output")]
        if len(ids) < 2 or not self._can_be_block(set(ids)):
            return
        inside = set(ids)
        into = [w for w in self._wires if w.target in inside and w.source not in inside]
        order = {n: place for place, n in enumerate(ids)}
        into.sort(key=lambda w: (order[w.target], w.input, w.index))
        entering = list(dict.fromkeys((w.source, w.output) for w in into))
        out = [w for w in self._wires if w.source in inside and w.target not in inside]
        leaving = list(dict.fromkeys(sorted(((w.source, w.output) for w in out), key=lambda e: (order[e[0]], e[1]))))
        if not entering or not leaving or any(e not in self._types for e in entering):
            return
        network, inner = self._drawing(path, ids, entering, leaving)
        kind, params = self._kind(path, network)
        self._use(path, kind, params, inner, (entering, leaving), inside)

    def _holds(self, path: str, node: str) -> bool:
        return _under(self._paths[node], path)

    def _can_be_block(self, inside: set[str]) -> bool:
        """No path leaves and comes back, and no weights are shared across the border."""
        if any(n.shares and (n.id in inside) != (n.shares in inside) for n in self._nodes.values()):
            return False
        following: dict[str, list[str]] = {}
        for w in self._wires:
            following.setdefault(w.source, []).append(w.target)
        waiting = [t for n in inside for t in following.get(n, ()) if t not in inside]
        seen: set[str] = set()
        while waiting:
            node = waiting.pop()
            if node in inside:
                return False
            if node not in seen:
                seen.add(node)
                waiting += following.get(node, ())
        return True

    def _drawing(
        self, path: str, ids: Sequence[str], entering: Sequence[End], leaving: Sequence[End]
    ) -> tuple[Network, dict[str, str]]:
        """The block's network with names of its own, and the new id of each node."""
        taken: set[str] = set()
        inner: dict[str, str] = {}
        nodes: dict[str, Node] = {}
        ends = {e: "input" if len(entering) == 1 else f"input_{i + 1}" for i, e in enumerate(entering)}
        for end, name in ends.items():
            taken.add(name)
            nodes[name] = Node(name, "Input", _input_params(self._types[end]))
        for n in ids:
            own = name_from(self._paths[n][len(path) + 1 :])
            kind = self._nodes[n].kind
            inner[n] = edits.fresh_id(taken, edits.identifier(own) if own else edits.identifier(edits.snake(kind)))
            taken.add(inner[n])
            nodes[inner[n]] = replace(self._nodes[n], id=inner[n], name="")
        for n in ids:
            if self._nodes[n].shares:
                nodes[inner[n]] = replace(nodes[inner[n]], shares=inner[self._nodes[n].shares])
        wires = [w._replace(source=inner[w.source], target=inner[w.target]) for w in self._among(inner)]
        for w in self._wires:
            if w.target in inner and w.source not in inner:
                wires.append(w._replace(source=ends[w.source, w.output], output="output", target=inner[w.target]))
        for i, (source, output) in enumerate(leaving):
            name = edits.fresh_id(taken, "output" if len(leaving) == 1 else f"output_{i + 1}")
            taken.add(name)
            nodes[name] = Node(name, "Output")
            wires.append(Wire(inner[source], output, name, "input"))
        return Network("block", nodes, tuple(sorted(wires))), inner

    def _among(self, inside: Mapping[str, str]) -> Iterable[Wire]:
        return (w for w in self._wires if w.source in inside and w.target in inside)

    # --- which block --------------------------------------------------------------------------------------------

    def _kind(self, path: str, network: Network) -> tuple[str, dict[str, Value]]:
        """The block for a drawing, and the parameters of this use: one that is known, or a new one."""
        title = self._title(path)
        shape, values = _shape(title, network), self._values(network)
        for known in self._kinds:
            if known.shape == shape:
                params = self._fitted(known, values)
                if params is not None:
                    return known.name, params
        name = edits.fresh_id(self._taken, title)
        self._taken.add(name)
        self._kinds.append(_Kind(name, shape, values))
        self._blocks[name] = Block(replace(network, name=name), summary=f"{title}, from {path}.")
        return name, {}

    def _title(self, path: str) -> str:
        """The submodule's class; containers are called after where they are."""
        name = self._class_of(path)
        if name in ("Sequential", "ModuleList", "ModuleDict"):
            last = next((p for p in reversed(path.split(".")) if not p.isdigit()), path)
            return class_name(last)
        return edits.identifier(name)

    def _values(self, network: Network) -> dict[Slot, Value]:
        """Every setting of every node, defaults included."""
        found: dict[Slot, Value] = {}
        for node in network.nodes.values():
            if node.kind in ("Input", "Output"):
                continue
            spec = self._registry.get(node.kind) or declare(node.kind, self._blocks[node.kind])
            for param in spec.params:
                if param.name in node.params or not (param.required or param.infer):
                    found[node.id, param.name] = node.params.get(param.name, param.default)
        return found

    def _fitted(self, known: _Kind, values: Mapping[Slot, Value]) -> dict[str, Value] | None:
        """The parameters that make a known block this one; new ones where it has none yet. None if it cannot be."""
        if known.values.keys() != values.keys():
            return None
        params: dict[str, Value] = {}
        fresh: dict[tuple[str, str, str], list[Slot]] = {}
        for slot, value in values.items():
            first = known.values[slot]
            name = known.promoted.get(slot)
            if name is not None:
                if params.setdefault(name, value) != value:
                    return None  # one parameter fills slots that differ here
            elif value != first or type(value) is not type(first):
                if value is None or first is None or not self._can_be_parameter(known.name, slot):
                    return None
                fresh.setdefault((slot[1], repr(first), repr(value)), []).append(slot)
        for slots in fresh.values():
            params[self._promote(known, slots)] = values[slots[0]]
        defaults = {p.name: p.default for p in self._blocks[known.name].params}
        return {name: value for name, value in params.items() if value != defaults[name]}

    def _can_be_parameter(self, block: str, slot: Slot) -> bool:
        """Not how often something repeats, a Constant's numbers, or what becomes syntax in source: ``x[:, 0]``."""
        kind = self._blocks[block].network.nodes[slot[0]].kind
        spec = self._registry.get(kind) or declare(kind, self._blocks[kind])
        return slot[1] not in (REPEAT.name, "dtype") and kind != "Constant" and spec.param(slot[1]).type != "index"

    def _promote(self, known: _Kind, slots: Sequence[Slot]) -> str:
        """A parameter of the block's own for slots that always have the same value."""
        block = self._blocks[known.name]
        node, name = slots[0]
        kind = block.network.nodes[node].kind
        spec = self._registry.get(kind) or declare(kind, self._blocks[kind])
        block = promote(block, node, spec.param(name), f"{name}_" if name == INDEX else "")
        own = block.params[-1].name
        network = block.network
        for other, _ in slots[1:]:
            network = edits.set_params(network, other, {name: Expr(own)})
        self._blocks[known.name] = replace(block, network=network)
        known.promoted |= dict.fromkeys(slots, own)
        return own

    def _use(
        self,
        path: str,
        kind: str,
        params: Mapping[str, Value],
        inner: Mapping[str, str],
        ends: tuple[Sequence[End], Sequence[End]],
        inside: set[str],
    ) -> None:
        """Put one node in the place of a submodule's."""
        block = self._blocks[kind]
        spec = declare(kind, block)
        use = edits.fresh_id(self._nodes.keys(), edits.identifier(name_from(path)))
        ports = {end: port.name for end, port in zip(ends[0], spec.inputs, strict=True)}
        results = {end: (use, port.name) for end, port in zip(ends[1], spec.outputs, strict=True)}
        names = attribute_names(block.network)
        weights = {
            f"{names[inner[n]]}.{key}" if key else names[inner[n]]: tensor
            for n in inner
            for key, tensor in self._weights.pop(n, {}).items()
        }
        first = next(iter(inner))
        self._nodes = {
            (use if n == first else n): (Node(use, kind, dict(params)) if n == first else node)
            for n, node in self._nodes.items()
            if n == first or n not in inside
        }
        wires: dict[Wire, None] = {}
        for w in self._wires:
            if w.source in inside and w.target in inside:
                continue
            if w.target in inside:
                w = Wire(w.source, w.output, use, ports[w.source, w.output])
            elif w.source in inside:
                source, output = results[w.source, w.output]
                w = w._replace(source=source, output=output)
            wires[w] = None
        self._wires = list(wires)
        for end, result in results.items():
            self._types[result] = self._types[end]
        self._paths[use] = path
        if weights:
            self._weights[use] = weights

    # --- rows ---------------------------------------------------------------------------------------------------

    def join_rows(self, path: str) -> None:
        """Uses of one block that stand one behind the other become one that is repeated."""
        done: set[str] = set()
        for node in list(self._nodes.values()):
            if node.id in done or node.kind not in self._blocks or not self._holds(path, node.id):
                continue
            row = self._row(node, path)
            done.update(row)
            if len(row) > 1:
                self._join(row)

    def _row(self, first: Node, path: str) -> list[str]:
        """The nodes that follow one another from here on: same block, same settings, nothing else in between."""
        spec = declare(first.kind, self._blocks[first.kind])
        row = [first.id]
        if len(spec.outputs) != 1 or first.shares or any(isinstance(v, Expr) for v in first.params.values()):
            return row
        main = spec.inputs[0].name
        before = self._from(first.id, but=main)
        while True:
            users = [w for w in self._wires if w.source == row[-1]]
            if len(users) != 1 or users[0].input != main:
                return row
            follower = self._nodes[users[0].target]
            same = (follower.kind, follower.params, follower.shares) == (first.kind, first.params, "")
            if not same or not self._holds(path, follower.id) or self._from(follower.id, but=main) != before:
                return row
            row.append(follower.id)

    def _from(self, node: str, but: str) -> set[tuple[str, str, str]]:
        """Where the other inputs of a node come from."""
        return {(w.input, w.source, w.output) for w in self._wires if w.target == node and w.input != but}

    def _join(self, row: Sequence[str]) -> None:
        first, last, rest = row[0], row[-1], set(row[1:])
        self._nodes[first] = replace(self._nodes[first], params={**self._nodes[first].params, REPEAT.name: len(row)})
        weights = {
            f"{place}.{key}": tensor for place, n in enumerate(row) for key, tensor in self._weights.pop(n, {}).items()
        }
        if weights:
            self._weights[first] = weights
        self._wires = [
            w._replace(source=first) if w.source == last else w
            for w in self._wires
            if w.target not in rest and (w.source not in row or w.source == last)
        ]
        for n in rest:
            del self._nodes[n]
        self._call_after_container(first, row)

    def _call_after_container(self, first: str, row: Sequence[str]) -> None:
        """``blocks.0`` to ``blocks.5`` in a row are ``blocks``."""
        homes = {self._paths[n].rpartition(".")[0] for n in row}
        home = homes.pop()
        name = edits.identifier(name_from(home)) if home else ""
        if homes or not name or name in self._nodes:
            return
        self._nodes = {
            (name if n == first else n): replace(node, id=name) if n == first else node
            for n, node in self._nodes.items()
        }
        self._wires = [
            w._replace(source=name if w.source == first else w.source, target=name if w.target == first else w.target)
            for w in self._wires
        ]
        self._types |= {(name, port): type_ for (n, port), type_ in list(self._types.items()) if n == first}
        self._paths[name] = home
        if first in self._weights:
            self._weights[name] = self._weights.pop(first)

    # --- the end -------------------------------------------------------------------------------------------------

    def result(self) -> Grouped:
        """The network that is left, with the blocks that it uses."""
        network = Network(edits.identifier(self._name), self._nodes, tuple(self._wires))
        return Grouped(network, {**self._code, **self._blocks}, self._weights)


def _input_params(type_: TensorType) -> dict[str, Value]:
    """An Input that looks like what arrives, as far as an Input can."""
    dims = type_.dims[1:] if type_.batch_first else type_.dims
    shape = tuple(max(1, d.const) for d in dims) or (1,)
    return {"shape": shape} if type_.dtype == "float32" else {"shape": shape, "dtype": type_.dtype}


def _shape(title: str, network: Network) -> object:
    """What two drawings of the same block have in common: all but settings and the sizes of what arrives."""
    nodes = tuple((n.id, n.kind, n.shares) for n in network.nodes.values())
    return title, nodes, network.wires
