"""The format in examples: what a file looks like, what is refused and how that is said."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepgui.graph import edits
from deepgui.graph.values import Network, Point, Wire
from deepgui.project import atomic, file
from deepgui.project.migrations import Renames, migrate
from deepgui.project.values import Project, TrainingConfig, empty_project, with_network


def demo() -> Project:
    network, a = edits.add_node(Network("network"), "Input", {"shape": (1, 8, 8)}, at=Point(0, 0))
    network, b = edits.add_node(network, "Unheard2d", {"of": "this", "bound": float("inf")}, at=Point(120.5, -3))
    network, c = edits.add_node(network, "cat", name="both")
    network = edits.connect(network, Wire(a.id, "output", b.id, "input"))
    for source in (a, b):
        network = edits.append_wire(network, source.id, "output", c.id, "tensors")
    return Project("Demo", {"network": network}, notes="First\nsecond")


def changed(change: str, value: Any = "delete") -> str:
    """The demo's text with the value at a path like ``networks/network/nodes`` changed or deleted."""
    raw = json.loads(file.to_text(demo()))
    at = raw
    *way, last = (int(p) if p.isdigit() else p for p in change.split("/"))
    for part in way:
        at = at[part]
    if value == "delete":
        del at[last]
    else:
        at[last] = value
    return json.dumps(raw)


def refusal(text: str) -> str:
    with pytest.raises(file.FileError) as caught:
        file.from_text(text, "demo.deepgui")
    return str(caught.value)


def test_the_text_reads_like_a_list() -> None:
    text = file.to_text(demo())
    assert '        "unheard2d": {"kind": "Unheard2d", "params": {"bound": {"float": "inf"}, "of": "this"}},\n' in text
    assert '        ["unheard2d.output", "cat.tensors", 1]\n' in text
    assert '      "input": [0, 0],\n      "unheard2d": [120.5, -3]\n' in text
    assert file.from_text(text) == demo()


