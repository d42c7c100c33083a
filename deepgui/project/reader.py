"""From the text of a file to a project. Nothing is trusted: what does not fit is refused, with its place."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, get_args

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import Infer, ParamSpec, ParamType, Value
from deepgui.graph.blocks import INDEX, REPEAT
from deepgui.graph.values import Block, Code, Network, Node, Wire
from deepgui.project import migrations
from deepgui.project.decode import (
    FileError,
    Misfit,
    Place,
    as_bool,
    as_identifier,
    as_list,
    as_mapping,
    as_number,
    as_object,
    as_point,
    as_text,
    as_value,
    as_whole,
    decode_config,
    parse,
    quoted,
)
from deepgui.project.ranges import Choices, Range
from deepgui.project.values import DataConfig, Project, TrainingConfig

_KEYS = (
    "format",
    "version",
    "name",
    "notes",
    "weights",
    "networks",
    "blocks",
    "data",
    "training",
    "search",
    "layout",
    "block_layout",
)


def from_text(text: str, name: str = "The text") -> Project:
    """The project that a file's text holds; ``name`` begins the message of the FileError it may raise."""
    try:
        return _project(parse(text))
    except Misfit as misfit:
        where = f", {' → '.join(misfit.place)}" if misfit.place else ""
        raise FileError(f"{name}{where}: {misfit.message}.", misfit.place) from None


def _project(raw: object) -> Project:
    top: Place = ()
    if not isinstance(raw, dict) or raw.get("format") != "deepgui":
        raise Misfit(top, 'this is not a DeepGUI project (it does not say "format": "deepgui")')
    version = as_whole(raw.get("version"), ("version",))
    if version > migrations.LATEST:
        raise Misfit(top, f"this file is of version {version}, made by a newer DeepGUI; please update DeepGUI")
    if version < 1:
        raise Misfit(("version",), f"there is no version {quoted(version)}")
    migrations.migrate(raw, version)
    fields = as_object(raw, top, _KEYS, required=("networks",))
    layouts = _layouts(fields, "layout", "networks", "network")
    networks = {
        as_identifier(key, ("networks",)): _network(value, ("networks", key), layouts.get(key, {}), "layout")
        for key, value in as_mapping(fields["networks"], ("networks",)).items()
    }
    layouts = _layouts(fields, "block_layout", "blocks", "block")
    blocks: dict[str, Block] = {}
    for key, value in as_mapping(fields.get("blocks", {}), ("blocks",)).items():
        name, place = as_identifier(key, ("blocks",)), ("blocks", key)
        if isinstance(value, dict) and "code" in value:
            blocks[name] = _code_block(name, value, place, blocks)
        else:
            blocks[name] = _block(value, place, layouts.get(key, {}))
    return Project(
        as_text(fields.get("name", "untitled"), ("name",)),
        networks,
        decode_config(DataConfig, fields.get("data", {}), ("data",)),
        decode_config(TrainingConfig, fields.get("training", {}), ("training",)),
        "\n".join(as_text(line, ("notes",)) for line in as_list(fields.get("notes", []), ("notes",))),
        blocks,
        as_text(fields.get("weights", ""), ("weights",)),
        {
            path: _choice(choice, ("search", path))
            for path, choice in as_mapping(fields.get("search", {}), ("search",)).items()
        },
    )


def _choice(raw: object, place: Place) -> Range | Choices:
    """What may be varied at a path. Whether there is such a path is asked when a search is made."""
    if isinstance(raw, dict) and "choices" in raw:
        values = as_list(as_object(raw, place, ("choices",))["choices"], (*place, "choices"))
        made: Range | Choices = Choices(tuple(as_value(value, (*place, "choices")) for value in values))
    else:
        fields = as_object(raw, place, ("low", "high", "log", "step"), required=("low", "high"))
        low, high = (as_number(fields[end], (*place, end)) for end in ("low", "high"))
        step = as_number(fields["step"], (*place, "step")) if "step" in fields else None
        made = Range(low, high, as_bool(fields.get("log", False), (*place, "log")), step)
    if made.complaint:
        raise Misfit(place, made.complaint)
    return made


