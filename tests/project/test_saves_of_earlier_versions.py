"""Files written by earlier versions open for ever. Saves are never written anew: a version adds its own."""

from __future__ import annotations

from pathlib import Path

from deepgui.catalog.expr import Expr
from deepgui.graph.values import Code, Point, Wire
from deepgui.project import file

SAVES = Path(__file__).parent.parent / "saves"


def test_there_is_a_save_of_every_version() -> None:
    assert {path.name for path in SAVES.glob("*.deepgui")} == {f"version_{n + 1}.deepgui" for n in range(file.VERSION)}


def test_version_1_means_what_it_meant() -> None:
    project = file.read(SAVES / "version_1.deepgui")
    network = project.main
    assert [(n.label, n.kind) for n in network.nodes.values()] == [
        ("image", "Input"),
        ("conv1", "Conv2d"),
        ("conv2d_2", "Conv2d"),
        ("cat", "cat"),
        ("layer_of_another_time", "LayerOfAnotherTime"),
        ("output", "Output"),
    ]
    assert network.nodes["conv2d"].params == {"out_channels": 6, "kernel_size": (5, 5), "padding": 2, "bias": False}
    odd = network.nodes["layer_of_another_time"].params
    assert odd == {"nested": ((1, 2), (3.0, None, True, "ü")), "bound": float("-inf")}
    assert network.into("cat") == (
        Wire("conv2d_2", "output", "cat", "tensors", 0),
        Wire("conv2d", "output", "cat", "tensors", 1),
    )
    assert network.layout["conv2d_2"] == Point(180.0, 80.5)
    assert list(project.networks) == ["classifier", "spare"]
    assert project.notes == "First line.\n\nThird line."
    assert (project.data.source, project.data.options["columns"]) == ("csv", ("a", "b"))
    assert (project.training.optimizer, project.training.checkpoint_minutes) == ("SGD", 0.5)


def test_runs_of_version_1_are_found_again() -> None:
    expected = "82af7d3301ef35df12556cd5553fcbadc3d299cbe4cfbc57c9ae948db9dc73ce"
    assert file.meaning_hash(file.read(SAVES / "version_1.deepgui")) == expected


def test_version_2_means_what_it_meant() -> None:
    project = file.read(SAVES / "version_2.deepgui")
    block = project.blocks["Residual"]
    assert [(p.name, p.type, p.default) for p in block.params] == [
        ("width", "int", 16),
        ("skip", "bool", True),
        ("kind", "choice", "reflect"),
    ]
    assert block.params[2].choices == ("zeros", "reflect")
    assert block.network.nodes["conv2d"].params["padding"] == Expr("3 // 2")
    assert block.network.nodes["batch_norm2d"].bypass == Expr("not skip")
    assert block.category == "Convolution blocks"
    nodes = project.main.nodes
    assert nodes["residual"].params == {"repeat": 2, "width": Expr("16 if index == 0 else 8 * 2")}
    assert nodes["dropout"].bypass is True
    assert (nodes["linear_3"].label, nodes["linear_3"].shares) == ("again", "linear_2")
    assert project.blocks["Residual"].network.layout["conv2d"] == Point(280.0, 0.0)


def test_version_3_means_what_it_meant() -> None:
    project = file.read(SAVES / "version_3.deepgui")
    assert list(project.blocks) == ["Gate", "Twice", "Halves"]
    gate, twice, halves = (project.blocks[name].code for name in project.blocks)
    assert gate is not None
    assert gate.source.startswith("from torch import nn\n\n\nclass Gate(nn.Module):\n    ")
    assert (gate.layer, gate.file) == ("Gate", "")
    assert twice == Code(gate.source, "Scale", "")
    assert halves is not None
    assert (halves.layer, halves.file) == ("Halves", "version_3_layers.py")
    assert [n.kind for n in project.main.nodes.values()] == ["Input", "Gate", "Twice", "Halves", "Output"]
    assert project.main.nodes["gate"].params == {"amount": 0.5}


def test_runs_of_version_3_are_found_again() -> None:
    expected = "50cf746f199d1e7f7a51c3f99bc72bfa7d15e2af2820609899e23134db21cf59"
    assert file.meaning_hash(file.read(SAVES / "version_3.deepgui")) == expected


def test_runs_of_version_2_are_found_again() -> None:
    expected = "a7576ff4674bd0df8bfc446bbf53b26a98020d7a8ef6be3d43e8b208b3c3907a"
    assert file.meaning_hash(file.read(SAVES / "version_2.deepgui")) == expected
