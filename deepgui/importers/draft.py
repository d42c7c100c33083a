"""A drawing in the making: nodes with their weights, each tried on the real layer before it is placed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from deepgui.catalog.spec import LayerSpec, ParamSpec, Registry, Value, freeze
from deepgui.compiler.facts import facts, incoming
from deepgui.compiler.tensors import tensor_facts
from deepgui.graph.blocks import blocks_of, with_blocks
from deepgui.graph.edits import fresh_id, identifier, snake
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Block, Code, Network, Node, Wire
from deepgui.importers.report import Inexpressible

_UNIFORM = frozenset({"kernel_size", "stride", "padding", "dilation", "output_padding", "output_size"})
"""Sizes that people write as one number where all dimensions have the same."""


@dataclass(frozen=True)
class Wired:
    """An output of a placed node, and what comes out of it."""

    node: str
    port: str
    type: TensorType


@dataclass
class Draft:
    """Nodes and wires so far.

    Attributes:
        weights: state dict of each node that has one, by node id; that of a Parameter or Constant has one key, "".
        paths: the submodule that each node came from, by node id.
        types: what comes out of each output of each node.
    """

    registry: Registry
    name: str
    nodes: dict[str, Node] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)
    weights: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    types: dict[tuple[str, str], TensorType] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _tried: dict[str, int] = field(default_factory=dict)

    @property
    def code(self) -> Mapping[str, Block]:
        """The layers in Python that were placed, by kind."""
        used = {node.kind for node in self.nodes.values()}
        return {kind: block for kind, block in blocks_of(self.registry).items() if kind in used}

    def define(self, kind: str, code: Code) -> LayerSpec:
        """Let the catalogue have a layer in Python, called ``kind`` if that is free. Its source must be trusted."""
        known = blocks_of(self.registry)
        for name, block in known.items():
            if block.code == code:
                return self.registry[name]
        name = fresh_id(set(self.registry), kind)
        base = getattr(self.registry, "base", self.registry)
        made = Block(Network(name), code=code)
        self.registry = with_blocks(base, {**known, name: made})
        return self.registry[name]

    def input(self, name: str, type_: TensorType) -> Wired:
        """Place an Input; the first dimension of ``type_`` is the batch."""
        sizes = tuple(d.const for d in type_.dims[1:])
        params: dict[str, Value] = {"shape": sizes}
        if type_.dtype != "float32":
            params["dtype"] = type_.dtype
        node = self._place("Input", name, params)
        self.types[node.id, "output"] = type_
        return Wired(node.id, "output", type_)

    def output(self, value: Wired, name: str = "") -> None:
        """Place an Output that returns a value."""
        node = self._place("Output", name, {})
        if value.node:
            self.wires.append(Wire(value.node, value.port, node.id, "input"))

    def add(
        self,
        kind: str,
        inputs: Mapping[str, Wired | Sequence[Wired]],
        params: Mapping[str, Any] | None = None,
        *,
        weights: Mapping[str, Tensor] | None = None,
        name: str = "",
        path: str = "",
        shares: str = "",
    ) -> dict[str, Wired]:
        """Place a node and wire its inputs. Returns its outputs by name.

        Args:
            params: all that is known of it; what its declaration or its wires say anyway is left out.
            weights: its state dict.
            path: the submodule it came from.
            shares: the node whose layer it calls once more.

        Raises:
            Inexpressible: the layer does not take this.
        """
        spec = self.registry.get(kind)
        if spec is None:
            raise Inexpressible(f"there is no layer {kind}")
        feeds = {port: (v,) if isinstance(v, Wired) else tuple(v) for port, v in inputs.items()}
        types = {port: tuple(v.type for v in values) for port, values in feeds.items()}
        settings = settled(spec, params or {}, types)
        for port in spec.active_inputs(settings):
            if port.fallback in types:
                types.setdefault(port.name, types[port.fallback])
        found = facts(spec, settings, types)
        if found.error:
            raise Inexpressible(f"{kind} does not take it ({found.error.rstrip('.')})")
        node = self._place(kind, name, settings, shares)
        self.wires += [
            Wire(v.node, v.port, node.id, port, place)
            for port, values in feeds.items()
            for place, v in enumerate(values)
            if v.node
        ]
        if weights:
            self.weights[node.id] = {key: tensor.detach().clone() for key, tensor in weights.items()}
        self.paths[node.id] = path
        self.types |= {(node.id, port): type_ for port, type_ in found.outputs.items()}
        return {port: Wired(node.id, port, type_) for port, type_ in found.outputs.items()}

    def tensor(self, kind: str, params: Mapping[str, Any], value: Tensor, *, name: str = "", path: str = "") -> Wired:
        """Place a Parameter or Constant that holds a tensor. Raises Inexpressible for a setting it cannot have."""
        settings = settled(self.registry[kind], params, {})
        node = self._place(kind, name, settings)
        self.weights[node.id] = {"": value.detach().clone()}
        self.paths[node.id] = path
        found = tensor_facts(self.registry[kind], settings)
        self.types[node.id, "output"] = found.outputs["output"]
        return Wired(node.id, "output", found.outputs["output"])

    def mark(self) -> tuple[int, int]:
        """Where the draft stands, for :meth:`back_to`."""
        return len(self.nodes), len(self.wires)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Take back what was placed since."""
        for id in list(self.nodes)[mark[0] :]:
            del self.nodes[id]
            self.weights.pop(id, None)
            self.paths.pop(id, None)
        del self.wires[mark[1] :]

    def network(self) -> Network:
        """The drawing as a value, without a layout."""
        return Network(identifier(self.name), dict(self.nodes), tuple(self.wires))

    def _place(self, kind: str, name: str, params: Mapping[str, Value], shares: str = "") -> Node:
        id = fresh_id(self._taken, identifier(name) if name else identifier(snake(kind)), self._tried)
        self._taken.add(id)
        more = {"shares": shares} if shares else {}
        node = self.nodes[id] = Node(id, kind, params, **more)
        return node


def settled(
    spec: LayerSpec, params: Mapping[str, Any], types: Mapping[str, tuple[TensorType, ...]]
) -> dict[str, Value]:
    """What has to be set: neither the default nor what the wires say.

    Raises:
        Inexpressible: a value that a parameter cannot have.
    """
    found: dict[str, Value] = {}
    for name, given in params.items():
        param = spec.param(name)
        try:
            value = _plain(param, freeze(given))
        except TypeError:
            raise Inexpressible(f"{name} cannot be {type(given).__name__}") from None
        if param.infer and value in (None, (size := incoming(param.infer.port, param.infer.dim, types)), (size,)):
            continue
        if not param.required and value == param.default and isinstance(value, bool) == isinstance(param.default, bool):
            continue
        if complaint := param.check(value):
            raise Inexpressible(complaint)
        found[name] = value
    return found


def _plain(param: ParamSpec, value: Value) -> Value:
    """One number where a tuple says the same."""
    if not isinstance(value, tuple) or param.name not in _UNIFORM or len(value) < 2:
        return value
    uniform = len(set(value)) == 1 and (param.length == len(value) or bool(param.choices))
    return value[0] if uniform else value


def name_from(path: str) -> str:
    """A node's name from a submodule's path: ``layer1.0.conv1`` → ``layer1_0_conv1``."""
    return re.sub(r"\W+", "_", path).strip("_")