def _layouts(fields: dict[str, Any], section: str, owners: str, owner: str) -> dict[str, Any]:
    layouts = as_mapping(fields.get(section, {}), (section,))
    known = as_mapping(fields.get(owners, {}), (owners,))
    for key in layouts:
        if key not in known:
            raise Misfit((section,), f"there is no {owner} {quoted(key)}")
    return layouts


_NETWORK = ("name", "nodes", "wires")


def _block(raw: object, place: Place, layout: object) -> Block:
    fields = as_object(raw, place, ("summary", "category", "params", *_NETWORK), required=("nodes",))
    params: list[ParamSpec] = []
    for number, item in enumerate(as_list(fields.get("params", []), (*place, "params")), start=1):
        param = _param(item, (*place, "params", f"parameter {number}"))
        if any(p.name == param.name for p in params):
            raise Misfit((*place, "params"), f"{quoted(param.name)} is there twice")
        params.append(param)
    drawing = {key: fields[key] for key in _NETWORK if key in fields}
    return Block(
        _network(drawing, place, layout, "block_layout"),
        tuple(params),
        as_text(fields.get("summary", ""), (*place, "summary")),
        as_text(fields.get("category", ""), (*place, "category")),
    )


_CODE = ("layer", "file", "source", "same_as")


def _code_block(name: str, raw: object, place: Place, earlier: dict[str, Block]) -> Block:
    """A layer written in Python: its text, which is not looked into."""
    place = (*place, "code")
    fields = as_object(as_object(raw, place[:-1], ("code",))["code"], place, _CODE, required=("layer",))
    if ("source" in fields) == ("same_as" in fields):
        raise Misfit(place, 'must have either "source" or "same_as"')
    if "source" in fields:
        lines = [as_text(line, (*place, "source")) for line in as_list(fields["source"], (*place, "source"))]
        if any("\n" in line for line in lines):
            raise Misfit((*place, "source"), "must have each line by itself")
        source = "\n".join(lines)
    else:
        owner = earlier.get(as_text(fields["same_as"], (*place, "same_as")))
        if owner is None or owner.code is None:
            raise Misfit((*place, "same_as"), f"no earlier block {quoted(fields['same_as'])} has code")
        source = owner.code.source
    file = as_text(fields.get("file", ""), (*place, "file"))
    if file and (file != PurePath(file).name or "\\" in file or ":" in file):
        raise Misfit((*place, "file"), f"must be the name of a file beside the project, not {quoted(file)}")
    return Block(Network(name), code=Code(source, as_identifier(fields["layer"], (*place, "layer")), file))


_PARAM = ("name", "type", "default", "minimum", "nullable", "choices", "doc", "infer")


def _param(raw: object, place: Place) -> ParamSpec:
    fields = as_object(raw, place, _PARAM, required=("name", "type"))
    types = get_args(ParamType)
    if fields["type"] not in types:
        raise Misfit((*place, "type"), f"must be one of {', '.join(types)}, not {quoted(fields['type'])}")
    name = as_identifier(fields["name"], (*place, "name"))
    if name in (REPEAT.name, INDEX):
        raise Misfit((*place, "name"), f"a block's parameter cannot be called {name}, which has a meaning of its own")
    minimum = fields.get("minimum")
    return ParamSpec(
        name,
        fields["type"],
        as_value(fields.get("default"), (*place, "default")),
        minimum=None if minimum is None else as_number(minimum, (*place, "minimum")),
        nullable=as_bool(fields.get("nullable", False), (*place, "nullable")),
        choices=tuple(as_text(c, (*place, "choices")) for c in as_list(fields.get("choices", []), (*place, "choices"))),
        doc=as_text(fields.get("doc", ""), (*place, "doc")),
        infer=_infer(fields["infer"], (*place, "infer")) if "infer" in fields else None,
    )


