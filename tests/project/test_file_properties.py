"""Saving and loading is identity, and a file that something happened to opens or is refused where it is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from networks import edit, projects

from deepgui.graph import edits
from deepgui.graph.values import Network, Point
from deepgui.project import file
from deepgui.project.values import Project, edit_network, with_network

json_scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([10**400, "class"])
)
json_values = st.recursive(
    json_scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def typed(value: Any) -> Any:
    """A value with the type of every part beside it, since 1 == 1.0 == True."""
    if isinstance(value, tuple):
        return (type(value).__name__, *(typed(part) for part in value))
    if isinstance(value, dict):
        return {key: typed(part) for key, part in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return {name: typed(getattr(value, name)) for name in value.__dataclass_fields__}
    return type(value).__name__, repr(value)


def opened(open_it: Callable[[], Project]) -> Project | file.FileError:
    try:
        return open_it()
    except file.FileError as error:
        return error


def assert_opens_or_is_refused(open_it: Callable[[], Project], name: str) -> None:
    """Either a project that can be saved and opened again, or one sentence with the name and the place."""
    result = opened(open_it)
    if isinstance(result, Project):
        text = file.to_text(result)
        assert file.to_text(file.from_text(text)) == text
        return
    message = str(result)
    assert message.startswith(name)
    assert message.endswith(".")
    assert len(message.splitlines()) == 1
    assert len(message) < 600
    assert all(part in message for part in result.place)


@given(projects)
def test_saving_and_loading_is_identity(project: Project) -> None:
    text = file.to_text(project)
    loaded = file.from_text(text)
    assert loaded == project
    assert typed(loaded) == typed(project)
    assert [list(n.nodes) for n in loaded.networks.values()] == [list(n.nodes) for n in project.networks.values()]
    assert list(loaded.networks) == list(project.networks)
    assert file.to_text(loaded) == text
    assert text.encode().decode() == text
    assert file.meaning_hash(loaded) == file.meaning_hash(project)


@given(projects)
def test_a_node_and_a_wire_take_one_line_each(project: Project) -> None:
    lines = file.to_text(project).split("\n")
    drawn = [*project.networks.values(), *(block.network for block in project.blocks.values())]
    nodes = sum(len(n.nodes) for n in drawn)
    wires = sum(len(n.wires) for n in drawn)
    assert sum(line.lstrip().startswith('"') and '{"kind": ' in line for line in lines) == nodes
    assert sum(line.startswith("        [") for line in lines) == wires


@given(projects, edit(), st.text(max_size=5))
def test_the_hash_follows_meaning_and_nothing_else(project: Project, change: Any, notes: str) -> None:
    for key, network in project.networks.items():
        moved = edits.move(network, {node: Point(1.0, 2.0) for node in network.nodes})
        shifted = with_network(project, key, moved)
        assert file.meaning_hash(shifted) == file.meaning_hash(project)
        changed = edit_network(project, key, change)
        if changed.networks[key].meaning() != network.meaning():
            assert file.meaning_hash(changed) != file.meaning_hash(project)
    renamed = Project(notes, project.networks, project.data, project.training, notes, project.blocks)
    assert file.meaning_hash(renamed) == file.meaning_hash(project)


@given(projects, st.data())
def test_damaged_text_opens_or_is_refused_in_one_sentence(project: Project, data: st.DataObject) -> None:
    text = file.to_text(project)
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 30))
    other = data.draw(st.integers(0, len(text)))
    put = data.draw(
        st.sampled_from(["", "\0", "}", "]", '"', ",", "1e999", "NaN", "{", "null", "\u2028", text[other:][:40]])
    )
    assert_opens_or_is_refused(
        lambda: file.from_text(text[:start] + put + text[start + length :], "demo.deepgui"), "demo.deepgui"
    )
    assert_opens_or_is_refused(lambda: file.from_text(text[:start], "demo.deepgui"), "demo.deepgui")


@given(projects, st.data())
def test_a_value_exchanged_anywhere_is_taken_or_refused_in_one_sentence(project: Project, data: st.DataObject) -> None:
    raw = json.loads(file.to_text(project))
    for _ in range(data.draw(st.integers(1, 3))):
        _splice(raw, data)
    assert_opens_or_is_refused(lambda: file.from_text(json.dumps(raw), "demo.deepgui"), "demo.deepgui")


def _splice(raw: Any, data: st.DataObject) -> None:
    """Walk to a random place of a JSON tree and set, delete or rename what is there."""
    while True:
        keys = list(raw) if isinstance(raw, dict) else list(range(len(raw)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(raw[key], (dict, list)) and raw[key] and data.draw(st.integers(0, 4)):
            raw = raw[key]
            continue
        action = data.draw(st.sampled_from(["set", "delete", "rename"]))
        if action == "set":
            raw[key] = data.draw(json_values)
        elif action == "delete" or isinstance(raw, list):
            del raw[key]
        else:
            raw[data.draw(st.text(max_size=6))] = raw.pop(key)
        return


@given(st.binary(max_size=200), st.data())
def test_bytes_flipped_on_the_disk_are_survived(tmp_path_factory: Any, noise: bytes, data: st.DataObject) -> None:
    project = Project("p", {"network": edits.add_node(Network("n"), "Conv2d", {"stride": (1, 2)})[0]})
    content = bytearray(file.to_text(project).encode())
    for value in noise[:5]:
        content[data.draw(st.integers(0, len(content) - 1))] = value
    path = tmp_path_factory.mktemp("flip") / "flip.deepgui"
    for broken in (bytes(content), noise):
        path.write_bytes(broken)
        assert_opens_or_is_refused(lambda: file.read(path), "flip.deepgui")
