"""The ``.deepgui`` file: JSON in UTF-8, one node and one wire a line, the layout apart from the meaning.

::

    {
      "format": "deepgui",
      "version": 1,
      "name": "digits",
      "notes": [],
      "networks": {
        "network": {
          "name": "network",
          "nodes": {
            "input": {"kind": "Input", "params": {"shape": [1, 8, 8]}},
            ...
          },
          "wires": [
            ["input.output", "conv2d.input"],
            ["conv2d.output", "cat.tensors", 1],
            ...
          ]
        }
      },
      "data": {...},
      "training": {...},
      "layout": {
        "network": {
          "input": [0.0, 0.0],
          ...
        }
      }
    }

Reading runs nothing and trusts nothing: whatever is not as above is refused with a :class:`FileError`
that says what is wrong and where. Layer kinds and parameters are values like others, so those that this
DeepGUI does not know survive. A key that it does not know is refused, since keeping what is not understood
would let a misspelt setting pass unnoticed; a version that adds keys therefore has a higher number.
Settings that are missing have their defaults.
"""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

from deepgui.graph.values import Network, Node, Wire
from deepgui.project import atomic, migrations
from deepgui.project.data_paths import located, portable
from deepgui.project.decode import (
    FileError,
    Misfit,
    Place,
    as_identifier,
    as_list,
    as_mapping,
    as_object,
    as_point,
    as_text,
    as_value,
    as_whole,
    decode_config,
    parse,
    printable,
    quoted,
)
from deepgui.project.encode import Writer, plain_config, plain_value
from deepgui.project.values import DataConfig, Project, TrainingConfig

__all__ = ["SUFFIX", "VERSION", "FileError", "from_text", "meaning_hash", "read", "to_text", "write"]

SUFFIX = ".deepgui"
VERSION = migrations.LATEST
MAX_BYTES = 64 * 2**20
_KEYS = ("format", "version", "name", "notes", "networks", "data", "training", "layout")