def _infer(raw: object, place: Place) -> Infer:
    parts = as_list(raw, place)
    if len(parts) != 2:
        raise Misfit(place, f'must be an input and one of its dimensions, like ["input", 1], not {quoted(raw)}')
    return Infer(as_identifier(parts[0], place), as_whole(parts[1], place))


def _network(raw: object, place: Place, layout: object, section: str) -> Network:
    fields = as_object(raw, place, _NETWORK, required=("nodes",))
    nodes = {
        as_identifier(id, (*place, "nodes")): _node(id, value, (*place, "nodes", id))
        for id, value in as_mapping(fields["nodes"], (*place, "nodes")).items()
    }
    points = {}
    for id, point in as_mapping(layout, (section, place[-1])).items():
        if id not in nodes:
            raise Misfit((section, place[-1]), f"there is no node {quoted(id)}")
        points[id] = as_point(point, (section, place[-1], id))
    for node in nodes.values():
        if node.shares and node.shares not in nodes:
            raise Misfit((*place, "nodes", node.id, "shares"), f"there is no node {quoted(node.shares)}")
    return Network(
        as_identifier(fields.get("name", "network"), (*place, "name")),
        nodes,
        _wires(fields.get("wires", []), nodes, (*place, "wires")),
        points,
    )


def _node(id: str, raw: object, place: Place) -> Node:
    fields = as_object(raw, place, ("kind", "name", "params", "shares", "bypass"), required=("kind",))
    name = fields.get("name", "")
    params = as_mapping(fields.get("params", {}), (*place, "params"))
    return Node(
        id,
        as_identifier(fields["kind"], (*place, "kind")),
        {as_identifier(k, (*place, "params")): as_value(v, (*place, "params", k)) for k, v in params.items()},
        as_identifier(name, (*place, "name")) if name != "" else "",
        as_identifier(fields["shares"], (*place, "shares")) if "shares" in fields else "",
        _bypass(fields.get("bypass", False), (*place, "bypass")),
    )


def _bypass(raw: object, place: Place) -> Value:
    value = as_value(raw, place)
    if not isinstance(value, (bool, Expr)):
        raise Misfit(place, f"must be true, false or an expression, not {quoted(raw)}")
    return value


def _wires(raw: object, nodes: dict[str, Node], place: Place) -> tuple[Wire, ...]:
    wires = []
    slots: dict[tuple[str, str], set[int]] = {}
    for number, item in enumerate(as_list(raw, place), start=1):
        here = (*place, f"wire {number}")
        wire = _wire(item, here)
        for end in (wire.source, wire.target):
            if end not in nodes:
                raise Misfit(here, f"there is no node {quoted(end)}")
        taken = slots.setdefault((wire.target, wire.input), set())
        if wire.index in taken:
            raise Misfit(here, f"another wire already ends at {wire.target}.{wire.input}, place {wire.index}")
        taken.add(wire.index)
        wires.append(wire)
    for (target, input), taken in slots.items():
        if max(taken) != len(taken) - 1:
            raise Misfit(place, f"the wires into {target}.{input} must be numbered 0 to {len(taken) - 1} without a gap")
    return tuple(wires)


def _wire(raw: object, place: Place) -> Wire:
    parts = as_list(raw, place)
    if len(parts) not in (2, 3):
        raise Misfit(place, f'must be ["from.output", "to.input"], perhaps with a place, not {quoted(raw)}')
    ends = []
    for part in parts[:2]:
        node, dot, port = as_text(part, place).partition(".")
        if not dot:
            raise Misfit(place, f'must name a node and its port, like "conv.input", not {quoted(part)}')
        ends += [as_identifier(node, place), as_identifier(port, place)]
    index = as_whole(parts[2], place) if len(parts) == 3 else 0
    if index < 0:
        raise Misfit(place, f"a place must be 0 or more, not {index}")
    return Wire(ends[0], ends[1], ends[2], ends[3], index)