def test_a_change_of_one_parameter_changes_one_line() -> None:
    before = demo()
    network = edits.set_params(before.networks["network"], "cat", {"dim": 1})
    a = file.to_text(before).split("\n")
    b = file.to_text(with_network(before, "network", network)).split("\n")
    assert sum(x != y for x, y in zip(a, b, strict=True)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "demo.deepgui: the file is empty."),
        ("\n \n", "demo.deepgui: the file is empty."),
        ("{\n  nonsense", "demo.deepgui, line 2, column 3: this is not valid JSON"),
        ("[1, 2]", "not a DeepGUI project"),
        ('{"nbformat": 4}', "not a DeepGUI project"),
        ("[" * 100_000, "nested too deeply"),
        ('{"format": "deepgui", "version": ' + "9" * 5000 + "}", "too many digits"),
        (changed("version", 4), "version 4, made by a newer DeepGUI; please update DeepGUI."),
        (changed("version", 0), "there is no version 0"),
        (changed("version", "1"), 'version: must be a whole number, not "1"'),
        (changed("version"), "version: must be a whole number, not null"),
        (changed("networks"), '"networks" is missing'),
        (changed("lyaout", {}), '"lyaout" is not known here (did you mean layout?)'),
        (changed("training/epoch", 5), 'training: "epoch" is not known here (did you mean epochs?)'),
        (changed("training/epochs", "many"), 'training → epochs: must be a whole number, not "many"'),
        (changed("training/epochs", True), "training → epochs: must be a whole number, not true"),
        (changed("training/clip_grad_norm", "x"), 'training → clip_grad_norm: must be a number, not "x"'),
        (changed("training/restore_best", 1), "restore_best: must be true or false, not 1"),
        (changed("training/optimizer", 5), "optimizer: must be text, not 5"),
        (changed("training/optimizer_options", []), "optimizer_options: must be an object, not a list"),
        (changed("training/optimizer_options/lr", {}), 'optimizer_options → lr: "float" is missing'),
        (changed("data/validation", float("nan")), "data → validation: must be a finite number, not NaN"),
        (changed("data/inputs", {"input": 3}), "data → inputs → input: must be text, not 3"),
        (changed("networks", []), "networks: must be an object, not a list"),
        (changed("networks/network/nodes/cat/kind", 5), "networks → network → nodes → cat → kind: must be text, not 5"),
        (changed("networks/network/nodes/cat/kind", "a b"), '"a b" is no valid name'),
        (changed("networks/network/nodes/cat/name", "class"), '"class" is no valid name'),
        (changed("networks/network/nodes/cat"), 'wire 2: there is no node "cat"'),
        (changed("networks/network/nodes/x;import os", {"kind": "A"}), 'nodes: "x;import os" is no valid name'),
        (changed("networks/network/nodes/cat/params", {"dim": {"a": 1}}), 'params → dim: "a" is not known here'),
        (changed("networks/network/wires/0", ["input.output"]), 'wire 1: must be ["from.output", "to.input"]'),
        (changed("networks/network/wires/0/0", "input"), 'wire 1: must name a node and its port, like "conv.input"'),
        (changed("networks/network/wires/2/2", 0), "wire 3: another wire already ends at cat.tensors, place 0"),
        (changed("networks/network/wires/2/2", 5), "must be numbered 0 to 1 without a gap"),
        (changed("networks/network/wires/2/2", -1), "a place must be 0 or more, not -1"),
        (changed("layout/network/ghost", [0, 0]), 'layout → network: there is no node "ghost"'),
        (changed("layout/ghost", {}), 'layout: there is no network "ghost"'),
        (changed("layout/network/cat", [1]), "layout → network → cat: must be [x, y], not a list"),
        (changed("layout/network/cat", [1, 1e300]), "lies outside the canvas"),
        (changed("layout/network/cat", [1, 10**400]), "lies outside the canvas"),
        (file.to_text(demo()).replace('"cat":', '"input":', 1), 'nodes: "input" is there twice'),
        (file.to_text(demo()).replace("0.15", "1e999", 1), "data → validation: must be a finite number"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    message = refusal(text)
    assert said in message
    assert message.startswith("demo.deepgui")
    assert len(message.splitlines()) == 1


def test_a_value_nested_without_end_is_refused_before_it_can_overflow() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    assert "is nested too deeply" in refusal(changed("data/options", {"x": deep}))


def test_missing_settings_have_their_defaults() -> None:
    project = file.from_text('{"format": "deepgui", "version": 1, "networks": {}}')
    assert project.training == TrainingConfig()
    assert project.name == "untitled"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "windows.deepgui"
    path.write_bytes(b"\xef\xbb\xbf" + file.to_text(demo()).replace("\n", "\r\n").encode())
    assert file.read(path) == demo()


def test_a_path_of_broken_letters_survives() -> None:
    name = os.fsdecode(b"caf\xe9.csv")
    project = replace(demo(), data=replace(demo().data, options={"path": name}))
    assert file.from_text(file.to_text(project).encode().decode()).data.options["path"] == name


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "There is no file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe"), "not text in UTF-8"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.symlink_to(path), "cannot be read"),
        (lambda path: os.mkfifo(path), "is not a file"),
        (lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 2**30), "too large"),
    ],
)
def test_what_is_no_project_is_refused_in_one_sentence(tmp_path: Path, make: Any, said: str) -> None:
    path = tmp_path / "thing.deepgui"
    make(path)
    with pytest.raises(file.FileError, match=said) as caught:
        file.read(path)
    assert "thing.deepgui" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_impossible_path_is_refused_too() -> None:
    with pytest.raises(file.FileError, match="cannot be read"):
        file.read("nul\0byte")
    with pytest.raises(file.FileError, match="cannot be read"):
        file.read("x" * 5000)


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.deepgui"
    file.write(demo(), path)
    path.chmod(0)
    with pytest.raises(file.FileError, match="permission denied"):
        file.read(path)


def test_saving_keeps_the_version_before_and_the_permissions(tmp_path: Path) -> None:
    path = tmp_path / "demo.deepgui"
    file.write(empty_project("one"), path)
    path.chmod(0o640)
    file.write(empty_project("two"), path)
    assert file.read(path).name == "two"
    assert file.read(atomic.backup_of(path)).name == "one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["demo.deepgui", "demo.deepgui~"]


