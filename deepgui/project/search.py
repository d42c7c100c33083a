"""Settings and parameters by path: what a project has there, the project with another value, and what cannot be."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import Value
from deepgui.graph import edits
from deepgui.graph.values import Block, Network, Node
from deepgui.project.ranges import Choices, Range, Space
from deepgui.project.values import Project, with_block, with_network

_CONFIGS = ("training", "data")
BYPASS = "bypass"


class SearchError(ValueError):
    """A search that cannot be made. One plain sentence."""


class _Unset:
    """In place of a parameter that has its default."""

    def __repr__(self) -> str:
        return "default"


UNSET: Any = _Unset()


def value_at(project: Project, path: str) -> Value:
    """What a project has at a path; :data:`UNSET` where the default is in force. Raises SearchError."""
    first, *rest = _parts(path)
    if first in _CONFIGS:
        config = getattr(project, first)
        name = _field(config, rest[0], path)
        held = getattr(config, name)
        if len(rest) == 1:
            return held  # type: ignore[no-any-return]
        return held.get(rest[1], UNSET)  # type: ignore[no-any-return]
    if first == "block" and len(rest) == 2:
        return next(p.default for p in _block(project, rest[0], path).params if p.name == rest[1])
    node = _node_at(project, path)
    return node.bypass if rest[-1] == BYPASS else node.params.get(rest[-1], UNSET)


def with_value(project: Project, path: str, value: Value) -> Project:
    """The project with another value at a path. Raises SearchError."""
    value_at(project, path)
    first, *rest = _parts(path)
    if first in _CONFIGS:
        config = getattr(project, first)
        new: Any = value if len(rest) == 1 else {**getattr(config, rest[0]), rest[1]: value}
        return replace(project, **{first: replace(config, **{rest[0]: new})})
    if first != "block":
        return with_network(project, first, _with_node_value(project.networks[first], rest[0], rest[1], value))
    block = project.blocks[rest[0]]
    if len(rest) == 2:
        params = tuple(replace(p, default=value) if p.name == rest[1] else p for p in block.params)
        return with_block(project, rest[0], replace(block, params=params))
    return with_block(
        project, rest[0], replace(block, network=_with_node_value(block.network, rest[1], rest[2], value))
    )


def with_values(project: Project, values: Mapping[str, Value]) -> Project:
    """The project with other values at several paths. Raises SearchError."""
    for path, value in values.items():
        project = with_value(project, path, value)
    return project


def complaints(project: Project) -> list[str]:
    """What is wrong with a project's search, a plain sentence each; none if it can be made."""
    said = []
    for path, choice in project.search.items():
        try:
            value_at(project, path)
        except SearchError as error:
            said.append(str(error))
            continue
        if choice.complaint:
            said.append(f"The search over {path} {choice.complaint}.")
    return said


def label(project: Project, path: str) -> str:
    """A path for people: ``optimizer lr``, ``conv1 out_channels``."""
    first, *rest = path.split(".")
    if first in _CONFIGS:
        words = [rest[0].removesuffix("_options"), *rest[1:]]
        return " ".join(word.replace("_", " ") if word == rest[0] else word for word in words)
    try:
        return f"{_node_at(project, path).label} {rest[-1]}"
    except (SearchError, IndexError):
        return " ".join(rest)


def parse(text: str) -> tuple[str, Range | Choices]:
    """``PATH=0.0001..0.1:log``, ``PATH=16..128:16`` or ``PATH=Adam,SGD``. Raises SearchError."""
    path, equals, choice = text.partition("=")
    if not equals or not path or not choice:
        raise SearchError(f"{text!r} must be like training.batch_size=16..128 or training.optimizer=Adam,SGD.")
    ends, _, how = choice.partition(":")
    low, dots, high = ends.partition("..")
    if not dots:
        made: Range | Choices = Choices(tuple(_value(word) for word in choice.split(",")))
    else:
        numbers = [_value(word) for word in (low, high, *((how,) if how not in ("", "log") else ()))]
        if any(isinstance(n, bool) or not isinstance(n, (int, float)) for n in numbers):
            raise SearchError(f"{text!r}: a range has numbers, like 16..128, 16..128:16 or 0.0001..0.1:log.")
        made = Range(numbers[0], numbers[1], how == "log", numbers[2] if len(numbers) > 2 else None)  # type: ignore[arg-type]
    if made.complaint:
        raise SearchError(f"The search over {path} {made.complaint}.")
    return path, made


