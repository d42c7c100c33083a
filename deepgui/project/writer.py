"""From a project to the text of its file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepgui.catalog.spec import ParamSpec
from deepgui.graph.values import Block, Code, Network, Node, Wire
from deepgui.project import migrations, ranges
from deepgui.project.encode import Writer, plain_config, plain_value
from deepgui.project.values import Project


def to_text(project: Project) -> str:
    """The text of a project's file, the same every time. Raises FileError for what no file can hold."""
    out = Writer()
    out.entry("format", "deepgui")
    out.entry("version", migrations.LATEST)
    out.entry("name", project.name)
    out.lines("notes", project.notes.split("\n") if project.notes else [])
    if project.weights:
        out.entry("weights", project.weights)
    with out.section("networks"):
        for key, network in project.networks.items():
            with out.section(key):
                _write_network(out, network)
    with out.section("blocks"):
        sources: dict[str, str] = {}
        for key, block in project.blocks.items():
            with out.section(key):
                if block.code is None:
                    _write_block(out, block)
                else:
                    _write_code(out, block.code, sources.setdefault(block.code.source, key), key)
    for key, config in (("data", project.data), ("training", project.training)):
        with out.section(key):
            for setting, value in plain_config(config, key).items():
                _write_setting(out, setting, value)
    if project.search:
        with out.section("search"):
            for path, choice in project.search.items():
                out.entry(path, ranges.plain(choice, lambda value, path=path: plain_value(value, path)))
    _write_layouts(out, "layout", project.networks)
    _write_layouts(out, "block_layout", {key: block.network for key, block in project.blocks.items()})
    return out.text()


def _write_setting(out: Writer, name: str, value: Any) -> None:
    """What is a table of objects has one of them a line."""
    if isinstance(value, dict) and value and all(isinstance(item, dict) for item in value.values()):
        with out.section(name):
            for key, item in value.items():
                out.entry(key, item)
    else:
        out.entry(name, value)


def _write_layouts(out: Writer, section: str, networks: Mapping[str, Network]) -> None:
    with out.section(section):
        for key, network in networks.items():
            if network.layout:
                with out.section(key):
                    for node in network.nodes:
                        if node in network.layout:
                            out.entry(node, [_plain_coordinate(x) for x in network.layout[node]])


def _write_block(out: Writer, block: Block) -> None:
    if block.summary:
        out.entry("summary", block.summary)
    if block.category:
        out.entry("category", block.category)
    out.lines("params", [plain_param(param) for param in block.params])
    _write_network(out, block.network)


def _write_code(out: Writer, code: Code, owner: str, key: str) -> None:
    """A source a line a line; of several layers of one source the first has it, and the others name that one."""
    with out.section("code"):
        out.entry("layer", code.layer)
        if code.file:
            out.entry("file", code.file)
        if owner == key:
            out.lines("source", code.source.split("\n"))
        else:
            out.entry("same_as", owner)


_PARAM = ParamSpec("", "int")
"""What a parameter of a block is if nothing is said."""


def plain_param(param: ParamSpec) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": param.name, "type": param.type}
    for name in ("default", "minimum", "nullable", "choices", "doc"):
        value = getattr(param, name)
        if value != getattr(_PARAM, name) or type(value) is not type(getattr(_PARAM, name)):
            fields[name] = plain_value(value, param.name)
    if param.infer is not None:
        fields["infer"] = [param.infer.port, param.infer.dim]
    return fields


def _write_network(out: Writer, network: Network) -> None:
    out.entry("name", network.name)
    with out.section("nodes"):
        for node in network.nodes.values():
            out.entry(node.id, plain_node(node))
    out.lines("wires", [_plain_wire(wire) for wire in network.wires])


def plain_node(node: Node) -> dict[str, Any]:
    plain: dict[str, Any] = {"kind": node.kind}
    if node.name:
        plain["name"] = node.name
    if node.params:
        plain["params"] = {name: plain_value(node.params[name], f"{node.id}.{name}") for name in sorted(node.params)}
    if node.shares:
        plain["shares"] = node.shares
    if node.bypass is not False:
        plain["bypass"] = plain_value(node.bypass, f"{node.id}.bypass")
    return plain


def _plain_wire(wire: Wire) -> list[str | int]:
    ends: list[str | int] = [f"{wire.source}.{wire.output}", f"{wire.target}.{wire.input}"]
    return [*ends, wire.index] if wire.index else ends


def _plain_coordinate(x: float) -> float:
    return int(x) if float(x).is_integer() else x
