"""The builder and the public functions: what a person writes in a script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import deepgui
from deepgui.graph.values import Point, Wire
from deepgui.project.values import DataConfig, TrainingConfig


def lenet() -> deepgui.Network:
    net = deepgui.Network("lenet")
    x = net.add("Input", shape=(1, 28, 28))
    for channels, padding in ((6, 2), (16, 0)):
        x = net.add("Conv2d", x, out_channels=channels, kernel_size=5, padding=padding)
        x = net.add("MaxPool2d", net.add("ReLU", x), kernel_size=2)
    x = net.add("Flatten", x)
    for features in (120, 84):
        x = net.add("ReLU", net.add("Linear", x, out_features=features))
    net.add("Output", net.add("Linear", x, out_features=10))
    return net


def test_lenet_has_its_61706_parameters_however_it_is_handed_over() -> None:
    net = lenet()
    for drawn in (net, net.network(), net.project()):
        report = deepgui.check(drawn)
        assert report.ok
        assert report.parameters == 61_706
        assert sum(p.numel() for p in deepgui.compile(drawn).parameters()) == 61_706


def test_compile_initialises_as_a_hand_written_module_does() -> None:
    torch.manual_seed(3)
    ours = deepgui.compile(lenet())
    torch.manual_seed(3)
    twin = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )
    x = torch.randn(4, 1, 28, 28)
    assert torch.equal(ours(x), twin(x))


def test_source_runs_where_deepgui_is_not(tmp_path: Path) -> None:
    source = deepgui.to_python(lenet())
    assert "deepgui" not in source
    space: dict[str, Any] = {}
    exec(compile(source, "lenet.py", "exec"), space)
    assert space["Lenet"]()(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_handles_name_outputs_and_inputs() -> None:
    net = deepgui.Network("seq")
    x = net.add("Input", shape=(7, 5))
    rnn = net.add("LSTM", x, hidden_size=3)
    other = net.add("LSTM", x, h_0=rnn["h_n"], c_0=rnn["c_n"], hidden_size=3)
    net.add("Output", other)
    assert Wire("lstm", "h_n", "lstm_2", "h_0") in net.network().wires
    assert Wire("lstm_2", "output", "output", "input") in net.network().wires
    assert deepgui.compile(net)(torch.zeros(2, 7, 5)).shape == (2, 7, 3)


@pytest.mark.parametrize("style", ["list", "positional", "keyword"])
def test_a_port_for_many_wires_takes_them_in_order(style: str) -> None:
    net = deepgui.Network("cat")
    a, b = net.add("Input", shape=(2,)), net.add("Input", shape=(3,))
    if style == "list":
        joined = net.add("cat", [b, a], dim=1)
    elif style == "positional":
        joined = net.add("cat", b, a, dim=1)
    else:
        joined = net.add("cat", tensors=[b, a], dim=1)
    net.add("Output", joined)
    out = deepgui.compile(net)(torch.zeros(1, 2), torch.ones(1, 3))
    assert out.tolist() == [[1, 1, 1, 0, 0]]


def test_parameters_given_as_lists_are_frozen_and_names_become_attributes() -> None:
    net = deepgui.Network()
    x = net.add("Input", shape=[1, 8, 8])
    net.add("Output", net.add("Conv2d", x, out_channels=2, kernel_size=[3, 3], name="first conv"))
    node = net.network().nodes["conv2d"]
    assert node.params["kernel_size"] == (3, 3)
    assert node.name == "first_conv"
    assert dict(deepgui.compile(net).named_children()).keys() == {"first_conv"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda net, x: net.add("Conv2D", x), "there is no layer 'Conv2D'; did you mean Conv2d?"),
        (
            lambda net, x: net.add("Linear", x, out_feature=3),
            "has no parameter 'out_feature'; did you mean out_features?",
        ),
        (lambda net, x: net.add("Linear", x, out_features="ten"), "out_features must be a whole number, not 'ten'."),
        (lambda net, x: net.add("Linear", x, x, out_features=1), "Linear takes 1 input, not 2."),
        (lambda net, x: net.add("Input", x, shape=(1,)), "Input takes no inputs, not 1."),
        (lambda net, x: net.add("Linear", 3.0, out_features=1), "takes a layer, not 3.0."),
        (lambda net, x: net.add("Linear", x, input=x, out_features=1), "the input input is given twice."),
        (lambda net, x: x["h_n"], "input has no output 'h_n'; it has output."),
        (lambda net, x: net.add("ReLU", deepgui.Network().add("Input", shape=(1,))), "belongs to another network."),
        (lambda net, x: net.add("ReLU", net.add("Output", x)), "has no output to wire."),
        (lambda net, x: (net.add("ReLU", x, name="a"), net.add("ReLU", x, name="a")), "already a layer called 'a'."),
    ],
)
def test_mistakes_are_one_plain_sentence(wrong: Any, said: str) -> None:
    net = deepgui.Network()
    x = net.add("Input", shape=(4,))
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        wrong(net, x)
    assert said in str(caught.value)


def test_a_refused_layer_leaves_the_network_as_it_was() -> None:
    net = deepgui.Network()
    x = net.add("Input", shape=(4,))
    before = net.network()
    with pytest.raises(ValueError, match="no parameter"):
        net.add("Linear", x, out_features=2, biass=False)
    assert net.network() is before


def test_unpacking_a_handle_is_refused_rather_than_endless() -> None:
    with pytest.raises(TypeError, match="not a sequence"):
        _, _ = deepgui.Network().add("Input", shape=(1,))


def test_places_run_from_left_to_right_without_overlap() -> None:
    net = deepgui.Network()
    x = net.add("Input", shape=(4,))
    a, b = net.add("ReLU", x), net.add("Tanh", x)
    net.add("Output", net.add("add", a, b, at=(900, 33)))
    layout = net.network().layout
    assert layout["add"] == Point(900, 33)
    assert layout["input"].x < layout["relu"].x == layout["tanh"].x < layout["output"].x
    assert len(set(layout.values())) == len(layout)


def test_a_project_holds_data_and_training_and_survives_its_file(tmp_path: Path) -> None:
    net = lenet()
    project = net.project("My LeNet", data="digits", training=TrainingConfig(epochs=3), notes="one\ntwo")
    assert project.name == "My LeNet"
    assert project.data == DataConfig(source="digits")
    deepgui.save(project, tmp_path / "p.deepgui")
    assert deepgui.load(tmp_path / "p.deepgui") == project


def test_a_network_may_be_called_anything(tmp_path: Path) -> None:
    net = deepgui.Network("My first net!")
    net.add("Output", net.add("Input", shape=(1,)))
    deepgui.save(net, tmp_path / "p.deepgui")
    assert deepgui.load(tmp_path / "p.deepgui").name == "My first net!"


def test_layers_are_declarations_by_name() -> None:
    known = deepgui.layers()
    assert {"Conv2d", "MultiheadAttention", "add", "cat", "Input", "Output"} <= known.keys()
    assert known["Conv2d"].has_param("out_channels")


def test_compile_says_what_is_wrong() -> None:
    net = deepgui.Network()
    net.add("Output", net.add("Linear", net.add("Input", shape=(4,)), in_features=5, out_features=1))
    with pytest.raises(ValueError, match="linear"):
        deepgui.compile(net)


def test_check_looks_at_the_data_a_project_names() -> None:
    net = deepgui.Network()
    net.add("Output", net.add("Linear", net.add("Input", shape=(13,)), out_features=7))
    assert deepgui.check(net).ok
    report = deepgui.check(net.project(data="wine"))
    assert [p.code for p in report.problems] == ["output-classes"]
    assert deepgui.check(net.project(data=DataConfig("csv", {"path": "nowhere.csv"}))).problems[0].code == "data"


def test_training_yields_events_and_keeps_the_run(tmp_path: Path) -> None:
    net = deepgui.Network()
    net.add("Output", net.add("Linear", net.add("Input", shape=(13,)), out_features=3))
    project = net.project(data="wine")
    events = list(deepgui.train(project, epochs=2, batch_size=16, lr=0.01, seed=5, device="cpu", runs=tmp_path))
    last = events[-1].as_dict()
    assert last["event"] == "finished"
    assert {"train_loss", "val_loss", "val_accuracy", "test_accuracy"} <= last["metrics"].keys()
    assert (Path(last["run"]) / "run.json").is_file()
    again = list(deepgui.train(project, epochs=3, batch_size=16, lr=0.01, seed=5, device="cpu", resume=last["run"]))
    assert again[-1].as_dict()["steps"] == last["steps"] * 3 // 2


def test_training_refuses_at_once_and_writes_nothing(tmp_path: Path) -> None:
    net = deepgui.Network()
    net.add("Output", net.add("Linear", net.add("Input", shape=(13,)), out_features=7))
    with pytest.raises(ValueError, match="3 classes"):
        deepgui.train(net.project(data="wine"), runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_importing_deepgui_and_reading_a_project_needs_neither_torch_nor_qt(tmp_path: Path) -> None:
    deepgui.save(lenet(), tmp_path / "p.deepgui")
    code = (
        "import sys, deepgui; deepgui.load(sys.argv[1]); "
        "assert not {'torch', 'PySide6', 'sklearn'} & set(sys.modules), 'too much was imported'"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "p.deepgui")], check=True)


@pytest.mark.parametrize(("project", "name"), [("digits cnn", "DigitsCnn"), ("untitled", "Net"), ("network", "Net")])
def test_a_network_that_nobody_named_is_called_like_its_project(project: str, name: str) -> None:
    net = deepgui.Network()
    net.add("Output", net.add("Linear", net.add("Input", shape=(3,)), out_features=2))
    assert f"class {name}(nn.Module):" in deepgui.to_python(net.project(project))
    assert type(deepgui.compile(net.project(project))).__name__ == name