def merged(project: Project, more: Space) -> Project:
    """The project with more to search over; what it searches over already at the same paths gives way."""
    return replace(project, search={**project.search, **more})


# -- finding the place


def _parts(path: str) -> list[str]:
    parts = path.split(".")
    least = {"training": 2, "data": 2}.get(parts[0], 3)
    most = 4 if parts[0] == "block" else 3
    if not all(parts) or not least <= len(parts) <= most:
        raise SearchError(
            f"{path!r} names nothing that can be varied; it must be like training.batch_size, "
            "training.optimizer_options.lr, network.conv1.out_channels or network.conv1.bypass."
        )
    return parts


def _field(config: Any, name: str, path: str) -> str:
    known = [f.name for f in fields(config) if _varies(f.name, getattr(config, f.name))]
    if name not in known:
        raise _unknown(f"There is no setting {path}", name, known)
    depth = len(path.split("."))
    if isinstance(getattr(config, name), Mapping) != (depth == 3):
        what = f"name one of its entries, like {path}.lr" if depth == 2 else f"it has no entry {path.split('.')[2]}"
        raise SearchError(f"The setting {'.'.join(path.split('.')[:2])} cannot be varied so: {what}.")
    return name


def _varies(name: str, value: Any) -> bool:
    """Tables of layers, networks and inputs by name are no settings of their own."""
    return not isinstance(value, Mapping) or name.endswith("options")


def _block(project: Project, name: str, path: str) -> Block:
    block = project.blocks.get(name)
    if block is None:
        raise _unknown(f"There is no block {name}", name, list(project.blocks))
    parts = path.split(".")
    if len(parts) == 3 and parts[2] not in [p.name for p in block.params]:
        raise _unknown(f"The block {name} has no parameter {parts[2]}", parts[2], [p.name for p in block.params])
    return block


def _node_at(project: Project, path: str) -> Node:
    first, *rest = _parts(path)
    if first == "block":
        network = _block(project, rest[0], path).network
        id = rest[1]
    elif first in project.networks:
        network, id = project.networks[first], rest[0]
    else:
        raise _unknown(f"There is no network {first}", first, ["training", "data", "block", *project.networks])
    if id not in network.nodes:
        raise _unknown(f"There is no node {id} in {first if first != 'block' else rest[0]}", id, list(network.nodes))
    return network.nodes[id]


def _with_node_value(network: Network, id: str, name: str, value: Value) -> Network:
    if name == BYPASS:
        if not isinstance(value, (bool, Expr)):
            raise SearchError(f"A bypass is on or off (true, false), not {value!r}.")
        return edits.bypass(network, id, value)
    return edits.set_params(network, id, {name: value})


def _unknown(sentence: str, name: str, known: list[str]) -> SearchError:
    near = difflib.get_close_matches(name, known, n=1)
    return SearchError(f"{sentence}; did you mean {near[0]}?" if near else f"{sentence}.")


def _value(word: str) -> Value:
    """A number, ``true``, ``false``, ``none``, or the word itself."""
    word = word.strip()
    if word.lower() in ("true", "false", "none", "null"):
        return {"true": True, "false": False}.get(word.lower())
    try:
        found = json.loads(word)
    except ValueError:
        try:
            return float(word)
        except ValueError:
            return word
    return found if isinstance(found, (int, float)) else word
