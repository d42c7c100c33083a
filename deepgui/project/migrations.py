"""What was called differently in earlier versions of the file. Renames are data; the code stays the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LATEST = 3


@dataclass(frozen=True)
class Renames:
    """What changed its name from one version to the next. Kinds in keys are the old version's.

    Attributes:
        kinds: old layer kind → new one.
        params: (kind, old parameter) → new one.
        inputs, outputs: (kind, old port) → new one.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[tuple[str, str], str] = field(default_factory=dict)
    inputs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    outputs: Mapping[tuple[str, str], str] = field(default_factory=dict)


RENAMES: Mapping[int, Renames] = {}
"""By the version that is left behind: ``RENAMES[1]`` leads from version 1 to 2, which only added blocks.

Version 3 only added layers written in Python (``code`` of a block)."""


def migrate(raw: dict[str, Any], version: int, table: Mapping[int, Renames] = RENAMES, latest: int = LATEST) -> None:
    """Change the parsed JSON of a file, in place, to what the latest version would have written.

    Nothing has been checked yet, so whatever does not look as expected is left for the reader to refuse.
    """
    for step in range(version, latest):
        renames = table.get(step, Renames())
        for network in (*_values(raw.get("networks")), *_values(raw.get("blocks"))):
            if isinstance(network, dict):
                _rename(network, renames)


def _rename(network: dict[str, Any], renames: Renames) -> None:
    nodes = network.get("nodes")
    kinds = {id: _kind(node) for id, node in nodes.items()} if isinstance(nodes, dict) else {}
    wires = network.get("wires")
    for wire in wires if isinstance(wires, list) else ():
        if isinstance(wire, list):
            for position, ports in enumerate((renames.outputs, renames.inputs)[: len(wire)]):
                wire[position] = _end(wire[position], kinds, ports)
    for node in _values(nodes):
        kind = _kind(node)
        if not kind:
            continue
        params = node.get("params")
        for name in list(params) if isinstance(params, dict) else ():
            new = renames.params.get((kind, name), name)
            if new not in params:
                params[new] = params.pop(name)
        node["kind"] = renames.kinds.get(kind, kind)


def _values(mapping: object) -> list[Any]:
    return list(mapping.values()) if isinstance(mapping, dict) else []


def _kind(node: object) -> str:
    kind = node.get("kind") if isinstance(node, dict) else None
    return kind if isinstance(kind, str) else ""


def _end(end: object, kinds: Mapping[str, str], ports: Mapping[tuple[str, str], str]) -> object:
    """``conv1.old`` → ``conv1.new``."""
    if not isinstance(end, str):
        return end
    node, _, port = end.partition(".")
    new = ports.get((kinds.get(node, ""), port))
    return f"{node}.{new}" if new else end