def test_a_broken_file_does_not_push_out_the_good_backup(tmp_path: Path) -> None:
    path = tmp_path / "demo.deepgui"
    file.write(empty_project("one"), path)
    file.write(empty_project("two"), path)
    path.write_text("{ broken by an editor")
    file.write(empty_project("three"), path)
    assert file.read(atomic.backup_of(path)).name == "one"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.deepgui", tmp_path / "link.deepgui"
    file.write(empty_project("one"), real)
    link.symlink_to(real)
    file.write(empty_project("two"), link)
    assert link.is_symlink()
    assert file.read(real).name == "two"


@pytest.mark.parametrize("failing", ["write", "fsync", "replace", "link"])
def test_a_disk_that_fails_leaves_the_earlier_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "demo.deepgui"
    file.write(empty_project("one"), path)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if failing == "write":
            patch.setattr(atomic, "_write_through", full)
        elif failing == "link":
            patch.setattr(os, "link", full)
            patch.setattr(atomic.shutil, "copy2", full)
        else:
            patch.setattr(os, failing, full)
        with pytest.raises(file.FileError, match=r"demo\.deepgui cannot be saved: no space left on device\."):
            file.write(empty_project("two"), path)
    assert file.read(path).name == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["demo.deepgui"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(file.FileError, match=r"demo\.deepgui cannot be saved: no such file or directory\."):
        file.write(demo(), tmp_path / "nowhere" / "demo.deepgui")


def test_what_could_not_be_opened_again_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "demo.deepgui"
    file.write(demo(), path)
    network = replace(demo().networks["network"], name="not a name")
    with pytest.raises(file.FileError, match="could not be opened again"):
        file.write(with_network(demo(), "network", network), path)
    with pytest.raises(file.FileError, match=r"input\.shape holds set"):
        file.write(with_network(demo(), "network", edits.set_params(network, "input", {"shape": {1}})), path)  # type: ignore[dict-item]
    assert file.read(path) == demo()


RENAMES = {
    1: Renames(
        kinds={"Convolution": "Conv2d"},
        params={("Convolution", "filters"): "out_channels"},
        inputs={("Convolution", "x"): "input"},
        outputs={("Input", "value"): "output"},
    ),
    2: Renames(params={("Conv2d", "out_channels"): "channels_out"}),
}


def old_file() -> dict[str, Any]:
    nodes = {
        "a": {"kind": "Input", "params": {"filters": 1}},
        "b": {"kind": "Convolution", "params": {"filters": 6, "bias": True}},
    }
    return {"networks": {"network": {"nodes": nodes, "wires": [["a.value", "b.x", 1], ["b.value", "b.y"]]}}}


def test_renames_lead_through_all_versions() -> None:
    raw = old_file()
    migrate(raw, 1, RENAMES, latest=3)
    network = raw["networks"]["network"]
    assert network["nodes"]["a"] == {"kind": "Input", "params": {"filters": 1}}
    assert network["nodes"]["b"] == {"kind": "Conv2d", "params": {"channels_out": 6, "bias": True}}
    assert network["wires"] == [["a.output", "b.input", 1], ["b.value", "b.y"]]


def test_a_file_of_the_latest_version_is_left_alone() -> None:
    raw = old_file()
    migrate(raw, 3, RENAMES, latest=3)
    assert raw == old_file()


@pytest.mark.parametrize(
    "broken", [None, [], {"n": None}, {"n": {"nodes": [], "wires": {}}}, {"n": {"nodes": {"a": 1}}}]
)
def test_renaming_passes_over_what_makes_no_sense(broken: Any) -> None:
    raw = {"networks": broken}
    migrate(raw, 1, RENAMES, latest=3)
    assert raw == {"networks": broken}
    wires = [1, [], [None, None], ["a"], ["a.value", "ghost.x"]]
    raw = {"networks": {"n": {"nodes": {"a": {"kind": 7}}, "wires": wires}}}
    migrate(raw, 1, RENAMES, latest=3)
