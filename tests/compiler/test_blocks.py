"""Blocks from drawing to module, source and file: one drawing, many uses, the same numbers everywhere."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import fx, nn

import deepgui
from deepgui.api import as_project
from deepgui.catalog.spec import Infer, ParamSpec
from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.interpret import blame, capture
from deepgui.compiler.report import at, check
from deepgui.graph import edits
from deepgui.graph.problems import NetworkError
from deepgui.project import file
from deepgui.project.values import Project, with_block


def projection() -> deepgui.Block:
    block = deepgui.Block("Projection", "A 1×1 convolution on the way around.", channels=64, stride=1)
    x = block.add("Input")
    x = block.add("Conv2d", x, out_channels="=channels", kernel_size=1, stride="=stride", bias=False, name="conv")
    block.add("Output", block.add("BatchNorm2d", x, name="bn"))
    return block


def basic() -> deepgui.Block:
    block = deepgui.Block("BasicBlock", channels=64, stride=1, project=False)
    x = block.add("Input")
    y = block.add(
        "Conv2d", x, out_channels="=channels", kernel_size=3, stride="=stride", padding=1, bias=False, name="conv1"
    )
    y = block.add("ReLU", block.add("BatchNorm2d", y, name="bn1"))
    y = block.add("Conv2d", y, out_channels="=channels", kernel_size=3, padding=1, bias=False, name="conv2")
    y = block.add("BatchNorm2d", y, name="bn2")
    way = block.add(projection(), x, channels="=channels", stride="=stride", name="downsample", bypass="=not project")
    block.add("Output", block.add("ReLU", block.add("add", y, way)))
    return block


def resnet(width: int = 8, classes: int = 5, size: int = 32) -> Project:
    net = deepgui.Network("ResNet")
    x = net.add("Input", shape=(3, size, size))
    x = net.add("Conv2d", x, out_channels=width, kernel_size=3, padding=1, bias=False, name="conv1")
    x = net.add(basic(), x, channels=width, repeat=2, name="layer1")
    for number in (2, 3):
        x = net.add(
            basic(),
            x,
            channels=width * 2 ** (number - 1),
            repeat=2,
            stride="=2 if index == 0 else 1",
            project="=index == 0",
            name=f"layer{number}",
        )
    x = net.add("Flatten", net.add("AdaptiveAvgPool2d", x, output_size=1))
    net.add("Output", net.add("Linear", x, out_features=classes, name="fc"))
    return net.project()


def decoder_step() -> deepgui.Block:
    block = deepgui.Block("Step", width=16, heads=2)
    x, memory = block.add("Input", name="x"), block.add("Input", name="memory")
    y = block.add("LayerNorm", x, normalized_shape="=width")
    y = block.add("add", x, block.add("MultiheadAttention", y, memory, memory, num_heads="=heads"))
    h = block.add("GELU", block.add("Linear", y, out_features="=4 * width"))
    block.add("Output", block.add("add", y, block.add("Linear", h, out_features="=width")))
    return block


def decoder() -> Project:
    net = deepgui.Network("Decoder")
    tokens = net.add("Input", shape=(7,), dtype="int64")
    wte = net.add("Embedding", tokens, num_embeddings=11, embedding_dim=16, name="wte")
    x = net.add(decoder_step(), wte, wte, repeat=3, name="layers")
    net.add("Output", net.add("Linear", x, out_features=11, bias=False, name="head", shares=wte))
    return net.project()


def source_twin(project: Project) -> nn.Module:
    """The exported class, made under the same seed as the compiled module."""
    namespace: dict[str, Any] = {}
    exec(deepgui.to_python(project), namespace)
    torch.manual_seed(0)
    made = namespace[deepgui.compile(project).__class__.__name__]
    torch.manual_seed(0)
    return made()  # type: ignore[no-any-return]


def compiled(project: Project) -> fx.GraphModule:
    torch.manual_seed(0)
    module = deepgui.compile(project)
    assert isinstance(module, fx.GraphModule)
    return module


INPUTS = {"resnet": torch.randn(3, 3, 32, 32), "decoder": torch.randint(0, 11, (3, 7))}
PROJECTS = {"resnet": resnet, "decoder": decoder}


@pytest.mark.parametrize("name", PROJECTS)
def test_module_source_and_reloaded_file_have_the_same_weights_and_numbers(name: str) -> None:
    project = PROJECTS[name]()
    assert deepgui.check(project).problems == ()
    module, twin = compiled(project), source_twin(project)
    again = compiled(file.from_text(file.to_text(project)))
    assert list(module.state_dict()) == list(twin.state_dict()) == list(again.state_dict())
    for ours, theirs in ((module, twin), (module, again)):
        for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
            assert torch.equal(a, b)
        torch.testing.assert_close(ours.eval()(INPUTS[name]), theirs.eval()(INPUTS[name]))


def test_state_dict_has_the_names_of_the_published_residual_networks() -> None:
    names = set(compiled(resnet()).state_dict())
    assert {"conv1.weight", "layer1.0.conv1.weight", "layer2.0.downsample.conv.weight", "layer3.1.bn2.bias"} <= names
    assert not any(name.startswith(("layer1.0.downsample", "layer2.1.downsample")) for name in names)


def test_parameters_are_counted_once_where_weights_are_tied() -> None:
    project = decoder()
    module = compiled(project)
    assert module.get_submodule("head").weight is module.get_submodule("wte").weight
    assert deepgui.check(project).parameters == sum(p.numel() for p in module.parameters())


def test_the_same_layer_called_twice() -> None:
    net = deepgui.Network("twice")
    x = net.add("Input", shape=(4,))
    first = net.add("Linear", x, out_features=4, name="shared")
    net.add("Output", net.add("Linear", net.add("ReLU", first), out_features=4, shares=first))
    project = net.project()
    module, twin = compiled(project), source_twin(project)
    assert list(module.state_dict()) == ["shared.weight", "shared.bias"]
    assert deepgui.check(project).parameters == 20
    x_ = torch.randn(2, 4)
    torch.testing.assert_close(module(x_), twin(x_))
    torch.testing.assert_close(module(x_), module.get_submodule("shared")(module.get_submodule("shared")(x_).relu()))


def test_sharing_what_does_not_fit_is_a_problem_with_a_way_out() -> None:
    net = deepgui.Network("unlike")
    x = net.add("Input", shape=(4,))
    first = net.add("Linear", x, out_features=3, name="first")
    net.add("Output", net.add("Linear", first, out_features=3, shares=first))
    problem = next(p for p in deepgui.check(net).problems if p.code == "unlike-sharing")
    assert "in_features is 3 rather than 4" in problem.message
    assert problem.fix is not None
    assert deepgui.check(problem.fix.apply(net.network())).errors == ()


@pytest.mark.parametrize(("count", "blocks"), [(0, 0), (1, 1), (3, 3)])
def test_repeat_makes_a_row(count: int, blocks: int) -> None:
    net = deepgui.Network("row")
    x = net.add("Input", shape=(6, 8, 8))
    x = net.add(basic(), x, channels=6, repeat=count, name="row")
    net.add("Output", x)
    project = net.project()
    module, twin = compiled(project), source_twin(project)
    assert len({name.split(".")[1] for name in module.state_dict()}) == blocks
    images = torch.randn(2, 6, 8, 8)
    torch.testing.assert_close(module.eval()(images), twin.eval()(images))


def test_wires_inside_blocks_can_be_looked_at() -> None:
    module = compiled(resnet()).eval()
    shapes = {
        "basic_block_2.1.conv2d": (3, 16, 16, 16),
        "basic_block_2.0": (3, 16, 16, 16),
        "basic_block_2": (3, 16, 16, 16),
        "basic_block.0.projection": (3, 8, 32, 32),
    }
    seen = capture(module, (INPUTS["resnet"],), [(path, "output") for path in shapes])
    assert {path: tuple(value.shape) for (path, _), value in seen.items()} == shapes


def test_the_layer_inside_a_block_that_gives_nan_is_named() -> None:
    module = compiled(resnet())
    with torch.no_grad():
        module.get_parameter("layer2.1.conv2.weight").fill_(torch.nan)
    found = blame(module, (INPUTS["resnet"],))
    assert found is not None
    assert found.node == "basic_block_2.1.conv2d_2"


def test_report_reaches_inside() -> None:
    project = resnet()
    report = check(project.main, catalogue(project.blocks))
    inside = at(report, "basic_block_2.0.projection")
    assert inside is not None
    assert str(inside.report.nodes["conv2d"].outputs["output"]) == "N×16×16×16"
    assert at(report, "basic_block_2.7") is None
    assert at(report, "conv2d") is None


def test_a_problem_inside_is_said_at_the_use_once() -> None:
    project = resnet()
    block = project.blocks["BasicBlock"]
    broken = edits.set_params(block.network, "conv2d", {"kernel_size": "three"})
    report = deepgui.check(with_block(project, "BasicBlock", type(block)(broken, block.params)))
    assert [p.message for p in report.errors] == ["layer1 › conv1: kernel_size must be whole numbers, not 'three'."]


def test_a_block_inside_itself_is_refused() -> None:
    project = resnet()
    block = project.blocks["Projection"]
    network, _ = edits.insert_on_wire(block.network, block.network.wires[0], "BasicBlock")
    report = deepgui.check(with_block(project, "Projection", type(block)(network, block.params)))
    assert any(p.code == "endless-block" and "contains itself" in p.message for p in report.problems)


def test_an_expression_without_a_value_says_what_is_known() -> None:
    block = deepgui.Block("Wide", width=4)
    x = block.add("Input")
    block.add("Output", block.add("Linear", x, out_features="=4 * widht"))
    net = deepgui.Network("typo")
    net.add("Output", net.add(block, net.add("Input", shape=(3,))))
    (problem,) = deepgui.check(net).errors
    assert "out_features: the expression 4 * widht uses widht, which is no parameter here" in problem.message
    assert "width" in problem.reason


def test_a_changed_use_makes_another_size_of_the_same_class() -> None:
    source = deepgui.to_python(resnet())
    assert source.count("class BasicBlock(nn.Module)") == 1
    assert source.count("class Projection(nn.Module)") == 1
    assert "nn.Sequential(*(BasicBlock(8, channels=8) for _ in range(2)))" in source
    assert "if project else nn.Identity()" in source


def test_exports_as_a_program_with_a_free_batch() -> None:
    module = compiled(resnet()).eval()
    program = torch.export.export(module, (INPUTS["resnet"],), dynamic_shapes=({0: torch.export.Dim("batch")},))
    images = torch.randn(5, 3, 32, 32)
    torch.testing.assert_close(program.module()(images), module(images))


def test_runs_are_filed_under_the_blocks_that_are_used() -> None:
    project = as_project(resnet())
    spare = with_block(project, "Spare", project.blocks["Projection"])
    assert file.meaning_hash(spare) == file.meaning_hash(project)
    block = project.blocks["Projection"]
    network = edits.set_params(block.network, "batch_norm2d", {"momentum": 0.2})
    assert "batch_norm2d" in network.nodes
    assert file.meaning_hash(
        with_block(project, "Projection", type(block)(network, block.params))
    ) != file.meaning_hash(project)


def widening() -> Project:
    """A block that knows how many channels arrive, in rows where that differs from one to the next."""
    block = deepgui.Block(
        "Widening", in_channels=ParamSpec("in_channels", "int", infer=Infer("input", 1)), out_channels=8
    )
    x = block.add("Input", shape=(4, 8, 8))
    y = block.add("Conv2d", x, out_channels="=2 * in_channels", kernel_size=1, name="widen")
    y = block.add("Conv2d", block.add("ReLU", y), out_channels="=out_channels", kernel_size=1, name="narrow")
    block.add("Output", block.add("add", y, x, bypass="=not (in_channels == out_channels)", name="sum"))
    net = deepgui.Network("widening")
    x = net.add(block, net.add("Input", shape=(3, 8, 8)), repeat=2, name="first")
    x = net.add(block, x, out_channels=16, repeat=3, name="second")
    x = net.add(block, x, in_channels=5, out_channels=16, name="told")
    net.add("Output", net.add(block, x, out_channels=16, name="third"))
    return net.project()


def test_a_size_read_from_the_wire_differs_along_a_row_and_survives_export_and_file() -> None:
    project = file.from_text(file.to_text(widening()))
    assert project == widening()
    report = deepgui.check(project)
    assert report.problems == ()
    (used,) = (n for n in project.main.nodes.values() if n.name == "second")
    assert report.nodes[used.id].params["in_channels"] == 8
    assert "in_channels" in report.nodes[used.id].inferred
    module, twin = compiled(project), source_twin(project)
    shapes = [module.get_submodule(f"{at}.widen").weight.shape[:2] for at in ("first.0", "first.1", "second.0", "told")]
    assert shapes == [(6, 3), (16, 8), (16, 8), (10, 16)]
    images = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(module(images), twin(images))


def test_a_function_that_only_some_instances_do_without_is_chosen_in_forward() -> None:
    source = deepgui.to_python(widening())
    assert "y + x if self.in_channels == self.out_channels else y" in source


def test_a_size_read_from_an_input_that_is_gone_is_no_longer_read() -> None:
    project = widening()
    block = project.blocks["Widening"]
    renamed = edits.rename_node(block.network, "input", "picture")
    report = deepgui.check(with_block(project, "Widening", type(block)(renamed, block.params)))
    assert any(p.code in ("bad-expression", "dangling-wire") for p in report.errors)


def test_an_index_that_is_an_expression_is_refused_in_a_sentence() -> None:
    block = deepgui.Block("First", at=":, 0")
    block.add("Output", block.add("slice", block.add("Input", shape=(5, 4)), index="=at"))
    net = deepgui.Network("net")
    net.add("Output", net.add(block, net.add("Input", shape=(5, 4))))
    with pytest.raises(NetworkError, match="index is an expression of the block's parameters"):
        deepgui.to_python(net.project())
