"""Published architectures have the published number of parameters, and leave as source and ONNX with equal numbers.

Numbers of parameters are those of the full size. What is computed is computed at reduced sizes (:data:`SMALL`).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from twins import example_of, outputs, source_twin

import deepgui
from deepgui import api, library
from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.report import check
from deepgui.project.file import to_text
from deepgui.project.values import Project

PUBLISHED = {
    "LeNet-5": 61_706,
    "AlexNet": 61_100_840,
    "VGG-16": 138_357_544,
    "ResNet-18": 11_689_512,
    "ResNet-50": 25_557_032,
    "MobileNetV2": 3_504_872,
    "DenseNet-121": 7_978_856,
    "ConvNeXt-T": 28_589_128,
    "ViT-B/16": 86_567_656,
    "BERT-base": 109_482_240,
    "GPT-2 small": 124_439_808,
    "Transformer": 63_082_496,
    "U-Net": 31_030_658,
    "DCGAN": 23_694_592,
    "DDPM U-Net": 35_746_307,
}
SMALL: dict[str, dict[str, Any]] = {
    "LeNet-5": {},
    "AlexNet": {"image": 64, "classes": 5, "features": 32},
    "VGG-16": {"image": 32, "classes": 5, "features": 32},
    "ResNet-18": {"image": 32, "classes": 5, "width": 8},
    "ResNet-50": {"image": 32, "classes": 5, "width": 8},
    "MobileNetV2": {"image": 32, "classes": 5},
    "DenseNet-121": {"image": 32, "classes": 5, "growth_rate": 4},
    "ConvNeXt-T": {"image": 32, "classes": 5, "width": 8},
    "ViT-B/16": {"image": 32, "classes": 5, "embed_dim": 24, "num_heads": 3, "depth": 2},
    "BERT-base": {"vocabulary": 50, "length": 9, "embed_dim": 24, "num_heads": 3, "depth": 2},
    "GPT-2 small": {"vocabulary": 50, "length": 9, "embed_dim": 24, "num_heads": 3, "depth": 2},
    "Transformer": {
        "vocabulary": 50,
        "length": 9,
        "embed_dim": 24,
        "num_heads": 3,
        "dim_feedforward": 32,
        "depth": 2,
    },
    "U-Net": {"image": 188, "width": 4},
    "DCGAN": {"latent": 8, "width": 4},
    "DDPM U-Net": {"image": 16, "width": 8, "multipliers": (1, 2), "attend": (8,), "num_groups": 4},
}
ONNX = ("ResNet-18", "ViT-B/16", "GPT-2 small")


@pytest.mark.parametrize("name", PUBLISHED)
def test_exactly_as_many_parameters_as_published(name: str) -> None:
    project = deepgui.load(library.templates()[name].path)
    assert library.templates()[name].parameters == PUBLISHED[name]
    reports = [check(network, catalogue(project.blocks)) for network in project.networks.values()]
    assert [report.problems for report in reports] == [()] * len(reports)
    assert sum(report.parameters for report in reports) == PUBLISHED[name]


def test_no_template_goes_untested() -> None:
    assert library.templates().keys() == PUBLISHED.keys() == SMALL.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_script_draws_this_very_file(name: str) -> None:
    text = library.templates()[name].path.read_text(encoding="utf-8")
    assert text == to_text(library.template(name)), "run: python -m deepgui.library"


def parts(project: Project) -> list[Project]:
    """A project for each network."""
    return [Project(key, {key: network}, blocks=project.blocks) for key, network in project.networks.items()]


@pytest.mark.parametrize("name", SMALL)
def test_a_small_one_computes_the_same_as_its_source(name: str) -> None:
    for project in parts(library.template(name, **SMALL[name])):
        module = deepgui.compile(project).eval()
        inputs = example_of(project)
        expected, found = outputs(module, inputs), outputs(source_twin(project, module).eval(), inputs)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ONNX)
def test_a_small_one_computes_the_same_in_onnx(name: str, tmp_path: Path) -> None:
    result = api.export(library.template(name, **SMALL[name]), "onnx", tmp_path / "model.onnx")
    assert result.max_difference < 1e-5


@pytest.mark.parametrize("name", PUBLISHED)
def test_source_is_readable(name: str) -> None:
    source = deepgui.to_python(library.template(name))
    assert max(map(len, source.split("\n"))) <= 100
    assert "deepgui" not in source.lower()
    assert not re.search(r"\b[xy]_2\b", source)


def test_the_generator_and_discriminator_of_the_tutorial_have_its_numbers() -> None:
    project = library.template("DCGAN", width=64)
    numbers = {key: check(net, catalogue(project.blocks)).parameters for key, net in project.networks.items()}
    assert numbers == {"generator": 3_576_704, "discriminator": 2_765_568}


def test_a_u_net_answers_388_pixels_of_572() -> None:
    project = library.template("U-Net")
    output = deepgui.check(project).nodes[project.main.of_kind("Output")[0].id]
    assert output.inputs["input"][0].shape == "N×2×388×388"


def test_names_are_found_however_they_are_written() -> None:
    assert library.template("resnet50") == library.template("ResNet-50")
    with pytest.raises(KeyError, match="did you mean ResNet-50"):
        library.template("ResNet-05")
    with pytest.raises(TypeError):
        library.template("LeNet-5", depth=3)


def test_templates_are_listed_beside_the_samples(capsys: pytest.CaptureFixture[str]) -> None:
    from deepgui.cli import main

    assert main(["samples", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {t["title"]: t["parameters"] for t in found["templates"]} == PUBLISHED
    assert all(Path(t["path"]).is_file() and t["summary"] for t in found["templates"])
    assert not {s["name"] for s in found["samples"]} & {t["name"] for t in found["templates"]}
