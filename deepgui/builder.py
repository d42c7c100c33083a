"""Networks written in Python: a builder over the frozen values.

net = deepgui.Network("lenet")
x = net.add("Input", shape=(1, 28, 28))
c = net.add("Conv2d", x, out_channels=6, kernel_size=5, padding=2)
net.add("Output", c)
project = net.project()

A block is drawn the same way and then placed like a layer. Text that begins with ``=`` is an expression of
the block's parameters.

res = deepgui.Block("Residual", width=64)
x = res.add("Input")
c = res.add("Conv2d", x, out_channels="=width", kernel_size=3, padding=1)
res.add("Output", res.add("add", x, c))
y = net.add(res, y, width=32, repeat=4)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from deepgui.catalog.expr import Expr, ExprError
from deepgui.catalog.expr import parse as parse_expression
from deepgui.catalog.spec import LayerSpec, ParamSpec, ParamType, PortSpec, Registry, Value, freeze
from deepgui.graph import edits, values
from deepgui.graph.blocks import INDEX, REPEAT, with_blocks
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
        self._blocks: dict[str, values.Block] = {}
        self._kinds: Registry | None = None

    def add(
        self,
        kind: str | Block,
        *inputs: Handle | Iterable[Handle],
        name: str = "",
        at: tuple[float, float] | None = None,
        shares: Handle | None = None,
        bypass: bool | str = False,
        **params: Any,
    ) -> Handle:
        """Place a layer and wire its inputs.

        Args:
            kind: PyTorch's name (``"Conv2d"``, ``"cat"``), ``"Input"``, ``"Output"``, or a block.
            inputs: layers that feed it, in the order of its ports. A port that takes any number of wires
                takes a list, or all that are left.
            name: what the layer is called on the canvas and in the source.
            at: place on the canvas in scene units; chosen from left to right if left out.
            shares: an earlier layer whose weights this one uses: that very layer, if it is of the same kind, else
                the weights of the same names (an output layer tied to an embedding).
            bypass: hand on what comes in; in a block also an expression (``"=not project"``).
            params: PyTorch's arguments by name, or a block's parameters. A layer given here is wired to the port of
                that name. ``repeat=3`` puts a block three times in a row; its other parameters may then ask for
                ``index`` (``stride="=2 if index == 0 else 1"``).

        Returns:
            A handle that stands for the first output.
        """
        if isinstance(kind, Block):
            kind = self._adopt(kind)
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
        if shares is not None:
            self._value = edits.share(self._value, node.id, self._handle(spec, PortSpec("shares"), shares).node)
        if bypass is not False:
            self._value = edits.bypass(self._value, node.id, _expression(spec, "bypass", bypass))
        for port, handles in wires.items():
            for handle in handles:
                self._value = edits.append_wire(self._value, handle.node, handle.output, node.id, port)
        outputs = spec.active_outputs(settings)
        return Handle(self, node.id, outputs[0].name if outputs else "")

    def _adopt(self, block: Block) -> str:
        """Know a block, and those inside it, from now on. Raises ValueError if another one has its name."""
        for name, value in {**block._blocks, block.name: block.block()}.items():
            if name in _registry() or self._blocks.get(name, value) != value:
                raise ValueError(f"there is already another {name!r}; give the block a name of its own.")
            self._blocks[name] = value
        self._kinds = with_blocks(_registry(), dict(self._blocks))
        return block.name

    @property
    def blocks(self) -> Mapping[str, values.Block]:
        """The blocks that are used, by name."""
        return self._blocks

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
            self._title if name is None else name,
            {"network": self._value},
            config,
            training or TrainingConfig(),
            notes,
            dict(self._blocks),
        )

    def outputs_of(self, node: str) -> tuple[str, ...]:
        """The names of a node's outputs under its parameters."""
        value = self._value.nodes[node]
        return tuple(p.name for p in self._spec(value.kind).active_outputs(value.params))

    def _spec(self, kind: str) -> LayerSpec:
        registry = with_blocks(_registry(), self._blocks) if self._kinds is None else self._kinds
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


_TYPES: Mapping[type, ParamType] = {bool: "bool", int: "int", float: "float", str: "str", tuple: "ints"}


class Block(Network):
    """Builds a block: a network with parameters of its own, to be placed in others like a layer.

    Args:
        name: what the block is called; a Python identifier that no layer has.
        summary: one sentence for the palette.
        params: the block's parameters with their defaults, or declarations
            (:class:`~deepgui.catalog.spec.ParamSpec`) that say more.
    """

    def __init__(self, name: str, summary: str = "", *, category: str = "", **params: Any) -> None:
        if not edits.is_identifier(name):
            raise ValueError(f"a block cannot be called {name!r}: it becomes a class in Python source.")
        super().__init__(name)
        self.name, self.summary, self.category = name, summary, category
        self.params = tuple(_declared(key, value) for key, value in params.items())

    def block(self) -> values.Block:
        """The block as a value."""
        return values.Block(self._value, self.params, self.summary, self.category)


def _declared(name: str, value: Any) -> ParamSpec:
    if name in (REPEAT.name, INDEX):
        raise ValueError(f"a block's parameter cannot be called {name!r}, which has a meaning of its own.")
    if isinstance(value, ParamSpec):
        return value
    value = freeze(value)
    if type(value) not in _TYPES:
        raise ValueError(f"the default of {name} must be a number, a truth value, text or a tuple, not {value!r}.")
    return ParamSpec(name, _TYPES[type(value)], default=value)


def _expression(spec: LayerSpec, name: str, value: Any) -> Value:
    """``"=4 * width"`` as an expression; anything else as it is."""
    if not isinstance(value, str) or not value.startswith("="):
        return value  # type: ignore[no-any-return]
    try:
        parse_expression(value[1:])
    except ExprError as error:
        raise ValueError(f"{spec.kind}: {name}: the expression {value[1:]!r} {error}.") from None
    return Expr(value[1:].strip())


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
        frozen = freeze(_expression(spec, name, value))
    except TypeError as error:
        raise ValueError(f"{spec.kind}: {name}: {error}.") from None
    if isinstance(frozen, Expr):
        return frozen
    if complaint := spec.param(name).check(frozen):
        raise ValueError(f"{spec.kind}: {complaint}.")
    return frozen


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return near[0] if near else ""


def _question(near: str) -> str:
    return f"; did you mean {near}?" if near else "."
