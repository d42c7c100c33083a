"""Networks written in Python: a builder over the frozen values.

net = deepgui.Network("lenet")
x = net.add("Input", shape=(1, 28, 28))
c = net.add("Conv2d", x, out_channels=6, kernel_size=5, padding=2)
net.add("Output", c)
project = net.project()
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from deepgui.catalog.spec import LayerSpec, PortSpec, Registry, Value, freeze
from deepgui.graph import edits, values
from deepgui.graph.values import Point
from deepgui.project.values import DataConfig, Project, TrainingConfig

COLUMN = 280.0
ROW = 144.0
"""Distance between automatic places, in scene units."""


class Handle:
    """A node that was added, or with ``handle["h_n"]`` one of its outputs. Passed to :meth:`Network.add`."""

    __slots__ = ("_builder", "node", "output")

    def __init__(self, builder: Network, node: str, output: str) -> None:
        self._builder = builder
        self.node = node
        self.output = output

    def __getitem__(self, output: str) -> Handle:
        """Another output of the same node. Raises ValueError if it has none of that name."""
        known = self._builder.outputs_of(self.node)
        if output not in known:
            raise ValueError(f"{self.node} has no output {output!r}; it has {', '.join(known) or 'none'}.")
        return Handle(self._builder, self.node, output)

    def __iter__(self) -> Any:
        """Refused: ``a, b = handle`` would read nothing but wires, and never end."""
        raise TypeError(f'a layer is not a sequence; name its output, like handle["{self.output}"]')

    def belongs_to(self, builder: Network) -> bool:
        """Whether this node was added to that network."""
        return self._builder is builder

    def __repr__(self) -> str:
        return f"<{self.node}.{self.output}>"


class Network:
    """Builds a network node by node; every :meth:`add` is the edit that the canvas would make.

    Raises:
        ValueError: from :meth:`add`, in one plain sentence, for an unknown layer, parameter or port, a
            value of the wrong type, or a wire that cannot be.
    """

    def __init__(self, name: str = "network") -> None:
        self._title = name
        self._value = values.Network(edits.identifier(name))
        self._cells: dict[tuple[int, int], str] = {}
        self._column: dict[str, int] = {}
        self._row: dict[str, int] = {}

    def add(
        self,
        kind: str,
        *inputs: Handle | Iterable[Handle],
        name: str = "",
        at: tuple[float, float] | None = None,
        **params: Any,
    ) -> Handle:
        """Place a layer and wire its inputs.

        Args:
            kind: PyTorch's name (``"Conv2d"``, ``"cat"``), or ``"Input"``, ``"Output"``.
            inputs: layers that feed it, in the order of its ports. A port that takes any number of wires
                takes a list, or all that are left.
            name: what the layer is called on the canvas and in the source.
            at: place on the canvas in scene units; chosen from left to right if left out.
            params: PyTorch's arguments by name. A layer given here is wired to the port of that name.

        Returns:
            A handle that stands for the first output.
        """
        spec = self._spec(kind)
        settings, named = _sorted_out(spec, params)
        wires = self._positional(spec, settings, inputs)
        for port, handles in self._by_name(spec, settings, named).items():
            if port in wires:
                raise ValueError(f"{kind}: the input {port} is given twice.")
            wires[port] = handles
        name = self._checked_name(name)
        column, row = self._cell([h for handles in wires.values() for h in handles])
        place = Point(*at) if at is not None else Point(column * COLUMN, row * ROW)
        self._value, node = edits.add_node(self._value, kind, settings, name=name, at=place)
        self._column[node.id], self._row[node.id] = column, row
        self._cells[column, row] = node.id
        for port, handles in wires.items():
            for handle in handles:
                self._value = edits.append_wire(self._value, handle.node, handle.output, node.id, port)
        outputs = spec.active_outputs(settings)
        return Handle(self, node.id, outputs[0].name if outputs else "")

    def network(self) -> values.Network:
        """The network as a value."""
        return self._value

    def project(
        self,
        name: str | None = None,
        *,
        data: DataConfig | str | None = None,
        training: TrainingConfig | None = None,
        notes: str = "",
    ) -> Project:
        """A project with this network. ``data`` may be just the id of a source (``"digits"``)."""
        config = DataConfig(source=data) if isinstance(data, str) else data or DataConfig()
        return Project(
            self._title if name is None else name, {"network": self._value}, config, training or TrainingConfig(), notes
        )

    def outputs_of(self, node: str) -> tuple[str, ...]:
        """The names of a node's outputs under its parameters."""
        value = self._value.nodes[node]
        return tuple(p.name for p in self._spec(value.kind).active_outputs(value.params))

    def _spec(self, kind: str) -> LayerSpec:
        registry = _registry()
        if kind not in registry:
            near = registry.suggest(str(kind))
            raise ValueError(f"there is no layer {kind!r}{_question(near)}")
        return registry[kind]

    def _checked_name(self, name: str) -> str:
        if not name:
            return ""
        word = edits.identifier(name)
        if any(word == node.label for node in self._value.nodes.values()):
            raise ValueError(f"there is already a layer called {word!r}.")
        return word

    def _positional(
        self, spec: LayerSpec, settings: Mapping[str, Value], inputs: tuple[Handle | Iterable[Handle], ...]
    ) -> dict[str, tuple[Handle, ...]]:
        ports = spec.active_inputs(settings)
        found: dict[str, tuple[Handle, ...]] = {}
        rest = list(inputs)
        for port in ports:
            if not rest:
                break
            if port.variadic and isinstance(rest[0], Handle):
                found[port.name] = tuple(self._handle(spec, port, item) for item in rest)
                rest = []
            else:
                found[port.name] = self._handles(spec, port, rest.pop(0))
        if rest:
            takes = f"{len(ports)} input{'s' * (len(ports) != 1)}"
            raise ValueError(f"{spec.kind} takes {takes if ports else 'no inputs'}, not {len(inputs)}.")
        return found

    def _by_name(
        self, spec: LayerSpec, settings: Mapping[str, Value], named: Mapping[str, Any]
    ) -> dict[str, tuple[Handle, ...]]:
        ports = {p.name: p for p in spec.active_inputs(settings)}
        for name in named:
            if name not in ports:
                raise ValueError(f"{spec.kind} has no input {name!r}{_question(_nearest(name, ports))}")
        return {name: self._handles(spec, ports[name], value) for name, value in named.items()}

    def _handles(self, spec: LayerSpec, port: PortSpec, item: Any) -> tuple[Handle, ...]:
        if isinstance(item, (list, tuple)) and port.variadic:
            return tuple(self._handle(spec, port, one) for one in item)
        return (self._handle(spec, port, item),)

    def _handle(self, spec: LayerSpec, port: PortSpec, item: Any) -> Handle:
        if not isinstance(item, Handle):
            raise ValueError(f"{spec.kind}: the input {port.name} takes a layer, not {item!r}.")
        if not item.belongs_to(self):
            raise ValueError(f"{spec.kind}: {item.node} belongs to another network.")
        if not item.output:
            raise ValueError(f"{spec.kind}: {item.node} has no output to wire.")
        return item

    def _cell(self, sources: list[Handle]) -> tuple[int, int]:
        """One column right of the rightmost source, in the first source's row or the next free one."""
        column = max((self._column[h.node] + 1 for h in sources), default=0)
        row = self._row[sources[0].node] if sources else 0
        while (column, row) in self._cells:
            row += 1
        return column, row


def _registry() -> Registry:
    # Here and not above: importing the builder must not import torch.
    from deepgui.catalog.builtin import registry

    return registry()


def _sorted_out(spec: LayerSpec, params: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, Any]]:
    """Split keyword arguments into parameters (checked, frozen) and wires."""
    settings: dict[str, Value] = {}
    named: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, Handle) or _are_handles(value):
            named[name] = value
        elif spec.has_param(name):
            settings[name] = _checked(spec, name, value)
        else:
            near = _nearest(name, [p.name for p in spec.params] + [p.name for p in spec.inputs])
            raise ValueError(f"{spec.kind} has no parameter {name!r}{_question(near)}")
    return settings, named


def _are_handles(value: object) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(v, Handle) for v in value)


def _checked(spec: LayerSpec, name: str, value: Any) -> Value:
    try:
        frozen = freeze(value)
    except TypeError as error:
        raise ValueError(f"{spec.kind}: {name}: {error}.") from None
    if complaint := spec.param(name).check(frozen):
        raise ValueError(f"{spec.kind}: {complaint}.")
    return frozen


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return near[0] if near else ""


def _question(near: str) -> str:
    return f"; did you mean {near}?" if near else "."