def read(path: Path | str) -> Project:
    """Open a project. Raises FileError, whose message is one sentence for the user."""
    path = Path(path)
    name = printable(path.name or str(path))
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise FileError(f"{name} is a folder, not a DeepGUI project.")
        if not stat.S_ISREG(status.st_mode):
            raise FileError(f"{name} is not a file.")
        if status.st_size > MAX_BYTES:
            raise FileError(f"{name} is too large for a DeepGUI project ({status.st_size / 2**20:.0f} MiB).")
        data = path.read_bytes()
    except FileError:
        raise
    except FileNotFoundError:
        raise FileError(f"There is no file {printable(str(path))}.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise FileError(f"{name} cannot be read: {atomic.reason(error)}.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(f"{name} is not a DeepGUI project: it is not text in UTF-8.") from None
    return located(from_text(text, name), path.parent)


def write(project: Project, path: Path | str) -> None:
    """Save a project atomically, keeping the earlier version as ``NAME.deepgui~``.

    Raises FileError; the file is then what it was before.
    """
    path = Path(path)
    name = printable(path.name)
    text = to_text(portable(project, path.parent))
    try:
        same = to_text(from_text(text, name)) == text
    except FileError as error:
        raise FileError(f"The project cannot be saved, since it could not be opened again: {error}") from error
    if not same:
        raise FileError(f"The project cannot be saved as {name}: it holds text that no file can.")
    try:
        atomic.replace(path, text.encode(), backup=_is_project(path))
    except OSError as error:
        raise FileError(f"{name} cannot be saved: {atomic.reason(error)}.") from error


def _is_project(path: Path) -> bool:
    try:
        read(path)
    except FileError:
        return False
    return True


def to_text(project: Project) -> str:
    """The text of a project's file, the same every time. Raises FileError for what no file can hold."""
    out = Writer()
    out.entry("format", "deepgui")
    out.entry("version", VERSION)
    out.entry("name", project.name)
    out.lines("notes", project.notes.split("\n") if project.notes else [])
    with out.section("networks"):
        for key, network in project.networks.items():
            with out.section(key):
                _write_network(out, network)
    for key, config in (("data", project.data), ("training", project.training)):
        with out.section(key):
            for setting, value in plain_config(config, key).items():
                out.entry(setting, value)
    with out.section("layout"):
        for key, network in project.networks.items():
            if network.layout:
                with out.section(key):
                    for node in network.nodes:
                        if node in network.layout:
                            out.entry(node, [_plain_coordinate(x) for x in network.layout[node]])
    return out.text()


def _write_network(out: Writer, network: Network) -> None:
    out.entry("name", network.name)
    with out.section("nodes"):
        for node in network.nodes.values():
            out.entry(node.id, _plain_node(node))
    out.lines("wires", [_plain_wire(wire) for wire in network.wires])


def _plain_node(node: Node) -> dict[str, Any]:
    plain: dict[str, Any] = {"kind": node.kind}
    if node.name:
        plain["name"] = node.name
    if node.params:
        plain["params"] = {name: plain_value(node.params[name], f"{node.id}.{name}") for name in sorted(node.params)}
    return plain


def _plain_wire(wire: Wire) -> list[str | int]:
    ends: list[str | int] = [f"{wire.source}.{wire.output}", f"{wire.target}.{wire.input}"]
    return [*ends, wire.index] if wire.index else ends


def _plain_coordinate(x: float) -> float:
    return int(x) if float(x).is_integer() else x


def meaning_hash(project: Project) -> str:
    """SHA-256 (hex) of what the project computes and learns: not of layout, notes or the project's name.

    Settings that have their defaults are left out, so that one added later does not make earlier runs strangers.
    """
    networks = [
        [key, [[node.id, _plain_node(node)] for node in network.nodes.values()], sorted(network.wires)]
        for key, network in project.networks.items()
    ]
    data = _changed(plain_config(project.data, "data"), plain_config(DataConfig(), "data"))
    training = _changed(plain_config(project.training, "training"), plain_config(TrainingConfig(), "training"))
    meaning = json.dumps([networks, data, training], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(meaning.encode()).hexdigest()


def _changed(settings: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value != defaults[name]}


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
    if version > VERSION:
        raise Misfit(top, f"this file is of version {version}, made by a newer DeepGUI; please update DeepGUI")
    if version < 1:
        raise Misfit(("version",), f"there is no version {quoted(version)}")
    migrations.migrate(raw, version)
    fields = as_object(raw, top, _KEYS, required=("networks",))
    layouts = as_mapping(fields.get("layout", {}), ("layout",))
    networks = {
        as_identifier(key, ("networks",)): _network(value, ("networks", key), layouts.get(key, {}))
        for key, value in as_mapping(fields["networks"], ("networks",)).items()
    }
    for key in layouts:
        if key not in networks:
            raise Misfit(("layout",), f"there is no network {quoted(key)}")
    return Project(
        as_text(fields.get("name", "untitled"), ("name",)),
        networks,
        decode_config(DataConfig, fields.get("data", {}), ("data",)),
        decode_config(TrainingConfig, fields.get("training", {}), ("training",)),
        "\n".join(as_text(line, ("notes",)) for line in as_list(fields.get("notes", []), ("notes",))),
    )


def _network(raw: object, place: Place, layout: object) -> Network:
    fields = as_object(raw, place, ("name", "nodes", "wires"), required=("nodes",))
    nodes = {
        as_identifier(id, (*place, "nodes")): _node(id, value, (*place, "nodes", id))
        for id, value in as_mapping(fields["nodes"], (*place, "nodes")).items()
    }
    points = {}
    for id, point in as_mapping(layout, ("layout", place[-1])).items():
        if id not in nodes:
            raise Misfit(("layout", place[-1]), f"there is no node {quoted(id)}")
        points[id] = as_point(point, ("layout", place[-1], id))
    return Network(
        as_identifier(fields.get("name", "network"), (*place, "name")),
        nodes,
        _wires(fields.get("wires", []), nodes, (*place, "wires")),
        points,
    )


def _node(id: str, raw: object, place: Place) -> Node:
    fields = as_object(raw, place, ("kind", "name", "params"), required=("kind",))
    name = fields.get("name", "")
    params = as_mapping(fields.get("params", {}), (*place, "params"))
    return Node(
        id,
        as_identifier(fields["kind"], (*place, "kind")),
        {as_identifier(k, (*place, "params")): as_value(v, (*place, "params", k)) for k, v in params.items()},
        as_identifier(name, (*place, "name")) if name != "" else "",
    )


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
